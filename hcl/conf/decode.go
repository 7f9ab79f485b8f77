package conf

import (
	"cmp"
	"fmt"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"sync"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"

	"github.com/nbr-dev/nbr/hcl/diag"
)

// Decode reads a body into the block, whose header and labels are already
// set. It goes on after an error, so that all of them are told.
func Decode(body hcl.Body, b Block, ctx *Context) hcl.Diagnostics {
	return decodeStruct(body, reflect.ValueOf(b).Elem(), b.Head().Addr, ctx)
}

// Labels gives a block its header and its label, which must fit the label's
// type.
func Labels(blk *hcl.Block, b Block) hcl.Diagnostics {
	h := b.Head()
	h.Def = blk.DefRange
	h.Addr.Type = blk.Type
	info := infoOf(reflect.TypeOf(b).Elem())
	if info.label == nil || len(blk.Labels) == 0 {
		return nil
	}
	h.Addr.Name = blk.Labels[0]
	return setLabel(reflect.ValueOf(b).Elem(), info, blk.Labels[0], blk.LabelRanges[0])
}

// Keyed tells whether the label of b is a name that others use, as a user's: each
// instance of for_each needs its own then, which is its key.
func Keyed(b Block) bool { return infoOf(reflect.TypeOf(b).Elem()).keyed }

// SetKey makes b the instance of for_each with this key.
func SetKey(b Block, key string, at hcl.Range) hcl.Diagnostics {
	h := b.Head()
	h.Addr = h.Addr.Instance(key)
	info := infoOf(reflect.TypeOf(b).Elem())
	if !info.keyed {
		return nil
	}
	return setLabel(reflect.ValueOf(b).Elem(), info, key, at)
}

// setLabel decodes the label of a block into its field.
func setLabel(v reflect.Value, info *structInfo, label string, at hcl.Range) hcl.Diagnostics {
	l := v.FieldByIndex(info.label.index).Addr().Interface().(attribute)
	return l.decode(hcl.StaticExpr(stringVal(label), at), &Context{})
}

func decodeStruct(body hcl.Body, v reflect.Value, addr Addr, ctx *Context) hcl.Diagnostics {
	info := infoOf(v.Type())
	content, diags := body.Content(info.schema)
	typ, _, _ := strings.Cut(" "+addr.Type, "/")
	diags = codedIn(typ, diags)
	for _, f := range info.attrs {
		field := v.FieldByIndex(f.index).Addr().Interface().(attribute)
		there := false
		if a, ok := content.Attributes[f.name]; ok {
			ds := field.decode(a.Expr, ctx)
			if l, ok := field.(listed); ok && !ds.HasErrors() {
				ds = append(ds, judgeList(f, l)...)
			}
			there = ds.HasErrors() || field.isSet()
			if !there && f.required {
				ds = append(ds, diag.Help(diag.Error("missing-argument", a.Expr.Range(), "Missing required argument",
					"The argument %q is required, and null is as if it were not there.", f.name),
					"Give it a value, or remove the block."))
			}
			diags = append(diags, ds...)
		}
		if !there && f.def != "" {
			if err := field.setDefault(f.def); err != nil {
				panic(fmt.Sprintf("conf: default of %s.%s: %s", v.Type(), f.name, err))
			}
		}
	}
	return append(diags, decodeBlocks(content, v, info, addr, ctx)...)
}

// forEachSchema is what every repeated block may have besides its own arguments.
var forEachSchema = &hcl.BodySchema{Attributes: []hcl.AttributeSchema{{Name: "for_each"}}}

// Loop takes the for_each of a block apart from the rest of its body; loop is nil
// when it has none.
func Loop(blk *hcl.Block) (loop *hcl.Attribute, rest hcl.Body, diags hcl.Diagnostics) {
	if b, ok := blk.Body.(*hclsyntax.Body); ok && b.Attributes["for_each"] == nil {
		return nil, blk.Body, nil // the common case costs nothing
	}
	meta, rest, diags := blk.Body.PartialContent(forEachSchema)
	if loop = meta.Attributes["for_each"]; loop == nil {
		rest = blk.Body
	}
	return loop, rest, Coded(diags)
}

func decodeBlocks(content *hcl.BodyContent, v reflect.Value, info *structInfo, addr Addr, ctx *Context) hcl.Diagnostics {
	var diags hcl.Diagnostics
	first := map[Addr]hcl.Range{}
	for _, blk := range content.Blocks {
		f := info.blocks[slices.IndexFunc(info.blocks, func(f field) bool { return f.name == blk.Type })]
		loop, rest, ds := Loop(blk)
		diags = append(diags, ds...)
		switch {
		case loop == nil:
			diags = append(diags, decodeBlock(blk, blk.Body, v, f, addr, "", ctx, first)...)
		case infoOf(f.elem).label == nil:
			diags = append(diags, diag.Help(diag.Error("bad-for-each", loop.NameRange, "for_each without a label",
				"A %s block has no label, so it cannot be repeated.", blk.Type),
				"Remove for_each, and write the blocks one by one."))
		default:
			turns, ds := ForEach(loop.Expr, ctx)
			diags = append(diags, ds...)
			for _, turn := range turns {
				diags = append(diags, decodeBlock(blk, rest, v, f, addr, turn.Key, turn.Ctx, first)...)
			}
		}
	}
	return diags
}

