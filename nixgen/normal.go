package nixgen

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
)

// The printer does not see the tree of its caller but a normal form of it:
// literals are spelled, every parenthesis is a node, calls and operators of
// the same kind are flat, and what means the same is the same.
type (
	// atom is a literal or a variable.
	atom struct {
		text string
		kind atomKind
	}
	// paren is an expression in parentheses.
	paren struct{ Expr }
	// neg is a number with a minus sign.
	neg struct{ Expr }
	// chain is several operands with the same operator between them.
	chain struct {
		op       string
		operands []Expr
	}
	// member is an expression ? name.
	member struct {
		Expr
		name string
	}
)

type atomKind uint8

const (
	plain  atomKind = iota // a number or an identifier
	quoted                 // a string
	path
	selection    // lib.mkForce
	oddSelection // systems."4ap", which nixfmt does not call simple
)

func (atom) expr()  {}
func (chain) expr() {}

// Precedences, as Nix has them. An operand must bind at least as tightly as
// its operator wants.
const (
	openLevel = 0 // fn, let, with: they reach as far to the right as they can
	callLevel = 20
	negLevel  = 19
	hasLevel  = 18 // a ? b
	termLevel = 21
)

// operators are the binary operators: how tightly they bind, and the least
// that an operand of the same level may add to that. An associative one takes
// its like on both sides.
var operators = map[string]struct{ level, left, right int }{
	"++": {17, 0, 0},
	"*":  {16, 0, 1},
	"/":  {16, 0, 1},
	"+":  {15, 0, 1},
	"-":  {15, 0, 1},
	"//": {13, 0, 0},
	"<":  {12, 1, 1},
	">":  {12, 1, 1},
	"<=": {12, 1, 1},
	">=": {12, 1, 1},
	"==": {11, 1, 1},
	"!=": {11, 1, 1},
	"&&": {10, 0, 0},
	"||": {9, 0, 0},
	"->": {8, 1, 0},
}

// peel takes the origins off an expression.
func peel(e Expr) Expr {
	for {
		at, ok := e.(At)
		if !ok {
			return e
		}
		e = at.Expr
	}
}

// originOf is the innermost origin at the outside of e.
func originOf(e Expr) (o Origin) {
	for {
		at, ok := e.(At)
		if !ok {
			return o
		}
		if at.From != (Origin{}) {
			o = at.From
		}
		e = at.Expr
	}
}

func normal(e Expr) Expr {
	switch x := e.(type) {
	case Str:
		return atom{quote(string(x)), quoted}
	case Lines:
		if !indentable(string(x)) {
			return atom{quote(string(x)), quoted}
		}
		return x
	case Concat:
		return normalConcat(x)
	case Int:
		return normalInt(x)
	case Float:
		return normalFloat(x)
	case Bool:
		return atom{text: strconv.FormatBool(bool(x))}
	case Null:
		return atom{text: "null"}
	case Path:
		checkPath(x)
		return atom{string(x), path}
	case Var:
		return normalVar(x)
	case List:
		return List(normalAll(x, termLevel))
	case Attrs:
		return Attrs(normalBinds(x))
	case Call:
		return normalCall(x)
	case Fn:
		checkFn(x)
		x.Body = normal(x.Body)
		return x
	case Let:
		if len(x.Binds) == 0 {
			return normal(x.Body)
		}
		return Let{normalBinds(x.Binds), normal(x.Body)}
	case With:
		return With{normal(x.Scope), normal(x.Body)}
	case Op:
		return normalOp(x)
	case At:
		return At{x.From, normal(x.Expr)}
	case atom, chain, member, neg, paren: // of a normal tree, which is not made normal again
	}
	panic(fmt.Sprintf("nixgen: no expression: %T", e))
}

// operand is e in normal form, in parentheses if it binds too loosely.
func operand(e Expr, min int) Expr {
	e = normal(e)
	if bindsAt(peel(e)) < min {
		return paren{e}
	}
	return e
}

