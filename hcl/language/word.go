package language

import (
	"github.com/hashicorp/hcl/v2/hclsyntax"

	"github.com/nbr-dev/nbr/hcl/conf"
)

// A Meaning is what the word at a place means: one of its parts is set.
type Meaning struct {
	At       Span
	Block    *Block // the word is its type
	Schema   conf.Schema
	Attr     *Attr // the word is its name
	Takes    conf.Attribute
	Function string
	Addr     conf.Addr // the word is a name of the spec, or a part of one
}

// Word is the word at a place; false if none is there that means anything.
func (s *Spec) Word(file string, at int) (Meaning, bool) {
	f := s.File(file)
	if f == nil {
		return Meaning{}, false
	}
	for _, sym := range f.all() {
		if b := sym.Block; b != nil && b.Word.Has(file, at) {
			schema, ok := s.lang.schema(b)
			return Meaning{At: b.Word, Block: b, Schema: schema}, ok || b.Type == "variable" || b.Type == "locals"
		}
	}
	if b := f.block(at); b != nil {
		for _, a := range b.Attrs {
			if a.Word.Has(file, at) && !(b.In == nil && b.Type == "locals") {
				takes, ok := s.lang.attribute(a)
				return Meaning{At: a.Word, Attr: a, Takes: takes}, ok || a.Name == "for_each"
			}
		}
	}
	if addr, name, ok := s.At(file, at); ok {
		if name == (Span{}) {
			name = Span{file, at, at}
		}
		return Meaning{At: name, Addr: addr}, true
	}
	tokens := lex(f)
	for i, t := range tokens {
		word := Span{file, t.Range.Start.Byte, t.Range.End.Byte}
		if t.Type == hclsyntax.TokenIdent && word.Has(file, at) && i+1 < len(tokens) && tokens[i+1].Type == hclsyntax.TokenOParen && f.attr(at) != nil {
			return Meaning{At: word, Function: string(t.Bytes)}, true
		}
	}
	return Meaning{}, false
}