// decodeBlock decodes a block inside another and puts it into its field. The key of
// a for_each takes the place of the label.
func decodeBlock(blk *hcl.Block, body hcl.Body, v reflect.Value, f field, addr Addr, key string, ctx *Context, first map[Addr]hcl.Range) hcl.Diagnostics {
	inner := reflect.New(f.elem)
	sub := infoOf(f.elem)
	head := inner.Interface().(Block).Head()
	head.Def = blk.DefRange
	label := key
	if label == "" && sub.label != nil {
		label = blk.Labels[0]
	}
	head.Addr = addr.Inner(blk.Type, label)
	var diags hcl.Diagnostics
	if sub.label != nil {
		diags = setLabel(inner.Elem(), sub, label, blk.LabelRanges[0])
	}
	diags = append(diags, decodeStruct(body, inner.Elem(), head.Addr, ctx)...)
	if before, dup := first[head.Addr]; dup && (sub.label != nil || !f.many) {
		return append(diags, Duplicate(head.Addr, blk.DefRange, before))
	}
	first[head.Addr] = blk.DefRange
	if field := v.FieldByIndex(f.index); f.many {
		field.Set(reflect.Append(field, inner))
	} else {
		field.Set(inner)
	}
	return diags
}

// Duplicate says that a block is there twice.
func Duplicate(a Addr, at, before hcl.Range) *hcl.Diagnostic {
	return diag.With(diag.Help(diag.Error("duplicate", at, "Defined twice",
		"%s is already defined.", a),
		"Rename or remove one of the two."), before, "the first one")
}

// summaries are nbr's codes for the summaries of the HCL library, by how they begin.
// None begins like another.
var summaries = map[string]string{
	"Unsupported argument":       "unsupported-argument",
	"Missing required argument":  "missing-argument",
	"Unsupported block type":     "unsupported-block",
	"Missing block label":        "block-labels",
	"Extraneous block label":     "block-labels",
	"Extraneous label for":       "block-labels",
	"Missing name for":           "block-labels",
	"Unknown variable":           "no-such-variable",
	"Unsupported attribute":      "no-such-attribute",
	"Call to unknown function":   "no-such-function",
	"Error in function call":     "function-call",
	"Invalid function argument":  "function-call",
	"Not enough function":        "function-call",
	"Too many function":          "function-call",
	"Extraneous JSON object":     "unsupported-argument",
	"Invalid index":              "no-such-attribute",
	"Invalid template interpol":  "bad-value",
	"Invalid operand":            "bad-value",
	"Invalid multi-line string":  "syntax",
	"Unexpected ":                "unsupported-block",
	"Missing map element":        "no-such-attribute",
	"Duplicate ":                 "duplicate",
	"Incorrect JSON value type":  "syntax",
	"Variables not allowed":      "no-such-variable",
	"Function calls not allowed": "no-such-function",
}

// usual is what to do about errors of which the HCL library says only what is wrong. What
// follows -doc is the type of the block that the error is in.
var usual = map[string]string{
	"unsupported-argument": "`nbr schema -doc%s` lists what the block takes.",
	"unsupported-block":    "`nbr schema -doc%s` lists the blocks, and what each of them takes.",
	"missing-argument":     "Write it into the block; `nbr schema -doc%s` says what it takes.",
	"no-such-variable":     "A variable is var.NAME, a local is local.NAME, a text stands in quotes.",
	"function-call":        "docs/expressions.md has an example of each function.",
}

// usualOf is what to do about errors of expressions, by the beginning of their summary.
var usualOf = map[string]string{
	"Invalid index":             "Write a key or a number that it has; the first of a list is 0.",
	"Missing map element":       "Write a key that it has.",
	"Unsupported attribute":     "Write an attribute that it has, or the value itself.",
	"Invalid operand":           "Arithmetic takes numbers, without quotes; &&, || and ! take true and false.",
	"Invalid template interpol": `join(", ", LIST) makes a text of a list.`,
	"Inconsistent conditional":  "Write values of one type before and after the colon.",
	"Iteration over non-iter":   `Write a list or an object after "in", as in [for x in ["a", "b"] : x].`,
	"Incorrect condition type":  `Write a comparison before the question mark, as in x == "a" ? 1 : 2.`,
}

// Coded gives the HCL library's diagnostics the codes of nbr.
func Coded(ds hcl.Diagnostics) hcl.Diagnostics { return codedIn("", ds) }