func bindsAt(e Expr) int {
	switch x := e.(type) {
	case Call:
		return callLevel
	case neg:
		return negLevel
	case member:
		return hasLevel
	case chain:
		return operators[x.op].level
	case Fn, Let, With:
		return openLevel
	default:
		return termLevel
	}
}

func normalAll(es []Expr, min int) []Expr {
	out := make([]Expr, len(es))
	for i, e := range es {
		out[i] = operand(e, min)
	}
	return out
}

func normalBinds(as []Attr) []Attr {
	out := make([]Attr, len(as))
	for i, a := range as {
		if len(a.Name) == 0 {
			panic("nixgen: an attribute without a name")
		}
		out[i] = Attr{a.Name, normal(a.Value)}
	}
	return out
}

// joined is c without strings in strings, and with its literal parts joined, so that no $ of one is
// next to a { of another.
func joined(c Concat) Concat {
	var out Concat
	for _, part := range c {
		more := Concat{part}
		switch x := peel(part).(type) {
		case Str:
			more[0] = x
		case Lines:
			more[0] = Str(x)
		case Concat:
			more = joined(x)
		default:
		}
		for _, e := range more {
			s, literal := e.(Str)
			before, follows := Str(""), false
			if len(out) > 0 {
				before, follows = out[len(out)-1].(Str)
			}
			switch {
			case s == "" && literal:
			case literal && follows:
				out[len(out)-1] = before + s
			default:
				out = append(out, e)
			}
		}
	}
	return out
}

func normalConcat(c Concat) Expr {
	out := joined(c)
	if len(out) == 0 {
		return normal(Str(""))
	}
	if s, ok := out[0].(Str); ok && len(out) == 1 {
		return normal(s)
	}
	for i, part := range out {
		if _, literal := part.(Str); !literal {
			out[i] = normal(part)
		}
	}
	return out
}

func normalInt(i Int) Expr {
	switch {
	case i == math.MinInt64: // its magnitude has no literal
		return normal(Op{"-", i + 1, Int(1)})
	case i < 0:
		return neg{normal(-i)}
	}
	return atom{text: strconv.FormatInt(int64(i), 10)}
}

func normalFloat(f Float) Expr {
	checkFloat(f)
	switch {
	case f != 0 && math.Abs(float64(f)) < smallest: // both literals and the quotient are exact
		return normal(Op{"/", f * (1 << 60), Float(1 << 60)})
	case f < 0:
		return neg{normal(-f)}
	}
	return atom{text: floatLiteral(math.Abs(float64(f)))}
}

func normalVar(v Var) Expr {
	s, plainNames := variable(v)
	switch {
	case !plainNames:
		return atom{s, oddSelection}
	case strings.Contains(s, "."):
		return atom{s, selection}
	}
	return atom{text: s}
}

func normalCall(c Call) Expr {
	if len(c.Args) == 0 {
		return normal(c.Fn)
	}
	fn, args := operand(c.Fn, callLevel), normalAll(c.Args, termLevel)
	if inner, ok := peel(fn).(Call); ok {
		return Call{inner.Fn, append(inner.Args[:len(inner.Args):len(inner.Args)], args...)}
	}
	return Call{fn, args}
}

func checkFn(f Fn) {
	if f.Arg != "" && (len(f.Params) > 0 || f.Ellipsis) {
		panic("nixgen: a function takes an argument or a set, not both")
	}
	names := f.Params
	if f.Arg != "" {
		names = []string{f.Arg}
	}
	for _, n := range names {
		if !isName(n) {
			panic(fmt.Sprintf("nixgen: %q cannot be an argument", n))
		}
	}
}

func normalOp(o Op) Expr {
	if o.Op == "?" {
		return member{operand(o.L, negLevel), memberName(o.R)}
	}
	op, ok := operators[o.Op]
	if !ok {
		panic(fmt.Sprintf("nixgen: no operator %q", o.Op))
	}
	c := chain{op: o.Op}
	for _, e := range []Expr{operand(o.L, op.level+op.left), operand(o.R, op.level+op.right)} {
		if inner, ok := peel(e).(chain); ok && inner.op == o.Op {
			c.operands = append(c.operands, inner.operands...)
		} else {
			c.operands = append(c.operands, e)
		}
	}
	return c
}

