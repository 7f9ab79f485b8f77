package image

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"hash/crc32"
	"io"
	"reflect"
	"runtime"
	"slices"
	"testing"

	"github.com/klauspost/compress/zstd"

	"github.com/nbr-dev/nbr/internal/bl2code"
)

// whole reads an image in both ways. Only what a stream does not keep may differ, and
// nothing here is as long as that.
func whole(t *testing.T, b []byte) *Image {
	at, err1 := ReadAt(bytes.NewReader(b), int64(len(b)))
	once, err2 := Read(io.MultiReader(bytes.NewReader(b)))
	if (err1 == nil) != (err2 == nil) || !reflect.DeepEqual(at, once) {
		t.Fatalf("%+v, %v\n%+v, %v", at, err1, once, err2)
	}
	if at == nil {
		return nil
	}
	for _, f := range at.Findings {
		if f.What == "" || f.Detail == "" || len(f.Detail) > 1000 {
			t.Fatalf("%+v", f)
		}
	}
	if Firmware(at.BL2, at.FIP) == nil && at.BL2 != nil {
		t.Fatal("a BL2 without a state")
	}
	return at
}

// sealTable gives a table the checksums that it then has, so that what is behind them is
// reached.
func sealTable(b []byte) {
	if len(b) < 34*sector {
		return
	}
	le := binary.LittleEndian
	h := b[sector:][:sector]
	le.PutUint32(h[88:], crc32.ChecksumIEEE(b[2*sector:34*sector]))
	if n := le.Uint32(h[12:]); n >= 92 && n <= sector {
		seal(h)
	}
}

// seedTable is a table with a bl2, a fip and what is in them.
func seedTable() []byte {
	b := make([]byte, 40*sector)
	le := binary.LittleEndian
	copy(b[510:], "\x55\xaa")
	b[446+4] = 0xee
	h := b[sector:]
	copy(h, "EFI PART\x00\x00\x01\x00\x5c")
	le.PutUint64(h[24:], 1)
	le.PutUint64(h[32:], 39)
	le.PutUint64(h[40:], 34)
	le.PutUint64(h[48:], 38)
	le.PutUint64(h[72:], 2)
	le.PutUint32(h[80:], 128)
	le.PutUint32(h[84:], 128)
	for i, name := range []string{"bl2", "fip"} {
		e := b[2*sector+128*i:]
		e[0], e[16], e[48] = 1, 1, 4
		le.PutUint64(e[32:], uint64(34+2*i))
		le.PutUint64(e[40:], uint64(35+2*i))
		for j, c := range name {
			e[56+2*j] = byte(c)
		}
	}
	copy(b[34*sector:], "SDMMC_BOOT\x00")
	copy(b[36*sector:], "\x01\x00\x64\xaa\x78\x56\x34\x12")
	return b
}

func FuzzGPT(f *testing.F) {
	b := seedTable()
	f.Add(b, true)
	f.Add(b[:34*sector], false)
	copy(b[39*sector:], b[sector:2*sector])
	f.Add(b, true)
	f.Fuzz(func(t *testing.T, b []byte, mend bool) {
		if mend {
			b = bytes.Clone(b)
			sealTable(b)
		}
		img := whole(t, b)
		if img == nil || img.GPT == nil {
			return
		}
		for _, p := range img.GPT.Partitions {
			if p.Size() < 0 || int64(len(p.at(&window{head: b, size: int64(len(b))}, mostBL2))) > p.Size() {
				t.Fatalf("%+v", p)
			}
		}
	})
}

