package graph

import (
	"bytes"
	"cmp"
	"encoding/xml"
	"fmt"
	"io"
	"slices"
	"strings"
)

// A colour is a property of elements, for light and dark pages.
type colour struct{ selector, property, light, dark string }

// palette are all colours of the drawing.
var palette = []colour{
	{".page", "fill", "#ffffff", "#0d1117"},
	{"text", "fill", "#1f2328", "#e6edf3"},
	{".s,.h,.idle text", "fill", "#57606a", "#9aa4ae"},
	{".zone", "fill", "#f6f8fa", "#131922"},
	{".zone", "stroke", "#afb8c1", "#4b545f"},
	{".zone.up", "fill", "#fdf6e3", "#211c10"},
	{".zone.up", "stroke", "#bf8700", "#9e7a1f"},
	{".card", "fill", "#ffffff", "#1b222c"},
	{".card", "stroke", "#8c959f", "#6e7783"},
	{".card.base", "fill", "#eaeef2", "#2a323d"},
	{".idle .card", "fill", "none", "none"},
	{".card.out", "fill", "#fff3c4", "#3a2f10"},
	{".card.accept", "stroke", "#1a7f37", "#3fb950"},
	{".card.deny", "stroke", "#cf222e", "#ff7b72"},
	{".card.forward", "stroke", "#8250df", "#bc8cff"},
	{".v.accept", "fill", "#116329", "#56d364"},
	{".v.deny", "fill", "#a40e26", "#ff7b72"},
	{".v.forward", "fill", "#6639ba", "#d2a8ff"},
	{".p", "fill", "#ddf4ff", "#0c2d4d"},
	{".p", "stroke", "#54aeff", "#316dca"},
	{".q", "fill", "#0a3069", "#a5d6ff"},
	{".p.c", "fill", "#ffffff", "#1b222c"},
	{".p.c", "stroke", "#8c959f", "#6e7783"},
	{".j", "fill", "#6e7781", "#8b949e"},
	{".w", "stroke", "#6e7781", "#8b949e"},
	{".w.accept", "stroke", "#1a7f37", "#3fb950"},
	{".w.deny", "stroke", "#cf222e", "#ff7b72"},
	{".w.forward", "stroke", "#8250df", "#bc8cff"},
	{".m.accept,.j.accept", "fill", "#1a7f37", "#3fb950"},
	{".m.deny,.j.deny", "fill", "#cf222e", "#ff7b72"},
	{".m.forward,.j.forward", "fill", "#8250df", "#bc8cff"},
}

// shapes are the properties that are the same on both.
const shapes = `text{font-family:system-ui,-apple-system,"Segoe UI","DejaVu Sans",sans-serif}
.t{font-size:22px;font-weight:700}
.h{font-size:12px}
.z{font-size:12px;font-weight:700}
.n{font-size:13px;font-weight:700}
.s,.v,.q{font-size:11px}
.a{font-size:12px;font-family:ui-monospace,"DejaVu Sans Mono",monospace}
.zone.none,.p.c,.w.over,.w.deny,.idle rect{stroke-dasharray:4 3}
.w{fill:none;stroke-width:1.5}
.card.way{stroke-width:1.5}
`

func style() string {
	var light, dark strings.Builder
	for _, c := range palette {
		fmt.Fprintf(&light, "%s{%s:%s}\n", c.selector, c.property, c.light)
		fmt.Fprintf(&dark, "%s{%s:%s}\n", c.selector, c.property, c.dark)
	}
	return shapes + light.String() + "@media (prefers-color-scheme:dark){\n" + dark.String() + "}\n"
}

// SVG writes the graph as a drawing that stands alone: it names no other file and no font, and
// fits light and dark pages. The same graph gives the same bytes.
func (g *Graph) SVG(w io.Writer) error {
	l := place(g)
	var b bytes.Buffer
	fmt.Fprintf(&b, `<svg xmlns="http://www.w3.org/2000/svg" width="%d" height="%d" viewBox="0 0 %[1]d %[2]d" role="graphics-document" aria-labelledby="nbr-title nbr-desc">`+"\n", l.w, l.h)
	fmt.Fprintf(&b, "<title id=\"nbr-title\">The network of %s</title>\n<desc id=\"nbr-desc\">%s</desc>\n", escape(g.Name), escape(g.Description()))
	fmt.Fprintf(&b, "<style>\n%s</style>\n", style())
	fmt.Fprintf(&b, `<rect class="page" width="%d" height="%d"/>`+"\n", l.w, l.h)
	for _, t := range l.texts {
		t.write(&b, 0, 0)
	}
	for _, f := range l.fields {
		f.write(&b)
	}
	for _, c := range l.cards {
		c.write(&b)
	}
	b.WriteString("<g aria-hidden=\"true\">\n")
	for _, w := range l.wires {
		w.write(&b)
	}
	b.WriteString("</g>\n")
	b.WriteString("</svg>\n")
	_, err := w.Write(b.Bytes())
	return err
}

// escape is a text as it stands in XML, in an attribute or outside of tags.
func escape(s string) string {
	var b strings.Builder
	if err := xml.EscapeText(&b, []byte(s)); err != nil {
		panic(err) // a strings.Builder takes all
	}
	return b.String()
}

// write writes the text; what is not plain is fitted into the width that is kept for it.
func (t line) write(b *bytes.Buffer, x, y int) {
	fit := ""
	if !plain(t.text) {
		fit = fmt.Sprintf(` textLength="%d" lengthAdjust="spacingAndGlyphs"`, t.width(t.text))
	}
	fmt.Fprintf(b, `<text class="%s" x="%d" y="%d"%s>%s</text>`+"\n", t.class, x+t.x, y+t.y, fit, escape(t.text))
}

