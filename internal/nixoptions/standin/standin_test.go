package standin_test

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/nbr-dev/nbr/internal/lab"
	"github.com/nbr-dev/nbr/internal/nixoptions"
	"github.com/nbr-dev/nbr/internal/nixoptions/standin"
)

// flake writes a flake with one router, which has the given modules beside
// those that every router has.
func flake(t *testing.T, modules ...string) string {
	t.Helper()
	dir := t.TempDir()
	write(t, dir, "flake.nix", `{
  inputs.nixpkgs.url = "github:NixOS/nixpkgs/nixos-25.11";
  inputs.nixos-sbc.url = "github:nakato/nixos-sbc";
  inputs.sops-nix.url = "github:Mic92/sops-nix";
  inputs.sops-nix.inputs.nixpkgs.follows = "nixpkgs";
  inputs.agenix.url = "github:ryantm/agenix";

  outputs = { self, nixpkgs, nixos-sbc, sops-nix, agenix }: {
    nixosConfigurations.router = nixpkgs.lib.nixosSystem {
      specialArgs = { inherit nixos-sbc; };
      modules = [
        nixos-sbc.nixosModules.default
        nixos-sbc.nixosModules.boards.bananapi.bpir4
        sops-nix.nixosModules.sops
        agenix.nixosModules.default
        ./base.nix
`+indexed(len(modules))+`      ];
    };
    packages.aarch64-linux.image = self.nixosConfigurations.router.config.system.build.sdImage;
  };
}
`)
	write(t, dir, "base.nix", `{
  nixpkgs.hostPlatform.system = "aarch64-linux";
  sbc.version = "0.3";
  sbc.suppressVendorKernelWarning = true;
}
`)
	for i, m := range modules {
		write(t, dir, fmt.Sprintf("module%d.nix", i), m)
	}
	return dir
}

func indexed(n int) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, "        ./module%d.nix\n", i)
	}
	return b.String()
}

func write(t *testing.T, dir, name, text string) {
	t.Helper()
	if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}

// system is what Nix sees of the router's system.
const system = "nixosConfigurations.router.config.system.build.toplevel"

// settings evaluates the router and gives all that its modules set, as JSON.
func settings(t *testing.T, dir string) map[string]any {
	t.Helper()
	var text string
	nix := lab.Nix(t)
	in := standin.Inputs(t, "25.11")
	nix.EvalFlakeJSON(t, dir, system+".settings", in, &text)
	var v map[string]any
	if err := json.Unmarshal([]byte(text), &v); err != nil {
		t.Fatal(err)
	}
	return v
}

func TestFlakeCheck(t *testing.T) {
	t.Parallel()
	for _, release := range nixoptions.Releases {
		lab.Nix(t).Flake(t, flake(t), lab.Overrides(standin.Inputs(t, release))...)
	}
}

