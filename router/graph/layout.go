package graph

import (
	"net"
	"net/netip"
	"strconv"
	"strings"
)

// Distances, in px.
const (
	margin   = 24 // around all
	pad      = 12 // inside of cards and zones
	gap      = 10 // between cards above each other
	meet     = 17 // where a wire meets a card, below its top: the middle of the first line
	rowName  = 16
	rowNote  = 14
	pillHigh = 18
	pillGap  = 5
	pitch    = 8  // between wires
	bend     = 6  // radius of a wire's corner
	lane     = 34 // between columns, without the wires in it
	railWide = 34 // between a network and its hosts
	mostText = 300
)

// A line is a text of a card, relative to the card.
type line struct {
	font
	text string
	x, y int // of the baseline
}

// A pill is a service of a network, relative to the card.
type pill struct {
	x, y, w int
	text    string
	closed  bool
}

// A card is a node with its place. A card without a node is where a wire passes a column.
type card struct {
	node       *Node
	x, y, w, h int
	lines      []line
	pills      []pill
	taps       int  // wires that leave a host for ways
	over       bool // without a node: what passes is carried by a network
}

// axis is where wires meet the card.
func (c *card) axis() int {
	if c.node == nil {
		return c.y + c.h/2
	}
	return c.y + meet
}

// A field is a zone with its place.
type field struct {
	group      *Group
	x, y, w, h int
	rows       []row
	label      string
}

// A row is a network with its hosts.
type row struct {
	network *card
	hosts   []*card
}

// A tap is an end of a wire.
type tap struct {
	x, y  int
	arrow bool
	dot   bool
	host  *card // that it is at, or nil
}

// A wire is a vertical line with taps to both sides.
type wire struct {
	class       string
	left, right []tap
	track       int
	x           int // of the vertical line
}

// A layout is a graph with the place of everything in it.
type layout struct {
	g       *Graph
	w, h    int
	fields  []*field
	cards   []*card
	wires   []*wire
	texts   []line // outside of cards
	byNode  map[*Node]*card
	byGroup map[*Group]*field
	columns [][]*card // of links, from the left
	ways    []*card
	cardW   int // of networks
	hostW   int // 0 without hosts
	top     int // of all lanes
	heads   int // baseline of what is written above the lanes
}

// place computes the layout. Every coordinate is a whole number that depends on the graph
// alone.
func place(g *Graph) *layout {
	l := &layout{g: g, byNode: map[*Node]*card{}, byGroup: map[*Group]*field{}}
	for _, n := range g.Nodes {
		c := &card{node: n}
		c.fill()
		l.byNode[n] = c
		l.cards = append(l.cards, c)
	}
	l.title()
	l.sizeNetworks()
	l.stackZones()
	segments := l.stackLinks()
	buses := l.stackWays()
	x := l.spreadLinks(segments)
	x = l.spreadZones(x)
	l.spreadWays(x, buses)
	l.finish()
	return l
}

// fill sets the lines of a card and its size.
func (c *card) fill() {
	n := c.node
	y, w := pad, 0
	add := func(f font, text string) {
		text = f.clip(text, mostText)
		high := rowNote
		if len(c.lines) == 0 {
			high = rowName
		}
		y += high
		c.lines = append(c.lines, line{f, text, pad, y - 4})
		w = max(w, f.width(text))
	}
	first := nameFont
	if n.Kind == Host && isAddress(n.Name) {
		first = addrFont
	}
	add(first, n.Name)
	if n.Aside != "" {
		f := noteFont
		if n.Kind == Way {
			f.class = "v " + verdictClass(n.Verdict)
		}
		text := f.clip(n.Aside, mostText)
		at := 2*pad + w
		c.lines = append(c.lines, line{f, text, at, c.lines[0].y})
		w = at - pad + f.width(text)
	}
	for _, note := range n.Notes {
		f := noteFont
		if isAddress(note) {
			f = addrFont
		}
		add(f, note)
	}
	c.w, c.h = w+2*pad, y+pad-2
	c.h = max(c.h, 2*meet)
	row := -pillGap
	for i, s := range n.Services {
		text := noteFont.clip(s.String(), mostText)
		c.pills = append(c.pills, pill{text: text, w: noteFont.width(text) + 14, closed: s.Closed})
		row += c.pills[i].w + pillGap
		c.w = max(c.w, c.pills[i].w+2*pad, min(row, mostText)+2*pad)
	}
}

// isAddress tells whether a text is an address, a block or a range of them.
func isAddress(s string) bool {
	for _, part := range strings.FieldsFunc(s, func(r rune) bool { return r == '-' || r == '/' }) {
		_, err := netip.ParseAddr(part)
		_, no := strconv.Atoi(part)
		_, mac := net.ParseMAC(part)
		if err != nil && no != nil && mac != nil {
			return false
		}
	}
	return s != ""
}

