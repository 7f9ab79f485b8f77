package conf

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"

	"github.com/nbr-dev/nbr/hcl/diag"
)

// body parses a source without errors.
func body(t *testing.T, src string) hcl.Body {
	t.Helper()
	f, diags := hclsyntax.ParseConfig([]byte(src), "test.hcl", hcl.InitialPos)
	if diags.HasErrors() {
		t.Fatal(diags)
	}
	return f.Body
}

// locals are the arguments of a source, in its order.
func locals(t *testing.T, src string) []Local {
	t.Helper()
	attrs := body(t, src).(*hclsyntax.Body).Attributes
	out := make([]Local, 0, len(attrs))
	for line := 1; len(out) < len(attrs); line++ {
		for name, a := range attrs {
			if a.SrcRange.Start.Line == line {
				out = append(out, Local{name, a.AsHCLAttribute()})
			}
		}
	}
	return out
}

func TestLocals(t *testing.T) {
	tests := []struct {
		name, src string
		known     map[string]string
		want      []string
	}{
		{"any order", "a = \"${local.b}c\"\nb = local.c\nc = \"x\"", map[string]string{"a": "xc", "b": "x", "c": "x"}, nil},
		{"none", "", map[string]string{}, nil},
		{"itself", "a = local.a", nil, []string{"1 cycle"}},
		{"a cycle and one outside", "a = local.b\nb = local.a\nc = \"x\"\nd = local.a", map[string]string{"c": "x"}, []string{"1 cycle"}},
		{"not there", "a = local.b\nc = \"x\"", map[string]string{"c": "x"}, []string{"1 no-such-attribute"}},
		{"what follows", "a = local.b\nb = upper()\nc = \"x\"", map[string]string{"c": "x"}, []string{"2 function-call"}},
		{"a block", "a = network.lan.ipv4", nil, []string{"1 value-too-early"}},
		{"all of them", "a = join(\",\", keys(local))\nb = 1", map[string]string{"a": ""}, nil},
		{"one by its key", "a = \"x\"\nb = local[\"a\"]", map[string]string{"b": "x"}, nil},
		{"only maybe there", "a = try(local.b, \"x\")", map[string]string{"a": "x"}, nil},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			val, diags := Locals(locals(t, tt.src), newContext(nil))
			if d := cmp.Diff(tt.want, codes(diag.Sort(diags))); d != "" {
				t.Errorf("%s\n%v", d, diags)
			}
			for name, want := range tt.known {
				if got := val.GetAttr(name); !got.IsKnown() || got.AsString() != want {
					t.Errorf("%s is %#v, want %q", name, got, want)
				}
			}
		})
	}
	twice := append(locals(t, "a = 1"), locals(t, "\na = 2")...)
	if _, diags := Locals(twice, newContext(nil)); len(diags) != 1 || codes(diags)[0] != "2 duplicate" {
		t.Error(diags)
	}
}

func TestForEach(t *testing.T) {
	tests := []struct {
		src  string
		keys []string
		want []string
	}{
		{`{ b = 1, a = 2 }`, []string{"a", "b"}, nil},
		{`tomap({ b = 1, a = 2 })`, []string{"a", "b"}, nil},
		{`["b", "a"]`, []string{"b", "a"}, nil},
		{`toset(["b", "a", "b"])`, []string{"a", "b"}, nil},
		{`range(9, 12)`, []string{"9", "10", "11"}, nil},
		{`{}`, nil, nil},
		{`[]`, nil, nil},
		{`5`, nil, []string{"1 bad-for-each"}},
		{`"a"`, nil, []string{"1 bad-for-each"}},
		{`null`, nil, []string{"1 bad-for-each"}},
		{`["a", "a"]`, nil, []string{"1 bad-for-each"}},
		{`["a", null]`, nil, []string{"1 bad-for-each"}},
		{`[{}]`, nil, []string{"1 bad-for-each"}},
		{`[""]`, nil, []string{"1 bad-for-each"}},
		{`["a b"]`, nil, []string{"1 bad-for-each"}},
		{`{ "a\"]" = 1 }`, nil, []string{"1 bad-for-each"}},
		{`{ "a\n" = 1 }`, nil, []string{"1 bad-for-each"}},
		{`nothing`, nil, []string{"1 no-such-variable"}},
		{`unknown`, nil, []string{"1 follows"}},
	}
	ctx := newContext(map[string]cty.Value{"unknown": cty.DynamicVal})
	for _, tt := range tests {
		e, diags := hclsyntax.ParseExpression([]byte(tt.src), "test.hcl", hcl.InitialPos)
		if diags.HasErrors() {
			t.Fatal(diags)
		}
		turns, diags := ForEach(e, ctx)
		var keys []string
		for _, turn := range turns {
			keys = append(keys, turn.Key)
			each, _ := turn.Ctx.get("each")
			if each.GetAttr("key").AsString() != turn.Key || each.GetAttr("value").IsNull() {
				t.Errorf("%s: each is %#v", tt.src, each)
			}
		}
		if d := cmp.Diff(tt.keys, keys); d != "" {
			t.Errorf("%s: %s", tt.src, d)
		}
		if d := cmp.Diff(tt.want, codes(diags)); d != "" {
			t.Errorf("%s: %s\n%v", tt.src, d, diags)
		}
	}
}

