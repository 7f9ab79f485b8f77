package conf

import (
	"errors"
	"fmt"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"

	"github.com/nbr-dev/nbr/hcl/diag"
	"github.com/nbr-dev/nbr/hcl/source"
)

// What expressions may cost. A unit is a value, or four bytes of a text; some hundred
// bytes of memory at most. Ten thousand reservations that a for_each makes of a table are a
// quarter of what all expressions of a spec may make.
const (
	maxCost     = 2 << 20 // of all expressions of a spec
	maxSize     = 1 << 19 // of one value
	maxNesting  = 200     // of one value
	maxDigits   = 1000    // of a number that is written as a text: reading it takes their square
	maxDepth    = 2000    // of an expression: the parser and the evaluation are recursive
	turnCost    = 50      // of a turn of for_each: a block has some ten arguments
	perByte     = 4
	perLooking  = 10 // values that a function looks at for the price of one that it makes
	perPair     = 500
	perCodeByte = 64 // bytes of an expression for the price of a value
)

var (
	errCost    = errors.New("the expressions of this spec make more than any router needs, and would take minutes or all of the memory. The one here is where it became too much")
	errSize    = errors.New("this makes a larger value than any router needs")
	errNesting = fmt.Errorf("this makes a value that is nested deeper than %d", maxNesting)
	errDigits  = fmt.Errorf("a number of more than %d digits is none that anything here takes", maxDigits)
)

// A Budget bounds what the expressions of one spec may cost altogether, in memory and in
// time. A nil one bounds nothing.
type Budget struct {
	spent int
	told  bool // that it is used up
}

// NewBudget is the budget of a spec.
func NewBudget() *Budget { return &Budget{} }

// spend takes so much from the budget. When it is used up, nothing more is evaluated.
func (b *Budget) spend(n int) error {
	if b == nil {
		return nil
	}
	if b.spent += n; b.spent > maxCost {
		b.spent = maxCost + 1
		return errCost
	}
	return nil
}

// make pays for a value that was made.
func (b *Budget) make(v cty.Value) error {
	n, err := size(v)
	return errors.Join(err, b.spend(n))
}

// look pays for a value that is there already and looked at.
func (b *Budget) look(v cty.Value) error {
	n, pairs, err := measure(v)
	return errors.Join(err, b.spend(1+n/perLooking+pairs/perPair))
}

// size measures a value, and stops where it is too large: a value may hold another one
// twice, and so on, which takes no memory until all of it is read.
func size(v cty.Value) (int, error) {
	n, _, err := measure(v)
	return n, err
}

// measure gives the pairs of elements, too, that are compared where a tuple is taken for a
// list: cty looks for one type that fits all.
func measure(v cty.Value) (n, pairs int, err error) {
	var m meter
	err = m.walk(v, 0)
	return m.n, m.pairs, err
}

type meter struct{ n, pairs int }

func (m *meter) walk(v cty.Value, depth int) error {
	if m.n++; m.n > maxSize {
		return errSize
	}
	if depth > maxNesting {
		return errNesting
	}
	if v == cty.NilVal || !v.IsKnown() || v.IsNull() {
		return nil
	}
	switch t := v.Type(); {
	case t == cty.String:
		s := v.AsString()
		if m.n += len(s) / perByte; m.n > maxSize {
			return errSize
		}
		if longNumber(s) {
			return errDigits
		}
	case t == cty.Number:
		if tooLarge(v.AsBigFloat()) {
			return errTooLarge
		}
	case t.IsObjectType() || t.IsTupleType() || t.IsCollectionType():
		if l := v.LengthInt(); t.IsTupleType() || t.IsObjectType() {
			m.pairs += l * l
		}
		for it := v.ElementIterator(); it.Next(); {
			k, e := it.Element()
			if k.Type() == cty.String && !t.IsSetType() {
				m.n += len(k.AsString()) / perByte
			}
			if err := m.walk(e, depth+1); err != nil {
				return err
			}
		}
	}
	return nil
}

// longNumber tells whether a text begins with more digits than a number has.
func longNumber(s string) bool {
	if len(s) <= maxDigits {
		return false
	}
	for i := range maxDigits {
		if c := s[i]; (c < '0' || c > '9') && c != '.' && (i > 0 || c != '-' && c != '+') {
			return false
		}
	}
	return true
}

// tooCostly is the diagnostic for an expression that costs too much.
func tooCostly(at hcl.Range, err error) *hcl.Diagnostic {
	if errors.Is(err, errTooLarge) {
		return diag.From("bad-value", at, "Bad value", errTooLarge)
	}
	help := "Write the value itself, and shorter."
	if errors.Is(err, errCost) {
		help = "Let it go through shorter lists, or write the result itself."
	}
	return diag.Help(diag.From("too-costly", at, "Expression costs too much", err), "%s", help)
}

