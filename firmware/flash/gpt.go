package flash

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"math"
	"slices"
)

// A patch is bytes that go over those of the image.
type patch struct {
	at int64
	b  []byte
}

// overlay puts the patches over b, which lies at a byte of the card. Later ones go
// over earlier ones.
func overlay(ps []patch, b []byte, at int64) {
	for _, p := range ps {
		from, to := max(p.at, at), min(p.at+int64(len(p.b)), at+int64(len(b)))
		if from < to {
			copy(b[from-at:to-at], p.b[from-p.at:])
		}
	}
}

// moveBackup are the patches that put the second partition table of an image to the
// end of a card of a size (UEFI specification 2.10, section 5.3.2: it has to be in
// the last sector). head is the beginning of the image. There are none when the
// image is as large as the card.
func moveBackup(head []byte, size int64) ([]patch, error) {
	if len(head) < 2*sector || string(head[sector:sector+8]) != "EFI PART" {
		return nil, fmt.Errorf("the image has no partition table at LBA 1")
	}
	le := binary.LittleEndian
	header := bytes.Clone(head[sector : 2*sector])
	last := uint64(size)/sector - 1
	at, count, each := le.Uint64(header[72:]), uint64(le.Uint32(header[80:])), uint64(le.Uint32(header[84:]))
	hsize := le.Uint32(header[12:])
	if hsize < 92 || hsize > sector || at < 2 || at > uint64(len(head)) ||
		count == 0 || count > 1024 || each == 0 || each%128 != 0 || each > 4096 || at*sector+count*each > uint64(len(head)) {
		return nil, fmt.Errorf("the image's first partition table is damaged")
	}
	entries := head[at*sector:][:count*each]
	if crc(header, hsize) != le.Uint32(header[16:]) || crc32.ChecksumIEEE(entries) != le.Uint32(header[88:]) {
		return nil, fmt.Errorf("the image's first partition table is damaged: its checksums do not hold")
	}
	old := le.Uint64(header[32:])
	if old == last {
		return nil, nil
	}
	long := (count*each + sector - 1) / sector
	end := lastUsed(entries, int(each))
	if end > last || end+long+1 > last {
		return nil, fmt.Errorf("the last partition ends at LBA %d, and on a card of %d sectors there is no room for the second partition table behind it", end, last+1)
	}
	le.PutUint64(header[32:], last)
	le.PutUint64(header[48:], last-long-1)
	seal(header, hsize)
	second := bytes.Clone(header)
	le.PutUint64(second[24:], last)
	le.PutUint64(second[32:], 1)
	le.PutUint64(second[72:], last-long)
	seal(second, hsize)

	var ps []patch
	if old > end+long && old < last { // no reader should find the old one
		ps = append(ps, patch{int64(old-long) * sector, make([]byte, (long+1)*sector)})
	}
	return append(ps, patch{0, protective(head[:sector], old, last)}, patch{sector, header},
		patch{int64(last-long) * sector, slices.Concat(entries, make([]byte, long*sector-count*each), second)}), nil
}

func crc(header []byte, size uint32) uint32 {
	h := bytes.Clone(header[:size])
	clear(h[16:20])
	return crc32.ChecksumIEEE(h)
}

func seal(header []byte, size uint32) {
	binary.LittleEndian.PutUint32(header[16:], crc(header, size))
}

// lastUsed is the last LBA that a partition has.
func lastUsed(entries []byte, each int) uint64 {
	var last uint64
	for e := range slices.Chunk(entries, each) {
		if !bytes.Equal(e[:16], make([]byte, 16)) {
			last = max(last, binary.LittleEndian.Uint64(e[40:]))
		}
	}
	return last
}

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
