package conf

import (
	"regexp"
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/ext/typeexpr"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"
	"github.com/zclconf/go-cty/cty/convert"

	"github.com/nbr-dev/nbr/hcl/diag"
	"github.com/nbr-dev/nbr/hcl/source"
)

// A Variable is a variable block: a value that the user of a spec may set.
type Variable struct {
	Name    string
	Def     hcl.Range
	Type    cty.Type // cty.DynamicPseudoType when not said
	Default cty.Value
	parts   *typeexpr.Defaults // of optional attributes inside the type; nil when it has none
	checks  []validation
}

// fit converts a value to the variable's type.
func (v *Variable) fit(val cty.Value) (cty.Value, error) {
	if v.parts != nil && !val.IsNull() {
		val = v.parts.Apply(val)
	}
	return convert.Convert(val, v.Type)
}

type validation struct {
	condition hcl.Expression
	message   string
}

var variableSchema = &hcl.BodySchema{
	Attributes: []hcl.AttributeSchema{{Name: "type"}, {Name: "default"}, {Name: "description"}},
	Blocks:     []hcl.BlockHeaderSchema{{Type: "validation"}},
}

var validationSchema = &hcl.BodySchema{
	Attributes: []hcl.AttributeSchema{{Name: "condition", Required: true}, {Name: "error_message", Required: true}},
}

// DecodeVariable reads a variable block.
func DecodeVariable(blk *hcl.Block, ctx *Context) (*Variable, hcl.Diagnostics) {
	v := &Variable{Name: blk.Labels[0], Def: blk.DefRange, Type: cty.DynamicPseudoType, Default: cty.NilVal}
	if !hclsyntax.ValidIdentifier(v.Name) {
		return v, hcl.Diagnostics{diag.Help(diag.Error("bad-name", blk.LabelRanges[0], "Bad name",
			"%q cannot be written after var.", v.Name),
			"Use letters, digits and underscores.")}
	}
	content, diags := blk.Body.Content(variableSchema)
	diags = Coded(diags)
	if a, ok := content.Attributes["type"]; ok {
		if bad := ctx.sound(a.Expr); bad.HasErrors() {
			return v, append(diags, bad...)
		}
		t, parts, ds := typeexpr.TypeConstraintWithDefaults(a.Expr)
		for _, d := range diag.Coded("bad-type", ds) {
			diags = append(diags, diag.Help(d, "Write string, number, bool, any, list(…), map(…) or object({…}), without quotes."))
		}
		if !ds.HasErrors() {
			v.Type, v.parts = t, parts
		}
	}
	if a, ok := content.Attributes["default"]; ok {
		val, ds := ctx.eval(a.Expr)
		diags = append(diags, ds...)
		if !ds.HasErrors() {
			v.Default = val
			if _, err := v.fit(val); err != nil {
				diags = append(diags, diag.Help(diag.Error("bad-value", a.Expr.Range(), "Default does not fit the type",
					"The type of the variable is %s, and the default is none: %s.", v.Type.FriendlyName(), err),
					"Change the type or the default."))
				v.Default = cty.DynamicVal
			}
		}
	}
	for _, b := range content.Blocks {
		c, ds := b.Body.Content(validationSchema)
		diags = append(diags, Coded(ds)...)
		if ds.HasErrors() {
			continue
		}
		msg, ds := ctx.eval(c.Attributes["error_message"].Expr)
		diags = append(diags, ds...)
		if s, err := convert.Convert(msg, cty.String); err == nil && s.IsKnown() && !s.IsNull() {
			v.checks = append(v.checks, validation{c.Attributes["condition"].Expr, s.AsString()})
		}
	}
	return v, diags
}

// Value is what the variable stands for, given what the command line says (nil
// when it says nothing).
func (v *Variable) Value(given *string, ctx *Context) (cty.Value, hcl.Diagnostics) {
	val := v.Default
	if given != nil {
		var diags hcl.Diagnostics
		if val, diags = v.parse(*given, ctx); diags.HasErrors() {
			return cty.DynamicVal, diags
		}
	}
	if val == cty.NilVal {
		return cty.DynamicVal, hcl.Diagnostics{diag.Help(diag.Error("variable-not-set", v.Def, "Variable not set",
			"The variable %s has no default.", v.Name),
			"Give it one, or a value: -var '%s=…'.", v.Name)}
	}
	if err := ctx.Budget.look(val); err != nil {
		return cty.DynamicVal, hcl.Diagnostics{tooCostly(v.Def, err)}
	}
	val, err := v.fit(val)
	if err == nil {
		if err := ctx.pay(val); err != nil { // 1e9999999, where a number is wanted
			return cty.DynamicVal, hcl.Diagnostics{tooCostly(v.Def, err)}
		}
	}
	if err != nil {
		return cty.DynamicVal, hcl.Diagnostics{diag.Help(diag.Error("bad-value", v.Def, "Bad value for a variable",
			"The type of the variable %s is %s, and its value is none: %s.", v.Name, v.Type.FriendlyName(), err),
			"Give it another value: -var '%s=…'.", v.Name)}
	}
	return val, v.validate(val, ctx)
}

