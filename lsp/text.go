package lsp

import (
	"bytes"
	"sort"
	"unicode/utf16"
	"unicode/utf8"

	"github.com/nbr-dev/nbr/hcl/language"
)

// A text is the content of a file, with where its lines begin. It is never changed.
type text struct {
	src   []byte
	lines []int
}

func newText(src []byte) *text {
	t := &text{src: src, lines: []int{0}}
	for i, c := range src {
		if c == '\n' || c == '\r' && (i+1 == len(src) || src[i+1] != '\n') {
			t.lines = append(t.lines, i+1)
		}
	}
	return t
}

// units counts what a column is counted in: bytes, or the code units of UTF-16.
type units bool

const bytesOf units = true

func (u units) of(r rune, n int) int {
	if u == bytesOf {
		return n
	}
	return max(utf16.RuneLen(r), 1) // a byte that is no UTF-8 is one character
}

// offset is the byte at a position. One beyond the end of a line is at its end, and one inside a character before
// it.
func (t *text) offset(p position, u units) int {
	if p.Line < 0 {
		return 0
	}
	if p.Line >= len(t.lines) {
		return len(t.src)
	}
	at, end := t.lines[p.Line], len(t.src)
	if p.Line+1 < len(t.lines) {
		end = t.lines[p.Line+1]
	}
	line := bytes.TrimRight(t.src[at:end], "\r\n")
	for n := 0; len(line) > 0; {
		r, size := utf8.DecodeRune(line)
		if n += u.of(r, size); n > p.Character {
			break
		}
		at, line = at+size, line[size:]
	}
	return at
}

// position is where a byte is.
func (t *text) position(at int, u units) position {
	at = max(0, min(at, len(t.src)))
	line := sort.SearchInts(t.lines, at+1) - 1
	p := position{Line: line}
	for rest := t.src[t.lines[line]:at]; len(rest) > 0; {
		r, size := utf8.DecodeRune(rest)
		p.Character += u.of(r, size)
		rest = rest[size:]
	}
	return p
}

func (t *text) textRange(from, to int, u units) textRange {
	return textRange{t.position(from, u), t.position(max(from, to), u)}
}

func (t *text) span(s language.Span, u units) textRange { return t.textRange(s.From, s.To, u) }

// change is the text with another one in the place of a range.
func (t *text) change(r *textRange, by string, u units) *text {
	if r == nil {
		return newText([]byte(by))
	}
	from, to := t.offset(r.Start, u), t.offset(r.End, u)
	if to < from {
		from, to = to, from
	}
	return newText(bytes.Join([][]byte{t.src[:from], []byte(by), t.src[to:]}, nil))
}

// difference is the one edit of whole lines that makes another text of this one; false if there is none.
func (t *text) difference(to []byte, u units) (textEdit, bool) {
	if bytes.Equal(t.src, to) {
		return textEdit{}, false
	}
	start := 0
	for i := 0; i < len(t.src) && i < len(to) && t.src[i] == to[i]; i++ {
		if t.src[i] == '\n' {
			start = i + 1
		}
	}
	end, n := len(t.src), 0
	for i := 1; i <= len(t.src)-start && i <= len(to)-start && t.src[len(t.src)-i] == to[len(to)-i]; i++ {
		if at := len(t.src) - i; at == start || t.src[at-1] == '\n' {
			end, n = at, i
		}
	}
	return textEdit{t.textRange(start, end, u), string(to[start : len(to)-n])}, true
}
