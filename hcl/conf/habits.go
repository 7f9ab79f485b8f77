package conf

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"

	"github.com/nbr-dev/nbr/hcl/diag"
)

// What people write who know another language in HCL, and the way that is meant here.
var (
	blockHabits = map[string]habitual{
		"resource":    {"The type of a block says what it is.", "Write the type and a name, as in network \"lan\" { … }."},
		"data":        {"nbr looks at nothing while it reads a spec.", "Write the value itself, or a variable that -var sets."},
		"module":      {"All *.hcl files of the folder are one spec.", "Write the blocks, with for_each where they repeat."},
		"provider":    {"nbr has no providers.", "Remove it."},
		"terraform":   {"nbr needs no such block.", "Remove it; the release of NixOS is release in the router block."},
		"output":      {"nbr gen writes what a spec becomes.", "Remove it; nbr explain shows what became of a block."},
		"dynamic":     {"A block inside another is repeated by itself.", "Write it with a label and for_each, as in peer \"a\" { for_each = … }."},
		"lifecycle":   {"A spec has no state that this could keep.", "Remove it."},
		"provisioner": {"A spec runs nothing.", "Remove it; what nbr has no word for goes into import, a NixOS module."},
		"moved":       {"A spec has no state that this could move.", "Remove it."},
		"removed":     {"A spec has no state that this could forget.", "Remove it."},
	}
	argumentHabits = map[string]habitual{
		"count":      {"Blocks are repeated by name and not by number.", "Use for_each, as in for_each = [\"a\", \"b\"] and each.key."},
		"depends_on": {"The order of blocks has no meaning.", "Remove it."},
		"provider":   {"nbr has no providers.", "Remove it."},
	}
	functionHabits = map[string]habitual{
		"file":         noFile,
		"fileexists":   noFile,
		"filebase64":   noFile,
		"fileset":      noFile,
		"templatefile": {"Expressions read no files.", "Write the text as a heredoc: <<-EOT with ${…} in it."},
		"timestamp":    noChance,
		"uuid":         noChance,
		"bcrypt":       noChance,
		"env":          noChance,
		"getenv":       noChance,
		"sensitive":    {"A secret never stands in a spec.", "Name a secret block, which says where the file is on the router."},
		"one":          {"", "Use element(list, 0)."},
		"alltrue":      {"", "Use !contains(list, false)."},
		"anytrue":      {"", "Use contains(list, true)."},
	}
)

var (
	noFile   = habitual{"Expressions read no files.", "Write the text itself, as a heredoc if it is long; a secret is the path in a secret block."}
	noChance = habitual{"The same spec always gives the same router, so no function asks the clock, chance or the machine.", "Use a variable that -var sets."}
)

// A habitual is why something has no place in a spec, and the way that is meant here.
type habitual struct{ why, way string }

// namedRE finds the name in what the HCL library says of one that it does not know.
var namedRE = regexp.MustCompile(`^(Blocks of type|An argument named|There is no function named) "([^"]+)"`)

// habit adds the way that is meant to an error that is of a habit.
func habit(d *hcl.Diagnostic) {
	m := namedRE.FindStringSubmatch(d.Detail)
	if m == nil {
		return
	}
	known := map[string]struct {
		habits map[string]habitual
		rest   string
	}{
		"Blocks of type":             {blockHabits, " are not expected here."},
		"An argument named":          {argumentHabits, " is not expected here."},
		"There is no function named": {functionHabits, "."},
	}[m[1]]
	if h, ok := known.habits[m[2]]; ok {
		d.Detail = strings.TrimSpace(m[0] + known.rest + " " + h.why)
		diag.Help(d, "%s", h.way)
	}
}

// notNames says of an expression where names of blocks are expected which way is meant.
func notNames(e hcl.Expression, example string, ctx *Context) *hcl.Diagnostic {
	d := diag.Error("not-a-list", e.Range(), "Not a list of references", "A list of names of blocks is expected here.")
	usual := func() *hcl.Diagnostic {
		return diag.Help(d, "Write the names in brackets, as in [%s.a, %[1]s.b].", example)
	}
	native, ok := e.(hclsyntax.Expression)
	if !ok {
		return usual()
	}
	if text, ok := literal(e); ok {
		d.Detail = "A text is no list of names."
		if addressRE.MatchString(text) {
			diag.Replace(d, e.Range(), inBrackets(text, example))
		}
		return diag.Help(d, "Write names of blocks in brackets and without quotes: %s.", inBrackets(text, example))
	}
	if addr, diags := refAddr(native, example, ctx); !diags.HasErrors() && addr.Name != "" {
		d.Detail = "A list is expected here, even of one name."
		return diag.Replace(diag.Help(d, "Write [%s].", addr), e.Range(), "["+addr.String()+"]")
	}
	for _, tr := range native.Variables() {
		step, ok := attrStep(tr)
		if ok && ctx.Types[tr.RootName()] {
			d.Detail = "Names of blocks are not computed: each stands in the list itself."
			return diag.Help(d, "Write [%s.%s]: the name of a block with for_each stands for all that it makes.", tr.RootName(), step)
		}
	}
	return usual()
}

