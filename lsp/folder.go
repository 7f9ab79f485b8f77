package lsp

import (
	"io/fs"
	"maps"
	"reflect"
	"slices"
	"time"

	"github.com/hashicorp/hcl/v2"

	"github.com/nbr-dev/nbr/hcl/language"
	"github.com/nbr-dev/nbr/hcl/source"
	"github.com/nbr-dev/nbr/service"
)

// An open is a text that the editor has, with its version and the URI by which the editor knows it.
type open struct {
	*text
	version int
	uri     string
}

// A folder is a spec, of which a file is open at least. Its fields are the session's: see session.mu.
type folder struct {
	dir     string
	open    map[string]open
	edition int // of what the editor has said of the folder
	wake    chan struct{}
	told    map[string]publishParams // what the editor knows
	seen    *view                    // the last one
	last    *result                  // of the edition that was judged last
	given   language.Given           // from the last spec that had it
}

// A view is a folder at one moment. It is never changed.
type view struct {
	dir     string
	edition int
	open    map[string]open
	texts   map[string]*text
	spec    *language.Spec
	given   language.Given
}

// A result is what was found out about a view.
type result struct {
	*view
	loaded *service.Spec
	diags  hcl.Diagnostics
}

// files is the folder as the editor has it: its texts over what is on disk.
func (v *view) files(base fs.FS) fs.FS {
	over := map[string][]byte{}
	for name, o := range v.open {
		over[name] = o.src
	}
	return source.Overlay(base, over)
}

// view is what a folder is now.
func (s *session) view(f *folder) *view {
	if f.seen == nil || f.seen.edition != f.edition {
		f.seen = s.look(f)
	}
	return f.seen
}

// look reads a folder.
func (s *session) look(f *folder) *view {
	v := &view{dir: f.dir, edition: f.edition, open: maps.Clone(f.open), texts: map[string]*text{}, given: f.given}
	files := map[string][]byte{}
	fsys := v.files(s.Open(f.dir))
	entries, _ := fs.ReadDir(fsys, ".") // what cannot be read says the diagnostic of the folder
	for _, e := range entries {
		if e.IsDir() || !source.IsSpec(e.Name()) {
			continue
		}
		b, err := source.ReadFile(fsys, e.Name())
		if err != nil {
			continue
		}
		files[e.Name()] = b
		if o, ok := v.open[e.Name()]; ok {
			v.texts[e.Name()] = o.text
		} else {
			v.texts[e.Name()] = newText(b)
		}
	}
	v.spec = s.guide.Read(files)
	return v
}

// load judges a view as nbr check does.
func (s *session) load(v *view) *result {
	r := &result{view: v}
	r.loaded, r.diags = s.Load(v.files(s.Open(v.dir)))
	return r
}

// judge judges a folder whenever it has changed, and tells the editor. A result is told only if nothing has
// changed meanwhile: then the next one is under way.
func (s *session) judge(f *folder) {
	for range f.wake {
		s.rest(f)
		s.mu.Lock()
		v := s.view(f)
		s.mu.Unlock()
		r := s.load(v)
		s.mu.Lock()
		if f.edition == v.edition && s.folders[f.dir] == f {
			f.last = r
			f.given = s.guide.Given(r.loaded, f.given)
			known := *v
			known.given = f.given
			f.seen = &known
			s.publish(f, r)
		}
		s.mu.Unlock()
	}
}

// rest waits until nothing has changed for a moment. A key that is pressed meanwhile begins it anew.
func (s *session) rest(f *folder) {
	for {
		select {
		case _, more := <-f.wake:
			if !more {
				return
			}
		case <-time.After(s.Rest):
			return
		}
	}
}

// changed says that a folder is to be judged. It is never waited for.
func (f *folder) changed() {
	f.edition++
	select {
	case f.wake <- struct{}{}:
	default: // it is said already
	}
}

// publish tells the editor what is wrong in each file of a folder, and of those that had something that they no
// longer have. What it knows already is not told again.
func (s *session) publish(f *folder, r *result) {
	by := map[string][]diagnostic{}
	for name := range f.open {
		by[name] = []diagnostic{}
	}
	for name := range f.told {
		by[name] = []diagnostic{}
	}
	for _, d := range s.diagnostics(r) {
		by[d.file] = append(by[d.file], d.diagnostic)
	}
	told := map[string]publishParams{}
	for _, name := range slices.Sorted(maps.Keys(by)) {
		p := publishParams{URI: r.uri(name), Diagnostics: by[name]}
		o, open := r.open[name]
		if open {
			p.Version = &o.version
		}
		if before, ok := f.told[name]; !ok || !reflect.DeepEqual(before, p) {
			s.notify("textDocument/publishDiagnostics", p)
		}
		if open || len(by[name]) > 0 {
			told[name] = p
		}
	}
	f.told = told
}

// uri is the URI of a file, as the editor writes it if it has it open.
func (v *view) uri(name string) string {
	if o, ok := v.open[name]; ok {
		return o.uri
	}
	return uri(v.dir, name)
}
