package firmware

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/google/go-cmp/cmp"
	"github.com/hashicorp/hcl/v2"

	"github.com/nbr-dev/nbr/hcl/conf"
	"github.com/nbr-dev/nbr/hcl/diag"
	"github.com/nbr-dev/nbr/internal/lab"
	"github.com/nbr-dev/nbr/nixgen"
	"github.com/nbr-dev/nbr/router"
	"github.com/nbr-dev/nbr/service"
	"github.com/nbr-dev/nbr/verify"
	"github.com/nbr-dev/nbr/verify/state"
)

// claimer stands for any service that needs something of the kernel.
type claimer struct {
	conf.Header
	Symbols conf.List[Symbol] `hcl:"symbols,required"`
}

func (c *claimer) Claim(s *router.Scope) {
	for _, it := range c.Symbols.Items {
		s.Kernel(it.Range, "a test", string(it.V))
	}
}
func (c *claimer) Judge(*router.Router) hcl.Diagnostics { return nil }
func (c *claimer) Checks(*router.Router, *verify.Plan)  {}

func load(t *testing.T, src string) (*service.Spec, hcl.Diagnostics) {
	t.Helper()
	reg := &service.Registry{Boards: Boards(), Kinds: []service.Kind{
		{Type: "claimer", Single: true, New: func() service.Block { return &claimer{} }},
		Kind(),
	}}
	return reg.Load(fstest.MapFS{"router.hcl": {Data: []byte(src)}}, nil)
}

// spec is a router of one board; more goes into it, blocks after it.
func spec(board, memory, more, blocks string) string {
	if memory != "" {
		memory = fmt.Sprintf("  memory = %q\n", memory)
	}
	return fmt.Sprintf(`router "r" {
  board         = %q
  state_version = "25.11"
  console_only  = true
%s%s}
%s`, board, memory, more, blocks)
}

var wanted = regexp.MustCompile(`# ERROR: (\S+) (.*)`)

