package nixoptions_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/nbr-dev/nbr/internal/lab"
	"github.com/nbr-dev/nbr/internal/nixoptions"
	"github.com/nbr-dev/nbr/internal/nixoptions/standin"
	. "github.com/nbr-dev/nbr/nixgen"
)

// TestNixAgrees lets the module system judge the same options. It knows more
// (what a variable is) and less (it takes any definition that is the only one),
// but it has its own idea of patterns, unions and freeform keys.
func TestNixAgrees(t *testing.T) {
	t.Parallel()
	for _, release := range nixoptions.Releases {
		in := standin.Inputs(t, release)
		var right []string
		for i, tt := range checkCases {
			if tt.release != both && tt.release != release {
				continue
			}
			if strings.HasPrefix(tt.path, "nbr.") || strings.HasPrefix(tt.path, "system.build.") {
				continue // declared by nbr's modules; read-only because of NixOS's
			}
			module := "(" + string(Print(Fn{Params: []string{"config", "lib", "pkgs"}, Ellipsis: true, Body: Attrs{
				{Name: strings.Split(tt.path, "."), Value: tt.value},
			}})) + ")"
			if len(tt.want) == 0 {
				right = append(right, module)
				continue
			}
			if tt.release == both && release != nixoptions.Releases[0] {
				continue // a process for each wrong case: once is enough
			}
			t.Run(fmt.Sprint(i, " ", tt.path), func(t *testing.T) {
				t.Parallel()
				if err := judge(t, in, module); err == nil {
					t.Errorf("Check says %q, and Nix takes it", tt.want)
				}
			})
		}
		if err := judge(t, in, right...); err != nil {
			t.Errorf("NixOS %s: %v", release, err)
		}
	}
}

// judge evaluates everything that each of the modules sets on its own.
func judge(t *testing.T, in map[string]string, modules ...string) error {
	t.Helper()
	_, err := lab.Nix(t).Try(t, "nix-instantiate", "--eval", "--strict", "--expr", `let
  lib = import `+in["nixpkgs"]+`/lib;
  pkgs = import `+in["nixpkgs"]+` { system = "aarch64-linux"; };
  # The variables of the cases.
  a = 1;
  b = 2;
  x = "x";
  k = pkgs.linux_latest;
  options = map (dir: { options = lib.standin.declareFile (dir + "/options.json") { }; }) [
    `+strings.Join([]string{in["nixpkgs"], in["nixos-sbc"], in["sops-nix"], in["agenix"]}, " ")+`
  ];
  eval = module: lib.evalModules {
    modules = options ++ [
      {
        _module.args.pkgs = pkgs // { a = pkgs.kea; x = pkgs.kea; };
        # What the cases read.
        networking.useDHCP = lib.mkDefault true;
        sops.secrets.root = { };
      }
      module
    ];
  };
in map (m: builtins.deepSeq (eval m).rendered true) [ `+strings.Join(modules, "\n")+` ]`)
	return err
}
