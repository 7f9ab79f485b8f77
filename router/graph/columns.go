package graph

import (
	"cmp"
	"slices"
)

// A segment is a part of an edge, from a column to the next one or to the networks.
type segment struct {
	from, to *card
	over     bool
}

// stackLinks puts links into columns, the board's ports first, each as near as can be to what
// is on it, and returns the segments between the columns.
func (l *layout) stackLinks() [][]segment {
	column := l.columnOf()
	last := 0
	for _, c := range column {
		last = max(last, c)
	}
	if len(column) == 0 {
		return nil
	}
	l.columns = make([][]*card, last+1)
	for _, c := range l.cards {
		if c.node.Kind == Link {
			l.columns[column[c.node]] = append(l.columns[column[c.node]], c)
		}
	}
	segments := make([][]segment, last+1)
	type passage struct {
		from *card
		col  int
		over bool
	}
	passes := map[passage]*card{}
	for _, e := range l.g.Edges {
		if e.Kind != Carries && e.Kind != Over {
			continue
		}
		from, to := l.byNode[e.From.(*Node)], l.byNode[e.To.(*Node)]
		end := last + 1
		if to.node.Kind == Link {
			end = column[to.node]
		}
		at, over := from, e.Kind == Over
		for col := column[from.node] + 1; col < end; col++ {
			key := passage{from, col, over}
			next := passes[key]
			if next == nil {
				next = &card{h: 12, over: over}
				passes[key] = next
				l.columns[col] = append(l.columns[col], next)
				segments[col-1] = append(segments[col-1], segment{at, next, over})
			}
			at = next
		}
		segments[end-1] = append(segments[end-1], segment{at, to, over})
	}
	for col := last; col >= 0; col-- {
		l.stackColumn(col, segments[col])
	}
	return segments
}

// columnOf is the column of each link: one more than that of the highest link below it. What
// stands on nothing and carries no link is at the right.
func (l *layout) columnOf() map[*Node]int {
	below, carries := map[*Node][]*Node{}, map[*Node]bool{}
	for _, e := range l.g.Edges {
		if e.Kind == Carries && e.To.(*Node).Kind == Link {
			below[e.To.(*Node)] = append(below[e.To.(*Node)], e.From.(*Node))
			carries[e.From.(*Node)] = true
		}
	}
	out := map[*Node]int{}
	var of func(n *Node) int
	of = func(n *Node) int {
		c, done := out[n]
		if !done {
			for _, b := range below[n] {
				c = max(c, of(b)+1)
			}
			out[n] = c
		}
		return c
	}
	last := 0
	for _, n := range l.g.of(Link) {
		last = max(last, of(n))
	}
	for _, n := range l.g.of(Link) {
		if !n.Base && len(below[n]) == 0 && !carries[n] {
			out[n] = last
		}
	}
	return out
}

// stackColumn orders a column by what its links lead to, and places it. Links that lead nowhere
// are below the others.
func (l *layout) stackColumn(col int, segments []segment) {
	heights := map[*card][]int{}
	for _, s := range segments {
		heights[s.from] = append(heights[s.from], s.to.axis())
	}
	want := map[*card]int{}
	for _, c := range l.columns[col] {
		want[c] = 1 << 30
		if ys := heights[c]; len(ys) > 0 {
			want[c] = middle(ys)
		}
	}
	cards := l.columns[col]
	slices.SortStableFunc(cards, func(a, b *card) int { return cmp.Compare(want[a], want[b]) })
	var wants []int
	for _, c := range cards {
		if len(heights[c]) > 0 {
			wants = append(wants, want[c])
		}
	}
	settle(cards[:len(wants)], wants, l.top)
	y := l.top
	for i, c := range cards {
		if i >= len(wants) {
			c.y = y
		}
		y = c.y + c.h + gap
	}
}

// settle places cards below each other from top on, in their order and without overlap, so that
// their axes are as near as can be to where they are wanted (isotonic regression).
func settle(cards []*card, want []int, top int) {
	type block struct{ sum, n int } // cards that touch, and the places they would have without the ones before
	var blocks []block
	off := 0
	offs := make([]int, len(cards))
	for i, c := range cards {
		c.y = 0
		offs[i] = off
		blocks = append(blocks, block{want[i] - c.axis() - off, 1})
		off += c.h + gap
		for k := len(blocks) - 1; k > 0 && blocks[k-1].sum*blocks[k].n > blocks[k].sum*blocks[k-1].n; k-- {
			blocks[k-1].sum += blocks[k].sum
			blocks[k-1].n += blocks[k].n
			blocks = blocks[:k]
		}
	}
	i := 0
	for _, b := range blocks {
		for range b.n {
			cards[i].y = max(floor(b.sum, b.n), top) + offs[i]
			i++
		}
	}
}

// floor is a/b, rounded down.
func floor(a, b int) int {
	if a < 0 {
		return -((-a + b - 1) / b)
	}
	return a / b
}