// parse reads a value of the command line: a text as it is where a text is
// wanted, an HCL expression otherwise.
func (v *Variable) parse(given string, ctx *Context) (cty.Value, hcl.Diagnostics) {
	if err := ctx.pay(cty.StringVal(given)); err != nil {
		return cty.NilVal, hcl.Diagnostics{tooCostly(v.Def, err)}
	}
	if v.Type.IsPrimitiveType() || v.Type == cty.DynamicPseudoType {
		return cty.StringVal(given), nil
	}
	if source.TooDeep([]byte(given)) {
		return cty.NilVal, hcl.Diagnostics{tooCostly(v.Def, errNesting)}
	}
	if source.LongNumber([]byte(given)) != -1 {
		return cty.NilVal, hcl.Diagnostics{tooCostly(v.Def, errDigits)}
	}
	at := hcl.Pos{Line: 1, Column: 1}
	e, diags := hclsyntax.ParseExpression([]byte(given), "-var "+v.Name, at)
	if !diags.HasErrors() {
		diags = ctx.Budget.guard(e)
	}
	if !diags.HasErrors() {
		var val cty.Value
		if val, diags = evaluate(e, nil); !diags.HasErrors() {
			if err := ctx.pay(val); err != nil {
				return cty.NilVal, hcl.Diagnostics{tooCostly(v.Def, err)}
			}
			return val, nil
		}
	}
	return cty.NilVal, hcl.Diagnostics{diag.Help(diag.Error("bad-value", v.Def, "Bad value for a variable",
		"What %s is given is no expression of type %s: %s.", v.Name, v.Type.FriendlyName(), diags[0].Summary),
		"Write it as in a spec, and quote it for the shell: -var '%s=[1, 2]' for a list, -var '%[1]s={ a = 1 }' for a map.", v.Name)}
}

func (v *Variable) validate(val cty.Value, ctx *Context) hcl.Diagnostics {
	var diags hcl.Diagnostics
	own := ctx.Child(map[string]cty.Value{"var": cty.ObjectVal(map[string]cty.Value{v.Name: val})})
	for _, c := range v.checks {
		ok, ds := own.eval(c.condition)
		diags = append(diags, ds...)
		if ds.HasErrors() {
			continue
		}
		if b, err := convert.Convert(ok, cty.Bool); err != nil || !b.IsKnown() || b.IsNull() {
			diags = append(diags, diag.Help(diag.Error("bad-value", c.condition.Range(), "Condition is neither true nor false",
				"This is neither true nor false."),
				"Compare something, as in condition = var.%s != \"\".", v.Name))
		} else if b.False() {
			diags = append(diags, diag.Help(diag.Error("variable-refused", v.Def, "Variable refused", "%s: %s.", v.Name, strings.TrimSuffix(c.message, ".")),
				"Give it another value, by -var '%s=…' or as its default.", v.Name))
		}
	}
	return diags
}

// A Local is one name of a locals block.
type Local struct {
	Name string
	Attr *hcl.Attribute
}

// Locals computes the locals in whatever order they need each other. Those that
// cannot be computed are unknown in the result.
func Locals(locals []Local, ctx *Context) (cty.Value, hcl.Diagnostics) {
	var diags hcl.Diagnostics
	known := map[string]cty.Value{}
	defined := map[string]*hcl.Attribute{}
	for _, l := range locals {
		if first, dup := defined[l.Name]; dup {
			diags = append(diags, diag.With(diag.Help(diag.Error("duplicate", l.Attr.NameRange, "Defined twice",
				"local.%s is already defined.", l.Name),
				"Rename or remove one of the two."), first.NameRange, "the first one"))
			continue
		}
		defined[l.Name] = l.Attr
	}
	order, stuck := inOrder(locals, defined)
	for _, l := range order {
		var val cty.Value
		scope, err := needed(l, known, ctx)
		var ds hcl.Diagnostics
		if err != nil {
			ds = hcl.Diagnostics{ctx.Budget.usedUp(l.Attr.Expr.Range())}
		} else {
			val, ds = ctx.Child(map[string]cty.Value{"local": scope}).eval(l.Attr.Expr)
		}
		diags = append(diags, ds...)
		if ds.HasErrors() {
			val = cty.DynamicVal
		}
		known[l.Name] = val
	}
	if len(stuck) > 0 {
		diags = append(diags, cycle(stuck))
		for _, l := range stuck {
			known[l.Name] = cty.DynamicVal
		}
	}
	return cty.ObjectVal(known), diags
}

// needs are the locals that a local names, and whether that is all it needs: local["a"]
// and local alone may be any of them.
func needs(l Local) (names []string, all bool) {
	all = true
	for _, tr := range l.Attr.Expr.Variables() {
		if tr.RootName() != "local" {
			continue
		}
		if len(tr) > 1 {
			if step, ok := tr[1].(hcl.TraverseAttr); ok {
				names = append(names, step.Name)
				continue
			}
		}
		all = false
	}
	return names, all
}

