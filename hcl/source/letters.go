package source

import (
	"fmt"
	"regexp"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"

	"github.com/nbr-dev/nbr/hcl/diag"
)

// hidden is the error that a file has a character that cannot be seen, or that lets what
// follows stand elsewhere than it is read ("Trojan Source", CVE-2021-42574); nil if it has none.
func hidden(name string, src []byte) *hcl.Diagnostic {
	before := rune(-1)
	for i := 0; i < len(src); {
		r, n := utf8.DecodeRune(src[i:])
		if what := unseen(src, i, r, before); what != "" {
			at := characterAt(name, src, i)
			return diag.Remove(diag.Help(diag.Error("hidden-character", at, "Character that cannot be seen",
				"%U is %s: what is read here is not what is shown.", r, what),
				"Remove it."), at)
		}
		before = r
		i += n
	}
	return nil
}

// unseen is what a character does that has no place in a spec; empty for any other.
func unseen(src []byte, i int, r, before rune) string {
	switch {
	case r >= ' ' && r <= '~': // nearly all of them
		return ""
	case r == '\t' || r == '\n' || r == 0: // U+0000 is refused with the value that it is in
		return ""
	case r == '\r':
		if i+1 < len(src) && src[i+1] == '\n' {
			return ""
		}
		return "the return to the beginning of the line, over which terminals then print what follows"
	case unicode.Is(unicode.Bidi_Control, r):
		return "a sign that turns the direction of writing"
	case unicode.Is(unicode.Cc, r):
		return "a control character, which drives a terminal"
	case r == 0x200c || r == 0x200d: // joins letters of some scripts, and parts of emoji
		if before < utf8.RuneSelf {
			return "a joiner of width zero, where nothing is to be joined"
		}
	case r == 0xfeff && i > 0, r == 0x200b, r == 0x2060, r == 0x180e, r >= 0x2061 && r <= 0x2064:
		return "a character of width zero"
	case r == 0x2028 || r == 0x2029:
		return "a line end that is none in HCL"
	case r >= 0xe0000 && r <= 0xe007f && before < utf8.RuneSelf: // tags; of flags they are a part
		return "a tag, which has no width"
	}
	return ""
}

// characterAt is the place of one character.
func characterAt(name string, src []byte, i int) hcl.Range {
	at := rangeAt(name, src, i)
	_, n := utf8.DecodeRune(src[i:])
	at.End.Byte = i + n
	return at
}

// jsonNameRE finds the names of a JSON spec.
var jsonNameRE = regexp.MustCompile(`"([^"\\\n]*)"\s*:`)

// foreign are the errors that names are written with letters that look like others.
func foreign(name string, src []byte) hcl.Diagnostics {
	if !strings.ContainsFunc(string(src), func(r rune) bool { return r >= utf8.RuneSelf }) {
		return nil
	}
	var diags hcl.Diagnostics
	judge := func(text string, start int) {
		if i, what, help, ok := diag.ForeignName(text); ok {
			at := characterAt(name, src, start+i)
			d := diag.Help(diag.Error("foreign-letter", at, "Letter of another script",
				"In %s the character in column %d is %s", text, at.Start.Column, what), "%s", help)
			diags = append(diags, diag.Replace(d, at, diag.ToASCII(string(src[at.Start.Byte:at.End.Byte]))))
		}
	}
	if strings.HasSuffix(name, ".json") {
		for _, m := range jsonNameRE.FindAllSubmatchIndex(src, -1) {
			judge(string(src[m[2]:m[3]]), m[2])
		}
		return diags
	}
	tokens, _ := hclsyntax.LexConfig(src, name, hcl.InitialPos)
	for _, t := range tokens {
		if t.Type == hclsyntax.TokenIdent {
			judge(string(t.Bytes), t.Range.Start.Byte)
		}
	}
	return diags
}

// invalid says what the character is that the parser does not know.
func invalid(src []byte, d *hcl.Diagnostic) {
	if _, what, help, ok := diag.Foreign(string(src[d.Subject.Start.Byte:d.Subject.End.Byte])); ok {
		d.Detail = fmt.Sprintf("The character in column %d is %s", d.Subject.Start.Column, what)
		diag.Help(d, "%s", help)
	}
}
