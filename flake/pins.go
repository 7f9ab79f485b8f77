package flake

import (
	"maps"
	"slices"
	"strings"
	"time"
)

// A pin is a flake reference that nbr was tried with.
type pin struct {
	url     string
	follows []string
	date    string // of the revision
}

// nixpkgs are the channels of the releases. The URL names the branch, so that nix
// flake update moves it; the revision that nbr was tried with is what the first
// flake.lock has. Their lastModified is the commit's, which Nix compares.
var nixpkgs = map[string]Locked{
	"25.11": {Rev: "25f538306313eae3927264466c70d7001dcea1df", LastModified: 1779796641}, // 2026-05-26
	"26.05": {Rev: "f5c082a40f7571c266e74e80ae2e68aadd8a9fc7", LastModified: 1790340521}, // 2026-09-25
}

// former are revisions of nixpkgs that trees were made with before the manifest said
// of which release a router is.
var former = map[string]string{
	"25f538306313eae3927264466c70d7001dcea1df": "25.11",
	"cf9d2fb3e50fa1cd5114c47505ea9177f7ff5f49": "26.05",
}

// pins are the other inputs. nixos-sbc keeps its own nixpkgs: its U-Boot patches
// apply to that one only, so the firmware is built with it. nbr is an input where the
// spec says of what URL: else the tree carries its source.
var pins = map[string]pin{
	"nbr":       {"", []string{"nixpkgs"}, ""},
	"nixos-sbc": {"github:nakato/nixos-sbc/c02755d8ba2e80c06c70d0621fd6d5e18c1ac371", nil, "2025-12-31"},
	"sops-nix":  {"github:Mic92/sops-nix/d8be5ea4cd3bc363492ab5bc6e874ccdc5465fe4", []string{"nixpkgs"}, "2026-03-01"},
	"agenix":    {"github:ryantm/agenix/b027ee29d959fda4b60b57566d64c98a202e0feb", []string{"nixpkgs"}, "2026-02-04"},
}

// Pinned is the input of this name as nbr knows it, for a release of NixOS. The
// second result is false for inputs that nbr does not know.
func Pinned(name, release string) (Input, bool) {
	if name == "nixpkgs" {
		locked, ok := nixpkgs[release]
		if !ok {
			return Input{Name: name}, false
		}
		return Input{Name: name, URL: "github:NixOS/nixpkgs/nixos-" + release, Locked: &locked}, true
	}
	p, ok := pins[name]
	return Input{Name: name, URL: p.url, Follows: p.follows}, ok
}

// Dated is the day of a revision, of any input that nbr has pinned. The second result
// is false for others.
func Dated(rev string) (time.Time, bool) {
	for _, l := range nixpkgs {
		if l.Rev == rev {
			return l.Time(), true
		}
	}
	for _, name := range slices.Sorted(maps.Keys(pins)) {
		if p := pins[name]; p.date != "" && strings.HasSuffix(p.url, "/"+rev) {
			day, err := time.Parse(time.DateOnly, p.date)
			return day, err == nil
		}
	}
	return time.Time{}, false
}
