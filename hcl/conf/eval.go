package conf

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/zclconf/go-cty/cty"

	"github.com/nbr-dev/nbr/hcl/diag"
)

type hclHeader = hcl.BlockHeaderSchema

func stringVal(s string) cty.Value { return cty.StringVal(s) }

// A Context is what an expression may use.
type Context struct {
	Eval  *hcl.EvalContext
	Types map[string]bool // every block type, to tell a reference from a typing error
	Stage string          // says whose values these are, for the error that explains the order
	// Later are values that blocks have and that are not known before the router runs, as
	// network.wan.ipv4, each with how it comes: "by DHCP".
	Later map[string]string
	// Budget is what all expressions of the spec may cost together.
	Budget *Budget
}

// Child adds variables for one block, such as each.
func (c *Context) Child(vars map[string]cty.Value) *Context {
	ev := c.Eval.NewChild()
	ev.Variables = vars
	return &Context{Eval: ev, Types: c.Types, Stage: c.Stage, Later: c.Later, Budget: c.Budget}
}

// eval is the value of an expression. A value without errors is known.
func (c *Context) eval(e hcl.Expression) (cty.Value, hcl.Diagnostics) {
	at := e.Range()
	_ = c.Budget.spend(1 + (at.End.Byte-at.Start.Byte)/perCodeByte)
	if d := c.Budget.usedUp(at); d != nil {
		return cty.DynamicVal, hcl.Diagnostics{d}
	}
	if bad := c.sound(e); bad.HasErrors() {
		return cty.DynamicVal, bad
	}
	for _, tr := range e.Variables() {
		root := tr.RootName()
		if c.Types[root] && !c.has(root) {
			return cty.DynamicVal, hcl.Diagnostics{diag.Help(diag.Error("value-too-early", tr.SourceRange(), "Value not known here",
				"A value of a %s block cannot be used in %s. Values flow one way: variables and locals, then networks and links, then services.", root, c.stage()),
				"Put what both need into a local.")}
		}
	}
	val, diags := evaluate(e, c.Eval)
	if d := c.Budget.usedUp(at); d != nil { // also where try has caught that
		return cty.DynamicVal, hcl.Diagnostics{d}
	}
	for _, d := range diags {
		if isCost(d) {
			return cty.DynamicVal, hcl.Diagnostics{d}
		}
	}
	if err := c.pay(val); err != nil {
		return cty.DynamicVal, hcl.Diagnostics{tooCostly(at, err)}
	}
	for _, d := range diags {
		c.suggest(d, e)
	}
	if !diags.HasErrors() && !val.IsWhollyKnown() {
		diags = append(diags, diag.Follow(e.Range())) // only what is wrong elsewhere is unknown
	}
	return val, Coded(diags)
}

// pay pays for the value of an expression. It comes before anything else looks at it.
func (c *Context) pay(val cty.Value) error {
	if c.Budget == nil {
		return nil
	}
	return c.Budget.make(val)
}

// isBlock tells whether a name is that of a block, as network.lan or network.v["a"], and not of a value
// of one.
func isBlock(tr hcl.Traversal) bool {
	if len(tr) == 3 {
		_, key := tr[2].(hcl.TraverseIndex)
		return key
	}
	return len(tr) == 2
}

// suggest says of a name that is not there, such as local.nmae, which one is
// meant. It does so after the fact: try and can may ask for what is not there.
func (c *Context) suggest(d *hcl.Diagnostic, e hcl.Expression) {
	for _, tr := range e.Variables() {
		if i := slices.IndexFunc(tr, func(s hcl.Traverser) bool { return d.Subject != nil && s.SourceRange() == *d.Subject }); i > 0 {
			if name := path(tr[:i+1]); c.Later[name] != "" {
				d.Summary = "Value not known before the router runs"
				d.Detail = name + " comes " + c.Later[name] + "."
				diag.Coded("value-comes-later", hcl.Diagnostics{d})
				diag.Help(d, "Give the router a fixed address there, or use an attribute that takes the network itself, as in network = network.lan.")
			} else if step, ok := tr[i].(hcl.TraverseAttr); ok && c.Types[tr.RootName()] && isBlock(tr[:i]) && d.Summary == "Unsupported attribute" {
				d.Detail = fmt.Sprintf("%s has no value %q: its block sets no attribute of this name.", path(tr[:i]), step.Name)
				diag.Help(d, "Write the attribute into the block, or the value itself here.")
			}
		}
		if len(tr) < 2 || d.Subject == nil || tr[1].SourceRange() != *d.Subject {
			continue
		}
		step, ok := tr[1].(hcl.TraverseAttr)
		obj, known := c.get(tr.RootName())
		if !ok || !known || !obj.Type().IsObjectType() || obj.Type().HasAttribute(step.Name) {
			continue
		}
		d.Summary = "No such name"
		d.Detail = tr.RootName() + "." + step.Name + " is not defined."
		diag.Coded("no-such-attribute", hcl.Diagnostics{d})
		names := slices.Sorted(maps.Keys(obj.Type().AttributeTypes()))
		for i, name := range names {
			names[i] = tr.RootName() + "." + name
		}
		meant := diag.Suggest(tr.RootName()+"."+step.Name, names)
		diag.Help(d, "%s", cmp.Or(meant, offer(names)))
		diag.Replace(d, tr[:2].SourceRange(), diag.Suggested(meant))
	}
}

// path is a traversal as it is written: network.v["office"].ipv4.
func path(tr hcl.Traversal) string {
	var b strings.Builder
	for _, step := range tr {
		switch step := step.(type) {
		case hcl.TraverseRoot:
			b.WriteString(step.Name)
		case hcl.TraverseAttr:
			b.WriteString("." + step.Name)
		case hcl.TraverseIndex:
			if step.Key.Type() == cty.String {
				fmt.Fprintf(&b, "[%q]", step.Key.AsString())
			}
		}
	}
	return b.String()
}

func (c *Context) stage() string {
	if c.Stage == "" {
		return "this place"
	}
	return c.Stage
}

func (c *Context) has(root string) bool {
	_, ok := c.get(root)
	return ok
}

func (c *Context) get(root string) (cty.Value, bool) {
	for ev := c.Eval; ev != nil; ev = ev.Parent() {
		if v, ok := ev.Variables[root]; ok {
			return v, true
		}
	}
	return cty.NilVal, false
}
