package graph_test

import (
	"bytes"
	"flag"
	"fmt"
	"io/fs"
	"net/netip"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/google/go-cmp/cmp"
	"github.com/hashicorp/hcl/v2"

	"github.com/nbr-dev/nbr/firmware"
	"github.com/nbr-dev/nbr/hcl/conf"
	"github.com/nbr-dev/nbr/hcl/source"
	"github.com/nbr-dev/nbr/router"
	"github.com/nbr-dev/nbr/router/graph"
	"github.com/nbr-dev/nbr/service"
	"github.com/nbr-dev/nbr/service/all"
	"github.com/nbr-dev/nbr/verify"
)

var update = flag.Bool("update", false, "write the drawings of docs/ and testdata/ anew")

const repo = "../.."

// of is the graph of a spec that has no errors.
func of(t testing.TB, fsys fs.FS, kinds ...service.Kind) *graph.Graph {
	t.Helper()
	reg := &service.Registry{Kinds: append(all.Kinds(), kinds...), Boards: firmware.Boards()}
	spec, diags := reg.Load(fsys, nil)
	for _, d := range diags {
		if d.Severity == hcl.DiagError {
			t.Fatal(d)
		}
	}
	return graph.New(spec.Router, spec.Blocks(), spec.Secrets().Text)
}

func dir(name string) fs.FS { return source.Dir(filepath.Join(repo, name)) }

func svg(t testing.TB, g *graph.Graph) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := g.SVG(&b); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func mermaid(t testing.TB, g *graph.Graph) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := g.Mermaid(&b); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func dot(t testing.TB, g *graph.Graph) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := g.DOT(&b); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// good are all specs of the repository that have no errors.
func good(t testing.TB) map[string]*graph.Graph {
	t.Helper()
	out := map[string]*graph.Graph{}
	for _, pattern := range []string{"testdata/good/*", "testdata/routers/*"} {
		names, err := filepath.Glob(filepath.Join(repo, pattern))
		if err != nil || len(names) == 0 {
			t.Fatal(pattern, err)
		}
		for _, name := range names {
			out[filepath.Base(name)] = of(t, source.Dir(name))
		}
	}
	return out
}

// head begins a spec.
const head = `router "r" {
  board         = "bananapi-bpir4"
  memory        = "4GiB"
  state_version = "25.11"
  console_only  = true
}
`

func spec(text string) fs.FS { return fstest.MapFS{"router.hcl": {Data: []byte(head + text)}} }

// TestDrawings draws every good spec: each drawing is well formed, and nothing in it is on
// something else.
func TestDrawings(t *testing.T) {
	graphs := good(t)
	graphs["empty"] = of(t, spec(""))
	graphs["crowded"] = of(t, crowded(40))
	graphs["campus"] = of(t, sized(300))
	for name, g := range graphs {
		t.Run(name, func(t *testing.T) {
			p := judge(t, svg(t, g))
			for _, n := range g.Nodes {
				if n.Kind == graph.Network && !slices.Contains(p.titles, n.Addr) {
					t.Errorf("%s is not in the drawing", n.Addr)
				}
				if strings.Contains(n.Name+n.Aside+strings.Join(n.Notes, ""), "**") {
					t.Errorf("%s was masked, and is no secret", n.Addr)
				}
			}
		})
	}
}

