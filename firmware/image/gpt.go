package image

import (
	"bytes"
	"cmp"
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"slices"
	"strings"
	"unicode/utf16"
)

// A GPT is a partition table (UEFI specification 2.10, section 5.3).
type GPT struct {
	DiskGUID    string      `json:"disk_guid"`
	FirstUsable uint64      `json:"first_usable"`
	LastUsable  uint64      `json:"last_usable"`
	Sectors     uint64      `json:"sectors"` // of the whole image
	From        string      `json:"from"`    // primary or backup: which table this is of
	Partitions  []Partition `json:"partitions"`
}

// A Partition is an entry of the table that is in use.
type Partition struct {
	Number     int    `json:"number"`
	Name       string `json:"name"`
	Type       string `json:"type"`
	GUID       string `json:"guid"`
	First      uint64 `json:"first"` // LBA
	Last       uint64 `json:"last"`  // LBA, the last of its own
	Attributes uint64 `json:"attributes"`
}

// Bootable tells whether the legacy BIOS bootable attribute is set (table 5.9, bit
// 2), by which MediaTek's boot ROM and U-Boot find what to start.
func (p Partition) Bootable() bool { return p.Attributes&4 != 0 }

// Size is in bytes; of a partition that no card could hold it is one that none
// could, too.
func (p Partition) Size() int64 {
	if p.First > p.Last {
		return 0
	}
	return int64(min(p.Last-p.First, 1<<50)+1) * sector
}

// Named are the partitions of a name.
func (g *GPT) Named(name string) []Partition {
	if g == nil {
		return nil
	}
	var out []Partition
	for _, p := range g.Partitions {
		if p.Name == name {
			out = append(out, p)
		}
	}
	return out
}

// mostEntries is eight times what every tool makes. It bounds what is read for a
// table whose header lies.
const mostEntries = 1024

// A table is one of the two, as it is on the medium.
type table struct {
	mine, alternate, first, last, entriesAt uint64
	guid                                    string
	count, size                             uint32
	entries                                 []byte
	whole                                   bool // both checksums hold
}

// tableCodes are what to say of the one or the other.
type tableCodes struct{ name, crc, field Code }

// readTable reads the table with its header at an LBA, and nil if none is there.
func readTable(h *window, lba uint64, codes tableCodes, fs *findings) *table {
	b, err := h.at(int64(lba)*sector, sector)
	if err != nil || string(b[:8]) != "EFI PART" {
		return nil
	}
	le := binary.LittleEndian
	t := &table{
		mine: le.Uint64(b[24:]), alternate: le.Uint64(b[32:]), first: le.Uint64(b[40:]), last: le.Uint64(b[48:]),
		guid: guid(b[56:72]), entriesAt: le.Uint64(b[72:]), count: le.Uint32(b[80:]), size: le.Uint32(b[84:]),
	}
	size := le.Uint32(b[12:])
	if size < 92 || size > sector {
		fs.add(codes.field, "header size is %d, not 92 to 512: make the table anew with sgdisk", size)
		return nil
	}
	t.whole = true
	if want, got := le.Uint32(b[16:]), headerCRC(b); want != got {
		t.whole = false
		fs.add(codes.crc, "the header says CRC %08x and has %08x: sgdisk -e mends it from the other one", want, got)
	}
	t.judge(b, lba, codes, fs)
	if t.size < 128 || t.size%128 != 0 || t.count == 0 || t.count > mostEntries || t.size > tailSize {
		fs.add(codes.field, "%d entries of %d bytes: there are at most %d, of 128 bytes times a power of two", t.count, t.size, mostEntries)
		return nil
	}
	if t.entries, err = entries(h, t); err != nil {
		fs.add(codes.field, "the entries are said to be at LBA %d: %v", t.entriesAt, err)
		return nil
	}
	if want, got := le.Uint32(b[88:]), crc32.ChecksumIEEE(t.entries); want != got {
		t.whole = false
		fs.add(codes.crc, "the header says CRC %08x for the entries, and they have %08x: sgdisk -e mends it from the other one", want, got)
	}
	return t
}

