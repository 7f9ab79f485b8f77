package lsp_test

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/fstest"
	"unicode/utf8"

	"github.com/hashicorp/hcl/v2"

	"github.com/nbr-dev/nbr/hcl/diag"
	"github.com/nbr-dev/nbr/hcl/language"
	"github.com/nbr-dev/nbr/hcl/source"
	"github.com/nbr-dev/nbr/service"
)

// verdict is what nbr check says of a spec, without names: they are what changes.
func verdict(t *testing.T, files map[string]string) string {
	t.Helper()
	fsys := fstest.MapFS{}
	for name, text := range files {
		fsys[name] = &fstest.MapFile{Data: []byte(text)}
	}
	spec, diags := server().Load(fsys)
	if diags.HasErrors() {
		t.Fatal(diags)
	}
	var codes []string
	for _, d := range diags {
		codes = append(codes, diag.Code(d))
	}
	slices.Sort(codes)
	return fmt.Sprintf("%v, %d networks, %d checks", codes, len(spec.Router.Networks), len(spec.Plan().Checks))
}

// Every name that a router of testdata defines is given another form, and then the router is what it was. Names
// that something else takes for its own are refused.
func TestRenameEveryName(t *testing.T) {
	dirs, err := filepath.Glob("../testdata/routers/*")
	if err != nil || len(dirs) < 5 {
		t.Fatal(dirs, err)
	}
	var renamed, refused atomic.Int32
	t.Cleanup(func() {
		if n, no := renamed.Load(), refused.Load(); n < 200 || no > n/10 {
			t.Errorf("%d names were changed, and %d refused", n, no)
		}
	})
	for _, dir := range dirs {
		t.Run(filepath.Base(dir), func(t *testing.T) {
			t.Parallel()
			dir, err := filepath.Abs(dir)
			if err != nil {
				t.Fatal(err)
			}
			c := start(t, server(), dir)
			c.initialize(map[string]any{})
			names, _ := filepath.Glob(filepath.Join(dir, "*.hcl"))
			files := map[string][]byte{}
			for _, name := range names {
				c.open(filepath.Base(name), "")
				files[filepath.Base(name)] = []byte(c.texts[filepath.Base(name)])
			}
			before := verdict(t, c.texts)
			for _, f := range language.New(server().Registry.Types()).Read(files).Files {
				for _, sym := range f.Symbols() {
					if sym.Addr.Name == "" {
						continue
					}
					m := c.ask("textDocument/rename", map[string]any{
						"textDocument": map[string]any{"uri": c.uri(f.Name)}, "position": c.position(f.Name, sym.Name.From), "newName": "qq1",
					})
					if e, ok := m["error"].(map[string]any); ok {
						refused.Add(1)
						if !slices.Contains([]string{"user", "port", "exporter"}, sym.Addr.Type) { // root, eno1, node: names that are given
							t.Errorf("%s: %v", sym.Addr, e["message"])
						}
						continue
					}
					renamed.Add(1)
					after := c.apply(m["result"].(map[string]any))
					for name, text := range c.texts {
						if _, ok := after[name]; !ok {
							after[name] = text
						}
					}
					if got := verdict(t, after); got != before {
						t.Errorf("%s: %s, and before %s", sym.Addr, got, before)
					}
				}
			}
			if err := c.end(); err != nil {
				t.Error(err)
			}
		})
	}
}

// A gate has loads of specs wait until they are let through, one by one.
type gate struct {
	begun, through chan struct{}
}

func gated() (load func(fs.FS) (*service.Spec, hcl.Diagnostics), g gate) {
	g = gate{make(chan struct{}, 100), make(chan struct{})}
	real := server().Load
	return func(fsys fs.FS) (*service.Spec, hcl.Diagnostics) {
		g.begun <- struct{}{}
		<-g.through
		return real(fsys)
	}, g
}

const small = "router \"r\" {\n  board         = \"pc-x86_64\"\n  state_version = \"26.05\"\n  console_only  = true\n}\n"