// inOrder sorts locals so that each comes after those that it needs; stuck are those
// that need each other, and what needs them. One that is not defined at all is not waited
// for: evaluation names it.
func inOrder(locals []Local, defined map[string]*hcl.Attribute) (order, stuck []Local) {
	waits := make([]int, len(locals))
	wakes := map[string][]int{}
	var ready []int
	for i, l := range locals {
		if defined[l.Name] != l.Attr { // it is there twice
			waits[i] = -1
			continue
		}
		names, _ := needs(l)
		slices.Sort(names)
		for _, name := range slices.Compact(names) {
			if defined[name] != nil {
				waits[i]++
				wakes[name] = append(wakes[name], i)
			}
		}
		if waits[i] == 0 {
			ready = append(ready, i)
		}
	}
	for len(ready) > 0 {
		var next []int
		for _, i := range ready {
			order = append(order, locals[i])
			for _, j := range wakes[locals[i].Name] {
				if waits[j]--; waits[j] == 0 {
					next = append(next, j)
				}
			}
		}
		slices.Sort(next) // what depends on nothing of the order is evaluated as it is written
		ready = next
	}
	for i, l := range locals {
		if waits[i] > 0 {
			stuck = append(stuck, l)
		}
	}
	return order, stuck
}

// needed is the object local for one of them: what it names, or all that is known where
// it may be any, or where a name is wrong and the right one is to be suggested.
func needed(l Local, known map[string]cty.Value, ctx *Context) (cty.Value, error) {
	names, all := needs(l)
	some := make(map[string]cty.Value, len(names))
	for _, name := range names {
		val, ok := known[name]
		all = all && ok
		some[name] = val
	}
	if all {
		return cty.ObjectVal(some), nil
	}
	if err := ctx.Budget.spend(len(known)); err != nil {
		return cty.DynamicVal, err
	}
	return cty.ObjectVal(known), nil
}

func cycle(ls []Local) *hcl.Diagnostic {
	names := make([]string, len(ls))
	for i, l := range ls {
		names[i] = "local." + l.Name
	}
	slices.Sort(names)
	d := diag.Help(diag.Error("cycle", ls[0].Attr.Range, "Locals need each other",
		"%s cannot be computed: each needs another of them.", diag.List(names)),
		"Write the value of one of them without the others.")
	for _, l := range ls[1:] {
		diag.With(d, l.Attr.Range, "local.%s", l.Name)
	}
	return d
}

// An Instance is one turn of for_each.
type Instance struct {
	Key string
	Ctx *Context // with each.key and each.value
}

func (c *Context) each(key, value cty.Value) *Context {
	return c.Child(map[string]cty.Value{"each": cty.ObjectVal(map[string]cty.Value{"key": key, "value": value})})
}

// AnyTurn is the context of a turn of for_each that is not known, to find what is
// wrong with a block in every turn.
func (c *Context) AnyTurn() *Context { return c.each(cty.DynamicVal, cty.DynamicVal) }

// keyRE is what a key may be: it ends in names of interfaces, files and rules.
var keyRE = regexp.MustCompile(`^[A-Za-z0-9_][A-Za-z0-9_.-]{0,62}$`)

// ForEach evaluates a for_each argument: a map, an object, or a list or set of
// texts. Maps give their instances sorted by key, lists in their order.
func ForEach(e hcl.Expression, ctx *Context) ([]Instance, hcl.Diagnostics) {
	val, diags := ctx.eval(e)
	if diags.HasErrors() || !val.IsKnown() {
		return nil, loopHabit(e, ctx, diags)
	}
	bad := func(help, format string, args ...any) ([]Instance, hcl.Diagnostics) {
		return nil, append(diags, diag.Help(diag.Error("bad-for-each", e.Range(), "Bad for_each", format, args...), "%s", help))
	}
	ty := val.Type()
	if val.IsNull() || !(ty.IsMapType() || ty.IsObjectType() || ty.IsListType() || ty.IsTupleType() || ty.IsSetType()) {
		return bad("Write { a = {…}, b = {…} } or [\"a\", \"b\"].", "for_each takes a map or a list of texts; this is %s.", typeOf(ty))
	}
	var out []Instance
	seen := map[string]bool{}
	for it := val.ElementIterator(); it.Next(); {
		k, v := it.Element()
		if !ty.IsMapType() && !ty.IsObjectType() {
			s, err := convert.Convert(v, cty.String)
			if err != nil || s.IsNull() || !s.IsKnown() {
				return bad("Use a map for anything more, as in { a = {…}, b = {…} }.", "Each element of a list for for_each is a text, and this has another.")
			}
			k, v = s, s
		}
		key := k.AsString()
		_ = ctx.Budget.spend(turnCost)
		if d := ctx.Budget.usedUp(e.Range()); d != nil {
			return nil, append(diags, d)
		}
		if seen[key] {
			return bad("Remove one.", "%q is there twice, and each key makes one block.", key)
		}
		if !keyRE.MatchString(key) {
			return bad("Use letters, digits, ., - and _, at most 63.", "The key %q cannot be part of a name.", key)
		}
		seen[key] = true
		out = append(out, Instance{key, ctx.each(cty.StringVal(key), v)})
	}
	return out, diags
}