// loopHabit says of a for_each that goes through blocks which way is meant: keys of its own,
// with which each block is named where it is needed.
func loopHabit(e hcl.Expression, ctx *Context, diags hcl.Diagnostics) hcl.Diagnostics {
	native, ok := e.(hclsyntax.Expression)
	if !ok {
		return diags
	}
	for i, d := range diags {
		for _, tr := range native.Variables() {
			if step, named := attrStep(tr); named && diag.Code(d) == "value-too-early" && ctx.Types[tr.RootName()] && d.Subject.Overlaps(tr.SourceRange()) {
				diags[i] = diag.Help(diag.Error("value-too-early", *d.Subject, d.Summary,
					"for_each goes through texts, or through a map with values, and %s.%s is a block.", tr.RootName(), step),
					"Write the keys, as in for_each = [\"a\", \"b\"], and name the block where it is meant: %s.%s, or with each.key in brackets where it has for_each, too.", tr.RootName(), step)
			}
		}
	}
	return diags
}

// attrStep is the first name after the root of a traversal.
func attrStep(tr hcl.Traversal) (string, bool) {
	if len(tr) < 2 {
		return "", false
	}
	step, ok := tr[1].(hcl.TraverseAttr)
	return step.Name, ok
}

// inBrackets is the list that a text of names in place of it may mean.
func inBrackets(text, example string) string {
	if addressRE.MatchString(text) {
		return "[" + text + "]"
	}
	return fmt.Sprintf("[%s.a]", example)
}

var addressRE = regexp.MustCompile(`^[a-z][a-z0-9_]*\.[A-Za-z_][A-Za-z0-9_-]*$`)

// notName says of an expression where the name of one block is expected which is meant.
func notName(e hcl.Expression, example string, ctx *Context) *hcl.Diagnostic {
	said := func(what, help string, args ...any) *hcl.Diagnostic {
		return diag.Help(diag.Error("not-a-reference", e.Range(), "Not a reference", what), help, args...)
	}
	native, ok := e.(hclsyntax.Expression)
	if text, quoted := literal(e); ok && quoted {
		switch {
		case addressRE.MatchString(text):
			return diag.Replace(said("This is a text, and the name of a block is expected.", "Write it without quotes: %s.", text), e.Range(), text)
		case hclsyntax.ValidIdentifier(text):
			return diag.Replace(said("This is a text, and the name of a block is expected.", "Write its type and its label: %s.%s.", example, text), e.Range(), example+"."+text)
		}
	}
	if ok {
		if _, list := native.(*hclsyntax.TupleConsExpr); list {
			return said("One block is expected here, not a list.", "Write its name alone, as in %s.a.", example)
		}
		for _, tr := range native.Variables() {
			if step, named := attrStep(tr); named && ctx != nil && ctx.Types[tr.RootName()] {
				return said("Names of blocks are not computed.", "Write the name itself, as in %s.%s, or with a key in brackets.", tr.RootName(), step)
			}
		}
	}
	return said("The name of a block is expected here, its type and its label.", "Write %s.a, or \"%[1]s.a\" in JSON.", example)
}

// misnamed tells whether an address is that of a block whose label is no name, and has been
// refused for it: zone.my_zone of zone "my zone", or one with a letter of another script.
func (x *Index) misnamed(a Addr) bool {
	same := func(b Addr) bool {
		return b.Type == a.Type && noName(b) && (letters(b.Name) == letters(a.Name) || letters(b.Label()) == letters(a.Label()))
	}
	// A group without an instance is no block, and may be misnamed as well.
	return slices.ContainsFunc(x.order, same) || slices.ContainsFunc(slices.Collect(maps.Keys(x.groups)), same)
}

var signsRE = regexp.MustCompile(`[^\pL0-9]+`)

func letters(name string) string { return signsRE.ReplaceAllString(diag.ToASCII(name), "") }

// noName tells whether the label of a block is no name: no reference leads to it.
func noName(a Addr) bool {
	_, _, _, foreign := diag.ForeignName(a.Label())
	return a.Name != "" && (foreign || !hclsyntax.ValidIdentifier(a.Label()))
}