// title sets what is written above the lanes.
func (l *layout) title() {
	y := margin + 20
	l.texts = append(l.texts, line{titleFont, titleFont.clip(l.g.Name, 900), margin, y})
	about := ""
	for i, f := range l.g.Facts {
		if i > 0 {
			about += " · "
		}
		about += f
	}
	y += 22
	l.texts = append(l.texts, line{headFont, headFont.clip(about, 900), margin, y})
	for _, text := range headFont.wrap(l.g.Text, 700, 3) {
		y += 17
		l.texts = append(l.texts, line{headFont, text, margin, y})
	}
	l.heads = y + 34
	l.top = l.heads + 12
}

// sizeNetworks makes the cards of networks, and those of hosts, equally wide, and breaks the
// services of a network into rows.
func (l *layout) sizeNetworks() {
	for _, c := range l.cards {
		switch c.node.Kind {
		case Network:
			l.cardW = max(l.cardW, c.w, 190)
		case Host:
			l.hostW = max(l.hostW, c.w)
		case Link, Way:
		}
	}
	for _, c := range l.cards {
		switch c.node.Kind {
		case Network:
			c.w = l.cardW
			c.breakPills()
		case Host:
			c.w = l.hostW
		case Link, Way:
		}
	}
}

func (c *card) breakPills() {
	x, y := pad, c.h-pad+6
	for i := range c.pills {
		p := &c.pills[i]
		if x > pad && x+p.w > c.w-pad {
			x, y = pad, y+pillHigh+pillGap
		}
		p.x, p.y = x, y
		x += p.w + pillGap
	}
	if len(c.pills) > 0 {
		c.h = y + pillHigh + pad - 2
	}
}

// stackZones puts the zones below each other, each with its networks, and those with their
// hosts.
func (l *layout) stackZones() {
	rows := map[*Node]*row{}
	inGroup := map[*Group][]*row{}
	for _, c := range l.cards {
		switch n := c.node; n.Kind {
		case Network:
			r := &row{network: c}
			rows[n] = r
			inGroup[n.Group] = append(inGroup[n.Group], r)
		case Host:
			rows[n.Network].hosts = append(rows[n.Network].hosts, c)
		case Link, Way:
		}
	}
	taps := map[End]int{}
	for _, e := range l.waysOf() {
		taps[e.end]++
	}
	y := l.top
	for _, g := range l.g.Groups {
		f := &field{group: g, y: y, label: zoneFont.clip(g.label(), mostText)}
		l.byGroup[g] = f
		l.fields = append(l.fields, f)
		y += 26
		for _, r := range inGroup[g] {
			f.rows = append(f.rows, *r)
			r.network.y = y
			below := y
			for _, h := range r.hosts {
				h.y, h.taps = below, taps[h.node]
				h.h = max(h.h, 2*meet+pitch*(h.taps-1))
				below += h.h + gap
			}
			y = max(y+r.network.h+gap, below)
		}
		if len(f.rows) == 0 {
			y += gap // a zone that nothing is in
		}
		f.h = max(y-gap+pad-f.y, f.room(taps[g]))
		y = f.y + f.h + pad
	}
}

// An ending is where a way begins or ends.
type ending struct {
	way   *Node
	end   End
	arrow bool
}

// waysOf are the ends of all ways, by way.
func (l *layout) waysOf() []ending {
	var out []ending
	for _, e := range l.g.Edges {
		switch e.Kind {
		case From:
			out = append(out, ending{e.To.(*Node), e.From, false})
		case To:
			out = append(out, ending{e.From.(*Node), e.To, true})
		case Carries, Over, Holds:
		}
	}
	return out
}

// busy are the heights at which wires of hosts leave a zone.
func (f *field) busy() []int {
	var out []int
	for _, r := range f.rows {
		for _, h := range r.hosts {
			for i := range h.taps {
				out = append(out, h.axis()+pitch*i)
			}
		}
	}
	return out
}

// free are n heights at which wires can leave a zone.
func (f *field) free(n int) []int {
	busy := f.busy()
	var out []int
	for y := f.y + 13; len(out) < n; y += pitch {
		for len(busy) > 0 && busy[0] <= y-pitch {
			busy = busy[1:]
		}
		if len(busy) > 0 && busy[0] < y+pitch {
			continue
		}
		out = append(out, y)
	}
	return out
}

// room is how high a zone has to be for so many wires.
func (f *field) room(n int) int {
	if n == 0 {
		return 0
	}
	return f.free(n)[n-1] + pad - f.y
}

