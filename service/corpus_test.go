package service_test

import (
	"bufio"
	"errors"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/hashicorp/hcl/v2"
	"github.com/rogpeppe/go-internal/txtar"

	"github.com/nbr-dev/nbr/firmware"
	"github.com/nbr-dev/nbr/flake"
	"github.com/nbr-dev/nbr/flake/pins"
	"github.com/nbr-dev/nbr/hcl/diag"
	"github.com/nbr-dev/nbr/hcl/source"
	"github.com/nbr-dev/nbr/router"
	"github.com/nbr-dev/nbr/service"
	"github.com/nbr-dev/nbr/service/all"
	"github.com/nbr-dev/nbr/verify/state"
)

const (
	badSpecs  = "../testdata/bad"
	goodSpecs = "../testdata/good"
)

func registry() *service.Registry {
	return &service.Registry{Kinds: all.Kinds(), Boards: firmware.Boards()}
}

// folders are the specs below a folder. None at all is a mistake.
func folders(t *testing.T, root string) []string {
	t.Helper()
	entries, err := os.ReadDir(root)
	if err != nil {
		t.Fatal(err)
	}
	var out []string
	for _, e := range entries {
		if e.IsDir() {
			out = append(out, filepath.Join(root, e.Name()))
		}
	}
	if len(out) == 0 {
		t.Fatalf("no specs in %s", root)
	}
	return out
}

// TestBadSpecs loads every broken spec and wants exactly the diagnostics that it
// announces: "# ERROR: code" at the end of the offending line, or a line of
// want.txt where a comment cannot stand. With a today.txt it is also judged what has
// become too old by that day.
func TestBadSpecs(t *testing.T) {
	for _, dir := range folders(t, badSpecs) {
		t.Run(filepath.Base(dir), func(t *testing.T) {
			want := announced(t, dir)
			if len(want) == 0 {
				t.Fatal("the spec announces no diagnostic")
			}
			spec, diags := registry().Load(source.Dir(dir), nil)
			if file := filepath.Join(dir, "today.txt"); exists(file) && !diags.HasErrors() {
				diags = append(diags, aged(t, spec, strings.Join(lines(t, file), ""))...)
			}
			if beside := filepath.Join(dir, "beside"); exists(beside) { // another router of the flake
				far, wrong := registry().Load(source.Dir(beside), nil)
				if wrong.HasErrors() {
					t.Fatal(details(wrong))
				}
				diags = append(diags, router.JudgeSites(spec.Router, []router.Site{{Router: far.Router, Dir: "beside"}})...)
			}
			if d := cmp.Diff(want, told(diags)); d != "" {
				t.Errorf("diagnostics (-want +got):\n%s\n%s", d, details(diags))
			}
			for _, d := range diags {
				wellFormed(t, d)
				helpApart(t, d)
				if code := diag.Code(d); diag.HelpOf(d) == "" && !slices.Contains(selfEvident, code) {
					t.Errorf("%s does not say what to do (diag.Help): %s", code, d.Detail)
				}
			}
		})
	}
}

// aged is what there is to be said on a day of a spec's release, kernel and nixpkgs.
func aged(t *testing.T, spec *service.Spec, today string) hcl.Diagnostics {
	t.Helper()
	day, err := time.Parse(time.DateOnly, today)
	if err != nil {
		t.Fatal(err)
	}
	in, _ := flake.Pinned("nixpkgs", string(spec.Router.Release.V))
	return pins.Warn(spec.Router, pins.Of(spec, []flake.Input{in}, pins.Known{}), day)
}

func TestGoodSpecs(t *testing.T) {
	for _, dir := range slices.Concat(folders(t, goodSpecs), folders(t, "../testdata/routers")) {
		t.Run(filepath.Base(dir), func(t *testing.T) {
			spec, diags := registry().Load(source.Dir(dir), nil)
			if len(diags) > 0 {
				t.Fatal(details(diags))
			}
			// A day on which nothing was old.
			if diags := aged(t, spec, "2025-11-01"); len(diags) > 0 {
				t.Error(details(diags))
			}
			if len(spec.Modules()) == 0 || len(spec.Plan().Checks) == 0 {
				t.Error("a router of no modules or no checks")
			}
		})
	}
}

var comment = regexp.MustCompile(`# (ERROR|WARNING): ([a-z0-9 -]+)`)

// announced are the diagnostics that a spec says it has, one line each.
// broken are the folders of broken specs: those of the corpus, and what the tests of services have beside
// their good ones.
func broken(t *testing.T) []string {
	t.Helper()
	out, dir := folders(t, badSpecs), t.TempDir()
	archives, err := filepath.Glob("*/testdata/*.txtar")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range archives {
		a, err := txtar.ParseFile(name)
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range a.Files {
			spec, ok := strings.CutPrefix(f.Name, "bad/")
			if !ok {
				continue
			}
			of := filepath.Join(dir, filepath.Base(name)+"-"+spec)
			if err := errors.Join(os.Mkdir(of, 0o755), os.WriteFile(filepath.Join(of, "router.hcl"), f.Data, 0o644)); err != nil {
				t.Fatal(err)
			}
			out = append(out, of)
		}
	}
	return out
}

