package lsp

import (
	"context"
	"fmt"
	"strings"

	"github.com/nbr-dev/nbr/hcl/conf"
	"github.com/nbr-dev/nbr/hcl/diag"
	"github.com/nbr-dev/nbr/hcl/language"
	"github.com/nbr-dev/nbr/service/reference"
)

// hover is what the word at a place means: the text of docs/blocks of a type of block and of an attribute, the
// definition of a name, what a function does.
func (s *session) hover(_ context.Context, p *positionParams) (any, error) {
	v, name, at, err := s.at(p)
	if err != nil {
		return nil, err
	}
	w, ok := v.spec.Word(name, at)
	if !ok {
		return nil, nil
	}
	text := ""
	switch {
	case w.Block != nil && w.Block.In == nil:
		text = s.guide.Block(w.Block.Type)
	case w.Block != nil:
		text = fmt.Sprintf("**%s**\n\n%s", w.Schema.Type, w.Schema.Doc)
	case w.Attr != nil && w.Attr.Name == "for_each":
		text = "`for_each`: a map, or a list of texts. The block is there for each of its keys, as each.key and each.value say."
	case w.Attr != nil:
		text = reference.Attribute(w.Takes)
	case w.Function != "":
		text = s.guide.Call(w.Function)
	default:
		text = s.nameText(v, w.Addr, name, at)
	}
	if text == "" {
		return nil, nil
	}
	return hover{markup{"markdown", strings.TrimSpace(text)}, v.texts[name].span(w.At, s.units)}, nil
}

// mostLines is how much of a definition is shown.
const mostLines = 12

// nameText shows the definition of a name without secrets, and what it is.
func (s *session) nameText(v *view, a conf.Addr, name string, at int) string {
	if a.Type == "each" {
		if loop, ok := v.spec.Loop(name, at); ok {
			return fmt.Sprintf("`each.%s` of the for_each:\n\n%s", a.Name, s.lines(v, language.Span{File: name, From: loop.Word.From, To: loop.Value.To}))
		}
		return ""
	}
	var b strings.Builder
	for _, d := range v.spec.Definitions(a) {
		fmt.Fprintf(&b, "%s\n%s\n\n", d.Name.File, s.lines(v, d.Range))
	}
	switch {
	case b.Len() == 0 && a.Type == "port":
		fmt.Fprintf(&b, "`%s` is a port of the board.", a)
	case b.Len() == 0:
		fmt.Fprintf(&b, "`%s` is not defined.", a)
	default:
		b.WriteString(s.guide.Block(a.Type))
	}
	return b.String()
}

// lines are the lines of a span, as a block of code and without what looks confidential in any file of the
// folder.
func (s *session) lines(v *view, at language.Span) string {
	secrets := diag.NewSecrets()
	for _, f := range v.spec.Files {
		secrets.Add(f.Name, f.Src)
	}
	t := v.texts[at.File]
	from, to := t.position(at.From, bytesOf).Line, t.position(at.To, bytesOf).Line
	if t.position(at.To, bytesOf).Character == 0 && to > from {
		to--
	}
	var b strings.Builder
	b.WriteString("```hcl\n")
	for i := from; i <= to; i++ {
		if i == from+mostLines && to > i {
			b.WriteString("…\n")
			break
		}
		b.WriteString(diag.Printable(strings.ReplaceAll(secrets.Text(secrets.Line(at.File, t.src, i+1)), "```", "'''")) + "\n")
	}
	return b.String() + "```"
}
