package flaketest_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/nbr-dev/nbr/internal/lab"
	"github.com/nbr-dev/nbr/internal/nixoptions/standin"
)

// TestGeneratedChecks has Nix build the checks of a generated flake: nbr check of the spec that is in the tree, on
// both systems that a router is built on. The stand-in's derivations build nothing, so the program is built here, and
// is what the nixpkgs here makes of nbr's package.
func TestGeneratedChecks(t *testing.T) {
	bin := filepath.Dir(build(t, repo, "readonly", "./cmd/nbr"))
	all := standin.Inputs(t, "26.05")
	nixpkgs := filepath.Join(t.TempDir(), "nixpkgs")
	write(t, filepath.Join(nixpkgs, "flake.nix"), `{
  inputs.real.url = "path:`+all["nixpkgs"]+`";
  inputs.bin = { url = "path:`+bin+`"; flake = false; };
  outputs = { self, real, bin }: real // {
    legacyPackages = builtins.mapAttrs (system: pkgs: pkgs // {
      callPackage = recipe: _: assert builtins.pathExists recipe && baseNameOf recipe == "package.nix"; bin;
      runCommandLocal = name: env: script: derivation {
        inherit name;
        system = "x86_64-linux";
        builder = "/bin/sh";
        args = [ "-ec" ("PATH=${builtins.concatStringsSep ":" env.nativeBuildInputs}\n" + script) ];
      };
    }) real.legacyPackages;
  };
}
`)
	out := gen(t, article)
	in := used(t, out, all)
	in["nixpkgs"] = nixpkgs
	nix := lab.Nix(t).Builder(t)
	for _, system := range []string{"x86_64-linux", "aarch64-linux"} {
		b, err := os.ReadFile(nix.Build(t, out, "checks."+system+".spec-bpi-r4", in))
		if err != nil || !strings.Contains(string(b), "is a valid spec") {
			t.Errorf("%s: nbr check says %q: %v", system, b, err)
		}
	}

	spec := filepath.Join(out, "routers/bpi-r4/spec/router.hcl")
	write(t, spec, strings.Replace(contents(t, article)["router.hcl"], "link = bridge.br-lan", "link = bridge.br-lam", 1))
	_, err := nix.Try(t, "nix", append([]string{
		"build", "--offline", "--no-write-lock-file", "--no-link", "path:" + out + "#checks.x86_64-linux.spec-bpi-r4",
	}, lab.Overrides(in)...)...)
	if err == nil || !strings.Contains(err.Error(), "bridge.br-lam") || !strings.Contains(err.Error(), "router.hcl line 18") {
		t.Errorf("a wrong spec: %v", err)
	}
}
