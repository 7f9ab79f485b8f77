package nixgen

// How calls, parentheses and operators are printed.

func (p *printer) paren(x paren) {
	p.group(group, func() {
		p.text("(")
		p.nested(func() { p.parenBody(x.Expr) })
		p.text(")")
	})
}

// parenBody adds what is between parentheses or the braces of an interpolation.
func (p *printer) parenBody(e Expr) {
	c, isCall := peel(e).(Call)
	switch {
	case absorbableExpr(e):
		p.group(group, func() { p.absorb(e, false) })
	case isCall:
		defer p.enter(e)()
		p.call(c, callStyle{indentFn: true, after: true})
	default:
		if !isSelection(e) {
			p.space(lineBreak)
		}
		p.group(group, func() { p.expr(e) })
		p.space(lineBreak)
	}
}

func (p *printer) absorbParen(x paren) {
	p.group(priority, func() {
		p.nested(func() {
			p.text("(")
			p.space(lineBreak)
			p.group(group, func() { p.nested(func() { p.expr(x.Expr) }) })
			p.space(lineBreak)
			p.text(")")
		})
	})
}

// callStyle is what the surroundings of a call want of it.
type callStyle struct {
	before   bool // a space in front that breaks with the call
	after    bool // a line break behind that breaks with the call
	indentFn bool // a line break before the function
}

func (p *printer) call(c Call, s callStyle) {
	last := len(c.Args) - 1
	before := func() {
		if s.before {
			p.space(space)
		}
	}
	after := func() {
		if s.after {
			p.space(lineBreak)
		}
	}
	if last > 0 && isList(c.Args[last-1]) && isList(c.Args[last]) {
		p.group(group, func() {
			before()
			p.group(transparent, func() { p.applied(c, last-1, s) })
			for _, a := range c.Args[last-1:] {
				p.space(space)
				p.nested(func() { p.group(group, func() { p.arg(a) }) })
			}
			after()
		})
		return
	}
	head := p.apart(func() {
		before()
		p.group(transparent, func() { p.applied(c, last, s) })
	})
	p.group(group, func() {
		if simple(c) {
			if flat, ok := squeeze(head, unlimited); ok {
				p.out = append(p.out, flat...)
				p.space(hardSpace)
				p.lastArg(c.Args[last])
				return
			}
		}
		p.out = append(p.out, head...)
		p.space(space)
		p.lastArg(c.Args[last])
		after()
	})
}

// applied adds a function and its first n arguments.
func (p *printer) applied(c Call, n int, s callStyle) {
	if n == 0 {
		if !s.indentFn {
			p.expr(c.Fn)
			return
		}
		p.nested(func() {
			p.group(group, func() {
				p.space(lineBreak)
				p.expr(c.Fn)
			})
		})
		return
	}
	a := c.Args[n-1]
	if n > 1 && isList(c.Args[n-2]) && isList(a) {
		p.group(transparent, func() {
			p.group(transparent, func() { p.applied(c, n-2, s) })
			p.nested(func() {
				p.group(group, func() {
					for _, a := range c.Args[n-2 : n] {
						p.space(space)
						p.group(group, func() { p.arg(a) })
					}
				})
			})
		})
		return
	}
	k := priority
	if isSelection(a) {
		k = group
	}
	p.group(transparent, func() { p.applied(c, n-1, s) })
	p.space(space)
	p.nested(func() { p.group(k, func() { p.arg(a) }) })
}

// arg adds an argument that is not the last. A short list of simple elements
// may stay on one line.
func (p *printer) arg(e Expr) {
	if l, ok := peel(e).(List); ok && shortList(l) {
		defer p.enter(e)()
		p.list(l, space)
		return
	}
	p.expr(e)
}

func (p *printer) lastArg(e Expr) {
	defer p.enter(e)()
	x := peel(e)
	if absorbable(x) {
		p.group(priority, func() { p.nested(func() { p.term(x, false) }) })
		return
	}
	in, ok := x.(paren)
	if !ok {
		p.group(group, func() { p.nested(func() { p.expr(x) }) })
		return
	}
	head, body, ok := absorbableArg(in)
	if !ok {
		p.absorbParen(in)
		return
	}
	p.group(priority, func() {
		p.nested(func() {
			p.text("(" + head + " ")
			p.term(body, true)
			p.text(")")
		})
	})
}

// chain adds operands with operators between them; firstWide breaks the first
// operand.
func (p *printer) chain(c chain, firstWide bool) {
	if c.comparison() {
		p.expr(c.operands[0])
		p.space(softSpace)
		p.text(c.op + " ")
		p.expr(c.operands[1])
		return
	}
	p.group(group, func() {
		if firstWide && absorbable(c.operands[0]) {
			p.term(c.operands[0], true)
		} else {
			p.expr(c.operands[0])
		}
		for _, e := range c.operands[1:] {
			p.space(space)
			p.text(c.op)
			p.nested(func() { p.operand(e) })
		}
	})
}

func (p *printer) operand(e Expr) {
	switch x := peel(e).(type) {
	case chain:
		p.group(group, func() {
			p.space(space)
			p.expr(x)
		})
	case Call:
		p.group(group, func() {
			p.space(hardSpace)
			p.call(x, callStyle{before: true})
		})
	default:
		p.space(hardSpace)
		p.expr(e)
	}
}