func TestDiagnostics(t *testing.T) {
	tests := []struct{ name, src string }{
		{"nothing wrong", spec("bananapi-bpir4", "8GiB", "", `claimer { symbols = ["WIREGUARD"] }`)},
		{"memory that the board does not come with", `router "r" {
  board         = "bananapi-bpir4"
  memory        = "16GiB" # ERROR: no-such-memory 4GiB and 8GiB
  state_version = "25.11"
  console_only  = true
}`},
		{"memory not said", `router "r" {
  board         = "bananapi-bpir4" # ERROR: memory-not-said "4GiB"
  state_version = "25.11"
  console_only  = true
}`},
		{"board", `router "r" {
  board         = "bananapi-bpir5" # ERROR: no-such-board Did you mean "bananapi-bpir3"?
  memory        = "4GiB"
  state_version = "25.11"
  console_only  = true
}`},
		{"claim on an option of another architecture", spec("bananapi-bpir4", "8GiB", "", `claimer {
  symbols = [
    "WIREGUARD",
    "CRYPTO_CURVE25519_NEON", # ERROR: no-such-kernel-option 32-bit ARM only
  ]
}`)},
		{"claim on an unknown option", spec("bananapi-bpir4", "8GiB", "", `claimer {
  symbols = ["WIREGARD"] # ERROR: no-such-kernel-option Did you mean "WIREGUARD"?
}`)},
		{"claim on an option that the newest kernel has lost", spec("bananapi-bpir3", "", "", `firmware { kernel = "nixpkgs-latest" }
claimer {
  symbols = ["CRYPTO_CURVE25519"] # ERROR: no-such-kernel-option last series known to have it is 6.12
}`)},
		{"the same where the kernel has it", spec("bananapi-bpir4", "4GiB", "", `claimer { symbols = ["CRYPTO_CURVE25519"] }`)},
		{"an untried kernel", spec("bananapi-bpir4", "4GiB", "", `firmware {
  kernel = "nixpkgs-latest" # ERROR: kernel-untried frank-w's kernel only
}`)},
		{"kernels that lose the SFP+ cages, the release's own", spec("bananapi-bpir4", "4GiB", "", `firmware {
  kernel = "nixpkgs" # ERROR: kernel-loses-ports 6.17 to 6.18 the Banana Pi BPI-R4 loses its SFP+ cages, end1 and end2
}`)},
		{"the newest of a release whose newest may be one", spec("bananapi-bpir4", "4GiB", `  release = "25.11"
`, `firmware {
  kernel = "nixpkgs-latest" # ERROR: kernel-loses-ports SFP+
}`)},
		{"a newer kernel of which it is not known", spec("bananapi-bpir4", "4GiB", "", `firmware {
  kernel = "nixpkgs-latest" # ERROR: kernel-untried Linux 6.17 to 6.18 loses its SFP+ cages, end1 and end2; whether a later one has them is not known.
}`)},
		{"the same by its source", spec("bananapi-bpir4", "4GiB", "", strings.Replace(`firmware {
`+newKernel+`}`, `"6.12.117-bpi-r4"`, `"6.18.5-bpi-r4" # ERROR: kernel-loses-ports Linux 6.12, which nixos-sbc builds, has them`, 1))},
		{"6.12 of NixOS 25.11 has them", spec("bananapi-bpir4", "4GiB", `  release = "25.11"
`, `firmware {
  kernel = "nixpkgs" # ERROR: kernel-untried frank-w's kernel only
}`)},
		{"a board with other ports", spec("bananapi-bpir3", "", "", `firmware { kernel = "nixpkgs" }`)},
		{"other sources", spec("bananapi-bpir4", "8GiB", "", "firmware {\n"+newKernel+newTFA+newUBoot+"}\n")},
		{"sources that are no pins", spec("bananapi-bpir4", "8GiB", "", `firmware {
  kernel_source {
    version = "latest"           # ERROR: bad-value such as 6.12.63-bpi-r4
    rev     = "6.12-main"        # ERROR: bad-value all 40 hexadecimal digits
    hash    = "1c0ff6b"          # ERROR: bad-value sha256- and 44 characters
    repo    = "https://x.org/y"  # ERROR: bad-value as in frank-w/BPI-Router-Linux
    date    = "December"         # ERROR: bad-value such as 2026-09-25
  }
  uboot_source {
    version = "v2025" # ERROR: bad-value such as 2025.07
    hash    = "`+someHash+`"
  }
}`)},
		{"a kernel source, and another kernel", spec("bananapi-bpir4", "4GiB", "", strings.Replace(`firmware {
  kernel = "nixpkgs-latest" # ERROR: kernel-untried frank-w
`+newKernel+`}`, "kernel_source {", `kernel_source { # ERROR: useless-source "vendor", and the router runs "nixpkgs-latest"`, 1))},
		{"sources for a board that has none", spec("pine64-rock64v3", "4GiB", "", strings.NewReplacer(
			"kernel_source {", "kernel_source { # ERROR: useless-source nix flake update moves", "atf_source {", "atf_source { # ERROR: useless-source none for the").Replace(
			"firmware {\n"+newKernel+newTFA+newUBoot+"}\n"))},
		{"the user's own options", spec("bananapi-bpir4", "4GiB", "", `firmware {
  kernel_options = [
    "CONFIG_NET_SCH_CAKE",
    "NET_FOU",         # ERROR: needless-kernel-option FOU tunnels
    "CRYPTO_BLAKE2S",  # ERROR: no-such-kernel-option always built in
  ]
}`)},
		{"a radio that is not there", spec("bananapi-bpir4", "4GiB", "", `firmware {
  accept_regulatory_responsibility = true # ERROR: no-radio no radio on the Banana Pi BPI-R4
}`)},
		{"a clock that is not there", spec("raspberrypi-rpi4", "4GiB", "", `firmware {
  clock_battery = true # ERROR: no-clock Raspberry Pi 4
}`)},
		{"words", spec("bananapi-bpir4", "4GiB", "", `firmware {
  kernel          = "mainline" # ERROR: bad-value vendor, nixpkgs or nixpkgs-latest
  root_filesystem = "zfs"      # ERROR: bad-value btrfs-subvol, btrfs or ext4
  kernel_options  = ["a-b"]    # ERROR: bad-value no kernel option
}`)},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, diags := load(t, tt.src)
			lines := strings.Split(tt.src, "\n")
			want := map[int]string{}
			for i, l := range lines {
				if m := wanted.FindStringSubmatch(l); m != nil {
					want[i+1] = m[1]
				}
			}
			got := map[int]string{}
			for _, d := range diags {
				at := d.Subject.Start.Line
				got[at] = diag.Code(d)
				if m := wanted.FindStringSubmatch(lines[at-1]); m != nil && !strings.Contains(diag.Text(d), m[2]) {
					t.Errorf("line %d: %s\nwant in it: %s", at, diag.Text(d), m[2])
				}
			}
			if d := cmp.Diff(want, got); d != "" {
				t.Error(d, diags)
			}
		})
	}
}

