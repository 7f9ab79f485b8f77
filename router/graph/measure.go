package graph

import (
	"strings"
	"unicode"
)

// A font is a size and a weight of text. Which family it is in is the viewer's choice, so
// widths are those of the widest that are usual.
type font struct {
	class string
	size  int // px
	bold  bool
	mono  bool
}

var (
	titleFont = font{"t", 22, true, false}
	headFont  = font{"h", 12, false, false}
	zoneFont  = font{"z", 12, true, false}
	nameFont  = font{"n", 13, true, false}
	noteFont  = font{"s", 11, false, false}
	openFont  = font{"q", 11, false, false} // of a service that is open
	addrFont  = font{"a", 12, false, true}
)

// The advance of the characters from space to ~, in hundredths of the size: the wider one of
// DejaVu Sans and Verdana.
var (
	regular = [95]int{
		36, 41, 46, 84, 64, 108, 78, 28, 46, 46, 64, 84, 37, 46, 37, 46, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 46, 46, 84, 84, 84, 55,
		100, 69, 69, 70, 78, 64, 58, 78, 76, 43, 46, 70, 56, 87, 75, 79, 61, 79, 70, 69, 62, 74, 69, 99, 69, 62, 69, 46, 46, 46, 84, 64,
		64, 62, 64, 55, 64, 62, 36, 64, 64, 28, 35, 60, 28, 98, 64, 62, 64, 64, 43, 53, 40, 64, 60, 82, 60, 60, 53, 64, 46, 64, 84,
	}
	bold = [95]int{
		35, 46, 59, 87, 72, 128, 88, 34, 55, 55, 72, 87, 38, 48, 38, 69, 72, 72, 72, 72, 72, 72, 72, 72, 72, 72, 41, 41, 87, 87, 87, 62,
		100, 78, 77, 74, 84, 69, 69, 83, 84, 55, 56, 78, 64, 100, 85, 86, 74, 86, 79, 73, 69, 82, 78, 113, 78, 74, 73, 55, 69, 55, 87, 72,
		72, 68, 72, 60, 72, 68, 44, 72, 72, 35, 41, 68, 35, 106, 72, 69, 72, 72, 50, 60, 48, 72, 66, 98, 67, 66, 60, 72, 55, 72, 87,
	}
)

const (
	monoAdvance  = 62  // Courier and its like have 60
	latinAdvance = 120 // letters with accents, and signs that nbr itself writes
	otherAdvance = 110 // text of other scripts is fitted: see plain
)

// advance is how wide a character is at most, in hundredths of the size.
func (f font) advance(r rune) int {
	switch {
	case r > '~' && plainRune(r):
		return latinAdvance
	case r > '~' || r < ' ':
		return otherAdvance
	case f.mono:
		return monoAdvance
	case f.bold:
		return bold[r-' ']
	}
	return regular[r-' ']
}

// width is how wide a text is at most, in px.
func (f font) width(s string) int {
	sum := 0
	for _, r := range s {
		sum += f.advance(r)
	}
	return (sum*f.size + 99) / 100
}

// plainRune tells whether a character is at most as wide as width has it in usual fonts.
func plainRune(r rune) bool {
	return r >= ' ' && r <= '~' || r == '→' || r == '…' || r == '·' ||
		r >= 0xa0 && r < 0x180 && unicode.IsLetter(r) && r != 'ŉ'
}

// plain tells whether all of a text is at most as wide as width has it. Any other text has to
// be fitted into its width.
func plain(s string) bool {
	for _, r := range s {
		if !plainRune(r) {
			return false
		}
	}
	return true
}

// clip is as much of a text as is at most so wide, with an ellipsis if that is not all.
func (f font) clip(s string, most int) string {
	most *= 100
	sum, cut := 0, 0
	for i, r := range s {
		if sum+f.advance('…')*f.size <= most {
			cut = i
		}
		if sum += f.advance(r) * f.size; sum > most {
			return s[:cut] + "…"
		}
	}
	return s
}

// wrap breaks a text at blanks into at most n lines that are at most so wide; the rest is cut
// off with an ellipsis.
func (f font) wrap(s string, most, n int) []string {
	var lines []string
	line := ""
	for _, word := range strings.Fields(s) {
		switch {
		case line == "":
			line = word
		case f.width(line+" "+word) <= most:
			line += " " + word
		default:
			lines = append(lines, line)
			line = word
		}
	}
	if line != "" {
		lines = append(lines, line)
	}
	if len(lines) > n {
		lines[n-1] = f.clip(lines[n-1]+" "+lines[n]+" …", most)
		lines = lines[:n]
	}
	for i := range lines {
		lines[i] = f.clip(lines[i], most)
	}
	return lines
}
