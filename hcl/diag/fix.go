package diag

import (
	"regexp"

	"github.com/hashicorp/hcl/v2"
)

// A Fix is a text that makes a diagnostic go away when it stands in the place of another one.
type Fix struct {
	Range hcl.Range
	Text  string // empty if what is there has to go
}

// Replace says of a diagnostic which text is meant at a place, and returns it. It is for machines beside what
// [Help] says to people; a text that is empty changes nothing.
func Replace(d *hcl.Diagnostic, at hcl.Range, text string) *hcl.Diagnostic {
	if text != "" {
		fix(d, Fix{at, text})
	}
	return d
}

// Respell says that the text in quotes at a place is meant to be the one that a text of [Suggest] names, and
// returns the diagnostic. It changes nothing when that names none.
func Respell(d *hcl.Diagnostic, at hcl.Range, suggestion string) *hcl.Diagnostic {
	if word := Suggested(suggestion); word != "" {
		Replace(d, at, `"`+word+`"`)
	}
	return d
}

// Remove says of a diagnostic that what is at a place has to go, and returns it.
func Remove(d *hcl.Diagnostic, at hcl.Range) *hcl.Diagnostic { return fix(d, Fix{Range: at}) }

func fix(d *hcl.Diagnostic, f Fix) *hcl.Diagnostic {
	x := extra(d)
	x.fixes = append(x.fixes, f)
	d.Extra = x
	return d
}

// Fixes are what makes a diagnostic go away, each by itself.
func Fixes(d *hcl.Diagnostic) []Fix { return extra(d).fixes }

var suggestedRE = regexp.MustCompile(`Did you mean "?(.+?)"?\?`)

// Suggested is the name in a text of [Suggest], or in one of the HCL library; empty when there is none.
func Suggested(text string) string {
	if m := suggestedRE.FindStringSubmatch(text); m != nil {
		return m[1]
	}
	return ""
}
