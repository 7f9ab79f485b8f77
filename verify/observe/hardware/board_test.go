package hardware

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/nbr-dev/nbr/internal/looktest"
	"github.com/nbr-dev/nbr/verify/observe/root"
	"github.com/nbr-dev/nbr/verify/state"
)

func TestCompatible(t *testing.T) {
	looktest.Parse(t, func(b []byte) (any, error) { return parseCompatible(b) },
		looktest.Is("a BPI-R4", "bananapi,bpi-r4\x00mediatek,mt7988a\x00", []string{"bananapi,bpi-r4", "mediatek,mt7988a"}),
		looktest.Is("one", "x\x00", []string{"x"}),
		looktest.Fails("nothing", "", "NUL"),
		looktest.Fails("cut off", "bananapi,bpi-r4\x00media", "NUL"),
		looktest.Fails("an empty name", "a\x00\x00b\x00", `"" is no name`),
		looktest.Fails("only a NUL", "\x00", `"" is no name`),
		looktest.Fails("no text", "a\nb\x00", "is no name"),
	)
}

func TestMemTotal(t *testing.T) {
	looktest.Parse(t, func(b []byte) (any, error) { return parseMemTotal(b) },
		looktest.Is("8 GB", "MemTotal:        8130056 kB\nMemFree:         1 kB\n", uint64(8130056)),
		looktest.Fails("nothing", "", "no MemTotal"),
		looktest.Fails("another unit", "MemTotal: 8 GB\n", "no MemTotal"),
		looktest.Fails("cut off", "MemTotal:    81", "no MemTotal"),
		looktest.Fails("huge", "MemTotal: 99999999999999999999 kB\n", "out of range"),
		looktest.Fails("negative", "MemTotal: -1 kB\n", "invalid syntax"),
	)
}

// Parsers may refuse a text; they may not fall over it.
func FuzzParsers(f *testing.F) {
	for _, s := range []string{"", "\x00", "bananapi,bpi-r4\x00mediatek,mt7988a\x00", "MemTotal:        8130056 kB\n"} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		if names, err := parseCompatible(b); err == nil && strings.Join(names, "\x00")+"\x00" != string(b) {
			t.Errorf("compatible: %q", names)
		}
		_, _ = parseMemTotal(b)
	})
}

// TestPC looks at a machine without a device tree, whose firmware says what it is.
func TestPC(t *testing.T) {
	const memory = "MemTotal:        8130056 kB\n"
	for _, tt := range []struct {
		name  string
		files map[string]string
		want  state.Board
		fails bool
	}{
		{"EFI", map[string]string{
			"proc/meminfo": memory, "sys/class/dmi/id/sys_vendor": "PC Engines\n", "sys/class/dmi/id/product_name": "apu4 \n", "sys/firmware/efi/fw_platform_size": "64\n",
		}, state.Board{Compatible: []string{}, MemTotal: 8130056, DMI: &state.DMI{Vendor: "PC Engines", Product: "apu4"}, EFI: 64}, false},
		{"BIOS", map[string]string{
			"proc/meminfo": memory, "sys/class/dmi/id/sys_vendor": "QEMU\n",
		}, state.Board{Compatible: []string{}, MemTotal: 8130056, DMI: &state.DMI{Vendor: "QEMU"}}, false},
		{"neither", map[string]string{"proc/meminfo": memory}, state.Board{Compatible: []string{}, MemTotal: 8130056}, true},
	} {
		got, err := Board(root.Root(looktest.Folder(t, tt.files)))
		if d := cmp.Diff(&tt.want, got); d != "" || (err != nil) != tt.fails {
			t.Errorf("%s: %v %s", tt.name, err, d)
		}
	}
}
