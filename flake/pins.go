package flake

// A pin is a flake reference that nbr was tried with.
type pin struct {
	url     string
	follows []string
}

// nixpkgs are the pinned revisions of the releases' channels.
var nixpkgs = map[string]string{
	"25.11": "github:NixOS/nixpkgs/25f538306313eae3927264466c70d7001dcea1df", // nixos-25.11 of 2026-05-26
	"26.05": "github:NixOS/nixpkgs/cf9d2fb3e50fa1cd5114c47505ea9177f7ff5f49", // nixos-26.05 of 2026-09-18
}

// pins are the other inputs. nixos-sbc keeps its own nixpkgs: its U-Boot patches
// apply to that one only, so the firmware is built with it. nbr is an input where the
// spec says of what URL: else the tree carries its source.
var pins = map[string]pin{
	"nbr":       {"", []string{"nixpkgs"}},
	"nixos-sbc": {"github:nakato/nixos-sbc/c02755d8ba2e80c06c70d0621fd6d5e18c1ac371", nil}, // 2025-12-31
	"sops-nix":  {"github:Mic92/sops-nix/d8be5ea4cd3bc363492ab5bc6e874ccdc5465fe4", []string{"nixpkgs"}},
	"agenix":    {"github:ryantm/agenix/b027ee29d959fda4b60b57566d64c98a202e0feb", []string{"nixpkgs"}},
}

// Pinned is the input of this name as nbr knows it, for a release of NixOS. The
// second result is false for inputs that nbr does not know.
func Pinned(name, release string) (Input, bool) {
	if name == "nixpkgs" {
		url, ok := nixpkgs[release]
		return Input{Name: name, URL: url}, ok
	}
	p, ok := pins[name]
	return Input{Name: name, URL: p.url, Follows: p.follows}, ok
}
