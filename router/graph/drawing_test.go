package graph_test

import (
	"bytes"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/nbr-dev/nbr/router/graph"
)

// A shape is a rectangle or a text of a drawing.
type shape struct {
	class      string
	x, y, w, h int
	text       string
	in         int // the number of the g that it is in, 0 outside
}

func (s shape) String() string {
	return fmt.Sprintf("%s %q at %d,%d %dx%d", s.class, s.text, s.x, s.y, s.w, s.h)
}

func (s shape) overlaps(o shape) bool {
	return s.x < o.x+o.w && o.x < s.x+s.w && s.y < o.y+o.h && o.y < s.y+s.h
}

func (s shape) holds(o shape) bool {
	return s.x <= o.x && s.y <= o.y && o.x+o.w <= s.x+s.w && o.y+o.h <= s.y+s.h
}

// A picture is what a drawing has in it.
type picture struct {
	all                        shape
	cards, zones, pills, texts []shape
	wires                      []path
	title, desc, style         string
	titles                     []string // of groups
}

// A path is a wire: the boxes of its straight parts and bends.
type path struct {
	class string
	parts []shape
}

// allowed are the elements of a drawing, each with its attributes. Nothing of them names
// another file or runs.
var allowed = map[string]string{
	"svg": "xmlns width height viewBox role aria-labelledby", "title": "id", "desc": "id", "style": "",
	"g": "role class aria-hidden", "rect": "class x y width height rx", "text": "class x y textLength lengthAdjust",
	"path": "class d", "circle": "class cx cy r",
}

// read takes a drawing apart, with encoding/xml as the strict reader that it is.
func read(t *testing.T, svg []byte) *picture {
	t.Helper()
	p := &picture{}
	dec := xml.NewDecoder(bytes.NewReader(svg))
	var open []xml.StartElement
	groups, in := 0, 0
	for {
		tok, err := dec.Token()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatalf("not well formed: %v\n%s", err, svg)
		}
		switch tok := tok.(type) {
		case xml.StartElement:
			names, ok := allowed[tok.Name.Local]
			if !ok || tok.Name.Space != "http://www.w3.org/2000/svg" {
				t.Fatalf("an element %v", tok.Name)
			}
			for _, a := range tok.Attr {
				if !slices.Contains(strings.Fields(names), a.Name.Local) || a.Name.Space != "" {
					t.Fatalf("%s has an attribute %v", tok.Name.Local, a.Name)
				}
			}
			if tok.Name.Local == "g" {
				groups++
				in = groups
			}
			open = append(open, tok.Copy())
			p.take(tok, in)
		case xml.CharData:
			p.write(open, string(tok))
		case xml.EndElement:
			if tok.Name.Local == "g" {
				in = 0
			}
			open = open[:len(open)-1]
		default:
			t.Fatalf("a token %T", tok)
		}
	}
	return p
}

func (p *picture) take(e xml.StartElement, in int) {
	get := func(name string) string {
		for _, a := range e.Attr {
			if a.Name.Local == name {
				return a.Value
			}
		}
		return ""
	}
	num := func(name string) int {
		n, err := strconv.Atoi(get(name))
		if err != nil {
			panic(fmt.Sprintf("%s of %s: %v", name, e.Name.Local, err))
		}
		return n
	}
	class := get("class")
	switch e.Name.Local {
	case "svg":
		p.all = shape{w: num("width"), h: num("height")}
	case "rect":
		if class == "page" {
			return
		}
		s := shape{class, num("x"), num("y"), num("width"), num("height"), "", in}
		switch strings.Fields(class)[0] {
		case "card":
			p.cards = append(p.cards, s)
		case "zone":
			p.zones = append(p.zones, s)
		case "p":
			p.pills = append(p.pills, s)
		}
	case "text":
		size := graph.Size(class)
		p.texts = append(p.texts, shape{class, num("x"), num("y") - size*8/10, 0, size, "", in})
		if fit := get("textLength"); fit != "" {
			p.texts[len(p.texts)-1].w = num("textLength")
		}
	case "path":
		if strings.HasPrefix(class, "w ") {
			p.wires = append(p.wires, path{class, parts(get("d"))})
		}
	}
}

// write puts a text where it belongs.
func (p *picture) write(open []xml.StartElement, text string) {
	if len(open) == 0 {
		return
	}
	switch at := open[len(open)-1].Name.Local; {
	case at == "text":
		last := &p.texts[len(p.texts)-1]
		last.text += text
		if w := graph.Width(last.class, last.text); last.w == 0 || graph.Plain(last.text) {
			last.w = w
		}
	case at == "title" && len(open) == 2:
		p.title += text
	case at == "title":
		p.titles = append(p.titles, text)
	case at == "desc":
		p.desc += text
	case at == "style":
		p.style += text
	}
}

