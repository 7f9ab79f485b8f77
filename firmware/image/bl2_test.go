package image_test

import (
	"fmt"
	"testing"

	"github.com/nbr-dev/nbr/firmware/image"
	"github.com/nbr-dev/nbr/internal/bl2code"
)

// What a BL2 was built for is read from its texts and its code, and as well from a program
// that is packed in it.
//
// Which real builds this was compared with is in memory.go.
func TestBuilds(t *testing.T) {
	for _, tt := range []struct {
		build bl2code.Build
		want  string
	}{
		{bl2code.Build{Comb: true, FourBG: true}, "present MT7988 comb 0"},
		{bl2code.Build{Comb: true}, "absent MT7988 comb 0"},
		{bl2code.Build{DDR4: true, FourBG: true}, "present MT7988 ddr4 0"},
		{bl2code.Build{DDR4: true}, "absent MT7988 ddr4 0"},
		{bl2code.Build{FourBG: true}, "present MT7988 ddr3 0"},
		{bl2code.Build{}, "absent MT7988 ddr3 0"},
		{bl2code.Build{Comb: true, DDR4: true, FourBG: true, Limit: 4096}, "present MT7988 comb 4096"},
		{bl2code.Build{DDR4: true, FourBG: true, Limit: 2048}, "present MT7988 ddr4 2048"},
		{bl2code.Build{Limit: 256}, "absent MT7988 ddr3 256"},
		{bl2code.Build{SoC: 0x7986, DDR4: true}, "absent MT7986 ddr4 0"},
		{bl2code.Build{SoC: 0x7981}, "absent MT7981 ddr3 0"},
		{bl2code.Build{SoC: 1, Comb: true}, "absent  comb 0"},
		// LOG_LEVEL=10 leaves no text, and no SoC.
		{bl2code.Build{Quiet: true, Comb: true, FourBG: true}, "present  comb 0"},
		{bl2code.Build{Quiet: true, Comb: true}, "absent  comb 0"},
		{bl2code.Build{Quiet: true, DDR4: true, FourBG: true}, "present  ddr4 0"},
		{bl2code.Build{Quiet: true, DDR4: true}, "absent  ddr4 0"},
		{bl2code.Build{Quiet: true, FourBG: true}, "present  ddr3 0"},
		{bl2code.Build{Quiet: true}, "absent  ddr3 0"},
		{bl2code.Build{Quiet: true, DDR4: true, FourBG: true, Limit: 4096}, "present  ddr4 4096"},
		{bl2code.Build{Quiet: true, Comb: true, Limit: 512}, "absent  comb 512"},
	} {
		for packed, program := range map[string][]byte{
			"": tt.build.Program(), "xz": sfx(packXZ(t, tt.build.Program())),
		} {
			bl := inspect(t, makeBL2(t, "sdmmc;arm64=1", program)).BL2
			got := fmt.Sprintf("%s %s %s %d", bl.FourBG, bl.SoC, bl.Memory.DDR, bl.Memory.Limit)
			if got != tt.want || bl.Packed != packed || !bl.Intact {
				t.Errorf("%+v, %q: %s, want %s; %+v", tt.build, packed, got, tt.want, bl)
			}
		}
	}
	// The text is of the MT7987 alone.
	seven := append(bl2code.Build{SoC: 1, FourBG: true}.Program(), "MT7987A\x00"...)
	if bl := inspect(t, makeBL2(t, "sdmmc;arm64=1", seven)).BL2; bl.SoC != "MT7987" {
		t.Errorf("%+v", bl)
	}
	// Two SoCs are none.
	both := append(bl2code.Build{FourBG: true}.Program(), "MT7987A\x00"...)
	if bl := inspect(t, makeBL2(t, "sdmmc;arm64=1", both)).BL2; bl.SoC != "" {
		t.Errorf("%+v", bl)
	}
	// Texts without the code say what they always said, and nothing of the memory.
	bl := inspect(t, makeBL2(t, "sdmmc;arm64=1", program(200<<10, tfa, "EMI: DDR4 4BG mode\n\x00", "EMI: Using DDR unknown settings\n\x00"))).BL2
	if bl.FourBG != image.Present || bl.Memory.DDR != image.Unknown {
		t.Errorf("%+v", bl)
	}
}