const (
	someHash  = "sha256-AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="
	someRev   = "0123456789abcdef0123456789abcdef01234567"
	newKernel = `  kernel_source {
    version = "6.12.117-bpi-r4"
    rev     = "` + someRev + `"
    hash    = "` + someHash + `"
  }
`
	newTFA = `  atf_source {
    version = "2.14.0"
    rev     = "` + someRev + `"
    hash    = "` + someHash + `"
  }
`
	newUBoot = `  uboot_source {
    version = "2025.04"
    hash    = "` + someHash + `"
  }
`
)

// options are the options of the hardware module, printed.
func options(t *testing.T, src string) map[string]string {
	t.Helper()
	out := map[string]string{}
	for _, o := range hardware(t, src).Options() {
		out[strings.Join(o.Path, ".")] = strings.TrimSpace(string(nixgen.Print(nixgen.List{o.Value})))
	}
	return out
}

func hardware(t *testing.T, src string) *nixgen.Module {
	t.Helper()
	spec, diags := load(t, src)
	if diags.HasErrors() {
		t.Fatal(diags)
	}
	for _, f := range spec.Modules() {
		if f.Name == "hardware" {
			return f.Module
		}
	}
	t.Fatal("no hardware module")
	return nil
}

func TestLower(t *testing.T) {
	const atf, patches, packages = "nbr.firmware.armTrustedFirmware", "boot.kernelPatches", "boot.kernelPackages"
	tests := []struct {
		name, src string
		has       map[string]string // option → part of its value
		lacks     []string
	}{
		{
			"8GiB", spec("bananapi-bpir4", "8GiB", "", ""),
			map[string]string{atf: "DDR4_4BG_MODE=1", "sbc.suppressVendorKernelWarning": "true", "nbr.firmware.uboot": "ubootBananaPiR4"},
			[]string{patches, packages, "nbr.kernel.nixpkgs"},
		},
		{
			"the stage 1 of the release", spec("bananapi-bpir4", "8GiB", "", ""),
			map[string]string{"systemd.settings.Manager.RuntimeWatchdogSec": `"30s"`, "systemd.settings.Manager.RebootWatchdogSec": `"30s"`},
			[]string{"boot.initrd.systemd.enable", "nbr.firmware.unfree"},
		},
		{
			"the scripted stage 1 for a hook", spec("bananapi-bpir3", "2GiB", "", "firmware {\n  watchdog = false\n}"),
			map[string]string{"boot.initrd.systemd.enable": "lib.mkDefault false"},
			[]string{"sbc.board.bananapi.bpir3.pcieFixup", "systemd.settings.Manager.RuntimeWatchdogSec"},
		},
		{
			"unfree firmware", spec("xunlong-opi5b", "4GiB", "", ""),
			map[string]string{"nbr.firmware.unfree": `"arm-trusted-firmware-rk3588"`},
			[]string{"systemd.settings.Manager.RuntimeWatchdogSec"},
		},
		{
			"4GiB keeps nixos-sbc's build", spec("bananapi-bpir4", "4GiB", "", ""),
			map[string]string{"nixpkgs.hostPlatform": "aarch64-linux"},
			[]string{atf},
		},
		{
			"a claim", spec("bananapi-bpir4", "4GiB", "", `claimer { symbols = ["WIREGUARD"] }`),
			map[string]string{patches: "WIREGUARD = lib.mkDefault module", "nbr.kernel.required.WIREGUARD": "a test (claimer, router.hcl:7)"},
			nil,
		},
		{
			"a claim on what is there builds no other kernel", spec("bananapi-bpir4", "4GiB", "", `claimer { symbols = ["NFT_MASQ"] }`),
			map[string]string{"nbr.kernel.required.NFT_MASQ": "a test"},
			[]string{patches},
		},
		{
			"the newest kernel", spec("bananapi-bpir4", "4GiB", "", `firmware { kernel = "nixpkgs-latest" }`),
			map[string]string{packages: "lib.mkForce pkgs.linuxPackages_latest", patches: "NET_DSA = lib.mkDefault module"},
			[]string{"sbc.suppressVendorKernelWarning"},
		},
		{
			"the kernel of the release", spec("bananapi-bpir4", "4GiB", "", `firmware { kernel = "nixpkgs" }`),
			map[string]string{packages: "lib.mkForce pkgs.linuxPackages", patches: "NET_DSA = lib.mkDefault module"},
			[]string{"sbc.suppressVendorKernelWarning"},
		},
		{
			"another kernel source", spec("bananapi-bpir4", "4GiB", "", "firmware {\n"+newKernel+"}\n"),
			map[string]string{"nbr.kernel.source": `package = "linuxPackages_frankw_latest_bananaPiR4";
    owner = "frank-w";
    repo = "BPI-Router-Linux";
    version = "6.12.117-bpi-r4";
    rev = "` + someRev + `";
    hash = "` + someHash + `";`},
			[]string{packages, patches, atf},
		},
		{
			"another kernel of nixos-sbc's nixpkgs", spec("bananapi-bpir3", "", "", "firmware {\n"+strings.Replace(newKernel, "rev ", "repo = \"me/linux\"\nrev ", 1)+"}\n"),
			map[string]string{"nbr.kernel.source": `owner = "me"`, "nbr.kernel.nixpkgs": "nixos-sbc"},
			nil,
		},
		{
			"another firmware, with the flag", spec("bananapi-bpir4", "8GiB", "", "firmware {\n"+newTFA+newUBoot+"}\n"),
			map[string]string{atf: `version = "2.14.0";
    rev = "` + someRev + `";
    hash = "` + someHash + `";
    makeFlags = [ "DDR4_4BG_MODE=1" ];`, "nbr.firmware.ubootSource": `version = "2025.04"`},
			nil,
		},
		{
			"another firmware, without a flag", spec("bananapi-bpir4", "4GiB", "", "firmware {\n"+strings.Replace(newTFA, "rev ", "repo = \"me/tf-a\"\nrev ", 1)+"}\n"),
			map[string]string{atf: `package = "armTrustedFirmwareMT7988";
    owner = "me";
    repo = "tf-a";
    version = "2.14.0";`},
			[]string{"nbr.firmware.ubootSource", "nbr.kernel.source"},
		},
		{
			"a kernel that the release has dropped", spec("bananapi-bpir3", "", "", ""),
			map[string]string{"nbr.kernel.nixpkgs": "nixos-sbc", "nbr.firmware.ubootSource": "2025.04", "sbc.board.wifi.devices.wifi.enable": "false"},
			[]string{packages, atf},
		},
		{
			"a radio", spec("bananapi-bpir3", "", "", `firmware { accept_regulatory_responsibility = true }`),
			map[string]string{"sbc.wireless.wifi.acceptRegulatoryResponsibility": "true"},
			[]string{"sbc.board.wifi.devices.wifi.enable"},
		},
		{
			"a board without a kernel of its own", spec("pine64-rock64v2", "4GiB", "", ""),
			map[string]string{"nbr.firmware.uboot": "ubootRock64v2"},
			[]string{packages, "nbr.kernel.nixpkgs", "sbc.suppressVendorKernelWarning"},
		},
		{
			"a board that runs the newest", spec("xunlong-opi5b", "16GiB", "", `firmware {
  clock_battery   = true
  binary_cache    = false
  root_filesystem = "ext4"
}`),
			map[string]string{
				packages: "lib.mkForce pkgs.linuxPackages_latest", "nixpkgs.overlays": "linuxPackages_6_16 = final.linuxPackages_latest",
				"sbc.board.rtc.devices.hym8563.enable": "true",
				"sbc.binaryCache.enable":               "false", "sbc.bootstrap.rootFilesystem": "ext4",
			},
			nil,
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got := options(t, tt.src)
			for path, part := range tt.has {
				if !strings.Contains(got[path], part) {
					t.Errorf("%s is %q, want %s", path, got[path], part)
				}
			}
			for _, path := range tt.lacks {
				if v, ok := got[path]; ok {
					t.Errorf("%s is set: %s", path, v)
				}
			}
		})
	}
}

