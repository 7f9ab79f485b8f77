package language

import (
	"github.com/hashicorp/hcl/v2/hclsyntax"

	"github.com/nbr-dev/nbr/hcl/conf"
)

// A reader goes through the tokens of a file of the native syntax. A text that is being written seldom
// parses; its tokens are there.
type reader struct {
	lang   *Language
	file   *File
	tokens hclsyntax.Tokens
	at     int
	base   int    // where the first byte of the tokens is in the file
	block  *Block // that is open
	open   []bracket
}

// A bracket is what something in a value has to close.
type bracket struct {
	begins hclsyntax.TokenType
	// The names of a for, and whether they count yet: what it goes through is before them.
	names  []string
	counts bool
	asked  int // signs ? whose : has not come
}

func (l *Language) readNative(f *File) {
	r := &reader{lang: l, file: f, tokens: lex(f)}
	for r.kind(0) != hclsyntax.TokenEOF {
		r.item()
	}
	for ; r.block != nil; r.block = r.block.In { // never closed
		r.block.Body.To, r.block.Range.To = len(f.Src), len(f.Src)
	}
}

// kind is the type of a token from here on.
func (r *reader) kind(ahead int) hclsyntax.TokenType {
	if i := r.at + ahead; i >= 0 && i < len(r.tokens) {
		return r.tokens[i].Type
	}
	return hclsyntax.TokenEOF
}

// span is where tokens are, from the one at i to the one at j.
func (r *reader) span(i, j int) Span {
	return Span{r.file.Name, r.base + r.tokens[i].Range.Start.Byte, r.base + r.tokens[j].Range.End.Byte}
}

func (r *reader) text(i int) string { return string(r.tokens[i].Bytes) }

// item reads an attribute, the beginning or the end of a block, or passes over a token.
func (r *reader) item() {
	switch {
	case r.kind(0) == hclsyntax.TokenCBrace:
		if r.block != nil {
			end := r.span(r.at, r.at)
			r.block.Body.To, r.block.Range.To = end.From, end.To
			r.block = r.block.In
		}
		r.at++
	case r.kind(0) == hclsyntax.TokenIdent && r.kind(1) == hclsyntax.TokenEqual:
		r.attribute()
	case r.kind(0) == hclsyntax.TokenIdent:
		if n := r.header(0); n > 0 {
			r.begin(n)
			return
		}
		r.at++
	default:
		r.at++
	}
}

// header is how many tokens the beginning of a block has that is at a token from here on, with its brace; 0 if
// none begins there.
func (r *reader) header(ahead int) int {
	if r.kind(ahead) != hclsyntax.TokenIdent {
		return 0
	}
	for n := 1; ; {
		switch {
		case r.kind(ahead+n) == hclsyntax.TokenOBrace:
			return n + 1
		case r.kind(ahead+n) == hclsyntax.TokenIdent:
			n++
		case r.kind(ahead+n) == hclsyntax.TokenOQuote && r.kind(ahead+n+1) == hclsyntax.TokenQuotedLit && r.kind(ahead+n+2) == hclsyntax.TokenCQuote:
			n += 3
		case r.kind(ahead+n) == hclsyntax.TokenOQuote && r.kind(ahead+n+1) == hclsyntax.TokenCQuote:
			n += 2
		default:
			return 0
		}
	}
}

// begin opens a block whose beginning has n tokens.
func (r *reader) begin(n int) {
	word, brace := r.span(r.at, r.at), r.span(r.at+n-1, r.at+n-1)
	b := &Block{Type: r.text(r.at), Word: word, Range: Span{r.file.Name, word.From, brace.To}, Body: Span{r.file.Name, brace.To, brace.To}, In: r.block}
	switch r.kind(1) {
	case hclsyntax.TokenIdent:
		b.Name, b.Label = r.span(r.at+1, r.at+1), r.text(r.at+1)
	case hclsyntax.TokenOQuote:
		b.Name = Span{r.file.Name, r.span(r.at+1, r.at+1).To, r.span(r.at+1, r.at+1).To}
		if r.kind(2) == hclsyntax.TokenQuotedLit {
			b.Name, b.Label = r.span(r.at+2, r.at+2), r.text(r.at+2)
		}
	default: // it has no label
	}
	if r.block == nil {
		r.file.Blocks = append(r.file.Blocks, b)
	} else {
		r.block.Inner = append(r.block.Inner, b)
	}
	r.block = b
	r.at += n
}

// attribute reads an attribute with its value.
func (r *reader) attribute() {
	sign := r.span(r.at+1, r.at+1)
	a := &Attr{Name: r.text(r.at), Word: r.span(r.at, r.at), Value: Span{r.file.Name, sign.To, sign.To}, In: r.block}
	if r.block != nil {
		r.block.Attrs = append(r.block.Attrs, a)
	}
	r.at += 2
	r.open = nil
	r.value(a)
	a.Value.To = len(r.file.Src)
	if r.at < len(r.tokens) {
		a.Value.To = max(a.Value.From, r.base+r.tokens[r.at].Range.Start.Byte)
	}
}

// value reads up to the end of a value.
func (r *reader) value(a *Attr) {
	for ; r.kind(0) != hclsyntax.TokenEOF && !r.ends(); r.at++ {
		r.bracket()
		r.forNames()
		if use, n, ok := r.use(); ok {
			use.Attr = a
			r.file.Uses = append(r.file.Uses, use)
			r.at += n - 1
		}
	}
}

