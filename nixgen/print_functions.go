package nixgen

// How let, with and functions are printed.

func (p *printer) withHead(w With) {
	p.text("with")
	p.space(hardSpace)
	p.nested(func() { p.group(group, func() { p.expr(w.Scope) }) })
	p.text(";")
}

func (p *printer) let(l Let) {
	p.group(group, func() {
		p.text("let")
		p.space(hardLine)
		p.nested(func() { p.bindings(l.Binds, false) })
	})
	p.space(hardLine)
	p.group(group, func() {
		p.text("in")
		p.space(hardLine)
		p.expr(l.Body)
	})
}

func (p *printer) fn(f Fn) {
	if f.Arg != "" {
		p.group(group, func() {
			p.space(lineBreak)
			p.argFn(f)
		})
		return
	}
	p.params(f)
	p.text(":")
	switch {
	case flatParams(f) && absorbableExpr(f.Body):
		p.space(hardSpace)
		p.group(priority, func() { p.expr(f.Body) })
	case absorbable(f.Body):
		p.space(space)
		p.group(group, func() { p.term(f.Body, true) })
	default:
		p.space(space)
		p.expr(f.Body)
	}
}

// argFn adds x: y: … as one head.
func (p *printer) argFn(f Fn) {
	depth := 1
	p.text(f.Arg + ":")
	for {
		inner, ok := peel(f.Body).(Fn)
		if !ok || inner.Arg == "" {
			break
		}
		depth++
		p.text(" " + inner.Arg + ":")
		f = inner
	}
	switch {
	case absorbableExpr(f.Body):
		p.space(hardSpace)
		p.group(priority, func() { p.absorb(f.Body, false) })
	case depth <= 2:
		p.space(space)
		p.expr(f.Body)
	default:
		p.space(hardLine)
		p.expr(f.Body)
	}
}

func (p *printer) params(f Fn) {
	if len(f.Params) == 0 && !f.Ellipsis {
		p.text("{ }")
		return
	}
	sep := space
	if !flatParams(f) {
		sep = hardLine
	}
	p.group(group, func() {
		p.text("{")
		p.nested(func() {
			for i, name := range f.Params {
				p.space(sep)
				p.text(name)
				if i < len(f.Params)-1 || f.Ellipsis {
					p.text(",")
				} else {
					p.add(lastComma, ",")
				}
			}
			if f.Ellipsis {
				p.space(sep)
				p.text("...")
			}
		})
		p.space(sep)
		p.text("}")
	})
}
