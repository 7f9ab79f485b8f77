package conf

import (
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"

	"github.com/nbr-dev/nbr/hcl/diag"
)

// A lists has lists of every kind.
type lists struct {
	Header
	Name   Value[string] `hcl:"name,label"`
	Colors List[color]   `hcl:"colors,optional" empty:"nothing is painted. Write a color."`
	Again  List[color]   `hcl:"again,optional" repeat:"yes"`
	Links  Refs[linked]  `hcl:"links,optional" empty:"error: nothing is linked. Write a link."`
	Others Refs[linked]  `hcl:"others,optional"`
}

// words are what errors and warnings say: their severity, code and text.
func words(ds hcl.Diagnostics) []string {
	var out []string
	for _, d := range ds {
		kind := "error"
		if d.Severity == hcl.DiagWarning {
			kind = "warning"
		}
		out = append(out, kind+" "+diag.Code(d)+": "+diag.Text(d))
	}
	return out
}

func TestListsThatDoNothing(t *testing.T) {
	tests := []struct {
		arg  string
		want []string
	}{
		{`colors = []`, []string{"warning empty-list: colors is empty: nothing is painted. Write a color."}},
		{`colors = ["red"]`, nil},
		{`colors = ["red", "green", "red"]`, []string{"error named-twice: The same value stands in colors twice. Remove one of the two."}},
		{`again = []`, nil},
		{`again = ["red", "red"]`, nil},
		{`links = []`, []string{"error empty-list: links is empty: nothing is linked. Write a link."}},
		{`links = [part.a]`, nil},
		{`others = []`, nil},
	}
	for _, tt := range tests {
		f, diags := hclsyntax.ParseConfig([]byte(tt.arg), "test.hcl", hcl.InitialPos)
		if diags.HasErrors() {
			t.Fatal(diags)
		}
		if d := cmp.Diff(tt.want, words(Decode(f.Body, &lists{}, newContext(nil)))); d != "" {
			t.Errorf("%s:\n%s", tt.arg, d)
		}
	}
}

// What the HCL library says has the help of nbr, and is said once.
func TestWordsOfTheLibrary(t *testing.T) {
	context := func() *Context {
		c := newContext(map[string]cty.Value{
			"network": cty.ObjectVal(map[string]cty.Value{"lan": cty.ObjectVal(map[string]cty.Value{"ipv4": cty.StringVal("a")}), "v": cty.MapVal(map[string]cty.Value{"a": cty.ObjectVal(map[string]cty.Value{"ipv4": cty.StringVal("a")})})}),
			"local":   cty.ObjectVal(map[string]cty.Value{"a": cty.ObjectVal(map[string]cty.Value{"b": cty.StringVal("a")})}),
		})
		c.Later = map[string]string{"network.lan.ipv6": "by DHCP"}
		return c
	}
	tests := []struct {
		src  string
		want []string
	}{
		{"thing \"a\" {\n  color = \"red\"\n  typo = 1\n}", []string{`error unsupported-argument: An argument named "typo" is not expected here. ` + "`nbr schema -doc thing` lists what the block takes."}},
		{`{"thing": {"a": {"color": "red", "part": 5}}}`, []string{"error block-labels: At least one object property is required, whose name represents the part block's name. " +
			"Write an object of names, each with the object of a block: { \"lan\": { … } }."}},
		{"thing \"a\" {\n  color = network.lan.ipv6\n}", []string{"error value-comes-later: network.lan.ipv6 comes by DHCP. Give the router a fixed address there, or use an attribute that takes the network itself, as in network = network.lan."}},
		{"thing \"a\" {\n  color = network.lan.typo\n}", []string{`error no-such-attribute: network.lan has no value "typo": its block sets no attribute of this name. Write the attribute into the block, or the value itself here.`}},
		{"thing \"a\" {\n  color = \"r\u0435d\"\n}", []string{"error bad-value: In \"r\u0435d\" the character in column 13 is U+0435, a Cyrillic letter, and not the 'e' that it looks like. Write 'e' instead."}},
		{"thing \"a\" {\n  color = \"bl\u0430ck\"\n}", []string{"error bad-value: \"bl\u0430ck\" is no color."}},
		{"thing \"a\" {\n  color = network.v[\"a\"].typo\n}", []string{`error no-such-attribute: network.v["a"] has no value "typo": its block sets no attribute of this name. Write the attribute into the block, or the value itself here.`}},
		{"thing \"a\" {\n  color = network.lan.ipv4.typo\n}", []string{"error no-such-attribute: Can't access attributes on a primitive-typed value (string). Write an attribute that it has, or the value itself."}},
		{"thing \"a\" {\n  color = local.a.typo\n}", []string{`error no-such-attribute: This object does not have an attribute named "typo". Write an attribute that it has, or the value itself.`}},
		{"thing \"a\" {\n  color = \"red\"\n  link = upper(zone.a)\n}", []string{"error not-a-reference: Names of blocks are not computed. Write the name itself, as in zone.a, or with a key in brackets."}},
		{"thing \"a\" {\n  color = \"red\"\n  link = upper(local.a)\n}", []string{"error not-a-reference: " + `The name of a block is expected here, its type and its label. Write port.a, or "port.a" in JSON.`}},
	}
	for _, tt := range tests {
		_, diags := decode(t, tt.src, context())
		if d := cmp.Diff(tt.want, words(diags)); d != "" {
			t.Errorf("%s:\n%s", tt.src, d)
		}
	}
}

