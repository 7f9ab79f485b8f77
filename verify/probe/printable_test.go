package probe_test

import (
	"strconv"
	"strings"
	"testing"
	"unicode"

	"github.com/nbr-dev/nbr/verify/probe"
)

// What another program says is harmless on a terminal, and nothing of it is lost.
func FuzzPrintable(f *testing.F) {
	for _, s := range []string{"SSH-2.0-OpenSSH_9.9", `a\"b\\"c`, "\x1b[2J", "\xff\x00\u202e", "Ä"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		p := probe.Printable(s)
		if i := strings.IndexFunc(p, func(r rune) bool { return !unicode.IsPrint(r) }); i >= 0 {
			t.Errorf("%q has %q", p, p[i:])
		}
		back, err := strconv.Unquote(`"` + strings.ReplaceAll(p, `"`, `\"`) + `"`)
		if err != nil || back != s {
			t.Errorf("%q, which is %q: %v", p, back, err)
		}
	})
}