// usedUp is the diagnostic for the expression that used the budget up, and nothing of its
// own for all after it; nil while something is left.
func (b *Budget) usedUp(at hcl.Range) *hcl.Diagnostic {
	switch {
	case b == nil || b.spent <= maxCost:
		return nil
	case b.told:
		return diag.Follow(at)
	}
	b.told = true
	return tooCostly(at, errCost)
}

// isCost tells whether a diagnostic of an evaluation is one of a cost: those of the HCL
// library have no code yet.
func isCost(d *hcl.Diagnostic) bool { return diag.Code(d) != "" }

// A counted expression pays for its value. It is what stands in a loop, in a text, in a
// call: where values multiply. The parentheses keep what is inside in sight of those who
// walk through an expression.
type counted struct {
	*hclsyntax.ParenthesesExpr
	budget *Budget
}

// UnwrapExpression is for those who take an expression for a name or a call, as types are
// (hcl.UnwrapExpressionUntil).
func (c *counted) UnwrapExpression() hcl.Expression { return c.ParenthesesExpr.Expression }

// Value is the value of the expression, if there is enough left for it.
func (c *counted) Value(ctx *hcl.EvalContext) (cty.Value, hcl.Diagnostics) {
	if err := c.budget.spend(1); err != nil {
		// An error would not end the loops around.
		panic(exhausted{tooCostly(c.Range(), err)})
	}
	val, diags := c.ParenthesesExpr.Value(ctx)
	if diags.HasErrors() {
		return val, diags
	}
	if err := c.budget.look(val); err != nil {
		return cty.DynamicVal, append(diags, tooCostly(c.Range(), err))
	}
	return val, diags
}

// exhausted ends an evaluation whose budget is used up.
type exhausted struct{ d *hcl.Diagnostic }

// evaluate evaluates an expression; ctx may be nil, as for [hcl.Expression].
func evaluate(e hcl.Expression, ctx *hcl.EvalContext) (val cty.Value, diags hcl.Diagnostics) {
	defer func() {
		switch r := recover().(type) {
		case nil:
		case exhausted:
			val, diags = cty.DynamicVal, hcl.Diagnostics{r.d}
		default:
			panic(r)
		}
	}()
	return e.Value(ctx)
}

// A made expression pays for all of its value.
type made struct{ counted }

func (m *made) Value(ctx *hcl.EvalContext) (cty.Value, hcl.Diagnostics) {
	val, diags := m.counted.Value(ctx)
	if !diags.HasErrors() {
		if err := m.budget.make(val); err != nil {
			return cty.DynamicVal, append(diags, tooCostly(m.Range(), err))
		}
	}
	return val, diags
}

// Guard makes the expressions of a file pay for what they make. A file with errors must
// not be evaluated.
func (b *Budget) Guard(body hcl.Body) hcl.Diagnostics {
	if native, ok := body.(*hclsyntax.Body); ok {
		return b.guard(native)
	}
	return nil // JSON: see [Context.sound]
}

func (b *Budget) guard(n hclsyntax.Node) hcl.Diagnostics {
	g := &guard{budget: b}
	hclsyntax.Walk(n, g) // its own list of diagnostics takes the square of the depth
	return g.diags
}

// A guard walks through expressions and puts counted ones where values multiply.
type guard struct {
	budget *Budget
	depth  int
	diags  hcl.Diagnostics
}

func (g *guard) counted(e hclsyntax.Expression) hclsyntax.Expression {
	switch e.(type) {
	case nil, *counted, *made:
		return e
	}
	if plain(e) {
		return e
	}
	return &counted{&hclsyntax.ParenthesesExpr{Expression: e, SrcRange: e.Range()}, g.budget}
}

// plain tells whether an expression is a literal of a size that is as the file says. The
// HCL library looks for these in texts.
func plain(e hclsyntax.Expression) bool {
	l, ok := e.(*hclsyntax.LiteralValueExpr)
	return ok && (l.Val.Type() != cty.Number || l.Val.IsNull() || !tooLarge(l.Val.AsBigFloat()))
}

func (g *guard) made(e hclsyntax.Expression) hclsyntax.Expression {
	switch e.(type) {
	case nil, *counted, *made:
		return e
	}
	return &made{counted{&hclsyntax.ParenthesesExpr{Expression: e, SrcRange: e.Range()}, g.budget}}
}

