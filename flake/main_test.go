package flake_test

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/nbr-dev/nbr/flake"
	"github.com/nbr-dev/nbr/internal/nstest"
	"github.com/nbr-dev/nbr/nixgen"
)

// A test that needs nbr gen as a process of its own starts the test binary again
// with these set.
const (
	childDir   = "NBR_TEST_GEN"   // the output folder
	childTree  = "NBR_TEST_TREE"  // old or new
	childForce = "NBR_TEST_FORCE" // not empty: -force
)

func TestMain(m *testing.M) {
	if dir := os.Getenv(childDir); dir != "" {
		if err := gen(dir, trees()[os.Getenv(childTree)], os.Getenv(childForce) != ""); err != nil {
			os.Stderr.WriteString(err.Error() + "\n")
			os.Exit(1)
		}
		os.Exit(0)
	}
	// Namespaces of our own, for small and read-only file systems.
	nstest.Main(m)
}

// gen is what nbr gen does with a tree.
func gen(dir string, tree *flake.Tree, force bool) error {
	p, err := tree.Compare(dir, force)
	if err != nil {
		return err
	}
	return p.Apply()
}

// router is a router with a spec and one module, both saying text.
func router(name, text string) flake.Router {
	m := &nixgen.Module{}
	m.Set(nixgen.Origin{File: "router.hcl", Line: 1, Addr: "router." + name}, nixgen.Str(text), "networking", "hostName")
	return flake.Router{
		Name: name, System: "aarch64-linux", Release: "26.05", Image: "sdImage",
		Modules: []flake.Module{{Name: "network", Module: m}},
		Spec:    map[string][]byte{"router.hcl": []byte("# " + text + "\n")},
	}
}

func build(routers ...flake.Router) *flake.Tree {
	tree, err := flake.Build(flake.Config{
		Description: "Test.",
		Inputs:      []flake.Input{{Name: "nixpkgs", URL: "github:NixOS/nixpkgs"}},
		Routers:     routers,
	})
	if err != nil {
		panic(err)
	}
	return tree
}

// trees are what most tests go between: home changes, and office is given up for
// a cabin.
func trees() map[string]*flake.Tree {
	return map[string]*flake.Tree{
		"old": build(router("home", "one"), router("office", "one")),
		"new": build(router("home", "two"), router("cabin", "two")),
		// The only one with something to put into a flake.lock.
		"locked": locked(),
	}
}

// write writes a tree into a folder.
func write(t *testing.T, dir string, tree *flake.Tree) {
	t.Helper()
	if err := gen(dir, tree, false); err != nil {
		t.Fatal(err)
	}
}

// generated is a new folder with the old tree in it.
func generated(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	write(t, dir, trees()["old"])
	return dir
}

func put(t *testing.T, text, dir string, name ...string) string {
	t.Helper()
	file := filepath.Join(append([]string{dir}, name...)...)
	if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	return file
}

// short is a text that stands for a file's content in the messages of tests.
func short(b []byte) string {
	if len(b) > 40 {
		return flake.Hash(b)
	}
	return string(b)
}

// snapshot is everything in a folder: the content of files, the targets of links.
func snapshot(t testing.TB, dir string) map[string]string {
	t.Helper()
	out := map[string]string{}
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || path == dir {
			return err
		}
		rel, err := filepath.Rel(dir, path)
		if err != nil {
			return err
		}
		switch {
		case d.IsDir():
			out[rel] = "folder"
		case d.Type()&fs.ModeSymlink != 0:
			to, err := os.Readlink(path)
			out[rel] = "link to " + to
			return err
		default:
			b, err := os.ReadFile(path)
			out[rel] = short(b)
			return err
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// wanted is the snapshot of a folder that holds a tree and nothing else.
func wanted(tree *flake.Tree) map[string]string {
	out := map[string]string{"flake.nix": "link to routers/flake.nix", "routers": "folder"}
	for name, b := range tree.Files {
		out[filepath.Join(flake.Dir, name)] = short(b)
		for d := filepath.Dir(name); d != "."; d = filepath.Dir(d) {
			out[filepath.Join(flake.Dir, d)] = "folder"
		}
	}
	return out
}

func with(m map[string]string, more ...string) map[string]string {
	for i := 0; i < len(more); i += 2 {
		m[more[i]] = more[i+1]
	}
	return m
}

func equal(t testing.TB, want, got map[string]string) {
	t.Helper()
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("the folder (-want +got):\n%s", diff)
	}
}

// stats are the inode and the times of everything in a folder.
func stats(t *testing.T, dir string) map[string]string {
	t.Helper()
	out := map[string]string{}
	for name := range snapshot(t, dir) {
		info := lstat(t, dir, name)
		out[name] = info.ModTime().String() + info.Mode().String()
		out[name+" inode"] = fmt.Sprint(inode(info))
	}
	return out
}

func lstat(t *testing.T, dir, name string) fs.FileInfo {
	t.Helper()
	info, err := os.Lstat(filepath.Join(dir, name))
	if err != nil {
		t.Fatal(err)
	}
	return info
}

func inode(info fs.FileInfo) uint64 { return info.Sys().(*syscall.Stat_t).Ino }

// fails asserts that an error is there and says these words.
func fails(t *testing.T, err error, words ...string) {
	t.Helper()
	if err == nil {
		t.Fatalf("no error; want one with %q", words)
	}
	for _, w := range words {
		if !strings.Contains(err.Error(), w) {
			t.Errorf("the error is %q, want it to say %q", err, w)
		}
	}
}
