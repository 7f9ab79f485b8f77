package source

import (
	"bytes"
	"errors"
	"io/fs"
	"maps"
	"path"
	"slices"
	"time"
)

// Overlay is a folder in which some files have another content, as texts do that an editor has not saved yet.
// A file that base has not is there as well. Which files may be read base still decides: one that it refuses,
// such as a link that leads out of the folder, stays refused.
func Overlay(base fs.FS, files map[string][]byte) fs.FS { return &overlay{base, files} }

type overlay struct {
	base  fs.FS
	files map[string][]byte
}

// Open opens a file of the overlay, or else of what is below it.
func (o *overlay) Open(name string) (fs.File, error) {
	f, err := o.base.Open(name)
	b, ok := o.files[name]
	if !ok || err != nil && !errors.Is(err, fs.ErrNotExist) {
		return f, err
	}
	if err == nil {
		f.Close()
	}
	return &text{Reader: bytes.NewReader(b), name: path.Base(name)}, nil
}

// ReadDir lists a folder with the files of the overlay in it.
func (o *overlay) ReadDir(dir string) ([]fs.DirEntry, error) {
	entries, err := fs.ReadDir(o.base, dir)
	there := map[string]bool{}
	for _, e := range entries {
		there[e.Name()] = true
	}
	for _, name := range slices.Sorted(maps.Keys(o.files)) {
		if base := path.Base(name); path.Dir(name) == dir && !there[base] {
			entries, err = append(entries, fs.FileInfoToDirEntry(&text{Reader: bytes.NewReader(o.files[name]), name: base})), nil
		}
	}
	return entries, err
}

// A text is a file that is nowhere on a disk.
type text struct {
	*bytes.Reader
	name string
}

func (t *text) Stat() (fs.FileInfo, error) { return t, nil }
func (t *text) Close() error               { return nil }
func (t *text) Name() string               { return t.name }
func (t *text) Mode() fs.FileMode          { return 0o444 }
func (t *text) ModTime() time.Time         { return time.Time{} }
func (t *text) IsDir() bool                { return false }
func (t *text) Sys() any                   { return nil }
