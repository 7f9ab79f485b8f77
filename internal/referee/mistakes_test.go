package referee_test

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/nbr-dev/nbr"
	"github.com/nbr-dev/nbr/firmware"
	"github.com/nbr-dev/nbr/flake"
	"github.com/nbr-dev/nbr/internal/lab"
	"github.com/nbr-dev/nbr/internal/mistakes"
	"github.com/nbr-dev/nbr/internal/nixoptions/standin"
	"github.com/nbr-dev/nbr/internal/nstest"
	"github.com/nbr-dev/nbr/router"
	"github.com/nbr-dev/nbr/service"
	"github.com/nbr-dev/nbr/service/all"
)

// An unnoticed mistake is one that nbr takes, with the modules that its spec becomes.
type unnoticed struct {
	*mistakes.Result
	release string
	r4      bool // the board
	files   []string
	values  *generated // nil if Nix refuses it
}

// TestMistakesThatPass gives what good specs with a mistake in them become to the programs: where
// nbr says no error none of them may fail. NBR_MISTAKES=1 tries all mistakes, 2 every second one
// of a kind.
func TestMistakesThatPass(t *testing.T) {
	t.Parallel()
	reg := &service.Registry{Kinds: all.Kinds(), Boards: firmware.Boards()}
	bases, err := mistakes.Good(os.DirFS("../.."), reg)
	if err != nil {
		t.Fatal(err)
	}
	list, err := mistakes.Make(reg, bases)
	if err != nil {
		t.Fatal(err)
	}
	list = mistakes.Some(list, oneIn(t))
	outcomes := map[string]int{}
	seen := map[string]bool{}
	var pass []*unnoticed
	dir := t.TempDir()
	writeLibrary(t, dir)
	for i, m := range list {
		r := m.Judge(reg)
		outcomes[cmp.Or(r.Outcome, "panic")]++
		if r.Spec == nil || r.Outcome == mistakes.Same || seen[r.Tree] {
			continue
		}
		seen[r.Tree] = true
		pass = append(pass, &unnoticed{Result: r, release: string(r.Spec.Router.Release.V), r4: r.Spec.Router.Board.ID == "bananapi-bpir4", files: writeModules(t, filepath.Join(dir, fmt.Sprint(i)), r)})
		r.Spec = nil // there are thousands
	}
	t.Logf("%d mistakes: %v; %d different trees", len(list), outcomes, len(pass))
	if len(pass) == 0 {
		t.Fatal("no mistake passes")
	}
	optionsTaken(t, pass)
	for some := range slices.Chunk(pass, 100) {
		evaluatePassed(t, some)
	}
	programs(t, pass)
	applied(t, pass)
}

// applied has IfState make links of what has passed, which is where a kernel refuses a value:
// some of them, or all if all mistakes are tried. The ports are those of a Banana Pi BPI-R4.
func applied(t *testing.T, pass []*unnoticed) {
	t.Helper()
	ifstate := lab.IfState(t)
	ifstate.Ports = dsaPorts
	seen := map[string]bool{}
	var some []*unnoticed
	for _, p := range pass {
		if p.values == nil || p.Free || !p.r4 {
			continue
		}
		if text := toJSON(t, applicable(t, p.values)); !seen[text] {
			seen[text] = true
			some = append(some, p)
		}
	}
	const few = 8
	step := 1
	if oneIn(t) > 1 {
		step = max(len(some)/few, 1)
	}
	for i := 0; i < len(some); i += step {
		p, ns := some[i], board(t, nil)
		config := ifstateYAML(t, applicable(t, p.values), "/nowhere")
		report, err := ifstate.Try(t, ns, config, "apply")
		if err != nil {
			p.refuses(t, "ifstate apply", err, config)
			continue
		}
		if complaints, err := ifstate.Try(t, ns, config, "-q", "check"); err != nil || complaints != "" {
			p.refuses(t, "ifstate check", fmt.Errorf("%v: %s\n%s", err, complaints, report), config)
		}
	}
	t.Logf("ifstate applies every %d of %d files", step, len(some))
}

func oneIn(t *testing.T) int {
	t.Helper()
	s := os.Getenv("NBR_MISTAKES")
	if s == "" {
		return 40
	}
	n, err := strconv.Atoi(s)
	if err != nil || n < 1 {
		t.Fatalf("NBR_MISTAKES=%s", s)
	}
	return n
}

// writeLibrary writes what modules import beside the folders of the specs.
func writeLibrary(t *testing.T, dir string) {
	t.Helper()
	tree, err := flake.Build(flake.Config{Source: nbr.Source()})
	if err != nil {
		t.Fatal(err)
	}
	for name, b := range tree.Files {
		writeFile(t, filepath.Join(dir, name), b)
	}
}

