package flake_test

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"errors"
	"io"
	"io/fs"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/nbr-dev/nbr/flake"
)

// program is the source of a program, with what an archive of it leaves out.
func program() fstest.MapFS {
	files := fstest.MapFS{}
	for _, name := range []string{
		"go.mod", "b/b.go", "a/a.go", "a/data/x.json", "a/a_test.go", "a/testdata/y.json", "testdata/z/z.go",
		"flake/module.nix", "flake/package.nix",
	} {
		files[name] = &fstest.MapFile{Data: []byte("this is " + name + "\n"), Mode: 0o600, ModTime: time.Now()}
	}
	return files
}

// What an archive holds depends on names and contents only: times, modes and owners are the
// same everywhere.
func TestArchive(t *testing.T) {
	archive, err := flake.Archive(program())
	if err != nil {
		t.Fatal(err)
	}
	again, err := flake.Archive(program())
	if err != nil || !bytes.Equal(archive, again) {
		t.Errorf("packed again it is another archive (%v)", err)
	}
	z, err := gzip.NewReader(bytes.NewReader(archive))
	if err != nil {
		t.Fatal(err)
	}
	want(t, "the compressed file", gzip.Header{OS: 255}, z.Header)
	var names []string
	for r := tar.NewReader(z); ; {
		h, err := r.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		b, err := io.ReadAll(r)
		if err != nil {
			t.Fatal(err)
		}
		names = append(names, h.Name)
		want(t, h.Name, tar.Header{
			Typeflag: tar.TypeReg, Name: h.Name, Size: int64(len(b)), Mode: 0o644, ModTime: time.Unix(1, 0), Format: tar.FormatUSTAR,
		}, *h)
		want(t, h.Name, "this is "+strings.TrimPrefix(h.Name, "nbr-source/")+"\n", string(b))
	}
	want(t, "the files", []string{
		"nbr-source/a/a.go", "nbr-source/a/data/x.json", "nbr-source/b/b.go",
		"nbr-source/flake/module.nix", "nbr-source/flake/package.nix", "nbr-source/go.mod",
	}, names)
}

// A tree with a source brings what the routers import of it, and one without brings none.
func TestTreeWithSource(t *testing.T) {
	tree, err := flake.Build(flake.Config{Routers: []flake.Router{router("home", "one")}, Source: program()})
	if err != nil {
		t.Fatal(err)
	}
	archive, err := flake.Archive(program())
	if err != nil {
		t.Fatal(err)
	}
	for name, text := range map[string]string{
		"nbr/source.tar.gz": string(archive),
		"nbr/source.nix":    "./source.tar.gz\n",
		"nbr/module.nix":    "this is flake/module.nix\n",
		"nbr/package.nix":   "this is flake/package.nix\n",
	} {
		if got := string(tree.Files[name]); got != text {
			t.Errorf("%s is %q", name, got)
		}
		if _, there := build(router("home", "one")).Files[name]; there {
			t.Errorf("%s is in a tree without a source", name)
		}
	}
	bad := program()
	delete(bad, "flake/package.nix")
	if _, err := flake.Build(flake.Config{Source: bad}); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("a source without a package: %v", err)
	}
}
