package firmware

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/nbr-dev/nbr/firmware/image"
	"github.com/nbr-dev/nbr/router"
	"github.com/nbr-dev/nbr/verify"
	"github.com/nbr-dev/nbr/verify/state"
)

// goodImage is what is read of an image that nixos-sbc makes for a board.
func goodImage(t *testing.T, board string) *image.Image {
	t.Helper()
	p := ProfileOf(board)
	img := &image.Image{Kind: image.KindDisk, GPT: &image.GPT{From: "primary"}}
	for i, l := range p.Firmware.Layout {
		q := image.Partition{Number: i + 1, Name: l.Name, First: l.First, Last: l.Last}
		if l.Last == 0 {
			q.Last = 4 << 20
		}
		if l.Bootable {
			q.Attributes = 4
		}
		img.GPT.Partitions = append(img.GPT.Partitions, q)
	}
	if p.Firmware.ATFAttr != "" {
		img.BL2 = &image.BL2{Medium: image.SDMMC, Intact: true, FourBG: image.Absent, FourBGWhy: "it says so", SoC: "MT7988", Memory: image.Memory{DDR: image.Comb}}
		img.FIP = &image.FIP{UBoot: "2025.07", Compatible: []string{"mediatek,mt7988-rfb"}}
	}
	return img
}

func TestImagePlan(t *testing.T) {
	wrong := func(code image.Code) func(*image.Image) {
		return func(img *image.Image) {
			img.Findings = append(img.Findings, image.Finding{Code: code, What: "w", Detail: "d"})
		}
	}
	flag := func(word string) func(*image.Image) { return func(img *image.Image) { img.BL2.FourBG = word } }
	const r4, r3 = "bananapi-bpir4", "bananapi-bpir3"
	for _, tt := range []struct {
		name, board, memory string
		change              func(*image.Image)
		want                string // the checks that do not pass
	}{
		{"4GiB", r4, "4GiB", func(*image.Image) {}, ""},
		{"8GiB", r4, "8GiB", flag(image.Present), ""},
		{"8GiB without the flag", r4, "8GiB", flag(image.Absent), "firmware/bl2 fail"},
		{"8GiB and the flag is hidden", r4, "8GiB", flag(image.Unknown), "firmware/bl2 unknown"},
		{"4GiB with the flag", r4, "4GiB", flag(image.Present), "firmware/bl2 unknown"},
		{"2GiB of another SoC", r3, "2GiB", func(*image.Image) {}, "image/soc fail"},
		{"no device tree", r4, "4GiB", func(img *image.Image) { img.FIP.Compatible = nil }, "image/soc unknown"},
		{"a BL2 of another SoC", r4, "4GiB", func(img *image.Image) { img.BL2.SoC = "MT7986" }, "image/soc fail"},
		{"a BL2 that does not say its SoC", r4, "4GiB", func(img *image.Image) { img.BL2.SoC = "" }, ""},
		{"8GiB with a limit", r4, "8GiB", func(img *image.Image) { img.BL2.FourBG, img.BL2.Memory.Limit = image.Present, 4096 }, "firmware/bl2 fail"},
		{"BL31 and BL33 swapped", r4, "4GiB", wrong(image.FIPSwapped), "image/fip fail"},
		{"BL33 that cannot be unpacked", r4, "4GiB", wrong(image.FIPUnpack), "image/fip fail"},
		{"eMMC", r4, "4GiB", func(img *image.Image) { img.BL2.Medium = "emmc" }, "firmware/medium fail"},
		{"damaged", r4, "4GiB", func(img *image.Image) { img.BL2.Intact = false }, "firmware/intact fail, firmware/bl2 unknown"},
		{
			"no BL2", r4, "4GiB", func(img *image.Image) { img.BL2 = nil; wrong(image.BL2Missing)(img) },
			"firmware/medium unknown, firmware/intact unknown, firmware/bl2 unknown, image/bl2 fail",
		},
		{"firmware behind what is kept", r4, "4GiB", func(img *image.Image) {
			img.BL2, img.FIP = nil, nil
			img.Findings = []image.Finding{{Code: image.PartitionUnread, Note: true}}
		}, "firmware/medium unknown, firmware/intact unknown, firmware/bl2 unknown, image/bl2 unknown, image/fip unknown, image/soc unknown"},
		{"half a FIP is kept", r4, "4GiB", func(img *image.Image) { img.Findings = []image.Finding{{Code: image.PartitionUnread, Note: true}} }, "image/fip unknown"},
		{"no BL31", r4, "4GiB", wrong(image.FIPNoBL31), "image/fip fail"},
		{"a table", r4, "4GiB", wrong(image.GPTBackupCRC), "image/table fail"},
		{"no fip", r4, "4GiB", func(img *image.Image) { img.GPT.Partitions[3].Name = "FIP" }, "image/partition/fip fail"},
		{"two", r4, "4GiB", func(img *image.Image) { img.GPT.Partitions[2].Name = "fip" }, "image/partition/factory fail, image/partition/fip fail"},
		{"moved", r4, "4GiB", func(img *image.Image) { img.GPT.Partitions[0].First = 1024 }, "image/partition/bl2 fail"},
		{"not bootable", r4, "4GiB", func(img *image.Image) { img.GPT.Partitions[4].Attributes = 0 }, "image/partition/root fail"},
		{"Rock64", "pine64-rock64v2", "4GiB", func(*image.Image) {}, ""},
		{"Rock64 without U-Boot", "pine64-rock64v2", "4GiB", wrong(image.RockchipUBoot), "image/loader fail"},
		{"Raspberry Pi", "raspberrypi-rpi4", "4GiB", func(*image.Image) {}, ""},
		{"Raspberry Pi without FAT", "raspberrypi-rpi4", "4GiB", wrong(image.RaspberryFAT), "image/loader fail"},
		{"Orange Pi", "xunlong-opi5b", "8GiB", func(*image.Image) {}, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s, diags := load(t, spec(tt.board, tt.memory, "", ""))
			if diags.HasErrors() {
				t.Fatal(diags)
			}
			img := goodImage(t, tt.board)
			tt.change(img)
			results, err := verify.Eval(ImagePlan(s.Router, img, "look"), ImageState(img))
			if err != nil {
				t.Fatal(err)
			}
			var got []string
			for _, r := range results {
				line := map[string]int{"firmware/bl2": 5}[r.ID] // the memory's
				if line == 0 {
					line = 2
				}
				if r.From.Start.Line != line || r.Hint != "look" || r.Want == "" || r.Got == "" {
					t.Errorf("%s at line %d: no place, hint, promise or sight: %+v", r.ID, r.From.Start.Line, r.Verdict)
				}
				if r.Status != verify.Pass {
					got = append(got, fmt.Sprint(r.ID, " ", r.Status))
				}
			}
			if d := cmp.Diff(tt.want, strings.Join(got, ", ")); d != "" {
				t.Error(d)
			}
		})
	}
}

