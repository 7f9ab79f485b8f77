package graph_test

import (
	"bytes"
	"encoding/xml"
	"errors"
	"fmt"
	"html"
	"io"
	"math/rand/v2"
	"os/exec"
	"regexp"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/nbr-dev/nbr/router/graph"
)

// hostile are texts that would end a label, a tag or a line, or begin something else.
var hostile = []string{
	`"`, `'`, `\`, `\\`, `\"`, `a\`, `\n`, `\N\G\l`, `"]`, `"}`, `</text>`, `<script>alert(1)</script>`, `]]>`, `<!--`, `-->`, `<?x?>`,
	`&lt;`, `&#x41;`, `&`, `&quot;`, `#quot;`, `#35;`, `#`, ";", "`md`", `**bold**`, `1. list`, `- list`, `%%{init: {"theme":"dark"}}%%`, `%% x`,
	`$$x^2$$`, `fa:fa-car`, `:::deny`, `-->`, `---`, `end`, `subgraph`, `graph`, `click n1 "javascript:x"`, `{{x}}`, `<b>x</b>`, `<br/>`, `->`,
	"a\nb", "a\r\nb", "a\tb", "\x00", "\x1b[31m", "\u202e", "\u2028", "\ufffe", "\xff\xfe", "\ufdfd\ufdfd", "日本語", "👩‍👩‍👧", "e\u0301", "", " ", strings.Repeat("W", 2000),
	"{", "}", "[", "]", "(", ")", "|", `style="fill:red"`, `url(http://example.org/)`, `digraph`, `@import`, `"; x [label="y`,
}

// mixed is a graph with these texts in every place, and with as many nodes and edges as the
// numbers say.
func mixed(text func() string, number func(int) int) *graph.Graph {
	g := &graph.Graph{Name: text(), Facts: []string{text(), text()}, Text: text()}
	notes := func() []string {
		var out []string
		for range number(3) {
			out = append(out, text())
		}
		return out
	}
	add := func(n *graph.Node) *graph.Node {
		n.Addr, n.Name, n.Aside, n.Notes = text(), text(), text(), notes()
		g.Nodes = append(g.Nodes, n)
		return n
	}
	edge := func(k graph.EdgeKind, from, to graph.End) {
		g.Edges = append(g.Edges, graph.Edge{Kind: k, From: from, To: to})
	}
	for range number(5) {
		g.Groups = append(g.Groups, &graph.Group{Addr: text(), Name: text(), Upstream: number(2) == 0})
	}
	var links, networks, hosts []*graph.Node
	for range 1 + number(8) {
		n := add(&graph.Node{Kind: graph.Link, Base: number(2) == 0, Idle: number(4) == 0})
		for range number(3) {
			if len(links) > 0 {
				if from := links[number(len(links))]; !slices.Contains(g.Edges, graph.Edge{Kind: graph.Carries, From: from, To: n}) {
					edge(graph.Carries, from, n)
				}
			}
		}
		links = append(links, n)
	}
	if len(g.Groups) == 0 {
		return g
	}
	for range number(8) {
		n := add(&graph.Node{Kind: graph.Network, Group: g.Groups[number(len(g.Groups))]})
		for range number(4) {
			n.Services = append(n.Services, graph.Service{Name: text(), Ports: []string{"udp/53"}, Closed: number(2) == 0})
		}
		edge(graph.Carries, links[number(len(links))], n)
		networks = append(networks, n)
		for range number(4) {
			h := add(&graph.Node{Kind: graph.Host, Network: n, Group: n.Group, Outside: number(3) == 0})
			edge(graph.Holds, n, h)
			hosts = append(hosts, h)
		}
	}
	if len(networks) > 0 {
		edge(graph.Over, links[number(len(links))], networks[number(len(networks))])
	}
	for range number(8) {
		n := add(&graph.Node{Kind: graph.Way, Verdict: []graph.Verdict{graph.Accept, graph.Drop, graph.Reject, graph.Forward}[number(4)]})
		for i := range number(6) {
			var end graph.End = g.Groups[number(len(g.Groups))]
			if len(hosts) > 0 && number(2) == 0 {
				end = hosts[number(len(hosts))]
			}
			if i%2 == 0 {
				edge(graph.From, end, n)
			} else {
				edge(graph.To, n, end)
			}
		}
	}
	return g
}

// dice are texts and numbers by chance, the same each time.
func dice(seed uint64) (func() string, func(int) int) {
	r := rand.New(rand.NewPCG(seed, 1))
	text := func() string {
		out := hostile[r.IntN(len(hostile))]
		for range r.IntN(3) {
			out += hostile[r.IntN(len(hostile))]
		}
		return graph.Clean(out)
	}
	return text, r.IntN
}

// TestHostile draws graphs of any shape with texts that would break out of their places: a
// drawing stays one, and says the texts.
func TestHostile(t *testing.T) {
	for seed := range uint64(300) {
		g := mixed(dice(seed))
		judge(t, svg(t, g))
		judgeMermaid(t, g)
		if t.Failed() {
			t.Fatalf("seed %d:\n%s", seed, svg(t, g))
		}
	}
}

// FuzzText draws a router whose every text is the same.
func FuzzText(f *testing.F) {
	for _, text := range hostile {
		f.Add(text, uint64(len(text)))
	}
	f.Fuzz(func(t *testing.T, text string, seed uint64) {
		_, number := dice(seed)
		text = graph.Clean(text)
		g := mixed(func() string { return text }, number)
		judge(t, svg(t, g))
		judgeMermaid(t, g)
	})
}