func announced(t *testing.T, dir string) []string {
	t.Helper()
	var out []string
	names, err := filepath.Glob(filepath.Join(dir, "*.hcl"))
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range names {
		for i, line := range lines(t, name) {
			for _, m := range comment.FindAllStringSubmatch(line, -1) {
				for _, code := range strings.Fields(m[2]) {
					out = append(out, fmt.Sprintf("%s:%d %s: %s", filepath.Base(name), i+1, m[1], code))
				}
			}
		}
	}
	if want := filepath.Join(dir, "want.txt"); exists(want) {
		for _, line := range lines(t, want) {
			at, what, _ := strings.Cut(line, " ")
			if !strings.Contains(what, ": ") {
				what = "ERROR: " + what
			}
			out = append(out, at+" "+what)
		}
	}
	slices.Sort(out)
	return out
}

func exists(name string) bool {
	_, err := os.Stat(name)
	return err == nil
}

func lines(t *testing.T, name string) []string {
	t.Helper()
	f, err := os.Open(name)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	var out []string
	s := bufio.NewScanner(f)
	for s.Scan() {
		out = append(out, s.Text())
	}
	if err := s.Err(); err != nil {
		t.Fatal(err)
	}
	return out
}

// told are diagnostics in the form of announced.
func told(diags hcl.Diagnostics) []string {
	var out []string
	for _, d := range diags {
		word, at := "ERROR", "-"
		if d.Severity == hcl.DiagWarning {
			word = "WARNING"
		}
		if d.Subject != nil {
			at = fmt.Sprintf("%s:%d", d.Subject.Filename, d.Subject.Start.Line)
		}
		out = append(out, fmt.Sprintf("%s %s: %s", at, word, diag.Code(d)))
	}
	slices.Sort(out)
	return out
}

func details(diags hcl.Diagnostics) string {
	var b strings.Builder
	for _, d := range diags {
		fmt.Fprintf(&b, "%s [%s]\n", d, diag.Code(d))
	}
	return b.String()
}

// placeless are the codes that concern no place in the spec.
var placeless = []string{"no-router", "empty-spec", "no-such-variable"}

var (
	kebab    = regexp.MustCompile(`^[a-z0-9]+(-[a-z0-9]+)*$`)
	sentence = regexp.MustCompile(`[.?…]$`) // … stands for what the reader puts in
)

// wellFormed wants of a diagnostic what the reader of any needs.
func wellFormed(t *testing.T, d *hcl.Diagnostic) {
	t.Helper()
	code := diag.Code(d)
	switch {
	case !kebab.MatchString(code):
		t.Errorf("code %q is not in kebab-case: %s", code, d)
	case code == "follows":
		t.Errorf("nothing told what this follows from: %s", d)
	case d.Summary == "" || strings.HasSuffix(d.Summary, "."):
		t.Errorf("%s: summary %q", code, d.Summary)
	case !sentence.MatchString(d.Detail):
		t.Errorf("%s: detail %q is no sentence", code, d.Detail)
	case diag.HelpOf(d) != "" && !sentence.MatchString(diag.HelpOf(d)):
		t.Errorf("%s: help %q is no sentence", code, diag.HelpOf(d))
	case d.Subject == nil && !slices.Contains(placeless, code):
		t.Errorf("%s has no place", code)
	case d.Subject != nil && (d.Subject.Filename == "" || d.Subject.Start.Line < 1 || d.Subject.Start.Column < 1):
		t.Errorf("%s: place %v", code, d.Subject)
	}
	for _, o := range diag.Others(d) {
		if o.Text == "" || o.Range.Filename == "" {
			t.Errorf("%s: other place %+v", code, o)
		}
	}
}

var (
	quotedRE = regexp.MustCompile(`"[^"]*"`)
	// ordersRE fits a sentence, or the rest of one, that tells what to do.
	ordersRE = regexp.MustCompile(`(?:^|[.?…:;] )(?i:add|allow|choose|close|copy|did you mean|give|it could be|keep|leave|let|lower|make|` +
		`name|pick|point|put|raise|remove|rename|run|save|say|set|shorten|split|take|turn|use|write) `)
)

// selfEvident are the codes of diagnostics that may say no more than what is wrong: the
// text says what the value is to be, or is the HCL library's, or the spec's own.
var selfEvident = []string{"bad-value", "duplicate", "expression", "function-call", "no-such-attribute", "syntax", "too-costly", "variable-refused"}