func (f *field) write(b *bytes.Buffer) {
	class := "zone"
	switch {
	case f.group.Addr == "":
		class += " none"
	case f.group.Upstream:
		class += " up"
	}
	fmt.Fprintf(b, `<g role="group"><title>%s</title>`+"\n", escape(cmp.Or(f.group.Addr, f.group.Name)))
	fmt.Fprintf(b, `<rect class="%s" x="%d" y="%d" width="%d" height="%d" rx="8"/>`+"\n", class, f.x, f.y, f.w, f.h)
	line{zoneFont, f.label, pad, 18}.write(b, f.x, f.y)
	b.WriteString("</g>\n")
}

func (c *card) write(b *bytes.Buffer) {
	n := c.node
	class := "card"
	idle := ""
	switch {
	case n.Kind == Way:
		class += " way " + verdictClass(n.Verdict)
	case n.Outside:
		class += " out"
	case n.Base:
		class += " base"
	}
	if n.Idle {
		idle = ` class="idle"`
	}
	fmt.Fprintf(b, `<g role="group"%s><title>%s</title>`+"\n", idle, escape(n.Addr))
	fmt.Fprintf(b, `<rect class="%s" x="%d" y="%d" width="%d" height="%d" rx="5"/>`+"\n", class, c.x, c.y, c.w, c.h)
	for _, t := range c.lines {
		t.write(b, c.x, c.y)
	}
	for _, p := range c.pills {
		class, f := "p", openFont
		if p.closed {
			class, f = "p c", noteFont
		}
		fmt.Fprintf(b, `<rect class="%s" x="%d" y="%d" width="%d" height="%d" rx="9"/>`+"\n", class, c.x+p.x, c.y+p.y, p.w, pillHigh)
		line{f, p.text, p.x + 7, p.y + 13}.write(b, c.x, c.y)
	}
	b.WriteString("</g>\n")
}

func (w *wire) write(b *bytes.Buffer) {
	var d strings.Builder
	lo, hi := w.span()
	var joints []int
	if lo == hi {
		fmt.Fprintf(&d, "M%d %dH%d", w.left[0].x, lo, w.right[0].x)
	} else {
		joints = w.trunk(&d, lo, hi)
	}
	fmt.Fprintf(b, `<path class="w %s" d="%s"/>`+"\n", w.class, d.String())
	for _, y := range joints {
		fmt.Fprintf(b, `<circle class="j %s" cx="%d" cy="%d" r="2.5"/>`+"\n", w.class, w.x, y)
	}
	for _, t := range w.left {
		switch {
		case t.arrow:
			fmt.Fprintf(b, `<path class="m %s" d="M%d %dl8 -4v8z"/>`+"\n", w.class, t.x, t.y)
		case t.dot:
			fmt.Fprintf(b, `<circle class="m %s" cx="%d" cy="%d" r="3"/>`+"\n", w.class, t.x, t.y)
		}
	}
}

// trunk draws a wire that is not straight. Its ends are round, but where taps leave there to
// both sides. It returns where taps meet it in between, which a wire that crosses does not.
func (w *wire) trunk(d *strings.Builder, lo, hi int) (joints []int) {
	at := func(taps []tap, y int) bool {
		return slices.ContainsFunc(taps, func(t tap) bool { return t.y == y })
	}
	through := func(y int) bool { return at(w.left, y) && at(w.right, y) }
	r := min(bend, (hi-lo)/2)
	side := func(taps []tap, dir int) {
		for _, t := range taps {
			switch {
			case t.y == lo && !through(lo):
				fmt.Fprintf(d, "M%d %dH%dQ%d %d %d %d", t.x, t.y, w.x+dir*r, w.x, t.y, w.x, t.y+r)
			case t.y == hi && !through(hi):
				fmt.Fprintf(d, "M%d %dH%dQ%d %d %d %d", t.x, t.y, w.x+dir*r, w.x, t.y, w.x, t.y-r)
			default:
				fmt.Fprintf(d, "M%d %dH%d", t.x, t.y, w.x)
				joints = append(joints, t.y)
			}
		}
	}
	side(w.left, -1)
	side(w.right, 1)
	from, to := lo+r, hi-r
	if through(lo) {
		from = lo
	}
	if through(hi) {
		to = hi
	}
	if from < to {
		fmt.Fprintf(d, "M%d %dV%d", w.x, from, to)
	}
	slices.Sort(joints)
	return slices.Compact(joints)
}

// Description says what the drawing shows, in sentences.
func (g *Graph) Description() string {
	out := []string{fmt.Sprintf("Links: %d, networks: %d, zones: %d.", len(g.of(Link)), len(g.of(Network)), len(g.Groups))}
	on := map[*Node][]string{}
	for _, e := range g.Edges {
		if e.Kind == Carries {
			to := e.To.(*Node)
			on[to] = append(on[to], e.From.(*Node).Name)
		}
	}
	for _, n := range g.of(Link) {
		if len(on[n]) > 0 {
			out = append(out, fmt.Sprintf("Link %s is on %s.", n.Name, strings.Join(on[n], ", ")))
		}
	}
	for _, n := range g.of(Network) {
		text := fmt.Sprintf("Network %s is on %s, ", n.Name, strings.Join(on[n], ", "))
		if n.Group.Addr == "" {
			text += n.Group.Name
		} else {
			text += "in zone " + n.Group.Name
		}
		out = append(out, text+".")
	}
	for _, n := range g.of(Way) {
		out = append(out, fmt.Sprintf("%s %s: %s.", n.Verdict, n.Name, strings.Join(n.Notes, "; ")))
	}
	return strings.Join(out, " ")
}
