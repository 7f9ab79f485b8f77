// Package lsp is a language server for specs: it tells an editor, while a spec is being written, what nbr check
// says of it, what can stand at a place and what it means, where names are defined and used, and which edits give
// a name another form (Language Server Protocol 3.17, over a pair of streams). It writes to no file, and reads
// those beside the ones that the editor has open, and no others.
package lsp

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"io/fs"
	"sync"
	"time"

	"github.com/creachadair/jrpc2"
	"github.com/creachadair/jrpc2/channel"
	"github.com/creachadair/jrpc2/handler"
	"github.com/hashicorp/hcl/v2"

	"github.com/nbr-dev/nbr/service"
	"github.com/nbr-dev/nbr/service/reference"
)

// A Server is what the language server is made of.
type Server struct {
	Registry *service.Registry
	// Load reads a spec and says what is wrong with it, as nbr check does.
	Load func(fs.FS) (*service.Spec, hcl.Diagnostics)
	// Open is the folder at a path, in which nothing leads out of it.
	Open func(dir string) fs.FS
	// Rest is how long nothing must have changed before a spec is judged.
	Rest    time.Duration
	Version string
}

// ErrNoShutdown says that the editor has gone without saying so: the protocol wants another exit code then.
var ErrNoShutdown = errors.New("the editor ended the session without shutdown")

// Serve speaks with one editor until it says exit, or ends the stream, or ctx is done.
func (s Server) Serve(ctx context.Context, in io.Reader, out io.Writer) error {
	ses := newSession(s)
	ses.rpc = jrpc2.NewServer(ses.methods(), &jrpc2.ServerOptions{AllowPush: true, DisableBuiltin: true})
	// A read of a stream cannot be called off, and the session ends before the stream does.
	from, to := io.Pipe()
	go func() {
		_, err := io.Copy(to, in)
		to.CloseWithError(err)
	}()
	ses.rpc.Start(channel.LSP(from, stream{out, from}))
	stop := context.AfterFunc(ctx, ses.rpc.Stop)
	defer stop()
	status := ses.rpc.WaitStatus()
	ses.end()
	switch {
	case ctx.Err() != nil:
		return ctx.Err()
	case status.Err != nil:
		return status.Err
	case !ses.shut():
		return ErrNoShutdown
	}
	return nil
}

// A stream is what is written to, and what ends with the session.
type stream struct {
	io.Writer
	io.Closer
}

// A session is one editor.
type session struct {
	Server
	rpc   *jrpc2.Server
	guide *reference.Guide
	work  sync.WaitGroup // of folders

	mu      sync.Mutex // of all below, and of the folders
	state   state
	client  initializeParams
	units   units
	folders map[string]*folder
}

// A state is how far a session is.
type state int

const (
	begun state = iota
	initialized
	shutDown
)

func newSession(s Server) *session {
	return &session{Server: s, guide: reference.NewGuide(s.Registry), folders: map[string]*folder{}}
}

// end lets the folders go.
func (s *session) end() {
	s.mu.Lock()
	for dir, f := range s.folders {
		delete(s.folders, dir)
		close(f.wake)
	}
	s.mu.Unlock()
	s.work.Wait()
}

func (s *session) shut() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.state == shutDown
}

// notify tells the editor something. One that is gone is told nothing.
func (s *session) notify(method string, params any) {
	_ = s.rpc.Notify(context.Background(), method, params)
}

// methods are what an editor may ask and say.
func (s *session) methods() handler.Map {
	return handler.Map{
		"initialize":                       s.initialize,
		"initialized":                      note(s, func(*struct{}) { s.watch() }),
		"shutdown":                         s.shutdown,
		"exit":                             func(context.Context, *jrpc2.Request) (any, error) { go s.rpc.Stop(); return nil, nil },
		"$/cancelRequest":                  s.cancel,
		"$/setTrace":                       func(context.Context, *jrpc2.Request) (any, error) { return nil, nil },
		"textDocument/didOpen":             note(s, s.didOpen),
		"textDocument/didChange":           note(s, s.didChange),
		"textDocument/didClose":            note(s, s.didClose),
		"textDocument/didSave":             note(s, func(p *didOpenParams) { s.onDisk() }),
		"workspace/didChangeWatchedFiles":  note(s, func(*json.RawMessage) { s.onDisk() }),
		"workspace/didChangeConfiguration": note(s, func(*json.RawMessage) {}),
		"textDocument/completion":          call(s, s.completion),
		"textDocument/hover":               call(s, s.hover),
		"textDocument/definition":          call(s, s.definition),
		"textDocument/references":          call(s, s.references),
		"textDocument/prepareRename":       call(s, s.prepareRename),
		"textDocument/rename":              call(s, s.rename),
		"textDocument/formatting":          call(s, s.formatting),
		"textDocument/documentSymbol":      call(s, s.documentSymbols),
		"textDocument/codeAction":          call(s, s.codeActions),
		"workspace/symbol":                 call(s, s.workspaceSymbols),
	}
}

