package image

import (
	"bytes"
	"encoding/binary"
	"strings"
)

var fdtMagic = []byte{0xd0, 0x0d, 0xfe, 0xed}

// compatible is the compatible of the root node of the first device tree in b: the
// one that U-Boot is built with. Devicetree specification 0.4, section 5.
func compatible(b []byte) []string {
	for at := 0; ; at += 4 {
		i := bytes.Index(b[at:], fdtMagic)
		if i < 0 {
			return nil
		}
		at += i
		if c := rootCompatible(b[at:]); c != nil {
			return c
		}
	}
}

// rootCompatible reads up to the root's compatible and no further.
func rootCompatible(b []byte) []string {
	if len(b) < 40 {
		return nil
	}
	be := binary.BigEndian
	total, structs, names := be.Uint32(b[4:]), be.Uint32(b[8:]), be.Uint32(b[12:])
	if uint64(total) > uint64(len(b)) || structs > total || names > total {
		return nil
	}
	b = b[:total]
	s := b[structs:]
	for depth := 0; len(s) >= 4; {
		token := be.Uint32(s)
		s = s[4:]
		switch token {
		case 1: // FDT_BEGIN_NODE
			end := bytes.IndexByte(s, 0)
			if depth++; depth > 1 || end < 0 {
				return nil // properties come before nodes
			}
			s = skip(s, end+1)
		case 3: // FDT_PROP
			if len(s) < 8 || depth != 1 {
				return nil
			}
			n, off := be.Uint32(s), be.Uint32(s[4:])
			s = s[8:]
			if uint64(n) > uint64(len(s)) || uint64(names)+uint64(off) > uint64(total) {
				return nil
			}
			if bytes.HasPrefix(b[names+off:], []byte("compatible\x00")) {
				return strings.Split(strings.TrimRight(string(s[:n]), "\x00"), "\x00")
			}
			s = skip(s, int(n))
		case 4: // FDT_NOP
		default:
			return nil
		}
	}
	return nil
}

// skip leaves out n bytes and what pads them to four.
func skip(s []byte, n int) []byte {
	return s[min(len(s), (n+3)&^3):]
}
