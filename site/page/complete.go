package page

import (
	"github.com/nbr-dev/nbr/hcl/language"
	"github.com/nbr-dev/nbr/hcl/source"
	"github.com/nbr-dev/nbr/service/reference"
)

// A Completion is what can stand at a place, instead of what is there.
type Completion struct {
	From  int    `json:"from"` // units of UTF-16
	To    int    `json:"to"`
	Items []Item `json:"items"`
}

// An Item can be written.
type Item struct {
	Label  string `json:"label"`
	Kind   string `json:"kind"` // block, attribute, name, word or function
	Detail string `json:"detail"`
	Doc    string `json:"doc"`  // in Markdown; may be empty
	Text   string `json:"text"` // with ${1:word} and $0 for what is to be filled in, if it is a snippet
	// Snippet tells whether the text is one.
	Snippet bool `json:"snippet"`
}

var kinds = map[language.What]string{
	language.BlockType: "block", language.Attribute: "attribute", language.Name: "name",
	language.Word: "word", language.Function: "function",
}

// Complete is what can stand at a place of a file.
func (p *Page) Complete(files map[string]string, file string, at int) Completion {
	texts := map[string][]byte{}
	for name, text := range files {
		if source.IsSpec(name) {
			texts[name] = []byte(text)
		}
	}
	p.load(files) // for what its board gives
	items, word := p.guide.Read(texts).Complete(file, offset(files[file], at), p.given)
	out := Completion{From: units(files[file], word.From), To: units(files[file], word.To), Items: []Item{}}
	for _, it := range items {
		i := Item{Label: it.Text, Kind: kinds[it.What], Detail: it.Detail, Doc: reference.ItemDoc(it)}
		i.Text, i.Snippet = reference.ItemText(it, true)
		out.Items = append(out.Items, i)
	}
	return out
}
