package language

import (
	"bytes"
	"encoding/json"
	"regexp"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"

	"github.com/nbr-dev/nbr/hcl/conf"
)

// A jsonReader goes through a file of HCL's JSON syntax. It stops at what is no JSON.
type jsonReader struct {
	lang *Language
	file *File
	dec  *json.Decoder
	from int // where the token that was read last begins
}

func (l *Language) readJSON(f *File) {
	r := &jsonReader{lang: l, file: f, dec: json.NewDecoder(bytes.NewReader(f.Src))}
	r.object(nil, func(key string, at Span) bool {
		switch _, known := l.types[key]; {
		case key == "locals":
			return r.blocks(nil, key, at, false)
		case key == "variable" || known:
			return r.blocks(nil, key, at, key == "variable" || l.schemas[key].Label != "")
		}
		return r.skip()
	})
}

// next is the next token, and where it is; nil at the end of the file and where there is no JSON.
func (r *jsonReader) next() (json.Token, Span) {
	from := int(r.dec.InputOffset())
	t, err := r.dec.Token()
	if err != nil {
		return nil, Span{}
	}
	to := int(r.dec.InputOffset())
	for from < to && strings.IndexByte(" \t\r\n,:", r.file.Src[from]) >= 0 {
		from++
	}
	r.from = from
	return t, Span{r.file.Name, from, to}
}

// inside is a text without its quotes.
func inside(at Span) Span { return Span{at.File, at.From + 1, max(at.To-1, at.From+1)} }

// object reads an object, whose members f reads; false at what is none.
func (r *jsonReader) object(t json.Token, f func(key string, at Span) bool) bool {
	if t == nil {
		t, _ = r.next()
	}
	if t != json.Delim('{') {
		return false
	}
	for {
		key, at := r.next()
		if key == json.Delim('}') {
			return true
		}
		text, ok := key.(string)
		if !ok || !f(text, inside(at)) {
			return false
		}
	}
}

// skip reads a value that says nothing; false if there is none.
func (r *jsonReader) skip() bool {
	var v json.RawMessage
	return r.dec.Decode(&v) == nil
}

// blocks reads the blocks of a type: one, or a list, by their labels where they have one.
func (r *jsonReader) blocks(in *Block, typ string, word Span, labelled bool) bool {
	return r.several(func(t json.Token) bool {
		if !labelled {
			return r.body(t, &Block{Type: typ, Word: word, In: in})
		}
		return r.object(t, func(label string, at Span) bool {
			return r.several(func(t json.Token) bool {
				return r.body(t, &Block{Type: typ, Word: word, Label: label, Name: at, In: in})
			})
		})
	})
}

// several reads a value, or each of a list.
func (r *jsonReader) several(f func(t json.Token) bool) bool {
	t, _ := r.next()
	if t != json.Delim('[') {
		return t != nil && f(t)
	}
	for {
		switch t, _ := r.next(); t {
		case nil:
			return false
		case json.Delim(']'):
			return true
		default:
			if !f(t) {
				return false
			}
		}
	}
}

func (r *jsonReader) body(t json.Token, b *Block) bool {
	schema, _ := r.lang.schema(b)
	b.Body = Span{r.file.Name, r.from, r.from}
	b.Range = Span{r.file.Name, b.Word.From, r.from}
	if b.Name != (Span{}) {
		b.Range.From = b.Name.From
	}
	if b.In == nil {
		r.file.Blocks = append(r.file.Blocks, b)
	} else {
		b.In.Inner = append(b.In.Inner, b)
	}
	ok := r.object(t, func(key string, at Span) bool {
		for _, inner := range schema.Blocks {
			if inner.Type == key {
				return r.blocks(b, key, at, inner.Label != "")
			}
		}
		a := &Attr{Name: key, Word: at, In: b}
		b.Attrs = append(b.Attrs, a)
		takes, _ := r.lang.attribute(a)
		from := int(r.dec.InputOffset())
		good := r.value(nil, a, takes.Refers())
		a.Value = Span{r.file.Name, from, int(r.dec.InputOffset())}
		return good
	})
	b.Body.To, b.Range.To = int(r.dec.InputOffset()), int(r.dec.InputOffset())
	return ok
}

// value reads a value and the names in its texts.
func (r *jsonReader) value(t json.Token, a *Attr, refers bool) bool {
	at := Span{r.file.Name, r.from, r.from}
	if t == nil {
		t, at = r.next()
	} else {
		at.To = int(r.dec.InputOffset())
	}
	switch v := t.(type) {
	case nil:
		return false
	case string:
		r.text(inside(at), a, refers)
	case json.Delim:
		switch v {
		case '{':
			return r.object(v, func(string, Span) bool { return r.value(nil, a, refers) })
		case '[':
			for {
				switch t, _ := r.next(); t {
				case nil:
					return false
				case json.Delim(']'):
					return true
				default:
					if !r.value(t, a, refers) {
						return false
					}
				}
			}
		}
		return false
	}
	return true
}

// wholeRE fits a text of JSON that is the name of a block.
var wholeRE = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_-]*\.[A-Za-z_][A-Za-z0-9_-]*(?:\[[^\]]*\])?$`)

// text reads the names in a text: the whole of it where a reference is wanted, else those of its templates. One
// with a character that is escaped is left out: its bytes are not those of the file.
func (r *jsonReader) text(at Span, a *Attr, refers bool) {
	src := string(r.file.Src[at.From:at.To])
	if strings.Contains(src, `\`) {
		return
	}
	if refers && wholeRE.MatchString(src) {
		r.expression(src, at.From, a, false)
		return
	}
	r.expression(src, at.From, a, true)
}

// expression reads the names in an expression, or in a text with templates.
func (r *jsonReader) expression(src string, base int, a *Attr, template bool) {
	lex := hclsyntax.LexExpression
	if template {
		lex = hclsyntax.LexTemplate
	}
	tokens, _ := lex([]byte(src), r.file.Name, hcl.InitialPos)
	in := &reader{lang: r.lang, file: r.file, tokens: tokens, base: base}
	if template { // what is in no template is text
		in.open = []bracket{{begins: hclsyntax.TokenOQuote}}
	}
	for ; in.kind(0) != hclsyntax.TokenEOF; in.at++ {
		in.bracket()
		in.forNames()
		if use, n, ok := in.use(); ok {
			use.Attr = a
			r.file.Uses = append(r.file.Uses, use)
			in.at += n - 1
		}
	}
}

// each is the name that each.key and each.value have.
func each(a conf.Addr) bool { return a.Type == "each" }
