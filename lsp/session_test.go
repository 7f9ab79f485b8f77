package lsp_test

import (
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/rogpeppe/go-internal/txtar"
)

var update = flag.Bool("update", false, "write what the server says into the recorded sessions")

// Each file of testdata is a session: files of a folder, and what the editor says, line by line, each with what
// the server says to it.
func TestSessions(t *testing.T) {
	files, err := filepath.Glob("testdata/*.txtar")
	if err != nil || len(files) < 5 {
		t.Fatal(files, err)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txtar"), func(t *testing.T) {
			t.Parallel()
			a, err := txtar.ParseFile(file)
			if err != nil {
				t.Fatal(err)
			}
			dir := t.TempDir()
			var session *txtar.File
			for i, f := range a.Files {
				if f.Name == "session" {
					session = &a.Files[i]
					continue
				}
				name := filepath.Join(dir, f.Name)
				data := bytes.ReplaceAll(f.Data, []byte("␍"), []byte("\r"))
				if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
					t.Fatal(err)
				}
				if err := os.WriteFile(name, data, 0o644); err != nil {
					t.Fatal(err)
				}
			}
			if session == nil {
				t.Fatal("no session")
			}
			got := record(t, dir, string(session.Data))
			if *update {
				session.Data = []byte(got)
				if err := os.WriteFile(file, txtar.Format(a), 0o644); err != nil {
					t.Fatal(err)
				}
				return
			}
			if d := cmp.Diff(string(session.Data), got); d != "" {
				t.Errorf("-recorded +said now:\n%s", d)
			}
			unchanged(t, dir, a)
		})
	}
}

// unchanged wants the folder as it was: the server writes nothing.
func unchanged(t *testing.T, dir string, a *txtar.Archive) {
	t.Helper()
	n := 0
	err := filepath.WalkDir(dir, func(path string, e os.DirEntry, err error) error {
		if err == nil && !e.IsDir() {
			n++
		}
		return err
	})
	if err != nil || n != len(a.Files)-1 {
		t.Errorf("%d files, and %d before: %v", n, len(a.Files)-1, err)
	}
}

// record plays the lines of an editor, which begin with ">", and writes what the server says below each.
func record(t *testing.T, dir, script string) string {
	c := start(t, server(), dir)
	var b strings.Builder
	for line := range strings.Lines(script) {
		if strings.HasPrefix(line, "#") || strings.TrimSpace(line) == "" {
			b.WriteString(line)
			continue
		}
		said, ok := strings.CutPrefix(strings.TrimSpace(line), "> ")
		if !ok {
			continue // recorded before
		}
		b.WriteString("> " + said + "\n")
		c.said = nil
		ended := c.play(said)
		for _, m := range c.said {
			if m["id"] == "sync" {
				continue
			}
			delete(m, "jsonrpc")
			text, err := json.Marshal(m)
			if err != nil {
				t.Fatal(err)
			}
			b.WriteString("  " + strings.ReplaceAll(string(text), dir, "/spec") + "\n")
		}
		b.WriteString(ended)
	}
	return b.String()
}

// play says one line of a script.
func (c *client) play(line string) (ended string) {
	c.t.Helper()
	verb, rest, _ := strings.Cut(line, " ")
	name, rest, _ := strings.Cut(rest, " ")
	arg := strings.ReplaceAll(rest, "⏎", "\n")
	switch verb {
	case "initialize":
		c.utf8 = strings.Contains(name+rest, "utf-8")
		c.initialize(json.RawMessage(name + " " + rest))
	case "open":
		c.open(name, arg)
		c.sync(name)
	case "change": // what‸ => text
		old, text, _ := strings.Cut(arg, " => ")
		at := strings.Index(c.texts[name], old)
		if at < 0 {
			c.t.Fatalf("%q is not in %s", old, name)
		}
		c.change(name, at, at+len(old), text)
		c.sync(name)
	case "close":
		c.tell("textDocument/didClose", map[string]any{"textDocument": map[string]any{"uri": c.uri(name)}})
		c.until(func(m map[string]any) bool {
			p, _ := m["params"].(map[string]any)
			return p["uri"] == c.uri(name) && p["version"] == nil
		})
	case "rename":
		at, to, _ := strings.Cut(arg, " => ")
		p := c.at(name, at)
		p["newName"] = to
		c.ask("textDocument/rename", p)
	case "references":
		p := c.at(name, arg)
		p["context"] = map[string]any{"includeDeclaration": true}
		c.ask("textDocument/references", p)
	case "fix":
		at := c.position(name, c.find(name, arg))
		c.ask("textDocument/codeAction", map[string]any{
			"textDocument": map[string]any{"uri": c.uri(name)},
			"range":        map[string]any{"start": at, "end": at}, "context": map[string]any{"diagnostics": []any{}},
		})
	case "symbols":
		c.ask("textDocument/documentSymbol", map[string]any{"textDocument": map[string]any{"uri": c.uri(name)}})
	case "format":
		c.ask("textDocument/formatting", map[string]any{"textDocument": map[string]any{"uri": c.uri(name)}, "options": map[string]any{"tabSize": 2, "insertSpaces": true}})
	case "complete":
		m := c.ask("textDocument/completion", c.at(name, arg))
		c.said = []map[string]any{{"offers": offers(m)}}
	case "search":
		c.ask("workspace/symbol", map[string]any{"query": name})
	case "ask":
		var p any
		if rest != "" {
			if err := json.Unmarshal([]byte(strings.ReplaceAll(rest, "/spec", c.dir)), &p); err != nil {
				c.t.Fatal(err)
			}
		}
		c.ask(name, p)
	case "exit":
		c.tell("exit", nil)
		return fmt.Sprintf("  ends: %v\n", c.over())
	case "hangup":
		c.to.Close()
		return fmt.Sprintf("  ends: %v\n", c.over())
	case "raw":
		c.raw([]byte(strings.TrimSpace(name + " " + rest)))
		c.until(func(m map[string]any) bool { return true })
	default: // hover, definition, prepareRename
		c.ask("textDocument/"+verb, c.at(name, arg))
	}
	return ""
}

// sync waits until all is said of the text as it is.
func (c *client) sync(name string) {
	c.judged(name)
	c.send(map[string]any{"id": "sync", "method": "workspace/symbol", "params": map[string]any{"query": "?"}})
	c.until(func(m map[string]any) bool { return m["id"] == "sync" })
}

// offers are the items of a completion in short: what each writes.
func offers(m map[string]any) any {
	result, ok := m["result"].(map[string]any)
	if !ok {
		return m
	}
	out := []string{}
	for _, it := range result["items"].([]any) {
		out = append(out, it.(map[string]any)["textEdit"].(map[string]any)["newText"].(string))
	}
	return out
}
