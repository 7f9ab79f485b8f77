package evaluator

import (
	"bytes"
	"io"
	"io/fs"
	"maps"
	"path"
	"slices"
	"strings"
	"time"

	"github.com/nbr-dev/nbr/hcl/source"
)

// tree is the folder of the spec.
func (p *plugin) tree() fs.FS {
	files := p.given["files"]
	if files == Absent {
		files = p.Call(p.function("files"), p.given["spec"])
		p.want(files, Attrs, "the list of the spec's files")
	}
	t := tree{p: p, files: map[string]Value{}, folders: map[string]map[string]bool{".": {}}}
	for _, name := range p.Names(files) {
		if !fs.ValidPath(name) || name == "." {
			p.Fail("nbr: " + name + " is no name of a file in the spec's folder")
		}
		t.files[name] = p.Attr(files, name)
		for in := name; in != "."; in = path.Dir(in) {
			dir := path.Dir(in)
			if t.folders[dir] == nil {
				t.folders[dir] = map[string]bool{}
			}
			t.folders[dir][in] = true
		}
	}
	for name := range t.files {
		if t.folders[name] != nil {
			p.Fail("nbr: " + name + " is a file of the spec and a folder")
		}
	}
	return t
}

// A tree is files that are read when they are opened.
type tree struct {
	p       *plugin
	files   map[string]Value
	folders map[string]map[string]bool // name → what is in it
}

// Open opens a file or a folder.
func (t tree) Open(name string) (fs.File, error) {
	if !fs.ValidPath(name) {
		return nil, &fs.PathError{Op: "open", Path: name, Err: fs.ErrInvalid}
	}
	if t.folders[name] == nil && t.files[name] == Absent {
		return nil, &fs.PathError{Op: "open", Path: name, Err: fs.ErrNotExist}
	}
	return &file{entry: entry{t, name}}, nil
}

// ReadDir lists a folder.
func (t tree) ReadDir(name string) ([]fs.DirEntry, error) {
	if t.folders[name] == nil {
		return nil, &fs.PathError{Op: "readdir", Path: name, Err: fs.ErrNotExist}
	}
	var out []fs.DirEntry
	for _, in := range slices.Sorted(maps.Keys(t.folders[name])) {
		out = append(out, entry{t, in})
	}
	return out, nil
}

// Stat tells of a file without reading it.
func (t tree) Stat(name string) (fs.FileInfo, error) {
	f, err := t.Open(name)
	if err != nil {
		return nil, err
	}
	return f.Stat()
}

// An entry is a file or a folder of a tree.
type entry struct {
	t    tree
	name string
}

func (e entry) Name() string               { return path.Base(e.name) }
func (e entry) IsDir() bool                { return e.t.folders[e.name] != nil }
func (e entry) Type() fs.FileMode          { return e.Mode().Type() }
func (e entry) Info() (fs.FileInfo, error) { return e, nil }
func (e entry) ModTime() time.Time         { return time.Time{} }
func (e entry) Sys() any                   { return nil }

func (e entry) Mode() fs.FileMode {
	if e.IsDir() {
		return fs.ModeDir | 0o555
	}
	return 0o444
}

func (e entry) Size() int64 {
	if e.IsDir() {
		return 0
	}
	v := e.t.files[e.name]
	if e.t.p.text(e) {
		return int64(len(e.t.p.Text(v)))
	}
	return int64(e.t.p.Size(v))
}

// text tells whether a file is a string, and fails unless it is that or a path.
func (p *plugin) text(e entry) bool {
	switch is := p.Type(e.t.files[e.name]); is {
	case String:
		return true
	case Path:
		return false
	case Int, Float, Bool, Null, Attrs, List, Function:
		p.Fail("nbr: the file " + e.name + " is " + is.String() + ", and has to be a path or a string")
	}
	panic("evaluator: a type that Nix does not have")
}

// file is an open entry.
type file struct {
	entry
	content io.Reader
}

func (f *file) Stat() (fs.FileInfo, error) { return f.entry, nil }
func (f *file) Close() error               { return nil }

// Read reads a file, unless it is larger than one of a spec may be.
func (f *file) Read(b []byte) (int, error) {
	if f.IsDir() {
		return 0, &fs.PathError{Op: "read", Path: f.name, Err: fs.ErrInvalid}
	}
	if f.content == nil {
		p, v := f.t.p, f.t.files[f.name]
		switch {
		case p.text(f.entry):
			f.content = strings.NewReader(p.Text(v))
		case p.Size(v) > source.MaxBytes:
			return 0, source.ErrTooLarge
		default:
			f.content = bytes.NewReader(p.File(v))
		}
	}
	return f.content.Read(b)
}
