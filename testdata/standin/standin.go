// Package standin holds stand-ins for the flake inputs of a router: nixpkgs,
// nixos-sbc, sops-nix and agenix. They have the shape of the real ones and none
// of their content, so that Nix evaluates everything nbr generates without a
// network and in a fraction of a second. The tables of options are not here:
// internal/nixoptions/standin adds them.
package standin

import "embed"

// Files has a folder for each input.
//
//go:embed agenix nixos-sbc nixpkgs sops-nix
var Files embed.FS
