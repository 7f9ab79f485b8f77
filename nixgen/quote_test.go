package nixgen

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestQuote(t *testing.T) {
	for in, want := range map[string]string{
		"":             `""`,
		"plain":        `"plain"`,
		`a"b\c`:        `"a\"b\\c"`,
		"\n\r\t":       `"\n\r\t"`,
		"${x}":         `"\${x}"`,
		"$${x}":        `"$\${x}"`,
		"$$ $x $":      `"$$ $x $"`,
		"\x01é\u00a0漢": "\"\x01é\u00a0漢\"",
	} {
		if diff := cmp.Diff(want, quote(in)); diff != "" {
			t.Errorf("%q (-want +got):\n%s", in, diff)
		}
	}
}

func TestEscapeIndented(t *testing.T) {
	for in, want := range map[string]string{
		"a\nb\n":    "a\nb\n",
		"''":        "'''",
		"'":         `''\'`,
		"'a'\n":     "'a'\n",
		"'''\n":     "''''\n",
		"'${x}":     `''\'''${x}`,
		"$${x}":     "$''${x}",
		"$x$\n":     "$x$\n",
		"'\r\n":     `''\'''\r` + "\n",
		"\t\\n\"\n": "\t\\n\"\n",
	} {
		if diff := cmp.Diff(want, strings.Join(escapeIndented(in), "\n")); diff != "" {
			t.Errorf("%q (-want +got):\n%s", in, diff)
		}
	}
}

func TestAttrName(t *testing.T) {
	for in, want := range map[string]string{
		"a": "a", "_a-b'1": "_a-b'1", "": `""`, "1a": `"1a"`, "-a": `"-a"`, "'a": `"'a"`,
		"a.b": `"a.b"`, "a b": `"a b"`, "é": `"é"`, "if": `"if"`, "or": `"or"`, "azAZ_09": "azAZ_09", "a@": `"a@"`, "a[": `"a["`, "a`": "\"a`\"", "a{": `"a{"`, "a/": `"a/"`, "a:": `"a:"`, "true": "true", "${a}": `"\${a}"`,
	} {
		if diff := cmp.Diff(want, attrName(in)); diff != "" {
			t.Errorf("%q (-want +got):\n%s", in, diff)
		}
	}
}

func FuzzStr(f *testing.F) {
	seeds(f, nastyString)
	f.Fuzz(func(t *testing.T, s string) {
		if strings.Contains(s, "\x00") {
			t.Skip("refused")
		}
		half := len(s) / 2
		for name, literal := range map[string]string{
			"Str":         printed(Str(s)),
			"Concat":      printed(Concat{Str(s[:half]), Str(s[half:])}),
			"before expr": strings.TrimSuffix(printed(Concat{Str(s), Var("x")}), `${x}"`) + `"`,
		} {
			if got, err := readString(literal); err != nil || got != s {
				t.Errorf("%s: %q is printed as %s and read as %q (%v)", name, s, literal, got, err)
			}
		}
	})
}

func FuzzLines(f *testing.F) {
	seeds(f, nastyText)
	f.Fuzz(func(t *testing.T, s string) {
		if strings.Contains(s, "\x00") {
			t.Skip("refused")
		}
		for _, e := range []Expr{Lines(s), Attrs{set(Attrs{set(Lines(s), "a")}, "b")}} {
			literal := printed(e)
			literal = strings.TrimPrefix(literal, "{\n  b = {\n    a = ")
			literal = strings.TrimSuffix(literal, ";\n  };\n}")
			read := readString
			if strings.HasPrefix(literal, "''") {
				read = readIndented
			}
			if got, err := read(literal); err != nil || got != s {
				t.Errorf("%q is printed as %s and read as %q (%v)", s, literal, got, err)
			}
		}
	})
}

func seeds(f *testing.F, random func(*rand.Rand) string) {
	for _, s := range nasty {
		f.Add(s)
	}
	r := rand.New(rand.NewPCG(4, 5))
	for range 300 {
		f.Add(random(r))
	}
}

