package language

import (
	"maps"
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2/hclsyntax"

	"github.com/nbr-dev/nbr/hcl/conf"
)

// What an item of a completion is.
type What int

// The kinds of items.
const (
	BlockType What = iota
	Attribute
	Name // of a block, a variable, a local
	Word // of an enumeration
	Function
)

// An Item can stand at a place.
type Item struct {
	What   What
	Text   string         // as it is written
	Detail string         // what it is, in a few words
	Of     conf.Attribute // of an attribute
	Inner  conf.Schema    // of a type of block
	Quotes bool           // a word that needs quotes there
}

// Given is what a spec can name and none of its files say, as far as it is known.
type Given struct {
	Ports     []conf.Block        // of the board, each by its address
	Labels    map[string][]string // by type of block, labels that can stand in attributes as texts
	Words     map[string][]string // by type of block and name, as in router.board
	Functions map[string]string   // what each function does
}

// Complete is what can stand at a place of a file, in the order in which it is of use, and the part of the file
// that it is written in place of. In JSON that is not known.
func (s *Spec) Complete(file string, at int, given Given) ([]Item, Span) {
	f := s.File(file)
	if f == nil || strings.HasSuffix(file, ".json") || at > len(f.Src) {
		return nil, Span{}
	}
	c := cursor{Spec: s, file: f, at: at, given: given}
	c.look()
	switch {
	case c.comment:
		return nil, Span{}
	case c.attr == nil && !c.text:
		return c.inBody(), c.word
	case c.attr == nil:
		return nil, Span{}
	case c.text:
		return c.inText(), c.word
	}
	return c.inValue(), c.word
}

// A cursor is a place in a file, and what is around it.
type cursor struct {
	*Spec
	file    *File
	at      int
	given   Given
	attr    *Attr
	takes   conf.Attribute
	word    Span // what is written already of the thing that is wanted
	text    bool // it is inside of quotes or of a heredoc
	comment bool
}

// look finds out what is around.
func (c *cursor) look() {
	var open []hclsyntax.TokenType
	from := c.at
	for _, t := range lex(c.file) {
		if t.Range.Start.Byte >= c.at {
			break
		}
		from = c.at
		switch t.Type {
		case hclsyntax.TokenOQuote, hclsyntax.TokenOHeredoc, hclsyntax.TokenTemplateInterp, hclsyntax.TokenTemplateControl:
			open = append(open, t.Type)
		case hclsyntax.TokenCQuote, hclsyntax.TokenCHeredoc, hclsyntax.TokenTemplateSeqEnd, hclsyntax.TokenQuotedNewline:
			if len(open) > 0 && t.Range.End.Byte <= c.at {
				open = open[:len(open)-1]
			}
		case hclsyntax.TokenComment:
			c.comment = t.Range.End.Byte > c.at || t.Range.End.Byte == c.at && c.file.Src[c.at-1] != '\n'
		case hclsyntax.TokenQuotedLit, hclsyntax.TokenStringLit:
			from = t.Range.Start.Byte
		default: // says nothing
		}
	}
	if n := len(open); n > 0 {
		c.text = open[n-1] == hclsyntax.TokenOQuote || open[n-1] == hclsyntax.TokenOHeredoc
	}
	if !c.text {
		for from = c.at; from > 0 && isName(c.file.Src[from-1]); from-- {
		}
	}
	c.word = Span{c.file.Name, from, c.at}
	c.attr = c.file.attr(c.at)
	if c.attr != nil {
		c.takes, _ = c.lang.attribute(c.attr)
	}
}

func isName(b byte) bool {
	return b == '.' || b == '_' || b == '-' || b >= '0' && b <= '9' || b >= 'a' && b <= 'z' || b >= 'A' && b <= 'Z' || b >= 0x80
}

// attr is the attribute whose value a place is in; nil if it is in none.
func (f *File) attr(at int) *Attr {
	b := f.block(at)
	if b == nil {
		return nil
	}
	i := slices.IndexFunc(b.Attrs, func(a *Attr) bool { return a.Value.From <= at && at <= a.Value.To })
	if i < 0 {
		return nil
	}
	return b.Attrs[i]
}

// starts tells whether an item begins with what is there already.
func (c *cursor) starts(item string) bool {
	return strings.HasPrefix(item, string(c.file.Src[c.word.From:c.word.To]))
}

// inBody are the attributes and blocks that can begin at a place.
func (c *cursor) inBody() []Item {
	line := c.file.Src[strings.LastIndexByte(string(c.file.Src[:c.word.From]), '\n')+1 : c.word.From]
	if before := strings.TrimSpace(string(line)); before != "" && !strings.HasSuffix(before, "{") {
		return nil // behind a word there is a label
	}
	var out []Item
	in := c.file.block(c.at)
	if in == nil {
		for _, typ := range c.lang.order {
			s := c.lang.schemas[typ]
			out = append(out, Item{What: BlockType, Text: typ, Detail: first(s.Doc), Inner: s})
		}
		out = append(out,
			Item{What: BlockType, Text: "variable", Detail: "A value that the user of a spec may set", Inner: conf.Schema{Type: "variable", Label: "name", Many: true}},
			Item{What: BlockType, Text: "locals", Detail: "Values with names", Inner: conf.Schema{Type: "locals", Many: true}})
	} else {
		out = c.members(in)
	}
	return slices.DeleteFunc(out, func(i Item) bool { return !c.starts(i.Text) })
}

