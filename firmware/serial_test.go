package firmware

import (
	"strings"
	"testing"

	"github.com/nbr-dev/nbr/firmware/bootlog"
	"github.com/nbr-dev/nbr/router"
	"github.com/nbr-dev/nbr/verify"
)

func read(t *testing.T, log string) *bootlog.Boot {
	t.Helper()
	l, err := bootlog.Read(strings.NewReader(log))
	if err != nil {
		t.Fatal(err)
	}
	if l.Boot() == nil {
		return &bootlog.Boot{}
	}
	return l.Boot()
}

func TestBootBoard(t *testing.T) {
	for _, tt := range []struct {
		board, log string
		want       verify.Status
	}{
		{"bananapi-bpir4", "Machine model: Banana Pi BPI-R4", verify.Pass},
		{"bananapi-bpir4", "Machine model: Banana Pi BPI-R4 (2x SFP+)", verify.Pass},
		{"bananapi-bpir4", "Machine model: Banana Pi BPI-R4 (1x SFP+, 1x 2.5GbE)", verify.Pass},
		{"bananapi-bpir4", "Machine model: Banana Pi BPI-R4 Pro 8X", verify.Fail},
		{"bananapi-bpir4", "Machine model: Bananapi BPI-R3", verify.Fail},
		{"bananapi-bpir3", "Machine model: Bananapi BPI-R3 Mini", verify.Fail},
		{"raspberrypi-rpi4", "Machine model: Raspberry Pi 4 Model B Rev 1.5", verify.Pass},
		{"raspberrypi-rpi4", "Machine model: Raspberry Pi 400 Rev 1.0", verify.Fail},
		// Before Linux only the SoC is certain: U-Boot's model is its device tree's.
		{"bananapi-bpir4", "DRAM:  4 GiB\nCPU:   MediaTek MT7988\nModel: mt7988-rfb", verify.Unknown},
		{"bananapi-bpir4", "DRAM:  2 GiB\nCPU:   MediaTek MT7986\nModel: BananaPi BPi-R3", verify.Fail},
		{"pine64-rock64v2", "DRAM:  4 GiB\nSoC:   RK3328", verify.Unknown},
		{"bananapi-bpir4", "", verify.Unknown},
	} {
		if got := ProfileOf(tt.board).bootBoard(read(t, tt.log)); got.Status != tt.want {
			t.Errorf("%s, %q: %s, want %s", tt.board, tt.log, got.Status, tt.want)
		}
	}
}

func TestBootMemory(t *testing.T) {
	const (
		bl2    = "NOTICE:  BL2: v2.13.0(release):\nNOTICE:  CPU: MT7988\n"
		flag   = "NOTICE:  EMI: DDR4 4BG mode\n"
		using  = "NOTICE:  EMI: Using DDR unknown settings\n"
		four   = "NOTICE:  EMI: Detected DRAM size: 4096 MB\n"
		eight  = "NOTICE:  EMI: Detected DRAM size: 8192 MB\n"
		memory = "Machine model: x\nMemory: "
	)
	const gib = 1 << 30
	for _, tt := range []struct {
		name, board string
		size        router.Size
		log         string
		want        verify.Status
		got         string // part of it
	}{
		{"4 of 4", "bananapi-bpir4", 4 * gib, bl2 + using + four, verify.Pass, "4096 MiB"},
		{"8 of 8", "bananapi-bpir4", 8 * gib, bl2 + flag + using + eight, verify.Pass, "8192 MiB"},
		{"4 of 8 for want of the flag", "bananapi-bpir4", 8 * gib, bl2 + using + four, verify.Fail, "without DDR4_4BG_MODE=1"},
		{"4 of 8 in spite of the flag", "bananapi-bpir4", 8 * gib, bl2 + flag + using + four, verify.Fail, "does the board have that much?"},
		{"4 of 8, without a reason in the log", "bananapi-bpir4", 8 * gib, using + four, verify.Fail, "4096 MiB"},
		{"DDR3 on a board with DDR4", "bananapi-bpir4", 8 * gib, bl2 + "NOTICE:  EMI: Using DDR3 settings\nNOTICE:  EMI: Detected DRAM size: 512 MB\n", verify.Fail, "512 MiB: BL2 was built for DDR3"},
		{"DDR3, and the flag", "bananapi-bpir4", 8 * gib, bl2 + flag + "NOTICE:  EMI: Using DDR3 settings\nNOTICE:  EMI: Detected DRAM size: 512 MB\n", verify.Fail, "512 MiB: BL2 was built for DDR3"},
		{"a limit", "bananapi-bpir4", 8 * gib, bl2 + "NOTICE:  EMI: Using DDR4 settings\nNOTICE:  EMI: Detected DRAM size: 512 MB\n", verify.Fail, "512 MiB: that is less than DDR4_4BG_MODE decides over"},
		{"8 of 4", "bananapi-bpir4", 4 * gib, bl2 + flag + using + eight, verify.Fail, "8192 MiB"},
		{"the last word is Linux's", "bananapi-bpir4", 8 * gib, bl2 + flag + using + eight + memory + "3961944K/4194304K available (", verify.Fail, "4096 MiB"},
		{"without what the firmware keeps", "raspberrypi-rpi4", 4 * gib, memory + "3812200K/4050944K available (", verify.Pass, "3956 MiB"},
		{"2 of 4", "raspberrypi-rpi4", 4 * gib, memory + "1812200K/2097152K available (", verify.Fail, "2048 MiB"},
		{"none", "bananapi-bpir4", 4 * gib, bl2, verify.Unknown, "no line tells"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			b := Boards()[0]
			for _, other := range Boards() {
				if other.ID == tt.board {
					b = other
				}
			}
			mem, ok := b.MemoryOf(tt.size)
			if !ok {
				t.Fatalf("%s does not come with %s", tt.board, tt.size)
			}
			got := bootMemory(read(t, tt.log), mem)
			if got.Status != tt.want || !strings.Contains(got.Got, tt.got) {
				t.Errorf("%s, %q; want %s, %q", got.Status, got.Got, tt.want, tt.got)
			}
		})
	}
}
