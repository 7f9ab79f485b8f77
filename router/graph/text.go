package graph

import (
	"bytes"
	"fmt"
	"io"
	"strings"
)

// ids are the names of nodes and groups in the text forms: numbers, for what the spec calls
// them may be a word of theirs.
type ids map[End]string

func (g *Graph) ids() ids {
	out := ids{}
	for i, n := range g.Nodes {
		out[n] = fmt.Sprintf("n%d", i+1)
	}
	for i, z := range g.Groups {
		out[z] = fmt.Sprintf("z%d", i+1)
	}
	return out
}

// label are the lines of a node.
func (n *Node) label() []string {
	first := n.Name
	if n.Aside != "" {
		first += " (" + n.Aside + ")"
	}
	out := append([]string{first}, n.Notes...)
	for _, s := range n.Services {
		out = append(out, s.String())
	}
	return out
}

// label is the name of a zone.
func (g *Group) label() string {
	if g.Addr == "" {
		return g.Name
	}
	return "zone " + g.Name
}

// DOT writes the graph in the language of Graphviz.
func (g *Graph) DOT(w io.Writer) error {
	var b bytes.Buffer
	id := g.ids()
	fmt.Fprintf(&b, "digraph %s {\n", dot(g.Name))
	fmt.Fprintf(&b, "\tlabel=%s\n\tlabelloc=t\n\trankdir=LR\n\tcompound=true\n", dot(append([]string{g.Name}, g.Facts...)...))
	b.WriteString("\tfontname=\"sans-serif\"\n\tnode [shape=box style=rounded fontname=\"sans-serif\"]\n\tedge [fontname=\"sans-serif\"]\n")
	write := func(indent string, nodes []*Node) {
		for _, n := range nodes {
			fmt.Fprintf(&b, "%s%s [label=%s%s]\n", indent, id[n], dot(n.label()...), n.dotLook())
		}
	}
	byGroup := g.byGroup()
	write("\t", byGroup[nil])
	for _, z := range g.Groups {
		// Edges end at a node: the one of a zone does not show.
		fmt.Fprintf(&b, "\tsubgraph cluster_%s {\n\t\tlabel=%s\n\t\t%[1]s [shape=point style=invis]\n", id[z], dot(z.label()))
		write("\t\t", byGroup[z])
		b.WriteString("\t}\n")
	}
	for _, e := range g.Edges {
		fmt.Fprintf(&b, "\t%s -> %s%s\n", id[e.From], id[e.To], e.dotLook(id))
	}
	b.WriteString("}\n")
	_, err := w.Write(b.Bytes())
	return err
}

func (n *Node) dotLook() string {
	switch {
	case n.Kind == Way && verdictClass(n.Verdict) == "deny":
		return " shape=cds color=red3"
	case n.Kind == Way:
		return " shape=cds color=green4"
	case n.Outside:
		return " shape=ellipse style=solid"
	case n.Idle:
		return ` style="rounded,dashed"`
	}
	return ""
}

func (e Edge) dotLook(id ids) string {
	switch e.Kind {
	case Over:
		return " [dir=none style=dashed]"
	case From, To:
		if z, ok := e.From.(*Group); ok {
			return fmt.Sprintf(" [ltail=cluster_%s]", id[z])
		}
		if z, ok := e.To.(*Group); ok {
			return fmt.Sprintf(" [lhead=cluster_%s]", id[z])
		}
		return ""
	case Carries, Holds:
	}
	return " [dir=none]"
}

// dot is a label of lines in quotes. In them a backslash begins what stands for something else,
// and so does an ampersand.
func dot(lines ...string) string {
	r := strings.NewReplacer(`\`, `\\`, `"`, `\"`, `&`, `&amp;`)
	out := make([]string, len(lines))
	for i, l := range lines {
		out[i] = r.Replace(l)
	}
	return `"` + strings.Join(out, `\n`) + `"`
}

// Mermaid writes the graph as a flowchart of Mermaid, which forges draw in Markdown.
func (g *Graph) Mermaid(w io.Writer) error {
	var b bytes.Buffer
	id := g.ids()
	b.WriteString("flowchart LR\n")
	fmt.Fprintf(&b, "\taccTitle: The network of %s\n", mermaid(g.Name))
	write := func(indent string, nodes []*Node) {
		for _, n := range nodes {
			open, end, class := n.mermaidLook()
			fmt.Fprintf(&b, "%s%s%s\"%s\"%s%s\n", indent, id[n], open, mermaid(n.label()...), end, class)
		}
	}
	byGroup := g.byGroup()
	write("\t", byGroup[nil])
	for _, z := range g.Groups {
		fmt.Fprintf(&b, "\tsubgraph %s[\"%s\"]\n", id[z], mermaid(z.label()))
		write("\t\t", byGroup[z])
		b.WriteString("\tend\n")
	}
	for _, e := range g.Edges {
		arrow := map[EdgeKind]string{Carries: "---", Over: "-.-", Holds: "---", From: "-->", To: "-->"}[e.Kind]
		fmt.Fprintf(&b, "\t%s %s %s\n", id[e.From], arrow, id[e.To])
	}
	b.WriteString("\tclassDef accept stroke:#1a7f37\n\tclassDef deny stroke:#cf222e,stroke-dasharray:4 3\n\tclassDef forward stroke:#8250df\n\tclassDef idle stroke-dasharray:4 3\n")
	_, err := w.Write(b.Bytes())
	return err
}

func (n *Node) mermaidLook() (open, end, class string) {
	switch {
	case n.Kind == Way:
		return "{{", "}}", ":::" + verdictClass(n.Verdict)
	case n.Outside:
		return "([", "])", ""
	case n.Idle:
		return "[", "]", ":::idle"
	}
	return "[", "]", ""
}

// byGroup are the nodes of each group, and by nil those of none.
func (g *Graph) byGroup() map[*Group][]*Node {
	out := map[*Group][]*Node{}
	for _, n := range g.Nodes {
		out[n.Group] = append(out[n.Group], n)
	}
	return out
}

// mermaidSigns are what means something to Mermaid in a text in quotes: the text's end, tags
// and entities, Markdown, formulas, and %%{, which is a directive wherever it stands.
var mermaidSigns = strings.NewReplacer(
	`"`, "#quot;", "#", "#35;", "&", "#amp;", "<", "#lt;", ">", "#gt;", "`", "#96;",
	"%", "#37;", "$", "#36;", `\`, "#92;", "*", "#42;", ":fa-", "#58;fa-",
)

func mermaid(lines ...string) string {
	out := make([]string, len(lines))
	for i, l := range lines {
		out[i] = mermaidSigns.Replace(l)
	}
	return strings.Join(out, "<br/>")
}
