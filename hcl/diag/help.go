package diag

import (
	"regexp"
	"strings"

	"github.com/hashicorp/hcl/v2"
)

// sentenceRE finds where a sentence of a detail begins.
var sentenceRE = regexp.MustCompile("[.?…] ([A-Z`])")

// adviceRE fits a sentence that tells what to do: it begins with the verb for it, names
// the command, or asks what was meant.
var adviceRE = regexp.MustCompile("^(?:" +
	"Did you mean|It could be|`nbr |If the text ends here|One \" of this line|If it is on the link|" +
	"(?:Add|Allow|Ask|Choose|Close|Connect|Copy|Drop|Forward|Generate|Give|Keep|Leave|Let|List|Lower|Make|Move|Name|Open|" +
	"Pick|Point|Put|Raise|Remove|Rename|Repeat|Replace|Run|Save|Say|Send|Set|Shorten|Split|Start|State|Take|Turn|Use|Wait|Write)\\b)")

// ruleRE fits where a rule turns into what to write: "is no name: use letters".
var ruleRE = regexp.MustCompile(`: (?:allow|give|make|name|put|say|use|write) `)

// Parts are what a diagnostic says is wrong, and from the first sentence on that tells
// what to do, the help; either may be empty.
func Parts(d *hcl.Diagnostic) (what, help string) {
	if adviceRE.MatchString(d.Detail) {
		return "", d.Detail
	}
	for _, m := range sentenceRE.FindAllStringSubmatchIndex(d.Detail, -1) {
		if from := m[2]; adviceRE.MatchString(d.Detail[from:]) {
			return strings.TrimSpace(d.Detail[:from]), d.Detail[from:]
		}
	}
	if m := ruleRE.FindStringIndex(d.Detail); m != nil {
		help = d.Detail[m[0]+2:]
		return d.Detail[:m[0]] + ".", strings.ToUpper(help[:1]) + help[1:]
	}
	return d.Detail, ""
}
