package page

import (
	"strings"
	"unicode/utf16"
	"unicode/utf8"

	"github.com/hashicorp/hcl/v2"
)

func isJSON(file string) bool { return strings.HasSuffix(file, ".json") }

// A buffer is written to.
type buffer []byte

func (b *buffer) Write(p []byte) (int, error) {
	*b = append(*b, p...)
	return len(p), nil
}

// trimmed is what was written, without the empty line at its end.
func (b *buffer) trimmed() string { return strings.TrimRight(string(*b), "\n") }

// units is how many units of UTF-16 are before a byte of a text: a browser counts so. A byte that is no UTF-8 is
// one unit there.
func units(text string, at int) int {
	n := 0
	for _, r := range text[:max(0, min(at, len(text)))] {
		n += utf16.RuneLen(r)
	}
	return n
}

// offset is the byte before which there are so many units; that of the beginning of a character if it is inside.
func offset(text string, at int) int {
	for i, r := range text {
		if at -= utf16.RuneLen(r); at < 0 {
			return i
		}
	}
	return len(text)
}

// place is a range of a file on the page. One of nothing is the character there, so that it can be seen.
func place(files map[string]string, r hcl.Range) (file string, from, to int) {
	text := files[r.Filename]
	end := r.End.Byte
	if end <= r.Start.Byte && r.Start.Byte < len(text) && text[r.Start.Byte] != '\n' {
		_, size := utf8.DecodeRuneInString(text[r.Start.Byte:])
		end = r.Start.Byte + size
	}
	return r.Filename, units(text, r.Start.Byte), units(text, end)
}
