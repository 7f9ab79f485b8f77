package image

import (
	"bufio"
	"encoding/binary"
	"errors"
	"io"
)

// runs passes on a zstd stream and turns blocks that are one byte repeated, which an
// image is full of, into blocks that are not compressed. They mean the same, and the
// decoder copies the latter; the former it fills byte by byte, which takes longer
// than all else. What is not zstd as RFC 8878 has it is passed on as it is: to
// refuse it is the decoder's part.
type runs struct {
	r    *bufio.Reader
	head []byte // to be handed out first
	fill int    // then so many times
	with byte   // this byte
	pass int64  // then so many bytes as they come

	inFrame, last, checksum, blind bool
}

func (f *runs) Read(p []byte) (int, error) {
	for {
		switch {
		case len(f.head) > 0:
			n := copy(p, f.head)
			f.head = f.head[n:]
			return n, nil
		case f.fill > 0:
			p = p[:min(len(p), f.fill)]
			f.fill -= len(p)
			clear(p)
			for i := 0; f.with != 0 && i < len(p); i++ {
				p[i] = f.with
			}
			return len(p), nil
		case f.pass > 0:
			n, err := f.r.Read(p[:min(int64(len(p)), f.pass)])
			f.pass -= int64(n)
			return n, err
		case f.blind:
			return f.r.Read(p)
		}
		if err := f.next(); err != nil {
			f.blind = true
			if !errors.Is(err, io.EOF) {
				return 0, err
			}
		}
	}
}

// next looks at the header that comes next. An error is of the reader; what there is
// before it has still to be passed on.
func (f *runs) next() error {
	switch {
	case !f.inFrame:
		return f.frame()
	case f.last:
		f.inFrame, f.last = false, false
		if f.checksum {
			f.pass = 4
		}
		return nil
	}
	return f.block()
}

// frame is section 3.1.1 and, for one to be skipped, 3.1.2.
func (f *runs) frame() error {
	b, err := f.r.Peek(5)
	if err != nil {
		return err
	}
	le := binary.LittleEndian
	switch magic := le.Uint32(b); {
	case magic>>4 == 0x184d2a5:
		if b, err = f.r.Peek(8); err != nil {
			return err
		}
		f.pass = 8 + int64(le.Uint32(b[4:]))
		return nil
	case magic != le.Uint32(zstdMagic):
		f.blind = true
		return nil
	}
	d := b[4]
	single := d>>5&1 == 1
	f.inFrame, f.checksum = true, d>>2&1 == 1
	f.pass = 5 + [...]int64{0, 1, 2, 4}[d&3] + [...]int64{0, 2, 4, 8}[d>>6]
	if !single || d>>6 == 0 {
		f.pass++ // the window, or a content size of one byte
	}
	return nil
}

// block is section 3.1.1.2.
func (f *runs) block() error {
	b, err := f.r.Peek(3)
	if err != nil {
		return err
	}
	head := uint32(b[0]) | uint32(b[1])<<8 | uint32(b[2])<<16
	size := int(head >> 3)
	f.last = head&1 == 1
	if head>>1&3 != 1 {
		f.pass = 3 + int64(size)
		return nil
	}
	if b, err = f.r.Peek(4); err != nil {
		return err
	}
	head &^= 2 // to Raw_Block
	f.head, f.fill, f.with = []byte{byte(head), byte(head >> 8), byte(head >> 16)}, size, b[3]
	_, err = f.r.Discard(4)
	return err
}
