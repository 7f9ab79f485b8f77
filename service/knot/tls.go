package knot

import (
	"context"
	"crypto/sha256"
	"crypto/tls"
	"encoding/hex"
	"encoding/pem"
	"errors"
	"fmt"
	"io/fs"
	"net/netip"
	"strconv"
	"strings"
	"time"

	"github.com/nbr-dev/nbr/hcl/conf"
	"github.com/nbr-dev/nbr/nixgen"
	"github.com/nbr-dev/nbr/router"
	"github.com/nbr-dev/nbr/service"
	"github.com/nbr-dev/nbr/verify"
	"github.com/nbr-dev/nbr/verify/dnsask"
	"github.com/nbr-dev/nbr/verify/probe"
	"github.com/nbr-dev/nbr/verify/state"
)

// TLS is the tls block: answers over TLS (RFC 7858) and over HTTPS (RFC 8484).
type TLS struct {
	conf.Header
	Name        conf.Value[router.Domain] `hcl:"name,required" doc:"The name in the certificate, which clients are told and compare."`
	Certificate conf.Value[router.Path]   `hcl:"certificate,required" doc:"Where the certificate is on the router, with those above it (PEM). A new one is taken at once."`
	Key         conf.Ref[*router.Secret]  `hcl:"key,required" doc:"The secret with the private key of the certificate (PEM)."`
	HTTPS       conf.Value[bool]          `hcl:"https,optional" default:"false" doc:"Answer over HTTPS as well, at https://NAME/dns-query on port 443. Zones open it with allow = [\"dns-https\"], and TLS, on port 853, with \"dns-tls\"."`
}

// staging is the unit that gives the resolver its certificate, and its folder. Without one the
// resolver would not start (knot_resolver/datamodel/network_schema.py), and a missing file must
// cost no more than TLS.
const (
	staging    = "nbr-resolver-certificate"
	stagedCert = "/run/" + staging + "/certificate.pem"
	stagedKey  = "/run/" + staging + "/key.pem"
)

// a socket of TLS.
type socket struct {
	service, kind string // the name in zone.allow, and Knot Resolver's for it
	port          int
	via           dnsask.Transport
}

func (t *TLS) sockets() []socket {
	if t == nil {
		return nil
	}
	out := []socket{{"dns-tls", "dot", 853, dnsask.OverTLS}}
	if t.HTTPS.V {
		out = append(out, socket{"dns-https", "doh2", 443, dnsask.OverHTTPS})
	}
	return out
}

// claim claims the sockets, for the networks of the resolver, and the key.
func (t *TLS) claim(b *Resolver, s *router.Scope) {
	for _, sock := range t.sockets() {
		at := t.Def
		if sock.via == dnsask.OverHTTPS {
			at = t.HTTPS.Range
		}
		s.Listen(at, router.Listen{Service: sock.service, Protocol: router.TCP, Port: sock.port, Networks: b.Networks.All(), Unit: "knot-resolver"})
	}
	if t != nil && t.Key.Target != nil {
		s.Secret(t.Key.Range, router.SecretUse{Secret: t.Key.Target, For: router.CertificateKey, Owner: "root", Unit: staging})
	}
}