// A running board with less memory has come up with the flag: that is a note.
func TestFlagOnALiveBoard(t *testing.T) {
	for memory, note := range map[string]bool{"4GiB": true, "8GiB": false} {
		s, diags := load(t, spec("bananapi-bpir4", memory, "", ""))
		if diags.HasErrors() {
			t.Fatal(diags)
		}
		img := goodImage(t, "bananapi-bpir4")
		img.BL2.FourBG = image.Present
		st := ImageState(img)
		st.Board = boardWith(s.Router)
		results, err := verify.Eval(s.Plan(), st)
		if err != nil {
			t.Fatal(err)
		}
		seen := false
		for _, r := range results {
			if r.ID == "firmware/memory" {
				seen = true
				if r.Status != verify.Pass || (r.Note != "") != note {
					t.Errorf("%s: %+v", memory, r.Verdict)
				}
			}
			if r.ID == "firmware/bl2" && (memory == "4GiB" || r.Status != verify.Pass) {
				t.Errorf("%s: %+v", memory, r.Verdict)
			}
		}
		if !seen {
			t.Errorf("%s: no check of the memory", memory)
		}
	}
}

func boardWith(r *router.Router) *state.Board {
	mem, _ := r.Board.MemoryOf(r.Memory.V)
	return &state.Board{Compatible: []string{r.Board.Compatible}, MemTotal: mem.MinTotal}
}
