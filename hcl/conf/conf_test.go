package conf

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/hashicorp/hcl/v2/json"
	"github.com/zclconf/go-cty/cty"

	"github.com/nbr-dev/nbr/hcl/diag"
)

// color is a type with a grammar.
type color string

func (c *color) UnmarshalText(b []byte) error {
	if s := string(b); s != "red" && s != "green" {
		return fmt.Errorf("%q is no color", s)
	}
	*c = color(b)
	return nil
}

func (color) Describe() string { return "color" }

// worded are fields that a block shares with others.
type worded struct {
	Text  Value[string] `hcl:"text,optional" default:"a text" doc:"A text."`
	Count Value[int]    `hcl:"count,optional" default:"3"`
}

// part and thing are blocks with a field of every kind.
type part struct {
	Header
	Name Value[color] `hcl:"name,label"`
	Size Value[int]   `hcl:"size,required"`
}

type frame struct {
	Header
	Wide Value[bool] `hcl:"wide,optional" default:"true"`
}

type thing struct {
	Header
	Name Value[string] `hcl:"name,label" doc:"Its name."`
	worded
	Ratio  Value[float64]   `hcl:"ratio,optional"`
	Flag   Value[bool]      `hcl:"flag,optional"`
	Color  Value[color]     `hcl:"color,required"`
	Colors List[color]      `hcl:"colors,optional" default:"red, green"`
	Any    Value[cty.Value] `hcl:"any,optional"`
	Link   Ref[linked]      `hcl:"link,optional"`
	Links  Refs[linked]     `hcl:"links,optional"`
	Key    Ref[*secret]     `hcl:"key,optional"`
	Parts  []*part          `hcl:"part,block"`
	Frame  *frame           `hcl:"frame,block"`
}

// linked is what a reference of a thing may name.
type linked interface {
	Block
	linked()
}

func (*part) linked() {}

// secret is what a reference in a spec names instead of a text.
type secret struct{ Header }

// named is a block whose label others use as its name.
type named struct {
	Header
	Name Value[color] `hcl:"name,key"`
}

// decode decodes the one block of a source, in native or JSON syntax.
func decode(t *testing.T, src string, ctx *Context) (*thing, hcl.Diagnostics) {
	t.Helper()
	var f *hcl.File
	var diags hcl.Diagnostics
	if strings.HasPrefix(src, "{") {
		f, diags = json.Parse([]byte(src), "test.hcl.json")
	} else {
		f, diags = hclsyntax.ParseConfig([]byte(src), "test.hcl", hcl.InitialPos)
	}
	if diags.HasErrors() {
		t.Fatal(diags)
	}
	header := BlockType{Type: "thing", New: func() Block { return &thing{} }}.HCL()
	content, diags := f.Body.Content(&hcl.BodySchema{Blocks: []hcl.BlockHeaderSchema{header}})
	if diags.HasErrors() || len(content.Blocks) != 1 {
		t.Fatal(diags, content.Blocks)
	}
	th := &thing{}
	diags = Labels(content.Blocks[0], th)
	return th, diag.Sort(append(diags, Decode(content.Blocks[0].Body, th, ctx)...))
}

func codes(ds hcl.Diagnostics) []string {
	var out []string
	for _, d := range ds {
		out = append(out, fmt.Sprintf("%d %s", d.Subject.Start.Line, diag.Code(d)))
	}
	return out
}

const native = `thing "a" {
  text   = "${upper("b")} and ${local.c}"
  count  = local.n + 1
  ratio  = 0.5
  flag   = "true"
  color  = "red"
  colors = [for c in ["green", "red"] : c]
  any    = { a = [1, "b", null] }
  link   = network.lan
  links  = [network.lan, network.v["10"], network.v[local.key], network.w[3]]

  part "red" {
    size = 1
  }

  part "green" {
    size = 2
  }

  frame {
    wide = false
  }
}
`