// TestSettings merges modules and compares what one option becomes.
func TestSettings(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name    string
		modules []string
		option  string
		want    string // JSON
	}{
		{"force wins", []string{
			`{ lib, ... }: { networking.hostName = lib.mkForce "a"; }`,
			`{ networking.hostName = "b"; }`,
			`{ lib, ... }: { networking.hostName = lib.mkDefault "c"; }`,
		}, "networking.hostName", `"a"`},
		{"lists join, the last module first", []string{
			`{ networking.nameservers = [ "a" ]; }`,
			`{ lib, ... }: { networking.nameservers = lib.mkMerge [ [ "b" ] (lib.mkIf false [ "x" ]) (lib.mkAfter [ "z" ]) ]; }`,
		}, "networking.nameservers", `["b","a","z"]`},
		{"lines join", []string{
			`{ lib, ... }: { services.chrony.extraConfig = lib.mkAfter "b"; }`,
			`{ services.chrony.extraConfig = "a"; }`,
		}, "services.chrony.extraConfig", `"a\nb"`},
		{"free keys merge at any depth", []string{
			`{ services.knot-resolver.settings.cache.size-max = "64M"; }`,
			`{ services.knot-resolver.settings.cache.storage = "/x"; services.knot-resolver.settings.workers = 2; }`,
		}, "services.knot-resolver.settings", `{"cache":{"size-max":"64M","storage":"/x"},"workers":2}`},
		// services.kea.dhcp4 is a submodule, which turns the order round again.
		{"data merges", []string{
			`{ services.kea.dhcp4.settings.subnet4 = [ { id = 1; } ]; }`,
			`{ services.kea.dhcp4.settings = { subnet4 = [ { id = 2; } ]; lease-database.type = "memfile"; }; }`,
		}, "services.kea.dhcp4.settings", `{"lease-database":{"type":"memfile"},"subnet4":[{"id":1},{"id":2}]}`},
		{"packages and paths are texts", []string{
			`{ config, ... }: { services.openssh.enable = true; sops.secrets.wg.sopsFile = ./base.nix; users.users.root.hashedPasswordFile = config.sops.secrets.wg.path; }`,
		}, "users.users.root.hashedPasswordFile", `"/run/secrets/wg"`},
		{"secrets for accounts", []string{
			`{ config, ... }: { sops.age.sshKeyPaths = [ "/etc/key" ]; sops.secrets.wg = { sopsFile = ./base.nix; neededForUsers = true; }; users.users.root.hashedPasswordFile = config.sops.secrets.wg.path; }`,
		}, "users.users.root.hashedPasswordFile", `"/run/secrets-for-users/wg"`},
		{"agenix too", []string{
			`{ config, ... }: { age.identityPaths = [ "/etc/key" ]; age.secrets.wg.file = ./base.nix; users.users.root.hashedPasswordFile = config.age.secrets.wg.path; }`,
		}, "users.users.root.hashedPasswordFile", `"/run/agenix/wg"`},
		{"what is not set is empty", []string{
			`{ config, ... }: { networking.nameservers = config.networking.timeServers; networking.useDHCP = config.services.kea.dhcp4.enable; }`,
		}, "networking.useDHCP", `false`},
		{"modules read options of others", []string{
			`{ lib, config, ... }: lib.mkIf config.services.openssh.enable { networking.hostName = "ssh"; }`,
			`{ services.openssh.enable = true; }`,
		}, "networking.hostName", `"ssh"`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			var v any = settings(t, flake(t, tt.modules...))
			for name := range strings.SplitSeq(tt.option, ".") {
				set, _ := v.(map[string]any)
				v = set[name]
			}
			if got, err := json.Marshal(v); err != nil || string(got) != tt.want {
				t.Errorf("%s = %s, want %s", tt.option, got, tt.want)
			}
		})
	}
}

