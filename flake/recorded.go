//go:build !wasm

package flake

import (
	"bytes"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// Recorded are the releases of NixOS that the routers of the tree in a folder were
// generated for, by their names. A folder without a tree has none.
func Recorded(dir string) (map[string]string, error) {
	m, err := readManifest(filepath.Join(dir, Dir, ManifestName))
	if err != nil {
		return nil, err
	}
	out := map[string]string{}
	for name, r := range m.Routers {
		out[name] = r.Release
	}
	if len(m.Files) == 0 || m.Routers != nil {
		return out, nil
	}
	// The manifest is of an nbr that did not write it down, whose flake.nix had the
	// revision in it.
	b, err := os.ReadFile(filepath.Join(dir, Dir, "flake.nix"))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	for rev, release := range former {
		if !bytes.Contains(b, []byte("github:NixOS/nixpkgs/"+rev)) {
			continue
		}
		for name := range m.Files {
			if router, file, _ := strings.Cut(name, "/"); file == "default.nix" {
				out[router] = release
			}
		}
	}
	return out, nil
}
