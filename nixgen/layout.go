package nixgen

import (
	"slices"
	"strings"
	"unicode/utf8"
)

// The layout follows nixfmt's model (its Predoc): a document is text, spaces
// that may become line breaks, and groups. A group goes on one line if it
// fits. If not, its priority parts are broken one by one, the last first, and
// if that does not help either every space of the group becomes a line break.

const (
	maxWidth    = 100 // columns of text on a line; nixfmt does not count the indentation
	indentWidth = 2
)

type kind uint8

// The order of the spaces matters: of two in a row the greater one wins.
const (
	lineBreak kind = iota // nothing, or a line break if the group is broken
	hardSpace             // always a space
	softSpace             // a space, or a line break where the rest of the line would not fit
	space                 // a space, or a line break if the group is broken
	hardLine              // always a line break
	emptyLine             // a blank line
	newlines              // width line breaks, inside an indented string
	text
	comment   // takes no width
	lastComma // a comma that exists only in a broken group
	group
	priority    // a group that its parent breaks before it breaks itself
	transparent // a group whose priority parts belong to its parent
)

type node struct {
	kind   kind
	width  int // of a text in characters, of newlines in lines
	text   string
	nest   int // depth; several steps on one line make one step of indentation
	offset int // further columns of indentation, inside strings
	origin int // index into printer.origins
	kids   []node
}

func (n node) isSpace() bool { return n.kind <= newlines }
func (n node) isGroup() bool { return n.kind >= group }

// fixup merges neighbouring texts and spaces, also a hard space with that at the start of
// the group behind it. The result is in the place of in, as it is never longer.
func fixup(in []node) []node {
	out := in[:0]
	for _, n := range in {
		out = fix(out, n)
	}
	return out
}

func fix(out []node, n node) []node {
	var last *node
	if len(out) > 0 {
		last = &out[len(out)-1]
	}
	switch {
	case n.isGroup():
		return fixGroup(out, n)
	case last != nil && n.isSpace() && last.isSpace():
		*last = merge(*last, n)
	case last != nil && n.kind == text && last.kind == text:
		last.text += n.text
		last.width += n.width
	default:
		return append(out, n)
	}
	return out
}

func fixGroup(out []node, n node) []node {
	if i := len(out) - 1; i >= 0 && out[i].kind == hardSpace {
		n.kids = append([]node{out[i]}, n.kids...)
		out = out[:i]
	}
	n.kids = fixup(n.kids)
	if len(n.kids) == 1 && n.kids[0].kind == n.kind {
		n.kids = n.kids[0].kids
	}
	return append(out, n)
}

// merge makes one space of two.
func merge(a, b node) node {
	if a.kind > b.kind {
		return merge(b, a)
	}
	switch {
	case b.kind == newlines:
		switch a.kind {
		case newlines:
			b.width += a.width
		case emptyLine:
			b.width += 2
		case hardSpace:
		default:
			b.width++
		}
	case a.kind == lineBreak && b.kind == hardSpace:
		b.kind = space
	}
	return b
}

// A tail is what follows the node at hand: the rest of its group, then the
// rest of the group around that.
type tail struct {
	nodes []node
	next  *tail
}

// pop takes the first node off and merges it with the spaces right behind it.
func (t tail) pop() (n node, rest tail, ok bool) {
	if t = t.skip(); len(t.nodes) == 0 {
		return node{}, t, false
	}
	n = t.nodes[0]
	t.nodes = t.nodes[1:]
	if !n.isSpace() {
		return n, t, true
	}
	for {
		t = t.skip()
		if len(t.nodes) == 0 || !t.nodes[0].isSpace() {
			return n, t, true
		}
		n = merge(n, t.nodes[0])
		t.nodes = t.nodes[1:]
	}
}

// skip leaves the groups of which nothing is left.
func (t tail) skip() tail {
	for len(t.nodes) == 0 && t.next != nil {
		t = *t.next
	}
	return t
}

// into puts nodes in front.
func (t tail) into(nodes []node) tail { return tail{nodes, &t} }

// A level is one step of the stack of indentations.
type level struct {
	indent, nest int
	up           *level
}

// A writer lays out a document. It is copied to go back to an earlier state.
type writer struct {
	buf     []byte
	lines   []int // origin of each finished line
	origin  int   // of the line at hand
	col     int   // without the indentation; 0 at the start of a line
	indents *level
}

