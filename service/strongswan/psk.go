package strongswan

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"

	"github.com/nbr-dev/nbr/verify"
	"github.com/nbr-dev/nbr/verify/probe"
	"github.com/nbr-dev/nbr/verify/state"
)

// pskOf asks whether a file has a PSK, as the script before charon's start wants it. Nothing of it leaves the probe.
var pskOf = &probe.Probe[file, bool]{Name: "ipsec.psk", Look: func(_ context.Context, h probe.Host, f file) (bool, error) {
	b, err := h.ReadFile(string(f))
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	return isPSK(b), err
}}

// isPSK tells whether the first line of a text is a PSK.
func isPSK(text []byte) bool {
	line, _, _ := bytes.Cut(text, []byte("\n"))
	return len(line) >= shortest && len(line) <= longest && !bytes.ContainsFunc(line, func(r rune) bool { return r < ' ' || r > '~' })
}

// checkPSK adds the check of the file. Whether charon has read one is a check of its own.
func (b *IPsec) checkPSK(p *verify.Plan) {
	at := b.PSK.Target.Location()
	want, hint := fmt.Sprintf("%d to %d printable ASCII characters in the first line of %s", shortest, longest, at), "ls -l "+at
	c := verify.Check{ID: b.Addr.String() + "/secret", Title: "the file of the PSK", From: b.PSK.Range}
	verify.Asked(p, c, pskOf, file(at), want, hint, func(_ *state.State, ok bool) verify.Verdict {
		return verify.Compare(want, map[bool]string{true: want, false: "none, or others"}[ok], hint)
	})
}