func writeFile(t *testing.T, file string, b []byte) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, b, 0o644); err != nil {
		t.Fatal(err)
	}
}

// writeModules writes the modules of a spec and the spec itself.
func writeModules(t *testing.T, dir string, r *mistakes.Result) (files []string) {
	t.Helper()
	for name, f := range r.Files() {
		writeFile(t, filepath.Join(dir, "spec", name), f.Data)
	}
	for _, f := range r.Spec.Modules() {
		text, _ := f.Module.Print()
		file := filepath.Join(dir, f.Name+".nix")
		writeFile(t, file, text)
		files = append(files, file)
	}
	return files
}

// refuses says that a program refuses what nbr has made of a mistake. What a user writes in the
// program's own words is the program's to judge, when the system is built.
func (p *unnoticed) refuses(t *testing.T, program string, why error, content string) {
	t.Helper()
	if p.Free {
		t.Logf("%s refuses its own words: %s: %v", program, p.Mistake, why)
		return
	}
	t.Errorf("%s: %s [%s]: %v\n%s", program, p.Mistake, p.Outcome, why, content)
}

// optionsTaken has Nix judge what the specs set by the options of their releases.
func optionsTaken(t *testing.T, pass []*unnoticed) {
	t.Helper()
	for _, release := range router.Releases {
		some := slices.DeleteFunc(slices.Clone(pass), func(p *unnoticed) bool { return p.release != release })
		for some := range slices.Chunk(some, 100) {
			var routers []string
			for _, p := range some {
				routers = append(routers, "[ "+strings.Join(p.files, " ")+" ]")
			}
			for i, err := range standin.Refused(t, standin.Inputs(t, release), routers) {
				some[i].refuses(t, "nixos "+release, err, "")
			}
		}
	}
}

// evaluatePassed fills the values of several specs, in one run of Nix while it refuses none.
func evaluatePassed(t *testing.T, some []*unnoticed) {
	t.Helper()
	modules, err := filepath.Abs("testdata/modules.nix")
	if err != nil {
		t.Fatal(err)
	}
	var list strings.Builder
	for _, p := range some {
		list.WriteString("[ ")
		for _, f := range p.files {
			if filepath.Base(f) != "hardware.nix" { // of firmware and kernel: package firmware's tests
				fmt.Fprintf(&list, "(import %s) ", f)
			}
		}
		list.WriteString("] ")
	}
	out, err := lab.Nix(t).Try(t, "nix-instantiate", "--eval", "--strict", "--json", "--expr", fmt.Sprintf("map (import %s) [ %s ]", modules, &list))
	switch {
	case err != nil && len(some) == 1:
		some[0].refuses(t, "nix", err, "")
		return
	case err != nil:
		evaluatePassed(t, some[:len(some)/2])
		evaluatePassed(t, some[len(some)/2:])
		return
	}
	var values []map[string]any
	if err := json.Unmarshal([]byte(out), &values); err != nil || len(values) != len(some) {
		t.Fatalf("%d values of %d: %v", len(values), len(some), err)
	}
	for i, v := range values {
		some[i].values = &generated{values: v}
	}
}

// A reader is a program of the router and the file of its that nbr makes.
type reader struct {
	name    string
	content func(*testing.T, *generated) string // "" if there is none
	args    []string                            // the file's name goes last
}

var readers = []reader{
	{"nft", ruleset, []string{"nft", "-c", "-f"}},
	{"kea", func(t *testing.T, g *generated) string {
		if g.at("services", "kea", "dhcp4", "enable") != true {
			return ""
		}
		return keaJSON(t, g)
	}, []string{"kea-dhcp4", "-t"}},
	{"sshd", func(t *testing.T, g *generated) string {
		if g.at("services", "openssh", "enable") != true {
			return ""
		}
		return sshdConfig(t, g)
	}, []string{"sshd", "-t", "-f"}},
	{"chronyd", chronyConf, []string{"chronyd", "-p", "-f"}},
	{"frr", func(_ *testing.T, g *generated) string {
		text, _ := g.at("environment", "etc", "frr/nbr.conf", "text").(string)
		return text
	}, []string{"vtysh", "-C", "-f"}},
	{"radvd", func(_ *testing.T, g *generated) string {
		text, _ := g.at("services", "radvd", "config").(string)
		return text
	}, []string{"radvd", "-c", "-C"}},
	{"knot", func(t *testing.T, g *generated) string {
		if g.at("services", "knot-resolver", "enable") != true {
			return ""
		}
		return g.json(t, "services", "knot-resolver", "settings")
	}, []string{"python3", "/tmp/knot.py"}},
	{"sh", func(_ *testing.T, g *generated) string {
		text, _ := g.at("systemd", "services", "ifstate", "preStart").(string)
		return text
	}, []string{"sh", "-n"}},
}