// What was found out about a text that has changed meanwhile is not told.
func TestNewestTextWins(t *testing.T) {
	s := server()
	var g gate
	s.Load, g = gated()
	c := start(t, s, t.TempDir())
	c.initialize(map[string]any{})
	c.open("router.hcl", small)
	<-g.begun // the first text is being judged
	for i := range 5 {
		c.change("router.hcl", 0, 0, fmt.Sprintf("# %d\n", i))
	}
	c.ask("workspace/symbol", map[string]any{"query": ""}) // all changes have arrived
	close(g.through)
	c.judged("router.hcl")
	for _, m := range c.said {
		if p, ok := m["params"].(map[string]any); ok && p["version"] != nil && p["version"] != float64(6) {
			t.Errorf("version %v was told", p["version"])
		}
	}
	if err := c.end(); err != nil {
		t.Error(err)
	}
}

// A request that is cancelled is answered with that, whatever it waits for.
func TestCancel(t *testing.T) {
	s := server()
	var g gate
	s.Load, g = gated()
	c := start(t, s, t.TempDir())
	c.initialize(map[string]any{})
	c.open("router.hcl", small)
	<-g.begun
	id := c.begin("textDocument/rename", map[string]any{
		"textDocument": map[string]any{"uri": c.uri("router.hcl")}, "position": map[string]any{"line": 0, "character": 8}, "newName": "other",
	})
	<-g.begun // the rename judges the spec as it is
	c.tell("$/cancelRequest", map[string]any{"id": id})
	c.ask("workspace/symbol", map[string]any{"query": ""}) // the server has heard it
	close(g.through)
	m := c.until(func(m map[string]any) bool { return m["id"] == float64(id) })
	if e, ok := m["error"].(map[string]any); !ok || e["code"] != float64(-32800) {
		t.Errorf("%v", m)
	}
	c.tell("$/cancelRequest", map[string]any{"id": 4711}) // of no request
	if err := c.end(); err != nil {
		t.Error(err)
	}
}