// A for_each that goes through blocks, and a name of a block that is computed.
func TestBlocksWhereTextsBelong(t *testing.T) {
	ctx := newContext(map[string]cty.Value{"var": cty.ObjectVal(map[string]cty.Value{"a": cty.StringVal("a")})})
	const blocks = `error value-too-early: for_each goes through texts, or through a map with values, and network.v is a block. ` +
		`Write the keys, as in for_each = ["a", "b"], and name the block where it is meant: network.v, or with each.key in brackets where it has for_each, too.`
	for src, want := range map[string]string{
		"[for n in network.v : n]":    blocks,
		"toset([network.v, local.x])": blocks,
		"[for n in network : n]": "error value-too-early: A value of a network block cannot be used in this place. " +
			"Values flow one way: variables and locals, then networks and links, then services. Put what both need into a local.",
		"[nothing.a]": `error no-such-variable: There is no variable named "nothing". A variable is var.NAME, a local is local.NAME, a text stands in quotes.`,
	} {
		e, diags := hclsyntax.ParseExpression([]byte(src), "test.hcl", hcl.InitialPos)
		if diags.HasErrors() {
			t.Fatal(diags)
		}
		_, diags = ctx.eval(e)
		if got := words(loopHabit(e, ctx, diags)); len(got) != 1 || got[0] != want {
			t.Errorf("%s: %s", src, strings.Join(got, "\n"))
		}
	}
}

func TestMisnamed(t *testing.T) {
	x := NewIndex()
	x.Add(Addr{"zone", "my zone"}, &frame{})
	x.Add(Addr{"zone", "good"}, &frame{})
	x.Add(Addr{"vlan", "wan.10"}, &frame{})
	v := Addr{"network", "my v"}
	x.Add(v.Instance("1"), &part{})
	x.Group(Addr{"network", "no one"}, []Addr{})
	x.Add(Addr{"network", "l\u0430n"}, &frame{}) // Cyrillic
	x.Add(Addr{"network", "\u043b\u0430\u043d"}, &frame{})
	for a, want := range map[Addr]bool{
		{"zone", "my_zone"}:                   true,
		{"zone", "good"}:                      false,
		{"zone", "my_zones"}:                  false,
		{"link", "my_zone"}:                   false,
		{"network", "my_v"}:                   true,
		Addr{"network", "my_v"}.Instance("2"): true,
		Addr{"vlan", "wan"}.Instance("10"):    true,
		Addr{"vlan", "wan"}.Instance("11"):    false,
		{"network", "no-one"}:                 true,
		{"network", "lan"}:                    true,
		{"network", "\u043b\u0430\u043d"}:     false,
	} {
		if got := x.misnamed(a); got != want {
			t.Errorf("%s: %v", a, got)
		}
	}
}

// An error and the schema call a block as a spec does: letters that follow capitals begin no word.
func TestReferenceNames(t *testing.T) {
	type (
		PrefixList struct{ Header }
		VRF        struct{ Header }
		IPPool     struct{ Header }
		PortB      struct{ Header }
	)
	got := []string{refName[*part](), refName[*PrefixList](), refName[*VRF](), refName[*IPPool](), refName[*PortB]()}
	if want := []string{"part", "prefix_list", "vrf", "ip_pool", "port_b"}; !slices.Equal(got, want) {
		t.Errorf("%q, want %q", got, want)
	}
}
