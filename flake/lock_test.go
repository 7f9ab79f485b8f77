package flake_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/nbr-dev/nbr/flake"
)

// locked is the new tree with a nixpkgs whose state is known, and another input whose
// state is not.
func locked() *flake.Tree {
	in, _ := flake.Pinned("nixpkgs", "26.05")
	other, _ := flake.Pinned("nixos-sbc", "26.05")
	tree, err := flake.Build(flake.Config{Inputs: []flake.Input{in, other}, Routers: []flake.Router{router("home", "one")}})
	if err != nil {
		panic(err)
	}
	return tree
}

const firstLock = `{
  "nodes": {
    "nixpkgs": {
      "locked": {
        "lastModified": 1790340521,
        "owner": "NixOS",
        "repo": "nixpkgs",
        "rev": "f5c082a40f7571c266e74e80ae2e68aadd8a9fc7",
        "type": "github"
      },
      "original": {
        "owner": "NixOS",
        "ref": "nixos-26.05",
        "repo": "nixpkgs",
        "type": "github"
      }
    },
    "root": {
      "inputs": {
        "nixpkgs": "nixpkgs"
      }
    }
  },
  "root": "root",
  "version": 7
}
`

func TestFirstLockFile(t *testing.T) {
	dir := t.TempDir()
	p := compare(t, dir, locked(), false)
	apply(t, p)
	equal(t, with(wanted(locked()), "flake.lock", short([]byte(firstLock))), snapshot(t, dir))
	want(t, "the plan's own", firstLock, string(p.Lock))
	want(t, "still to write", "", string(compare(t, dir, locked(), false).Lock))
	if strings.Contains(string(locked().Files[flake.ManifestName]), "flake.lock") {
		t.Error("the manifest has flake.lock, which is Nix's from now on")
	}
	// nbr knows no state of these inputs.
	want(t, "a lock file of nothing", "", string(trees()["old"].Lock))
}

// Whatever is called flake.lock stays, with -force too.
func TestLockFileIsNeverReplaced(t *testing.T) {
	for name, make := range map[string]func(dir string) error{
		"a file":            func(dir string) error { return os.WriteFile(filepath.Join(dir, "flake.lock"), []byte("mine\n"), 0o644) },
		"a link to nothing": func(dir string) error { return os.Symlink("elsewhere", filepath.Join(dir, "flake.lock")) },
		"an empty file":     func(dir string) error { return os.WriteFile(filepath.Join(dir, "flake.lock"), nil, 0o644) },
	} {
		t.Run(name, func(t *testing.T) {
			dir := generated(t)
			if err := make(dir); err != nil {
				t.Fatal(err)
			}
			was := snapshot(t, dir)["flake.lock"]
			apply(t, compare(t, dir, locked(), true))
			equal(t, with(wanted(locked()), "flake.lock", was), snapshot(t, dir))
		})
	}
}

// One that comes between the look and the writing is not replaced either.
func TestLockFileThatComesInBetween(t *testing.T) {
	dir := t.TempDir()
	p := compare(t, dir, locked(), false)
	put(t, "Nix's\n", dir, "flake.lock")
	apply(t, p)
	equal(t, with(wanted(locked()), "flake.lock", "Nix's\n"), snapshot(t, dir))
}

// A tree without a lock file is not stale, and the next run writes one and nothing
// else.
func TestMissingLockFile(t *testing.T) {
	dir := t.TempDir()
	write(t, dir, locked())
	file := filepath.Join(dir, "flake.lock")
	if err := os.Remove(file); err != nil {
		t.Fatal(err)
	}
	before := stats(t, filepath.Join(dir, flake.Dir))
	p := compare(t, dir, locked(), false)
	want(t, "stale", false, p.Stale())
	want(t, "written", nil, written(p))
	apply(t, p)
	want(t, "inodes, modes and times of the tree", before, stats(t, filepath.Join(dir, flake.Dir)))
	equal(t, with(wanted(locked()), "flake.lock", short([]byte(firstLock))), snapshot(t, dir))
}

func TestReadLock(t *testing.T) {
	dir := t.TempDir()
	got, err := flake.ReadLock(dir)
	want(t, "no file", map[string]flake.Locked(nil), got)
	if err != nil {
		t.Error(err)
	}
	// As Nix goes on with it: nodes have other names than inputs, and some follow.
	put(t, `{"nodes": {
  "nixpkgs": {"locked": {"path": "/x", "type": "path", "lastModified": 5}, "original": {"type": "path", "path": "/x"}},
  "nixpkgs_2": {"locked": {"type": "github", "owner": "NixOS", "repo": "nixpkgs", "rev": "abc", "lastModified": 1790340521}},
  "sbc": {"inputs": {"nixpkgs": "nixpkgs"}, "locked": {"type": "github", "rev": "def"}},
  "top": {"inputs": {"nixpkgs": "nixpkgs_2", "nixos-sbc": "sbc", "mine": ["sbc", "nixpkgs"]}}
}, "root": "top", "version": 7}`, dir, "flake.lock")
	got, err = flake.ReadLock(dir)
	if err != nil {
		t.Fatal(err)
	}
	want(t, "inputs", map[string]flake.Locked{"nixpkgs": {Rev: "abc", LastModified: 1790340521}, "nixos-sbc": {Rev: "def"}}, got)
	want(t, "of when", "2026-09-25", got["nixpkgs"].Time().Format("2006-01-02"))
	want(t, "of no known time", true, got["nixos-sbc"].Time().IsZero())

	for text, say := range map[string]string{"{": "cannot be read", `{"version": 5}`: "version 5"} {
		put(t, text, dir, "flake.lock")
		if _, err := flake.ReadLock(dir); err == nil || !strings.Contains(err.Error(), say) {
			t.Errorf("%s: %v", text, err)
		}
	}
}

func TestRecorded(t *testing.T) {
	recorded := func(dir string) map[string]string {
		t.Helper()
		got, err := flake.Recorded(dir)
		if err != nil {
			t.Fatal(err)
		}
		return got
	}
	want(t, "no tree", map[string]string{}, recorded(t.TempDir()))
	dir := generated(t)
	want(t, "a tree", map[string]string{"home": "26.05", "office": "26.05"}, recorded(dir))

	// One of an nbr that wrote no release down.
	put(t, `{"version": 1, "files": {"flake.nix": "", "default.nix": "", "home/default.nix": "", "home/spec/default.nix": "", "nbr/kernel.nix": ""}}`,
		dir, "routers", flake.ManifestName)
	want(t, "nothing known", map[string]string{}, recorded(dir))
	put(t, `{ inputs.nixpkgs.url = "github:NixOS/nixpkgs/25f538306313eae3927264466c70d7001dcea1df"; }`, dir, "routers", "flake.nix")
	want(t, "by its revision", map[string]string{"home": "25.11"}, recorded(dir))

	put(t, "{", dir, "routers", flake.ManifestName)
	if _, err := flake.Recorded(dir); err == nil {
		t.Error("an unreadable manifest is no error")
	}
}
