package nixoptions_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/nbr-dev/nbr/internal/nixoptions"
	. "github.com/nbr-dev/nbr/nixgen"
)

func set(names ...any) Attr {
	a := Attr{Value: names[len(names)-1].(Expr)}
	for _, n := range names[:len(names)-1] {
		a.Name = append(a.Name, n.(string))
	}
	return a
}

func call(fn string, args ...Expr) Expr { return Call{Fn: Var(fn), Args: args} }

// both is for cases that are the same in all releases.
const both = ""

// checkCases set one option each. Problems are written as "path: got"; none
// means that the option is right.
var checkCases = []struct {
	release string
	path    string
	value   Expr
	want    []string
}{
	// Paths.
	{both, "services.openssh.enable", Bool(true), nil},
	{both, "services.opensshd.enable", Bool(true), []string{"services.opensshd: no such option"}},
	{both, "networking.firewall.filterOutput.enabled", Bool(true), []string{"networking.firewall.filterOutput: no such option"}},
	{"25.11", "services.kea.ctrl-agent.enable", Bool(true), nil},
	{"26.05", "services.kea.ctrl-agent.enable", Bool(true), nil},
	{"26.11", "services.kea.ctrl-agent.enable", Bool(true), []string{"services.kea.ctrl-agent: an option of 25.11, 26.05 only"}},
	{"25.11", "services.chrony.makestep.limit", Int(3), []string{"services.chrony.makestep: an option of 26.05, 26.11 only"}},
	{"26.05", "services.chrony.makestep.limit", Int(3), nil},
	{"26.05", "services.openssh.banner", Str("no"), []string{"services.openssh.banner: an option of 25.11 only"}},
	{"26.11", "services.timesyncd.extraConfig", Lines(""), []string{"services.timesyncd.extraConfig: an option of 25.11, 26.05 only"}},
	{"25.11", "services.resolved.settings.Resolve.DNS", Str("9.9.9.9"), []string{"services.resolved.settings: an option of 26.05, 26.11 only"}},
	{"26.05", "services.resolved.settings.Resolve.DNSSEC", Str("true"), nil},
	{"26.05", "services.resolved.settings.Resolve.DNSSEC", Bool(true), []string{"services.resolved.settings.Resolve.DNSSEC: the boolean true"}},
	{"25.11", "services.resolved.dnssec", Str("false"), nil},
	{"26.05", "services.resolved.dnssec", Str("false"), []string{"services.resolved.dnssec: an option of 25.11 only"}},
	{both, "services.frr.bgp.enable", Bool(true), []string{"services.frr.bgp: no such option"}},
	{both, "services.frr.bgpd.enable", Bool(true), nil},
	{both, "systemd.extraConfig", Lines("x"), []string{"systemd.extraConfig: no such option"}},
	{both, "services.kea", Attrs{set("dhcp4", "enable", Bool(true)), set("dhcp5", "enable", Bool(true))}, []string{"services.kea.dhcp5: no such option"}},
	{both, "services", Str("x"), []string{`services: the string "x"`}},
	{both, "nbr.kernel.required", Attrs{set("WIREGUARD", Str("m"))}, nil},
	{both, "nbr.kernel.required", Attrs{set("WIREGUARD", Bool(true))}, []string{"nbr.kernel.required.WIREGUARD: the boolean true"}},
	{both, "nbr.firmware.armTrustedFirmware", Attrs{set("makeFlags", List{Str("DDR4_4BG_MODE=1")}), set("version", Int(2))}, []string{"nbr.firmware.armTrustedFirmware.version: the integer 2"}},
	{both, "sbc.version", Str("0.3"), nil},
	{both, "sbc.version", Str("0.4"), []string{`sbc.version: the string "0.4"`}},
	{both, "system.build.toplevel", Var("x"), []string{"system.build.toplevel: a definition"}},
	{both, "system.build.nbrFirmware", Var("x"), nil},

	// Plain types.
	{both, "networking.useDHCP", Bool(false), nil},
	{both, "networking.useDHCP", Str("false"), []string{`networking.useDHCP: the string "false"`}},
	{both, "networking.useDHCP", Var("x"), []string{"networking.useDHCP: the variable x"}},
	{both, "networking.useDHCP", Op{Op: "==", L: Var("a"), R: Var("b")}, nil},
	{both, "networking.hostName", Str("router"), nil},
	{both, "networking.hostName", Str("a b"), []string{`networking.hostName: the string "a b"`}},
	{both, "networking.hostName", Str("-a"), []string{`networking.hostName: the string "-a"`}},
	{both, "networking.hostName", Concat{Str("a"), Var("x")}, nil},
	{both, "networking.hostName", Null{}, []string{"networking.hostName: null"}},
	{both, "services.openssh.settings.PermitRootLogin", Str("prohibit-password"), nil},
	{both, "services.openssh.settings.PermitRootLogin", Null{}, nil},
	{both, "services.openssh.settings.PermitRootLogin", Str("maybe"), []string{`services.openssh.settings.PermitRootLogin: the string "maybe"`}},
	{both, "services.openssh.settings.PermitRootLogin", Concat{Str("prohibit-"), Var("x")}, []string{`services.openssh.settings.PermitRootLogin: a string that starts "prohibit-"`}},
	{both, "services.openssh.ports", List{Int(22), Int(65535)}, nil},
	{both, "services.openssh.ports", List{Int(22), Int(65536)}, []string{"services.openssh.ports[1]: the integer 65536"}},
	{both, "services.openssh.ports", Int(22), []string{"services.openssh.ports: the integer 22"}},
	{both, "services.radvd.debugLevel", Int(6), []string{"services.radvd.debugLevel: the integer 6"}},
	{both, "services.radvd.config", Lines("interface lan {\n};\n"), nil},
	{both, "services.radvd.config", List{Str("interface")}, []string{"services.radvd.config: a list of 1"}},
	{both, "services.radvd.package", Var("pkgs.radvd"), nil},
	{both, "services.radvd.package", Str("radvd"), []string{`services.radvd.package: the string "radvd"`}},
	{both, "networking.hostName", Var("pkgs.radvd"), []string{"networking.hostName: the variable pkgs.radvd"}},
	{both, "boot.kernelPackages", call("pkgs.linuxKernel.packagesFor", Var("k")), nil},
	{both, "boot.kernelPackages", Var("pkgs.linuxPackages_latest"), nil},
	{both, "time.timeZone", Str("Europe/Berlin"), nil},
	{both, "time.timeZone", Str("Europe Berlin"), []string{`time.timeZone: the string "Europe Berlin"`}},
	{both, "boot.kernelParams", List{Str("console=ttyS0"), Int(1)}, []string{"boot.kernelParams[1]: the integer 1"}},
	{both, "boot.kernelModules", List{Str("tun")}, nil},
	{both, "boot.kernelModules", Attrs{set("tun", Bool(true))}, nil},
	{both, "boot.kernelModules", Attrs{set("tun", Str("y"))}, []string{`boot.kernelModules.tun: the string "y"`}},
	{both, "networking.firewall.checkReversePath", Str("loose"), nil},
	{both, "networking.firewall.checkReversePath", Bool(false), nil},
	{both, "networking.firewall.checkReversePath", Str("lose"), []string{`networking.firewall.checkReversePath: the string "lose"`}},
	{both, "networking.interfaces", Attrs{set("wan", "ipv4", "addresses", List{Attrs{set("address", Str("192.0.2.1")), set("prefixLength", Int(33))}})}, []string{"networking.interfaces.wan.ipv4.addresses[0].prefixLength: the integer 33"}},
	{both, "zramSwap.algorithm", Str("own"), nil},
	{both, "zramSwap.algorithm", Int(1), []string{"zramSwap.algorithm: the integer 1"}},
	{both, "environment.systemPackages", With{Scope: Var("pkgs"), Body: List{Var("tcpdump"), Var("ethtool")}}, nil},
	{both, "environment.systemPackages", With{Scope: Var("pkgs"), Body: List{Str("tcpdump")}}, []string{`environment.systemPackages[0]: the string "tcpdump"`}},
	{both, "environment.systemPackages", Op{Op: "++", L: List{Var("pkgs.a")}, R: call("lib.optionals", Bool(true), List{Int(1)})}, []string{"environment.systemPackages[0]: the integer 1"}},

	// Into submodules, through At, priorities and conditions.
	{both, "users.users.root.openssh.authorizedKeys.keys", List{Str("ssh-ed25519 AAAA root")}, nil},
	{both, "users.users.root.openssh.authorizedKeys.keys", Str("ssh-ed25519 AAAA root"), []string{`users.users.root.openssh.authorizedKeys.keys: the string "ssh-ed25519 AAAA root"`}},
	{both, "users.users", Attrs{set("root", Attrs{set("openssh", Attrs{set("authorizedKeys", "keys", List{Str("a\nb")})})})}, []string{`users.users.root.openssh.authorizedKeys.keys[0]: the string "a\nb"`}},
	{both, "users.users.root.shel", Var("pkgs.zsh"), []string{"users.users.root.shel: no such option"}},
	{both, "users.users.root.hashedPasswordFile", Var("config.sops.secrets.root.path"), nil},
	{both, "users.users.root.hashedPasswordFile", Var("config.sops.secret.root.path"), []string{"users.users.root.hashedPasswordFile: config.sops.secret.root.path, which is none"}},
	{both, "users.mutableUsers", Var("config.networking.hostName"), []string{"users.mutableUsers: the variable config.networking.hostName"}},
	{both, "networking.hostName", Concat{Var("config.system.name"), Var("config.system.nam")}, []string{"networking.hostName: config.system.nam, which is none"}},
	{both, "users.groups.kea", Attrs{}, nil},
	{both, "networking.nftables.tables", Attrs{set("nbr", Attrs{set("family", Str("inet")), set("content", Lines("chain x {}\n"))})}, nil},
	{both, "networking.nftables.tables", Attrs{set("nbr", Attrs{set("family", Str("inet4"))})}, []string{`networking.nftables.tables.nbr.family: the string "inet4"`}},
	{both, "networking.nftables.tables.nbr.contents", Lines(""), []string{"networking.nftables.tables.nbr.contents: no such option"}},
	{both, "systemd.services", Attrs{set("kea-dhcp4-server", Attrs{set("after", List{Str("ifstate.service")}), set("serviceConfig", "Restart", Str("always"))})}, nil},
	{both, "systemd.services.x.after", List{Str("ifstate")}, []string{`systemd.services.x.after[0]: the string "ifstate"`}},
	{both, "systemd.services.x.serviceConfig.ExecStart", List{Str(""), Concat{Var("pkgs.x"), Str("/bin/x")}}, nil},
	{both, "systemd.services.x.serviceConfig.ExecStart", Attrs{set("a", Str("b"))}, []string{"systemd.services.x.serviceConfig.ExecStart: an attribute set"}},
	{both, "systemd.services.x.serviceconfig.ExecStart", Str("x"), []string{"systemd.services.x.serviceconfig: no such option"}},
	{both, "services.openssh.enable", call("lib.mkForce", Bool(true)), nil},
	{both, "services.openssh.enable", call("lib.mkForce", Str("yes")), []string{`services.openssh.enable: the string "yes"`}},
	{both, "services.openssh.enable", call("lib.mkIf", Var("config.networking.useDHCP"), call("lib.mkDefault", Int(1))), []string{"services.openssh.enable: the integer 1"}},
	{both, "services.openssh.enable", call("lib.mkForce", call("lib.mkIf", Bool(true), Bool(true))), []string{"services.openssh.enable: the result of lib.mkIf"}},
	{both, "services.openssh.enable", call("lib.mkForce", call("lib.mkDefault", Bool(true))), []string{"services.openssh.enable: the result of lib.mkDefault"}},
	{both, "services.openssh.enable", call("lib.mkIf", Bool(true), call("lib.mkForce", Bool(true))), nil},
	{both, "services.openssh.ports", call("lib.mkForce", call("lib.mkBefore", List{call("lib.mkIf", Bool(true), Int(22))})), nil},
	{both, "services.openssh.ports", call("lib.mkBefore", call("lib.mkForce", List{Int(22)})), []string{"services.openssh.ports: the result of lib.mkForce"}},
	{both, "services.openssh", call("lib.mkForce", call("lib.mkMerge", List{Attrs{set("enable", Bool(true))}})), nil},
	{both, "services.openssh", call("lib.mkForce", call("lib.mkIf", Bool(true), Attrs{set("enable", Bool(true))})), []string{"services.openssh: the result of lib.mkIf"}},
	{both, "services.openssh", call("lib.mkForce", Attrs{set("enable", call("lib.mkIf", Bool(true), Bool(true)))}), []string{"services.openssh.enable: the result of lib.mkIf"}},
	{both, "services.openssh", call("lib.mkBefore", Attrs{set("ports", List{Int(22)})}), []string{"services.openssh: the result of lib.mkBefore"}},
	{both, "users.users", call("lib.mkForce", Attrs{set("root", call("lib.mkIf", Bool(true), Attrs{set("shell", call("lib.mkForce", Var("pkgs.zsh")))}))}), nil},
	{both, "services.openssh", call("lib.mkMerge", List{Attrs{set("enable", Bool(true))}, At{Expr: Attrs{set("enabled", Bool(true))}}}), []string{"services.openssh.enabled: no such option"}},
	{both, "services.openssh.enable", At{Expr: call("lib.mkOverride", Int(10), At{Expr: Null{}})}, []string{"services.openssh.enable: null"}},
	{both, "services.openssh.enable", Let{Binds: []Attr{set("on", Str("yes"))}, Body: Var("on")}, []string{`services.openssh.enable: the string "yes"`}},
	{both, "services.openssh.enable", Let{Binds: []Attr{set("on", Bool(true))}, Body: Var("on")}, nil},

	// Free keys, and declared ones between them.
	{both, "boot.kernel.sysctl", Attrs{set("net.ipv4.ip_forward", Int(1))}, nil},
	{both, "boot.kernel.sysctl", Attrs{set("net.core.rmem_max", Str("1"))}, []string{`boot.kernel.sysctl."net.core.rmem_max": the string "1"`}},
	{both, "boot.kernel.sysctl", Attrs{set("net.ipv4.ip_forward", List{Int(1)})}, []string{`boot.kernel.sysctl."net.ipv4.ip_forward": a list of 1`}},
	{both, "nix.settings.experimental-features", List{Str("flakes")}, nil},
	{both, "nix.settings.max-jobs", Str("auto"), nil},
	{both, "nix.settings.max-jobs", Str("many"), []string{`nix.settings.max-jobs: the string "many"`}},
	{both, "services.kea.dhcp4.settings", Attrs{set("subnet4", List{Attrs{set("id", Int(1))}})}, nil},
	{both, "services.kea.dhcp4.settings", Fn{Arg: "x", Body: Null{}}, []string{"services.kea.dhcp4.settings: a function"}},
	{both, "networking.ifstate.settings", Attrs{set("interfaces", "lan", "link", Attrs{set("kind", Str("dsa"))})}, nil},
	{both, "services.knot-resolver.settings.workers", Str("auto"), nil},
	{both, "services.knot-resolver.settings.workers", Str("all"), []string{`services.knot-resolver.settings.workers: the string "all"`}},
	{both, "services.knot-resolver.settings.cache.size-max", Str("64M"), nil},
	{both, "services.knot-resolver.settings.network.listen", List{Attrs{set("interface", List{Str("127.0.0.1")}), set("kind", Str("dns")), set("freebind", Bool(true))}}, nil},
	{both, "services.suricata.settings.vars.address-groups.HOME_NET", Str("192.0.2.0/24"), nil},
	{both, "services.suricata.settings.vars.address-groups.HOMENET", Str("192.0.2.0/24"), []string{"services.suricata.settings.vars.address-groups.HOMENET: no such option"}},
	{both, "services.suricata.settings.af-packet", List{Attrs{set("interface", Str("wan")), set("copy-mode", Str("ips"))}}, nil},
	{both, "services.mosquitto.listeners", List{Attrs{set("port", Int(1883)), set("users", "a", "acl", List{Str("readwrite #")})}}, nil},
	{both, "services.mosquitto.listeners", List{Attrs{set("port", Str("1883"))}}, []string{`services.mosquitto.listeners[0].port: the string "1883"`}},
	{both, "assertions", List{Attrs{set("assertion", Bool(true)), set("message", Str("m"))}}, nil},
	{both, "warnings", List{Null{}}, []string{"warnings[0]: null"}},
	{both, "sops.secrets", Attrs{set("wg", Attrs{set("sopsFile", Path("./secrets.yaml")), set("owner", Str("root"))})}, nil},
	{both, "age.secrets.wg.file", Path("./wg.age"), nil},
	{both, "age.secrets.wg.mode", Int(400), []string{"age.secrets.wg.mode: the integer 400"}},
	{both, "nixpkgs.overlays", List{Fn{Arg: "final", Body: Fn{Arg: "prev", Body: Attrs{}}}}, nil},
	{both, "nixpkgs.hostPlatform", Attrs{set("system", Str("aarch64-linux"))}, nil},
	{both, "fileSystems", Attrs{set("/", "fsType", Str("ext4"))}, nil},
	{both, "fileSystems", Attrs{set("/", "fsTypes", Str("ext4"))}, []string{`fileSystems."/".fsTypes: no such option`}},
}

