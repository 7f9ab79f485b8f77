package image

import (
	"bytes"
	"encoding/binary"
	"fmt"
)

// Memory is what a BL2 of an MT798x was built for, besides DDR4_4BG_MODE.
type Memory struct {
	// DDR is the kind: comb (DRAM_USE_COMB=1, it finds out by itself), ddr4
	// (DRAM_USE_DDR4=1), ddr3 (neither), or unknown.
	DDR string `json:"ddr"`
	// Limit is DRAM_SIZE_LIMIT in MiB, above which it uses none; 0 is no limit. It is
	// known where DDR is.
	Limit int `json:"limit_mib,omitempty"`
}

// String is for people.
func (m Memory) String() string {
	s := map[string]string{Comb: "DDR3 or DDR4, found at run time", DDR4: "DDR4", DDR3: "DDR3"}[m.DDR]
	switch {
	case s == "":
		return "not known"
	case m.Limit > 0:
		return fmt.Sprintf("%s, %d MiB at most", s, m.Limit)
	}
	return s
}

// The kinds of memory.
const (
	Comb = "comb"
	DDR4 = "ddr4"
	DDR3 = "ddr3"
)

// What mtk_mem_init (plat/mediatek/mt7988/drivers/dram/emicfg.c) prints.
//
// 43 builds of MT7988's BL2 were read by hand for what follows: TF-A 2.9, 2.10, 2.13 and
// 2.14, with and without DDR4_4BG_MODE, DRAM_USE_COMB, DRAM_USE_DDR4 and DRAM_SIZE_LIMIT,
// for every BOOT_DEVICE, with DEBUG, LTO, BL2_COMPRESS and LOG_LEVEL 0, 10 and 20 to 50.
// What they have in common:
//
//   - fourBG is there exactly if DDR4_4BG_MODE was 1, in every build with notices
//     (LOG_LEVEL of 20 or more).
//   - unknownDDR is in every build with notices, whatever the memory: it is one of the two
//     lines of an if. It shows no more than that notices are there.
//   - namedDDR is the other line. A build without the flag leaves it out at -Os and -O2 if
//     DRAM_USE_COMB was 1; one with the flag, and one at -O0, has both. Which of the two
//     is printed can only be seen in the code.
//   - Each has the magic of xz in it, in its own decompressor, behind which no stream is.
//
// What is read from the code was tried with 28 real builds, by hand and each with the
// right result: trees of v2.9 (frank-w's 7154cf66), v2.10 (bacca82a) and v2.13 (July
// 2025), GCC 12.2, at -Os and with DEBUG=1; COMB, DDR4 and DDR3, with the flag and
// without, DRAM_SIZE_LIMIT=2048 and 4096, DRAM_DEBUG_LOG and frequencies, LOG_LEVEL=10,
// BL2_COMPRESS=1, for sdmmc, emmc, ram, snand and spim-nand; and an MT7986's and an
// MT7987's. v2.14, LTO and other compilers were not: where their code is not understood
// the memory is unknown.
//
// No BL2 of MediaTek's is in the tests: theirs are made of such texts and such code.
var (
	fourBG     = []byte("EMI: DDR4 4BG mode")
	unknownDDR = []byte("EMI: Using DDR unknown settings")
	namedDDR   = []byte("EMI: Using DDR%u settings")
	// dramBlob is a text of the compiled driver dram.o, whatever the LOG_LEVEL: of the
	// one until v2.13. That of v2.14 is dram.a, and has another.
	dramBlob = []byte("EMI: Detected DRAM size: %llu MB")
)

// program reads what a BL2's program says of itself, or the program that is packed in it.
func (bl *BL2) program(b []byte) {
	packed := packedIn(b)
	if packed.at >= 0 {
		bl.Packed = "xz"
		if packed.err == nil {
			b = packed.out
		}
	}
	bl.TFA = tfa(b)
	switch {
	case !bl.Intact:
		// A wrong bit may be in a text, or in the code that prints it.
		bl.FourBGWhy = "the BL2 is damaged, so that what it says of itself does not count"
	case packed.err != nil:
		bl.FourBGWhy = fmt.Sprintf("the BL2 is compressed (xz at byte %#x of its program) and cannot be unpacked: %v", packed.at, packed.err)
	default:
		bl.SoC = soc(b)
		bl.memory(b)
	}
}

func (bl *BL2) memory(b []byte) {
	text := bytes.Contains(b, fourBG)
	notices := bytes.Contains(b, unknownDDR) || bytes.Contains(b, namedDDR)
	switch {
	case text:
		bl.FourBG, bl.FourBGWhy = Present, fmt.Sprintf("the BL2 has the text %q", fourBG)
	case notices:
		bl.FourBG, bl.FourBGWhy = Absent, fmt.Sprintf("the BL2 prints how it drives the memory and has not the text %q", fourBG)
	}
	if text || notices {
		bl.Memory = printed(b)
		return
	}
	flag, m := silent(b)
	if bl.Memory = m; flag == Unknown {
		bl.FourBGWhy = "the BL2 has none of the texts that tell (it was built with a LOG_LEVEL below 20), and its code was not understood"
		return
	}
	bl.FourBG, bl.FourBGWhy = flag, "the BL2 has none of the texts that tell, and its code sets the variables of mtk_mem_init so"
}

