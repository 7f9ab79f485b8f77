package lsp_test

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
	"unicode/utf16"

	"github.com/hashicorp/hcl/v2"

	"github.com/nbr-dev/nbr/firmware"
	"github.com/nbr-dev/nbr/hcl/source"
	"github.com/nbr-dev/nbr/internal/nstest"
	"github.com/nbr-dev/nbr/lsp"
	"github.com/nbr-dev/nbr/service"
	"github.com/nbr-dev/nbr/service/all"
)

func server() lsp.Server {
	reg := &service.Registry{Kinds: all.Kinds(), Boards: firmware.Boards()}
	return lsp.Server{
		Registry: reg, Open: source.Dir, Rest: time.Millisecond, Version: "test",
		Load: func(fsys fs.FS) (*service.Spec, hcl.Diagnostics) { return reg.Load(fsys, nil) },
	}
}

// A client is an editor: it speaks the protocol over a pair of pipes, and has the texts that are open.
type client struct {
	t     testing.TB
	dir   string
	to    io.WriteCloser
	heard chan map[string]any
	ended chan error
	texts map[string]string
	last  map[string]int // versions
	ids   int
	utf8  bool
	said  []map[string]any // by the server, since it was last asked for
}

func start(t testing.TB, s lsp.Server, dir string) *client {
	t.Helper()
	in, to := io.Pipe()
	from, out := io.Pipe()
	c := &client{t: t, dir: dir, to: to, heard: make(chan map[string]any, 1000), ended: make(chan error, 1), texts: map[string]string{}, last: map[string]int{}}
	go func() {
		c.ended <- s.Serve(context.Background(), in, out)
		out.Close()
	}()
	go func() {
		defer close(c.heard)
		for r := bufio.NewReader(from); ; {
			m, err := receive(r)
			if err != nil {
				return
			}
			c.heard <- m
		}
	}()
	t.Cleanup(func() { to.Close() })
	return c
}

func receive(r *bufio.Reader) (map[string]any, error) {
	length := 0
	for {
		line, err := r.ReadString('\n')
		if err != nil {
			return nil, err
		}
		name, value, ok := strings.Cut(strings.TrimSpace(line), ": ")
		if !ok {
			break
		}
		if strings.EqualFold(name, "content-length") {
			length, _ = strconv.Atoi(value)
		}
	}
	b := make([]byte, length)
	if _, err := io.ReadFull(r, b); err != nil {
		return nil, err
	}
	var m map[string]any
	return m, json.Unmarshal(b, &m)
}

func (c *client) send(m map[string]any) {
	m["jsonrpc"] = "2.0"
	b, err := json.Marshal(m)
	if err != nil {
		c.t.Fatal(err)
	}
	c.raw(b)
}

func (c *client) raw(b []byte) {
	if _, err := fmt.Fprintf(c.to, "Content-Length: %d\r\n\r\n%s", len(b), b); err != nil {
		c.t.Fatal(err)
	}
}

// until hears the server until it says what is wanted.
func (c *client) until(want func(map[string]any) bool) map[string]any {
	c.t.Helper()
	timeout := time.After(nstest.Patience)
	for {
		select {
		case m, ok := <-c.heard:
			if !ok {
				c.t.Fatal("the server has ended")
			}
			c.said = append(c.said, m)
			if want(m) {
				return m
			}
		case <-timeout:
			c.t.Fatalf("the server does not say it; it said %v", c.said)
		}
	}
}

// ask asks and waits for the answer.
func (c *client) ask(method string, params any) map[string]any {
	c.t.Helper()
	id := c.begin(method, params)
	return c.until(func(m map[string]any) bool { return m["id"] == float64(id) })
}

// begin asks and does not wait.
func (c *client) begin(method string, params any) int {
	c.ids++
	c.send(map[string]any{"id": c.ids, "method": method, "params": params})
	return c.ids
}

func (c *client) tell(method string, params any) {
	c.send(map[string]any{"method": method, "params": params})
}

func (c *client) uri(name string) string { return "file://" + filepath.Join(c.dir, name) }

// open opens a file, with the text on disk unless another one is given.
func (c *client) open(name, text string) {
	if text == "" {
		b, err := os.ReadFile(filepath.Join(c.dir, name))
		if err != nil {
			c.t.Fatal(err)
		}
		text = string(b)
	}
	c.texts[name], c.last[name] = text, c.last[name]+1
	c.tell("textDocument/didOpen", map[string]any{"textDocument": map[string]any{"uri": c.uri(name), "languageId": "hcl", "version": c.last[name], "text": text}})
}