// What New makes of a spec is clean, wherever the text stands.
func TestClean(t *testing.T) {
	for in, want := range map[string]string{
		"a\nb\tc": "a b c", "\x00\x1b": "\ufffd\ufffd", "\u202ea": "\ufffda", "\ufffe": "\ufffd", "Zürich": "Zürich", "\xff": "\ufffd",
	} {
		if got := graph.Clean(in); got != want {
			t.Errorf("%q became %q, not %q", in, got, want)
		}
	}
	g := of(t, fstest.MapFS{"router.hcl": {Data: []byte(strings.Replace(head, "\n}", "\n  description = \"a\\\"<b>\\n\\u202ec\"\n}", 1))}})
	const want = "a\"<b> \ufffdc"
	if g.Text != want {
		t.Errorf("the description became %q", g.Text)
	}
	p := judge(t, svg(t, g))
	if !slices.ContainsFunc(p.texts, func(s shape) bool { return s.text == want }) {
		t.Errorf("the description is not drawn: %v", p.texts)
	}
}

// The lines that a flowchart of Mermaid has here, in full.
var (
	nodeRE     = regexp.MustCompile(`^\t+n\d+(?:\["([^"]*)"\]|\(\["([^"]*)"\]\)|\{\{"([^"]*)"\}\})(:::(accept|deny|forward|idle))?$`)
	subgraphRE = regexp.MustCompile(`^\tsubgraph z\d+\["([^"]*)"\]$`)
	flowEdgeRE = regexp.MustCompile(`^\t[nz]\d+ (---|-\.-|-->) [nz]\d+$`)
	classDefRE = regexp.MustCompile(`^\tclassDef [a-z]+ [a-z:#0-9, -]+$`)
	signRE     = regexp.MustCompile("[\"`<>$\\\\*%]|%%|&|#(?:[a-z]+|[0-9]+)?[^a-z0-9;]|:fa-")
)

// judgeMermaid reads the flowchart by its lines; texts are what they were.
func judgeMermaid(t *testing.T, g *graph.Graph) {
	t.Helper()
	var labels []string
	lines := strings.Split(strings.TrimSuffix(string(mermaid(t, g)), "\n"), "\n")
	open := 0
	for i, l := range lines {
		switch m := nodeRE.FindStringSubmatch(l); {
		case i == 0 && l == "flowchart LR", i == 1 && strings.HasPrefix(l, "\taccTitle: "), flowEdgeRE.MatchString(l), classDefRE.MatchString(l):
		case m != nil:
			labels = append(labels, m[1]+m[2]+m[3])
		case subgraphRE.MatchString(l) && open == 0:
			labels = append(labels, subgraphRE.FindStringSubmatch(l)[1])
			open++
		case l == "\tend" && open == 1:
			open--
		default:
			t.Errorf("line %d of the flowchart: %q", i+1, l)
		}
	}
	if open != 0 || len(labels) != len(g.Nodes)+len(g.Groups) {
		t.Errorf("%d labels for %d nodes and %d zones", len(labels), len(g.Nodes), len(g.Groups))
	}
	want := map[string]int{}
	for _, n := range g.Nodes {
		for _, text := range append([]string{n.Name}, n.Notes...) {
			want[text]++
		}
	}
	for _, label := range labels {
		for _, part := range strings.Split(label, "<br/>") {
			if signRE.MatchString(part) {
				t.Errorf("a label has a sign of Mermaid: %q", part)
			}
			delete(want, unsign(part))
			for text := range want {
				if unsign(part) == text || strings.HasPrefix(unsign(part), text+" (") {
					delete(want, text)
				}
			}
		}
	}
	for text := range want {
		t.Errorf("%q is not in the flowchart", text)
	}
}

var entityRE = regexp.MustCompile(`#([a-z]+|[0-9]+);`)

// unsign is what Mermaid shows for a label: #lt; is &lt; of HTML, and #35; is &#35;.
func unsign(label string) string {
	return entityRE.ReplaceAllStringFunc(label, func(e string) string {
		name := e[1:]
		if name[0] >= '0' && name[0] <= '9' {
			name = "#" + name
		}
		return html.UnescapeString("&" + name)
	})
}

// TestGraphviz has Graphviz itself draw, and wants the texts of the spec in its drawing.
func TestGraphviz(t *testing.T) {
	graphs := good(t)
	for seed := range uint64(20) {
		graphs[fmt.Sprintf("seed %d", seed)] = mixed(dice(seed))
	}
	for name, g := range graphs {
		t.Run(name, func(t *testing.T) {
			cmd := exec.Command("dot", "-Tsvg")
			cmd.Stdin = bytes.NewReader(dot(t, g))
			var said bytes.Buffer
			cmd.Stderr = &said
			out, err := cmd.Output()
			if err != nil || said.Len() > 0 {
				t.Fatalf("dot (.ci/setup installs it): %v\n%s\n%s", err, &said, dot(t, g))
			}
			shown := map[string]bool{}
			for dec := xml.NewDecoder(bytes.NewReader(out)); ; {
				tok, err := dec.Token()
				if errors.Is(err, io.EOF) {
					break
				}
				if err != nil {
					t.Fatal(err)
				}
				if text, ok := tok.(xml.CharData); ok {
					shown[squeeze(string(text))] = true
				}
			}
			for _, n := range g.Nodes {
				first := n.Name
				if n.Aside != "" {
					first += " (" + n.Aside + ")"
				}
				for _, text := range append([]string{first}, n.Notes...) {
					if text := squeeze(text); text != "" && !shown[text] {
						t.Errorf("%q is not in the drawing of Graphviz\n%s", text, dot(t, g))
					}
				}
			}
		})
	}
}

// squeeze is a text as it is compared: Graphviz writes blanks as those that do not break.
func squeeze(s string) string {
	return strings.Join(strings.FieldsFunc(s, func(r rune) bool { return r == ' ' || r == '\u00a0' }), " ")
}
