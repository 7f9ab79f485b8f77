package image

import (
	"bytes"
	"encoding/binary"
	"maps"
)

// What follows runs one function of a BL2, mtk_mem_init of emicfg.c, to see what it
// prints and which variables it sets: both depend on the flags alone that it was built
// with. Encodings are of the Arm Architecture Reference Manual for A-profile, C6.2.

const (
	// imageBase is any address at the beginning of a page: code of a BL2 finds its data
	// relative to itself.
	imageBase = 0x200000
	mostSteps = 256
	// mostFunction is eight times as many bytes as mtk_mem_init has.
	mostFunction = 1024
)

// A word is what is in a register or a variable, if it is known.
type word struct {
	v     uint64
	known bool
}

// A call is of another function.
type call struct {
	args [2]word
	// stored are the variables that have been set until then, by their address.
	stored map[uint64]word
}

// A machine runs a function of a program.
type machine struct {
	program []byte
	start   uint64
	reg     [31]word
	stored  map[uint64]word
	flags   [2]word // what was compared last
	calls   []call
}

// run runs the function that begins at a byte of the program, until it ends or does
// something that depends on what is not known. calls are what it called until then.
func run(program []byte, start int) []call {
	m := &machine{program: program, start: imageBase + uint64(start), stored: map[uint64]word{}}
	pc := m.start
	for range mostSteps {
		w, ok := m.instruction(pc)
		if !ok {
			m.call() // a branch to another function, which returns in its place
			break
		}
		if pc, ok = m.step(pc, w); !ok {
			break
		}
	}
	return m.calls
}

func (m *machine) call() {
	m.calls = append(m.calls, call{[2]word{m.reg[0], m.reg[1]}, maps.Clone(m.stored)})
}

// instruction is the one at an address, if that is in the function.
func (m *machine) instruction(pc uint64) (uint32, bool) {
	at := pc - imageBase
	if pc < m.start || pc-m.start > mostFunction || at+4 > uint64(len(m.program)) {
		return 0, false
	}
	return binary.LittleEndian.Uint32(m.program[at:]), true
}

// offset is an immediate of so many bits from a bit on, with its sign, times four.
func offset(w uint32, from, bits int) uint64 {
	return uint64(int64(int32(w<<(32-from-bits))>>(32-bits)) * 4)
}

// step runs an instruction and returns the address of the next one.
func (m *machine) step(pc uint64, w uint32) (uint64, bool) {
	switch {
	case w>>26 == 0b100101: // BL
		m.call()
		for i := range 19 { // what a function need not keep (AAPCS64, section 6.1.1)
			m.reg[i] = word{}
		}
		m.flags = [2]word{}
	case w>>26 == 0b000101: // B
		return pc + offset(w, 0, 26), true
	case w&0x7e000000 == 0x34000000: // CBZ, CBNZ
		r := m.get(w & 31)
		if w>>31 == 0 {
			r.v = uint64(uint32(r.v))
		}
		if (r.v == 0) == (w>>24&1 == 0) {
			return pc + offset(w, 5, 19), r.known
		}
		return pc + 4, r.known
	case w&0xff000010 == 0x54000000: // B.cond
		a, b := m.flags[0], m.flags[1]
		if w&0xe != 0 || !a.known || !b.known { // other than EQ and NE
			return 0, false
		}
		if (a.v == b.v) == (w&1 == 0) {
			return pc + offset(w, 5, 19), true
		}
	case w&0x1c000000 == 0x14000000: // all other branches and exceptions
		return pc + 4, w&0xfffff01f == 0xd503201f // HINT: NOP, BTI, PACIASP
	case w>>27&1 == 1 && w>>25&1 == 0: // loads and stores
		return pc + 4, m.memory(w)
	default:
		m.compute(pc, w)
	}
	return pc + 4, true
}

// adrp is the page that an instruction ADRP makes the address of.
func adrp(pc uint64, w uint32) uint64 {
	return pc&^0xfff + (offset(w, 5, 19)+uint64(w>>29&3))<<12
}

// get reads a register; 31 is the zero register here.
func (m *machine) get(r uint32) word {
	if r == 31 {
		return word{0, true}
	}
	return m.reg[r]
}

func (m *machine) set(r uint32, v word) {
	if r != 31 {
		m.reg[r] = v
	}
}

