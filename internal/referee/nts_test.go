package referee_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"fmt"
	"math/big"
	"strings"
	"testing"
	"time"

	"github.com/nbr-dev/nbr/internal/lab"
	"github.com/nbr-dev/nbr/internal/nstest"
)

// A timeServer's certificate, its key and the authority that signed it, in PEM.
type timeServer struct{ cert, key, ca string }

// newTimeServer makes a certificate for a name that is valid for a year from a time on, by an
// authority of its own.
func newTimeServer(t *testing.T, name string, from time.Time) timeServer {
	t.Helper()
	block := func(kind string, b []byte) string {
		return string(pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: b}))
	}
	key := func() (*ecdsa.PrivateKey, string) {
		k, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
		if err != nil {
			t.Fatal(err)
		}
		b, err := x509.MarshalPKCS8PrivateKey(k)
		if err != nil {
			t.Fatal(err)
		}
		return k, block("PRIVATE KEY", b)
	}
	sign := func(c, by *x509.Certificate, of, with *ecdsa.PrivateKey) []byte {
		b, err := x509.CreateCertificate(rand.Reader, c, by, of.Public(), with)
		if err != nil {
			t.Fatal(err)
		}
		return b
	}
	authorityKey, _ := key()
	serverKey, serverPEM := key()
	authority := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "authority"}, NotBefore: from, NotAfter: from.AddDate(1, 0, 0),
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign,
	}
	server := &x509.Certificate{
		SerialNumber: big.NewInt(2), Subject: pkix.Name{CommonName: name}, DNSNames: []string{name}, NotBefore: from, NotAfter: from.AddDate(1, 0, 0),
		KeyUsage: x509.KeyUsageDigitalSignature, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
	}
	return timeServer{
		cert: block("CERTIFICATE", sign(server, authority, serverKey, authorityKey)), key: serverPEM,
		ca: block("CERTIFICATE", sign(authority, authority, authorityKey, authorityKey)),
	}
}

// A board without a clock battery boots with a clock that is years behind: to it a certificate
// of today is not valid yet. Here it is the certificate that is years ahead, since the clock is
// the machine's. Authenticated time (RFC 8915) is got all the same, from the right server only.
func TestAuthenticatedTimeWithAWrongClock(t *testing.T) {
	t.Parallel()
	const name = "ntp.example.org"
	conf := chronyConf(t, fromText(t, `
time {
  servers = ["`+name+`"]
  nts     = true
}
`))
	const line = "nocerttimecheck 1\n"
	if strings.Count(conf, line) != 1 {
		t.Fatalf("not one %q:\n%s", line, conf)
	}
	server := newTimeServer(t, name, time.Now().AddDate(5, 0, 0))
	for what, c := range map[string]struct {
		conf, ca string
		trouble  string // of the handshake; without one the time is got
	}{
		"as nbr has it":          {conf, server.ca, ""},
		"with the dates checked": {strings.Replace(conf, line, "", 1), server.ca, "not yet"},
		"of another authority":   {conf, newTimeServer(t, name, time.Now().AddDate(5, 0, 0)).ca, "signature"},
	} {
		t.Run(what, func(t *testing.T) {
			t.Parallel()
			router, internet := nstest.New(t, "router"), nstest.New(t, "internet")
			nstest.Link(t, router, "wan", internet, "eth0")
			ip(t, router, "addr add 192.0.2.2/24 dev wan\n")
			ip(t, internet, "addr add 192.0.2.1/24 dev eth0\n")
			there := lab.Rootfs(t, lab.Files{
				"/etc/chrony.conf": "ntsservercert /etc/cert.pem\nntsserverkey /etc/key.pem\nlocal stratum 1\nallow\ncmdport 0\n",
				"/etc/cert.pem":    server.cert, "/etc/key.pem": server.key, "/run/chrony/": "",
			})
			there.Daemon(t, internet, "chronyd", "-x", "-d", "-u", "root", "-f", "/etc/chrony.conf")
			here := lab.Rootfs(t, lab.Files{
				"/etc/chrony.conf": c.conf + "ntstrustedcerts /etc/ca.pem\nauthselectmode require\n", "/etc/ca.pem": c.ca, "/run/chrony/": "",
				"/etc/hosts": "192.0.2.1 " + name + "\n", "/etc/nsswitch.conf": "hosts: files\n",
			})
			// -x leaves the machine's clock alone. With authselectmode nothing is selected that is not
			// authenticated.
			client := here.Daemon(t, router, "chronyd", "-x", "-d", "-u", "root", "-f", "/etc/chrony.conf")
			sources := func() [][]string {
				out, err := here.Try(t, router, "chronyc", "-n", "-c", "sources")
				if err != nil {
					return [][]string{{err.Error(), "", "", "", "", ""}} // it does not listen yet
				}
				var lines [][]string
				for l := range strings.Lines(out) {
					lines = append(lines, strings.Split(strings.TrimSpace(l), ","))
				}
				return lines
			}
			if c.trouble != "" {
				client.Ready(t, func() error {
					if log := client.Log(); !strings.Contains(log, "TLS handshake") || !strings.Contains(log, c.trouble) {
						return errors.New("the handshake has not failed")
					}
					return nil
				})
				if got := sources(); len(got) != 1 || got[0][1] == "*" || got[0][5] != "0" {
					t.Errorf("it has time of a server that it cannot trust: %q", got)
				}
				return
			}
			client.Ready(t, func() error {
				// Mode, state, address, stratum, poll, reach; selected is an asterisk.
				if got := sources(); len(got) != 1 || got[0][1] != "*" || got[0][2] != "192.0.2.1" {
					return fmt.Errorf("no time yet: %q\n%s", got, client.Log())
				}
				return nil
			})
		})
	}
}
