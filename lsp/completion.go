package lsp

import (
	"context"
	"fmt"

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
		newText, isSnippet := reference.ItemText(it, s.client.Capabilities.TextDocument.Completion.CompletionItem.SnippetSupport)
		edit := textEdit{v.texts[name].span(word, s.units), newText}
		if isSnippet {
			c.InsertTextFormat = 2
		}
		if doc := reference.ItemDoc(it); doc != "" {
			c.Documentation = &markup{"markdown", doc}
		}
		if it.Quotes {
			c.FilterText = newText
		}
		c.TextEdit = &edit
		out = append(out, c)
	}
	return map[string]any{"isIncomplete": false, "items": out}, nil
}
