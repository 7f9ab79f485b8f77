package standin_test

import (
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/nbr-dev/nbr/internal/nixoptions"
	"github.com/nbr-dev/nbr/internal/nixoptions/standin"
)

// typeCases have what the module system takes at a path, and what it refuses there. Where
// there is nothing right, or in another release, it refuses the path.
var typeCases = []struct {
	releases, path string
	right, wrong   []string
}{
	// Paths.
	{"", "services.opensshd.enable", nil, []string{"true"}},
	{"", "networking.firewall.filterOutput.enabled", nil, []string{"true"}},
	{"", "services.frr.bgp.enable", nil, []string{"true"}},
	{"", "systemd.extraConfig", nil, []string{`"x"`}},
	{"", "services.kea.dhcp5.enable", nil, []string{"true"}},
	{"", "users.users.root.shel", nil, []string{"pkgs.zsh"}},
	{"", "networking.nftables.tables.nbr.contents", nil, []string{`""`}},
	{"", "systemd.services.x.serviceconfig.ExecStart", nil, []string{`"x"`}},
	{"", "services.suricata.settings.vars.address-groups.HOMENET", nil, []string{`"192.0.2.0/24"`}},
	{"", `fileSystems."/".fsTypes`, nil, []string{`"ext4"`}},
	{"", "services", nil, []string{`"x"`}},
	{"25.11 26.05", "services.kea.ctrl-agent.enable", []string{"true"}, []string{`"yes"`}},
	{"26.05 26.11", "services.chrony.makestep.limit", []string{"3"}, []string{`"3"`}},
	{"25.11", "services.openssh.banner", []string{`"no"`}, []string{"1"}},
	{"25.11 26.05", "services.timesyncd.extraConfig", []string{`""`}, []string{"[ ]"}},
	{"26.05 26.11", "services.resolved.settings.Resolve.LLMNR", []string{`"true"`}, []string{"true"}},
	{"25.11", "services.resolved.dnssec", []string{`"false"`}, []string{`"no"`}},

	// Plain types, their patterns and their limits.
	{"", "services.frr.bgpd.enable", []string{"true"}, []string{"1"}},
	{"", "sbc.version", []string{`lib.mkForce "0.3"`}, []string{`lib.mkForce "0.4"`}},
	{"", "system.build.nbrTest", []string{`"x"`}, nil},
	{"", "system.build.toplevel", nil, []string{`"x"`}},
	{"", "networking.useDHCP", []string{"1 == 2"}, []string{`"false"`, "config.networking.hostName"}},
	{"", "networking.hostName", []string{`"router"`}, []string{`"a b"`, `"-a"`, "null", "pkgs.radvd"}},
	{"", "services.openssh.settings.PermitRootLogin", []string{`"prohibit-password"`, "null"}, []string{`"maybe"`}},
	{"", "services.openssh.ports", []string{"[ 22 65535 ]"}, []string{"[ 22 65536 ]", "[ (-1) ]", "22"}},
	{"", "services.radvd.debugLevel", []string{"5"}, []string{"6"}},
	{"", "services.radvd.config", []string{`"interface lan {\n};\n"`}, []string{`[ "interface" ]`}},
	{"", "services.radvd.package", []string{"pkgs.radvd"}, []string{`"radvd"`}},
	{"", "boot.kernelPackages", []string{"lib.mkForce pkgs.linuxPackages_latest"}, nil},
	{"", "time.timeZone", []string{`"Europe/Berlin"`}, []string{`"Europe Berlin"`}},
	{"", "boot.kernelParams", []string{`[ "console=ttyS0" ]`}, []string{`[ "console=ttyS0" 1 ]`}},
	{"", "boot.kernelModules", []string{`[ "tun" ]`, "{ tun = true; }"}, []string{`{ tun = "y"; }`}},
	{"", "networking.firewall.checkReversePath", []string{`"loose"`, "false"}, []string{`"lose"`}},
	{"", "zramSwap.algorithm", []string{`"own"`}, []string{"1"}},
	{"", "environment.systemPackages", []string{"with pkgs; [ tcpdump ethtool ]"}, []string{`[ "tcpdump" ]`, "[ pkgs.kea ] ++ lib.optionals true [ 1 ]"}},
	{"", "warnings", []string{`[ "w" ]`}, []string{"[ null ]"}},

	// Into submodules.
	{"", "networking.interfaces.wan.ipv4.addresses", []string{`[ { address = "192.0.2.1"; prefixLength = 32; } ]`}, []string{`[ { address = "192.0.2.1"; prefixLength = 33; } ]`}},
	{"", "users.users.root.openssh.authorizedKeys.keys", []string{`[ "ssh-ed25519 AAAA root" ]`}, []string{`"ssh-ed25519 AAAA root"`, `[ "a\nb" ]`}},
	{"", "users.groups.kea", []string{"{ }"}, []string{"[ ]"}},
	{"", "services.pppd.peers.wan", []string{`{ config = "nic-wan\n"; }`}, []string{`{ config = 1; }`, `{ config.enable = true; }`}},
	{"", "networking.nftables.tables.nbr", []string{`{ family = "inet"; content = "chain x {}\n"; }`}, []string{`{ family = "inet4"; content = ""; }`}},
	{"", "systemd.services.x.after", []string{`[ "ifstate.service" ]`}, []string{`[ "ifstate" ]`}},
	{"", "systemd.services.x.serviceConfig.ExecStart", []string{`[ "" "${pkgs.kea}/bin/x" ]`}, []string{`{ a = "b"; }`}},
	{"", "services.mosquitto.listeners", []string{`[ { port = 1883; users.a.acl = [ "readwrite #" ]; } ]`}, []string{`[ { port = "1883"; } ]`}},
	{"", "age.secrets.wg", []string{`{ file = ./base.nix; mode = "0400"; }`}, []string{"{ file = ./base.nix; mode = 400; }"}},
	{"", "nbr.kernel.required", []string{`{ WIREGUARD = "m"; }`}, []string{"{ WIREGUARD = true; }"}},
	{"", "nbr.firmware.unfree", []string{`[ "rkbin" ]`}, []string{`"rkbin"`}},
	{"", "nbr.firmware.ubootSource", []string{`{ version = "2025.04"; hash = "sha256-"; }`}, []string{`{ version = 2; hash = "sha256-"; }`}},

	// Free keys, and declared ones between them.
	{"", "boot.kernel.sysctl", []string{`{ "net.ipv4.ip_forward" = 1; }`}, []string{`{ "net.core.rmem_max" = "1"; }`, `{ "net.ipv4.ip_forward" = [ 1 ]; }`}},
	{"", "nix.settings.experimental-features", []string{`[ "flakes" ]`}, nil},
	{"", "nix.settings.max-jobs", []string{`"auto"`, "4"}, []string{`"many"`}},
	{"", "services.kea.dhcp4.settings", []string{"{ subnet4 = [ { id = 1; } ]; }"}, []string{"x: null"}},
	{"", "networking.ifstate.settings", []string{`{ interfaces.lan.link.kind = "dsa"; }`}, []string{"x: null"}},
	{"", "services.knot-resolver.settings.workers", []string{`"auto"`, "2"}, []string{`"all"`}},
	{"", "services.knot-resolver.settings.cache.size-max", []string{`"64M"`}, nil},
	{"", "services.suricata.settings.vars.address-groups.HOME_NET", []string{`"192.0.2.0/24"`}, nil},

	// Priorities, conditions and merges, which the module system takes off once.
	{"", "services.openssh.enable", []string{
		"lib.mkForce true", "lib.mkIf true (lib.mkForce true)",
	}, []string{
		`lib.mkForce "yes"`, "lib.mkIf true (lib.mkDefault 1)", "lib.mkOverride 10 null",
		"lib.mkForce (lib.mkIf true true)", "lib.mkForce (lib.mkDefault true)",
	}},
	{"", "services.openssh", []string{"lib.mkForce (lib.mkMerge [ { enable = true; } ])"}, []string{
		"lib.mkForce (lib.mkIf true { enable = true; })", "lib.mkForce { enable = lib.mkIf true true; }",
		"lib.mkBefore { ports = [ 22 ]; }", "lib.mkMerge [ { enable = true; } { enabled = true; } ]",
	}},
	{"", "users.users", []string{"{ }", "lib.mkForce { kea = lib.mkIf true { shell = lib.mkForce pkgs.zsh; }; }"}, nil},
	{"", "services.lldpd.extraArgs", []string{`lib.mkForce (lib.mkBefore [ (lib.mkIf true "x") ])`}, []string{`lib.mkBefore (lib.mkForce [ "x" ])`}},
}

