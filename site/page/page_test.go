package page_test

import (
	"bytes"
	"context"
	"encoding/json"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/fstest"
	"time"
	"unicode/utf16"

	"github.com/google/go-cmp/cmp"

	"github.com/nbr-dev/nbr/cmd"
	"github.com/nbr-dev/nbr/firmware"
	"github.com/nbr-dev/nbr/router/starter"
	"github.com/nbr-dev/nbr/service"
	"github.com/nbr-dev/nbr/service/all"
	"github.com/nbr-dev/nbr/site/page"
)

var today = time.Date(2026, 12, 1, 12, 0, 0, 0, time.UTC)

func newPage(t testing.TB) *page.Page {
	t.Helper()
	p, err := page.New(&service.Registry{Kinds: all.Kinds(), Boards: firmware.Boards()})
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// texts are the files of a folder, as the page has them.
func texts(t testing.TB, dir string) map[string]string {
	t.Helper()
	files := map[string]string{}
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		b, err := os.ReadFile(path)
		name, _ := filepath.Rel(dir, path)
		files[filepath.ToSlash(name)] = string(b)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return files
}

// folders are those in a folder.
func folders(t testing.TB, dir string) []string {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	var out []string
	for _, e := range entries {
		if e.IsDir() {
			out = append(out, filepath.Join(dir, e.Name()))
		}
	}
	if len(out) < 5 {
		t.Fatalf("%s has %d folders", dir, len(out))
	}
	return out
}

// own stands for nbr's source, whose packing takes a second each time and which the page does not have.
var own = fstest.MapFS{"go.mod": {}, "flake/module.nix": {}, "flake/package.nix": {}}

// run is the command line, as it is on the desk.
func run(t testing.TB, args ...string) (stdout, stderr string, code int) {
	t.Helper()
	var out, said bytes.Buffer
	env := cmd.Env{Stdin: strings.NewReader(""), Stdout: &out, Stderr: &said, Source: own, Now: func() time.Time { return today }}
	code = cmd.Run(context.Background(), env, args, all.Kinds()...)
	return out.String(), said.String(), code
}

// said is what the page has for the texts of nbr check.
func said(c page.Checked) string {
	var b strings.Builder
	for _, d := range c.Diagnostics {
		b.WriteString(d.Text + "\n\n")
	}
	if c.Total != "" {
		b.WriteString(c.Total + "\n")
	}
	return b.String()
}

// TestCheckIsNbrCheck wants the very text of nbr check, for specs that are wrong and for the routers.
func TestCheckIsNbrCheck(t *testing.T) {
	p := newPage(t)
	errors := 0
	for _, dir := range append(folders(t, "../../testdata/bad"), folders(t, "../../testdata/routers")...) {
		if filepath.Base(dir) == "outside-folder" {
			continue // it is about links, which no page has
		}
		files := texts(t, dir)
		_, want, code := run(t, "check", "-all", dir)
		want = strings.ReplaceAll(strings.ReplaceAll(want, "  in "+dir+"\n", ""), dir+"/", "")
		got := p.Check(files, today)
		if diff := cmp.Diff(want, said(got)); diff != "" {
			t.Errorf("%s (-nbr check +page):\n%s", dir, diff)
		}
		if got.Good != (code == 0) {
			t.Errorf("%s: good is %t, and nbr check ends with %d", dir, got.Good, code)
		}
		for _, d := range got.Diagnostics {
			text := utf16.Encode([]rune(files[d.File]))
			if d.File != "" && (d.From < 0 || d.To < d.From || d.To > len(text)) {
				t.Errorf("%s: %s is from %d to %d of %d", dir, d.Code, d.From, d.To, len(text))
			}
		}
		if !got.Good {
			errors++
			if _, err := p.Make(files); err == nil {
				t.Errorf("%s is wrong, and something is made of it", dir)
			}
		}
	}
	if errors < 50 {
		t.Errorf("%d specs are wrong", errors)
	}
}

// TestPlaces wants places in what a browser counts in.
func TestPlaces(t *testing.T) {
	p := newPage(t)
	const before = "# 👩‍👩‍👧 ä 日本\nrouter \"r\" {\n  board         = \"bananapi-bpir4\"\n  memory        = \"8GiB\"\n  state_version = \"26.05\"\n  console_only  = true\n  description = \"👋\" \n  "
	files := map[string]string{"router.hcl": before + "wrong = 1\n}\n"}
	got := p.Check(files, today)
	if len(got.Diagnostics) != 1 {
		t.Fatalf("%+v", got)
	}
	d := got.Diagnostics[0]
	text := utf16.Encode([]rune(files["router.hcl"]))
	if word := string(utf16.Decode(text[d.From:d.To])); word != "wrong" {
		t.Errorf("%q is underlined", word)
	}
	c := p.Complete(map[string]string{"router.hcl": before + "tim\n}\n"}, "router.hcl", len(utf16.Encode([]rune(before)))+3)
	if len(c.Items) != 1 || c.Items[0].Text != "time_zone = " || c.To-c.From != 3 || c.From != len(utf16.Encode([]rune(before))) {
		t.Errorf("%+v", c)
	}
	if c.Items[0].Doc == "" || c.Items[0].Kind != "attribute" {
		t.Errorf("%+v", c.Items[0])
	}
}

// TestMakeIsNbrGen wants each file of each router byte for byte as nbr gen writes it, and all of them but for nbr's own,
// the manifest, which has the hashes of these too, and the spec, which is on the page.
func TestMakeIsNbrGen(t *testing.T) {
	p := newPage(t)
	for _, dir := range folders(t, "../../testdata/routers") {
		out := t.TempDir()
		if _, said, code := run(t, "gen", "-o", out, dir); code != 0 {
			t.Fatal(said)
		}
		made, err := p.Make(texts(t, dir))
		if err != nil {
			t.Fatal(err)
		}
		want := texts(t, filepath.Join(out, "routers"))
		for name := range want {
			if strings.HasPrefix(name, "nbr/") || name == "manifest.json" || strings.HasPrefix(name, made.Router+"/spec/") {
				delete(want, name)
			}
		}
		lock, err := os.ReadFile(filepath.Join(out, "flake.lock"))
		if err != nil {
			t.Fatal(err)
		}
		want["flake.lock"] = string(lock)
		got := map[string]string{}
		for _, f := range made.Files {
			got[strings.TrimPrefix(f.Name, "routers/")] = f.Text
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s (-nbr gen +page):\n%s", dir, diff)
		}
		svg, _, _ := run(t, "graph", dir)
		if made.Diagram != svg {
			t.Errorf("%s: the diagram is not that of nbr graph", dir)
		}
		checked, _, _ := run(t, "check", dir)
		if !strings.Contains(checked, countOf(len(made.Plan))) {
			t.Errorf("%s: the plan has %d checks, and nbr check says %s", dir, len(made.Plan), checked)
		}
	}
}

func countOf(n int) string {
	b, _ := json.Marshal(n)
	return string(b) + " checks"
}

// TestExplainBothWays follows each line of Nix of each router to the spec and back, and compares with nbr explain.
func TestExplainBothWays(t *testing.T) {
	p := newPage(t)
	for _, dir := range folders(t, "../../testdata/routers") {
		files := texts(t, dir)
		out := t.TempDir()
		if _, said, code := run(t, "gen", "-o", out, dir); code != 0 {
			t.Fatal(said)
		}
		made, err := p.Make(files)
		if err != nil {
			t.Fatal(err)
		}
		asked := map[int]bool{}
		for _, f := range made.Files {
			if len(f.Lines) > 0 && len(f.Lines) != strings.Count(f.Text, "\n") {
				t.Errorf("%s: %d origins of %d lines", f.Name, len(f.Lines), strings.Count(f.Text, "\n"))
			}
			for i, n := range f.Lines {
				if n < 0 || asked[n] || len(asked) > 8 { // the command line loads the spec each time
					continue
				}
				asked[n] = true
				text, said, code := run(t, "explain", filepath.Join(out, f.Name)+":"+strings.TrimSuffix(countOf(i+1), " checks"))
				o := made.Origins[n]
				want := "comes from " + o.Address + "\n"
				line := strings.Split(files[o.File], "\n")[o.Line-1]
				if code != 0 || !strings.Contains(text, want) || !strings.Contains(text, strings.TrimSpace(line)) {
					t.Errorf("%s line %d is of %+v, and nbr explain says %s%s", f.Name, i+1, o, text, said)
				}
			}
		}
		if len(asked) == 0 || len(made.Blocks) == 0 {
			t.Fatalf("%s: nothing has an origin", dir)
		}
		for i, b := range made.Blocks {
			if !strings.Contains(strings.Split(files[b.File], "\n")[b.Line-1], "{") {
				t.Errorf("%s: %+v does not begin there", dir, b)
			}
			if i%17 > 0 {
				continue
			}
			got, err := p.Explain(files, b.Address)
			if err != nil {
				t.Fatal(err)
			}
			text, _, _ := run(t, "explain", "-json", b.Address, dir)
			var want struct {
				Became, Others []struct{ What, At, Text, By string }
			}
			if err := json.Unmarshal([]byte(text), &want); err != nil {
				t.Fatal(err)
			}
			if len(got.Became) != len(want.Became) || len(got.Others) != len(want.Others) {
				t.Errorf("%s: %s became %d and %d, nbr explain says %d and %d", dir, b.Address, len(got.Became), len(got.Others), len(want.Became), len(want.Others))
				continue
			}
			for i, w := range want.Became {
				if g := got.Became[i]; g.At != w.At || g.Text != w.Text || g.What != w.What {
					t.Errorf("%s: %s: %+v, nbr explain says %+v", dir, b.Address, g, w)
				}
			}
		}
	}
}

// TestAnswers goes through JSON, as the browser does.
func TestAnswers(t *testing.T) {
	p := newPage(t)
	good := texts(t, "../../testdata/routers/bpi-r4")
	ask := func(v map[string]any, into any) string {
		t.Helper()
		b, err := json.Marshal(v)
		if err != nil {
			t.Fatal(err)
		}
		answer := p.Answer(b)
		if err := json.Unmarshal(answer, into); err != nil {
			t.Fatalf("%v: %s", err, answer)
		}
		var failed struct{ Error string }
		_ = json.Unmarshal(answer, &failed)
		return failed.Error
	}
	var boards page.Boards
	if e := ask(map[string]any{"ask": "boards"}, &boards); e != "" || len(boards.Boards) != len(firmware.Boards()) || boards.First != starter.Board {
		t.Errorf("%s %+v", e, boards)
	}
	for _, b := range boards.Boards {
		var started page.Started
		choice := map[string]any{"board": b.ID, "name": b.Name, "memory": b.Largest, "wan": b.WAN, "subnet": boards.Subnet, "guests": true, "things": true, "tunnel": true}
		if e := ask(map[string]any{"ask": "starter", "choice": choice}, &started); e != "" {
			t.Errorf("%s: %s", b.ID, e)
		}
		var c page.Checked
		ask(map[string]any{"ask": "check", "files": started.Files, "now": today.UnixMilli()}, &c)
		// Without a key no login is possible, which the spec says where the key is to stand.
		for _, d := range c.Diagnostics {
			if d.Code != "lock-out" {
				t.Errorf("%s: %s", b.ID, d.Text)
			}
		}
		if len(c.Diagnostics) != 1 {
			t.Errorf("%s: %d diagnostics", b.ID, len(c.Diagnostics))
		}
	}
	var f page.Formatted
	if e := ask(map[string]any{"ask": "format", "file": "a.hcl", "files": map[string]string{"a.hcl": "a   = 1\n"}}, &f); e != "" || f.Text != "a = 1\n" {
		t.Errorf("%s %q", e, f.Text)
	}
	if e := ask(map[string]any{"ask": "format", "file": "a.hcl", "files": map[string]string{"a.hcl": "a   = \n"}}, &f); e != "" || f.Text != "a   = \n" {
		t.Errorf("what does not parse was formatted: %s %q", e, f.Text)
	}
	var e page.Explained
	if said := ask(map[string]any{"ask": "explain", "files": good, "address": "network.lan"}, &e); said != "" || len(e.Became) == 0 || len(e.Others) == 0 {
		t.Errorf("%s %+v", said, e)
	}
	if said := ask(map[string]any{"ask": "make", "files": map[string]string{"a.hcl": "x"}}, &struct{}{}); !strings.Contains(said, "error") {
		t.Errorf("%q", said)
	}
	for _, wrong := range []map[string]any{{"ask": "everything"}, {"ask": 1}, {"ask": "starter", "choice": map[string]any{"board": "none"}}} {
		if said := ask(wrong, &struct{}{}); said == "" {
			t.Errorf("%v has an answer", wrong)
		}
	}
}

// TestSeveralFiles wants a name of one file in another one, and a file that the spec reads.
func TestSeveralFiles(t *testing.T) {
	p := newPage(t)
	files := texts(t, "../../testdata/routers/site-berlin")
	if len(files) < 2 {
		t.Fatal("the site is of one file")
	}
	if c := p.Check(files, today); !c.Good {
		t.Fatal(said(c))
	}
	files["more.hcl"] = "zone \"x\" {\n  networks = [network.\n}\n"
	c := p.Complete(files, "more.hcl", strings.Index(files["more.hcl"], "network.\n")+len("network."))
	var labels []string
	for _, i := range c.Items {
		labels = append(labels, i.Label)
	}
	if !slices.Contains(labels, "network.lan") {
		t.Errorf("%q", labels)
	}
	wrong := p.Check(files, today)
	if wrong.Good || wrong.Diagnostics[0].File != "more.hcl" {
		t.Errorf("%+v", wrong)
	}
}

// BenchmarkCheck is what a key costs without the browser.
func BenchmarkCheck(b *testing.B) {
	p := newPage(b)
	files := texts(b, "../../testdata/routers/bpi-r4")
	n := 0
	for b.Loop() {
		n++
		files["router.hcl"] += " "
		next := map[string]string{"router.hcl": files["router.hcl"]}
		if c := p.Check(next, today); !c.Good {
			b.Fatal(c)
		}
		if len(next["router.hcl"]) > 1<<16 {
			files = texts(b, "../../testdata/routers/bpi-r4")
		}
	}
}