const inJSON = `{"thing": {"a": {
  "text": "${upper(\"b\")} and ${local.c}",
  "count": "${local.n + 1}",
  "ratio": 0.5,
  "flag": "true",
  "color": "red",
  "colors": "${[for c in [\"green\", \"red\"] : c]}",
  "any": {"a": [1, "b", null]},
  "link": "network.lan",
  "links": ["network.lan", "network.v[\"10\"]", "network.v[\"k\"]", "network.w[3]"],
  "part": {"red": {"size": 1}, "green": {"size": 2}},
  "frame": {"wide": false}
}}}`

func TestDecode(t *testing.T) {
	locals := map[string]cty.Value{"local": cty.ObjectVal(map[string]cty.Value{
		"c": cty.StringVal("d"), "n": cty.NumberIntVal(41), "key": cty.StringVal("k"),
	})}
	for name, src := range map[string]string{"native": native, "json": inJSON} {
		t.Run(name, func(t *testing.T) {
			th, diags := decode(t, src, withBudget(locals))
			if len(diags) > 0 {
				t.Fatal(diags)
			}
			var parts []string
			for _, p := range th.Parts {
				parts = append(parts, fmt.Sprint(p.Addr, p.Name.V, p.Size.V))
			}
			var links []string
			for _, l := range th.Links.Items {
				links = append(links, l.Addr.String())
			}
			got := []any{
				th.Addr.String(), th.Name.V, th.Text.V, th.Count.V, th.Ratio.V, th.Flag.V, th.Color.V, th.Colors.All(),
				th.Any.V.GetAttr("a").LengthInt(), th.Link.Addr.String(), links, parts, th.Frame.Addr.String(), th.Frame.Wide.V,
			}
			want := []any{
				"thing.a", "a", "B and d", 42, 0.5, true, color("red"),
				[]color{"green", "red"},
				3, "network.lan",
				[]string{"network.lan", `network.v["10"]`, `network.v["k"]`, `network.w["3"]`},
				[]string{"thing.a/part.redred1", "thing.a/part.greengreen2"},
				"thing.a/frame", false,
			}
			for i := range want {
				if d := cmp.Diff(want[i], got[i]); d != "" {
					t.Errorf("value %d:\n%s", i, d)
				}
			}
		})
	}
}

func TestDefaults(t *testing.T) {
	th, diags := decode(t, "thing \"a\" {\n  color = \"red\"\n  text  = null\n  frame {\n  }\n}\n", newContext(nil))
	if len(diags) > 0 {
		t.Fatal(diags)
	}
	if th.Count.V != 3 || th.Count.Set || !cmp.Equal(th.Colors.All(), []color{"red", "green"}) || th.Colors.Set || !th.Frame.Wide.V {
		t.Errorf("defaults are %+v %+v %+v", th.Count, th.Colors, th.Frame.Wide)
	}
	if th.Text.V != "a text" || th.Text.Set || th.Text.Range != (hcl.Range{}) {
		t.Errorf("an argument that is null is as if it were not there: %+v", th.Text)
	}
	if th.Color.Range.Start.Line != 2 || !th.Color.Set || th.Def.Start.Line != 1 {
		t.Errorf("places %+v %+v", th.Color, th.Def)
	}
}

