package nixgen

import (
	"fmt"
	"math/rand/v2"
	"strings"
)

// randomExpr makes a valid closed tree: every variable is an argument of the
// function around it. tame leaves out strings that need escapes.
func randomExpr(r *rand.Rand, tame bool) Expr {
	g := &generator{r: r, tame: tame, vars: []string{"lib", "pkgs", "config", "a", "veryLongArgumentName"}}
	params := g.vars[:1+r.IntN(len(g.vars))]
	g.vars = params
	return Fn{Params: params, Ellipsis: g.chance(2), Body: g.expr(2 + r.IntN(4))}
}

// A generator makes random trees.
type generator struct {
	r     *rand.Rand
	tame  bool
	vars  []string
	names int
}

func (g *generator) chance(n int) bool { return g.r.IntN(n) == 0 }

func (g *generator) list(depth, max int) []Expr {
	out := make([]Expr, g.r.IntN(max+1))
	for i := range out {
		out[i] = g.at(g.expr(depth))
	}
	return out
}

func (g *generator) at(e Expr) Expr {
	if !g.chance(4) {
		return e
	}
	return At{Origin{"router.hcl", 1 + g.r.IntN(3), "dhcp4.lan"}, e}
}

func (g *generator) binds(depth, max int) []Attr {
	out := make([]Attr, g.r.IntN(max+1))
	for i := range out {
		var path []string
		for range 1 + g.r.IntN(1+g.r.IntN(6)) {
			g.names++
			if g.chance(5) {
				path = append(path, fmt.Sprintf("net.%s.%d", g.string(), g.names))
			} else {
				path = append(path, fmt.Sprintf("%s%d", g.pick("a", "enable", "extraConfiguration", "x-y_"), g.names))
			}
		}
		out[i] = Attr{path, g.at(g.expr(depth))}
	}
	return out
}

func (g *generator) pick(from ...string) string { return from[g.r.IntN(len(from))] }

func (g *generator) string() string {
	if g.tame {
		return g.pick("", "a", " x", "    ", "some words")
	}
	return nastyString(g.r)
}

func (g *generator) variable() Var {
	v := g.pick(g.vars...)
	for range g.r.IntN(4) {
		v += "." + g.pick("mkForce", "kernel", "yes", "a", "someRatherLongAttributeName", "4ap")
	}
	return Var(v)
}

func (g *generator) leaf() Expr {
	switch g.r.IntN(12) {
	case 0:
		return Int(g.r.Int64N(4000) - 1000)
	case 1:
		return Float(g.r.NormFloat64() * 100)
	case 2:
		return Bool(g.chance(2))
	case 3:
		return Null{}
	case 4:
		return Path("./" + g.pick("a", "local.nix", "b/c-d/e_f+g"))
	case 5:
		return Str(g.string())
	case 6:
		return Str(strings.Repeat("long words ", g.r.IntN(12)))
	case 7:
		if g.tame {
			return Lines(g.pick("a\n", "a\n\n    b\nc", "  a\n b\n", "\nx"))
		}
		return Lines(nastyText(g.r))
	case 8:
		return List{}
	default:
		return g.variable()
	}
}

func (g *generator) expr(depth int) Expr {
	if depth <= 0 {
		return g.leaf()
	}
	depth--
	switch g.r.IntN(14) {
	case 0, 1:
		return List(g.list(depth, 1+g.r.IntN(8)))
	case 2, 3, 4:
		return Attrs(g.binds(depth, 1+g.r.IntN(4)))
	case 5, 6:
		return Call{g.callee(depth), g.list(depth, 1+g.r.IntN(4))}
	case 7:
		return g.fn(depth)
	case 8:
		return Let{g.binds(depth, 3), g.expr(depth)}
	case 9:
		return With{g.callee(depth), g.expr(depth)}
	case 10:
		return Op{g.pick("++", "//", "+", "-", "*", "/", "==", "!=", "<", ">=", "&&", "||", "->"), g.expr(depth), g.expr(depth)}
	case 11:
		return Op{"?", g.expr(depth), Var(g.pick("a", "b.c"))}
	case 12:
		var c Concat
		for range g.r.IntN(5) {
			if g.chance(2) {
				c = append(c, Str(g.string()))
			} else {
				c = append(c, g.expr(g.r.IntN(depth+1)))
			}
		}
		return c
	default:
		return g.leaf()
	}
}

func (g *generator) callee(depth int) Expr {
	if g.chance(6) {
		return g.expr(depth)
	}
	return g.variable()
}

func (g *generator) fn(depth int) Expr {
	outer := g.vars
	defer func() { g.vars = outer }()
	if g.chance(2) {
		g.names++
		arg := fmt.Sprintf("x%d", g.names)
		g.vars = append(outer[:len(outer):len(outer)], arg)
		return Fn{Arg: arg, Body: g.expr(depth)}
	}
	var params []string
	for range g.r.IntN(4) {
		g.names++
		params = append(params, fmt.Sprintf("p%d", g.names))
	}
	g.vars = append(outer[:len(outer):len(outer)], params...)
	return Fn{Params: params, Ellipsis: g.chance(2), Body: g.expr(depth)}
}

// nasty are pieces that mean something to Nix, put together in all ways.
var nasty = []string{
	`"`, `\`, `$`, `{`, `}`, `${`, `''`, `'`, "\n", "\r", "\t", " ", "  ", "é", "漢", "😀", "a", "x y",
	`$$`, `''$`, `''\`, `'''`, `\n`, `\${`, "#", "/*", "*/", ";", "\n\n", "\r\n", "\x01", "\x1b", "\u00a0",
	"\u2028", "\u202e", "@", "''${", "~", "<", "n", "..", "=",
}

func nastyString(r *rand.Rand) string {
	var b strings.Builder
	for range r.IntN(8) {
		b.WriteString(nasty[r.IntN(len(nasty))])
	}
	return b.String()
}

// nastyText is a text of several lines, often one that an indented string can
// hold.
func nastyText(r *rand.Rand) string {
	var b strings.Builder
	for range 1 + r.IntN(4) {
		b.WriteString([]string{"", "", "a", "  ", "\t", "'", "$"}[r.IntN(7)])
		b.WriteString(nastyString(r))
		b.WriteString([]string{"\n", "\n", "\n", ""}[r.IntN(4)])
	}
	return b.String()
}
