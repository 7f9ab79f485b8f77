// Package bl2code makes programs for tests that have in them what nbr reads in a BL2 of
// MediaTek's TF-A: the texts, the code of mtk_mem_init that prints them and sets the
// flags, the number of the SoC, and the magic of the decompressor. Neither such a BL2 nor
// its driver for the memory can be had under a free licence, so that none is in the tests.
//
// The code is what GCC 12 makes at -Os of emicfg.c in v2.10 and v2.13, instruction by
// instruction; the variables have the distances that they have there. What is called is
// not there.
package bl2code

import (
	"encoding/binary"
	"math/rand/v2"
)

// A Build is how a BL2 is built.
type Build struct {
	SoC    uint32 // 0x7988 unless it is set
	Comb   bool   // DRAM_USE_COMB=1
	DDR4   bool   // DRAM_USE_DDR4=1
	FourBG bool   // DDR4_4BG_MODE=1
	Limit  uint32 // DRAM_SIZE_LIMIT
	Quiet  bool   // LOG_LEVEL below 20
	TFA    string // its version: v2.13.0(release) unless it is set
}

// Where things are in the program.
const (
	size    = 16 << 10
	codeAt  = 0x1000
	tfLog   = 0x0400
	realAt  = 0x0800 // mtk_mem_init_real
	setSize = 0x0c00 // mtk_bl2_set_dram_size
	textAt  = 0x2000
	magicAt = 0x3000
	bss     = 0x5000 // behind the program

	// notice is LOG_LEVEL_NOTICE, with which a text of NOTICE() begins.
	notice = "\x14"
)

// Program is the program: a flat binary that is loaded to the beginning of a page.
func (b Build) Program() []byte {
	p := make([]byte, size)
	r := rand.New(rand.NewPCG(1, 2))
	for i := range p {
		p[i] = byte(r.Uint32() | 1)
	}
	a := &assembler{p: p, at: codeAt}
	version := b.TFA
	if version == "" {
		version = "v2.13.0(release)"
	}
	if b.SoC == 0 {
		b.SoC = 0x7988
	}
	texts := map[string]int{}
	at := textAt
	put := func(s string) {
		texts[s] = at
		at += copy(p[at:], s+"\x00")
	}
	put("EMI: Detected DRAM size: %llu MB\n") // of dram.o, which any LOG_LEVEL has
	if !b.Quiet {
		put(version + ":")
		put("Built : 00:00:00, Jan  1 1980")
		if b.FourBG {
			put(fourBG)
		}
		if !b.Comb || b.FourBG {
			put(named)
		}
		put(unknown)
		a.op(0x52800001 | b.SoC<<5) // mov w1, #SoC
		a.branch(0x94000000, tfLog)
	}
	copy(p[magicAt:], "\xfd7zXZ\x00")
	a.op(0xd65f03c0) // ret
	b.init(a, texts)
	return p
}

const (
	fourBG  = notice + "EMI: DDR4 4BG mode\n"
	named   = notice + "EMI: Using DDR%u settings\n"
	unknown = notice + "EMI: Using DDR unknown settings\n"
)

// init is mtk_mem_init.
func (b Build) init(a *assembler, texts map[string]int) {
	// is_ddr4_4bg_mode, is_ddr_size_limit, is_dram_debug, is_use_comb, is_use_ddr4. A
	// variable that is not used is not there.
	mode, limit := bss, bss+4
	comb := bss + 8
	if b.Limit > 0 {
		comb += 4
	}
	ddr4 := comb + 4
	a.op(0xa9be7bfd) // stp x29, x30, [sp, #-32]!
	a.op(0x910003fd) // mov x29, sp
	a.op(0xa90153f3) // stp x19, x20, [sp, #16]
	a.op(0x52800034) // mov w20, #1
	if b.Comb {
		a.adrp(19, comb)
		a.str(20, 19, comb)
	}
	if b.FourBG {
		if !b.Quiet {
			a.print(texts[fourBG])
		}
		a.adrp(0, mode)
		a.str(20, 0, mode)
	}
	kind := uint32(3)
	a.adrp(0, ddr4)
	if b.DDR4 {
		kind = 4
		a.str(20, 0, ddr4)
	} else {
		a.str(31, 0, ddr4)
	}
	if b.Limit > 0 {
		a.op(0x52800001 | b.Limit<<5) // mov w1, #limit
		a.adrp(0, limit)
		a.str(1, 0, limit)
	}
	switch {
	case b.Quiet:
	case b.Comb && !b.FourBG: // the compiler knows that it is 1
		a.print(texts[unknown])
	default:
		a.adrp(0, comb)
		a.op(0xb9400000 | uint32(comb&0xfff/4)<<10) // ldr w0, [x0, #comb]
		a.op(0x35000000 | 6<<5)                     // cbnz w0, 6 instructions on
		a.op(0x52800001 | kind<<5)                  // mov w1, #kind
		a.print(texts[named])
		a.op(0x14000000 | 4) // b 4 instructions on
		a.print(texts[unknown])
	}
	a.branch(0x94000000, realAt)
	a.op(0xa94153f3)                                 // ldp x19, x20, [sp, #16]
	a.adrp(0, ddr4+12)                               // mt7988_dram_size
	a.op(0xa8c27bfd)                                 // ldp x29, x30, [sp], #32
	a.op(0xb9400000 | uint32((ddr4+12)&0xfff/4)<<10) // ldr w0, [x0, #…]
	a.op(0xd36cac00)                                 // lsl x0, x0, #20
	a.branch(0x14000000, setSize)
}

// An assembler writes instructions, one behind the other.
type assembler struct {
	p  []byte
	at int
}

func (a *assembler) op(w uint32) {
	binary.LittleEndian.PutUint32(a.p[a.at:], w)
	a.at += 4
}

// branch is B or BL to a byte of the program.
func (a *assembler) branch(op uint32, to int) {
	a.op(op | uint32((to-a.at)/4)&0x3ffffff)
}

func (a *assembler) adrp(reg uint32, to int) {
	pages := uint32(to>>12 - a.at>>12)
	a.op(0x90000000 | pages&3<<29 | pages>>2&0x7ffff<<5 | reg)
}

// str stores a register of 32 bits.
func (a *assembler) str(reg, base uint32, to int) {
	a.op(0xb9000000 | uint32(to&0xfff/4)<<10 | base<<5 | reg)
}

// print calls tf_log with a text.
func (a *assembler) print(text int) {
	a.adrp(0, text)
	a.op(0x91000000 | uint32(text&0xfff)<<10) // add x0, x0, #…
	a.branch(0x94000000, tfLog)
}
