package nixgen

import (
	"math"
	"strings"
)

const unlimited = math.MaxInt // columns

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