// TestErrors has one mistake a case, and what Nix must say about it.
func TestErrors(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name, module string
		want         []string
	}{
		{
			"undeclared", `{ services.opensshd.enable = true; }`,
			[]string{"The option `services.opensshd' does not exist.", "/module0.nix': { enable = …; }"},
		},
		{
			"undeclared in a submodule", `{ users.users.root.shel = "x"; }`,
			[]string{"The option `users.users.root.shel' does not exist.", "/module0.nix': \"x\""},
		},
		{
			"not a boolean", `{ services.openssh.enable = "yes"; }`,
			[]string{"A definition for option `services.openssh.enable' is not of type `boolean'.", "/module0.nix': \"yes\""},
		},
		{
			"conflict", `{ imports = [ { networking.hostName = "a"; } { networking.hostName = "b"; } ]; }`,
			[]string{"The option `networking.hostName' has conflicting definition values:", "/module0.nix': \"a\"", "/module0.nix': \"b\"", "lib.mkForce"},
		},
		{
			"assertion", `{ assertions = [ { assertion = 1 == 2; message = "one is two"; } ]; }`,
			[]string{"Failed assertions:\n", "- one is two"},
		},
		{
			"assertion of a module", `{ networking.ifstate.enable = true; }`,
			[]string{"- networking.ifstate and networking.useDHCP exclude each other"},
		},
		{
			"no such secret", `{ sops.secrets.wg.sopsFile = ./none.yaml; }`,
			[]string{"- sops.secrets.wg.sopsFile does not exist"},
		},
		{
			"no key for sops", `{ sops.secrets.wg.sopsFile = ./base.nix; }`,
			[]string{"- No key source configured for sops"},
		},
		{
			"no key for agenix", `{ age.secrets.wg.file = ./base.nix; }`,
			[]string{"- age.identityPaths must be set"},
		},
		{
			"a password that is another user's", `{ services.openssh.enable = true; sops.secrets.wg = { sopsFile = ./base.nix; neededForUsers = true; owner = "kea"; }; }`,
			[]string{"- neededForUsers cannot be used for secrets that are not root-owned"},
		},
		{
			"no such package", `{ pkgs, ... }: { environment.systemPackages = [ pkgs.nftable ]; }`,
			[]string{"attribute 'nftable' missing"},
		},
		{
			"no such function", `{ lib, ... }: { networking.hostName = lib.hostName; }`,
			[]string{"attribute 'hostName' missing"},
		},
		{
			"a value that throws", `{ networking.hostName = throw "thrown"; }`,
			[]string{"error: thrown"},
		},
		{
			"a read of nothing", `{ config, ... }: { networking.hostName = config.networking.hostname; }`,
			[]string{"attribute 'hostname' missing"},
		},
		{
			"nixos-sbc's packages replaced without force", `{ _module.args.sbcPkgs = { }; }`,
			[]string{"The option `_module.args.sbcPkgs' is defined multiple times"},
		},
		{
			"the board's only kernel replaced without force", `{ pkgs, ... }: { boot.kernelPackages = pkgs.linuxPackages_latest; }`,
			[]string{"The option `boot.kernelPackages' is defined multiple times"},
		},
		{
			"a kernel that the release has dropped", `{ pkgs, lib, ... }: { boot.kernelPackages = lib.mkForce pkgs.linuxPackages_6_16; }`,
			[]string{"attribute 'linuxPackages_6_16' missing"},
		},
		{
			"two answers to a question of the kernel", `{ lib, ... }: { boot.kernelPatches = [ { name = "x"; patch = null; structuredExtraConfig.SOUND = lib.kernel.module; } ]; }`,
			[]string{"The option `SOUND' has conflicting definition values:"},
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			dir := flake(t, tt.module)
			args := append([]string{"flake", "check", "--no-build", "--all-systems", "--offline", "--no-write-lock-file", "path:" + dir},
				lab.Overrides(standin.Inputs(t, "25.11"))...)
			_, err := lab.Nix(t).Try(t, "nix", args...)
			if err == nil {
				t.Fatal("nix flake check passes")
			}
			for _, want := range tt.want {
				if !strings.Contains(unindent(err.Error()), want) {
					t.Errorf("%q is not in\n%v", want, err)
				}
			}
		})
	}
}

// unindent takes off what Nix and the lab put before each line.
func unindent(s string) string {
	lines := strings.Split(s, "\n")
	for i, l := range lines {
		lines[i] = strings.TrimLeft(l, " \t")
	}
	return strings.Join(lines, "\n")
}

