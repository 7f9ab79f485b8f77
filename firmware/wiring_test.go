package firmware

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/nbr-dev/nbr/internal/lab"
)

// wired is what testdata/wiring/wiring.nix tells.
type wired struct {
	MakeFlags       []string
	Version, Source string
	System, Host    string
	UbootSource     string
	Nixpkgs         map[string]string
	Stock, Image    bool
	OnlyOnOurs      bool
	Naive, Replaced bool
	Checks          []kernelCheck
	Kernel          struct{ Version, ModDirVersion, Kept, Source string }
}

type kernelCheck struct{ Required, BuildCommand, System string }

const (
	stockATF = "null"
	ourATF   = `{ package = "armTrustedFirmware"; version = "2"; owner = "mtk-openwrt"; repo = "arm-trusted-firmware"; rev = "new"; hash = "sha256-new"; makeFlags = [ "DDR4_4BG_MODE=1" ]; }`
)

// wire evaluates the modules that stand beside a generated router.
func wire(t *testing.T, atf, more string) wired {
	t.Helper()
	abs := func(path string) string {
		p, err := filepath.Abs(path)
		if err != nil {
			t.Fatal(err)
		}
		return p
	}
	var w wired
	lab.Nix(t).EvalJSON(t, fmt.Sprintf(`import %s { firmware = %s; kernel = %s; armTrustedFirmware = %s; %s }`,
		abs("testdata/wiring/wiring.nix"), abs("../flake/nix/firmware.nix"), abs("../flake/nix/kernel.nix"), atf, more), &w)
	return w
}

func TestWiring(t *testing.T) {
	const lock, release = "locked by nixos-sbc", "the router's"
	t.Run("flags", func(t *testing.T) {
		w := wire(t, ourATF, "")
		if d := cmp.Diff([]string{"PLAT=stand-in", "BOOT_DEVICE=sdmmc", "bl2", "DDR4_4BG_MODE=1"}, w.MakeFlags); d != "" {
			t.Error(d)
		}
		if w.Version != "2" || w.Source != "mtk-openwrt/arm-trusted-firmware/new" {
			t.Errorf("built from %s, version %s", w.Source, w.Version)
		}
		if !w.OnlyOnOurs || w.Stock || !w.Image {
			t.Error("the image's U-Boot does not hold the new firmware, or the old one too")
		}
		if !w.Naive || !w.Replaced {
			t.Error("the stand-in has lost the traps that the wiring is for")
		}
		want := map[string]string{"armTrustedFirmware": lock, "uboot": lock, "kernel": release}
		if d := cmp.Diff(want, w.Nixpkgs); d != "" {
			t.Error(d)
		}
	})
	t.Run("stock", func(t *testing.T) {
		if w := wire(t, stockATF, ""); !w.Stock || !w.Image || !w.OnlyOnOurs {
			t.Error("firmware without flags is not nixos-sbc's own")
		}
	})
	t.Run("another U-Boot", func(t *testing.T) {
		w := wire(t, ourATF, `ubootSource = { version = "2025.04"; hash = "sha256-x"; };`)
		if w.UbootSource != "https://ftp.denx.de/pub/u-boot/u-boot-2025.04.tar.bz2" || !w.OnlyOnOurs {
			t.Errorf("U-Boot is built from %q", w.UbootSource)
		}
	})
	t.Run("cross", func(t *testing.T) {
		w := wire(t, ourATF, `required = { WIREGUARD = "x"; }; buildSystem = "x86_64-linux";`)
		if w.System != "x86_64-linux" || w.Host != "uboot-aarch64-linux" || !w.OnlyOnOurs {
			t.Errorf("built on %s: %s", w.System, w.Host)
		}
		if len(w.Checks) != 1 || w.Checks[0].System != "x86_64-linux" {
			t.Errorf("the check of the kernel does not run on the builder: %v", w.Checks)
		}
	})
	// nixos-sbc's recipe stays, and only what the source is changes; whichever nixpkgs
	// it is built with.
	t.Run("another kernel source", func(t *testing.T) {
		if w := wire(t, stockATF, ""); w.Kernel.Version != "6.12.63-board" || w.Kernel.Source != "" {
			t.Errorf("without one, the kernel is %+v", w.Kernel)
		}
		const source = `kernelSource = { package = "linuxPackages_board"; version = "6.12.117-board"; owner = "me"; repo = "linux"; rev = "r"; hash = "sha256-k"; };`
		for nixpkgs, from := range map[string]string{"release": release, "nixos-sbc": lock} {
			w := wire(t, stockATF, source+` kernelNixpkgs = "`+nixpkgs+`";`)
			if w.Kernel.Version != "6.12.117-board" || w.Kernel.ModDirVersion != w.Kernel.Version || w.Kernel.Source != "me/linux/r" || w.Kernel.Kept != "of the board" {
				t.Errorf("%s: the kernel is %+v", nixpkgs, w.Kernel)
			}
			if w.Nixpkgs["kernel"] != from {
				t.Errorf("%s: built with %s", nixpkgs, w.Nixpkgs["kernel"])
			}
		}
	})
	t.Run("kernel of nixos-sbc", func(t *testing.T) {
		if got := wire(t, stockATF, `kernelNixpkgs = "nixos-sbc";`).Nixpkgs["kernel"]; got != lock {
			t.Errorf("the kernel is built with the nixpkgs %s", got)
		}
	})
}

// The check's own script looks at finished configurations.
func TestKernelCheck(t *testing.T) {
	checks := wire(t, stockATF, `required = { WIREGUARD = "WireGuard (wireguard.wg0, router.hcl:64)"; TUN = "tunnels (x, y:1)"; };`).Checks
	if len(checks) != 1 {
		t.Fatalf("%d checks", len(checks))
	}
	const lacks = "The kernel lacks CONFIG_WIREGUARD, needed for WireGuard (wireguard.wg0, router.hcl:64).\n"
	tests := []struct{ name, config, want string }{
		{"all there", "CONFIG_TUN=y\nCONFIG_WIREGUARD=m\n", ""},
		{"not set", "CONFIG_TUN=y\n# CONFIG_WIREGUARD is not set\n", lacks},
		{"another of the name", "CONFIG_TUN=m\nCONFIG_WIREGUARD_DEBUG=y\n", lacks},
		{"nothing", "", "The kernel lacks CONFIG_TUN, needed for tunnels (x, y:1).\n" + lacks},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			dir := t.TempDir()
			write := func(name, text string) string {
				file := filepath.Join(dir, name)
				if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
					t.Fatal(err)
				}
				return name + "=" + file
			}
			cmd := exec.Command("bash", "-e", "-c", checks[0].BuildCommand)
			cmd.Env = []string{
				"PATH=" + os.Getenv("PATH"), "out=" + filepath.Join(dir, "out"),
				write("requiredPath", checks[0].Required), write("configfile", tt.config),
			}
			var stderr strings.Builder
			cmd.Stderr = &stderr
			err := cmd.Run()
			if d := cmp.Diff(tt.want, stderr.String()); d != "" {
				t.Error(d)
			}
			if (err == nil) != (tt.want == "") {
				t.Errorf("the build ends with %v", err)
			}
		})
	}
	if got := wire(t, stockATF, "").Checks; len(got) != 0 {
		t.Errorf("a check of nothing: %v", got)
	}
}
