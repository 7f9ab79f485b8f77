package conf

import (
	"reflect"
)

// A BlockType is a type of block at the top of a spec.
type BlockType struct {
	Type    string       // as it is written
	Doc     string       // one sentence
	Example string       // a block of this type, for the documentation
	Single  bool         // at most one, without a label
	New     func() Block // a new block to decode into
}

// A Schema describes a block for people and machines.
type Schema struct {
	Type       string      `json:"type"`
	Doc        string      `json:"doc,omitempty"`
	Label      string      `json:"label,omitempty"` // what the label is; empty when it has none
	Many       bool        `json:"many"`
	Attributes []Attribute `json:"attributes"`
	Blocks     []Schema    `json:"blocks"`
}

// An Attribute describes an attribute.
type Attribute struct {
	Name     string `json:"name"`
	Doc      string `json:"doc,omitempty"`
	Type     string `json:"type"`
	List     bool   `json:"list"`
	Required bool   `json:"required"`
	Default  string `json:"default,omitempty"`

	accepted accepted
}

// An accepted is what can stand in an attribute, as its field knows it.
type accepted struct {
	fits  func(target any) bool // a reference may lead to it; nil where none is taken
	words []string
	names string
}

// Refers tells whether the attribute takes references.
func (a Attribute) Refers() bool { return a.accepted.fits != nil }

// Fits tells whether a reference to a block, or to a port of a board, may stand in the attribute.
func (a Attribute) Fits(target any) bool { return a.accepted.fits != nil && a.accepted.fits(target) }

// Words are the values that the attribute can have, or those that are words among them; none where it
// takes any text or number.
func (a Attribute) Words() []string { return a.accepted.words }

// Names is the type of the blocks whose labels can stand in the attribute as texts; see [Naming].
func (a Attribute) Names() string { return a.accepted.names }

// SchemaOf is the schema of a block type, made from the tags of its struct.
func SchemaOf(b BlockType) Schema {
	s := schemaOf(reflect.TypeOf(b.New()).Elem())
	s.Type, s.Doc, s.Many = b.Type, b.Doc, !b.Single
	return s
}

func schemaOf(t reflect.Type) Schema {
	info := infoOf(t)
	s := Schema{Attributes: []Attribute{}, Blocks: []Schema{}}
	if info.label != nil {
		s.Label, _ = reflect.New(t.FieldByIndex(info.label.index).Type).Interface().(attribute).spec()
	}
	for _, f := range info.attrs {
		a := reflect.New(t.FieldByIndex(f.index).Type).Interface().(attribute)
		typ, list := a.spec()
		s.Attributes = append(s.Attributes, Attribute{f.name, f.doc, typ, list, f.required, f.def, a.accepts()})
	}
	for _, f := range info.blocks {
		sub := schemaOf(f.elem)
		sub.Type, sub.Doc, sub.Many = f.name, f.doc, f.many
		s.Blocks = append(s.Blocks, sub)
	}
	return s
}

// HCL is the schema of a spec as the HCL library wants it.
func (b BlockType) HCL() hclHeader {
	return hclHeader{Type: b.Type, LabelNames: labelNames(reflect.TypeOf(b.New()).Elem())}
}
