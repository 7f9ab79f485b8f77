package nixgen

import (
	"strings"
	"unicode"
)

// How strings are printed.

const shortWidth = 30 // an interpolation of this width is never broken

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
