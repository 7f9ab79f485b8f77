package image

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"math"
	"slices"
)

// A Patch is bytes that go over those of an image, from byte At on.
type Patch struct {
	At    int64
	Bytes []byte
}

// MoveBackup returns the patches that put the second partition table of an image to the
// end of a card of a size in bytes (UEFI specification 2.10, section 5.3.2: it has to be in
// the last sector). head is the beginning of the image. There are none when the image is as
// large as the card.
func MoveBackup(head []byte, size int64) ([]Patch, error) {
	var fs findings
	t := readTable(&window{head: head, size: int64(len(head))}, 1, tableCodes{GPTPrimary, GPTPrimaryCRC, GPTPrimaryField}, &fs)
	switch {
	case t == nil && fs == nil:
		return nil, fmt.Errorf("the image has no partition table at LBA 1")
	case t == nil || !t.whole:
		return nil, fmt.Errorf("in the image, %s: %s", fs[0].What, fs[0].Detail)
	case uint64(size)/sector-1 == t.alternate:
		return nil, nil
	}
	le := binary.LittleEndian
	last := uint64(size)/sector - 1
	long := (uint64(len(t.entries)) + sector - 1) / sector
	end := le.Uint64(head[sector+72:]) + long - 1 // of the first table
	for _, p := range t.partitions() {
		end = max(end, p.Last)
	}
	if end > last || end+long+1 > last {
		return nil, fmt.Errorf("the last partition ends at LBA %d, and on a card of %d sectors there is no room for the second partition table behind it", end, last+1)
	}
	header := bytes.Clone(head[sector : 2*sector])
	le.PutUint64(header[32:], last)
	le.PutUint64(header[48:], last-long-1)
	seal(header)
	second := bytes.Clone(header)
	le.PutUint64(second[24:], last)
	le.PutUint64(second[32:], 1)
	le.PutUint64(second[72:], last-long)
	seal(second)

	var ps []Patch
	if old := t.alternate; old > end+long && old < last { // no tool should find the old one
		ps = append(ps, Patch{int64(old-long) * sector, make([]byte, (long+1)*sector)})
	}
	room := make([]byte, long*sector-uint64(len(t.entries)))
	return append(ps, Patch{0, protective(head[:sector], t.alternate, last)}, Patch{sector, header},
		Patch{int64(last-long) * sector, slices.Concat(t.entries, room, second)}), nil
}

// seal gives a header the checksum of its other bytes.
func seal(header []byte) { binary.LittleEndian.PutUint32(header[16:], headerCRC(header)) }

// protective is the boot sector with the partition that keeps other tools away as long
// as the card, if it was as long as the image (section 5.2.3).
func protective(mbr []byte, old, last uint64) []byte {
	mbr = bytes.Clone(mbr)
	for i := range 4 {
		if p := mbr[446+16*i:]; p[4] == 0xee && uint64(binary.LittleEndian.Uint32(p[12:])) == old {
			binary.LittleEndian.PutUint32(p[12:], uint32(min(last, math.MaxUint32)))
		}
	}
	return mbr
}