// compute is data processing. What is not one of these leaves a result that is not
// known.
func (m *machine) compute(pc uint64, w uint32) {
	rd, rn, imm := w&31, w>>5&31, uint64(w>>10&0xfff)
	shift := 16 * (w >> 21 & 3)
	old := m.get(rd)
	wide := w>>31 == 1
	v := word{}
	switch {
	case w&0x9f000000 == 0x90000000: // ADRP
		v = word{adrp(pc, w), true}
	case w&0x9f000000 == 0x10000000: // ADR
		v = word{pc + offset(w, 5, 19) + uint64(w>>29&3), true}
	case w&0x7fc00000 == 0x11000000 && rn != 31: // ADD, immediate
		v = word{m.reg[rn].v + imm, m.reg[rn].known}
	case w&0x7fc0001f == 0x7100001f: // CMP, immediate
		a := m.get(rn)
		m.flags = [2]word{a, {imm, rn != 31 && (wide || a.v>>32 == 0)}}
		return
	case w&0x7f800000 == 0x52800000: // MOVZ
		v = word{uint64(w>>5&0xffff) << shift, true}
	case w&0x7f800000 == 0x12800000: // MOVN
		v = word{^(uint64(w>>5&0xffff) << shift), true}
	case w&0x7f800000 == 0x72800000: // MOVK
		v = word{old.v&^(0xffff<<shift) | uint64(w>>5&0xffff)<<shift, old.known}
	case w&0x7fe0ffe0 == 0x2a0003e0: // MOV, register
		v = m.get(w >> 16 & 31)
	case w>>29&1 == 1: // whatever else may set the flags
		m.flags = [2]word{}
	}
	if !wide {
		v.v = uint64(uint32(v.v))
	}
	m.set(rd, v)
}

// memory is one load or store. It fails if a variable may have changed that is not
// known.
func (m *machine) memory(w uint32) bool {
	rt, rn := w&31, w>>5&31
	sp := rn == 31
	switch {
	case w&0x3a000000 == 0x28000000: // LDP, STP
		if w>>22&1 == 1 {
			m.set(rt, word{})
			m.set(w>>10&31, word{})
			return sp
		}
		return sp
	case w&0x3f000000 == 0x39000000: // LDR, STR with an unsigned offset
		size := w >> 30
		base := m.reg[min(rn, 30)]
		at := base.v + uint64(w>>10&0xfff)<<size
		switch w >> 22 & 3 {
		case 0: // STR
			if sp {
				return true
			}
			m.stored[at] = m.get(rt)
			return base.known && size >= 2
		case 1: // LDR
			m.set(rt, word{})
			if !sp && base.known && size == 2 {
				m.set(rt, m.load(at))
			}
			return true
		}
		m.set(rt, word{})
		return true
	case w&0x3f200000 == 0x38000000 && sp: // LDUR, STUR, and with the stack pointer moved
		if w>>22&3 != 0 {
			m.set(rt, word{})
		}
		return true
	}
	return false
}

// load reads a variable of 32 bits. What is behind the program has zeros when it
// starts (bl2.ld.S: .bss).
func (m *machine) load(at uint64) word {
	if v, ok := m.stored[at]; ok {
		return v
	}
	off := at - imageBase
	if off >= 1<<24 {
		return word{}
	}
	b := make([]byte, 4)
	copy(b, m.program[min(off, uint64(len(m.program))):])
	return word{uint64(binary.LittleEndian.Uint32(b)), true}
}

// function is where a function begins that has the instruction at a byte of the
// program: where it saves the frame pointer (STP X29, X30, [SP, #-n]!), or a few
// instructions before, which a compiler may put there. It is -1 if that is not near.
func function(program []byte, at int) int {
	word := func(at int) uint32 { return binary.LittleEndian.Uint32(program[at:]) }
	for i := at; i >= 0 && at-i <= mostFunction; i -= 4 {
		if word(i)&0xffc07fff != 0xa9807bfd {
			continue
		}
		for n := 0; n < 4 && i >= 4 && word(i-4)&0x1c000000 != 0x14000000; n++ { // no branch
			i -= 4
		}
		return i
	}
	return -1
}

// reference is the instruction that makes the address of a byte of the program, or of
// the one before it: ADRP, and ADD a few instructions on. It is -1 if there is none.
func reference(program []byte, target int) int {
	const near = 12
	word := func(at int) uint32 { return binary.LittleEndian.Uint32(program[at:]) }
	for at := 0; at+4 <= len(program); at += 4 {
		w := word(at)
		if w&0x9f000000 != 0x90000000 {
			continue
		}
		page := adrp(imageBase+uint64(at), w)
		if d := imageBase + uint64(target) - page; d > 0xfff+1 {
			continue
		}
		for next := at + 4; next <= at+4*near && next+4 <= len(program); next += 4 {
			a := word(next)
			if a&0xffc00000 == 0x91000000 && a>>5&31 == w&31 {
				if d := page + uint64(a>>10&0xfff) - imageBase; d == uint64(target) || d+1 == uint64(target) {
					return at
				}
			}
		}
	}
	return -1
}

// textAt is the text at an address, without the byte in front that is its log level.
func textAt(program []byte, at word) []byte {
	off := at.v - imageBase
	if !at.known || off >= uint64(len(program)) {
		return nil
	}
	b := program[off:]
	if b[0] < ' ' {
		b = b[1:]
	}
	end := bytes.IndexByte(b, 0)
	if end < 0 {
		return nil
	}
	return b[:end]
}