// spreadLinks gives links and their wires their place from the left, and returns where the
// networks begin.
func (l *layout) spreadLinks(segments [][]segment) int {
	x := margin
	for col, cards := range l.columns {
		wide := 0
		for _, c := range cards {
			wide = max(wide, c.w)
		}
		for _, c := range cards {
			c.x, c.w = x, wide
			if c.node == nil {
				l.wires = append(l.wires, &wire{class: class(c.over), left: []tap{{x: x, y: c.axis()}}, right: []tap{{x: x + wide, y: c.axis()}}})
			}
		}
		wires := bundle(segments[col])
		tracks := lay(wires)
		next := x + wide + lane + pitch*tracks
		end := next
		if col == len(l.columns)-1 {
			end += pad // inside of a zone
		}
		for _, w := range wires {
			w.x = x + wide + lane/2 + pitch*w.track
			for i := range w.left {
				w.left[i].x = x + wide
			}
			for i := range w.right {
				w.right[i].x = end
			}
			l.wires = append(l.wires, w)
		}
		x = next
	}
	return x
}

// class is that of the wires of links.
func class(over bool) string {
	if over {
		return "link over"
	}
	return "link"
}

// bundle joins segments into wires: those from one link that leads to several, and else those
// to one.
func bundle(segments []segment) []*wire {
	type key struct {
		at         *card
		from, over bool
	}
	out := map[*card]int{}
	for _, s := range segments {
		if !s.over {
			out[s.from]++
		}
	}
	byKey := map[key]*wire{}
	var wires []*wire
	for _, s := range segments {
		k := key{s.to, false, s.over}
		if s.over || out[s.from] > 1 {
			k = key{s.from, true, s.over}
		}
		w := byKey[k]
		if w == nil {
			w = &wire{class: class(s.over)}
			byKey[k] = w
			wires = append(wires, w)
		}
		w.left = add(w.left, s.from.port(s.over))
		w.right = add(w.right, s.to.port(s.over))
	}
	nudge(wires, func(w *wire) []tap { return w.left }, func(w *wire) []tap { return w.right })
	return wires
}

// port is where a wire meets a card; what passes through a network meets it below what carries
// it.
func (c *card) port(over bool) int {
	if over && c.node != nil {
		return c.axis() + pitch
	}
	return c.axis()
}

// add adds a tap that is not the last one: of a wire's two sides one has a single tap.
func add(taps []tap, y int) []tap {
	if n := len(taps); n > 0 && taps[n-1].y == y {
		return taps
	}
	return append(taps, tap{y: y})
}

// nudge moves the taps of one side so far that none is beside a tap of another wire on the
// other side: they would look like one wire.
func nudge(wires []*wire, moved, fixed func(*wire) []tap) {
	const near = 3
	owner := map[int][]*wire{}
	for _, w := range wires {
		for _, t := range fixed(w) {
			owner[t.y] = append(owner[t.y], w)
		}
	}
	clear := func(w *wire, y int) bool {
		for d := -near; d <= near; d++ {
			if slices.ContainsFunc(owner[y+d], func(o *wire) bool { return o != w }) {
				return false
			}
		}
		return true
	}
	for _, w := range wires {
		taps := moved(w)
		for i, t := range taps {
			for d := range meet {
				if clear(w, t.y+d) {
					taps[i].y = t.y + d
					break
				}
				if clear(w, t.y-d) {
					taps[i].y = t.y - d
					break
				}
			}
		}
	}
}

// lay gives each wire that is not straight a track so that no two run on each other and few
// cross, and returns how many tracks there are.
func lay(wires []*wire) int {
	var bent []*wire
	for _, w := range wires {
		if lo, hi := w.span(); lo < hi {
			bent = append(bent, w)
		}
	}
	for range 16 {
		swapped := false
		for i := range len(bent) - 1 {
			if crossings(bent[i+1], bent[i]) < crossings(bent[i], bent[i+1]) {
				bent[i], bent[i+1] = bent[i+1], bent[i]
				swapped = true
			}
		}
		if !swapped {
			break
		}
	}
	tracks := 0
	for i, w := range bent {
		lo, hi := w.span()
		w.track = 0
		for _, before := range bent[:i] {
			if a, b := before.span(); a <= hi+pitch && lo <= b+pitch {
				w.track = max(w.track, before.track+1)
			}
		}
		tracks = max(tracks, w.track+1)
	}
	return tracks
}

// span is from where to where the wire reaches.
func (w *wire) span() (lo, hi int) {
	lo, hi = 1<<30, 0
	for _, taps := range [][]tap{w.left, w.right} {
		for _, t := range taps {
			lo, hi = min(lo, t.y), max(hi, t.y)
		}
	}
	return lo, hi
}

// crossings are how often two wires cross if a is to the left of b.
func crossings(a, b *wire) int {
	n := 0
	lo, hi := b.span()
	for _, t := range a.right {
		if lo < t.y && t.y < hi {
			n++
		}
	}
	lo, hi = a.span()
	for _, t := range b.left {
		if lo < t.y && t.y < hi {
			n++
		}
	}
	return n
}
