package standin

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/nbr-dev/nbr/internal/lab"
)

// Refused evaluates routers, each a Nix list of NixOS modules, over the stand-ins in (of
// [Inputs]), and returns what Nix says of those that it refuses, by index. Everything that
// the modules set is looked at. It is one run of Nix while it refuses none.
func Refused(t testing.TB, in map[string]string, routers []string) map[int]error {
	t.Helper()
	refused := map[int]error{}
	accepted, err := Accepted(t, in, routers)
	for i, r := range routers {
		if err == nil && accepted[i] {
			continue
		}
		if _, err := judge(t, in, fmt.Sprintf("(router %s).drvPath", r)); err != nil {
			refused[i] = err
		}
	}
	if err != nil && len(refused) == 0 {
		t.Fatal(err)
	}
	return refused
}

// Accepted tells of each router in one run of Nix whether the module system accepts it. The
// error is of one that Nix itself refuses: an attribute that is missing, for example.
func Accepted(t testing.TB, in map[string]string, routers []string) ([]bool, error) {
	t.Helper()
	var accepted []bool
	out, err := judge(t, in, "map (r: (builtins.tryEval (router r).drvPath).success) [ "+strings.Join(routers, "\n")+" ]")
	if err == nil {
		err = json.Unmarshal([]byte(out), &accepted)
	}
	if err == nil && len(accepted) != len(routers) {
		err = errors.New("Nix has judged other routers: " + out)
	}
	return accepted, err
}

// Eval evaluates an expression in which system is what nixosSystem makes of a list of modules, over the
// stand-ins in (of [Inputs]), and returns its value in JSON.
func Eval(t testing.TB, in map[string]string, expr string) (string, error) {
	t.Helper()
	return judge(t, in, expr)
}

// judge evaluates an expression in which router is the system of a list of modules. Beside the
// inputs of every spec there is lists, files of a spec's own.
func judge(t testing.TB, in map[string]string, expr string) (string, error) {
	t.Helper()
	return lab.Nix(t).TryEval(t, `let
  flake = dir: inputs:
    let
      self = (import (dir + "/flake.nix")).outputs (inputs // { inherit self; }) // { outPath = dir; inherit inputs; };
    in
    self;
  nixpkgs = flake `+in["nixpkgs"]+` { };
  nixos-sbc = flake `+in["nixos-sbc"]+` { nixpkgs = flake `+in["nixos-sbc/nixpkgs"]+` { }; };
  sops-nix = flake `+in["sops-nix"]+` { inherit nixpkgs; };
  agenix = flake `+in["agenix"]+` { inherit nixpkgs; };
  nbr = flake `+in["nbr"]+` { inherit nixpkgs; };
  system = modules: nixpkgs.lib.nixosSystem {
    inherit modules;
    specialArgs = { inherit nixos-sbc sops-nix agenix nbr; lists = nixpkgs.outPath; };
  };
  router = modules: (system modules).config.system.build.toplevel;
in `+expr)
}