// layout returns the text of a document and the origin of each line.
func layout(doc []node) ([]byte, []int) {
	w := &writer{indents: &level{}}
	w.one(node{kind: group, kids: fixup(doc)}, tail{})
	w.newline(1, 0)
	return w.buf, w.lines
}

// put writes the text s as if it had n's nesting and origin.
func (w *writer) put(n node, s string, width int) {
	for n.nest < w.indents.nest {
		w.indents = w.indents.up
	}
	if n.nest > w.indents.nest {
		indent := w.indents.indent
		if w.col == 0 {
			indent += indentWidth
		}
		w.indents = &level{indent, n.nest, w.indents}
	}
	if w.col == 0 {
		w.origin = n.origin
		for range w.indents.indent + n.offset {
			w.buf = append(w.buf, ' ')
		}
	}
	w.raw(s, width)
}

func (w *writer) raw(s string, width int) {
	w.buf = append(w.buf, s...)
	w.col += width
}

// newline ends the line and writes n-1 blank ones of the given origin.
func (w *writer) newline(n, blank int) {
	for i := range n {
		w.buf = append(w.buf, '\n')
		if i > 0 {
			w.origin = blank
		}
		w.lines = append(w.lines, w.origin)
	}
	w.origin, w.col = 0, 0
}

// all writes nodes broken. rest is what follows them.
func (w *writer) all(nodes []node, rest tail) {
	for i, n := range nodes {
		w.one(n, tail{nodes[i+1:], &rest})
	}
}

func (w *writer) one(n node, rest tail) {
	switch {
	case n.isGroup():
		w.group(n, rest)
	case !n.isSpace():
		w.put(n, n.text, n.width)
	case w.col == 0: // a line break was just written
	case n.kind == newlines:
		w.newline(n.width, w.origin)
	case n.kind == emptyLine:
		w.newline(2, 0)
	case n.kind == hardSpace, n.kind == softSpace && lineFits(maxWidth-w.col-1, rest):
		w.raw(" ", 1)
	default:
		w.newline(1, 0)
	}
}

func (w *writer) group(n node, rest tail) {
	if w.compact(n.kids, rest) {
		return
	}
	if n.kind != transparent && hasPriority(n.kids) { // else the parent has tried
		flat, prios := priorities(n.kids)
		for i := len(prios) - 1; i >= 0; i-- {
			from, to := prios[i][0], prios[i][1]
			if w.breakOnly(flat[:from], flat[from:to], flat[to:], rest) {
				return
			}
		}
	}
	w.all(n.kids, rest)
}

// hasPriority tells whether priorities would find a part. Long lists have none, and are not copied.
func hasPriority(nodes []node) bool {
	return slices.ContainsFunc(nodes, func(n node) bool {
		return n.kind == priority || n.kind == transparent && hasPriority(n.kids)
	})
}

// priorities finds the priority parts of a group. It opens them and the
// transparent groups and returns the nodes and the ranges of the parts in them.
func priorities(nodes []node) (flat []node, parts [][2]int) {
	for _, n := range nodes {
		switch n.kind {
		case priority:
			parts = append(parts, [2]int{len(flat), len(flat) + len(n.kids)})
			flat = append(flat, n.kids...)
		case transparent:
			in, inner := priorities(n.kids)
			for _, p := range inner {
				parts = append(parts, [2]int{len(flat) + p[0], len(flat) + p[1]})
			}
			flat = append(flat, in...)
		default:
			flat = append(flat, n)
		}
	}
	return flat, parts
}

// breakOnly breaks part and keeps what is before and after it compact. If that
// does not fit it writes nothing.
func (w *writer) breakOnly(before, part, after []node, rest tail) bool {
	if !mayFit(after, rest) {
		return false
	}
	saved := *w
	if w.compact(before, rest.into(after).into(part)) {
		w.all(part, rest.into(unexpand(after)))
		if w.compact(after, rest) {
			return true
		}
	}
	*w = saved
	return false
}

// mayFit tells whether nodes fit on an empty line. Asking this first keeps
// breakOnly from writing part, and what is nested in it, again and again.
func mayFit(nodes []node, rest tail) bool {
	if len(nodes) == 0 {
		return true
	}
	_, _, ok := oneLine(trimSpace(nodes), maxWidth-lineWidth(rest))
	return ok
}