// printed runs mtk_mem_init of a BL2 with notices, to see which of its two lines it
// prints.
func printed(b []byte) Memory {
	m := Memory{DDR: Unknown}
	for _, text := range [][]byte{namedDDR, unknownDDR} {
		at := bytes.Index(b, text)
		if at < 0 {
			continue
		}
		from := reference(b, at)
		if from < 0 {
			continue
		}
		for _, c := range calls(b, from) {
			switch said := textAt(b, c.args[0]); {
			case m.DDR != Unknown:
				m.Limit = limit(c.stored) // the call that uses the memory
				return m
			case bytes.HasPrefix(said, unknownDDR):
				m.DDR = Comb
			case bytes.HasPrefix(said, namedDDR) && c.args[1] == word{4, true}:
				m.DDR = DDR4
			case bytes.HasPrefix(said, namedDDR) && c.args[1] == word{3, true}:
				m.DDR = DDR3
			}
		}
	}
	return Memory{DDR: Unknown}
}

// calls are those of the function that has an instruction.
func calls(b []byte, at int) []call {
	start := function(b, at)
	if start < 0 {
		return nil
	}
	return run(b, start)
}

// limit is the DRAM_SIZE_LIMIT that was stored, or 0. No other number that mtk_mem_init
// stores is one of these: frequencies are 1866, 2133, 2666 and 3200, refresh intervals
// less than 256.
func limit(stored map[uint64]word) int {
	for _, v := range stored {
		switch v.v {
		case 256, 512, 1024, 2048, 4096:
			return int(v.v)
		}
	}
	return 0
}

// dramSize is the one LSL X0, X0, #20 of a BL2 from TF-A v2.10 on: the size of the
// memory in bytes, at the end of mtk_mem_init.
const dramSize = 0xd36cac00

// silent reads a BL2 without notices from the variables that its mtk_mem_init sets. Those
// are in the order of their names: is_ddr4_4bg_mode, is_ddr_size_limit where there is a
// limit, is_dram_debug, is_use_comb, is_use_ddr4. Only the last is always set. That order
// is of the drivers until v2.13; what v2.14 does is not known.
func silent(b []byte) (flag string, m Memory) {
	m.DDR = Unknown
	at := only(b, dramSize)
	if at < 0 || !bytes.Contains(b, dramBlob) {
		return Unknown, m
	}
	all := calls(b, at)
	if len(all) == 0 {
		return Unknown, m
	}
	stored := all[0].stored // mtk_mem_init_real
	var ddr4 uint64         // 0 is no address
	for at, v := range stored {
		if !v.known {
			return Unknown, m
		}
		if v.v <= 1 {
			ddr4 = max(ddr4, at)
		}
	}
	if ddr4 == 0 {
		return Unknown, m
	}
	is := func(at uint64) bool { return stored[at] == word{1, true} }
	mode := ddr4 - 12
	if m.Limit = limit(stored); m.Limit > 0 {
		mode -= 4
		if stored[ddr4-12].v != uint64(m.Limit) {
			return Unknown, Memory{DDR: Unknown}
		}
	}
	switch {
	case is(ddr4 - 4):
		m.DDR = Comb
	case is(ddr4):
		m.DDR = DDR4
	default:
		m.DDR = DDR3
	}
	if is(mode) {
		return Present, m
	}
	return Absent, m
}

// only is the one place of an instruction, or -1.
func only(b []byte, w uint32) int {
	found := -1
	for at := 0; at+4 <= len(b); at += 4 {
		if binary.LittleEndian.Uint32(b[at:]) == w {
			if found >= 0 {
				return -1
			}
			found = at
		}
	}
	return found
}

// socs are what the code and the texts of a BL2 have of the SoC it is for: the number is
// for the line "CPU: MT7988" (bl2_plat_setup.c), in a MOVZ W?, #n. MT7987's has it in a
// text.
var socs = []struct {
	name string
	mov  uint32
	text []byte
}{
	{"MT7981", 0x52800000 | 0x7981<<5, nil},
	{"MT7986", 0x52800000 | 0x7986<<5, nil},
	{"MT7987", 0, []byte("MT7987A")},
	{"MT7988", 0x52800000 | 0x7988<<5, nil},
}

// soc is the SoC that a program is for, or empty if nothing or more than one tells so.
func soc(b []byte) string {
	found := ""
	for _, s := range socs {
		has := s.text != nil && bytes.Contains(b, s.text)
		for at := 0; at+4 <= len(b) && s.mov != 0 && !has; at += 4 {
			has = binary.LittleEndian.Uint32(b[at:])&^0x1f == s.mov
		}
		if has && found != "" {
			return ""
		}
		if has {
			found = s.name
		}
	}
	return found
}