var stepRE = regexp.MustCompile(`([MHVQ])([0-9 -]+)`)

// parts are the boxes of a path's lines and bends.
func parts(d string) []shape {
	if rest := stepRE.ReplaceAllString(d, ""); rest != "" {
		panic("what is " + rest + " in a path")
	}
	var out []shape
	x, y := 0, 0
	for _, m := range stepRE.FindAllStringSubmatch(d, -1) {
		var n []int
		for _, f := range strings.Fields(m[2]) {
			v, err := strconv.Atoi(f)
			if err != nil {
				panic(err)
			}
			n = append(n, v)
		}
		tx, ty := x, y
		switch m[1] {
		case "M":
			x, y = n[0], n[1]
			continue
		case "H":
			tx = n[0]
		case "V":
			ty = n[0]
		case "Q":
			tx, ty = n[2], n[3]
		}
		out = append(out, shape{class: m[1], x: min(x, tx), y: min(y, ty), w: max(x, tx) - min(x, tx), h: max(y, ty) - min(y, ty)})
		x, y = tx, ty
	}
	return out
}

// judge wants of a drawing that nothing in it is on something else.
func judge(t *testing.T, svg []byte) *picture {
	t.Helper()
	p := read(t, svg)
	if p.style != "\n"+graph.Style || p.title == "" || p.desc == "" {
		t.Errorf("style, title or description: %q %q", p.title, p.desc)
	}
	apart(t, "cards", p.cards)
	apart(t, "zones", p.zones)
	apart(t, "services", p.pills)
	apart(t, "texts", p.texts)
	byGroup := map[int]shape{}
	for _, c := range append(slices.Clone(p.cards), p.zones...) {
		byGroup[c.in] = c
	}
	for _, s := range slices.Concat(p.cards, p.zones, p.pills, p.texts) {
		if !p.all.holds(s) {
			t.Errorf("%s is not in the drawing", s)
		}
		if owner, ok := byGroup[s.in]; s.in != 0 && (!ok || !owner.holds(s)) {
			t.Errorf("%s is not in its box, %s", s, owner)
		}
	}
	for _, c := range p.cards {
		for _, z := range p.zones {
			if c.overlaps(z) && !z.holds(c) {
				t.Errorf("%s is half in %s", c, z)
			}
		}
	}
	judgeWires(t, p)
	return p
}

// apart wants no two of the shapes on each other.
func apart(t *testing.T, what string, shapes []shape) {
	t.Helper()
	sorted := slices.Clone(shapes)
	slices.SortFunc(sorted, func(a, b shape) int { return a.y - b.y })
	for i, a := range sorted {
		for _, b := range sorted[i+1:] {
			if b.y >= a.y+a.h {
				break
			}
			if a.overlaps(b) {
				t.Errorf("%s on each other: %s and %s", what, a, b)
			}
		}
	}
}

// judgeWires wants that no wire passes a card or a text, and that none of policies runs on
// another.
func judgeWires(t *testing.T, p *picture) {
	t.Helper()
	var still []shape
	for _, c := range p.cards {
		still = append(still, shape{c.class, c.x + 1, c.y + 1, c.w - 2, c.h - 2, "", c.in})
	}
	inCard := map[int]bool{}
	for _, c := range p.cards {
		inCard[c.in] = true
	}
	for _, s := range p.texts {
		if !inCard[s.in] {
			still = append(still, s)
		}
	}
	slices.SortFunc(still, func(a, b shape) int { return a.y - b.y })
	type run struct {
		shape
		wire int
	}
	var runs []run
	for i, w := range p.wires {
		for _, part := range w.parts {
			part.w, part.h = max(part.w, 1), max(part.h, 1)
			for _, s := range still {
				if s.y >= part.y+part.h {
					break
				}
				if s.overlaps(part) {
					t.Errorf("a wire %s passes %s: %s", w.class, s, part)
				}
			}
			if part.class != "Q" && !strings.HasPrefix(w.class, "w link") {
				part.w, part.h = part.w+2, part.h+2 // what is that near looks like one wire
				runs = append(runs, run{part, i})
			}
		}
	}
	for i, a := range runs {
		for _, b := range runs[i+1:] {
			if a.wire != b.wire && a.class == b.class && a.overlaps(b.shape) {
				t.Errorf("wires on each other: %s and %s", a, b)
			}
		}
	}
}