// headerCRC is the checksum that a header should have (section 5.3.2): of as many bytes as
// it says that it has, without the checksum itself.
func headerCRC(header []byte) uint32 {
	h := bytes.Clone(header[:binary.LittleEndian.Uint32(header[12:])])
	clear(h[16:20])
	return crc32.ChecksumIEEE(h)
}

// entries are all entries of a table, which lie in the image.
func entries(h *window, t *table) ([]byte, error) {
	if t.entriesAt > uint64(h.size)/sector {
		return nil, fmt.Errorf("the image has %d sectors", h.size/sector)
	}
	return h.at(int64(t.entriesAt)*sector, int64(t.count)*int64(t.size))
}

func (t *table) judge(b []byte, lba uint64, codes tableCodes, fs *findings) {
	if rev := binary.LittleEndian.Uint32(b[8:]); rev != 0x10000 {
		fs.add(codes.field, "revision is %#x, not 0x10000", rev)
	}
	if t.mine != lba {
		fs.add(codes.field, "the header says that it is at LBA %d, and is at %d", t.mine, lba)
	}
	if t.first > t.last {
		fs.add(codes.field, "usable are LBA %d to %d, which is none", t.first, t.last)
	}
}

// partitions are the entries in use (section 5.3.3).
func (t *table) partitions() []Partition {
	var out []Partition
	le := binary.LittleEndian
	for i := range int(t.count) {
		e := t.entries[i*int(t.size):][:128]
		if bytes.Equal(e[:16], make([]byte, 16)) {
			continue
		}
		out = append(out, Partition{
			Number: i + 1, Name: name(e[56:128]), Type: guid(e[:16]), GUID: guid(e[16:32]),
			First: le.Uint64(e[32:]), Last: le.Uint64(e[40:]), Attributes: le.Uint64(e[48:]),
		})
	}
	return out
}

// name is 36 characters of UTF-16, ended by a zero.
func name(b []byte) string {
	var u []uint16
	for i := 0; i < len(b); i += 2 {
		c := binary.LittleEndian.Uint16(b[i:])
		if c == 0 {
			break
		}
		u = append(u, c)
	}
	return string(utf16.Decode(u))
}

// guid is the text form; the first three fields are little endian (appendix A).
func guid(b []byte) string {
	le := binary.LittleEndian
	return strings.ToUpper(fmt.Sprintf("%08x-%04x-%04x-%x-%x", le.Uint32(b), le.Uint16(b[4:]), le.Uint16(b[6:]), b[8:10], b[10:16]))
}

// readGPT reads both tables and compares them. It is nil if neither is there.
func readGPT(h *window, fs *findings) *GPT {
	var own findings
	if h.size < 3*sector {
		return nil
	}
	sectors := uint64(h.size) / sector
	primary := readTable(h, 1, tableCodes{GPTPrimary, GPTPrimaryCRC, GPTPrimaryField}, &own)
	at := sectors - 1
	if primary != nil && primary.whole && primary.alternate != at {
		if primary.alternate < at {
			own.add(GPTBackupPlace, "it is said to be at LBA %d, and the last is %d: sgdisk -e moves it there, and so does the first boot of nixos-sbc", primary.alternate, at)
		} else {
			own.add(GPTCutOff, "the second partition table is said to be at LBA %d, and the image ends at %d: take it anew from where it is whole", primary.alternate, at)
		}
		at = min(at, primary.alternate)
	}
	backup := readTable(h, at, tableCodes{GPTBackupMissing, GPTBackupCRC, GPTBackupField}, &own)
	if primary == nil && backup == nil {
		*fs = append(*fs, own...)
		return nil
	}
	if !h.lost(int64(at) * sector) {
		missing(primary, backup, at, &own)
	}
	compare(primary, backup, &own)
	mbr(h, &own)
	g := &GPT{Sectors: sectors, From: "primary"}
	t := primary
	if primary == nil || !primary.whole && backup != nil && backup.whole {
		g.From, t = "backup", backup
	}
	g.DiskGUID, g.FirstUsable, g.LastUsable, g.Partitions = t.guid, t.first, t.last, t.partitions()
	g.judge(&own)
	*fs = append(*fs, own...)
	return g
}