// note is a notification: it changes the session, and nothing else does meanwhile.
func note[P any](s *session, f func(*P)) jrpc2.Handler {
	return func(_ context.Context, req *jrpc2.Request) (any, error) {
		var p P
		if err := unmarshal(req, &p); err != nil {
			return nil, err
		}
		s.mu.Lock()
		defer s.mu.Unlock()
		if s.state == initialized { // else it is dropped, as the protocol wants
			f(&p)
		}
		return nil, nil
	}
}

// call is a request.
func call[P any](s *session, f func(context.Context, *P) (any, error)) jrpc2.Handler {
	return func(ctx context.Context, req *jrpc2.Request) (any, error) {
		s.mu.Lock()
		at := s.state
		s.mu.Unlock()
		switch at {
		case begun:
			return nil, jrpc2.Errorf(codeNotInitialized, "the first request is initialize")
		case shutDown:
			return nil, jrpc2.Errorf(jrpc2.InvalidRequest, "the session is shut down: only exit comes after that")
		case initialized:
		}
		var p P
		if err := unmarshal(req, &p); err != nil {
			return nil, err
		}
		answer, err := f(ctx, &p)
		if ctx.Err() != nil {
			return nil, jrpc2.Errorf(codeCancelled, "the request was cancelled")
		}
		return answer, err
	}
}

// unmarshal reads parameters. An editor may send more than the server knows.
func unmarshal(req *jrpc2.Request, p any) error {
	if !req.HasParams() {
		return nil
	}
	if err := json.Unmarshal([]byte(req.ParamString()), p); err != nil {
		return jrpc2.Errorf(jrpc2.InvalidParams, "%s: %s", req.Method(), err)
	}
	return nil
}

// initialize says what the server can do, in the units that the editor wants.
func (s *session) initialize(_ context.Context, req *jrpc2.Request) (any, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.state != begun {
		return nil, jrpc2.Errorf(jrpc2.InvalidRequest, "the session is initialized already")
	}
	if err := unmarshal(req, &s.client); err != nil {
		return nil, err
	}
	s.state = initialized
	encoding := "utf-16" // the one that every editor knows
	for _, e := range s.client.Capabilities.General.PositionEncodings {
		if e == "utf-8" {
			s.units, encoding = bytesOf, e
		}
	}
	return map[string]any{
		"serverInfo": map[string]string{"name": "nbr", "version": s.Version},
		"capabilities": map[string]any{
			"positionEncoding":           encoding,
			"textDocumentSync":           map[string]any{"openClose": true, "change": 2, "save": true},
			"completionProvider":         map[string]any{"triggerCharacters": []string{".", `"`}},
			"hoverProvider":              true,
			"definitionProvider":         true,
			"referencesProvider":         true,
			"renameProvider":             map[string]any{"prepareProvider": true},
			"documentFormattingProvider": true,
			"documentSymbolProvider":     true,
			"workspaceSymbolProvider":    true,
			"codeActionProvider":         map[string]any{"codeActionKinds": []string{"quickfix"}},
		},
	}, nil
}

// shutdown is the last request.
func (s *session) shutdown(context.Context, *jrpc2.Request) (any, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.state == begun {
		return nil, jrpc2.Errorf(codeNotInitialized, "the first request is initialize")
	}
	s.state = shutDown
	return nil, nil
}

// cancel gives up a request, whose answer is then that it was cancelled.
func (s *session) cancel(_ context.Context, req *jrpc2.Request) (any, error) {
	var p struct{ ID json.RawMessage }
	if err := unmarshal(req, &p); err != nil {
		return nil, err
	}
	s.rpc.CancelRequest(string(p.ID))
	return nil, nil
}

// watch asks the editor to say when a file of a spec has changed on disk.
func (s *session) watch() {
	if !s.client.Capabilities.Workspace.DidChangeWatchedFiles.DynamicRegistration {
		return
	}
	var globs []map[string]string
	for _, g := range []string{"**/*.hcl", "**/*.hcl.json", "**/" + service.VarsFile} {
		globs = append(globs, map[string]string{"globPattern": g})
	}
	go func() {
		_, _ = s.rpc.Callback(context.Background(), "client/registerCapability", map[string]any{"registrations": []any{map[string]any{
			"id": "files", "method": "workspace/didChangeWatchedFiles", "registerOptions": map[string]any{"watchers": globs},
		}}}) // an editor that does not want to is one that says it at the next change of a text
	}()
}
