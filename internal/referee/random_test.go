package referee_test

import (
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/nbr-dev/nbr"
	"github.com/nbr-dev/nbr/firmware"
	"github.com/nbr-dev/nbr/flake"
	"github.com/nbr-dev/nbr/hcl/conf"
	"github.com/nbr-dev/nbr/hcl/diag"
	"github.com/nbr-dev/nbr/internal/lab"
	"github.com/nbr-dev/nbr/internal/nixoptions/standin"
	"github.com/nbr-dev/nbr/internal/nstest"
	"github.com/nbr-dev/nbr/router"
	"github.com/nbr-dev/nbr/service"
	"github.com/nbr-dev/nbr/service/all"
)

// NBR_RANDOM_SPECS is how many random specs are made, for a longer run than that of every
// day; NBR_RANDOM_SEED makes the one of a seed that a failure has named.
const randomSpecs = 60

// A rolled spec is one that has no errors.
type rolled struct {
	seed    uint64
	text    string
	release string
	files   []string // its modules
}

// TestRandomSpecs makes specs of what the schema allows. Each is refused with a line, or
// becomes modules that Nix parses and evaluates, whose options NixOS has, whose ruleset both
// generations of nft load and whose routing FRR takes.
func TestRandomSpecs(t *testing.T) {
	t.Parallel()
	from, n := uint64(0), randomSpecs
	if s := os.Getenv("NBR_RANDOM_SPECS"); s != "" {
		n, _ = strconv.Atoi(s)
	}
	if s := os.Getenv("NBR_RANDOM_SEED"); s != "" {
		from, _ = strconv.ParseUint(s, 10, 64)
		n = 1
	}
	if n < 1 {
		t.Fatal("no specs")
	}
	used, codes := map[string]bool{}, map[string]int{}
	dir := library(t)
	var good []rolled
	for seed := from; seed < from+uint64(n); seed++ {
		d := newDice(seed)
		text := d.roll()
		maps.Copy(used, d.used)
		if r := judge(t, filepath.Join(dir, strconv.FormatUint(seed, 10)), seed, text, codes); r != nil {
			good = append(good, *r)
		}
	}
	t.Logf("%d of %d specs are good; errors: %v", len(good), n, codes)
	if n >= randomSpecs {
		if 2*len(good) < n {
			t.Errorf("only %d of %d specs are good", len(good), n)
		}
		for typ, s := range newDice(0).blocks {
			unused(t, typ, s, used)
		}
		stale(t)
	}
	optionsExist(t, good)
	const batch = 20
	root, routed := lab.Rootfs(t, lab.Files{"/etc/frr/vtysh.conf": ""}), 0
	for some := range slices.Chunk(good, batch) {
		evaluate(t, some, func(r rolled, g *generated) {
			ns := nstest.New(t, "random")
			rules := ruleset(t, g)
			if out, err := ns.Try(t, "nft", "-c", "-f", write(t, rules)); err != nil {
				t.Errorf("seed %d: nft: %v %s\n%s\n%s", r.seed, err, out, r.text, rules)
			}
			root.Write(t, "/tmp/random.nft", rules)
			root.Run(t, ns, "nft", "-c", "-f", "/tmp/random.nft")
			if config, ok := g.at("environment", "etc", "frr/nbr.conf", "text").(string); ok {
				routed++
				root.Write(t, "/tmp/random.conf", config)
				if out, err := root.Try(t, ns, "vtysh", "-C", "-f", "/tmp/random.conf"); err != nil {
					t.Errorf("seed %d: vtysh: %v %s\n%s\n%s", r.seed, err, out, r.text, config)
				}
			}
		})
	}
	if n >= randomSpecs && routed == 0 {
		t.Error("no good spec exchanges routes")
	}
}

// library is a folder with what generated modules import: those of a spec are in a folder of
// their own inside.
func library(t *testing.T) string {
	t.Helper()
	tree, err := flake.Build(flake.Config{Source: nbr.Source()})
	if err != nil {
		t.Fatal(err)
	}
	files := fstest.MapFS{}
	for name, b := range tree.Files {
		files[name] = &fstest.MapFile{Data: b}
	}
	dir := t.TempDir()
	if err := os.CopyFS(dir, files); err != nil {
		t.Fatal(err)
	}
	return dir
}

// unused are the arguments that no random spec has.
func unused(t *testing.T, path string, s conf.Schema, used map[string]bool) {
	t.Helper()
	for _, a := range s.Attributes {
		if at := path + "." + a.Name; !used[at] && !built[at] {
			t.Errorf("no random spec has %s (%s)", at, a.Type)
		}
	}
	for _, b := range s.Blocks {
		unused(t, path+"."+b.Type, b, used)
	}
}