func TestDecodeErrors(t *testing.T) {
	unknown := map[string]cty.Value{"var": cty.ObjectVal(map[string]cty.Value{"x": cty.DynamicVal})}
	tests := []struct {
		name, src string
		want      []string
	}{
		{"all of them", `thing "a" {
  count  = 1.5
  ratio  = "x"
  flag   = "maybe"
  color  = "blue"
  colors = ["red", "pink", null]
  typo   = 1
  link   = "network.lan"
  links  = network.lan
}`, []string{"2 bad-value", "3 bad-value", "4 bad-value", "5 bad-value", "6 bad-value", "6 bad-value", "7 unsupported-argument", "8 not-a-reference", "9 not-a-list"}},
		{"missing", "thing \"a\" {\n}", []string{"1 missing-argument"}},
		{"null", "thing \"a\" {\n  color = null\n  count = null\n  link = null\n  links = null\n}", []string{"2 missing-argument"}},
		{"nested", "thing \"a\" {\n  color = \"red\"\n  part \"blue\" {\n  }\n  part \"red\" {\n    size = 1\n  }\n  part \"red\" {\n    size = 1\n  }\n  frame {\n  }\n  frame {\n  }\n}", []string{"3 bad-value", "3 missing-argument", "8 duplicate", "13 duplicate"}},
		{"types", "thing \"a\" {\n  color = [\"red\"]\n  text  = {}\n  count = 1e30\n  ratio = true\n  colors = 5\n}", []string{"2 bad-value", "3 bad-value", "4 bad-value", "5 bad-value", "6 not-a-list"}},
		{"huge numbers", "thing \"a\" {\n  color = 1e999999999\n  count = 1e999999999\n}", []string{"2 bad-value", "3 bad-value"}},
		{"NUL", "thing \"a\" {\n  color = \"red\\u0000\"\n  text = \"\\u0000\"\n  any = { a = [\"\\u0000\"] }\n}", []string{"2 bad-value", "3 bad-value", "4 bad-value"}},
		{"values too early", "thing \"a\" {\n  color = network.lan.color\n  text = \"${zone.a}\"\n}", []string{"2 value-too-early", "3 value-too-early"}},
		{"names", "thing \"a\" {\n  color = var.y\n  text = foo\n}", []string{"2 no-such-attribute", "3 no-such-variable"}},
		{"what follows is not told", "thing \"a\" {\n  color = var.x\n  colors = [var.x, \"blue\"]\n  any = { a = [var.x] }\n  links = [network.lan[var.x]]\n}", []string{"3 bad-value"}},
		{"references", "thing \"a\" {\n  color = \"red\"\n  link = network.lan.ipv4\n  links = [5, network.lan[null], network.lan[*].x]\n}", []string{"3 not-a-reference", "4 not-a-reference", "4 not-a-reference", "4 not-a-reference"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			th, diags := decode(t, tt.src, newContext(unknown))
			if d := cmp.Diff(tt.want, codes(diags)); d != "" {
				t.Errorf("%s\n%v", d, diags)
			}
			if th.Color.Set && th.Color.V == "" {
				t.Error("a refused value is set")
			}
		})
	}
}

// TestTold has the words of errors that say what to do.
func TestTold(t *testing.T) {
	tests := []struct{ arg, want string }{
		{`color = var.nmae`, `var.nmae is not defined. Did you mean "var.name"?`},
		{`color = var.zzz`, `var.zzz is not defined. It could be var.name.`},
		{`color = var.name.first`, `Can't access attributes on a primitive-typed value (string). Write an attribute that it has, or the value itself.`},
		{`color = "${var.name}${var.nmae}"`, `var.nmae is not defined. Did you mean "var.name"?`},
		{`text = network.lan.ipv4`, "A value of a network block cannot be used in a zone. Values flow one way: variables and locals, then networks and links, then services. Put what both need into a local."},
		{`link = 5`, `The name of a block is expected here, its type and its label. Write port.a, or "port.a" in JSON.`},
		{`links = network.lan`, `A list is expected here, even of one name. Write [network.lan].`},
		{`key = 5`, `The name of a block is expected here, its type and its label. Write secret.a, or "secret.a" in JSON.`},
		{`link = network.lan.ipv4`, `A whole block is meant here, and .ipv4 is a part of one. Write network.lan.`},
		{`link = network.lan[null]`, `The key of an instance is a text or a number. Write it as in network.lan["a"].`},
	}
	for _, tt := range tests {
		ctx := newContext(map[string]cty.Value{"var": cty.ObjectVal(map[string]cty.Value{"name": cty.StringVal("red")})})
		ctx.Stage = "a zone"
		src := "thing \"a\" {\n  " + tt.arg + "\n}"
		if !strings.HasPrefix(tt.arg, "color") {
			src = "thing \"a\" {\n  color = \"red\"\n  " + tt.arg + "\n}"
		}
		_, diags := decode(t, src, ctx)
		if len(diags) != 1 || diag.Text(diags[0]) != tt.want {
			t.Errorf("%s: %v, want %q", tt.arg, diags, tt.want)
		}
	}
	_, diags := decode(t, "thing \"a\" {\n  color = network.a\n}", newContext(nil))
	if len(diags) != 1 || !strings.HasPrefix(diag.Text(diags[0]), "A value of a network block cannot be used in this place.") {
		t.Error(diags)
	}
}