// missing names a table that is not there, unless something of it was found.
func missing(primary, backup *table, at uint64, fs *findings) {
	said := func(c Code) bool { return slices.ContainsFunc(*fs, func(f Finding) bool { return f.Code == c }) }
	if primary == nil && !said(GPTPrimaryField) {
		fs.add(GPTPrimary, "nothing is at LBA 1; this is read from the second one: sgdisk -e brings it back")
	}
	if backup == nil && !said(GPTBackupField) {
		fs.add(GPTBackupMissing, "nothing is at LBA %d: the image is cut off, or sgdisk -e writes it", at)
	}
}

// compare finds fields in which two whole tables differ.
func compare(a, b *table, fs *findings) {
	if a == nil || b == nil || !a.whole || !b.whole {
		return
	}
	if b.alternate != 1 {
		fs.add(GPTBackupField, "the first table is said to be at LBA %d, and is at 1", b.alternate)
	}
	switch {
	case a.guid != b.guid:
		fs.add(GPTBackupDiffers, "the disk's GUID is %s in the first and %s in the second", a.guid, b.guid)
	case a.first != b.first || a.last != b.last:
		fs.add(GPTBackupDiffers, "usable are LBA %d to %d in the first and %d to %d in the second", a.first, a.last, b.first, b.last)
	case !bytes.Equal(a.entries, b.entries):
		fs.add(GPTBackupDiffers, "their entries are not the same: sgdisk -e writes the second from the first")
	}
}

// mbr looks for the partition of type 0xEE that keeps other tools away (section
// 5.2.3).
func mbr(h *window, fs *findings) {
	b, err := h.at(0, sector)
	if err != nil {
		return
	}
	if b[510] != 0x55 || b[511] != 0xaa {
		fs.add(GPTMBR, "sector 0 does not end in 55 AA: make the table anew with sgdisk")
		return
	}
	for i := range 4 {
		if b[446+16*i+4] == 0xee {
			return
		}
	}
	fs.add(GPTMBR, "sector 0 has no partition of type 0xEE: make the table anew with sgdisk")
}

func (g *GPT) judge(fs *findings) {
	ps := slices.Clone(g.Partitions)
	slices.SortStableFunc(ps, func(a, b Partition) int { return cmp.Compare(a.First, b.First) })
	for i, p := range ps {
		switch {
		case p.First > p.Last:
			fs.add(GPTBounds, "partition %d (%s) is LBA %d to %d: its end is before its beginning", p.Number, p.Name, p.First, p.Last)
		case p.Last >= g.Sectors:
			fs.add(GPTCutOff, "partition %d (%s) is LBA %d to %d, and the image ends at %d: take it anew from where it is whole", p.Number, p.Name, p.First, p.Last, g.Sectors-1)
		case p.First < g.FirstUsable || p.Last > g.LastUsable:
			fs.add(GPTBounds, "partition %d (%s) is LBA %d to %d, and the table allows %d to %d", p.Number, p.Name, p.First, p.Last, g.FirstUsable, g.LastUsable)
		}
		if i > 0 && p.First <= ps[i-1].Last {
			fs.add(GPTOverlap, "partition %d (%s) begins at LBA %d, and %d (%s) ends at %d", p.Number, p.Name, p.First, ps[i-1].Number, ps[i-1].Name, ps[i-1].Last)
		}
	}
}

// at are the bytes of a partition, at most n, as many as were kept.
func (p Partition) at(h *window, n int64) []byte {
	if p.First > p.Last || p.First > uint64(h.size)/sector {
		return nil
	}
	return h.from(int64(p.First)*sector, min(n, p.Size()))
}