// What kresctl validate does, without starting a program of its own for each file.
const knotReader = `
import sys
from pathlib import Path
from knot_resolver.datamodel import KresConfig
from knot_resolver.datamodel.globals import Context, set_global_validation_context
from knot_resolver.utils.modeling import try_to_parse
set_global_validation_context(Context(Path("/tmp"), False))
for file in sys.argv[1:]:
    try:
        KresConfig(try_to_parse(open(file).read()))
    except Exception as error:
        print("refused", file)
        print(error)
        print("end")
`

// One program after the other reads the files given to it.
const readAll = `
for file; do
	if ! said=$("$@" "$file" 2>&1); then
		printf 'refused %s\n%s\nend\n' "$file" "$said"
	fi
done
`

// programs gives each program its files, each content once.
func programs(t *testing.T, pass []*unnoticed) {
	t.Helper()
	root, ns := lab.Rootfs(t, lab.Files{
		"/etc/frr/vtysh.conf": "", "/tmp/knot.py": knotReader, "/run/sshd/": "", "/run/kea/": "", "/var/lib/kea/": "",
	}), nstest.New(t, "router")
	for _, r := range readers {
		first := map[string]*unnoticed{}
		for _, p := range pass {
			if p.values == nil {
				continue
			}
			if text := r.content(t, p.values); text != "" && (first[text] == nil || first[text].Free) {
				first[text] = p
			}
		}
		t.Logf("%s reads %d files", r.name, len(first))
		if r.name == "kea" {
			dummies(t, ns, slices.Collect(maps.Keys(first)))
		}
		for name, why := range readAllOf(t, root, ns, r, first) {
			first[name].refuses(t, r.name, why, name)
		}
	}
	ifstate := lab.IfState(t)
	var configs []string
	var of []*unnoticed
	seen := map[string]bool{}
	for _, p := range pass {
		if p.values == nil {
			continue
		}
		if text := p.values.json(t, "networking", "ifstate", "settings"); !seen[text] {
			seen[text] = true
			configs, of = append(configs, text), append(of, p)
		}
	}
	t.Logf("ifstate reads %d files", len(configs))
	for i, err := range ifstate.ValidateAll(t, configs) {
		of[i].refuses(t, "ifstate", err, configs[i])
	}
}

// readAllOf has a program read contents, and returns what it says of those that it refuses.
func readAllOf(t *testing.T, root *lab.Root, ns *nstest.NS, r reader, contents map[string]*unnoticed) map[string]error {
	t.Helper()
	refused := map[string]error{}
	if len(contents) == 0 {
		return nil
	}
	byFile := map[string]string{}
	var files []string
	const broken = "}{ it's broken\n"
	for i, text := range append(slices.Sorted(maps.Keys(contents)), broken) {
		file := fmt.Sprintf("/tmp/%s-%d", r.name, i)
		root.Write(t, file, text)
		byFile[file] = text
		files = append(files, file)
	}
	args := append(slices.Clone(r.args), files...)
	if r.name != "knot" {
		script := strings.Replace(readAll, `"$@"`, strings.Join(r.args, " "), 1)
		args = append([]string{"sh", "-c", script, "sh"}, files...)
	}
	out := root.Run(t, ns, args...)
	for part := range strings.SplitSeq(out, "\nend\n") {
		if _, said, ok := strings.Cut(part, "refused "); ok {
			file, why, _ := strings.Cut(said, "\n")
			if byFile[file] == "" {
				t.Fatalf("%s: %s", r.name, out)
			}
			refused[byFile[file]] = errors.New(why)
		}
	}
	if refused[broken] == nil {
		t.Errorf("%s takes anything: %s", r.name, out)
	}
	delete(refused, broken)
	return refused
}

// dummies makes the links that Kea is to listen on: it looks for them.
func dummies(t *testing.T, ns *nstest.NS, configs []string) {
	t.Helper()
	made := map[string]bool{}
	for _, text := range configs {
		var c struct {
			Dhcp4 struct {
				Interfaces struct {
					Interfaces []string `json:"interfaces"`
				} `json:"interfaces-config"`
			}
		}
		if err := json.Unmarshal([]byte(text), &c); err != nil {
			t.Fatal(err)
		}
		for _, name := range c.Dhcp4.Interfaces.Interfaces {
			if !made[name] {
				made[name] = true
				ip(t, ns, "link add "+name+" type bridge\n")
			}
		}
	}
}