// ends tells whether a value is over: at the end of its line, or where something begins that no value has, while
// a bracket of it is not closed yet.
func (r *reader) ends() bool {
	if len(r.open) == 0 {
		return r.kind(0) == hclsyntax.TokenNewline || r.kind(0) == hclsyntax.TokenCBrace || r.kind(0) == hclsyntax.TokenComment && !r.sameLine()
	}
	for _, b := range r.open {
		if b.begins != hclsyntax.TokenOBrack && b.begins != hclsyntax.TokenOParen {
			return false // in an object and in a text anything may come
		}
	}
	if r.kind(0) == hclsyntax.TokenCBrace {
		return true
	}
	first := r.at > 0 && r.kind(-1) == hclsyntax.TokenNewline
	return first && r.kind(0) == hclsyntax.TokenIdent && (r.kind(1) == hclsyntax.TokenEqual || r.header(0) > 0)
}

// sameLine tells whether a comment ends before its line does: the others have the line end in them.
func (r *reader) sameLine() bool {
	text := r.tokens[r.at].Bytes
	return len(text) == 0 || text[len(text)-1] != '\n'
}

// bracket keeps what is open.
func (r *reader) bracket() {
	switch t := r.kind(0); t {
	case hclsyntax.TokenOBrace, hclsyntax.TokenOBrack, hclsyntax.TokenOParen, hclsyntax.TokenOQuote, hclsyntax.TokenOHeredoc,
		hclsyntax.TokenTemplateInterp, hclsyntax.TokenTemplateControl:
		r.open = append(r.open, bracket{begins: t})
	case hclsyntax.TokenCBrace, hclsyntax.TokenCBrack, hclsyntax.TokenCParen, hclsyntax.TokenCQuote, hclsyntax.TokenCHeredoc,
		hclsyntax.TokenTemplateSeqEnd, hclsyntax.TokenQuotedNewline:
		if n := len(r.open); n > 0 {
			closed := r.open[n-1]
			r.open = r.open[:n-1]
			if t == hclsyntax.TokenTemplateSeqEnd && closed.begins == hclsyntax.TokenTemplateControl {
				r.directive(closed)
			}
		}
	default: // neither opens nor closes anything
	}
}

// directive is the end of %{ for … } or %{ endfor }: the names of the former are those of the text from then on.
func (r *reader) directive(closed bracket) {
	n := len(r.open)
	if n == 0 {
		return
	}
	text := &r.open[n-1]
	switch {
	case closed.names != nil:
		text.names, text.counts = append(text.names, closed.names...), true
	case r.kind(-1) == hclsyntax.TokenIdent && r.text(r.at-1) == "endfor":
		text.names = nil
	}
}

// forNames keeps the names that a for makes.
func (r *reader) forNames() {
	n := len(r.open)
	if n == 0 {
		return
	}
	in := &r.open[n-1]
	switch r.kind(0) {
	case hclsyntax.TokenIdent:
		begins := r.kind(-1) == in.begins || r.kind(-1) == hclsyntax.TokenNewline && r.kind(-2) == in.begins
		if r.text(r.at) != "for" || !begins || r.kind(1) != hclsyntax.TokenIdent {
			return
		}
		for r.at++; r.kind(0) == hclsyntax.TokenIdent && r.text(r.at) != "in" || r.kind(0) == hclsyntax.TokenComma; r.at++ {
			if r.kind(0) == hclsyntax.TokenIdent {
				in.names = append(in.names, r.text(r.at))
			}
		}
	case hclsyntax.TokenQuestion:
		in.asked++
	case hclsyntax.TokenColon:
		if in.asked > 0 {
			in.asked--
		} else if in.names != nil {
			in.counts = true
		}
	default: // of no for
	}
}

// hides tells whether a name is one that a for has made.
func (r *reader) hides(name string) bool {
	for _, b := range r.open {
		if b.counts {
			for _, n := range b.names {
				if n == name {
					return true
				}
			}
		}
	}
	return false
}

// use reads a name at the token, if one of the spec is used there, and how many tokens it has.
func (r *reader) use() (use Use, n int, ok bool) {
	if r.kind(0) != hclsyntax.TokenIdent || r.kind(-1) == hclsyntax.TokenDot || !r.lang.root(r.text(r.at)) || r.hides(r.text(r.at)) || r.isKey() || r.kind(1) == hclsyntax.TokenOParen {
		return use, 0, false
	}
	root := r.text(r.at)
	name, n := r.name()
	use = Use{Addr: conf.Addr{Type: root, Name: name.text}, Range: r.span(r.at, r.at+n-1), Name: name.at, Any: name.text == ""}
	if t, ok := r.lang.types[root]; ok && t.Single && use.Any { // it has no name
		use.Any = false
	}
	return use, n, true
}

type named struct {
	text string
	at   Span
}

// name is the name behind a root, and how many tokens both have.
func (r *reader) name() (named, int) {
	switch {
	case r.kind(1) == hclsyntax.TokenDot && r.kind(2) == hclsyntax.TokenIdent:
		return named{r.text(r.at + 2), r.span(r.at+2, r.at+2)}, 3
	case r.kind(1) == hclsyntax.TokenOBrack && r.kind(2) == hclsyntax.TokenOQuote && r.kind(3) == hclsyntax.TokenQuotedLit &&
		r.kind(4) == hclsyntax.TokenCQuote && r.kind(5) == hclsyntax.TokenCBrack:
		return named{r.text(r.at + 3), r.span(r.at+3, r.at+3)}, 6
	}
	return named{}, 1
}

// isKey tells whether a word is the key of an object: { network = … }.
func (r *reader) isKey() bool {
	n := len(r.open)
	if n == 0 || r.open[n-1].begins != hclsyntax.TokenOBrace || r.kind(1) != hclsyntax.TokenEqual && r.kind(1) != hclsyntax.TokenColon {
		return false
	}
	before := r.kind(-1)
	return before == hclsyntax.TokenOBrace || before == hclsyntax.TokenComma || before == hclsyntax.TokenNewline || before == hclsyntax.TokenComment
}
