package nixgen

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"unicode"
)

// Nix strings are C strings inside: a NUL would end them. The front end
// refuses NUL in every value, so one that arrives here is a bug.
func refuseNUL(s string) {
	if strings.Contains(s, "\x00") {
		panic(fmt.Sprintf("nixgen: a Nix string cannot hold a NUL byte: %q", s))
	}
}

// quote returns s as a "…" literal.
func quote(s string) string { return `"` + escape(s, false) + `"` }

// escape returns what stands between the quotes of a "…" literal for s.
// beforeExpr says that an interpolation follows, whose $ must not pair with
// one at the end of s: Nix reads $$ as two dollars, also in front of a brace.
func escape(s string, beforeExpr bool) string {
	refuseNUL(s)
	var b strings.Builder
	for i := range len(s) {
		switch c := s[i]; c {
		case '"', '\\':
			b.WriteByte('\\')
			b.WriteByte(c)
		case '\n':
			b.WriteString(`\n`)
		case '\r': // Nix would read a raw one before \n as nothing
			b.WriteString(`\r`)
		case '\t':
			b.WriteString(`\t`)
		case '$':
			if i+1 < len(s) && s[i+1] == '{' || i+1 == len(s) && beforeExpr {
				b.WriteByte('\\')
			}
			b.WriteByte(c)
		default:
			b.WriteByte(c)
		}
	}
	return b.String()
}

// indentable tells whether an indented string can hold s. Nix strips the
// indentation that all lines share and nixfmt empties lines of spaces, so a
// text needs a line that starts at the left edge and none of only spaces.
func indentable(s string) bool {
	refuseNUL(s)
	left := false
	for line := range strings.Lines(s) {
		line = strings.TrimSuffix(line, "\n")
		if line == "" {
			continue
		}
		if strings.Trim(line, " ") == "" {
			return false
		}
		left = left || line[0] != ' '
	}
	return left && strings.Contains(s, "\n")
}

// escapeIndented returns the lines of the literal of an indented string for s,
// without their indentation. Quotes need care: two of them end the literal or
// start an escape, so a single one must not come before either.
func escapeIndented(s string) []string {
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		rest := s[i+1:]
		switch c := s[i]; {
		case c == '\'' && strings.HasPrefix(rest, "'"):
			b.WriteString("'''")
			i++
		case c == '\'' && (rest == "" || rest[0] == '$' || rest[0] == '\r'):
			b.WriteString(`''\'`)
		case c == '$' && strings.HasPrefix(rest, "{"):
			b.WriteString("''$")
		case c == '\r':
			b.WriteString(`''\r`)
		default:
			b.WriteByte(c)
		}
	}
	return strings.Split(b.String(), "\n")
}

var keywords = map[string]bool{
	"assert": true, "else": true, "if": true, "in": true, "inherit": true,
	"let": true, "or": true, "rec": true, "then": true, "with": true,
}

// isName tells whether s may stand unquoted as a variable or an attribute.
func isName(s string) bool {
	for i := range len(s) {
		c := s[i]
		letter := 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || c == '_'
		if !letter && (i == 0 || !('0' <= c && c <= '9' || c == '\'' || c == '-')) {
			return false
		}
	}
	return s != "" && !keywords[s]
}

// attrName returns one name of an attribute path.
func attrName(s string) string {
	if isName(s) {
		return s
	}
	return quote(s)
}

// variable returns v as Nix wants it. Only its first name must be an
// identifier; others are quoted where they need it, which plain tells.
func variable(v Var) (text string, plain bool) {
	names := strings.Split(string(v), ".")
	if !isName(names[0]) || slices.Contains(names, "") {
		panic(fmt.Sprintf("nixgen: %q is no variable", string(v)))
	}
	plain = true
	for i, n := range names {
		names[i] = attrName(n)
		plain = plain && isName(n)
	}
	return strings.Join(names, "."), plain
}

// checkPath panics unless p is a path literal that Nix reads as one.
func checkPath(p Path) {
	rest := string(p)
	for strings.HasPrefix(rest, "../") {
		rest = rest[len("../"):]
	}
	ok := rest != string(p) || strings.HasPrefix(rest, "./")
	rest = strings.TrimPrefix(rest, "./")
	for part := range strings.SplitSeq(rest, "/") {
		ok = ok && part != "" && strings.Trim(part, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-_+") == ""
	}
	if !ok {
		panic(fmt.Sprintf("nixgen: %q is no relative path literal", string(p)))
	}
}

// floatLiteral returns a positive float as Nix's lexer wants it: with a point,
// and a digit on both sides of it.
func floatLiteral(f float64) string {
	s := strconv.FormatFloat(f, 'g', -1, 64)
	if strings.Contains(s, ".") {
		return s
	}
	mantissa, exp, found := strings.Cut(s, "e")
	if !found {
		return s + ".0"
	}
	return mantissa + ".0e" + exp
}

// smallest is the least float whose literal Nix reads: its lexer takes the
// underflow that strtod reports for smaller ones as an error.
const smallest = 0x1p-1022

func checkFloat(f Float) {
	if math.IsNaN(float64(f)) || math.IsInf(float64(f), 0) {
		panic(fmt.Sprintf("nixgen: Nix has no literal for %v", float64(f)))
	}
}

// commentText makes s safe for the inside of a line comment: nothing in it
// ends the line or hides what follows.
func commentText(s string) string {
	s = strings.Map(func(r rune) rune {
		if unicode.IsPrint(r) {
			return r
		}
		return ' '
	}, s)
	return strings.TrimRight(s, " ")
}

// known tells whether a comment can name the place.
func (o Origin) known() bool { return o.File != "" || o.Addr != "" }

// String is how a comment names the place: "dhcp4.lan, router.hcl:38".
func (o Origin) String() string {
	s := o.File
	if s != "" && o.Line > 0 {
		s += ":" + strconv.Itoa(o.Line)
	}
	if o.Addr != "" && s != "" {
		s = ", " + s
	}
	return commentText(o.Addr + s)
}