// change puts a text into the place of another one.
func (c *client) change(name string, from, to int, text string) {
	r := map[string]any{"start": c.position(name, from), "end": c.position(name, to)}
	c.texts[name] = c.texts[name][:from] + text + c.texts[name][to:]
	c.last[name]++
	c.tell("textDocument/didChange", map[string]any{
		"textDocument":   map[string]any{"uri": c.uri(name), "version": c.last[name]},
		"contentChanges": []any{map[string]any{"range": r, "text": text}},
	})
}

// judged waits for the diagnostics of the text as it is.
func (c *client) judged(name string) []any {
	c.t.Helper()
	is := func(m map[string]any) bool {
		p, _ := m["params"].(map[string]any)
		return m["method"] == "textDocument/publishDiagnostics" && p["uri"] == c.uri(name) && p["version"] == float64(c.last[name])
	}
	i := slices.IndexFunc(c.said, is) // it may have come before an answer
	if i < 0 {
		c.until(is)
		i = len(c.said) - 1
	}
	m := c.said[i]
	return m["params"].(map[string]any)["diagnostics"].([]any)
}

// position is where a byte is, as an editor counts.
func (c *client) position(name string, at int) map[string]any {
	before := c.texts[name][:at]
	line := strings.Count(before, "\n")
	rest := before[strings.LastIndexByte(before, '\n')+1:]
	n := len(utf16.Encode([]rune(rest)))
	if c.utf8 {
		n = len(rest)
	}
	return map[string]any{"line": line, "character": n}
}

// offset is the byte of a position.
func (c *client) offset(text string, p any) int {
	line, character := int(p.(map[string]any)["line"].(float64)), int(p.(map[string]any)["character"].(float64))
	at := 0
	for range line {
		at += strings.IndexByte(text[at:], '\n') + 1
	}
	for n := 0; n < character; {
		r := []rune(text[at:])[0]
		if c.utf8 {
			n += len(string(r))
		} else {
			n += max(utf16.RuneLen(r), 1)
		}
		at += len(string(r))
	}
	return at
}

// find is the byte at the sign ‸ of a text that stands in a file.
func (c *client) find(name, marked string) int {
	c.t.Helper()
	before, after, ok := strings.Cut(marked, "‸")
	i := strings.Index(c.texts[name], before+after)
	if !ok || i < 0 {
		c.t.Fatalf("%q is not in %s", marked, name)
	}
	return i + len(before)
}

func (c *client) at(name, marked string) map[string]any {
	c.t.Helper()
	return map[string]any{"textDocument": map[string]any{"uri": c.uri(name)}, "position": c.position(name, c.find(name, marked))}
}

func (c *client) initialize(capabilities any) map[string]any {
	c.t.Helper()
	m := c.ask("initialize", map[string]any{"processId": nil, "rootUri": nil, "capabilities": capabilities})
	c.tell("initialized", map[string]any{})
	return m
}

// end ends the session as the protocol wants it, and gives what Serve returned.
func (c *client) end() error {
	c.t.Helper()
	c.ask("shutdown", nil)
	c.tell("exit", nil)
	return c.over()
}

func (c *client) over() error {
	c.t.Helper()
	select {
	case err := <-c.ended:
		return err
	case <-time.After(nstest.Patience):
		c.t.Fatal("the server does not end")
		return nil
	}
}

// apply makes the edits of an answer.
func (c *client) apply(edit map[string]any) map[string]string {
	out := map[string]string{}
	for uri, edits := range edit["changes"].(map[string]any) {
		name := filepath.Base(uri)
		text, ok := c.texts[name]
		if !ok {
			b, err := os.ReadFile(filepath.Join(c.dir, name))
			if err != nil {
				c.t.Fatal(err)
			}
			text = string(b)
		}
		var b bytes.Buffer
		last := 0
		for _, e := range edits.([]any) {
			r := e.(map[string]any)["range"].(map[string]any)
			from, to := c.offset(text, r["start"]), c.offset(text, r["end"])
			if from < last {
				c.t.Fatalf("edits of %s are not in order", name)
			}
			b.WriteString(text[last:from] + e.(map[string]any)["newText"].(string))
			last = to
		}
		out[name] = b.String() + text[last:]
	}
	return out
}