// lower sets network.tls, the sockets, and the unit that puts the certificate in place.
func (t *TLS) lower(b *Resolver, m *nixgen.Module, settings func(...string) []string) {
	if t == nil {
		return
	}
	from := service.From(t)
	m.Set(from, nixgen.Str(stagedCert), settings("network", "tls", "cert-file")...)
	m.Set(from, nixgen.Str(stagedKey), settings("network", "tls", "key-file")...)
	m.Set(from, nixgen.Bool(false), settings("network", "tls", "watchdog")...)
	for _, n := range b.Networks.Items {
		for _, sock := range t.sockets() {
			m.Add(service.Origin(t.Addr, n.Range), settings("network", "listen"), listener(addresses(n.Target), sock.kind, sock.port))
		}
	}
	set := func(v nixgen.Expr, path ...string) { m.Set(from, v, append([]string{"systemd"}, path...)...) }
	unit := func(v nixgen.Expr, path ...string) { set(v, append([]string{"services", staging}, path...)...) }
	texts := func(s ...string) nixgen.Expr { return service.Strs(s) }
	unit(nixgen.Str("The certificate of the resolver"), "description")
	// The target starts it again at each switch to a configuration, which may name other files.
	unit(texts("knot-resolver.service", "multi-user.target"), "wantedBy")
	unit(texts("knot-resolver.service"), "before")
	if installer := t.Key.Target.Installer(); installer != "" {
		unit(texts(installer), "after")
	}
	unit(nixgen.List{nixgen.Var("pkgs.openssl")}, "path")
	unit(nixgen.Str("oneshot"), "serviceConfig", "Type")
	unit(nixgen.Str("knot-resolver"), "serviceConfig", "Group")
	unit(nixgen.Str("0027"), "serviceConfig", "UMask")
	unit(nixgen.Str(staging), "serviceConfig", "RuntimeDirectory")
	unit(nixgen.Str("0750"), "serviceConfig", "RuntimeDirectoryMode")
	unit(nixgen.Bool(true), "serviceConfig", "RuntimeDirectoryPreserve")
	unit(nixgen.Lines(t.script()), "script")
	set(texts("multi-user.target"), "paths", staging, "wantedBy")
	set(texts(string(t.Certificate.V), t.Key.Target.Location()), "paths", staging, "pathConfig", "PathChanged")
}

// script puts a pair of certificate and key in place: that of the files, or, where they are no
// pair, one that clients refuse.
func (t *TLS) script() string {
	return fmt.Sprintf(`cd /run/%[1]s
public=$(openssl pkey -in %[3]s -pubout) || public=none
if [ "$(openssl x509 -in %[2]s -noout -pubkey)" = "$public" ]; then
  cat %[2]s >certificate.new
  cat %[3]s >key.new
else
  echo "%[2]s is no certificate for the key in %[3]s: clients get one that they refuse" >&2
  openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 1 -subj /CN=invalid -keyout key.new -out certificate.new
  chmod 0640 key.new
fi
mv key.new key.pem
mv certificate.new certificate.pem
systemctl --no-block try-reload-or-restart knot-resolver.service
`, staging, t.Certificate.V, t.Key.Target.Location())
}

// check asks over TLS and HTTPS, and looks at the certificate and the key.
func (t *TLS) check(b *Resolver, p *verify.Plan) {
	if t == nil || b.added("network") {
		return
	}
	u := pair{string(t.Certificate.V), t.Key.Target.Location()}
	hint := "systemctl status " + staging + "; ls -l " + u.Certificate + " " + u.Key
	c := verify.Check{ID: t.Addr.String() + "/key", Title: "the key of the certificate", From: t.Key.Range}
	verify.Asked(p, c, pairOf, u, fits, hint, func(_ *state.State, got string) verify.Verdict { return verify.Compare(fits, got, hint) })
	for _, n := range b.Networks.Items {
		for _, a := range addrs(n.Target) {
			for _, sock := range t.sockets() {
				promise{
					id: fmt.Sprintf("%s/%s/%s", t.Addr, sock.service, a), title: "the resolver answers " + string(sock.via) + " on " + a.String(), from: t.Def,
					query: query{Server: a, Name: "localhost.", Type: "A", Via: sock.via}, code: "NOERROR",
				}.add(p)
				t.checkCertificate(p, sock, a)
			}
		}
	}
}

// A pair are the files of a certificate and its private key.
type pair struct {
	Certificate string `json:"certificate"`
	Key         string `json:"key"`
}

// MarshalText writes it as in "/var/lib/dns.pem /var/lib/secrets/dns.key".
func (u pair) MarshalText() ([]byte, error) { return []byte(u.Certificate + " " + u.Key), nil }

// pairOf asks whether a key is that of a certificate. Nothing of the key leaves the probe.
var pairOf = &probe.Probe[pair, string]{Name: "knot.pair", Look: lookPair}

// The answers.
const (
	fits    = "fits the certificate"
	misfits = "is another one, or none"
)