// members are the attributes and blocks that a block may have and has not.
func (c *cursor) members(in *Block) []Item {
	has := map[string]bool{}
	for _, a := range in.Attrs {
		has[a.Name] = true
	}
	var out []Item
	if in.Type == "variable" && in.In == nil {
		for _, name := range []string{"type", "default", "description"} {
			if !has[name] {
				out = append(out, Item{What: Attribute, Text: name, Of: conf.Attribute{Name: name}})
			}
		}
		return out
	}
	s, ok := c.lang.schema(in)
	if !ok {
		return nil
	}
	for _, required := range []bool{true, false} {
		for _, a := range s.Attributes {
			if !has[a.Name] && a.Required == required {
				out = append(out, Item{What: Attribute, Text: a.Name, Detail: a.Type, Of: a})
			}
		}
	}
	for _, b := range s.Blocks {
		there := slices.ContainsFunc(in.Inner, func(i *Block) bool { return i.Type == b.Type })
		if b.Many || !there {
			out = append(out, Item{What: BlockType, Text: b.Type, Detail: first(b.Doc), Inner: b})
		}
	}
	if s.Label != "" && !has["for_each"] && in.Type != "router" {
		out = append(out, Item{What: Attribute, Text: "for_each", Detail: "a map, or a list of texts: the block is there for each", Of: conf.Attribute{Name: "for_each"}})
	}
	return out
}

// first is the first sentence of a text.
func first(doc string) string {
	head, _, _ := strings.Cut(doc, ". ")
	return strings.TrimSuffix(head, ".")
}

// words are the texts that the attribute takes.
func (c *cursor) words() []Item {
	words := slices.Clone(c.takes.Words())
	if c.takes.Type == "bool" {
		words = nil // they are no texts
	}
	words = append(words, c.given.Words[c.attr.In.Type+"."+c.attr.Name]...)
	if typ := c.takes.Names(); typ != "" {
		words = append(words, c.given.Labels[typ]...)
		for _, f := range c.Files {
			for _, sym := range f.Symbols() {
				if sym.Addr.Type == typ && !slices.Contains(words, sym.Addr.Name) {
					words = append(words, sym.Addr.Name)
				}
			}
		}
	}
	var out []Item
	for _, w := range words {
		out = append(out, Item{What: Word, Text: w, Quotes: !c.text})
	}
	return out
}

// inText are the words that can stand in quotes.
func (c *cursor) inText() []Item {
	return slices.DeleteFunc(c.words(), func(i Item) bool { return !c.starts(i.Text) })
}

// inValue is what can stand in an expression.
func (c *cursor) inValue() []Item {
	var out []Item
	if c.takes.Type == "bool" {
		for _, w := range c.takes.Words() {
			out = append(out, Item{What: Word, Text: w})
		}
	}
	out = append(append(out, c.words()...), c.names()...)
	if !c.onlyNames() {
		for _, name := range slices.Sorted(maps.Keys(c.given.Functions)) {
			out = append(out, Item{What: Function, Text: name, Detail: c.given.Functions[name]})
		}
	}
	return slices.DeleteFunc(out, func(i Item) bool { return !c.starts(i.Text) && !(i.Quotes && c.word.From == c.word.To) })
}

// onlyNames tells whether the attribute takes references and nothing else.
func (c *cursor) onlyNames() bool {
	return c.takes.Refers() && strings.HasPrefix(c.takes.Type, "reference to ")
}

// names are the names of the spec that can stand in an expression.
func (c *cursor) names() []Item {
	var out []Item
	seen := map[string]bool{}
	add := func(a conf.Addr, detail string) {
		if text := a.String(); !seen[text] && (a.Name == "" || hclsyntax.ValidIdentifier(a.Name)) {
			seen[text] = true
			out = append(out, Item{What: Name, Text: text, Detail: detail})
		}
	}
	for _, f := range c.Files {
		for _, sym := range f.Symbols() {
			t, block := c.lang.types[sym.Addr.Type]
			switch {
			case block && sym.Addr.Name == "" && !t.Single:
			case block && (c.takes.Fits(t.New()) || !c.takes.Refers() && sym.Addr.Name != ""):
				add(sym.Addr, first(t.Doc))
			case values(sym.Addr.Type) && !c.onlyNames():
				add(sym.Addr, "")
			}
		}
	}
	for _, p := range c.given.Ports {
		if c.takes.Fits(p) || !c.takes.Refers() {
			add(p.Head().Addr, "a port of the board")
		}
	}
	if _, loop := c.Loop(c.file.Name, c.at); loop && !c.onlyNames() {
		add(conf.Addr{Type: "each", Name: "key"}, "")
		add(conf.Addr{Type: "each", Name: "value"}, "")
	}
	return out
}