// Every option that a board's module sets leads back to the line that caused it.
func TestOrigins(t *testing.T) {
	for _, o := range hardware(t, spec("bananapi-bpir4", "8GiB", "", `claimer { symbols = ["WIREGUARD"] }`)).Options() {
		if o.From.Line == 0 {
			t.Errorf("%s comes from nowhere", strings.Join(o.Path, "."))
		}
		if path := strings.Join(o.Path, "."); path == "nbr.firmware.armTrustedFirmware" && o.From != (nixgen.Origin{File: "router.hcl", Line: 5, Addr: "router.r"}) {
			t.Errorf("%s comes from %v", path, o.From)
		}
	}
}

// Nix parses the module of every board and size.
func TestParses(t *testing.T) {
	dir := t.TempDir()
	var files []string
	for _, b := range Boards() {
		for _, m := range b.Memory {
			src, _ := hardware(t, spec(b.ID, m.Size.String(), "", `claimer { symbols = ["WIREGUARD", "IFB"] }`)).Print()
			file := filepath.Join(dir, b.ID+"-"+m.Size.String()+".nix")
			if err := os.WriteFile(file, src, 0o600); err != nil {
				t.Fatal(err)
			}
			files = append(files, file)
		}
	}
	lab.Nix(t).Parse(t, files...)
}

