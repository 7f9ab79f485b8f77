package hardware

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/nbr-dev/nbr/internal/bl2code"
	"github.com/nbr-dev/nbr/internal/looktest"
	"github.com/nbr-dev/nbr/verify/observe/root"
	"github.com/nbr-dev/nbr/verify/state"
)

// machine is a folder with a device tree that says what the board is, if it says anything.
func machine(t *testing.T, compatible string) string {
	if compatible == "" {
		return t.TempDir()
	}
	return looktest.Folder(t, map[string]string{"proc/device-tree/compatible": compatible})
}

// bootPartitions puts what mkimage and fiptool make into partitions that are longer,
// as on a card.
func bootPartitions(t *testing.T, root string) string {
	t.Helper()
	dir := filepath.Join(root, "dev/disk/by-partlabel")
	if err := os.MkdirAll(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	tmp := t.TempDir()
	for name, text := range map[string]string{
		"bl2.bin":    string(bl2code.Build{Comb: true}.Program()),
		"bl31.bin":   "v2.13.0(release):\x00",
		"u-boot.bin": "U-Boot 2025.07-1i3dxjd46ny9ir63n9qy6bxg5vzz78jj (Jan 01 1980)\x00",
	} {
		if err := os.WriteFile(tmp+"/"+name, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for _, line := range []string{
		"mkimage -q -T mtk_image -a 0x201000 -e 0x201000 -n media=sdmmc;arm64=1 -d bl2.bin " + dir + "/bl2",
		"fiptool create --soc-fw bl31.bin --nt-fw u-boot.bin " + dir + "/fip",
	} {
		words := strings.Fields(line)
		cmd := exec.Command(words[0], words[1:]...)
		cmd.Dir = tmp
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("%s: %v\n%s", line, err, out)
		}
	}
	for name, size := range map[string]int64{"bl2": 4 << 20, "fip": 2 << 20} {
		if err := os.Truncate(dir+"/"+name, size); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func TestFirmware(t *testing.T) {
	zeros := make([]byte, 1<<20)
	whole := &state.Firmware{
		Medium: "sdmmc", Intact: true, TFA: "v2.13.0(release)", FourBG: "absent",
		FourBGWhy: `the BL2 prints how it drives the memory and has not the text "EMI: DDR4 4BG mode"`,
		SoC:       "MT7988", DDR: "comb",
		UBoot: "2025.07-1i3dxjd46ny9ir63n9qy6bxg5vzz78jj", UBootHash: "1i3dxjd46ny9ir63n9qy6bxg5vzz78jj",
	}
	alone := *whole
	alone.UBoot, alone.UBootHash = "", ""
	for _, tt := range []struct {
		name   string
		change func(dir string) error
		want   *state.Firmware
		why    string
	}{
		{"both", func(string) error { return nil }, whole, ""},
		{"no FIP", func(dir string) error { return os.Remove(dir + "/fip") }, &alone, "the partition fip: not there"},
		{"an empty FIP", func(dir string) error { return os.WriteFile(dir+"/fip", zeros, 0o600) }, &alone, "the partition fip: not an image"},
		{"no BL2", func(dir string) error { return os.Remove(dir + "/bl2") }, nil, "the partition bl2: not there"},
		{"an empty BL2", func(dir string) error { return os.WriteFile(dir+"/bl2", zeros, 0o600) }, nil, "the partition bl2: not an image"},
		{"a FIP for a BL2", func(dir string) error { return os.Rename(dir+"/fip", dir+"/bl2") }, nil, "the partition bl2: it holds no BL2"},
		{"a card of no bytes", func(dir string) error { return os.Truncate(dir+"/bl2", 0) }, nil, "the partition bl2: it is empty"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			dir := machine(t, "bananapi,bpi-r4\x00mediatek,mt7988a\x00")
			if err := tt.change(bootPartitions(t, dir)); err != nil {
				t.Fatal(err)
			}
			got, err := Firmware(root.Root(dir))
			if d := cmp.Diff(tt.want, got); d != "" {
				t.Error(d)
			}
			if (err == nil) != (tt.why == "") || err != nil && !strings.HasPrefix(err.Error(), tt.why) {
				t.Errorf("missed %v, want %q", err, tt.why)
			}
		})
	}
}

// Another maker's board has no such partitions, and that is all there is to say of
// it; of one that cannot be asked it is something missed.
func TestFirmwareOfOtherBoards(t *testing.T) {
	for compatible, missed := range map[string]bool{"pine64,rock64\x00rockchip,rk3328\x00": false, "": true, "mediatek,mt7988a\x00": true} {
		got, err := Firmware(root.Root(machine(t, compatible)))
		if (err != nil) != missed || (got == nil) != missed {
			t.Errorf("%q: %v, %v", compatible, got, err)
		}
	}
}