// helpApart wants what to do where it is shown as that: no word of the text decides it.
func helpApart(t *testing.T, d *hcl.Diagnostic) {
	t.Helper()
	if diag.Code(d) != "variable-refused" && ordersRE.MatchString(quotedRE.ReplaceAllString(d.Detail, "x")) { // those are the spec's words
		t.Errorf("%s: the detail tells what to do, which is for diag.Help, or diag.Advise in an UnmarshalText: %q", diag.Code(d), d.Detail)
	}
}

// unreachable are codes that no spec of the corpus can have, and why.
var unreachable = map[string]string{
	"follows":          "an error that follows from another one is dropped; wellFormed refuses it",
	"no-firmware":      "every board that can be named has a profile",
	"no-patch":         "only nbr patch says it",
	"nothing-to-patch": "only nbr patch says it",
	"release-moved":    "only nbr gen says it, of a tree that is there",
	"too-large":        "a file of that size has no place in a corpus; hcl/source's tests make one",
	"set-too-large":    "a file of that size has no place in a corpus; router's tests make one",
	"sysctl-clash":     "only one block sets kernel parameters so far",
}

var (
	codeRE    = regexp.MustCompile(`(?:diag\.(?:Error|Warning|Coded)|\bclash|\bError|\bWarning)\("([a-z0-9-]+)"`)
	mapCodeRE = regexp.MustCompile(`(?m)^\s+"[A-Z][^"]+":\s+"([a-z-]+)",$`) // the HCL library's summaries, in conf
)

// TestEveryCode wants a broken spec for each code that the program can tell.
func TestEveryCode(t *testing.T) {
	seen := map[string]bool{}
	for _, dir := range broken(t) {
		for _, w := range announced(t, dir) {
			_, code, _ := strings.Cut(w, ": ")
			seen[code] = true
		}
	}
	codes := map[string]string{}
	for _, root := range []string{"../hcl", "../router", "../service", "../firmware", "../flake/pins"} {
		err := filepath.WalkDir(root, func(path string, e fs.DirEntry, err error) error {
			if err != nil || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") {
				return err
			}
			src, err := os.ReadFile(path)
			for _, m := range slices.Concat(codeRE.FindAllSubmatch(src, -1), mapCodeRE.FindAllSubmatch(src, -1)) {
				codes[string(m[1])] = path
			}
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	if len(codes) < 50 {
		t.Fatalf("only %d codes found in the source", len(codes))
	}
	for code, path := range codes {
		if _, ok := unreachable[code]; !seen[code] && !ok {
			t.Errorf("no broken spec has %s (%s)", code, path)
		}
	}
	for code := range unreachable {
		if seen[code] || codes[code] == "" {
			t.Errorf("%s is reachable, or there is no such code", code)
		}
	}
}

// shuffled is a file system that lists its files in any order.
type shuffled struct {
	fs.FS
	rand *rand.Rand
}

func (s shuffled) ReadDir(name string) ([]fs.DirEntry, error) {
	out, err := fs.ReadDir(s.FS, name)
	s.rand.Shuffle(len(out), func(i, j int) { out[i], out[j] = out[j], out[i] })
	return out, err
}

// TestStableOrder loads every spec twenty times and wants the same every time,
// to the letter.
func TestStableOrder(t *testing.T) {
	for _, dir := range slices.Concat(broken(t), folders(t, goodSpecs)) {
		want := ""
		for i := range 20 {
			fsys := shuffled{source.Dir(dir), rand.New(rand.NewPCG(1, uint64(i)))}
			spec, diags := registry().Load(fsys, nil)
			got := printed(t, spec, diags)
			if i == 0 {
				want = got
			} else if d := cmp.Diff(want, got); d != "" {
				t.Errorf("%s, run %d:\n%s", dir, i, d)
				break
			}
		}
	}
}

// printed is everything that a user sees of a spec.
func printed(t *testing.T, spec *service.Spec, diags hcl.Diagnostics) string {
	t.Helper()
	var b strings.Builder
	w := diag.Writer{W: &b, Bytes: spec.Bytes}
	if err := w.Write(diags); err != nil {
		t.Fatal(err)
	}
	if diags.HasErrors() {
		return b.String()
	}
	for _, f := range spec.Modules() {
		src, _ := f.Module.Print()
		fmt.Fprintf(&b, "%s.nix\n%s\n", f.Name, src)
	}
	for _, c := range spec.Plan().Checks {
		fmt.Fprintf(&b, "%s %s %s %v", c.ID, c.Title, c.From, c.Needs)
		for _, q := range c.Asks {
			fmt.Fprintf(&b, " %s %s", q.Probe, q.Key)
		}
		fmt.Fprintf(&b, "\n%+v\n", c.Eval(&state.State{}))
	}
	return b.String()
}
