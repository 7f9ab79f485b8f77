// Package reference makes the reference of the language from the structs that decode
// it: the pages below docs/blocks, and what nbr schema -doc prints.
package reference

import (
	"fmt"
	"strings"

	"github.com/mitchellh/go-wordwrap"

	"github.com/nbr-dev/nbr/hcl/conf"
	"github.com/nbr-dev/nbr/service"
)

// A Page is what there is to say of a type of block.
type Page struct {
	conf.Schema
	Software string // the programs that it configures, as people know them
	Implicit bool   // it is there also if the spec does not write it
	Example  string // in HCL
	Becomes  *Facts // what the example becomes, nil if that is not told
}

// Facts are what a block becomes and brings with it.
type Facts struct {
	Options []Option // of NixOS
	Sockets []Socket
	Kernel  []KernelOption
	Checks  []Check
}

// An Option is one of NixOS, with the generated module that sets it.
type Option struct{ Path, File string }

// A Socket is one that a program of the router waits on.
type Socket struct {
	Service string // its name in the attribute allow of a zone
	At      string // as in tcp/22
}

// A KernelOption is a symbol without CONFIG_ and what needs it.
type KernelOption struct{ Symbol, Why string }

// A Check is a promise that nbr verify judges.
type Check struct{ ID, Title string }

// Pages are those of a build of nbr, in the order of the documentation.
func Pages(reg *service.Registry) []*Page {
	var out []*Page
	kinds := map[string]service.Kind{}
	for _, k := range reg.Kinds {
		kinds[k.Type] = k
	}
	for _, t := range reg.Types() {
		k := kinds[t.Type] // none for the core's
		out = append(out, &Page{Schema: conf.SchemaOf(t), Software: k.Software, Implicit: k.Implicit, Example: t.Example})
	}
	return out
}

// width is the longest line of a paragraph.
const width = 98

// Markdown is the page.
func (p *Page) Markdown() string {
	var b strings.Builder
	fmt.Fprintf(&b, "# %s\n\n", p.title())
	b.WriteString(p.Lead())
	if p.Example != "" {
		fmt.Fprintf(&b, "```hcl\n%s```\n\n", p.Example)
	}
	attributes(&b, p.Schema, "")
	if p.Becomes != nil {
		p.Becomes.write(&b)
	}
	return strings.TrimRight(b.String(), "\n") + "\n"
}

// Lead is what the page begins with: what the block is, and which program it configures.
func (p *Page) Lead() string {
	var b strings.Builder
	paragraph(&b, p.Doc+p.often())
	if p.Software != "" {
		paragraph(&b, "Program: "+p.Software+".")
	}
	return b.String()
}

func (p *Page) title() string {
	if p.Label == "" {
		return p.Type
	}
	return p.Type + ` "` + p.Label + `"`
}

// often says how many blocks there are.
func (p *Page) often() string {
	switch {
	case p.Implicit:
		return " A spec has at most one, and the defaults hold without it."
	case !p.Many:
		return " A spec has at most one."
	default:
		return ""
	}
}

func paragraph(b *strings.Builder, text string) {
	b.WriteString(wordwrap.WrapString(text, width) + "\n\n")
}

func item(b *strings.Builder, text string) {
	b.WriteString("- " + strings.ReplaceAll(wordwrap.WrapString(text, width-2), "\n", "\n  ") + "\n")
}

// attributes writes the arguments of a block and of those inside it.
func attributes(b *strings.Builder, s conf.Schema, parent string) {
	if parent == "" {
		b.WriteString("## Attributes\n\n")
	} else {
		title := parent + " › " + s.Type
		if s.Label != "" {
			title += ` "` + s.Label + `"`
		}
		fmt.Fprintf(b, "### %s\n\n", title)
		doc := s.Doc
		if !s.Many {
			doc += " At most one."
		}
		paragraph(b, doc)
	}
	if len(s.Attributes) == 0 {
		paragraph(b, "None.")
	}
	for _, at := range s.Attributes {
		item(b, Attribute(at))
	}
	if len(s.Attributes) > 0 {
		b.WriteByte('\n')
	}
	for _, sub := range s.Blocks {
		attributes(b, sub, s.Type)
	}
}

// Attribute is what a page says of an attribute.
func Attribute(at conf.Attribute) string {
	typ := at.Type
	if at.List {
		typ = "list of " + typ
	}
	switch {
	case at.Required:
		typ += "; required"
	case at.Default != "":
		typ += "; default `" + at.Default + "`"
	}
	return fmt.Sprintf("`%s` (%s): %s", at.Name, typ, at.Doc)
}

func (f *Facts) write(b *strings.Builder) {
	b.WriteString("## What the example becomes\n\n")
	if len(f.Options)+len(f.Sockets)+len(f.Kernel) == 0 {
		paragraph(b, "No option of NixOS of its own.")
	}
	if len(f.Options) > 0 {
		b.WriteString("| option of NixOS | in |\n| --- | --- |\n")
		for _, o := range f.Options {
			fmt.Fprintf(b, "| `%s` | `%s` |\n", o.Path, o.File)
		}
		b.WriteByte('\n')
	}
	if len(f.Sockets) > 0 {
		b.WriteString("| socket | name in a zone's `allow` |\n| --- | --- |\n")
		for _, s := range f.Sockets {
			fmt.Fprintf(b, "| %s | `%s` |\n", s.At, s.Service)
		}
		b.WriteByte('\n')
	}
	if len(f.Kernel) > 0 {
		b.WriteString("| kernel option | needed by |\n| --- | --- |\n")
		for _, k := range f.Kernel {
			fmt.Fprintf(b, "| `%s` | %s |\n", k.Symbol, k.Why)
		}
		b.WriteByte('\n')
		paragraph(b, "nbr verify looks for each of them in the kernel, and for its module.")
	}
	b.WriteString("## What nbr verify checks\n\n")
	if len(f.Checks) == 0 {
		paragraph(b, "Nothing of its own.")
		return
	}
	b.WriteString("| check | of the example |\n| --- | --- |\n")
	for _, c := range f.Checks {
		fmt.Fprintf(b, "| `%s` | %s |\n", c.ID, c.Title)
	}
	b.WriteByte('\n')
}

// Table is the list of all blocks; folder is where the pages are, seen from the file
// that the table is in.
func Table(pages []*Page, folder string) string {
	var b strings.Builder
	b.WriteString("| block | what it is | program |\n| --- | --- | --- |\n")
	for _, p := range pages {
		doc, _, _ := strings.Cut(p.Doc, ". ")
		fmt.Fprintf(&b, "| [`%s`](%s/%s.md) | %s | %s |\n", p.Type, folder, p.Type, strings.TrimSuffix(doc, "."), p.Software)
	}
	return b.String()
}