// Whatever an image begins with, nothing panics, nothing goes out of the card, and what is
// taken for a table is one afterwards.
func FuzzMoveBackup(f *testing.F) {
	f.Add(seedTable(), int64(2000))
	f.Add(seedTable(), int64(80))
	f.Add(seedTable()[:100], int64(1))
	near := seedTable() // its second table is said to be where the first one is
	clear(near[2*sector : 34*sector])
	near[20*sector+40] = 1 // in an entry that is no partition
	binary.LittleEndian.PutUint64(near[sector+32:], 39)
	f.Add(near, int64(2012))
	f.Fuzz(func(t *testing.T, head []byte, sectors int64) {
		if sectors < 68 || sectors > 4096 {
			return
		}
		head = bytes.Clone(head)
		if len(head) >= 34*sector { // or the checksums refuse everything
			copy(head[sector:], "EFI PART\x00\x00\x01\x00\x5c\x00\x00\x00")
			sealTable(head)
		}
		ps, err := MoveBackup(head, sectors*sector)
		if err != nil || len(ps) == 0 {
			return
		}
		disk := make([]byte, sectors*sector)
		copy(disk, head)
		for _, p := range ps {
			if p.At < 0 || p.At+int64(len(p.Bytes)) > int64(len(disk)) {
				t.Fatalf("%d bytes at %d of %d", len(p.Bytes), p.At, len(disk))
			}
			copy(disk[p.At:], p.Bytes)
		}
		img, err := ReadAt(bytes.NewReader(disk), int64(len(disk)))
		if err != nil || img.Kind != KindDisk {
			return // another kind of image begins before its table
		}
		for _, w := range img.Wrong(GPTPrimary, GPTPrimaryCRC, GPTBackupMissing, GPTBackupCRC, GPTBackupDiffers) {
			t.Errorf("%s: %s", w.What, w.Detail)
		}
	})
}

func seedBL2(name string, base int) []byte {
	b := make([]byte, base+headers+64)
	le := binary.LittleEndian
	copy(b, name)
	copy(b[0x200:], "BRLYT\x00\x00\x00\x01\x00\x00\x00\x00\x06\x00\x00")
	le.PutUint32(b[base:], gfhMagic)
	le.PutUint16(b[base+4:], headers)
	copy(b[base+8:], fileInfo)
	le.PutUint32(b[base+0x20:], headers+64)
	copy(b[base+headers:], fourBG)
	return b
}

func FuzzBL2(f *testing.F) {
	f.Add(seedBL2("SDMMC_BOOT\x00", 0x600))
	f.Add(seedBL2("SPINAND!", 0x800))
	f.Add(seedBL2("BOOTLOADER!\x00", 0x1000))
	f.Add(seedBL2("NANDCFG!", 0x800))
	f.Fuzz(func(t *testing.T, b []byte) {
		img := whole(t, b)
		if img == nil || img.BL2 == nil {
			return
		}
		bl := img.BL2
		if bl.Medium == "" || bl.FourBG == "" || bl.FourBGWhy == "" || bl.Intact && (bl.Size > int64(len(b)) || len(img.Wrong(BL2Hash, BL2Size)) > 0) {
			t.Fatalf("%+v", bl)
		}
	})
}

// FuzzProgram reads any program as one of a BL2 that is not damaged: it comes to an end
// and to words that are known.
func FuzzProgram(f *testing.F) {
	for _, b := range []bl2code.Build{{Comb: true, FourBG: true}, {DDR4: true, FourBG: true, Limit: 4096}, {Comb: true, Quiet: true}} {
		f.Add(b.Program()[0x1000:]) // which begins at a page, too
		f.Add(b.Program())
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		bl := &BL2{Intact: true, FourBG: Unknown, Memory: Memory{DDR: Unknown}}
		bl.program(b)
		if !slices.Contains([]string{Present, Absent, Unknown}, bl.FourBG) || bl.FourBGWhy == "" ||
			!slices.Contains([]string{Comb, DDR4, DDR3, Unknown}, bl.Memory.DDR) || bl.Memory.Limit > 0 && bl.Memory.DDR == Unknown {
			t.Fatalf("%+v", bl)
		}
	})
}

// stored is an xz stream with three bytes in it that are not compressed.
var stored = slices.Concat([]byte("\xfd7zXZ\x00\x00\x01\x69\x22\xde\x36"), []byte("\x02\x00\x21\x01\x16\x00\x00\x00\x74\x2f\xe5\xa3"),
	[]byte("\x01\x00\x02abc\x00\x00"), binary.LittleEndian.AppendUint32(nil, crc32.ChecksumIEEE([]byte("abc"))))

// sealXZ gives the two headers the checksums that they then have.
func sealXZ(b []byte) {
	le := binary.LittleEndian
	if len(b) < xzHead+8 {
		return
	}
	le.PutUint32(b[8:], crc32.ChecksumIEEE(b[6:8]))
	if end := xzHead + (int(b[xzHead])+1)*4; end <= len(b) {
		le.PutUint32(b[end-4:], crc32.ChecksumIEEE(b[xzHead:end-4]))
	}
}

