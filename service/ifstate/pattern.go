package ifstate

import (
	"errors"
	"fmt"
	"regexp"
	"strings"

	"github.com/nbr-dev/nbr/hcl/diag"
)

// Pattern is a regular expression over interface names, as IfState and nbr verify both
// understand it: of what Python's re and Go's regexp mean by the same characters.
type Pattern string

// UnmarshalText refuses the empty pattern, which fits every interface, and what IfState does
// not read: it would then configure nothing at all.
func (p *Pattern) UnmarshalText(b []byte) error {
	if len(b) == 0 {
		return diag.Advise(errors.New("an empty pattern fits every interface"), "write one such as \"^tailscale[0-9]+$\", or remove it")
	}
	s := string(b)
	if _, err := regexp.Compile(s); err != nil {
		return diag.Advise(fmt.Errorf("%q is no regular expression (%s)", s, strings.TrimPrefix(err.Error(), "error parsing regexp: ")), "write one such as \"^tailscale[0-9]+$\"")
	}
	if at := ambiguous(s); at != "" {
		return diag.Advise(fmt.Errorf("%q in %q means different things to IfState and to nbr verify", at, s), "write letters, digits, . [] () | * + ? {1,2} ^ $, \\d, \\w or a character after \\")
	}
	*p = Pattern(s)
	return nil
}

// ambiguous is the first part of a pattern that Go compiles and Python does not, or that means
// something else there; empty if there is none. Escapes of letters are different in many
// ways, "(?" begins flags, and Go repeats what fits no character.
func ambiguous(s string) string {
	class := false
	for i := 0; i < len(s); i++ {
		rest := s[i:]
		switch c := s[i]; {
		case c == '\\':
			i++ // Go has refused one at the end
			many := s[i] == 'd' || s[i] == 'w'
			if alnum(s[i]) && !many || class && many && strings.HasPrefix(s[i+1:], "-") {
				return rest[:2]
			}
		case class && c == ']':
			class = false
		case class && c == '[':
			return "[" // a class of POSIX in Go
		case class:
		case c == '[':
			class = true
			if strings.HasPrefix(s[i+1:], "^") {
				i++
			}
			if strings.HasPrefix(s[i+1:], "]") { // the first one is a character
				i++
			}
		case strings.HasPrefix(rest, "(?") && !strings.HasPrefix(rest, "(?:"):
			return rest[:3]
		case ambiguousRepeat.MatchString(rest):
			return "{"
		case strings.ContainsRune("^$(|", rune(c)) && !strings.HasPrefix(rest, "(?:") && repeat.MatchString(rest[1:]):
			return rest[:2]
		case c == ')' && strings.HasSuffix(s[:i], "(") || c == ')' && strings.HasSuffix(s[:i], "(?:"):
			return "()"
		}
	}
	return ""
}

var (
	repeat = regexp.MustCompile(`^(?:[*+?]|\{[0-9])`)
	// Python counts from nothing, and takes zeros in front; to Go that is text.
	ambiguousRepeat = regexp.MustCompile(`^\{(?:,|0[0-9]|[0-9]+,0[0-9])`)
)

func alnum(c byte) bool {
	return '0' <= c && c <= '9' || 'A' <= c && c <= 'Z' || 'a' <= c && c <= 'z'
}

// Describe is what the type is in the schema.
func (Pattern) Describe() string { return "regular expression" }
