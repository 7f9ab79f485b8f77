// Package language answers what an editor or a page asks of a spec while it is being written: what its names
// are and where each is used, what can stand at a place, and which edits give a name another form. It reads
// the words of the files and not their values, so it answers for a text that does not parse, too. It knows no
// protocol of editors.
package language

import (
	"maps"
	"slices"
	"strings"

	"github.com/nbr-dev/nbr/hcl/conf"
	"github.com/nbr-dev/nbr/hcl/source"
)

// A Span is a part of a file, in bytes.
type Span struct {
	File     string
	From, To int
}

// Has tells whether a place is in the span or at its end.
func (s Span) Has(file string, at int) bool { return s.File == file && s.From <= at && at <= s.To }

// A Language is the blocks that a spec may have.
type Language struct {
	types   map[string]conf.BlockType
	schemas map[string]conf.Schema
	order   []string
}

// New is the language of these types of blocks.
func New(types []conf.BlockType) *Language {
	l := &Language{types: map[string]conf.BlockType{}, schemas: map[string]conf.Schema{}}
	for _, t := range types {
		l.types[t.Type], l.schemas[t.Type] = t, conf.SchemaOf(t)
		l.order = append(l.order, t.Type)
	}
	return l
}

// root tells whether a reference may begin with a name.
func (l *Language) root(name string) bool {
	_, ok := l.types[name]
	return ok || name == "port" || values(name)
}

// values tells whether a name stands for values alone, and for no block.
func values(root string) bool { return root == "var" || root == "local" || root == "each" }

// A Block is a block of a file, as far as it is written.
type Block struct {
	Type  string
	Label string // empty where it has none
	Word  Span   // its type
	Name  Span   // its label without the quotes; empty where it has none
	Range Span   // from its type to its last brace, or to where the next begins that is no part of it
	Body  Span   // between its braces
	In    *Block // the block that it is in, nil at the top
	Attrs []*Attr
	Inner []*Block
}

// An Attr is an attribute of a block.
type Attr struct {
	Name  string
	Word  Span // its name
	Value Span // what is behind the sign =, up to the end of the line
	In    *Block
}

// A Use is a place where a name is used.
type Use struct {
	Addr  conf.Addr
	Range Span // from the type on
	Name  Span // the name itself; empty where there is none, or it is computed
	Attr  *Attr
	// Any says that it may be of each name of its type, as local[each.key]: it is computed which.
	Any bool
}

// A File is what is written in a file of a spec.
type File struct {
	Name   string
	Src    []byte
	Blocks []*Block // at the top
	Uses   []Use
}

// A Spec is all files of a spec.
type Spec struct {
	lang  *Language
	Files []*File // sorted by name
}

// Read reads the files of a spec, by name. What is no text of a spec has no names.
func (l *Language) Read(files map[string][]byte) *Spec {
	s := &Spec{lang: l}
	for _, name := range slices.Sorted(maps.Keys(files)) {
		f := &File{Name: name, Src: files[name]}
		switch src := files[name]; {
		case len(src) > source.MaxBytes || source.TooDeep(src):
		case strings.HasSuffix(name, ".json"):
			l.readJSON(f)
		default:
			l.readNative(f)
		}
		s.Files = append(s.Files, f)
	}
	return s
}

// File is the file of a name, or nil.
func (s *Spec) File(name string) *File {
	i, ok := slices.BinarySearchFunc(s.Files, name, func(f *File, name string) int { return strings.Compare(f.Name, name) })
	if !ok {
		return nil
	}
	return s.Files[i]
}

// schema is that of a block, as its types from the top on say; false if there is no such block.
func (l *Language) schema(b *Block) (conf.Schema, bool) {
	if b.In == nil {
		s, ok := l.schemas[b.Type]
		return s, ok
	}
	above, ok := l.schema(b.In)
	if !ok {
		return conf.Schema{}, false
	}
	i := slices.IndexFunc(above.Blocks, func(s conf.Schema) bool { return s.Type == b.Type })
	if i < 0 {
		return conf.Schema{}, false
	}
	return above.Blocks[i], true
}

// attribute is the schema of an attribute; false if its block has none of this name.
func (l *Language) attribute(a *Attr) (conf.Attribute, bool) {
	if a.In == nil {
		return conf.Attribute{}, false
	}
	s, ok := l.schema(a.In)
	i := slices.IndexFunc(s.Attributes, func(at conf.Attribute) bool { return at.Name == a.Name })
	if !ok || i < 0 {
		return conf.Attribute{}, false
	}
	return s.Attributes[i], true
}