// memberName is the right side of a ? b: a path of names, or one of any name.
func memberName(e Expr) string {
	switch x := peel(e).(type) {
	case Var:
		s, _ := variable(x)
		return s
	case Str:
		return attrName(string(x))
	default:
	}
	panic(fmt.Sprintf("nixgen: ? wants a name, not %T", e))
}

// The predicates below are those that nixfmt's rules ask, of normal trees.

// absorbable tells whether a term may start on the line of what it belongs to
// and go on below.
func absorbable(e Expr) bool {
	switch x := peel(e).(type) {
	case Lines:
		return true
	case List:
		return len(x) > 0
	case Attrs:
		return len(x) > 0
	default:
		return false
	}
}

// absorbableExpr is absorbable for more than terms: a with or a function
// around one.
func absorbableExpr(e Expr) bool {
	switch x := peel(e).(type) {
	case With:
		return absorbable(x.Body)
	case Fn:
		if x.Arg == "" {
			return flatParams(x) && absorbableExpr(x.Body)
		}
		_, isFn := peel(x.Body).(Fn)
		return absorbable(x.Body) || isFn && absorbableExpr(x.Body)
	default:
		return absorbable(e)
	}
}

// absorbableArg takes a parenthesis apart whose head stays on the line of the
// call: (x: { … }) and (f { … }).
func absorbableArg(p paren) (head string, body Expr, ok bool) {
	switch x := peel(p.Expr).(type) {
	case Fn:
		head, body = x.Arg+":", x.Body
		ok = x.Arg != ""
	case Call:
		fn, isAtom := peel(x.Fn).(atom)
		head, body = fn.text, x.Args[0]
		ok = isAtom && isName(fn.text) && len(x.Args) == 1
	default:
		return "", nil, false
	}
	return head, body, ok && absorbable(body)
}

// flatParams tells whether { a, b, ... } may stand on one line.
func flatParams(f Fn) bool { return f.Arg == "" && len(f.Params) <= 2 }

// simple tells whether e is so short in structure that it is not broken.
func simple(e Expr) bool {
	switch x := peel(e).(type) {
	case atom:
		return x.kind != oddSelection
	case Concat, Lines:
		return true
	case paren:
		return simple(x.Expr)
	case Call:
		if len(x.Args) > 2 || !simple(x.Fn) {
			return false
		}
		for _, a := range x.Args {
			if !simple(a) {
				return false
			}
		}
		return true
	default:
		return false
	}
}

// shortList tells whether a list in the middle of a call may stay on one line.
func shortList(l List) bool {
	for _, e := range l {
		if !simple(e) {
			return false
		}
	}
	return len(l) <= 6
}

// tall tells whether e takes several lines as the value of a binding.
func tall(e Expr) bool {
	switch x := peel(e).(type) {
	case List:
		return len(x) > 1
	case Attrs:
		return len(x) > 0
	case Lines, Let:
		return true
	case Call:
		return tall(x.Args[len(x.Args)-1])
	case With:
		return tall(x.Body)
	case chain:
		return slices.ContainsFunc(x.operands, tall)
	default:
		return false
	}
}

func isTerm(e Expr) bool { return bindsAt(peel(e)) == termLevel }

// isText tells whether e is a string or a path.
func isText(e Expr) bool {
	switch x := peel(e).(type) {
	case atom:
		return x.kind == quoted || x.kind == path
	case Concat, Lines:
		return true
	default:
		return false
	}
}

func isList(e Expr) bool { _, ok := peel(e).(List); return ok }

func isWith(e Expr) bool { _, ok := peel(e).(With); return ok }

func isSelection(e Expr) bool { a, ok := peel(e).(atom); return ok && a.kind >= selection }

// comparison tells whether c is one of the operators that do not chain.
func (c chain) comparison() bool { return operators[c.op].level == 11 || operators[c.op].level == 12 }

// compact tells whether nixfmt sets the operands of c next to each other in a
// binding: lists, sets and strings that are put together.
func (c chain) compact() bool { return c.op == "++" || c.op == "//" || c.op == "+" }
