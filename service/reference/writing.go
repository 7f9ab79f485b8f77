package reference

import (
	"fmt"
	"strings"

	"github.com/nbr-dev/nbr/hcl/conf"
	"github.com/nbr-dev/nbr/hcl/language"
	"github.com/nbr-dev/nbr/service"
)

// A Guide is the language for those who write a spec: its words, and what there is to say of each. An editor and a
// page have one.
type Guide struct {
	*language.Language
	pages     map[string]*Page
	calls     map[string]Function
	functions map[string]string
	words     map[string][]string
}

// NewGuide is the guide to the language of a registry.
func NewGuide(reg *service.Registry) *Guide {
	g := &Guide{language.New(reg.Types()), map[string]*Page{}, map[string]Function{}, map[string]string{}, map[string][]string{}}
	for _, p := range Pages(reg) {
		g.pages[p.Type] = p
	}
	for _, f := range Functions() {
		g.calls[f.Name], g.functions[f.Name] = f, f.Signature
	}
	for _, b := range reg.Boards {
		g.words["router.board"] = append(g.words["router.board"], b.ID)
	}
	return g
}

// Given is what a spec has that its files do not say; spec is nil where none has been read yet. Of one that is
// being written a part may be missing, which then is as it was before.
func (g *Guide) Given(spec *service.Spec, before language.Given) language.Given {
	out := language.Given{Ports: before.Ports, Labels: before.Labels, Words: g.words, Functions: g.functions}
	if spec == nil {
		return out
	}
	if spec.Router.Board != nil {
		out.Ports = nil
		for _, p := range spec.Router.Board.Ports {
			out.Ports = append(out.Ports, conf.Block(p))
		}
	}
	if spec.Router.System != nil || before.Labels == nil {
		out.Labels = map[string][]string{"service": spec.Router.ServiceNames()}
	}
	return out
}

// Block is what there is to say of a type of block, in Markdown; empty of one that there is not.
func (g *Guide) Block(typ string) string {
	switch page := g.pages[typ]; {
	case page != nil:
		return "**" + typ + "**\n\n" + page.Lead()
	case typ == "variable":
		return "**variable**\n\nA value that the user of a spec may set, as var.NAME."
	case typ == "locals":
		return "**locals**\n\nValues with names, as local.NAME."
	}
	return ""
}

// Call is what there is to say of a function, in Markdown; empty of one that there is not.
func (g *Guide) Call(name string) string {
	f, known := g.calls[name]
	if !known {
		return ""
	}
	return fmt.Sprintf("`%s`: %s.\n\n```hcl\n%s\n```", f.Signature, f.Doc, f.Example)
}

// ItemDoc is what there is to say of an item of a completion, in Markdown; empty where its detail is all.
func ItemDoc(it language.Item) string {
	switch {
	case it.What == language.BlockType:
		return it.Inner.Doc
	case it.What == language.Attribute && it.Of.Doc != "":
		return Attribute(it.Of)
	}
	return ""
}

// ItemText is what is written for an item of a completion. With snippets a block has its label and the attributes
// that it must have to be filled in, in the grammar of the Language Server Protocol (3.17, Snippet Syntax), and
// the second result is true.
func ItemText(it language.Item, snippets bool) (text string, snippet bool) {
	switch {
	case it.What == language.Attribute:
		return it.Text + " = ", false
	case it.What == language.BlockType && snippets:
		return blockSnippet(it.Inner), true
	case it.What == language.Function:
		return it.Text + "(", false
	case it.Quotes:
		return `"` + it.Text + `"`, false
	}
	return it.Text, false
}

// blockSnippet is a block with its label and the attributes that it must have to be filled in.
func blockSnippet(of conf.Schema) string {
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
