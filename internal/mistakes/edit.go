package mistakes

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"testing/fstest"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"

	"github.com/nbr-dev/nbr/hcl/conf"
	"github.com/nbr-dev/nbr/router"
	"github.com/nbr-dev/nbr/service"
)

// The edits.
const (
	LeftOut = "left out"       // an argument, an element of a list or a block is not there
	Doubled = "doubled"        // it is there twice
	Copied  = "copied"         // a block is there again with another label
	Emptied = "emptied"        // "", [], {} or null
	Swapped = "swapped"        // two arguments side by side have each other's values
	Taken   = "taken"          // an argument has the value of the one beside it
	Other   = "other value"    // one that the same argument has in another block or spec
	Flipped = "flipped"        // false for true
	Bound   = "at a bound"     // the least or the largest number, or the longest text
	Beyond  = "beyond a bound" // one more
	Pointed = "pointed"        // a reference to another block
	Added   = "added"          // an argument that is not there gets a value from elsewhere
	Renamed = "renamed"        // a block has another label
)

// Edits are all of them, in the order of the table.
var Edits = []string{LeftOut, Doubled, Copied, Emptied, Swapped, Taken, Other, Flipped, Bound, Beyond, Pointed, Added, Renamed}

// A Mistake is one edit of one file of a good spec.
type Mistake struct {
	Base *Base
	Edit string
	Path string // what is edited: dhcp4.reservation.mac, or dhcp4.reservation
	Addr string // the block at the top that it is in, without a key: dhcp4.lan
	File string
	At   hcl.Range // what is replaced
	With string
	// Free tells that the value is in a program's own words, which nbr passes on.
	Free bool
}

func (m *Mistake) String() string {
	return fmt.Sprintf("%s: %s %s at %s: %q instead of %q", m.Base.Name, m.Path, m.Edit, m.At, m.With, m.old())
}

func (m *Mistake) old() string { return string(m.At.SliceBytes(m.Base.Files[m.File].Data)) }

// Text is the edited file.
func (m *Mistake) Text() []byte {
	src := m.Base.Files[m.File].Data
	return slices.Concat(src[:m.At.Start.Byte], []byte(m.With), src[m.At.End.Byte:])
}

// Files are the spec with the mistake in it.
func (m *Mistake) Files() fstest.MapFS {
	out := maps.Clone(m.Base.Files)
	out[m.File] = &fstest.MapFile{Data: m.Text()}
	return out
}

// Make makes all mistakes in all specs, in an order that is always the same.
func Make(reg *service.Registry, bases []*Base) ([]*Mistake, error) {
	g := &maker{reg: reg, schemas: map[string]conf.Schema{}, values: map[string][]string{}, limits: map[string]limits{}}
	for _, t := range reg.Types() {
		g.schemas[t.Type] = conf.SchemaOf(t)
		g.types = append(g.types, t)
	}
	var files []*file
	for _, b := range bases {
		for _, name := range slices.Sorted(maps.Keys(b.Files)) {
			if !strings.HasSuffix(name, ".hcl") {
				continue
			}
			f, diags := hclsyntax.ParseConfig(b.Files[name].Data, name, hcl.InitialPos)
			if diags.HasErrors() {
				return nil, fmt.Errorf("%s: %w", b.Name, diags)
			}
			files = append(files, &file{maker: g, base: b, name: name, src: b.Files[name].Data, body: f.Body.(*hclsyntax.Body)})
		}
	}
	for _, f := range files {
		f.collect()
	}
	for _, b := range bases {
		b.relate()
	}
	for _, f := range files {
		f.edit()
	}
	return g.out, nil
}

// maker collects mistakes.
type maker struct {
	reg     *service.Registry
	types   []conf.BlockType
	schemas map[string]conf.Schema
	values  map[string][]string // what arguments have anywhere, by path: texts of expressions
	limits  map[string]limits
	out     []*Mistake
}

// file is a file of a spec.
type file struct {
	*maker
	base *Base
	name string
	src  []byte
	body *hclsyntax.Body
}

// place is a block of a file.
type place struct {
	path   string
	types  []string // of the blocks around it and of itself
	addr   string
	schema conf.Schema
	block  *hclsyntax.Block
}

// blocks visits the blocks of the file that the language has, those inside others too.
func (f *file) blocks(visit func(place)) {
	var walk func(place)
	walk = func(p place) {
		visit(p)
		for _, b := range p.block.Body.Blocks {
			i := slices.IndexFunc(p.schema.Blocks, func(s conf.Schema) bool { return s.Type == b.Type })
			if i >= 0 {
				walk(place{p.path + "." + b.Type, append(slices.Clone(p.types), b.Type), p.addr, p.schema.Blocks[i], b})
			}
		}
	}
	for _, b := range f.body.Blocks {
		if s, ok := f.schemas[b.Type]; ok {
			walk(place{b.Type, []string{b.Type}, strings.Join(append([]string{b.Type}, b.Labels...), "."), s, b})
		}
	}
}

