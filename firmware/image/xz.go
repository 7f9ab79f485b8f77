package image

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"hash/crc64"
	"io"

	"github.com/ulikunitz/xz/lzma"
)

// xz is how an .xz stream begins (The .xz file format 1.2.1, section 2.1.1.1). It means
// nothing alone: whatever can unpack such a stream has these bytes in it, too, and every
// BL2 of MediaTek's can.
var xz = []byte("\xfd7zXZ\x00")

const (
	// mostUnpacked is twice what a BL2 has room for in memory. Neither a stream nor its
	// dictionary gets more, whatever they ask for.
	mostUnpacked = 2 * MostBL33
	// mostStreams is how many streams are tried: a BL2 has one.
	mostStreams = 8

	xzHead = 12 // bytes of the stream header
)

// errNoStream is of bytes that are no more than the magic.
var errNoStream = errors.New("no xz stream")

// unpackXZ unpacks the stream that b begins with, as xz -9 -C crc32 makes it for
// MediaTek's TF-A (plat/mediatek/apsoc_common/bl2/bl2_image_post.mk): one block that
// LZMA2 alone has packed. What follows the block in b is of no meaning.
func unpackXZ(b []byte) ([]byte, error) {
	le := binary.LittleEndian
	if len(b) < xzHead+8 || !bytes.HasPrefix(b, xz) || crc32.ChecksumIEEE(b[6:8]) != le.Uint32(b[8:]) {
		return nil, errNoStream
	}
	at := xzHead + (int(b[xzHead])+1)*4 // section 3.1.1
	if b[xzHead] == 0 || at > len(b) || crc32.ChecksumIEEE(b[xzHead:at-4]) != le.Uint32(b[at-4:]) {
		return nil, errNoStream
	}
	if err := onlyLZMA2(b[xzHead : at-4]); err != nil {
		return nil, err
	}
	src := bytes.NewReader(b[at:]) // an io.ByteReader: nothing is read ahead
	r, err := lzma.Reader2Config{DictCap: mostUnpacked}.NewReader2(src)
	if err != nil {
		return nil, err
	}
	out, err := io.ReadAll(io.LimitReader(r, mostUnpacked+1))
	switch {
	case err != nil:
		return nil, err
	case len(out) > mostUnpacked:
		return nil, fmt.Errorf("it has more than %d bytes in it", mostUnpacked)
	}
	packed := int(src.Size()) - src.Len()
	end := min(len(b), at+(packed+3)&^3) // section 3.3
	return out, check(b[7], out, b[end:])
}

// onlyLZMA2 refuses a block header (section 3.1) with another filter than LZMA2.
func onlyLZMA2(h []byte) error {
	flags, rest := h[1], h[2:]
	for _, has := range []byte{0x40, 0x80} { // the sizes, which the index has, too
		if flags&has != 0 {
			_, n := binary.Uvarint(rest)
			if n <= 0 {
				return errNoStream
			}
			rest = rest[n:]
		}
	}
	if flags&0x3f != 0 || len(rest) < 3 || rest[0] != 0x21 || rest[1] != 1 {
		return errors.New("it is packed with another filter than LZMA2")
	}
	return nil
}

// check compares what was unpacked with the check behind the block (section 2.1.1.2).
func check(kind byte, out, b []byte) error {
	var want []byte
	switch kind {
	case 0:
	case 1:
		want = binary.LittleEndian.AppendUint32(nil, crc32.ChecksumIEEE(out))
	case 4:
		want = binary.LittleEndian.AppendUint64(nil, crc64.Checksum(out, crc64.MakeTable(crc64.ECMA)))
	case 10:
		sum := sha256.Sum256(out)
		want = sum[:]
	default:
		return fmt.Errorf("it has a check of kind %d", kind)
	}
	if !bytes.HasPrefix(b, want) {
		return errors.New("its check does not hold")
	}
	return nil
}

// An xzStream is what a program has packed in it.
type xzStream struct {
	at  int // byte of the program, or -1
	out []byte
	err error // it could not be unpacked
}

// packedIn finds the first xz stream of a program.
func packedIn(program []byte) xzStream {
	from := 0
	for range mostStreams {
		i := bytes.Index(program[from:], xz)
		if i < 0 {
			break
		}
		out, err := unpackXZ(program[from+i:])
		if !errors.Is(err, errNoStream) {
			return xzStream{from + i, out, err}
		}
		from += i + len(xz)
	}
	return xzStream{at: -1}
}