func FuzzXZ(f *testing.F) {
	f.Add(stored)
	f.Add(stored[:len(stored)-5])
	f.Fuzz(func(t *testing.T, b []byte) {
		b = bytes.Clone(b)
		sealXZ(b)
		if out, err := unpackXZ(b); err == nil && len(out) > mostUnpacked {
			t.Fatalf("%d bytes", len(out))
		}
	})
}

// A stream may ask for a dictionary of 4 GiB: it gets no more than others, and is
// unpacked all the same.
func TestXZDictionary(t *testing.T) {
	huge := bytes.Clone(stored)
	huge[xzHead+4] = 40
	sealXZ(huge)
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	out, err := unpackXZ(huge)
	runtime.ReadMemStats(&after)
	if string(out) != "abc" || err != nil {
		t.Errorf("%q, %v", out, err)
	}
	if n := after.TotalAlloc - before.TotalAlloc; n > 2*mostUnpacked {
		t.Errorf("%d bytes", n)
	}
}

func FuzzFIP(f *testing.F) {
	b := make([]byte, 16+3*40+64)
	le := binary.LittleEndian
	copy(b, "\x01\x00\x64\xaa\x78\x56\x34\x12")
	for i, id := range []string{"\x47\xd4\x08\x6d\x4c\xfe\x98\x46\x9b\x95\x29\x50\xcb\xbd\x5a\x00", "\xd6\xd0\xee\xa7\xfc\xea\xd5\x4b\x97\x82\x99\x34\xf2\x34\xb6\xe4", ""} {
		e := b[16+40*i:]
		copy(e, id)
		le.PutUint64(e[16:], uint64(136+32*i))
		le.PutUint64(e[24:], 32)
	}
	le.PutUint64(b[16+80+16:], uint64(len(b)))
	copy(b[168:], fdtMagic)
	f.Add(b)
	f.Add(b[:40])
	f.Fuzz(func(t *testing.T, b []byte) {
		img := whole(t, b)
		if img == nil || img.FIP == nil {
			return
		}
		for _, e := range img.FIP.Entries {
			if p := e.in(b); uint64(len(p)) != e.Size && p != nil {
				t.Fatalf("%+v", e)
			}
			if e.in(b) == nil && len(img.Wrong()) == 0 {
				t.Fatalf("%+v is not in the %d bytes and nothing is wrong", e, len(b))
			}
		}
		compatible(b)
	})
}

// FuzzRuns decodes a stream as it is and with its runs spelled out: the same comes out.
func FuzzRuns(f *testing.F) {
	// Frames with a window of 1 KiB: a run of 300 bytes, one of zeros, and what is raw.
	run := []byte{0x28, 0xb5, 0x2f, 0xfd, 0, 0, 300<<3&0xff | 2, 300 >> 5, 0, 'a', 200<<3&0xff | 3, 200 >> 5, 0, 0}
	raw := []byte{0x28, 0xb5, 0x2f, 0xfd, 0, 0, 3<<3 | 1, 0, 0, 'x', 'y', 'z'}
	jump := []byte{0x50, 0x2a, 0x4d, 0x18, 2, 0, 0, 0, 1, 2} // RFC 8878 section 3.1.2
	f.Add(run)
	f.Add(slices.Concat(raw, jump, run))
	f.Add(slices.Concat(run, raw[:8]))
	f.Add(slices.Concat(jump, []byte("no zstd")))
	f.Fuzz(func(t *testing.T, b []byte) {
		decode := func(r io.Reader) ([]byte, error) {
			z, err := zstd.NewReader(r, zstd.WithDecoderConcurrency(1), zstd.WithDecoderMaxWindow(1<<20))
			if err != nil {
				return nil, err
			}
			defer z.Close()
			return io.ReadAll(io.LimitReader(z, 8<<20))
		}
		want, err1 := decode(bytes.NewReader(b))
		got, err2 := decode(&runs{r: bufio.NewReader(bytes.NewReader(b))})
		if (err1 == nil) != (err2 == nil) || err1 == nil && !bytes.Equal(want, got) {
			t.Fatalf("%d bytes, %v; spelled out %d bytes, %v", len(want), err1, len(got), err2)
		}
	})
}