// stackWays puts the ways below each other in their order, each as near as can be to its ends,
// and returns their wires.
func (l *layout) stackWays() []*wire {
	byWay := map[*Node]*wire{}
	var out []*wire
	hosts := map[*card]int{}
	zones := map[*field][]*tap{}
	for _, c := range l.cards {
		if n := c.node; n.Kind == Way {
			byWay[n] = &wire{class: verdictClass(n.Verdict)}
			l.ways = append(l.ways, c)
		}
	}
	var all []*tap
	wireOf := map[*tap]*wire{}
	for _, e := range l.waysOf() {
		t := &tap{arrow: e.arrow, dot: !e.arrow}
		switch end := e.end.(type) {
		case *Group:
			f := l.byGroup[end]
			zones[f] = append(zones[f], t)
		case *Node:
			h := l.byNode[end]
			t.y, t.host = h.axis()+pitch*hosts[h], h
			hosts[h]++
		}
		all, wireOf[t] = append(all, t), byWay[e.way]
	}
	for _, f := range l.fields {
		for i, y := range f.free(len(zones[f])) {
			zones[f][i].y = y
		}
	}
	for _, t := range all {
		wireOf[t].left = append(wireOf[t].left, *t)
	}
	want := make([]int, len(l.ways))
	for i, c := range l.ways {
		w := byWay[c.node]
		want[i] = l.top + meet
		if i > 0 {
			want[i] = max(want[i], want[i-1])
		}
		if len(w.left) > 0 {
			ys := make([]int, len(w.left))
			for k, t := range w.left {
				ys[k] = t.y
			}
			want[i] = middle(ys)
			out = append(out, w)
		}
	}
	settle(l.ways, want, l.top)
	for _, c := range l.ways {
		if w := byWay[c.node]; len(w.left) > 0 {
			w.right = []tap{{y: c.axis()}}
		}
	}
	nudge(out, func(w *wire) []tap { return w.right }, func(w *wire) []tap { return w.left })
	return out
}

// middle is where what belongs to these heights is best seen: between them, or at the first
// where they are too far from each other to be seen together.
func middle(ys []int) int {
	sum, lo, hi := 0, ys[0], ys[0]
	for _, y := range ys {
		sum, lo, hi = sum+y, min(lo, y), max(hi, y)
	}
	if hi-lo > 700 {
		return lo
	}
	return sum / len(ys)
}

func verdictClass(v Verdict) string {
	switch v {
	case Accept:
		return "accept"
	case Forward:
		return "forward"
	case Drop, Reject:
		return "deny"
	}
	return ""
}

// spreadZones gives zones and what is in them their place from the left.
func (l *layout) spreadZones(x int) int {
	wide := 2*pad + l.cardW
	if l.hostW > 0 {
		wide += railWide + l.hostW
	}
	for _, f := range l.fields {
		wide = max(wide, zoneFont.width(f.label)+2*pad)
	}
	for _, f := range l.fields {
		f.x, f.w = x, wide
		for _, r := range f.rows {
			r.network.x = x + pad
			if len(r.hosts) == 0 {
				continue
			}
			from := x + pad + l.cardW
			w := &wire{class: "link", x: from + railWide/2, left: []tap{{x: from, y: r.network.axis()}}}
			for _, h := range r.hosts {
				h.x = from + railWide
				w.right = append(w.right, tap{x: h.x, y: h.axis()})
			}
			l.wires = append(l.wires, w)
		}
	}
	if len(l.fields) == 0 {
		return x
	}
	return x + wide
}

// spreadWays gives ways and their wires their place from the left.
func (l *layout) spreadWays(x int, buses []*wire) {
	tracks := lay(buses)
	right := x + lane + pitch*tracks
	wide := 0
	for _, c := range l.ways {
		wide = max(wide, c.w)
	}
	for _, c := range l.ways {
		c.x, c.w = right, wide
	}
	for _, w := range buses {
		w.x = x + lane/2 + pitch*w.track
		for i, t := range w.left {
			w.left[i].x = x
			if t.host != nil {
				w.left[i].x = t.host.x + t.host.w
			}
		}
		w.right[0].x = right
		l.wires = append(l.wires, w)
	}
	if len(l.fields) > 0 {
		l.wayNotes(right)
	}
}

// wayNotes writes what the lane of ways is, and what its end means.
func (l *layout) wayNotes(x int) {
	y := l.top
	for _, c := range l.ways {
		y = c.y + c.h + gap
	}
	rest := "The first policy that fits decides. What none accepts does not pass from zone to zone."
	if len(l.ways) == 0 {
		rest = "No policy: nothing passes from zone to zone."
	}
	l.texts = append(l.texts, line{headFont, "Between zones", x, l.heads})
	for _, text := range noteFont.wrap(rest, 220, 4) {
		y += rowNote
		l.texts = append(l.texts, line{noteFont, text, x, y})
	}
}

// finish writes the heads of the other lanes and sets the size of the whole.
func (l *layout) finish() {
	for _, c := range l.cards {
		l.w, l.h = max(l.w, c.x+c.w), max(l.h, c.y+c.h)
	}
	for _, f := range l.fields {
		l.w, l.h = max(l.w, f.x+f.w), max(l.h, f.y+f.h)
	}
	if len(l.columns) > 0 {
		l.texts = append(l.texts, line{headFont, "Links", margin, l.heads})
	}
	switch {
	case len(l.fields) > 0:
		l.texts = append(l.texts, line{headFont, "Networks", l.fields[0].x, l.heads})
	default:
		l.texts = append(l.texts, line{headFont, "No networks", l.w + lane, l.heads})
	}
	for _, t := range l.texts {
		l.w, l.h = max(l.w, t.x+t.width(t.text)), max(l.h, t.y+4)
	}
	l.w += margin
	l.h += margin
}