// variable decodes a variable block and gives it a value, "" for none.
func variable(t *testing.T, src, given string) (cty.Value, hcl.Diagnostics) {
	t.Helper()
	content, diags := body(t, "variable \"v\" {\n"+src+"\n}").Content(&hcl.BodySchema{Blocks: []hcl.BlockHeaderSchema{{Type: "variable", LabelNames: []string{"name"}}}})
	if diags.HasErrors() {
		t.Fatal(diags)
	}
	ctx := withBudget(nil)
	v, diags := DecodeVariable(content.Blocks[0], ctx)
	if diags.HasErrors() {
		return cty.NilVal, diags
	}
	var text *string
	if given != "" {
		text = &given
	}
	val, ds := v.Value(text, ctx)
	return val, append(diags, ds...)
}

func TestVariable(t *testing.T) {
	positive := "type = number\nvalidation {\n  condition = var.v > 0\n  error_message = \"Say more\"\n}"
	tests := []struct {
		name, src, given string
		val              cty.Value
		want             []string
	}{
		{"a default", "default = 5", "", cty.NumberIntVal(5), nil},
		{"given", "default = 5", "6", cty.StringVal("6"), nil},
		{"given a number", "type = number", "6", cty.NumberIntVal(6), nil},
		{"given a text that looks like an expression", "type = string", "[1]", cty.StringVal("[1]"), nil},
		{"given a list", "type = list(string)", `["a", "b"]`, cty.ListVal([]cty.Value{cty.StringVal("a"), cty.StringVal("b")}), nil},
		{"null", "default = null\ntype = string", "", cty.NullVal(cty.String), nil},
		{
			"optional attributes", "type = object({ a = string, b = optional(number, 7) })\ndefault = { a = \"x\" }", "",
			cty.ObjectVal(map[string]cty.Value{"a": cty.StringVal("x"), "b": cty.NumberIntVal(7)}), nil,
		},
		{"not set", "", "", cty.NilVal, []string{"1 variable-not-set"}},
		{"wrong type", "type = bool\ndefault = \"perhaps\"", "", cty.NilVal, []string{"3 bad-value"}},
		{"given the wrong type", "type = bool", "perhaps", cty.NilVal, []string{"1 bad-value"}},
		{"given no expression", "type = list(string)", "[", cty.NilVal, []string{"1 bad-value"}},
		{"given a call", "type = list(string)", "range(5)", cty.NilVal, []string{"1 bad-value"}},
		{"given a number that is too large", "type = number", "1e9999999", cty.NilVal, []string{"1 bad-value"}},
		{"given too many digits", "type = list(number)", strings.Repeat("1", maxDigits+1), cty.NilVal, []string{"1 too-costly"}},
		{"given too many brackets", "type = list(number)", strings.Repeat("[", 10000), cty.NilVal, []string{"1 too-costly"}},
		{"given loops", "type = list(number)", "[for a in [1] : 1e300 * 1e300]", cty.NilVal, []string{"1 bad-value"}},
		{"given more than there is room for", "type = list(string)", "[\"" + strings.Repeat("a", 4*maxSize) + "\"]", cty.NilVal, []string{"1 too-costly"}},
		{"no type", "type = text", "", cty.NilVal, []string{"2 bad-type"}},
		{"valid", positive, "5", cty.NumberIntVal(5), nil},
		{"refused", positive, "-5", cty.NilVal, []string{"1 variable-refused"}},
		{"no condition", "default = 1\nvalidation {\n  error_message = \"x\"\n}", "", cty.NilVal, []string{"3 missing-argument"}},
		{"a condition of another type", "default = 1\nvalidation {\n  condition = [1]\n  error_message = \"x\"\n}", "", cty.NilVal, []string{"4 bad-value"}},
		{"a condition that is null", "default = 1\nvalidation {\n  condition = null\n  error_message = \"x\"\n}", "", cty.NilVal, []string{"4 bad-value"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			val, diags := variable(t, tt.src, tt.given)
			if d := cmp.Diff(tt.want, codes(diags)); d != "" {
				t.Errorf("%s\n%v", d, diags)
			}
			if tt.val != cty.NilVal && !val.RawEquals(tt.val) {
				t.Errorf("%#v, want %#v", val, tt.val)
			}
		})
	}
}
