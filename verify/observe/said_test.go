package observe

import (
	"strconv"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"
)

// What somebody says is harmless on a terminal, and nothing of it is lost.
func FuzzPrintable(f *testing.F) {
	for _, s := range []string{"SSH-2.0-OpenSSH_9.9", `a\"b\\"c`, "\x1b[2J", "\xff\x00\u202e", "Ä"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		p := printable(s)
		if i := strings.IndexFunc(p, func(r rune) bool { return !unicode.IsPrint(r) }); i >= 0 {
			t.Errorf("%q has %q", p, p[i:])
		}
		back, err := strconv.Unquote(`"` + strings.ReplaceAll(p, `"`, `\"`) + `"`)
		if err != nil || back != s {
			t.Errorf("%q, which is %q: %v", p, back, err)
		}
	})
}

// The beginning of what a command says is text, and no more than was asked for.
func FuzzHead(f *testing.F) {
	f.Add([]byte("fine\n"), 4)
	f.Add([]byte("Ä\xffä"), 1)
	f.Fuzz(func(t *testing.T, b []byte, most int) {
		h := head{most: min(max(most, 0), 1<<16)}
		for len(b) > 0 {
			n := min(3, len(b))
			if m, err := h.Write(b[:n]); m != n || err != nil {
				t.Fatal(m, err)
			}
			b = b[n:]
		}
		if text := h.text(); !utf8.ValidString(text) || utf8.RuneCountInString(text) > h.most {
			t.Errorf("%q of %d", text, h.most)
		}
	})
}
