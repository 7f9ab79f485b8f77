package nixgen

import "strings"

// How attribute sets are printed, and what stands behind an equals sign.

func (p *printer) attrs(a Attrs, wide bool) {
	if len(a) == 0 {
		p.text("{ }")
		return
	}
	edge := space
	if _, passes := inherited(a[0]); wide && (len(a) > 1 || !passes) {
		edge = hardLine
	}
	p.text("{")
	p.space(edge)
	p.nested(func() { p.bindings(a, true) })
	p.space(edge)
	p.text("}")
}

func (p *printer) bindings(as []Attr, inherit bool) {
	values := make([]Expr, len(as))
	for i, a := range as {
		values[i] = a.Value
	}
	p.items(values, hardLine, true, func(i int) {
		if from, ok := inherited(as[i]); ok && inherit {
			p.text("inherit " + from + as[i].Name[0] + ";")
			return
		}
		p.binding(as[i])
	})
}

// inherited tells whether a binding only passes on a name, as in modules =
// modules or nixos-sbc = inputs.nixos-sbc, and what stands before the name then.
// In a let it would mean another variable.
func inherited(a Attr) (from string, ok bool) {
	v, ok := peel(a.Value).(atom)
	if !ok || len(a.Name) != 1 || !isName(a.Name[0]) || v.kind != plain && v.kind != selection {
		return "", false
	}
	if v.text == a.Name[0] {
		return "", true
	}
	scope, ok := strings.CutSuffix(v.text, "."+a.Name[0])
	return "(" + scope + ") ", ok
}

// items adds the elements of a list or the bindings of a set, with a comment
// above each run of the same origin. What belongs to the enclosing comment
// again stands apart from such a run, so that its comment does not seem to
// cover it. Runs of bindings all stand apart, and so do the large bindings of
// the outermost set.
func (p *printer) items(values []Expr, sep kind, bindings bool, add func(int)) {
	outer, origin := p.said, p.origin
	for i, v := range values {
		id, o := outer, originOf(v)
		if o.known() {
			id = p.setOrigin(o)
		}
		if i > 0 {
			p.space(sep)
			changes := id != p.said && (bindings || id == outer)
			large := bindings && id == outer && p.nest == 1 && (tall(v) || tall(values[i-1]))
			if changes || large {
				p.space(emptyLine)
			}
		}
		if id != p.said && id != outer {
			p.space(hardLine)
			p.comment(o.String())
		}
		p.said = id
		add(i)
		p.origin = origin
	}
	p.said = outer
}

func (p *printer) binding(a Attr) {
	p.group(group, func() {
		simple := len(a.Name) <= 4
		names := make([]string, len(a.Name))
		for i, n := range a.Name {
			names[i] = attrName(n)
			simple = simple && isName(n)
		}
		p.text(strings.Join(names, "."))
		p.nested(func() {
			p.space(hardSpace)
			p.text("=")
			if simple {
				p.value(a.Value)
				return
			}
			p.space(lineBreak)
			p.group(priority, func() { p.value(a.Value) })
		})
		p.text(";")
	})
}

// value adds the right-hand side of a binding.
func (p *printer) value(e Expr) {
	defer p.enter(e)()
	x := peel(e)
	if c, ok := x.(chain); ok && c.compact() && absorbable(c.operands[0]) {
		p.space(hardSpace)
		p.chain(c, true)
		return
	}
	p.nested(func() {
		switch x := x.(type) {
		case paren:
			p.space(hardSpace)
			p.absorbParen(x)
			return
		case Call:
			p.call(x, callStyle{before: true})
			return
		case chain:
			if len(x.operands) == 2 && x.compact() && absorbable(x.operands[1]) {
				p.lastOperandWide(x)
				return
			}
		default:
		}
		switch {
		case absorbableExpr(x), isText(x):
			p.space(hardSpace)
			p.group(group, func() { p.absorb(x, true) })
		case isTerm(x), isWith(x):
			p.group(group, func() {
				p.space(space)
				p.expr(x)
			})
		default:
			p.space(space)
			p.group(group, func() { p.expr(x) })
		}
	})
}

// lastOperandWide keeps `a ++ [` on a line of its own.
func (p *printer) lastOperandWide(c chain) {
	p.group(group, func() {
		p.space(space)
		p.expr(c.operands[0])
		p.space(space)
		p.group(transparent, func() {
			p.text(c.op + " ")
			p.group(priority, func() { p.term(c.operands[1], true) })
		})
	})
}

// absorb adds an expression to the line of what is before it. wide breaks an
// attribute set.
func (p *printer) absorb(e Expr, wide bool) {
	x := peel(e)
	w, isWith := x.(With)
	switch {
	case absorbable(x):
		p.term(e, wide)
	case isWith && absorbable(w.Body):
		defer p.enter(e)()
		p.group(group, func() {
			p.space(lineBreak)
			p.withHead(w)
			p.space(hardSpace)
			p.group(priority, func() { p.term(w.Body, true) })
		})
	default:
		p.expr(e)
	}
}
