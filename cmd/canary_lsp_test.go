package cmd

import (
	"bytes"
	"context"
	"io"
	"path/filepath"
	"strings"
	"testing"

	"github.com/creachadair/jrpc2"
	"github.com/creachadair/jrpc2/channel"

	"github.com/nbr-dev/nbr"
	"github.com/nbr-dev/nbr/service/all"
)

// editing is all that the language server says while router.hcl of a folder is open, its errors told: of each
// line what its first and its last name mean and what could stand there, and the fixes.
func editing(t *testing.T, dir, text string, vars []string) []byte {
	t.Helper()
	in, toServer := io.Pipe()
	fromServer, out := io.Pipe()
	var said, errs bytes.Buffer
	code := make(chan int, 1)
	go func() {
		code <- Run(t.Context(), Env{Stdin: in, Stdout: out, Stderr: &errs, Source: nbr.Source()}, append([]string{"lsp"}, vars...), all.Kinds()...)
		out.Close()
	}()
	told := make(chan struct{}, 1)
	c := jrpc2.NewClient(channel.LSP(io.TeeReader(fromServer, &said), toServer), &jrpc2.ClientOptions{OnNotify: func(r *jrpc2.Request) {
		if r.Method() == "textDocument/publishDiagnostics" {
			select {
			case told <- struct{}{}:
			default:
			}
		}
	}})
	ask := func(method string, params any) {
		t.Helper()
		if _, err := c.Call(t.Context(), method, params); err != nil {
			t.Errorf("%s: %v", method, err)
		}
	}
	tell := func(method string, params any) {
		t.Helper()
		if err := c.Notify(context.Background(), method, params); err != nil {
			t.Fatal(err)
		}
	}
	type object = map[string]any
	uri := "file://" + filepath.Join(dir, "router.hcl")
	ask("initialize", object{"processId": nil, "rootUri": nil, "capabilities": object{}})
	tell("initialized", object{})
	tell("textDocument/didOpen", object{"textDocument": object{"uri": uri, "languageId": "hcl", "version": 1, "text": text}})
	<-told
	file := object{"uri": uri}
	lines := strings.Split(text, "\n")
	for i, l := range lines {
		for _, at := range []int{len(l) - len(strings.TrimLeft(l, " ")), max(len(l)-1, 0)} {
			here := object{"textDocument": file, "position": object{"line": i, "character": at}}
			ask("textDocument/hover", here)
			ask("textDocument/completion", here)
		}
	}
	ask("textDocument/documentSymbol", object{"textDocument": file})
	ask("textDocument/codeAction", object{
		"textDocument": file, "context": object{"diagnostics": []any{}},
		"range": object{"start": object{"line": 0, "character": 0}, "end": object{"line": len(lines) - 1, "character": 0}},
	})
	ask("shutdown", nil)
	tell("exit", nil)
	if got := <-code; got != ExitOK {
		t.Errorf("nbr lsp: exit code %d: %s", got, errs.String())
	}
	c.Close()
	return append(said.Bytes(), errs.Bytes()...)
}