// TestSecretsAreNotShown has a secret where its block's name belongs. No output repeats it;
// other texts are shown, with what is wrong with them.
func TestSecretsAreNotShown(t *testing.T) {
	tests := []struct {
		arg, want string
		shown     bool
	}{
		{`key = "hunter2"`, "These 7 characters are not shown here. A secret never stands in a spec. Name a secret block, as in secret.a, that says where the file is on the router.", false},
		{`key = upper("hunter2")`, `The name of a block is expected here, its type and its label. Write secret.a, or "secret.a" in JSON.`, false},
		{`key = secret.a.path`, "A whole block is meant here, and .path is a part of one. Write secret.a.", true},
		{`link = "hunter 2"`, `The name of a block is expected here, its type and its label. Write port.a, or "port.a" in JSON.`, true},
		{`link = upper("hunter2")`, `The name of a block is expected here, its type and its label. Write port.a, or "port.a" in JSON.`, true},
	}
	for _, tt := range tests {
		src := "thing \"a\" {\n  color = \"red\"\n  " + tt.arg + "\n}\n"
		_, diags := decode(t, src, newContext(nil))
		if len(diags) != 1 || diag.Text(diags[0]) != tt.want {
			t.Errorf("%s: %v, want %q", tt.arg, diags, tt.want)
			continue
		}
		var out strings.Builder
		w := diag.Writer{W: &out, Bytes: func(string) []byte { return []byte(src) }, Secrets: diag.NewSecrets}
		if err := w.Write(diags); err != nil || strings.Contains(out.String(), tt.arg) != tt.shown {
			t.Errorf("%s (%v):\n%s", tt.arg, err, out.String())
		}
	}
}

// TestBlocksForEach repeats blocks inside a block. The key takes the label's place.
func TestBlocksForEach(t *testing.T) {
	tests := []struct {
		name, src string
		parts     []string
		want      []string
	}{
		{"a list", "part \"a\" {\n  for_each = [\"red\", \"green\"]\n  size = each.key == \"red\" ? 1 : 2\n}", []string{"thing.a/part.red 1", "thing.a/part.green 2"}, nil},
		{"in JSON", `{"a": {"for_each": "${{red = 1, green = 2}}", "size": "${each.value}"}}`, []string{"thing.a/part.green 2", "thing.a/part.red 1"}, nil},
		{"once in JSON", `{"red": {"size": 1}}`, []string{"thing.a/part.red 1"}, nil},
		{"a key that is no label", "part \"a\" {\n  for_each = [\"blue\"]\n  size = 1\n}", []string{"thing.a/part.blue 1"}, []string{"3 bad-value"}},
		{"the same twice", "part \"red\" {\n  size = 1\n}\npart \"a\" {\n  for_each = [\"red\"]\n  size = 2\n}", []string{"thing.a/part.red 1"}, []string{"6 duplicate"}},
		{"without a label", "frame {\n  for_each = [\"a\"]\n}", nil, []string{"4 bad-for-each"}},
		{"nothing to go through", "part \"a\" {\n  for_each = 5\n  size = 1\n}", nil, []string{"4 bad-for-each"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			src := "thing \"a\" {\n  color = \"red\"\n" + tt.src + "\n}"
			if strings.HasPrefix(tt.src, "{") {
				src = `{"thing": {"a": {"color": "red", "part": ` + tt.src + `}}}`
			}
			th, diags := decode(t, src, newContext(nil))
			if d := cmp.Diff(tt.want, codes(diags)); d != "" {
				t.Errorf("%s\n%v", d, diags)
			}
			var parts []string
			for _, p := range th.Parts {
				parts = append(parts, fmt.Sprint(p.Addr, " ", p.Size.V))
			}
			if d := cmp.Diff(tt.parts, parts); d != "" {
				t.Error(d)
			}
		})
	}
}