// crowded has policies from each of so many zones to each other, forwards, and hosts that they
// are about.
func crowded(zones int) fs.FS {
	var b strings.Builder
	b.WriteString("network \"wan\" {\n  link = port.wan\n  ipv4 = \"dhcp\"\n}\n\nzone \"wan\" {\n  networks = [network.wan]\n}\n\nnetwork \"untagged\" {\n  link = port.lan1\n  ipv4 = \"10.99.0.1/24\"\n}\n\n" +
		"bridge \"two\" {\n  ports = [port.lan2, vlan.x]\n}\n\nvlan \"x\" {\n  link = port.lan3\n  id = 5\n}\n\nvlan \"y\" {\n  link = bridge.two\n  id = 7\n}\n\nnetwork \"two\" {\n  link = bridge.two\n  ipv4 = \"10.98.0.1/24\"\n}\n\nnetwork \"y\" {\n  link = vlan.y\n  ipv4 = \"10.97.0.1/24\"\n}\n\n")
	for i := range zones {
		fmt.Fprintf(&b, `vlan "v%[1]d" {
  link = port.lan1
  id   = %[2]d
}

network "n%[1]d" {
  link = vlan.v%[1]d
  ipv4 = "10.0.%[1]d.1/24"
}

zone "z%[1]d" {
  networks = [network.n%[1]d]
}

host "h%[1]d" {
  network = network.n%[1]d
  ipv4    = "10.0.%[1]d.10"
}

port_forward "f%[1]d" {
  from = zone.wan
  port = %[3]d
  to   = host.h%[4]d
}

policy "p%[1]d" {
  from   = [zone.z%[1]d, host.h%[4]d]
  to     = [zone.z%[5]d, host.h%[6]d]
  action = "%[7]s"
}

`, i, i+10, 1000+i, i%3, (i*7+1)%zones, (i*5+2)%zones, []string{"accept", "drop", "reject"}[i%3])
	}
	return spec(b.String())
}

// sized has so many VLANs with a network, a DHCP server and reservations each; ten networks
// are a zone.
func sized(networks int) fs.FS {
	var b strings.Builder
	var refs, all []string
	for i := range networks {
		sub := fmt.Sprintf("10.%d.%d", i/256, i%256)
		fmt.Fprintf(&b, "vlan \"v%[1]d\" {\n  link = port.lan1\n  id   = %[2]d\n}\n\nnetwork \"n%[1]d\" {\n  link = vlan.v%[1]d\n  ipv4 = \"%[3]s.1/24\"\n}\n\n"+
			"dhcp4 \"n%[1]d\" {\n  network = network.n%[1]d\n  pool    = [\"%[3]s.100-%[3]s.199\"]\n", i, i+1, sub)
		for j := range 4 {
			fmt.Fprintf(&b, "\n  reservation \"host-%d\" {\n    mac  = \"02:00:00:%02x:%02x:%02x\"\n    ipv4 = \"%s.%d\"\n  }\n", j, i/256, i%256, j, sub, 10+j)
		}
		b.WriteString("}\n\n")
		refs, all = append(refs, fmt.Sprintf("network.n%d", i)), append(all, fmt.Sprintf("    network.n%d,\n", i))
		if len(refs) == 10 || i == networks-1 {
			fmt.Fprintf(&b, "zone \"z%d\" {\n  networks = [%s]\n  allow    = [\"dhcp\", \"dns\"]\n}\n\n", i/10, strings.Join(refs, ", "))
			fmt.Fprintf(&b, "policy \"p%[1]d\" {\n  from   = [zone.z%[1]d]\n  to     = [zone.z0]\n  action = \"accept\"\n}\n\n", i/10)
			refs = nil
		}
	}
	fmt.Fprintf(&b, "resolver {\n  networks = [\n%s  ]\n}\n", strings.Join(all, ""))
	return spec(b.String())
}

// Nothing depends on the order in which a build lists its kinds, or on chance.
func TestSameBytes(t *testing.T) {
	for _, name := range []string{"testdata/routers/bpi-r4", "testdata/good/hosts", "testdata/routers/thirty-vlans"} {
		want := of(t, dir(name))
		kinds := all.Kinds()
		slices.Reverse(kinds)
		spec, diags := (&service.Registry{Kinds: kinds, Boards: firmware.Boards()}).Load(dir(name), nil)
		if diags.HasErrors() {
			t.Fatal(diags)
		}
		got := graph.New(spec.Router, spec.Blocks(), spec.Secrets().Text)
		for _, form := range []func(testing.TB, *graph.Graph) []byte{svg, dot, mermaid} {
			if d := cmp.Diff(string(form(t, want)), string(form(t, got))); d != "" {
				t.Errorf("%s: %s", name, d)
			}
		}
	}
}

