package lsp

import (
	"maps"
	"slices"

	"github.com/creachadair/jrpc2"
)

// didOpen takes a text that the editor has opened.
func (s *session) didOpen(p *didOpenParams) {
	d, err := documentOf(p.TextDocument.URI)
	if err != nil {
		s.notify("window/logMessage", map[string]any{"type": 2, "message": err.Error()})
		return
	}
	f := s.folders[d.dir]
	if f == nil {
		f = &folder{dir: d.dir, open: map[string]open{}, wake: make(chan struct{}, 1), told: map[string]publishParams{}}
		f.given = s.guide.Given(nil, f.given)
		s.folders[d.dir] = f
		s.work.Go(func() { s.judge(f) })
	}
	f.open[d.name] = open{newText([]byte(p.TextDocument.Text)), p.TextDocument.Version, p.TextDocument.URI}
	f.changed()
}

// didChange takes the changes of a text, each in what the one before has made.
func (s *session) didChange(p *didChangeParams) {
	f, name, err := s.find(p.TextDocument.URI)
	if err != nil {
		return
	}
	o := f.open[name]
	for _, c := range p.ContentChanges {
		o.text = o.change(c.Range, c.Text, s.units)
	}
	o.version = p.TextDocument.Version
	f.open[name] = o
	f.changed()
}

// didClose lets a text go: what is on disk counts from then on. A folder of which none is open is let go, too.
func (s *session) didClose(p *didOpenParams) {
	f, name, err := s.find(p.TextDocument.URI)
	if err != nil {
		return
	}
	delete(f.open, name)
	if len(f.open) > 0 {
		f.changed()
		return
	}
	f.edition++
	delete(s.folders, f.dir)
	close(f.wake)
	for _, other := range slices.Sorted(maps.Keys(f.told)) {
		if p := f.told[other]; other == name || len(p.Diagnostics) > 0 {
			s.notify("textDocument/publishDiagnostics", publishParams{URI: p.URI, Diagnostics: []diagnostic{}})
		}
	}
}

// onDisk says that files have changed on disk.
func (s *session) onDisk() {
	for _, f := range s.folders {
		f.changed()
	}
}

// find is the folder of a text that is open, and its name.
func (s *session) find(uri string) (*folder, string, error) {
	d, err := documentOf(uri)
	if err != nil {
		return nil, "", jrpc2.Errorf(jrpc2.InvalidParams, "%s", err)
	}
	f := s.folders[d.dir]
	if f == nil || f.open[d.name].text == nil {
		return nil, "", jrpc2.Errorf(jrpc2.InvalidParams, "%s is not open", d.name)
	}
	return f, d.name, nil
}

// on is a view of the folder of a text that is open, with the name of the text and what was found out about the
// folder last, which may be of an edition before.
func (s *session) on(uri string) (*view, string, *result, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	f, name, err := s.find(uri)
	if err != nil {
		return nil, "", nil, err
	}
	return s.view(f), name, f.last, nil
}

// at is the same with the byte of a position.
func (s *session) at(p *positionParams) (*view, string, int, error) {
	v, name, _, err := s.on(p.TextDocument.URI)
	if err != nil {
		return nil, "", 0, err
	}
	t := v.texts[name]
	if t == nil {
		return nil, "", 0, jrpc2.Errorf(jrpc2.InvalidParams, "%s cannot be read in its folder", name)
	}
	return v, name, t.offset(p.Position, s.units), nil
}