// TestTypes has Nix take what is right and refuse what is wrong, in each release. All that
// is right is in one router, so that a refusal is of the one value that is wrong.
func TestTypes(t *testing.T) {
	t.Parallel()
	repo, err := filepath.Abs("../../..")
	if err != nil {
		t.Fatal(err)
	}
	base := "{ imports = [ nixos-sbc.nixosModules.default nixos-sbc.nixosModules.boards.bananapi.bpir4 sops-nix.nixosModules.sops agenix.nixosModules.default " +
		repo + "/flake/nix/firmware.nix " + repo + `/flake/nix/kernel.nix ];
  nixpkgs.hostPlatform = "aarch64-linux";
  sbc.version = "0.3";
  sbc.suppressVendorKernelWarning = true;
  age.identityPaths = [ "/etc/key" ];
  nbr.firmware.uboot = "ubootBananaPiR4";
}`
	for _, release := range nixoptions.Releases {
		t.Run(release, func(t *testing.T) {
			t.Parallel()
			in := standin.Inputs(t, release)
			module := func(path, value string) string {
				return fmt.Sprintf("({ config, lib, pkgs, ... }: { %s = %s; })", path, strings.ReplaceAll(value, "./base.nix", in["nixpkgs"]+"/flake.nix"))
			}
			right, wrong := make([][]string, 2), []string{}
			for _, tt := range typeCases {
				there := tt.releases == "" || slices.Contains(strings.Fields(tt.releases), release)
				for i, value := range tt.right {
					if there {
						right[i] = append(right[i], module(tt.path, value))
					} else {
						wrong = append(wrong, module(tt.path, value))
					}
				}
				for _, value := range tt.wrong {
					wrong = append(wrong, module(tt.path, value))
				}
			}
			var routers []string
			for _, modules := range right {
				routers = append(routers, fmt.Sprintf("[ %s %s ]", base, strings.Join(modules, " ")))
			}
			for i, err := range standin.Refused(t, in, routers) {
				t.Errorf("%d: Nix refuses what is right: %v", i, err)
			}
			for i, w := range wrong {
				wrong[i] = fmt.Sprintf("[ %s %s ]", base, w)
			}
			accepted, err := standin.Accepted(t, in, wrong)
			if err != nil {
				t.Fatal(err)
			}
			for i, w := range wrong {
				if accepted[i] {
					t.Errorf("Nix takes %s", strings.TrimPrefix(w, "[ "+base))
				}
			}
		})
	}
}