// compare wants a file of the repository to be as it is made now.
func compare(t *testing.T, name string, got []byte) {
	t.Helper()
	if *update {
		if err := os.WriteFile(name, got, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(name)
	if err != nil {
		t.Fatalf("%v: run go test ./router/graph -update", err)
	}
	if d := cmp.Diff(string(want), string(got)); d != "" {
		t.Errorf("%s is stale (-there +wanted); run go test ./router/graph -update:\n%s", name, d)
	}
}

// TestPage keeps the drawings of docs/graph.md current.
func TestPage(t *testing.T) {
	g := of(t, dir("testdata/routers/bpi-r4"))
	compare(t, filepath.Join(repo, "docs/graph.svg"), svg(t, g))
	page, err := os.ReadFile(filepath.Join(repo, "docs/graph.md"))
	if err != nil {
		t.Fatal(err)
	}
	before, rest, ok := strings.Cut(string(page), "```mermaid\n")
	_, after, end := strings.Cut(rest, "```\n")
	if !ok || !end || !strings.Contains(before, "](graph.svg)") {
		t.Fatal("docs/graph.md has no drawing, or none in Mermaid")
	}
	compare(t, filepath.Join(repo, "docs/graph.md"), []byte(before+"```mermaid\n"+string(mermaid(t, g))+"```\n"+after))
}

// TestModel keeps what is seen of routers that have something of everything.
func TestModel(t *testing.T) {
	for name, g := range map[string]*graph.Graph{
		"hosts":    of(t, dir("testdata/good/hosts")),
		"forwards": of(t, dir("testdata/good/forwards")),
		"groups":   of(t, dir("testdata/good/groups")),
		"routes":   of(t, dir("testdata/good/static-wan")),
		"modem":    of(t, dir("testdata/good/two-on-a-link")),
		"foreign":  of(t, spec(foreign), tapKind()),
	} {
		t.Run(name, func(t *testing.T) { compare(t, "testdata/"+name+".mmd", mermaid(t, g)) })
	}
}

// foreign has blocks of a kind that nbr does not know, a tunnel without a network, links that
// others make, and networks without a zone.
const foreign = `
network "lan" {
  link = port.lan1
  ipv4 = "192.0.2.1/24"
}

network "core" {
  link = link.wwan0
  ipv4 = "198.51.100.1/24"
}

network "office" {
  link = tap.t0
  ipv4 = "203.0.113.1/24"
}

link "wwan0" {}

tap "t0" {
  through = network.core
  serves  = [network.lan, network.office]
}

secret "wg" {
  path = "/var/lib/secrets/wg"
}

wireguard "wg9" {
  private_key = secret.wg

  peer "far" {
    public_key  = "X1mxaVVMdYnMoVDy7WmYyFFzRVkuZYJXRcnU0mSNzzk="
    allowed_ips = ["10.9.0.0/24"]
    endpoint    = "vpn.example.org:51820"
  }
}

zone "lan" {
  networks = [network.lan]
  allow    = ["tap"]
}

zone "core" {
  networks = [network.core]
}

policy "in" {
  from      = [zone.core]
  to        = [zone.lan]
  action    = "drop"
  protocols = ["tcp"]
  ports     = ["1-1023"]
  log       = true
}
`

// A Tap is a link that a third party brings.
type Tap struct {
	conf.Header
	Name    conf.Value[router.IfName]  `hcl:"name,key"`
	Through conf.Ref[*router.Network]  `hcl:"through,required" doc:"Carries it."`
	Serves  conf.Refs[*router.Network] `hcl:"serves,required" doc:"Where it listens."`
}

// LinkName is the interface's name.
func (p *Tap) LinkName() router.IfName { return p.Name.V }

// Spec is what the kernel would have of it.
func (p *Tap) Spec() router.LinkSpec {
	return router.LinkSpec{Kind: "tap", Attributes: []router.LinkAttribute{{Name: "tap_id", Value: 7}}}
}

// Claim claims a socket, an address, a way in and a way through.
func (p *Tap) Claim(s *router.Scope) {
	s.Listen(hcl.Range{}, router.Listen{Service: "tap", Protocol: router.TCP, Port: 7, Networks: p.Serves.All()})
	router.Claim(s, hcl.Range{}, router.Accept{Match: router.Match{Protocol: router.OSPF}, Networks: []*router.Network{p.Through.Target}})
	router.Claim(s, hcl.Range{}, router.Forward{Match: router.Match{Protocol: router.UDP, Ports: router.OnePort(9)}, In: p.Serves.All()})
	router.Claim(s, hcl.Range{}, router.Inspect{Policies: s.Policies})
}

// Judge finds nothing.
func (p *Tap) Judge(*router.Router) hcl.Diagnostics { return nil }

// Checks adds none.
func (p *Tap) Checks(*router.Router, *verify.Plan) {}

func tapKind() service.Kind {
	return service.Kind{Type: "tap", Doc: "A link of a third party.", New: func() service.Block { return &Tap{} }}
}

// No form has what looks like a secret, wherever it stands.
func TestSecrets(t *testing.T) {
	const secret = "yAnz5TF+lXXJte14tji3zlMNq+hd2rYUIgJBgB3fBmk="
	text := strings.Replace(head, "\n}", "\n  description = \"the key is "+secret+" here\"\n}", 1) +
		"network \"lan\" {\n  link = port.lan1\n  ipv4 = \"10.0.0.1/24\"\n}\n\ntell \"x\" {\n  what = \"" + secret + "\"\n  to   = network.lan\n}\n"
	kind := service.Kind{Type: "tell", Doc: "Says what it was given.", New: func() service.Block { return &Tell{} }}
	g := of(t, fstest.MapFS{"router.hcl": {Data: []byte(text)}}, kind)
	for name, form := range map[string]func(testing.TB, *graph.Graph) []byte{"SVG": svg, "DOT": dot, "Mermaid": mermaid} {
		out := string(form(t, g))
		if strings.Contains(out, secret[:20]) || strings.Contains(out, secret[20:40]) {
			t.Errorf("%s has the secret:\n%s", name, out)
		}
		if !strings.Contains(out, "tell") {
			t.Errorf("%s has no network with the service", name)
		}
	}
}

// A Tell is a block that has a secret in its claim.
type Tell struct {
	conf.Header
	Name conf.Value[router.Name]   `hcl:"name,label"`
	What conf.Value[string]        `hcl:"what,required" doc:"What it says."`
	To   conf.Ref[*router.Network] `hcl:"to,required" doc:"To whom."`
}

// Claim claims an address with a text.
func (b *Tell) Claim(s *router.Scope) {
	a := netip.MustParseAddr("10.0.0.9")
	router.Claim(s, b.What.Range, router.HostAddr{Range: router.AddrRange{First: a, Last: a}, Why: "is told " + b.What.V})
}

// Judge finds nothing.
func (b *Tell) Judge(*router.Router) hcl.Diagnostics { return nil }

// Checks adds none.
func (b *Tell) Checks(*router.Router, *verify.Plan) {}

// TestLinear counts the bytes that are allocated: eight times as many networks take about
// eight times as many.
func TestLinear(t *testing.T) {
	allocated := func(networks int) uint64 {
		g := maker(t, networks)
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		for _, form := range []func(testing.TB, *graph.Graph) []byte{svg, dot, mermaid} {
			form(t, g())
		}
		runtime.ReadMemStats(&after)
		return after.TotalAlloc - before.TotalAlloc
	}
	small, large := allocated(50), allocated(400)
	t.Logf("%d bytes for 50 networks, %d for 400: %.1f times as many", small, large, float64(large)/float64(small))
	if large > 12*small {
		t.Error("the work grows faster than the spec")
	}
}

// maker loads a spec of so many networks, and returns what makes its graph.
func maker(t testing.TB, networks int) func() *graph.Graph {
	t.Helper()
	spec, diags := (&service.Registry{Kinds: all.Kinds(), Boards: firmware.Boards()}).Load(sized(networks), nil)
	if diags.HasErrors() {
		t.Fatal(diags)
	}
	return func() *graph.Graph { return graph.New(spec.Router, spec.Blocks(), spec.Secrets().Text) }
}

func BenchmarkGraph(b *testing.B) {
	for _, n := range []int{75, 300, 1200} {
		g := maker(b, n)
		b.Run(strconv.Itoa(n), func(b *testing.B) {
			b.ReportAllocs()
			for range b.N {
				svg(b, g())
			}
		})
	}
}
