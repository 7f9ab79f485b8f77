package language

import (
	"cmp"
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"

	"github.com/nbr-dev/nbr/hcl/conf"
)

// A Symbol is a name that a spec defines.
type Symbol struct {
	Addr  conf.Addr // network.lan, var.guests, local.house; wireguard.wg0/peer.laptop for a block inside another
	Name  Span      // the name alone; of a block without a label its type
	Range Span      // all of what it names
	Block *Block    // nil for a local
}

// Symbols are the names that a file defines, in its order: its blocks and locals, without those inside blocks.
func (f *File) Symbols() []Symbol {
	var out []Symbol
	for _, b := range f.Blocks {
		if b.Type == "locals" {
			for _, a := range b.Attrs {
				out = append(out, Symbol{Addr: conf.Addr{Type: "local", Name: a.Name}, Name: a.Word, Range: Span{f.Name, a.Word.From, a.Value.To}})
			}
			continue
		}
		out = append(out, symbol(b))
	}
	return out
}

// symbol is the name of a block.
func symbol(b *Block) Symbol {
	s := Symbol{Addr: conf.Addr{Type: b.Type, Name: b.Label}, Name: cmp.Or(b.Name, b.Word), Range: b.Range, Block: b}
	switch {
	case b.In != nil:
		s.Addr = symbol(b.In).Addr.Inner(b.Type, b.Label)
	case b.Type == "variable":
		s.Addr.Type = "var"
	}
	return s
}

// Inner are the names of the blocks inside the block of a symbol.
func (s Symbol) Inner() []Symbol {
	if s.Block == nil {
		return nil
	}
	var out []Symbol
	for _, b := range s.Block.Inner {
		out = append(out, symbol(b))
	}
	return out
}

// Definitions are the places where a name is defined. More than one is an error of the spec.
func (s *Spec) Definitions(a conf.Addr) []Symbol {
	var out []Symbol
	for _, f := range s.Files {
		for _, sym := range f.Symbols() {
			if sym.Addr == a {
				out = append(out, sym)
			}
		}
	}
	return out
}

// Uses are the places where a name is used.
func (s *Spec) Uses(a conf.Addr) []Use {
	var out []Use
	for _, f := range s.Files {
		for _, u := range f.Uses {
			if u.Addr == a && !u.Any && !each(a) {
				out = append(out, u)
			}
		}
		out = append(out, s.texts(f, a)...)
	}
	slices.SortStableFunc(out, func(x, y Use) int {
		return cmp.Or(strings.Compare(x.Range.File, y.Range.File), cmp.Compare(x.Range.From, y.Range.From))
	})
	return out
}

// Computed are the places where it is computed which name of this type is used, so that it may be any.
func (s *Spec) Computed(typ string) []Use {
	var out []Use
	for _, f := range s.Files {
		for _, u := range f.Uses {
			if u.Any && u.Addr.Type == typ {
				out = append(out, u)
			}
		}
	}
	return out
}

// texts are the texts of a file that are the label of a block, as that of a service in allow.
func (s *Spec) texts(f *File, a conf.Addr) []Use {
	if a.Name == "" || values(a.Type) {
		return nil
	}
	var out []Use
	each := func(at *Attr) {
		if takes, ok := s.lang.attribute(at); !ok || takes.Names() != a.Type {
			return
		}
		for _, t := range literals(f, at.Value) {
			if string(f.Src[t.From:t.To]) == a.Name {
				out = append(out, Use{Addr: a, Range: t, Name: t, Attr: at})
			}
		}
	}
	var walk func(bs []*Block)
	walk = func(bs []*Block) {
		for _, b := range bs {
			for _, at := range b.Attrs {
				each(at)
			}
			walk(b.Inner)
		}
	}
	walk(f.Blocks)
	return out
}

// literals are the texts in a part of a file that have no template in them, without their quotes.
func literals(f *File, in Span) []Span {
	tokens, _ := hclsyntax.LexExpression(f.Src[in.From:in.To], f.Name, hcl.InitialPos)
	var out []Span
	for i := 0; i+2 < len(tokens); i++ {
		if tokens[i].Type == hclsyntax.TokenOQuote && tokens[i+1].Type == hclsyntax.TokenQuotedLit && tokens[i+2].Type == hclsyntax.TokenCQuote {
			at := tokens[i+1].Range
			out = append(out, Span{f.Name, in.From + at.Start.Byte, in.From + at.End.Byte})
		}
	}
	return out
}

// At is the name at a place of a file: of what is defined there, or is used; false if there is none. The span
// is that of the name there.
func (s *Spec) At(file string, at int) (conf.Addr, Span, bool) {
	f := s.File(file)
	if f == nil {
		return conf.Addr{}, Span{}, false
	}
	for _, u := range f.Uses {
		if u.Range.Has(file, at) && !u.Any {
			return u.Addr, u.Name, true
		}
	}
	for _, sym := range f.all() {
		if sym.Name.Has(file, at) || sym.Block != nil && sym.Block.Name != (Span{}) && sym.Block.Word.Has(file, at) {
			return sym.Addr, sym.Name, true
		}
		if sym.Block == nil || sym.Block.Type == "" {
			continue
		}
		for _, a := range sym.Block.Attrs {
			if takes, ok := s.lang.attribute(a); ok && takes.Names() != "" && a.Value.Has(file, at) {
				for _, t := range literals(f, a.Value) {
					if t.Has(file, at) {
						return conf.Addr{Type: takes.Names(), Name: string(f.Src[t.From:t.To])}, t, true
					}
				}
			}
		}
	}
	return conf.Addr{}, Span{}, false
}

// all are the names of a file with those inside blocks.
func (f *File) all() []Symbol {
	var out []Symbol
	var add func(all []Symbol)
	add = func(all []Symbol) {
		for _, s := range all {
			out = append(out, s)
			add(s.Inner())
		}
	}
	add(f.Symbols())
	return out
}

// Loop is the for_each that each.key at a place is of: that of the innermost block around it which has one;
// false if there is none.
func (s *Spec) Loop(file string, at int) (*Attr, bool) {
	f := s.File(file)
	if f == nil {
		return nil, false
	}
	for b := f.block(at); b != nil; b = b.In {
		for _, a := range b.Attrs {
			if a.Name == "for_each" {
				return a, true
			}
		}
	}
	return nil, false
}

// block is the innermost block around a place, nil at the top.
func (f *File) block(at int) *Block {
	var in *Block
	for next := f.Blocks; ; {
		i := slices.IndexFunc(next, func(b *Block) bool { return b.Body.From <= at && at <= b.Body.To })
		if i < 0 {
			return in
		}
		in = next[i]
		next = in.Inner
	}
}