func lookPair(_ context.Context, h probe.Host, u pair) (string, error) {
	cert, err := readPEM(h, u.Certificate)
	if err != nil {
		return "", err
	}
	key, err := readPEM(h, u.Key)
	if err != nil {
		return "", err
	}
	if _, err := tls.X509KeyPair(cert, key); err != nil {
		return misfits, nil // the message may hold some of the file
	}
	return fits, nil
}

// readPEM reads a file; one that is not there has nothing in it.
func readPEM(h probe.Host, name string) ([]byte, error) {
	b, err := h.ReadFile(name)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	return b, err
}

// A certUse is a socket, the name that clients know it by, and the file that its certificate is of.
type certUse struct {
	Server netip.AddrPort `json:"server"`
	Name   string         `json:"name"`
	File   string         `json:"file"`
}

// MarshalText writes it as in "192.0.2.1:853 dns.example.org /var/lib/dns.pem".
func (u certUse) MarshalText() ([]byte, error) {
	return []byte(fmt.Sprintf("%s %s %s", u.Server, u.Name, u.File)), nil
}

// A certificate is what a server shows to a client that wants it to have a name.
type certificate struct {
	Answered bool  `json:"answered"`
	Fits     bool  `json:"fits"`  // it is for the name
	Same     bool  `json:"same"`  // it is that of the file
	Until    int64 `json:"until"` // when it ends, in seconds since 1970
}

// certificateOf asks a server for its certificate.
var certificateOf = &probe.Probe[certUse, certificate]{Name: "knot.certificate", Active: true, Look: lookCertificate}

func lookCertificate(ctx context.Context, h probe.Host, u certUse) (certificate, error) {
	file, err := readPEM(h, u.File)
	if err != nil {
		return certificate{}, err
	}
	c, end, err := dnsask.Dial(ctx, h, "tcp", u.Server.String())
	if probe.Silent(err) {
		return certificate{}, nil
	}
	if err != nil {
		return certificate{}, err
	}
	defer end()
	client := tls.Client(c, dnsask.TLSConfig(u.Name))
	if err := client.HandshakeContext(ctx); err != nil {
		return certificate{}, nil // no certificate is an answer
	}
	shown := client.ConnectionState().PeerCertificates[0]
	out := certificate{Answered: true, Fits: shown.VerifyHostname(u.Name) == nil, Until: shown.NotAfter.Unix()}
	if block, _ := pem.Decode(file); block != nil {
		out.Same = fingerprint(block.Bytes) == fingerprint(shown.Raw)
	}
	return out, nil
}

func fingerprint(der []byte) string { h := sha256.Sum256(der); return hex.EncodeToString(h[:]) }

// checkCertificate adds the check that clients get the certificate, and can take it.
func (t *TLS) checkCertificate(p *verify.Plan, sock socket, a netip.Addr) {
	const want = "the certificate of the file, for the name, not ended"
	u := certUse{netip.AddrPortFrom(a, uint16(sock.port)), strings.ToLower(string(t.Name.V)), string(t.Certificate.V)}
	hint := "openssl s_client -connect " + u.Server.String() + " -servername " + u.Name + "; systemctl status " + staging
	c := verify.Check{ID: fmt.Sprintf("%s/certificate/%s/%s", t.Addr, sock.service, a), Title: "the certificate on " + a.String() + " port " + strconv.Itoa(sock.port), From: t.Certificate.Range}
	verify.Asked(p, c, certificateOf, u, want, hint, func(st *state.State, c certificate) verify.Verdict {
		if !c.Answered && verify.Tentative(st, a.String()) {
			return verify.Skipped(want, a.String()+" is tentative until there is a cable", hint)
		}
		return verify.Compare(want, c.verdict(want, t.Name.V, st.Time), hint)
	})
}

func (c certificate) verdict(fine string, name router.Domain, now int64) string {
	switch {
	case !c.Answered:
		return "no certificate"
	case !c.Same:
		return "another certificate than that of the file"
	case !c.Fits:
		return "a certificate that is not for " + string(name)
	case c.Until <= now:
		return "a certificate that ended at " + time.Unix(c.Until, 0).UTC().Format(time.RFC3339)
	}
	return fine
}