// attributes are those of a block in the order of the text.
func (p place) attributes() []*hclsyntax.Attribute {
	return slices.SortedFunc(maps.Values(p.block.Body.Attributes), func(a, b *hclsyntax.Attribute) int {
		return cmp.Compare(a.SrcRange.Start.Byte, b.SrcRange.Start.Byte)
	})
}

func (f *file) text(r hcl.Range) string { return string(r.SliceBytes(f.src)) }

// collect notes the values of arguments that mean the same in another spec.
func (f *file) collect() {
	for _, b := range f.body.Blocks {
		f.base.spans = append(f.base.spans, span{f.name, b.TypeRange.Start.Line, b.CloseBraceRange.End.Line, strings.Join(append([]string{b.Type}, b.Labels...), "."), f.text(hcl.RangeBetween(b.TypeRange, b.CloseBraceRange))})
	}
	f.blocks(func(p place) {
		for _, a := range p.attributes() {
			path, text := p.path+"."+a.Name, f.text(a.Expr.Range())
			if len(a.Expr.Variables()) == 0 && !slices.Contains(f.values[path], text) {
				f.values[path] = append(f.values[path], text)
			}
		}
	})
}

// edit makes the mistakes of the file.
func (f *file) edit() {
	siblings := map[string][]place{}
	f.blocks(func(p place) { siblings[p.path] = append(siblings[p.path], p) })
	f.blocks(func(p place) {
		f.whole(p)
		list := p.attributes()
		for i, a := range list {
			s := attributeOf(p.schema, a.Name)
			e := &editor{file: f, place: p, attr: a, schema: s, path: p.path + "." + a.Name}
			e.add(LeftOut, a.SrcRange, "")
			e.add(Doubled, end(a.SrcRange), "\n"+f.text(a.SrcRange))
			e.empty()
			if next := list[(i+1)%len(list)]; next != a {
				e.add(Taken, a.Expr.Range(), f.text(next.Expr.Range()))
				if i+1 < len(list) {
					between := hcl.Range{Filename: f.name, Start: a.Expr.Range().End, End: next.Expr.Range().Start}
					e.add(Swapped, hcl.RangeBetween(a.Expr.Range(), next.Expr.Range()), f.text(next.Expr.Range())+f.text(between)+f.text(a.Expr.Range()))
				}
			}
			e.others(siblings[p.path])
			e.values()
		}
		for _, s := range p.schema.Attributes {
			if p.block.Body.Attributes[s.Name] == nil {
				f.missing(p, s)
			}
		}
	})
}

// end is the place behind a range.
func end(r hcl.Range) hcl.Range {
	r.Start = r.End
	return r
}

func attributeOf(s conf.Schema, name string) conf.Attribute {
	i := slices.IndexFunc(s.Attributes, func(a conf.Attribute) bool { return a.Name == name })
	if i < 0 {
		return conf.Attribute{Name: name} // for_each
	}
	return s.Attributes[i]
}

func (f *file) mistake(edit, path string, p place, at hcl.Range, with string, free bool) {
	m := &Mistake{Base: f.base, Edit: edit, Path: path, Addr: p.addr, File: f.name, At: at, With: with, Free: free}
	if m.old() != with {
		f.out = append(f.out, m)
	}
}

// whole edits the block as a whole.
func (f *file) whole(p place) {
	b := p.block
	at := hcl.RangeBetween(b.TypeRange, b.CloseBraceRange)
	text := f.text(at)
	f.mistake(LeftOut, p.path, p, at, "", false)
	f.mistake(Doubled, p.path, p, end(at), "\n"+text, false)
	if len(b.Labels) == 0 {
		return
	}
	from, to := b.LabelRanges[0].Start.Byte-at.Start.Byte, b.LabelRanges[0].End.Byte-at.Start.Byte
	f.mistake(Copied, p.path, p, end(at), "\n"+text[:from]+`"copy"`+text[to:], false)
	for _, label := range []string{`""`, `"another"`, strconv.Quote(b.Labels[0] + " ")} {
		f.mistake(Renamed, p.path, p, b.LabelRanges[0], label, false)
	}
}