func TestChecks(t *testing.T) {
	s, diags := load(t, spec("bananapi-bpir4", "8GiB", "", `claimer { symbols = ["WIREGUARD"] }`))
	if diags.HasErrors() {
		t.Fatal(diags)
	}
	good := func() *state.State {
		return &state.State{
			Board:    &state.Board{Compatible: []string{"bananapi,bpi-r4-2g5", "bananapi,bpi-r4", "mediatek,mt7988a"}, MemTotal: 8140600},
			Kernel:   &state.Kernel{Release: "6.12.63-bpi-r4", Config: map[string]string{"NET_DSA": "y", "WIREGUARD": "m"}},
			Modules:  map[string]string{"wireguard": "available"},
			Firmware: &state.Firmware{TFA: "v2.13.0(release)", Medium: "sdmmc", Intact: true, FourBG: "present", FourBGWhy: "it says so", SoC: "MT7988", DDR: "comb"},
			Watchdog: &state.Watchdog{Runtime: 30e6, Device: "/dev/watchdog0", Devices: []string{"watchdog0"}},
			Probes: map[string]map[string]state.Probed{"firmware.root": {
				"/": {Answer: json.RawMessage(`{"type":"btrfs","subvolume":"/@","source":"/dev/mmcblk0p5","bytes":7900000000}`)},
			}},
		}
	}
	tests := []struct {
		name   string
		change func(*state.State)
		want   string // the checks that do not pass
	}{
		{"as promised", func(*state.State) {}, ""},
		{"another root file system", func(s *state.State) {
			s.Probes["firmware.root"]["/"] = state.Probed{Answer: json.RawMessage(`{"type":"ext4","source":"/dev/mmcblk0p5"}`)}
		}, "firmware/root-filesystem fail"},
		{"BL2 for 4 GiB", func(s *state.State) { s.Board.MemTotal = 4011800 }, "firmware/memory fail"},
		{"another board", func(s *state.State) { s.Board.Compatible = []string{"bananapi,bpi-r4-pro-8x", "mediatek,mt7988a"} }, "firmware/board fail"},
		{"another kernel", func(s *state.State) { s.Kernel.Release = "6.1.2" }, "firmware/kernel fail"},
		{"no WireGuard", func(s *state.State) { delete(s.Kernel.Config, "WIREGUARD") }, "firmware/kernel/WIREGUARD fail"},
		{"WireGuard off", func(s *state.State) { s.Kernel.Config["WIREGUARD"] = "n" }, "firmware/kernel/WIREGUARD fail"},
		{"no module for this kernel", func(s *state.State) { delete(s.Modules, "wireguard") }, "firmware/module/WIREGUARD fail"},
		{"no config.gz", func(s *state.State) { s.Kernel.Config = nil }, "firmware/kernel/NET_DSA unknown, firmware/module/NET_DSA fail, firmware/kernel/WIREGUARD unknown"},
		{"BL2 without the flag", func(s *state.State) { s.Firmware.FourBG = "absent" }, "firmware/bl2 fail"},
		{"BL2 of another SoC", func(s *state.State) { s.Firmware.SoC = "MT7987" }, "firmware/bl2 fail"},
		{"BL2 for DDR3", func(s *state.State) { s.Firmware.DDR = "ddr3" }, "firmware/bl2 fail"},
		{"BL2 for DDR4", func(s *state.State) { s.Firmware.DDR = "ddr4" }, ""},
		{"BL2 with a limit", func(s *state.State) { s.Firmware.DDRLimit = 4096 }, "firmware/bl2 fail"},
		{"BL2 for a SoC that is not known", func(s *state.State) { s.Firmware.SoC = "" }, "firmware/bl2 unknown"},
		{"BL2 for a memory that is not known", func(s *state.State) { s.Firmware.DDR = "unknown" }, "firmware/bl2 unknown"},
		{"BL2 that an older nbr has seen", func(s *state.State) { s.Firmware.DDR = "" }, "firmware/bl2 unknown"},
		{"BL2 that hides it", func(s *state.State) { s.Firmware.FourBG = "unknown" }, "firmware/bl2 unknown"},
		{"BL2 for eMMC", func(s *state.State) { s.Firmware.Medium = "emmc" }, "firmware/medium fail"},
		{"BL2 damaged", func(s *state.State) { s.Firmware.Intact = false }, "firmware/intact fail, firmware/bl2 unknown"},
		{"firmware left behind by a switch", func(s *state.State) { s.Firmware.TFA = "v2.12.0(release)" }, "firmware/tfa fail"},
		{"firmware of a later release", func(s *state.State) { s.Firmware.TFA = "v2.13.01(release)" }, "firmware/tfa fail"},
		{"no partition for a BL2", func(s *state.State) { s.Firmware = &state.Firmware{} }, "firmware/medium unknown, firmware/intact unknown, firmware/bl2 unknown, firmware/tfa unknown"},
		{
			"nothing seen", func(s *state.State) { *s = state.State{} },
			"firmware/board unknown, firmware/memory unknown, firmware/medium unknown, firmware/intact unknown, firmware/bl2 unknown, firmware/tfa unknown, firmware/watchdog unknown, firmware/root-filesystem unknown, firmware/kernel unknown, " +
				"firmware/kernel/NET_DSA unknown, firmware/module/NET_DSA unknown, firmware/kernel/WIREGUARD unknown, firmware/module/WIREGUARD unknown",
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			st := good()
			tt.change(st)
			results, err := verify.Eval(s.Plan(), st)
			if err != nil {
				t.Fatal(err)
			}
			var got []string
			for _, r := range results {
				if r.From.Start.Line == 0 || r.Hint == "" || r.Want == "" {
					t.Errorf("%s: no place, hint or promise", r.ID)
				}
				if r.Status != verify.Pass {
					got = append(got, r.ID+" "+r.Status.String())
				}
			}
			if d := cmp.Diff(tt.want, strings.Join(got, ", ")); d != "" {
				t.Error(d)
			}
		})
	}
}

// Where no stage 1 is scripted, what would add to it is off.
func TestNoHookWithoutScripts(t *testing.T) {
	s, diags := load(t, spec("bananapi-bpir3", "2GiB", "", ""))
	if diags.HasErrors() {
		t.Fatal(diags)
	}
	s.Router.Release.V = scriptless
	got := map[string]bool{}
	for _, f := range s.Modules() {
		for _, o := range f.Module.Options() {
			got[strings.Join(o.Path, ".")] = true
		}
	}
	if got["boot.initrd.systemd.enable"] || !got["sbc.board.bananapi.bpir3.pcieFixup"] {
		t.Error("the board's commands of the scripted stage 1 are left in a release without one")
	}
}
