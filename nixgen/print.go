package nixgen

import (
	"math"
	"strings"
	"unicode"
)

const (
	shortWidth = 30 // an interpolation of this width is never broken
	unlimited  = math.MaxInt
)

// Print prints any expression as a file. Like the methods of Module it panics
// on a tree that is no Nix: a variable that is no identifier, an unknown
// operator, a NUL in a string.
func Print(e Expr) []byte {
	src, _ := printFile(nil, e)
	return src
}

// printFile prints doc as comments and then e, and gives each line its origin.
func printFile(doc []string, e Expr) ([]byte, []Origin) {
	p := &printer{ids: map[Origin]int{}}
	p.setOrigin(Origin{})
	for _, line := range doc {
		p.comment(line)
	}
	p.expr(normal(e))
	src, ids := layout(p.out)
	origins := make([]Origin, len(ids))
	for i, id := range ids {
		origins[i] = p.origins[id]
	}
	return src, origins
}

// A printer turns a normal tree into a document for layout. Each method below
// is one rule of nixfmt (its Pretty, in strict mode); "absorb" is its word for
// letting an expression start on the line of what it belongs to.
type printer struct {
	out          []node
	nest, offset int

	origin  int // of the text being added
	origins []Origin
	ids     map[Origin]int
	said    int // origin of the innermost comment in force
}

func (p *printer) setOrigin(o Origin) int {
	id, ok := p.ids[o]
	if !ok {
		id = len(p.origins)
		p.ids[o] = id
		p.origins = append(p.origins, o)
	}
	p.origin = id
	return id
}

// enter makes the origin of e, if it has one, that of what is added until the
// function it returns is called.
func (p *printer) enter(e Expr) (leave func()) {
	before := p.origin
	if o := originOf(e); o != (Origin{}) {
		p.setOrigin(o)
	}
	return func() { p.origin = before }
}

func (p *printer) add(k kind, s string) {
	p.out = append(p.out, node{kind: k, text: s, width: width(s), nest: p.nest, offset: p.offset, origin: p.origin})
}

func (p *printer) text(s string) {
	if s != "" {
		p.add(text, s)
	}
}

func (p *printer) space(k kind) { p.out = append(p.out, node{kind: k}) }

func (p *printer) comment(s string) {
	p.add(comment, strings.TrimRight("# "+commentText(s), " "))
	p.space(hardLine)
}

func (p *printer) nested(f func()) {
	p.nest++
	f()
	p.nest--
}

// apart returns what f adds instead of adding it.
func (p *printer) apart(f func()) []node {
	before := p.out
	p.out = nil
	f()
	added := p.out
	p.out = before
	return added
}

func (p *printer) group(k kind, f func()) {
	p.out = append(p.out, node{kind: k, kids: p.apart(f)})
}

// expr adds an expression that is not absorbed.
func (p *printer) expr(e Expr) {
	defer p.enter(e)()
	switch x := peel(e).(type) {
	case List:
		p.group(group, func() { p.term(x, false) })
	case neg:
		p.text("-")
		p.term(x.Expr, false)
	case Call:
		p.call(x, callStyle{})
	case chain:
		p.chain(x, false)
	case member:
		p.expr(x.Expr)
		p.space(softSpace)
		p.text("? " + x.name)
	case Fn:
		p.fn(x)
	case Let:
		p.let(x)
	case With:
		p.group(group, func() { p.withHead(x) })
		p.space(space)
		p.expr(x.Body)
	default:
		p.term(x, false)
	}
}

// term adds a term. wide breaks an attribute set even if it has one binding.
func (p *printer) term(e Expr, wide bool) {
	defer p.enter(e)()
	switch x := peel(e).(type) {
	case atom:
		p.text(x.text)
	case Concat:
		p.concat(x)
	case Lines:
		p.indented(x)
	case List:
		p.list(x, hardLine)
	case Attrs:
		p.attrs(x, wide)
	case paren:
		p.paren(x)
	default: // no term: see expr
	}
}

func (p *printer) list(l List, sep kind) {
	if len(l) == 0 {
		p.text("[ ]")
		return
	}
	p.text("[")
	p.space(space)
	p.nested(func() {
		p.items(l, sep, false, func(i int) {
			p.group(group, func() { p.expr(l[i]) })
		})
	})
	p.space(space)
	p.text("]")
}

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

func (p *printer) indented(l Lines) {
	p.group(group, func() {
		p.text("''")
		p.space(lineBreak)
		p.nested(func() {
			for i, line := range escapeIndented(string(l)) {
				if i > 0 {
					p.out = append(p.out, node{kind: newlines, width: 1})
				}
				p.text(line)
			}
		})
		p.text("''")
	})
}

// concat adds a string with interpolations. Where one of them is broken its
// lines are indented by the spaces at the start of the string.
func (p *printer) concat(c Concat) {
	before := p.offset
	p.group(group, func() {
		p.text(`"`)
		alone := len(c) == 1
		for i, part := range c {
			s, ok := part.(Str)
			if !ok {
				p.interpolation(part, alone)
				continue
			}
			raw := escape(string(s), i < len(c)-1)
			p.text(raw)
			if i == 0 {
				p.offset += width(raw) - width(strings.TrimLeftFunc(raw, isSpace))
				alone = len(c) == 2 && strings.Trim(raw, " ") == ""
			}
		}
		p.text(`"`)
	})
	p.offset = before
}

// isSpace is what nixfmt counts as white space and escape leaves as it is.
func isSpace(r rune) bool { return r == '\v' || r == '\f' || unicode.Is(unicode.Zs, r) }

// interpolation adds ${e}. alone says that nothing but spaces is beside it.
func (p *printer) interpolation(e Expr, alone bool) {
	whole := p.apart(func() { p.group(group, func() { p.expr(e) }) })
	if !alone && !absorbable(e) && simple(e) {
		if flat, ok := squeeze(whole, unlimited); ok {
			whole = flat
		}
		p.text("${")
		p.out = append(p.out, whole...)
		p.text("}")
		return
	}
	p.group(group, func() {
		p.text("${")
		switch flat, ok := squeeze(whole, shortWidth); {
		case alone:
			p.nested(func() { p.parenBody(e) })
		case absorbable(e):
			p.term(e, false)
		case ok:
			p.out = append(p.out, flat...)
		default:
			p.space(lineBreak)
			p.nested(func() { p.group(group, func() { p.expr(e) }) })
			p.space(lineBreak)
		}
		p.text("}")
	})
}
