package lab

import (
	"debug/elf"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"testing"
)

// Tools are programs of the router's own tree, with the libraries that they need, and folders of it, for
// the Copy of a guest of this machine's architecture.
func Tools(t testing.TB, programs ...string) map[string]string {
	t.Helper()
	root := part(t, "rootfs")
	files := map[string]string{}
	for _, p := range programs {
		if err := addTool(root, p, files); err != nil {
			t.Fatalf("lab: %v", err)
		}
	}
	return files
}

// libraryDirs are where the loader of a Debian for amd64 looks, the last for systemd's own programs, FreeRADIUS and strongSwan.
var libraryDirs = []string{"/usr/lib/x86_64-linux-gnu", "/usr/lib64", "/usr/lib", "/usr/lib/x86_64-linux-gnu/systemd", "/usr/lib/freeradius", "/usr/lib/ipsec"}

// addTool adds a file at a path of the tree, and what it is linked with.
func addTool(root, name string, files map[string]string) error {
	if files[name] != "" {
		return nil
	}
	real, err := filepath.EvalSymlinks(filepath.Join(root, name))
	if err != nil {
		return err
	}
	files[name] = real
	if i, err := os.Stat(real); err != nil || i.IsDir() {
		return err
	}
	return addLibraries(root, real, files)
}

// addLibraries adds what a program or a library is linked with. A script is linked with nothing.
func addLibraries(root, real string, files map[string]string) error {
	f, err := elf.Open(real)
	if script := (*elf.FormatError)(nil); errors.As(err, &script) {
		return nil
	} else if err != nil {
		return err
	}
	defer f.Close()
	needs, err := f.ImportedLibraries()
	if err != nil {
		return err
	}
	if s := f.Section(".interp"); s != nil {
		b, err := s.Data()
		if err != nil {
			return err
		}
		needs = append(needs, string(b[:len(b)-1]))
	}
	for _, lib := range needs {
		if err := addLibrary(root, lib, files); err != nil {
			return err
		}
	}
	return nil
}

// addLibrary adds a library by its name, or the loader by its path.
func addLibrary(root, lib string, files map[string]string) error {
	if filepath.IsAbs(lib) {
		return addTool(root, lib, files)
	}
	for _, dir := range libraryDirs {
		name := filepath.Join(dir, lib)
		if _, err := os.Stat(filepath.Join(root, name)); err == nil {
			return addTool(root, name, files)
		} else if !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	return &fs.PathError{Op: "find", Path: lib, Err: fs.ErrNotExist}
}
