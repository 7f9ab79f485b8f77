package reference_test

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/hashicorp/hcl/v2/hclwrite"
	"github.com/zclconf/go-cty/cty"

	"github.com/nbr-dev/nbr/hcl/conf"
	"github.com/nbr-dev/nbr/hcl/diag"
	"github.com/nbr-dev/nbr/service/reference"
)

// The page of expressions lists all functions and services, and its specs are good.
func TestExpressions(t *testing.T) {
	const name = "docs/expressions.md"
	page := read(t, name)
	compare(t, name, between(t, between(t, page, "functions", functions(t)), "services", services(t)))
	n := 0
	for i, part := range strings.Split(page, "```hcl\n")[1:] {
		n++
		blocks, _, _ := strings.Cut(part, "```")
		_, diags := load(t, "", blocks)
		for _, d := range diags {
			t.Errorf("%s, spec %d: %s: %s %s", name, i+1, d.Subject, d.Summary, diag.Text(d))
		}
		if formatted := string(hclwrite.Format([]byte(blocks))); formatted != blocks {
			t.Errorf("%s, spec %d, is not as nbr fmt writes it:\n%s", name, i+1, formatted)
		}
	}
	if n == 0 {
		t.Errorf("%s has no specs", name)
	}
}

// functions is the table of functions.
func functions(t *testing.T) string {
	t.Helper()
	all := conf.Functions(nil)
	var b strings.Builder
	b.WriteString("| function | | example |\n| --- | --- | --- |\n")
	for _, f := range reference.Functions() {
		if f.Doc == "" || f.Example == "" {
			t.Errorf("the function %s has no example, or no sentence on what it does: add them to calls", f.Name)
			continue
		}
		e, diags := hclsyntax.ParseExpression([]byte(f.Example), f.Name, hcl.InitialPos)
		if diags.HasErrors() {
			t.Errorf("%s: %s", f.Example, diags)
			continue
		}
		call, is := e.(*hclsyntax.FunctionCallExpr)
		val, diags := e.Value(&hcl.EvalContext{Functions: all})
		if diags.HasErrors() || !is || call.Name != f.Name {
			t.Errorf("%s is no example for %s: %v", f.Example, f.Name, diags)
			continue
		}
		fmt.Fprintf(&b, "| `%s` | %s | `%s` is `%s` |\n", f.Signature, f.Doc, f.Example, written(val))
	}
	return b.String()
}

// written is a value as a spec has it, in one line.
func written(val cty.Value) string {
	t := val.Type()
	if t.IsPrimitiveType() {
		return string(hclwrite.TokensForValue(val).Bytes())
	}
	var parts []string
	for it := val.ElementIterator(); it.Next(); {
		k, v := it.Element()
		part := written(v)
		if t.IsObjectType() || t.IsMapType() {
			part = k.AsString() + " = " + part
		}
		parts = append(parts, part)
	}
	if t.IsObjectType() || t.IsMapType() {
		return "{ " + strings.Join(parts, ", ") + " }"
	}
	return "[" + strings.Join(parts, ", ") + "]"
}

// services is the table of the names for the attribute allow of a zone.
func services(t *testing.T) string {
	t.Helper()
	rows := map[string]string{}
	for _, p := range pages(t) {
		for _, s := range p.Becomes.Sockets {
			rows[s.Service+s.At] = fmt.Sprintf("| `%s` | %s | [`%s`](blocks/%[3]s.md) |\n", s.Service, s.At, p.Type)
		}
	}
	var b strings.Builder
	b.WriteString("| name | socket | block |\n| --- | --- | --- |\n")
	for _, key := range slices.Sorted(maps.Keys(rows)) {
		b.WriteString(rows[key])
	}
	return b.String()
}