// TestSetKey makes blocks instances of a for_each. Only one whose label is a name that
// others use takes its name from the key.
func TestSetKey(t *testing.T) {
	p := &part{Header: Header{Addr: Addr{"part", "a"}}, Name: Of(color("red"))}
	if ds := SetKey(p, "green", hcl.Range{}); len(ds) > 0 || Keyed(p) || p.Addr.String() != `part.a["green"]` || p.Name.V != "red" {
		t.Errorf("%+v %v", p, ds)
	}
	n := &named{Header: Header{Addr: Addr{"named", "a"}}, Name: Of(color("red"))}
	if ds := SetKey(n, "green", hcl.Range{}); len(ds) > 0 || !Keyed(n) || n.Addr.String() != `named.a["green"]` || n.Name.V != "green" {
		t.Errorf("%+v %v", n, ds)
	}
	at := hcl.Range{Filename: "a.hcl", Start: hcl.Pos{Line: 7}}
	if ds := SetKey(n, "blue", at); len(ds) != 1 || codes(ds)[0] != "7 bad-value" {
		t.Error(ds)
	}
}

func TestFollow(t *testing.T) {
	ctx := newContext(map[string]cty.Value{"var": cty.ObjectVal(map[string]cty.Value{"x": cty.DynamicVal})})
	th, diags := decode(t, "thing \"a\" {\n  color = var.x\n}", ctx)
	if len(diags) != 1 || diag.Code(diags[0]) != "follows" {
		t.Errorf("an unknown value that nothing explains must not pass: %v", diags)
	}
	if th.Color.Set || th.Color.Range.Start.Line != 2 {
		t.Errorf("%+v", th.Color)
	}
}

func TestBadTagsPanic(t *testing.T) {
	type badKind struct {
		Header
		A Value[string] `hcl:"a,sometimes"`
	}
	type badType struct {
		Header
		A string `hcl:"a,optional"`
	}
	type badDefault struct {
		Header
		A Value[int] `hcl:"a,optional" default:"many"`
	}
	for _, b := range []Block{&badKind{}, &badType{}, &badDefault{}} {
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("%T does not panic", b)
				}
			}()
			Decode(hcl.EmptyBody(), b, newContext(nil))
		}()
	}
}

func TestSchemaOf(t *testing.T) {
	s := SchemaOf(BlockType{Type: "thing", Doc: "A thing.", New: func() Block { return &thing{} }})
	if s.Type != "thing" || s.Label != "string" || !s.Many || len(s.Attributes) != 10 || len(s.Blocks) != 2 {
		t.Fatalf("%+v", s)
	}
	want := []Attribute{
		{Name: "text", Doc: "A text.", Type: "string", Default: "a text"},
		{Name: "count", Type: "number", Default: "3"},
		{Name: "ratio", Type: "number"},
		{Name: "flag", Type: "bool"},
		{Name: "color", Type: "color", Required: true},
		{Name: "colors", Type: "color", List: true, Default: "red, green"},
		{Name: "any", Type: "any"},
		{Name: "link", Type: "reference to linked"},
		{Name: "links", Type: "reference to linked", List: true},
		{Name: "key", Type: "reference to secret"},
	}
	if d := cmp.Diff(want, s.Attributes, cmpopts.IgnoreUnexported(Attribute{})); d != "" {
		t.Error(d)
	}
	if p := s.Blocks[0]; p.Type != "part" || p.Label != "color" || !p.Many || s.Blocks[1].Many {
		t.Errorf("%+v", s.Blocks)
	}
}