// stale are the values and the exceptions of arguments that no block has.
func stale(t *testing.T) {
	t.Helper()
	types, paths := map[string]bool{}, map[string]bool{}
	var walk func(string, conf.Schema)
	walk = func(path string, s conf.Schema) {
		for _, a := range s.Attributes {
			types[a.Type], paths[path+"."+a.Name] = true, true
		}
		for _, b := range s.Blocks {
			walk(path+"."+b.Type, b)
		}
	}
	for typ, s := range newDice(0).blocks {
		walk(typ, s)
	}
	for _, typ := range slices.Sorted(maps.Keys(values)) {
		if !types[typ] && !paths[typ] {
			t.Errorf("the dice has values of %q, which is no argument and no type of one", typ)
		}
	}
	for _, path := range slices.Sorted(maps.Keys(built)) {
		if !paths[path] {
			t.Errorf("the dice leaves out %s, which no block has", path)
		}
	}
}

// judge loads a spec, and writes its modules to a folder when it has no errors.
func judge(t *testing.T, dir string, seed uint64, text string, codes map[string]int) *rolled {
	t.Helper()
	defer func() {
		if r := recover(); r != nil {
			t.Errorf("seed %d: panic: %v\n%s", seed, r, text)
		}
	}()
	reg := &service.Registry{Kinds: all.Kinds(), Boards: firmware.Boards()}
	spec, diags := reg.Load(fstest.MapFS{"router.hcl": {Data: []byte(text)}}, nil)
	for _, d := range diags {
		if d.Subject == nil || diag.Code(d) == "" || d.Detail == "" {
			t.Errorf("seed %d: %s [%s]\n%s", seed, d, diag.Code(d), text)
		}
		if code := diag.Code(d); d.Severity == 1 {
			codes[code]++
			if os.Getenv("NBR_RANDOM_SEED") != "" {
				t.Logf("%s: %s", d, code)
			}
			if code == "syntax" || code == "unsupported-argument" || code == "missing-argument" {
				t.Errorf("seed %d: the dice knows no HCL: %s\n%s", seed, d, text)
			}
		}
	}
	if diags.HasErrors() {
		return nil
	}
	out := &rolled{seed: seed, text: text, release: string(spec.Router.Release.V)}
	if err := os.MkdirAll(filepath.Join(dir, "spec"), 0o755); err != nil { // the tree has it
		t.Fatal(err)
	}
	for _, f := range spec.Modules() {
		text, _ := f.Module.Print()
		file := filepath.Join(dir, f.Name+".nix")
		if err := os.WriteFile(file, text, 0o644); err != nil {
			t.Fatal(err)
		}
		out.files = append(out.files, file)
	}
	spec.Plan()
	return out
}

// optionsExist has Nix judge what the specs set by the options of their releases.
func optionsExist(t *testing.T, specs []rolled) {
	t.Helper()
	for _, release := range router.Releases {
		some := slices.DeleteFunc(slices.Clone(specs), func(r rolled) bool { return r.release != release })
		var routers []string
		for _, r := range some {
			routers = append(routers, "[ "+strings.Join(r.files, " ")+" ]")
		}
		for i, err := range standin.Refused(t, standin.Inputs(t, release), routers) {
			t.Errorf("seed %d: %v\n%s", some[i].seed, err, some[i].text)
		}
	}
}

// evaluate has Nix parse and evaluate the modules of several specs at once: that is a call
// and not a call each. When it fails each is evaluated alone, to name the one.
func evaluate(t *testing.T, specs []rolled, with func(rolled, *generated)) {
	t.Helper()
	nix := lab.Nix(t)
	modules, err := filepath.Abs("testdata/modules.nix")
	if err != nil {
		t.Fatal(err)
	}
	var files []string
	var list strings.Builder
	for _, r := range specs {
		files = append(files, r.files...)
		list.WriteString("[ ")
		for _, f := range r.files {
			if filepath.Base(f) != "hardware.nix" { // of firmware and kernel: package firmware's tests
				fmt.Fprintf(&list, "(import %s) ", f)
			}
		}
		list.WriteString("] ")
	}
	_, err = nix.Try(t, "nix-instantiate", append([]string{"--parse"}, files...)...)
	expr := fmt.Sprintf("map (import %s) [ %s ]", modules, list.String())
	if err == nil {
		_, err = nix.Try(t, "nix-instantiate", "--eval", "--strict", "--json", "--expr", expr)
	}
	if err != nil && len(specs) == 1 {
		t.Errorf("seed %d: %v\n%s", specs[0].seed, err, specs[0].text)
		return
	}
	if err != nil {
		for _, r := range specs {
			evaluate(t, []rolled{r}, with)
		}
		return
	}
	var all []map[string]any
	nix.EvalJSON(t, expr, &all)
	for i, values := range all {
		with(specs[i], &generated{values: values})
	}
}