// codedIn is [Coded] for what is wrong in a block of this type, with a blank before it.
func codedIn(typ string, ds hcl.Diagnostics) hcl.Diagnostics {
	for _, d := range ds {
		if diag.Code(d) != "" {
			continue
		}
		code := "expression"
		if c := startsWith(summaries, d.Summary); c != "" {
			code = c
		}
		habit(d)
		labels(d)
		diag.Coded(code, hcl.Diagnostics{d})
		if diag.HelpOf(d) == "" && !strings.Contains(d.Detail, " costs too much: ") { // that is amplify's
			diag.Help(d, "%s", cmp.Or(startsWith(usualOf, d.Summary), strings.Replace(usual[code], "%s", typ, 1)))
		}
	}
	return slices.DeleteFunc(ds, func(d *hcl.Diagnostic) bool { // JSON says it twice: no label, and no object
		return d.Summary == "Incorrect JSON value type" && slices.ContainsFunc(ds, func(o *hcl.Diagnostic) bool {
			return o.Summary == "Missing block label" && *o.Subject == *d.Subject
		})
	})
}

// startsWith is the value of the key that a text begins with; empty without one.
func startsWith(of map[string]string, text string) string {
	for prefix, v := range of {
		if strings.HasPrefix(text, prefix) {
			return v
		}
	}
	return ""
}

// labelRE finds the block in what the HCL library says of a label that is missing or too many.
var labelRE = regexp.MustCompile(`^(Missing name|Extraneous label) for (\S+)$`)

// labels says how a block begins whose label is missing or too many.
func labels(d *hcl.Diagnostic) {
	switch m := labelRE.FindStringSubmatch(d.Summary); {
	case m != nil && m[1] == "Missing name":
		d.Detail = fmt.Sprintf("A %s block has a name, in quotes before its brace.", m[2])
		diag.Help(d, "Write one, as in %s \"lan\" {.", m[2])
	case m != nil:
		diag.Help(d, "Remove the name that is marked.")
	case d.Summary == "Missing block label": // of JSON
		diag.Help(d, "Write an object of names, each with the object of a block: { \"lan\": { … } }.")
	}
}

// structInfo is what the tags of a block struct say.
type structInfo struct {
	label  *field // nil when it has none
	keyed  bool   // the key of for_each takes the label's place
	attrs  []field
	blocks []field
	schema *hcl.BodySchema
}

type field struct {
	name, doc, def string
	index          []int // in the struct; of more than one where a struct is embedded in it
	required       bool
	empty          string       // what an empty list would do; nothing where it may be empty
	refuse         bool         // an empty list is an error, not a mistake of no consequence
	repeat         bool         // an element may stand in the list twice
	elem           reflect.Type // the struct of a nested block
	many           bool
}

var infos sync.Map // reflect.Type → *structInfo: made once, never changed

func infoOf(t reflect.Type) *structInfo {
	if i, ok := infos.Load(t); ok {
		return i.(*structInfo)
	}
	i, _ := infos.LoadOrStore(t, newInfo(t))
	return i.(*structInfo)
}

func newInfo(t reflect.Type) *structInfo {
	info := &structInfo{schema: &hcl.BodySchema{}}
	for _, sf := range reflect.VisibleFields(t) {
		tag, ok := sf.Tag.Lookup("hcl")
		if !ok {
			continue
		}
		name, kind, _ := strings.Cut(tag, ",")
		f := field{name: name, doc: sf.Tag.Get("doc"), def: sf.Tag.Get("default"), index: sf.Index, repeat: sf.Tag.Get("repeat") == "yes"}
		f.empty, f.refuse = strings.CutPrefix(sf.Tag.Get("empty"), refused)
		switch kind {
		case "label", "key":
			info.label, info.keyed = &f, kind == "key"
			continue
		case "block":
			f.elem, f.many = sf.Type, sf.Type.Kind() == reflect.Slice
			if f.many {
				f.elem = f.elem.Elem()
			}
			f.elem = f.elem.Elem()
			info.blocks = append(info.blocks, f)
			info.schema.Blocks = append(info.schema.Blocks, hcl.BlockHeaderSchema{Type: name, LabelNames: labelNames(f.elem)})
			continue
		case "required", "optional":
			f.required = kind == "required"
		default:
			panic(fmt.Sprintf("conf: %s.%s: unknown kind %q in tag", t, sf.Name, kind))
		}
		if _, ok := reflect.New(sf.Type).Interface().(attribute); !ok {
			panic(fmt.Sprintf("conf: %s.%s: %s is no attribute", t, sf.Name, sf.Type))
		}
		info.attrs = append(info.attrs, f)
		info.schema.Attributes = append(info.schema.Attributes, hcl.AttributeSchema{Name: name, Required: f.required})
	}
	return info
}

func labelNames(t reflect.Type) []string {
	if i := infoOf(t); i.label != nil {
		return []string{"name"}
	}
	return nil
}

// walk calls f with a pointer to every field of the struct and of the blocks
// inside it.
func walk(v reflect.Value, f func(field any)) {
	info := infoOf(v.Type())
	for _, a := range info.attrs {
		f(v.FieldByIndex(a.index).Addr().Interface())
	}
	for _, b := range info.blocks {
		fv := v.FieldByIndex(b.index)
		if b.many {
			for i := range fv.Len() {
				walk(fv.Index(i).Elem(), f)
			}
		} else if !fv.IsNil() {
			walk(fv.Elem(), f)
		}
	}
}