// unexpand makes the spaces of nodes, not those of groups in them, compact.
func unexpand(nodes []node) []node {
	var out []node
	for _, n := range nodes {
		switch n.kind {
		case space, softSpace:
			n.kind = hardSpace
		case lineBreak:
			continue
		default:
		}
		out = append(out, n)
	}
	return out
}

// compact writes nodes on the current line if they fit there together with
// what follows up to the next possible line break. If not it writes nothing.
func (w *writer) compact(nodes []node, rest tail) bool {
	if len(nodes) == 0 {
		return true
	}
	if w.col == 0 {
		nodes = trimSpace(nodes)
	}
	s, width, ok := oneLine(nodes, maxWidth-w.col-lineWidth(rest))
	switch {
	case !ok:
		return false
	case w.col == 0:
		w.put(firstText(nodes), s, width)
	default:
		w.raw(s, width)
	}
	return true
}

func trimSpace(nodes []node) []node {
	first := nodes[0]
	if first.isSpace() {
		return nodes[1:]
	}
	if first.isGroup() && first.kids[0].isSpace() {
		first.kids = first.kids[1:]
		return append([]node{first}, nodes[1:]...)
	}
	return nodes
}

func firstText(nodes []node) node {
	for _, n := range nodes {
		if n.isGroup() {
			return firstText(n.kids)
		}
		if !n.isSpace() {
			return n
		}
	}
	return node{}
}

// oneLine is the text of nodes on one line, if that is possible in room columns.
func oneLine(nodes []node, room int) (s string, width int, ok bool) {
	var b strings.Builder
	t := tail{nodes: nodes}
	for width <= room {
		n, rest, more := t.pop()
		if !more {
			return b.String(), width, true
		}
		t = rest
		switch {
		case n.isGroup():
			t = t.into(n.kids)
		case n.kind == text:
			b.WriteString(n.text)
			width += n.width
		case n.kind >= hardSpace && n.kind <= space:
			b.WriteByte(' ')
			width++
		case n.kind >= hardLine && n.kind <= newlines:
			return "", 0, false
		case n.kind == comment:
			b.WriteString(n.text)
		}
	}
	return "", 0, false
}

// lineWidth is the width of what comes before the first possible line break.
// It stops counting past the width of a line.
func lineWidth(t tail) (width int) {
	for width <= maxWidth {
		n, rest, ok := t.pop()
		if !ok {
			break
		}
		t = rest
		switch {
		case n.isGroup():
			t = t.into(n.kids)
		case n.kind == hardSpace:
			width++
		case n.isSpace():
			return width
		case n.kind != comment:
			width += n.width
		}
	}
	return width
}

// lineFits tells whether what comes before the first line break fits in room
// columns when no group that fits on a line is broken.
func lineFits(room int, t tail) bool {
	used := 0
	for used <= room {
		n, rest, ok := t.pop()
		if !ok {
			return true
		}
		t = rest
		switch {
		case n.isGroup():
			if _, width, ok := oneLine(n.kids, maxWidth-used-lineWidth(t)); ok {
				used += width
			} else {
				t = t.into(n.kids)
			}
		case n.kind == text:
			used += n.width
		case n.kind == hardSpace:
			used++
		case n.isSpace():
			return true
		}
	}
	return false
}

// squeeze makes all spaces of nodes compact, also those of groups in them. It
// fails if there is a hard line break or the text is wider than room.
func squeeze(nodes []node, room int) ([]node, bool) {
	var out []node
	var walk func([]node) bool
	walk = func(nodes []node) bool {
		for _, n := range nodes {
			switch {
			case n.isGroup():
				if !walk(n.kids) {
					return false
				}
				continue
			case n.kind == lineBreak:
				continue
			case n.kind >= hardLine && n.kind <= newlines:
				return false
			case n.isSpace():
				n = node{kind: hardSpace, width: 1}
			}
			if room -= n.width; room < 0 {
				return false
			}
			out = append(out, n)
		}
		return true
	}
	ok := walk(nodes)
	return out, ok
}

func width(s string) int { return utf8.RuneCountInString(s) }