func TestCheck(t *testing.T) {
	for _, tt := range checkCases {
		releases := nixoptions.Releases
		if tt.release != both {
			releases = []string{tt.release}
		}
		for _, r := range releases {
			var got []string
			for _, p := range nixoptions.Check(r, []Option{{Path: strings.Split(tt.path, "."), Value: tt.value}}) {
				got = append(got, p.Path+": "+p.Got)
			}
			if !slices.Equal(got, tt.want) {
				t.Errorf("%s = %v in %s:\n got %q\nwant %q", tt.path, tt.value, r, got, tt.want)
			}
		}
	}
}

func TestProblemNamesTheSpec(t *testing.T) {
	line := func(n int) Origin { return Origin{File: "router.hcl", Line: n, Addr: "ssh"} }
	got := fmt.Sprint(nixoptions.Check("25.11", []Option{
		{Path: []string{"services", "openssh", "ports"}, From: line(1), Value: At{From: line(1), Expr: List{
			At{From: line(2), Expr: Int(22)}, At{From: line(3), Expr: Str("22")},
		}}},
	}))
	want := `[services.openssh.ports[1]: want 16 bit unsigned integer; between 0 and 65535 (both inclusive), got the string "22" (from router.hcl:3, ssh)]`
	if got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}

func TestUnknownReleaseIsAProblem(t *testing.T) {
	if p := nixoptions.Check("24.05", nil); len(p) != 1 {
		t.Errorf("got %v, want one problem", p)
	}
}
