package reference_test

import (
	"cmp"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"testing/fstest"

	gocmp "github.com/google/go-cmp/cmp"
	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclwrite"

	"github.com/nbr-dev/nbr/firmware"
	"github.com/nbr-dev/nbr/hcl/conf"
	"github.com/nbr-dev/nbr/hcl/diag"
	"github.com/nbr-dev/nbr/nixgen"
	"github.com/nbr-dev/nbr/router"
	"github.com/nbr-dev/nbr/service"
	"github.com/nbr-dev/nbr/service/all"
	"github.com/nbr-dev/nbr/service/reference"
	"github.com/nbr-dev/nbr/verify"
	"github.com/nbr-dev/nbr/verify/state"
)

var update = flag.Bool("update", false, "write the generated pages anew")

const (
	repo = "../.."
	// example is the file of a spec that the blocks in question are in, beside the one for
	// others that they need.
	example, beside = "example.hcl", "beside.hcl"
)

func registry() *service.Registry {
	return &service.Registry{Kinds: all.Kinds(), Boards: firmware.Boards()}
}

func read(t *testing.T, name string) string {
	t.Helper()
	b, err := os.ReadFile(filepath.Join(repo, name))
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// load loads blocks as a part of the article's router, whose blocks of the same name
// they replace. Those of the type are in the file for the example.
func load(t *testing.T, typ, blocks string) (*service.Spec, hcl.Diagnostics) {
	t.Helper()
	parse := func(src string) *hclwrite.Body {
		f, diags := hclwrite.ParseConfig([]byte(src), example, hcl.InitialPos)
		if diags.HasErrors() {
			t.Fatalf("%s\n%s", diags, src)
		}
		return f.Body()
	}
	name := func(b *hclwrite.Block) string { return strings.Join(append([]string{b.Type()}, b.Labels()...), ".") }
	replaced := map[string]bool{}
	own, others := parse(blocks), hclwrite.NewEmptyFile().Body()
	for _, b := range own.Blocks() {
		if b.Type() != typ {
			own.RemoveBlock(b)
			others.AppendBlock(b)
		}
		replaced[name(b)] = true
		if b.Type() == "router" {
			replaced["router.bpi-r4"] = true
		}
	}
	article := parse(read(t, "testdata/routers/bpi-r4/router.hcl"))
	for _, b := range article.Blocks() {
		if replaced[name(b)] {
			article.RemoveBlock(b)
		}
	}
	// Implicit blocks would take the line of the router block, and so be a part of it.
	for _, k := range registry().Kinds {
		if k.Implicit && !replaced[k.Type] && article.FirstMatchingBlock(k.Type, nil) == nil {
			others.AppendNewBlock(k.Type, nil)
		}
	}
	return registry().Load(fstest.MapFS{
		"router.hcl": {Data: article.BuildTokens(nil).Bytes()},
		example:      {Data: own.BuildTokens(nil).Bytes()},
		beside:       {Data: others.BuildTokens(nil).Bytes()},
	}, nil)
}

// becomes is what the blocks of the example become.
func becomes(spec *service.Spec) *reference.Facts {
	f := &reference.Facts{}
	for _, m := range spec.Modules() {
		var paths [][]string
		for _, o := range m.Module.Options() {
			if fromExample(o) {
				paths = append(paths, o.Path)
			}
		}
		for _, path := range folded(paths) {
			f.Options = append(f.Options, reference.Option{Path: path, File: m.Name + ".nix"})
		}
	}
	for _, l := range router.Claimed[router.Listen](spec.Router) {
		if l.From.Filename == example {
			f.Sockets = append(f.Sockets, reference.Socket{Service: l.Service, At: fmt.Sprintf("%s/%d", l.Protocol, l.Port)})
		}
	}
	for _, k := range router.Claimed[router.Kernel](spec.Router) {
		if k.From.Filename == example {
			f.Kernel = append(f.Kernel, reference.KernelOption{Symbol: k.Symbol, Why: k.Why})
		}
	}
	slices.SortFunc(f.Kernel, func(a, b reference.KernelOption) int {
		return cmp.Or(cmp.Compare(a.Symbol, b.Symbol), cmp.Compare(a.Why, b.Why))
	})
	f.Kernel = slices.Compact(f.Kernel)
	for _, c := range spec.Plan().Checks {
		if c.From.Filename == example && !ofKernel(c.ID) {
			f.Checks = append(f.Checks, reference.Check{ID: c.ID, Title: c.Title})
		}
	}
	return f
}

// ofKernel tells checks of what is among the kernel options already.
func ofKernel(id string) bool {
	return strings.HasPrefix(id, "firmware/kernel/") || strings.HasPrefix(id, "firmware/module/")
}

// folded are options as Nix writes them. Several with the same first three names, as
// all of a unit, are one.
func folded(paths [][]string) []string {
	nix := func(path []string) string {
		var names []string
		for _, n := range path {
			if strings.ContainsAny(n, "./") {
				n = strconv.Quote(n)
			}
			names = append(names, n)
		}
		return strings.Join(names, ".")
	}
	const few = 3
	group := func(path []string) string { return nix(path[:min(few, len(path))]) }
	n := map[string]int{}
	for _, path := range paths {
		n[group(path)]++
	}
	var out []string
	for _, path := range paths {
		name := nix(path)
		if n[group(path)] > 1 {
			name = group(path) + ".*"
		}
		if !slices.Contains(out, name) {
			out = append(out, name)
		}
	}
	return out
}

// fromExample tells whether the value of an option, or a part of it, comes from the
// example.
func fromExample(o nixgen.Option) bool {
	var one nixgen.Module
	one.Set(o.From, o.Value, o.Path...)
	_, origins := one.Print()
	return slices.ContainsFunc(origins, func(at nixgen.Origin) bool { return at.File == example })
}

// pages are those of the built-in blocks, with what their examples become.
func pages(t *testing.T) []*reference.Page {
	t.Helper()
	reg := registry()
	out := reference.Pages(reg)
	kinds := map[string]service.Kind{}
	for _, k := range reg.Kinds {
		kinds[k.Type] = k
	}
	for _, p := range out {
		k, service := kinds[p.Type]
		if p.Example == "" {
			t.Errorf("the block %s has no example: give its service.Kind (%s) an Example, a block as a user would write it "+
				"that fits into testdata/routers/bpi-r4/router.hcl, then run go test ./service/reference -update", p.Type, folder(k))
			continue
		}
		if service && k.Program != nil && k.Software == "" {
			t.Errorf("the block %s does not say which program it configures: give its service.Kind (%s) a Software, as in \"Kea\"", p.Type, folder(k))
		}
		spec, diags := load(t, p.Type, p.Example)
		for _, d := range diags {
			t.Errorf("the example of %s (%s): %s: %s %s", p.Type, folder(k), d.Subject, d.Summary, diag.Text(d))
		}
		if formatted := string(hclwrite.Format([]byte(p.Example))); formatted != p.Example {
			t.Errorf("the example of %s (%s) is not as nbr fmt writes it:\n%s", p.Type, folder(k), formatted)
		}
		if !slices.ContainsFunc(spec.Blocks(), func(b conf.Block) bool {
			return b.Head().Addr.Type == p.Type && b.Head().Def.Filename == example
		}) {
			t.Errorf("the example of %s (%s) has no such block", p.Type, folder(k))
		}
		if diags.HasErrors() {
			continue
		}
		p.Becomes = becomes(spec)
		if !service { // a program of others makes it, and promises so
			p.Software = promisedBy(spec, p.Type, reg.Kinds)
		}
	}
	if t.Failed() {
		t.FailNow()
	}
	return out
}

// promisedBy are the programs whose kinds check blocks of this type.
func promisedBy(spec *service.Spec, typ string, kinds []service.Kind) string {
	var names []string
	for _, k := range kinds {
		plan := spec.PlanOf(func(other service.Kind) bool { return other.Type == k.Type })
		if k.Software != "" && !slices.Contains(names, k.Software) && slices.ContainsFunc(plan.Checks, func(c verify.Check) bool {
			of, _, _ := strings.Cut(c.Block(), ".")
			return of == typ
		}) {
			names = append(names, k.Software)
		}
	}
	return strings.Join(names, ", ")
}

// compare compares a file with what it has to be, or writes it.
func compare(t *testing.T, name, want string) {
	t.Helper()
	path := filepath.Join(repo, name)
	if *update {
		if err := os.WriteFile(path, []byte(want), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	got, err := os.ReadFile(path)
	if err != nil {
		t.Errorf("%s: run go test ./service/reference -update", err)
		return
	}
	if d := gocmp.Diff(string(got), want); d != "" {
		t.Errorf("%s is stale (-there +wanted); run go test ./service/reference -update:\n%s", name, d)
	}
}

// between replaces what is between the markers of a page: <!-- NAME --> and <!-- end -->.
func between(t *testing.T, page, name, text string) string {
	t.Helper()
	begin := "<!-- " + name + " -->\n"
	head, rest, ok := strings.Cut(page, begin)
	_, tail, closed := strings.Cut(rest, "<!-- end -->")
	if !ok || !closed {
		t.Fatalf("no %s … <!-- end -->", strings.TrimSpace(begin))
	}
	return head + begin + text + "<!-- end -->" + tail
}

// folder is where a kind of block is.
func folder(k service.Kind) string {
	if k.New == nil {
		return "router/blocks.go"
	}
	return strings.TrimPrefix(reflect.TypeOf(k.New()).Elem().PkgPath(), "github.com/nbr-dev/nbr/")
}

// Each block has a page, and no other page is there.
func TestBlocks(t *testing.T) {
	all := pages(t)
	want := map[string]bool{}
	for _, p := range all {
		name := "docs/blocks/" + p.Type + ".md"
		want[filepath.Join(repo, name)] = true
		compare(t, name, p.Markdown())
	}
	there, err := filepath.Glob(filepath.Join(repo, "docs/blocks/*"))
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range there {
		if !want[f] {
			t.Errorf("%s is the page of no block: remove it", f)
		}
	}
	compare(t, "README.md", between(t, read(t, "README.md"), "blocks", reference.Table(all, "docs/blocks")))
	compare(t, "docs/README.md", index(t, all))
}

// The table of services that need no block is that of the core, and sorted, as it is searched.
func TestWellKnownServices(t *testing.T) {
	if !slices.IsSortedFunc(router.WellKnowns, func(a, b router.WellKnown) int { return strings.Compare(a.Name, b.Name) }) {
		t.Error("the table is not sorted by name")
	}
	var b strings.Builder
	b.WriteString("| name | protocols and ports | name at IANA, if another | block by which the router offers it |\n| --- | --- | --- | --- |\n")
	for _, w := range router.WellKnowns {
		for text := range strings.FieldsSeq(w.Ports) {
			var p router.Packets
			if err := p.UnmarshalText([]byte(text)); err != nil || p.String() != text {
				t.Errorf("%s: %s is %s: %v", w.Name, text, p, err)
			}
		}
		block := w.Block
		if block != "" {
			block = fmt.Sprintf("[`%s`](blocks/%[1]s.md)", block)
		}
		fmt.Fprintf(&b, "| `%s` | %s | %s | %s |\n", w.Name, strings.ReplaceAll(w.Ports, " ", ", "), w.IANA, block)
	}
	compare(t, "docs/services.md", between(t, read(t, "docs/services.md"), "services", b.String()))
}

// index is the list of all pages.
func index(t *testing.T, blocks []*reference.Page) string {
	t.Helper()
	guides, err := filepath.Glob(filepath.Join(repo, "docs/*.md"))
	if err != nil {
		t.Fatal(err)
	}
	var b strings.Builder
	b.WriteString("# Documentation\n\n## Guides\n\n")
	for _, g := range guides {
		name := filepath.Base(g)
		if name == "README.md" {
			continue
		}
		title, _, _ := strings.Cut(read(t, "docs/"+name), "\n")
		fmt.Fprintf(&b, "- [%s](%s)\n", strings.TrimPrefix(title, "# "), name)
	}
	b.WriteString("\n## Blocks\n\nThe example of each page is a part of\n[testdata/routers/bpi-r4](../testdata/routers/bpi-r4/router.hcl), " +
		"whose blocks of the same name it replaces.\n\n" + reference.Table(blocks, "blocks"))
	return b.String()
}

// The modules in README.md's picture of a tree are those of the article's router.
func TestTreeOfReadme(t *testing.T) {
	spec, diags := load(t, "", "")
	if diags.HasErrors() {
		t.Fatal(diags)
	}
	there := map[string]bool{"flake": true, "local": true}
	for _, m := range spec.Modules() {
		there[m.Name] = true
	}
	_, picture, _ := strings.Cut(read(t, "README.md"), "\nout/\n")
	picture, _, _ = strings.Cut(picture, "```")
	names := regexp.MustCompile(`([a-z0-9-]+)\.nix\b`).FindAllStringSubmatch(picture, -1)
	if len(names) < 5 {
		t.Fatalf("README.md shows %d modules only", len(names))
	}
	for _, m := range names {
		if !there[m[1]] {
			t.Errorf("README.md shows %s, which is not generated", m[0])
		}
	}
}

// docs/changes.md speaks of the format that this nbr writes.
func TestFormatOfStates(t *testing.T) {
	if row := fmt.Sprintf("| %d | this nbr |", state.Version); !strings.Contains(read(t, "docs/changes.md"), row) {
		t.Errorf("docs/changes.md has no row %s: say there what became different with it", row)
	}
}