// An unsaved text does not make a file readable that the folder of a spec does not let be read, and a file that
// is on no disk is a part of the spec.
func TestFolder(t *testing.T) {
	outside, dir := t.TempDir(), t.TempDir()
	if err := os.WriteFile(filepath.Join(outside, "secret.hcl"), []byte("locals {\n  hidden = 1\n}\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(filepath.Join(outside, "secret.hcl"), filepath.Join(dir, "link.hcl")); err != nil {
		t.Fatal(err)
	}
	c := start(t, server(), dir)
	c.initialize(map[string]any{})
	c.open("router.hcl", small)
	c.judged("router.hcl")
	c.open("link.hcl", "locals {\n  mine = 1\n}\n")
	ds := c.judged("link.hcl")
	if len(ds) != 1 || ds[0].(map[string]any)["code"] != "outside-folder" {
		t.Errorf("%v", ds)
	}
	for _, query := range []string{"hidden", "mine"} {
		if m := c.ask("workspace/symbol", map[string]any{"query": query}); len(m["result"].([]any)) > 0 {
			t.Errorf("%v", m)
		}
	}
	c.open("new.hcl", "locals {\n  fresh = 1\n}\n")
	c.judged("new.hcl")
	if m := c.ask("workspace/symbol", map[string]any{"query": "fresh"}); len(m["result"].([]any)) != 1 {
		t.Errorf("%v", m)
	}
	// What another program writes counts once the editor says so, and what is deleted does not.
	if err := os.WriteFile(filepath.Join(dir, "more.hcl"), []byte("locals {\n  later = 1\n}\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	c.tell("workspace/didChangeWatchedFiles", map[string]any{"changes": []any{}})
	if m := c.ask("workspace/symbol", map[string]any{"query": "later"}); len(m["result"].([]any)) != 1 {
		t.Errorf("%v", m)
	}
	if err := c.end(); err != nil {
		t.Error(err)
	}
	if entries, _ := os.ReadDir(dir); len(entries) != 2 {
		t.Errorf("%v", entries)
	}
}

// The editor hears of every broken spec what nbr check says of it.
func TestDiagnosticsAreChecks(t *testing.T) {
	dirs, err := filepath.Glob("../testdata/bad/*")
	if err != nil || len(dirs) < 100 {
		t.Fatal(len(dirs), err)
	}
	for _, dir := range dirs {
		if info, err := os.Stat(dir); err != nil || !info.IsDir() {
			continue
		}
		dir, err := filepath.Abs(dir)
		if err != nil {
			t.Fatal(err)
		}
		names, _ := filepath.Glob(filepath.Join(dir, "*.hcl"))
		names = slices.DeleteFunc(names, func(name string) bool {
			b, err := os.ReadFile(name) // an editor says texts, and what is no UTF-8 is none
			return err != nil || !source.IsSpec(name) || !utf8.Valid(b)
		})
		if len(names) == 0 {
			continue
		}
		_, want := server().Load(source.Dir(dir))
		c := start(t, server(), dir)
		c.initialize(map[string]any{})
		c.open(filepath.Base(names[0]), "")
		c.judged(filepath.Base(names[0]))
		c.ask("workspace/symbol", map[string]any{"query": "?"})
		var got, should []string
		for _, m := range c.said {
			if m["method"] == "textDocument/publishDiagnostics" {
				for _, d := range m["params"].(map[string]any)["diagnostics"].([]any) {
					d := d.(map[string]any)
					got = append(got, fmt.Sprintf("%s %v", d["code"], d["severity"]))
				}
			}
		}
		for _, d := range want {
			should = append(should, fmt.Sprintf("%s %d", diag.Code(d), d.Severity))
		}
		slices.Sort(got)
		slices.Sort(should)
		if !slices.Equal(got, should) {
			t.Errorf("%s: %q, want %q", dir, got, should)
		}
		if err := c.end(); err != nil {
			t.Error(err)
		}
	}
}

// FuzzEdits changes a spec at any place as an editor may, and asks everything there: the server answers, ends when
// it is told to, and has the text that the editor has.
func FuzzEdits(f *testing.F) {
	specs, err := filepath.Glob("../testdata/*/*/*.hcl*")
	if err != nil || len(specs) < 20 {
		f.Fatal(len(specs), err)
	}
	var texts []string
	for _, name := range specs {
		b, err := os.ReadFile(name)
		if err != nil {
			f.Fatal(err)
		}
		texts = append(texts, string(b))
	}
	for i := range texts {
		f.Add(i, 3*i, 40*i+7, 2, 10+i, "\"")
		f.Add(i, 30*i, 900-i, 40, 3, "port.")
	}
	var once sync.Mutex // a session is of one folder, which all share
	dir := f.TempDir()
	f.Fuzz(func(t *testing.T, which, line, character, lines, end int, text string) {
		once.Lock()
		defer once.Unlock()
		src := texts[max(which, 0)%len(texts)]
		name := "router.hcl"
		if strings.HasPrefix(strings.TrimSpace(src), "{") {
			name += ".json"
		}
		c := start(t, server(), dir)
		c.initialize(map[string]any{})
		c.open(name, src)
		at := map[string]any{"line": line, "character": character}
		doc := map[string]any{"uri": c.uri(name), "version": 2}
		c.tell("textDocument/didChange", map[string]any{"textDocument": doc, "contentChanges": []any{map[string]any{
			"range": map[string]any{"start": at, "end": map[string]any{"line": line + lines%4, "character": end}}, "text": text,
		}}})
		p := map[string]any{"textDocument": doc, "position": at, "newName": "other", "query": text, "range": map[string]any{"start": at, "end": at}}
		for _, method := range []string{"completion", "hover", "definition", "references", "prepareRename", "rename", "formatting", "documentSymbol", "codeAction"} {
			c.ask("textDocument/"+method, p)
		}
		c.ask("workspace/symbol", p)
		c.last[name] = 2
		c.judged(name)
		if err := c.end(); err != nil {
			t.Error(err)
		}
	})
}