func printed(e Expr) string { return strings.TrimSuffix(string(Print(e)), "\n") }

// readString reads a "…" literal without interpolations as Nix's lexer does.
func readString(literal string) (string, error) {
	s, ok := strings.CutPrefix(literal, `"`)
	if !ok {
		return "", fmt.Errorf("no quote at the start")
	}
	var b strings.Builder
	for {
		switch {
		case s == "":
			return "", fmt.Errorf("no quote at the end")
		case s == `"`:
			return b.String(), nil
		case s[0] == '"':
			return "", fmt.Errorf("goes on with %q", s)
		case strings.HasPrefix(s, "${"):
			return "", fmt.Errorf("an interpolation: %q", s)
		case s[0] == '\r':
			return "", fmt.Errorf("a carriage return")
		case s[0] == '\\':
			b.WriteString(unescape(s[1]))
			s = s[2:]
		case s[0] == '$' && len(s) > 1 && !strings.Contains(`{"\`, s[1:2]): // a pair: $$ hides the ${ in $${
			b.WriteString(s[:2])
			s = s[2:]
		default:
			b.WriteByte(s[0])
			s = s[1:]
		}
	}
}

func unescape(c byte) string {
	if i := strings.IndexByte("nrt", c); i >= 0 {
		return "\n\r\t"[i : i+1]
	}
	return string([]byte{c})
}

// readIndented reads an indented string without interpolations as Nix does:
// first its tokens, then the stripping, for which escapes are no spaces.
func readIndented(literal string) (string, error) {
	s, ok := strings.CutPrefix(literal, "''")
	if !ok {
		return "", fmt.Errorf("no quotes at the start")
	}
	if rest, ok := strings.CutPrefix(strings.TrimLeft(s, " "), "\n"); ok {
		s = rest
	}
	var b strings.Builder // escaped spaces and newlines would need a mark; none are printed
	for s != "''" {
		switch {
		case strings.HasPrefix(s, "'''"):
			b.WriteString("''")
			s = s[3:]
		case strings.HasPrefix(s, "''$"):
			b.WriteString("$")
			s = s[3:]
		case strings.HasPrefix(s, `''\`) && len(s) > 3:
			b.WriteString(unescape(s[3]))
			s = s[4:]
		case strings.HasPrefix(s, "''"):
			return "", fmt.Errorf("ends before %q", s)
		case s == "" || strings.HasPrefix(s, "${"):
			return "", fmt.Errorf("stops at %q", s)
		case len(s) > 1 && (s[0] == '$' && s[1] != '{' && s[1] != '\'' || s[0] == '\'' && s[1] != '\'' && s[1] != '$'):
			b.WriteString(s[:2])
			s = s[2:]
		default:
			b.WriteByte(s[0])
			s = s[1:]
		}
	}
	return strip(strings.Split(b.String(), "\n")), nil
}

// strip takes off the indentation that all lines share. Lines of spaces do not
// count, and the last one is dropped if it is one.
func strip(lines []string) string {
	spaces := func(s string) int { return len(s) - len(strings.TrimLeft(s, " ")) }
	least := 1 << 20
	for _, l := range lines {
		if spaces(l) < len(l) {
			least = min(least, spaces(l))
		}
	}
	for i, l := range lines {
		lines[i] = l[min(least, spaces(l)):]
	}
	if last := &lines[len(lines)-1]; len(lines) > 1 && spaces(*last) == len(*last) {
		*last = ""
	}
	return strings.Join(lines, "\n")
}

func FuzzName(f *testing.F) {
	seeds(f, nastyString)
	f.Fuzz(func(t *testing.T, s string) {
		if strings.Contains(s, "\x00") {
			t.Skip("refused")
		}
		name := attrName(s)
		if name == s {
			if strings.Trim(s, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-'") != "" {
				t.Errorf("%q is not quoted", s)
			}
			return
		}
		if got, err := readString(name); err != nil || got != s {
			t.Errorf("%q is printed as %s and read as %q (%v)", s, name, got, err)
		}
	})
}
