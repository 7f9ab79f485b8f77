package flake

import (
	"archive/tar"
	"bytes"
	"fmt"
	"io/fs"
	"path"
	"strings"
	"time"

	"github.com/klauspost/compress/gzip"

	"github.com/nbr-dev/nbr/nixgen"
)

// ArchiveName is nbr's own source in the tree, below LibraryDir.
const ArchiveName = "source.tar.gz"

// archiveRoot is the folder that everything in the archive is in, as Nix's builders want.
const archiveRoot = "nbr-source"

// Archive packs the source of a Go program. Tests and their data are left out. The same
// source gives the same bytes on every machine and with every release of Go: the
// compressor is not the standard library's, which changes with Go, but one whose version
// the source's own go.mod names.
func Archive(src fs.FS) ([]byte, error) {
	var buf bytes.Buffer
	zip, err := gzip.NewWriterLevel(&buf, gzip.BestCompression)
	if err != nil {
		return nil, err
	}
	out := tar.NewWriter(zip)
	err = fs.WalkDir(src, ".", func(name string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir() && d.Name() == "testdata":
			return fs.SkipDir
		case d.IsDir() || strings.HasSuffix(name, "_test.go"):
			return nil
		}
		b, err := fs.ReadFile(src, name)
		if err != nil {
			return err
		}
		err = out.WriteHeader(&tar.Header{
			Typeflag: tar.TypeReg, Name: path.Join(archiveRoot, name), Size: int64(len(b)), Mode: 0o644,
			ModTime: time.Unix(1, 0), // as everything in Nix's store
			Format:  tar.FormatUSTAR,
		})
		if err == nil {
			_, err = out.Write(b)
		}
		return err
	})
	if err == nil {
		err = out.Close()
	}
	if err == nil {
		err = zip.Close()
	}
	return buf.Bytes(), err
}

// source puts nbr itself into the tree: the archive, its package and its NixOS module.
func (t *Tree) source(src fs.FS) error {
	archive, err := Archive(src)
	if err != nil {
		return fmt.Errorf("nbr's own source: %w", err)
	}
	t.Files[path.Join(LibraryDir, ArchiveName)] = archive
	t.Files[path.Join(LibraryDir, "source.nix")] = nixgen.Print(nixgen.Path("./" + ArchiveName))
	for _, name := range []string{"module.nix", "package.nix"} {
		b, err := fs.ReadFile(src, path.Join("flake", name))
		if err != nil {
			return fmt.Errorf("nbr's own source: %w", err)
		}
		t.Files[path.Join(LibraryDir, name)] = b
	}
	return nil
}