func (g *guard) Enter(n hclsyntax.Node) hcl.Diagnostics {
	if g.depth++; g.depth > maxDepth {
		if len(g.diags) == 0 {
			g.diags = hcl.Diagnostics{diag.Help(diag.Error("too-deep", n.Range(), "Nested too deep",
				"More than %d expressions within each other are no spec.", maxDepth),
				"Give parts of it names in locals.")}
		}
		return nil // the range of each counted expression takes its depth again
	}
	switch e := n.(type) {
	case *hclsyntax.ForExpr:
		if e.KeyExpr != nil {
			e.KeyExpr = g.made(e.KeyExpr)
		}
		if e.CondExpr != nil {
			e.CondExpr = g.made(e.CondExpr)
		}
		e.ValExpr = g.made(e.ValExpr)
	case *hclsyntax.SplatExpr:
		e.Each = g.made(e.Each)
	case *hclsyntax.TemplateExpr:
		for i, p := range e.Parts {
			if !plain(p) {
				e.Parts[i] = g.made(p)
			}
		}
	case *hclsyntax.FunctionCallExpr:
		for i, a := range e.Args {
			e.Args[i] = g.counted(a)
		}
	case *hclsyntax.BinaryOpExpr:
		e.LHS, e.RHS = g.operand(e.LHS), g.operand(e.RHS)
	case *hclsyntax.UnaryOpExpr:
		e.Val = g.operand(e.Val)
	case *hclsyntax.ConditionalExpr:
		e.TrueResult, e.FalseResult = g.operand(e.TrueResult), g.operand(e.FalseResult)
	case *hclsyntax.IndexExpr:
		e.Key = g.operand(e.Key)
	case *hclsyntax.ObjectConsKeyExpr:
		if _, name := e.Wrapped.(*hclsyntax.ScopeTraversalExpr); !name { // the a of { a = 1 } is a word
			e.Wrapped = g.counted(e.Wrapped)
		}
	}
	return nil
}

// operand counts what may be long or a part of something large; most operands are small
// expressions of small ones.
func (g *guard) operand(e hclsyntax.Expression) hclsyntax.Expression {
	switch e.(type) {
	case *hclsyntax.TemplateExpr, *hclsyntax.TemplateJoinExpr, *hclsyntax.FunctionCallExpr, *hclsyntax.ScopeTraversalExpr, *hclsyntax.ForExpr, *hclsyntax.TupleConsExpr, *hclsyntax.ObjectConsExpr:
		return g.counted(e)
	case *hclsyntax.BinaryOpExpr: // 1e300 * 1e300 * …
		return g.counted(e)
	}
	return e
}

func (g *guard) Exit(hclsyntax.Node) hcl.Diagnostics {
	g.depth--
	return nil
}

// sound judges the texts of an expression in JSON before they are parsed as templates,
// which happens each time that one is evaluated: what is nested too deep would overflow
// the stack, and what costs too much is found by evaluating it with a guard first.
func (c *Context) sound(e hcl.Expression) hcl.Diagnostics {
	if _, native := e.(hclsyntax.Expression); native || c.Budget == nil {
		return nil
	}
	raw, diags := e.Value(nil) // the texts as they are
	if diags.HasErrors() {
		return nil
	}
	var bad hcl.Diagnostics
	template := func(text string) {
		if !hasTemplate(text) || len(bad) > 0 {
			return
		}
		if source.TooDeep([]byte(text)) {
			bad = hcl.Diagnostics{diag.Help(diag.Error("too-deep", e.Range(), "Nested too deep", "A template in this text is nested deeper than any spec."),
				"Give parts of it names in locals.")}
			return
		}
		expr, ds := hclsyntax.ParseTemplate([]byte(text), e.Range().Filename, e.Range().Start)
		if ds.HasErrors() {
			return // the evaluation tells
		}
		if bad = c.Budget.guard(expr); bad.HasErrors() {
			return
		}
		if c.Eval != nil {
			_, ds = evaluate(expr, c.Eval)
			for _, d := range ds {
				if isCost(d) {
					bad = hcl.Diagnostics{d}
				}
			}
		}
	}
	if _, err := size(raw); err != nil {
		return hcl.Diagnostics{tooCostly(e.Range(), err)}
	}
	_ = cty.Walk(raw, func(_ cty.Path, v cty.Value) (bool, error) {
		switch t := v.Type(); {
		case v.IsNull():
		case t == cty.String:
			template(v.AsString())
		case t.IsObjectType():
			for k := range t.AttributeTypes() {
				template(k)
			}
		}
		return true, nil
	})
	return bad
}

func hasTemplate(s string) bool { return strings.Contains(s, "${") || strings.Contains(s, "%{") }
