package strongswan

import (
	"context"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"io/fs"
	"time"

	"github.com/hashicorp/hcl/v2"

	"github.com/nbr-dev/nbr/router"
	"github.com/nbr-dev/nbr/verify"
	"github.com/nbr-dev/nbr/verify/certificate"
	"github.com/nbr-dev/nbr/verify/probe"
	"github.com/nbr-dev/nbr/verify/state"
)

// certificates have the question whether a key is that of a certificate.
var certificates = certificate.Of("ipsec")

// A file is one with a certificate (PEM), of which charon has the first.
type file string

// MarshalText writes it as it is.
func (f file) MarshalText() ([]byte, error) { return []byte(f), nil }

// loaded is what charon has of a file.
type loaded struct {
	None  bool  `json:"none,omitempty"`  // the file has no certificate, or is not there
	Same  bool  `json:"same,omitempty"`  // charon has that of the file
	Until int64 `json:"until,omitempty"` // when it ends, in seconds since 1970
}

// certificateOf asks charon for the certificates that it has read, and looks for that of a file.
var certificateOf = &probe.Probe[file, loaded]{Name: "ipsec.certificate", Look: func(ctx context.Context, h probe.Host, f file) (loaded, error) {
	b, err := h.ReadFile(string(f))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return loaded{}, err
	}
	block, _ := pem.Decode(b)
	if block == nil || block.Type != "CERTIFICATE" {
		return loaded{None: true}, nil
	}
	of, err := x509.ParseCertificate(block.Bytes)
	if err != nil {
		return loaded{None: true}, nil
	}
	out := loaded{Until: of.NotAfter.Unix()}
	s, err := dial(ctx, h)
	if err != nil {
		return loaded{}, err
	}
	defer s.Close()
	for m, err := range s.CallStreaming(ctx, "list-certs", "list-cert", message("type", "X509")) {
		if err != nil {
			return loaded{}, err
		}
		data, _ := m.Get("data").(string) // DER
		out.Same = out.Same || data == string(block.Bytes)
	}
	return out, nil
}}

// checkCertificates adds the checks that charon has the certificates of the files, and that the key is that of
// this router's.
func (b *IPsec) checkCertificates(p *verify.Plan) {
	if !b.Certificate.Set {
		return
	}
	own, key := string(b.Certificate.V), b.Key.Target.Location()
	c := verify.Check{ID: b.Addr.String() + "/key", Title: "the key of the certificate", From: b.Key.Range}
	certificates.Pair(p, c, own, key, "ls -l "+own+" "+key+"; journalctl -u "+unit+" -n 30")
	for _, f := range []struct {
		what, title string
		path        router.Path
		from        hcl.Range
	}{
		{"certificate", "the certificate of this router", b.Certificate.V, b.Certificate.Range},
		{"ca", "the authority of the other router", b.CA.V, b.CA.Range},
	} {
		const want = "that of the file, not ended"
		hint := "openssl x509 -in " + string(f.path) + " -noout -subject -enddate; swanctl --list-certs; systemctl reload " + unit
		c := verify.Check{ID: b.Addr.String() + "/" + f.what, Title: f.title, From: f.from}
		verify.Asked(p, c, certificateOf, file(f.path), want, hint, func(st *state.State, a loaded) verify.Verdict {
			switch {
			case a.None:
				return verify.Compare(want, "no certificate in "+string(f.path), hint)
			case !a.Same:
				return verify.Compare(want, "charon has not read it", hint)
			case a.Until <= st.Time:
				return verify.Compare(want, "it ended at "+time.Unix(a.Until, 0).UTC().Format(time.RFC3339), hint)
			}
			return verify.Compare(want, want, hint)
		})
	}
}
