// Package certificate asks the router's own servers for their certificates, and compares them with the
// files that a spec names.
package certificate

import (
	"bytes"
	"context"
	"crypto/tls"
	"encoding/pem"
	"errors"
	"fmt"
	"io/fs"
	"net/netip"
	"strings"
	"time"

	"github.com/nbr-dev/nbr/verify"
	"github.com/nbr-dev/nbr/verify/dnsask"
	"github.com/nbr-dev/nbr/verify/probe"
	"github.com/nbr-dev/nbr/verify/state"
)

// An Asker has the two questions about the certificates of one program's servers. They are
// PROGRAM.pair and PROGRAM.certificate.
type Asker struct {
	pair  *probe.Probe[pair, string]
	shown *probe.Probe[use, shown]
}

// Of makes the questions about a program.
func Of(program string) *Asker {
	return &Asker{
		pair:  &probe.Probe[pair, string]{Name: program + ".pair", Look: lookPair},
		shown: &probe.Probe[use, shown]{Name: program + ".certificate", Active: true, Look: lookShown},
	}
}

// Probes are the questions, for the kind of the program.
func (a *Asker) Probes() []probe.Any { return []probe.Any{a.shown, a.pair} }

// A pair are the files of a certificate and its private key.
type pair struct {
	Certificate string `json:"certificate"`
	Key         string `json:"key"`
}

// MarshalText writes it as in "/var/lib/dns.pem /var/lib/secrets/dns.key".
func (u pair) MarshalText() ([]byte, error) { return []byte(u.Certificate + " " + u.Key), nil }

// Whether a key is that of a certificate. Nothing of the key leaves the probe.
const (
	fits    = "fits the certificate"
	misfits = "is another one, or none"
)

// Pair adds the check that a key is that of a certificate, by their files (PEM).
func (a *Asker) Pair(p *verify.Plan, c verify.Check, certificate, key, hint string) {
	verify.Asked(p, c, a.pair, pair{certificate, key}, fits, hint, func(_ *state.State, got string) verify.Verdict {
		return verify.Compare(fits, got, hint)
	})
}

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

// A use is a socket, the name that clients know it by, and the file that its certificate is of.
type use struct {
	Server netip.AddrPort `json:"server"`
	Name   string         `json:"name"`
	File   string         `json:"file"`
}

// MarshalText writes it as in "192.0.2.1:853 dns.example.org /var/lib/dns.pem".
func (u use) MarshalText() ([]byte, error) {
	return []byte(fmt.Sprintf("%s %s %s", u.Server, u.Name, u.File)), nil
}

// What is shown is what a server answers a client that wants it to have a name.
type shown struct {
	Answered bool  `json:"answered"`
	Fits     bool  `json:"fits"`  // it is for the name
	Same     bool  `json:"same"`  // it is that of the file
	Until    int64 `json:"until"` // when it ends, in seconds since 1970
}

func lookShown(ctx context.Context, h probe.Host, u use) (shown, error) {
	file, err := readPEM(h, u.File)
	if err != nil {
		return shown{}, err
	}
	c, end, err := dnsask.Dial(ctx, h, "tcp", u.Server.String())
	if probe.Silent(err) {
		return shown{}, nil
	}
	if err != nil {
		return shown{}, err
	}
	defer end()
	client := tls.Client(c, dnsask.TLSConfig(u.Name))
	if err := client.HandshakeContext(ctx); err != nil {
		return shown{}, nil // no certificate is an answer
	}
	leaf := client.ConnectionState().PeerCertificates[0]
	out := shown{Answered: true, Fits: leaf.VerifyHostname(u.Name) == nil, Until: leaf.NotAfter.Unix()}
	if block, _ := pem.Decode(file); block != nil {
		out.Same = bytes.Equal(block.Bytes, leaf.Raw)
	}
	return out, nil
}

// Shown adds the check that a server shows clients the certificate of a file (PEM), and that they can
// take it: it is for the name by which they know the server, and has not ended.
func (a *Asker) Shown(p *verify.Plan, c verify.Check, server netip.AddrPort, name, file, hint string) {
	const want = "the certificate of the file, for the name, not ended"
	u := use{server, strings.ToLower(name), file}
	verify.Asked(p, c, a.shown, u, want, hint, func(st *state.State, s shown) verify.Verdict {
		if addr := server.Addr().String(); !s.Answered && verify.Tentative(st, addr) {
			return verify.Skipped(want, addr+" is tentative until there is a cable", hint)
		}
		return verify.Compare(want, s.verdict(want, name, st.Time), hint)
	})
}

func (s shown) verdict(fine, name string, now int64) string {
	switch {
	case !s.Answered:
		return "no certificate"
	case !s.Same:
		return "another certificate than that of the file"
	case !s.Fits:
		return "a certificate that is not for " + name
	case s.Until <= now:
		return "a certificate that ended at " + time.Unix(s.Until, 0).UTC().Format(time.RFC3339)
	}
	return fine
}
