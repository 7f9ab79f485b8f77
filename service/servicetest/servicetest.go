// Package servicetest is the one harness for the tests of all services. A
// service has no test code: its folder's testdata holds txtar files with
//
//	*.hcl            the spec, as far as the service needs it
//	want/NAME.nix    the modules that it becomes; others are not looked at
//	ok.json          a state in which every check of the service passes
//	NAME.patch.json  what is otherwise in a state in which some do not (RFC 7396), and
//	NAME.txt         the exact report of that one
//	bad/NAME.hcl     a spec with # ERROR: code (or # WARNING: code) on its lines
//
// where states are judged by the checks that blocks of the folder's package make. The
// harness fails if a kind of block of the folders is in none of them, if a check that passes
// in ok.json fails in no other state beside it, if a class of checks (the type of a
// block and what it promises: network/ipv4) passes nowhere, or if a check has an
// opinion about a state that shows nothing. Run the tests with -update to write the
// reports, and the wanted modules that the archive names, anew: an empty want/NAME.nix is
// filled.
//
// A service of another module is tested in the same way, with the kinds of its program:
//
//	servicetest.Run(t, &service.Registry{Kinds: append(all.Kinds(), Kind()), Boards: firmware.Boards()}, ".")
package servicetest

import (
	"bytes"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"maps"
	"os"
	"path"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/google/go-cmp/cmp"
	"github.com/hashicorp/hcl/v2"
	"github.com/rogpeppe/go-internal/txtar"

	"github.com/nbr-dev/nbr/hcl/diag"
	"github.com/nbr-dev/nbr/service"
	"github.com/nbr-dev/nbr/verify"
	"github.com/nbr-dev/nbr/verify/state"
)

var update = flag.Bool("update", false, "write the wanted modules and reports anew")

// Run tests every txtar file in the testdata of the folders, which are given as
// patterns. A folder has the name of its package.
func Run(t *testing.T, reg *service.Registry, folders ...string) {
	if err := reg.Check(); err != nil {
		t.Fatal(err)
	}
	var dirs []string
	for _, f := range folders {
		abs, err := filepath.Abs(f)
		if err != nil {
			t.Fatal(err)
		}
		found, err := filepath.Glob(abs)
		if err != nil {
			t.Fatal(err)
		}
		dirs = append(dirs, found...)
	}
	covered := map[string]bool{} // what a block or a class of checks was shown to be, or to do
	asked := map[string]string{} // what the checks of a block read of probes
	loaded := true
	for _, dir := range dirs {
		files, err := filepath.Glob(filepath.Join(dir, "testdata", "*.txtar"))
		if err != nil {
			t.Fatal(err)
		}
		for _, file := range files {
			ar, err := txtar.ParseFile(file)
			if err != nil {
				t.Fatal(err)
			}
			c := &testCase{reg: reg, file: file, folder: filepath.Base(dir), ar: ar, asked: asked}
			t.Run(c.folder+"/"+strings.TrimSuffix(filepath.Base(file), ".txtar"), func(t *testing.T) {
				loaded = c.run(t, covered) && loaded
			})
		}
	}
	if !loaded {
		return // what is missing may be in the specs that could not be loaded
	}
	for _, k := range reg.Kinds {
		if !slices.ContainsFunc(dirs, func(dir string) bool { return filepath.Base(dir) == home(k) }) {
			continue
		}
		for _, what := range []string{"want", "ok", "fail", "bad"} {
			if !covered[k.Type+"/"+what] && !(what == "want" && k.Program == nil) {
				t.Errorf("%s: no txtar file in %s/testdata %s", k.Type, home(k), lacks(k, what, asked[k.Type]))
			}
		}
	}
	for _, what := range slices.Sorted(maps.Keys(covered)) {
		if class, ok := strings.CutSuffix(what, "/promised"); ok && !(covered[class+"/ok"] && covered[class+"/fail"]) {
			t.Errorf("no state in a txtar file shows a %s that passes and one that fails", class)
		}
	}
}

// home is the last element of the package that a kind is of.
func home(k service.Kind) string { return path.Base(reflect.TypeOf(k.New()).Elem().PkgPath()) }

// lacks says what is not shown of a block, and what to add.
func lacks(k service.Kind, what, asked string) string {
	switch what {
	case "want":
		return fmt.Sprintf("has the module that the block becomes. Add the line \"-- want/%s.nix --\" to one and run with -update", k.Program.File())
	case "ok":
		return "has a state in which a check of the block passes. Add \"-- ok.json --\" with such a state, as nbr observe records it" + asked
	case "fail":
		return "has a state in which a check of the block fails. Add \"-- NAME.patch.json --\", what is otherwise than in ok.json (RFC 7396); -update writes its report"
	}
	return "has a wrong spec with the block. Add \"-- bad/NAME.hcl --\", with # ERROR: code on the line that is wrong"
}

