package flake_test

import (
	"encoding/json"
	"maps"
	"path"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/nbr-dev/nbr/flake"
	core "github.com/nbr-dev/nbr/router"
)

func TestManifest(t *testing.T) {
	tree := trees()["old"]
	var got flake.Manifest
	if err := json.Unmarshal(tree.Files[flake.ManifestName], &got); err != nil {
		t.Fatal(err)
	}
	hashes := map[string]string{}
	for name, b := range tree.Files {
		if name != flake.ManifestName { // it cannot hold its own hash
			hashes[name] = flake.Hash(b)
		}
	}
	want(t, "the manifest", flake.Manifest{Version: 1, Files: hashes, Routers: map[string]flake.Made{"home": {Release: "26.05"}, "office": {Release: "26.05"}}}, got)
	// The hash is the one that sha256sum(1) prints.
	want(t, "the hash of nothing", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855", flake.Hash(nil))
}

func TestTreeHasWhatItImports(t *testing.T) {
	tree := trees()["old"]
	// What is in nixpkgs is named by a text that is put behind modulesPath: "/../lib/…".
	imported := regexp.MustCompile(`[^.](\./[a-zA-Z0-9/.-]+)`)
	looked := 0
	for name, b := range tree.Files {
		if path.Ext(name) != ".nix" {
			continue
		}
		for _, found := range imported.FindAllStringSubmatch(string(b), -1) {
			ref := found[1]
			if ref == "./local.nix" {
				continue // the user's, and optional
			}
			looked++
			to := path.Join(path.Dir(name), ref)
			_, file := tree.Files[to]
			_, folder := tree.Files[path.Join(to, "default.nix")]
			_, spec := tree.Files[path.Join(to, "router.hcl")] // is read by nbr check
			if !file && !folder && !spec {
				t.Errorf("%s names %s, which is not in the tree", name, ref)
			}
		}
	}
	if looked < 6 {
		t.Errorf("found %d paths in the Nix files: the test looks for the wrong thing", looked)
	}
}

// Names that would make one configuration of two.
func TestNamesClash(t *testing.T) {
	for _, names := range [][]string{
		{"home", "home"},
		{"home", "home-cross"}, // the second is what the first's cross build is called
		{"home-cross", "home"},
		{"nbr"}, // the folder of the library
	} {
		c := flake.Config{}
		for _, n := range names {
			c.Routers = append(c.Routers, router(n, "x"))
		}
		_, err := flake.Build(c)
		fails(t, err, names[len(names)-1])
	}
}

func TestOrigins(t *testing.T) {
	tree := trees()["old"]
	want(t, "files with origins", []string{"home/network.nix", "office/network.nix"}, slices.Sorted(maps.Keys(tree.Origins)))
	for name, origins := range tree.Origins {
		lines := strings.Split(strings.TrimSuffix(string(tree.Files[name]), "\n"), "\n")
		want(t, "lines of "+name, len(lines), len(origins))
		for i, line := range lines {
			if strings.Contains(line, "hostName") {
				want(t, line, "router."+path.Dir(name), origins[i].Addr)
			}
		}
	}
}

// A spec may name every release that nbr knows, so each has a nixpkgs: a branch, and
// the state of it to begin with. A release that is yet to come has none.
func TestPins(t *testing.T) {
	revision := regexp.MustCompile(`^[0-9a-f]{40}$`)
	pinned := regexp.MustCompile(`^github:[A-Za-z0-9-]+/[A-Za-z0-9-]+/[0-9a-f]{40}$`)
	for _, release := range core.Releases {
		in, ok := flake.Pinned("nixpkgs", release)
		if !ok || in.URL != "github:NixOS/nixpkgs/nixos-"+release || in.Locked == nil || !revision.MatchString(in.Locked.Rev) {
			t.Fatalf("nixpkgs of %s is %+v, want a branch and a revision", release, in)
		}
		if day, ok := flake.Dated(in.Locked.Rev); !ok || !day.Equal(in.Locked.Time()) || day.Year() < 2026 {
			t.Errorf("nixpkgs of %s is of %s", release, day)
		}
	}
	for _, name := range []string{"nixos-sbc", "sops-nix", "agenix"} {
		in, ok := flake.Pinned(name, core.Releases[0])
		if !ok || !pinned.MatchString(in.URL) {
			t.Errorf("%s is %q, want a revision", name, in.URL)
		}
		if day, ok := flake.Dated(path.Base(in.URL)); !ok || day.IsZero() {
			t.Errorf("it is not known of when %s is", name)
		}
	}
	for _, release := range []string{"24.05", "26.11"} {
		if in, ok := flake.Pinned("nixpkgs", release); ok || core.Release(release).Coming() != (release == "26.11") {
			t.Errorf("a release without a revision has %q", in.URL)
		}
	}
	if in, ok := flake.Pinned("mine", "25.11"); ok {
		t.Errorf("an input that nbr does not know has %q", in.URL)
	}
	if _, ok := flake.Dated("0123"); ok {
		t.Error("a revision that nbr does not know has a day")
	}
}
