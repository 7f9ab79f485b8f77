package flaketest_test

import (
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/nbr-dev/nbr/flake"
	"github.com/nbr-dev/nbr/internal/lab"
	"github.com/nbr-dev/nbr/internal/nixoptions/standin"
)

var update = flag.Bool("update", false, "write vendorHash anew")

// checkout copies what a flake of this repository needs into a folder.
func checkout(t *testing.T) string {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "nbr")
	files := strings.Fields(run(t, repo, "git", "-c", "safe.directory=*", "ls-files", "--cached", "--others", "--exclude-standard"))
	for _, f := range files {
		b, err := os.ReadFile(filepath.Join(repo, f))
		if os.IsNotExist(err) {
			continue // deleted and not committed yet
		}
		if err == nil {
			err = os.MkdirAll(filepath.Dir(filepath.Join(dir, f)), 0o755)
		}
		if err == nil {
			err = os.WriteFile(filepath.Join(dir, f), b, 0o644)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// TestVendorHash computes the hash that buildGoModule wants: that of the folder which go
// mod vendor makes of the source in a generated flake, as an archive of Nix.
func TestVendorHash(t *testing.T) {
	source := unpack(t, filepath.Join(gen(t, article), "routers/nbr", flake.ArchiveName))
	run(t, source, "go", "mod", "vendor")
	out, err := lab.Nix(t).Try(t, "nix", "hash", "path", "--sri", filepath.Join(source, "vendor"))
	if err != nil {
		t.Fatal(err)
	}
	got := strings.TrimSpace(out)
	file := filepath.Join(repo, "flake/package.nix")
	src, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if *update {
		src = hashRE.ReplaceAllLiteral(src, []byte(`vendorHash = "`+got+`"`))
		if err := os.WriteFile(file, src, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if want := packaged(t, hashRE.String()); want != got {
		t.Errorf("flake/package.nix says %s, go mod vendor makes %s; run with -update", want, got)
	}
}

// TestOwnFlake checks nbr's own flake: every output evaluates.
func TestOwnFlake(t *testing.T) {
	dir := checkout(t)
	in := map[string]string{"nixpkgs": standin.Inputs(t, "26.05")["nixpkgs"]}
	nix := lab.Nix(t)
	nix.Flake(t, dir, lab.Overrides(in)...)
	var main string
	nix.EvalFlakeJSON(t, dir, "packages.x86_64-linux.nbr.meta.mainProgram", in, &main)
	if main != "nbr" {
		t.Errorf("the package's program is %q", main)
	}
}

// TestOwnLock wants nbr's own flake to be at the nixpkgs that generated ones begin with,
// by the branch of the default release and a lock file: one that is in the URL is moved
// by no nix flake update.
func TestOwnLock(t *testing.T) {
	in, _ := flake.Pinned("nixpkgs", "26.05")
	src, err := os.ReadFile(filepath.Join(repo, "flake.nix"))
	if err != nil || !strings.Contains(string(src), `"`+in.URL+`"`) {
		t.Errorf("flake.nix does not name %s: %v", in.URL, err)
	}
	locked, err := flake.ReadLock(repo)
	if err != nil || locked["nixpkgs"] != *in.Locked {
		t.Errorf("flake.lock has %+v, want %+v: %v", locked["nixpkgs"], *in.Locked, err)
	}
}

// TestFromSpec generates while Nix evaluates: a derivation runs nbr and its output
// is imported. The stand-in's derivations build nothing, so the program is built
// here and given to it.
func TestFromSpec(t *testing.T) {
	dir := checkout(t)
	bin := filepath.Dir(build(t, repo, "readonly", "./cmd/nbr"))
	in := standin.Inputs(t, "26.05")
	user := filepath.Join(t.TempDir(), "router")
	write(t, filepath.Join(user, "flake.nix"), `{
  inputs.nbr.url = "path:`+dir+`";
  inputs.nixpkgs.url = "path:`+in["nixpkgs"]+`";
  inputs.nixos-sbc.url = "path:`+in["nixos-sbc"]+`";
  inputs.bin = { url = "path:`+bin+`"; flake = false; };
  outputs = inputs: {
    nixosConfigurations.bpi-r4 = inputs.nixpkgs.lib.nixosSystem {
      specialArgs = { inherit (inputs) nixos-sbc; };
      modules = [ (inputs.nbr.lib.fromSpec {
        spec = ./spec;
        pkgs.runCommand = name: _: script: derivation {
          inherit name;
          system = "x86_64-linux";
          builder = "/bin/sh";
          args = [ "-c" ("PATH=${inputs.bin}\n" + script) ];
        };
        pkgs.stdenv.hostPlatform.system = "x86_64-linux";
        nbr = inputs.bin;
      }).bpi-r4 ];
    };
  };
}
`)
	if err := os.CopyFS(filepath.Join(user, "spec"), os.DirFS(article)); err != nil {
		t.Fatal(err)
	}
	overrides := map[string]string{"nbr/nixpkgs": in["nixpkgs"], "nixos-sbc/nixpkgs": in["nixos-sbc/nixpkgs"]}
	nix := lab.Nix(t).Builder(t)
	var host, src string
	nix.EvalFlakeJSON(t, user, "nixosConfigurations.bpi-r4.config.networking.hostName", overrides, &host)
	if host != "bpi-r4" {
		t.Errorf("the host is called %q", host)
	}
	nix.EvalFlakeJSON(t, user, "nixosConfigurations.bpi-r4.config.programs.nbr.package.src", overrides, &src)
	if !strings.HasSuffix(src, "-nbr-tree/routers/nbr/"+flake.ArchiveName) {
		t.Errorf("nbr on the router is built from %s", src)
	}
}