// missing gives a block an argument that it lacks.
func (f *file) missing(p place, s conf.Attribute) {
	path := p.path + "." + s.Name
	var values []string
	values = append(values, f.values[path]...)
	for _, r := range f.fitting(s) {
		if s.List {
			r = "[" + r + "]"
		}
		values = append(values, r)
	}
	for i, v := range values {
		if i == 3 {
			break
		}
		f.mistake(Added, path, p, end(p.block.OpenBraceRange), "\n"+s.Name+" = "+v+"\n", Free(s))
	}
}

// Free tells whether values of an argument are in another program's own words, or names of what
// only it has: it judges them when the system is built.
func Free(s conf.Attribute) bool {
	return s.Type == "object" || s.Type == "any" || strings.HasPrefix(s.Type, "line of ") || s.Type == "package of nixpkgs" ||
		s.Type == "bytes in hexadecimal"
}

// fitting are the blocks of the spec that a reference can point at.
func (f *file) fitting(s conf.Attribute) []string {
	typ, ok := strings.CutPrefix(s.Type, "reference to ")
	if !ok {
		return nil
	}
	var out []string
	for _, b := range f.base.Spec.Blocks() {
		_, link := b.(router.Link)
		if addr := b.Head().Addr; addr.Type == typ || typ == "link" && link {
			out = append(out, addr.String())
		}
	}
	if typ == "link" {
		out = append(out, "port.lan1", "port.lan2", "port.wan")
	}
	return out
}

// editor edits one argument.
type editor struct {
	*file
	place
	attr   *hclsyntax.Attribute
	schema conf.Attribute
	path   string
}

func (e *editor) add(edit string, at hcl.Range, with string) {
	e.mistake(edit, e.path, e.place, at, with, Free(e.schema))
}

// empty puts what is nothing in the place of the value.
func (e *editor) empty() {
	with := []string{"null", `""`}
	if e.schema.List || e.schema.Name == "for_each" {
		with = []string{"null", "[]"}
	} else if e.schema.Type == "object" {
		with = []string{"null", "{}"}
	}
	for _, w := range with {
		e.add(Emptied, e.attr.Expr.Range(), w)
	}
}

// others puts values that the argument has in the blocks beside it and in other specs.
func (e *editor) others(siblings []place) {
	var with []string
	add := func(v string) {
		if !slices.Contains(with, v) {
			with = append(with, v)
		}
	}
	for _, s := range siblings {
		if a := s.block.Body.Attributes[e.attr.Name]; a != nil && len(with) < 3 {
			add(e.text(a.Expr.Range()))
		}
	}
	for _, v := range e.file.values[e.path] {
		if len(with) < 7 {
			add(v)
		}
	}
	for _, v := range with {
		e.add(Other, e.attr.Expr.Range(), v)
	}
}

// values edits what is in the value: the elements of a list, the literals, the references.
func (e *editor) values() {
	list, ok := e.attr.Expr.(*hclsyntax.TupleConsExpr)
	if !ok {
		e.value(e.attr.Expr)
		return
	}
	for i, x := range list.Exprs {
		at := x.Range()
		text := e.text(at)
		e.add(Doubled, at, text+", "+text)
		if i > 0 {
			before := list.Exprs[i-1].Range()
			e.add(LeftOut, hcl.Range{Filename: e.name, Start: before.End, End: at.End}, "")
			e.add(Swapped, hcl.RangeBetween(before, at), text+", "+e.text(before))
		} else if len(list.Exprs) > 1 {
			e.add(LeftOut, hcl.Range{Filename: e.name, Start: at.Start, End: list.Exprs[1].Range().Start}, "")
		}
		e.value(x)
	}
	for _, r := range e.fitting(e.schema) {
		if n := len(list.Exprs); n > 0 {
			e.add(Pointed, end(list.Exprs[n-1].Range()), ", "+r)
		}
	}
}

// value edits one literal or one reference.
func (e *editor) value(x hclsyntax.Expression) {
	text := e.text(x.Range())
	switch {
	case strings.HasPrefix(e.schema.Type, "reference to "):
		for _, r := range e.fitting(e.schema) {
			e.add(Pointed, x.Range(), r)
		}
		for _, b := range e.base.Spec.Blocks() { // one of a wrong type
			if r := b.Head().Addr.String(); !slices.Contains(e.fitting(e.schema), r) {
				e.add(Pointed, x.Range(), r)
				break
			}
		}
	case text == "true":
		e.add(Flipped, x.Range(), "false")
	case text == "false":
		e.add(Flipped, x.Range(), "true")
	case len(x.Variables()) == 0 && e.schema.Type != "" && e.schema.Type != "object":
		e.bounds(x.Range(), text)
	}
}
