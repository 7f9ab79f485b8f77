package source

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"strings"

	"github.com/hashicorp/hcl/v2"

	"github.com/nbr-dev/nbr/hcl/diag"
)

// Why a file of a spec is not read.
var (
	ErrOutside    = errors.New("a link on the way leads out of the spec's folder")
	ErrNotRegular = errors.New("it is no regular file")
	ErrTooLarge   = fmt.Errorf("it is larger than %d MiB", MaxBytes>>20)
)

// Dir is the folder of a spec. Only what is in it can be opened, whatever links say
// (os.Root), and only files and folders: a pipe would be waited for, and a device never
// ends.
func Dir(path string) fs.FS { return dir(path) }

type dir string

// Open opens a regular file or a folder.
func (d dir) Open(name string) (fs.File, error) {
	fail := func(err error) (fs.File, error) {
		// os.Root has no name for this error.
		if strings.Contains(err.Error(), "escapes from parent") {
			err = ErrOutside
		}
		var pe *fs.PathError
		if errors.As(err, &pe) {
			err = pe.Err
		}
		return nil, &fs.PathError{Op: "open", Path: name, Err: err}
	}
	if !fs.ValidPath(name) {
		return fail(fs.ErrInvalid)
	}
	root, err := os.OpenRoot(string(d))
	if err != nil {
		return fail(err)
	}
	defer root.Close()
	// To open a device may do something, so it is looked at first.
	if info, err := root.Stat(name); err != nil {
		return fail(err)
	} else if !info.Mode().IsRegular() && !info.IsDir() {
		return fail(ErrNotRegular)
	}
	f, err := root.OpenFile(name, os.O_RDONLY|nonblock, 0)
	if err != nil {
		return fail(err)
	}
	// It may have become another file.
	if info, err := f.Stat(); err != nil || !info.Mode().IsRegular() && !info.IsDir() {
		f.Close()
		return fail(errors.Join(err, ErrNotRegular))
	}
	return f, nil
}

// ReadFile reads a file of a spec. The error is one of those above, or the file system's.
func ReadFile(fsys fs.FS, name string) ([]byte, error) {
	info, err := fs.Stat(fsys, name)
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() {
		return nil, ErrNotRegular
	}
	f, err := fsys.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return Read(f)
}

// ReadPath reads a file that the user names. It may be a link to anywhere, and has to be
// a regular file that is no larger than one of a spec.
func ReadPath(path string) ([]byte, error) {
	if info, err := os.Stat(path); err != nil {
		return nil, err
	} else if !info.Mode().IsRegular() {
		return nil, fmt.Errorf("%s cannot be read: %w", path, ErrNotRegular)
	}
	f, err := os.OpenFile(path, os.O_RDONLY|nonblock, 0)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	if info, err := f.Stat(); err != nil || !info.Mode().IsRegular() {
		return nil, errors.Join(err, fmt.Errorf("%s cannot be read: %w", path, ErrNotRegular))
	}
	b, err := Read(f)
	if err != nil {
		return nil, fmt.Errorf("%s cannot be read: %w", path, err)
	}
	return b, nil
}

// Read reads what is no larger than a file of a spec may be.
func Read(r io.Reader) ([]byte, error) {
	b, err := io.ReadAll(io.LimitReader(r, MaxBytes+1))
	if err == nil && len(b) > MaxBytes {
		return nil, ErrTooLarge
	}
	return b, err
}

// Unreadable says why a file cannot be read; at is where the spec names it.
func Unreadable(at hcl.Range, name string, err error) *hcl.Diagnostic {
	reason := err
	var pe *fs.PathError
	if errors.As(err, &pe) {
		reason = pe.Err // the message names the path already
	}
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return diag.Help(diag.Error("no-such-file", at, "No such file", "%s is not in the folder of the spec.", name),
			"Put it there, or correct the name, which begins in that folder.")
	case errors.Is(err, ErrOutside):
		return diag.Help(diag.Error("outside-folder", at, "File outside the spec's folder",
			"%s cannot be read: %s. What a spec is made of is copied into the tree, so it has to be in the folder itself.", name, reason),
			"Put a copy there.")
	case errors.Is(err, ErrNotRegular):
		return diag.Help(diag.Error("not-a-file", at, "Not a file", "%s cannot be read: %s.", name, reason), "Name a regular file: no folder, pipe or device.")
	case errors.Is(err, ErrTooLarge):
		return diag.Help(diag.Error("too-large", at, "File is too large", "%s cannot be read: %s, and no file of a spec is.", name, reason),
			"Remove from it what is not part of the spec.")
	}
	return diag.Help(diag.Error("unreadable", at, "File cannot be read", "%s: %s.", name, reason),
		"Make it a file that the user who runs nbr may read.")
}