type testCase struct {
	reg    *service.Registry
	file   string
	folder string // the last element of the folder's path
	ar     *txtar.Archive
	asked  map[string]string
}

func (c *testCase) get(name string) ([]byte, bool) {
	for _, f := range c.ar.Files {
		if f.Name == name {
			return f.Data, true
		}
	}
	return nil, false
}

// put replaces or adds a file of the archive and writes it.
func (c *testCase) put(t *testing.T, name string, b []byte) {
	i := slices.IndexFunc(c.ar.Files, func(f txtar.File) bool { return f.Name == name })
	if i < 0 {
		i = len(c.ar.Files)
		c.ar.Files = append(c.ar.Files, txtar.File{Name: name})
	}
	c.ar.Files[i].Data = b
	if err := os.WriteFile(c.file, txtar.Format(c.ar), 0o644); err != nil {
		t.Fatal(err)
	}
}

// run returns false if the good spec cannot be loaded.
func (c *testCase) run(t *testing.T, covered map[string]bool) bool {
	fsys := fstest.MapFS{}
	for _, f := range c.ar.Files {
		if !strings.Contains(f.Name, "/") && !strings.HasSuffix(f.Name, ".json") && !strings.HasSuffix(f.Name, ".txt") {
			fsys[f.Name] = &fstest.MapFile{Data: f.Data}
		}
	}
	spec, diags := c.reg.Load(fsys, nil)
	for _, d := range diags {
		t.Errorf("the good spec: %s: %s %s", d.Subject, d.Summary, diag.Text(d))
	}
	if t.Failed() {
		return false
	}
	c.modules(t, spec, covered)
	c.states(t, spec, covered)
	for _, f := range c.ar.Files {
		if strings.HasPrefix(f.Name, "bad/") {
			c.bad(t, f, covered)
		}
	}
	return true
}

// modules compares the modules that the archive has with the generated ones.
func (c *testCase) modules(t *testing.T, spec *service.Spec, covered map[string]bool) {
	types := map[string][]string{} // module → the kinds in it
	for _, k := range c.reg.Kinds {
		if k.Program != nil {
			types[k.Program.File()] = append(types[k.Program.File()], k.Type)
		}
	}
	for _, m := range spec.Modules() {
		name := "want/" + m.Name + ".nix"
		want, ok := c.get(name)
		if !ok {
			continue
		}
		got, _ := m.Module.Print()
		if *update {
			c.put(t, name, got)
		} else if d := cmp.Diff(string(want), string(got)); d != "" {
			t.Errorf("%s (-want +got):\n%s", name, d)
		}
		for _, typ := range types[m.Name] {
			if has(spec, typ) {
				covered[typ+"/want"] = true
			}
		}
	}
	for _, f := range c.ar.Files {
		if name, ok := strings.CutPrefix(f.Name, "want/"); ok {
			if !slices.ContainsFunc(spec.Modules(), func(m service.File) bool { return m.Name+".nix" == name }) {
				t.Errorf("%s: the spec makes no such module", f.Name)
			}
		}
	}
}

func has(spec *service.Spec, typ string) bool {
	for _, b := range spec.Blocks() {
		if b.Head().Addr.Type == typ {
			return true
		}
	}
	return false
}

// states evaluates the plan over every state in the archive, and over the one in
// which nothing was seen.
func (c *testCase) states(t *testing.T, spec *service.Spec, covered map[string]bool) {
	plan := spec.PlanOf(c.own)
	if len(plan.Checks) == 0 {
		return
	}
	for _, check := range plan.Checks {
		typ, _, _ := strings.Cut(check.Block(), ".")
		for _, q := range check.Asks {
			c.asked[typ] = fmt.Sprintf(". Of probes it reads \"probes\": { %q: { %q: { \"answer\": … } } }", q.Probe, q.Key)
		}
	}
	results, err := verify.Eval(plan, &state.State{})
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range results {
		covered[class(r)+"/promised"] = true
		if r.Status != verify.Unknown {
			t.Errorf("%s is %s, and nothing was seen", r.ID, r.Status)
		}
	}
	ok, there := c.get("ok.json")
	if !there {
		return
	}
	left := map[string]bool{}
	for _, r := range c.judge(t, plan, "ok", ok, covered) {
		switch r.Status {
		case verify.Fail:
			t.Errorf("ok.json: %s fails", r.ID)
		case verify.Pass:
			left[r.ID] = true
		case verify.Unknown, verify.Skip:
		}
	}
	for _, f := range c.ar.Files {
		name, is := strings.CutSuffix(f.Name, ".patch.json")
		if !is {
			continue
		}
		patched, err := mergePatch(ok, f.Data)
		if err != nil {
			t.Fatalf("%s: %s", f.Name, err)
		}
		for _, r := range c.judge(t, plan, name, patched, covered) {
			if r.Status == verify.Fail {
				delete(left, r.ID)
			}
		}
	}
	for _, id := range slices.Sorted(maps.Keys(left)) {
		t.Errorf("ok.json: %s passes, and no *.patch.json beside it makes it fail", id)
	}
}

