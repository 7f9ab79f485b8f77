package lsp

import (
	"context"
	"fmt"
	"strings"

	"github.com/nbr-dev/nbr/hcl/conf"
	"github.com/nbr-dev/nbr/hcl/language"
	"github.com/nbr-dev/nbr/service/reference"
)

var kinds = map[language.What]int{
	language.BlockType: itemSnippet, language.Attribute: itemProperty, language.Name: itemReference,
	language.Word: itemValue, language.Function: itemFunction,
}

// completion is what can stand at a place.
func (s *session) completion(_ context.Context, p *positionParams) (any, error) {
	v, name, at, err := s.at(p)
	if err != nil {
		return nil, err
	}
	items, word := v.spec.Complete(name, at, v.given)
	out := []completionItem{}
	for i, it := range items {
		c := completionItem{Label: it.Text, Kind: kinds[it.What], Detail: it.Detail, SortText: fmt.Sprintf("%05d", i)}
		edit := textEdit{v.texts[name].span(word, s.units), it.Text}
		switch it.What {
		case language.Attribute:
			edit.NewText = it.Text + " = "
			if it.Of.Doc != "" {
				c.Documentation = &markup{"markdown", reference.Attribute(it.Of)}
			}
		case language.BlockType:
			c.Documentation = &markup{"markdown", it.Inner.Doc}
			if s.client.Capabilities.TextDocument.Completion.CompletionItem.SnippetSupport {
				edit.NewText, c.InsertTextFormat = snippet(it.Inner), 2
			}
		case language.Word:
			if it.Quotes {
				edit.NewText = `"` + it.Text + `"`
				c.FilterText = edit.NewText
			}
		case language.Function:
			edit.NewText = it.Text + "("
		case language.Name:
		}
		c.TextEdit = &edit
		out = append(out, c)
	}
	return map[string]any{"isIncomplete": false, "items": out}, nil
}

// snippet is a block with its label and the attributes that it must have to be filled in.
func snippet(of conf.Schema) string {
	var b strings.Builder
	b.WriteString(of.Type)
	n := 1
	if of.Label != "" {
		b.WriteString(` "${1:name}"`)
		n++
	}
	b.WriteString(" {\n")
	for _, a := range of.Attributes {
		if a.Required {
			fmt.Fprintf(&b, "  %s = $%d\n", a.Name, n)
			n++
		}
	}
	return b.String() + "  $0\n}"
}
