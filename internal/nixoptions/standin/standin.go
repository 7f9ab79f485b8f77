// Package standin lends tests the stand-ins for a router's flake inputs, with
// the options of a release of NixOS in them.
package standin

import (
	"cmp"
	"encoding/json"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/nbr-dev/nbr/internal/nixoptions"
	"github.com/nbr-dev/nbr/testdata/standin"
)

// owners says which input declares the options below a first name; nixpkgs has
// all others.
var owners = map[string]string{"age": "agenix", "sbc": "nixos-sbc", "sops": "sops-nix"}

// LockedNixpkgs is the release that the nixpkgs of nixos-sbc calls itself: it
// stays at what nixos-sbc locks, whatever the router takes. Each derivation has
// the release of its nixpkgs as the environment variable nixpkgs.
const LockedNixpkgs = "locked by nixos-sbc"

// Inputs writes the stand-ins to a folder of the test and returns where each is,
// in the form that lab.Overrides takes. The names of inputs of inputs have a
// slash in them.
func Inputs(t testing.TB, release string) map[string]string {
	t.Helper()
	dir := t.TempDir()
	tables, err := tables(release)
	if err != nil {
		t.Fatal(err)
	}
	write := func(input, folder string) string {
		files, err := fs.Sub(standin.Files, input)
		if err == nil {
			err = os.CopyFS(filepath.Join(dir, folder), files)
		}
		if err == nil {
			err = os.WriteFile(filepath.Join(dir, folder, "options.json"), tables[input], 0o644)
		}
		if err != nil {
			t.Fatal(err)
		}
		return filepath.Join(dir, folder)
	}
	nixpkgs := func(folder, release string) string {
		path := write("nixpkgs", folder)
		if err := os.WriteFile(filepath.Join(path, "release"), []byte(release+"\n"), 0o644); err != nil {
			t.Fatal(err)
		}
		return path
	}
	router := nixpkgs("nixpkgs", release)
	return map[string]string{
		"nixpkgs":           router,
		"nixos-sbc":         write("nixos-sbc", "nixos-sbc"),
		"nixos-sbc/nixpkgs": nixpkgs("locked-nixpkgs", LockedNixpkgs),
		"sops-nix":          write("sops-nix", "sops-nix"),
		"sops-nix/nixpkgs":  router,
		"agenix":            write("agenix", "agenix"),
		"agenix/nixpkgs":    router,
		"nbr":               own(t, filepath.Join(dir, "nbr")),
	}
}

// own is no stand-in: what a router evaluates of nbr's own flake. Tests run in the
// folder of their package.
func own(t testing.TB, dir string) string {
	root, err := filepath.Abs(".")
	for err == nil {
		if _, err := os.Stat(filepath.Join(root, "go.mod")); err == nil {
			break
		}
		if root == filepath.Dir(root) {
			t.Fatal("standin: no go.mod above the test")
		}
		root = filepath.Dir(root)
	}
	nix, err := filepath.Glob(filepath.Join(root, "flake", "*.nix"))
	for _, file := range append(nix, filepath.Join(root, "flake.nix")) {
		var b []byte
		if err == nil {
			b, err = os.ReadFile(file)
		}
		if err == nil {
			to := filepath.Join(dir, strings.TrimPrefix(file, root))
			if err = os.MkdirAll(filepath.Dir(to), 0o755); err == nil {
				err = os.WriteFile(to, b, 0o644)
			}
		}
	}
	if err != nil {
		t.Fatal(err)
	}
	return dir
}

// tables are the trees of options of a release as JSON, by input.
func tables(release string) (map[string][]byte, error) {
	tree, err := nixoptions.Tree(release)
	if err != nil {
		return nil, err
	}
	parts := map[string]*nixoptions.Node{}
	for name, node := range tree.Children {
		input := cmp.Or(owners[name], "nixpkgs")
		if parts[input] == nil {
			parts[input] = &nixoptions.Node{Children: map[string]*nixoptions.Node{}}
		}
		parts[input].Children[name] = node
	}
	tables := map[string][]byte{}
	for input, part := range parts {
		if tables[input], err = json.Marshal(part); err != nil {
			return nil, err
		}
	}
	return tables, nil
}
