package reference

import (
	_ "embed"
	"strings"
)

// codes is the page of all codes: docs/codes.md. The tests make it of the texts in codes
// and of the corpus of wrong specs.
//
//go:embed codes.md
var codes string

// Codes are the codes of all diagnostics, sorted.
func Codes() []string {
	var out []string
	for _, section := range strings.Split(codes, "\n## ")[1:] {
		code, _, _ := strings.Cut(section, "\n")
		out = append(out, code)
	}
	return out
}

// Explain is what a code means, with an example that is wrong and one that is right, in
// Markdown; false if there is no such code.
func Explain(code string) (string, bool) {
	_, after, ok := strings.Cut(codes, "\n## "+code+"\n")
	if !ok {
		return "", false
	}
	text, _, _ := strings.Cut(after, "\n## ")
	return strings.Trim(text, "\n") + "\n", true
}
