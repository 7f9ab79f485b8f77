package flash

import (
	"bytes"
	"encoding/binary"
	"hash/crc32"
	"strings"
	"testing"

	"github.com/nbr-dev/nbr/firmware/image"
)

// sealed is a head with fields of its header changed and the checksums right.
func sealed(head []byte, change func(header, entries []byte)) []byte {
	head = bytes.Clone(head)
	header, entries := head[sector:2*sector], head[2*sector:][:128*128]
	change(header, entries)
	binary.LittleEndian.PutUint32(header[88:], crc32.ChecksumIEEE(entries))
	seal(header, 92)
	return head
}

func TestMoveBackup(t *testing.T) {
	t.Parallel()
	head := makeImage(t, nil, nil, nil)[:Block]
	le := binary.LittleEndian
	same := func([]byte, []byte) {}
	const sectors = imageSize / sector
	for _, tt := range []struct {
		name    string
		sectors int64
		change  func(header, entries []byte)
		patches int
		want    string
	}{
		{"a larger card", 80000, same, 4, ""},
		{"the same size", sectors, same, 0, ""},
		{"a table that was never at the end", 80000, func(h, _ []byte) { le.PutUint64(h[32:], 90000) }, 3, ""},
		{"a table in the way of a partition", 80000, func(h, _ []byte) { le.PutUint64(h[32:], 20000) }, 3, ""},
		{"just room", rootEnd + 34, same, 3, ""},
		{"no room", rootEnd + 33, same, 0, "the last partition ends at LBA 25599, and on a card of 25632 sectors there is no room"},
		{"a partition without end", 80000, func(_, e []byte) { le.PutUint64(e[40:], 1<<64-1) }, 0, "the last partition ends at LBA 18446744073709551615, and"},
		{"no entries", 80000, func(h, _ []byte) { le.PutUint32(h[80:], 0) }, 0, "is damaged"},
		{"entries of nothing", 80000, func(h, _ []byte) { le.PutUint32(h[84:], 0) }, 0, "is damaged"},
		{"entries of 100 bytes", 80000, func(h, _ []byte) { le.PutUint32(h[84:], 100) }, 0, "is damaged"},
		{"entries elsewhere", 80000, func(h, _ []byte) { le.PutUint64(h[72:], 1<<63) }, 0, "is damaged"},
		{"entries at the end of what is held", 80000, func(h, _ []byte) { le.PutUint64(h[72:], Block/sector-1) }, 0, "is damaged"},
	} {
		ps, err := moveBackup(sealed(head, tt.change), tt.sectors*sector)
		if (err != nil) != (tt.want != "") || err != nil && !strings.Contains(err.Error(), tt.want) || len(ps) != tt.patches {
			t.Errorf("%s: %d patches, %v; want %d, %s", tt.name, len(ps), err, tt.patches, tt.want)
		}
	}
	// A protective partition that is not for the whole of the image stays as it is.
	hybrid := bytes.Clone(head)
	le.PutUint32(hybrid[446+12:], 33)
	ps, err := moveBackup(hybrid, 80000*sector)
	if err != nil || len(ps) != 4 || !bytes.Equal(ps[1].b, hybrid[:sector]) {
		t.Errorf("%v, %v", ps, err)
	}
}

// Whatever an image begins with, nothing panics, nothing goes out of the card, and
// what is taken for a table is one afterwards.
func FuzzMoveBackup(f *testing.F) {
	head := sealed(makeImage(f, nil, nil, nil)[:34*sector], func(header, entries []byte) {
		clear(entries[128:])
		binary.LittleEndian.PutUint64(entries[40:], 500)
		binary.LittleEndian.PutUint64(header[32:], 999)
	})
	f.Add(head, int64(2000))
	f.Add(head, int64(1000))
	f.Add(head[:100], int64(1))
	f.Fuzz(func(t *testing.T, head []byte, sectors int64) {
		if sectors < 68 || sectors > 4096 {
			return
		}
		if len(head) >= 34*sector { // or the checksums refuse everything
			head = sealed(head, func(header, _ []byte) { copy(header, "EFI PART\x00\x00\x01\x00\x5c\x00\x00\x00") })
		}
		ps, err := moveBackup(head, sectors*sector)
		if err != nil || len(ps) == 0 {
			return
		}
		disk := make([]byte, sectors*sector)
		copy(disk, head)
		for _, p := range ps {
			if p.at < 0 || p.at+int64(len(p.b)) > int64(len(disk)) {
				t.Fatalf("%d bytes at %d of %d", len(p.b), p.at, len(disk))
			}
		}
		overlay(ps, disk, 0)
		img, err := image.ReadAt(bytes.NewReader(disk), int64(len(disk)))
		if err != nil || img.Kind != image.KindDisk {
			return // another kind of image begins before its table
		}
		for _, w := range img.Wrong(image.GPTPrimary, image.GPTPrimaryCRC, image.GPTBackupMissing, image.GPTBackupCRC, image.GPTBackupDiffers) {
			t.Errorf("%s: %s", w.What, w.Detail)
		}
	})
}