// own tells whether a kind is of the package whose folder the archive is in.
func (c *testCase) own(k service.Kind) bool { return home(k) == c.folder }

// class is what a check promises, whatever the block is called.
func class(r verify.Result) string {
	typ, _, _ := strings.Cut(r.Block(), ".")
	what, _, _ := strings.Cut(strings.TrimPrefix(r.ID, r.Block()+"/"), "/")
	return typ + "/" + what
}

// judge compares what is not well in a state with the report in the archive. Checks
// that the state does not speak of are unknown; they are counted, not listed.
func (c *testCase) judge(t *testing.T, plan *verify.Plan, name string, data []byte, covered map[string]bool) []verify.Result {
	var st state.State
	dec := json.NewDecoder(bytes.NewReader(data))
	dec.DisallowUnknownFields()
	if err := dec.Decode(&st); err != nil {
		t.Fatalf("%s: %s", name, err)
	}
	results, err := verify.Eval(plan, &st)
	if err != nil {
		t.Fatal(err)
	}
	var b strings.Builder
	n := map[verify.Status]int{}
	for _, r := range results {
		n[r.Status]++
		typ, _, _ := strings.Cut(class(r), "/")
		switch r.Status {
		case verify.Pass:
			covered[typ+"/ok"], covered[class(r)+"/ok"] = true, true
		case verify.Fail:
			covered[typ+"/fail"], covered[class(r)+"/fail"] = true, true
			fmt.Fprintf(&b, "FAIL %s %s:%d\n  want %s\n  got  %s\n  see  %s\n", r.ID, r.From.Filename, r.From.Start.Line, r.Want, r.Got, r.Hint)
		case verify.Unknown, verify.Skip:
		}
	}
	fmt.Fprintf(&b, "%d pass, %d fail, %d unknown", n[verify.Pass], n[verify.Fail], n[verify.Unknown])
	if n[verify.Skip] > 0 {
		fmt.Fprintf(&b, ", %d skip", n[verify.Skip])
	}
	b.WriteByte('\n')
	want, ok := c.get(name + ".txt")
	switch {
	case *update:
		c.put(t, name+".txt", []byte(b.String()))
	case !ok:
		t.Errorf("%s has no %s.txt; run with -update", name, name)
	default:
		if d := cmp.Diff(string(want), b.String()); d != "" {
			t.Errorf("%s.txt (-want +got):\n%s", name, d)
		}
	}
	return results
}

// mergePatch applies a JSON merge patch (RFC 7396).
func mergePatch(doc, patch []byte) ([]byte, error) {
	var d, p any
	if err := errors.Join(decode(doc, &d), decode(patch, &p)); err != nil {
		return nil, err
	}
	return json.Marshal(merge(d, p))
}

// decode keeps numbers as they are written.
func decode(b []byte, v *any) error {
	dec := json.NewDecoder(bytes.NewReader(b))
	dec.UseNumber()
	return dec.Decode(v)
}

func merge(doc, patch any) any {
	changes, ok := patch.(map[string]any)
	if !ok {
		return patch
	}
	out, ok := doc.(map[string]any)
	if !ok {
		out = map[string]any{}
	}
	for k, v := range changes {
		if v == nil {
			delete(out, k)
			continue
		}
		out[k] = merge(out[k], v)
	}
	return out
}

var expectRE = regexp.MustCompile(`# (ERROR|WARNING): ([a-z0-9-]+(?: [a-z0-9-]+)*)`)

// Expected are the diagnostics that a file announces: "line code".
func Expected(src string) []string {
	var out []string
	for i, line := range strings.Split(src, "\n") {
		if m := expectRE.FindStringSubmatch(line); m != nil {
			for _, code := range strings.Fields(m[2]) {
				out = append(out, fmt.Sprintf("%d %s", i+1, code))
			}
		}
	}
	slices.Sort(out)
	return out
}

// bad loads a wrong spec and wants exactly the diagnostics that it announces.
func (c *testCase) bad(t *testing.T, f txtar.File, covered map[string]bool) {
	spec, diags := c.reg.Load(fstest.MapFS{"bad.hcl": {Data: f.Data}}, nil)
	got := []string{}
	for _, d := range diags {
		got = append(got, fmt.Sprintf("%d %s", line(d), diag.Code(d)))
	}
	slices.Sort(got)
	if d := cmp.Diff(Expected(string(f.Data)), got); d != "" {
		t.Errorf("%s (-want +got):\n%s", f.Name, d)
	}
	for _, k := range c.reg.Kinds {
		if has(spec, k.Type) {
			covered[k.Type+"/bad"] = true
		}
	}
}

func line(d *hcl.Diagnostic) int {
	if d.Subject == nil {
		return 0
	}
	return d.Subject.Start.Line
}