// TestFirmware replaces nixos-sbc's Trusted Firmware-A and looks at what the
// image is built from.
func TestFirmware(t *testing.T) {
	t.Parallel()
	dir := flake(t, `{ lib, pkgs, nixos-sbc, ... }:
let
  locked = import nixos-sbc.inputs.nixpkgs {
    localSystem = pkgs.stdenv.buildPlatform.system;
    crossSystem = pkgs.stdenv.hostPlatform.system;
  };
  base = locked.callPackage (nixos-sbc + "/pkgs") { };
  atf = base.armTrustedFirmwareMT7988.overrideAttrs (old: { makeFlags = old.makeFlags ++ [ "DDR4_4BG_MODE=1" ]; });
  uboot = base.ubootBananaPiR4.overrideAttrs (_: { postBuild = "cp ${atf}/bl2.img ."; });
in
{
  _module.args.sbcPkgs = lib.mkForce (base // { ubootBananaPiR4 = uboot; });
  nixpkgs.buildPlatform = "x86_64-linux";
  boot.kernelPatches = [ { name = "x"; patch = null; structuredExtraConfig = {
    WIREGUARD = lib.kernel.module;
    NF_TABLES = lib.mkDefault lib.kernel.module; # the kernel itself says yes
    SOUND = lib.mkForce lib.kernel.module; # and no
  }; } ];
  system.build = {
    probe = {
      inherit (atf) makeFlags nixpkgs system;
      naive = (base // { armTrustedFirmwareMT7988 = atf; }).ubootBananaPiR4 == base.ubootBananaPiR4;
      image = builtins.hasContext uboot.postBuild && uboot != base.ubootBananaPiR4;
    };
  };
}`, `{ config, lib, ... }: {
  system.build.kernel = lib.splitString "\n" config.boot.kernelPackages.kernel.configfile.text;
}`)
	in := standin.Inputs(t, "25.11")
	nix := lab.Nix(t)
	var probe struct {
		MakeFlags       []string
		Nixpkgs, System string
		Naive, Image    bool
	}
	nix.EvalFlakeJSON(t, dir, "nixosConfigurations.router.config.system.build.probe", in, &probe)
	if !slices.Contains(probe.MakeFlags, "DDR4_4BG_MODE=1") || !slices.Contains(probe.MakeFlags, "USE_MKIMAGE=1") {
		t.Errorf("make flags %q", probe.MakeFlags)
	}
	if probe.Nixpkgs != standin.LockedNixpkgs || probe.System != "x86_64-linux" {
		t.Errorf("built by nixpkgs %q on %s", probe.Nixpkgs, probe.System)
	}
	if !probe.Naive || !probe.Image {
		t.Errorf("replacing Trusted Firmware-A alone leaves U-Boot as it is: %t; replacing both does not: %t", probe.Naive, probe.Image)
	}
	var kernel []string
	nix.EvalFlakeJSON(t, dir, "nixosConfigurations.router.config.system.build.kernel", in, &kernel)
	for _, want := range []string{"CONFIG_WIREGUARD=m", "CONFIG_NF_TABLES=y", "CONFIG_SOUND=m", "CONFIG_BTRFS_FS=m"} {
		if !slices.Contains(kernel, want) {
			t.Errorf("the kernel's configuration lacks %q: %q", want, kernel)
		}
	}
}

// TestBoards evaluates the image of each board, with the kernel that the release
// has where nixos-sbc wants one that it has dropped. It leaves out the Orange Pi 5B,
// whose firmware is unfree: package flaketest evaluates it as nbr allows that.
func TestBoards(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ board, module string }{
		{"bananapi.bpir3", `{ lib, pkgs, ... }: { boot.kernelPackages = pkgs.linuxPackages_latest; }`},
		{"bananapi.bpir4", `{ }`},
		{"pine64.rock64v2", `{ }`},
		{"pine64.rock64v3", `{ }`},
		{"raspberrypi.rpi4", `{ }`},
	} {
		t.Run(tt.board, func(t *testing.T) {
			t.Parallel()
			dir := flake(t, tt.module)
			text, err := os.ReadFile(filepath.Join(dir, "flake.nix"))
			if err != nil {
				t.Fatal(err)
			}
			write(t, dir, "flake.nix", strings.ReplaceAll(string(text), "bananapi.bpir4", tt.board))
			var drv string
			lab.Nix(t).EvalFlakeJSON(t, dir, "packages.aarch64-linux.image.drvPath", standin.Inputs(t, "26.05"), &drv)
			if !strings.HasSuffix(drv, ".drv") {
				t.Errorf("the image is %q", drv)
			}
		})
	}
}
