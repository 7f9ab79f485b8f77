package image

import (
	"bytes"
	"cmp"
	"encoding/binary"
	"fmt"
	"regexp"
	"slices"
)

// A FIP is a package of firmware (include/tools_share/firmware_image_package.h of
// Trusted Firmware-A).
type FIP struct {
	Size      int64   `json:"size"` // as the last entry of its table says
	Entries   []Entry `json:"entries"`
	TFA       string  `json:"tfa"`        // version in BL31
	UBoot     string  `json:"uboot"`      // version in BL33
	UBootHash string  `json:"uboot_hash"` // of the Nix store path that U-Boot says it is of
	Packed    string  `json:"packed,omitempty"`
	// Compatible is of the device tree that U-Boot has with it: it tells the SoC.
	Compatible []string `json:"compatible"`
}

// An Entry is one program of a FIP.
type Entry struct {
	Name   string `json:"name"` // BL31, BL33, …, or empty for one nbr does not know
	UUID   string `json:"uuid"`
	Offset uint64 `json:"offset"` // from the beginning of the FIP
	Size   uint64 `json:"size"`
}

// Entry is the entry of a name, or nil.
func (f *FIP) Entry(name string) *Entry {
	i := slices.IndexFunc(f.Entries, func(e Entry) bool { return e.Name == name })
	if i < 0 {
		return nil
	}
	return &f.Entries[i]
}

// uuids are those of firmware_image_package.h, as they lie in the file.
var uuids = map[string]string{
	"47d4086d4cfe98469b952950cbbd5a00": "BL31",
	"d6d0eea7fcead54b97829934f234b6e4": "BL33",
	"05d0e18953dc13478d2b500a4b7a3e38": "BL32",
	"5ff9ec0b4d223e4da544c39d81c73f0a": "BL2",
}

const (
	// MostFIP is the fip partition of nixos-sbc's images, and MostBL33 what its BL2
	// has room for in memory (image_max_size).
	MostFIP  = 2 << 20
	MostBL33 = 0x200000

	fipMagic   = 0xaa640001
	mostListed = 64 // entries; fiptool knows 40
	// tailOfZeros is longer than what any linker or device tree compiler pads with.
	tailOfZeros = 64 << 10
)

func isFIP(b []byte) bool { return len(b) >= 16 && binary.LittleEndian.Uint32(b) == fipMagic }

// readFIP reads the FIP that b begins with. So many bytes are there where it lies: of
// its partition, or of an image that ends before; b may be less if not all was kept.
func readFIP(b []byte, room int64, fs *findings) *FIP {
	f := &FIP{}
	le := binary.LittleEndian
	if le.Uint32(b[4:]) == 0 {
		fs.add(FIPHeader, "its serial number is 0: make it anew with fiptool") // drivers/io/io_fip.c, is_valid_header
	}
	ended := false
	for at := 16; !ended; at += 40 {
		switch {
		case at+40 > len(b) && int64(len(b)) >= room:
			fs.add(FIPTruncated, "its table of contents goes on after the %d bytes there are: write it anew", room)
			return f
		case at+40 > len(b) || len(f.Entries) == mostListed:
			fs.add(FIPToC, "its table of contents has no end after %d entries: make it anew with fiptool", len(f.Entries))
			return f
		}
		id := fmt.Sprintf("%x", b[at:at+16])
		e := Entry{uuids[id], id, le.Uint64(b[at+16:]), le.Uint64(b[at+24:])}
		if bytes.Equal(b[at:at+16], make([]byte, 16)) {
			ended = true
			f.end(e.Offset, uint64(at)+40, fs)
			break
		}
		f.Entries = append(f.Entries, e)
	}
	f.judge(uint64(room), uint64(40*len(f.Entries)+56), fs)
	f.read(b, fs)
	return f
}

// end takes the offset of the terminator: all that lies before it.
func (f *FIP) end(offset, table uint64, fs *findings) {
	f.Size = int64(min(offset, 1<<62))
	if offset < table {
		fs.add(FIPToC, "its end is said to be at byte %#x, inside its table of contents: make it anew with fiptool", offset)
	}
}

func (f *FIP) judge(room, table uint64, fs *findings) {
	size := uint64(f.Size)
	if size > room {
		fs.add(FIPTruncated, "it says that it has %d bytes, and there are %d: write it anew", size, room)
	}
	if size > MostFIP {
		fs.add(FIPTooLarge, "it has %d bytes; the fip partition has %d", size, MostFIP)
	}
	seen := map[string]bool{}
	for _, e := range f.Entries {
		what := cmp.Or(e.Name, e.UUID)
		switch {
		case e.Offset < table || e.Offset > size || e.Size > size-e.Offset:
			fs.add(FIPBounds, "%s is %#x bytes at %#x, and the FIP is from %#x to %#x: make it anew with fiptool", what, e.Size, e.Offset, table, size)
		case e.Size == 0:
			fs.add(FIPBounds, "%s is empty: make it anew with fiptool", what)
		}
		if seen[e.UUID] {
			fs.add(FIPTwice, "%s is there twice: make it anew with fiptool", what)
		}
		seen[e.UUID] = true
	}
	f.overlap(fs)
	if f.Entry("BL31") == nil {
		fs.add(FIPNoBL31, "make it anew with fiptool create --soc-fw bl31.bin --nt-fw u-boot.bin")
	}
	if e := f.Entry("BL33"); e == nil {
		fs.add(FIPNoBL33, "make it anew with fiptool create --soc-fw bl31.bin --nt-fw u-boot.bin")
	} else if e.Size > MostBL33 {
		fs.add(BL33TooLarge, "it has %d bytes, and BL2 has room for %d", e.Size, MostBL33)
	}
}

func (f *FIP) overlap(fs *findings) {
	es := slices.Clone(f.Entries)
	slices.SortStableFunc(es, func(a, b Entry) int { return cmp.Compare(a.Offset, b.Offset) })
	for i := 1; i < len(es); i++ {
		if a, b := es[i-1], es[i]; b.Offset-a.Offset < a.Size {
			fs.add(FIPOverlap, "%s is %#x bytes at %#x, and %s begins at %#x: make it anew with fiptool",
				cmp.Or(a.Name, a.UUID), a.Size, a.Offset, cmp.Or(b.Name, b.UUID), b.Offset)
		}
	}
}

// in are the bytes of an entry, and nil if they are not all in b.
func (e *Entry) in(b []byte) []byte {
	if e == nil || e.Offset > uint64(len(b)) || e.Size > uint64(len(b))-e.Offset {
		return nil
	}
	return b[e.Offset:][:e.Size]
}

// uboots are the versions that nixos-sbc gives U-Boot: the release, and the hash of
// its own store path (pkgs/u-boot/default.nix there). Nix's alphabet has no e, o, t
// and u (libutil/hash.cc).
var (
	uboots    = regexp.MustCompile(`U-Boot (\d{4}\.\d{2}[0-9A-Za-z.+_-]{0,80})`)
	storeHash = regexp.MustCompile(`-([0-9abcdfghijklmnpqrsvwxyz]{32})$`)
)

func (f *FIP) read(b []byte, fs *findings) {
	bl31, bl33 := f.unpacked("BL31", BL31Packed, b, fs), f.unpacked("BL33", BL33Packed, b, fs)
	if len(bl33) > MostBL33 && f.Entry("BL33").Size <= MostBL33 {
		fs.add(BL33TooLarge, "it has %d bytes when it is unpacked, and BL2 has room for %d", len(bl33), MostBL33)
	}
	f.swapped(bl31, bl33, fs)
	f.TFA = tfa(bl31)
	if m := uboots.FindSubmatch(bl33); m != nil {
		f.UBoot = string(m[1])
		if h := storeHash.FindSubmatch(m[1]); h != nil {
			f.UBootHash = string(h[1])
		}
	}
	f.Compatible = compatible(bl33)
	f.zeros(b, fs)
}

// unpacked is a program of the FIP, which BL2 unpacks if it is an xz stream
// (FIP_COMPRESS=1).
func (f *FIP) unpacked(name string, packed Code, b []byte, fs *findings) []byte {
	program := f.Entry(name).in(b)
	if !bytes.HasPrefix(program, xz) {
		return program
	}
	out, err := unpackXZ(program)
	if err != nil {
		fs.add(FIPUnpack, "%s begins like an xz stream, which BL2 unpacks, and is none that can be: %v: write it anew", name, err)
		return nil
	}
	f.Packed = "xz"
	fs.add(packed, "it is an xz stream of %d bytes, and unpacked has %d; nixos-sbc does not compress it", len(program), len(out))
	return out
}

// swapped finds U-Boot in the place of TF-A, and the other way round: fiptool takes any
// file for either.
func (f *FIP) swapped(bl31, bl33 []byte, fs *findings) {
	switch u, a := uboots.Find(bl31), tfa(bl33); {
	case u != nil:
		fs.add(FIPSwapped, "BL31 holds %s: make it anew with fiptool create --soc-fw bl31.bin --nt-fw u-boot.bin", u)
	case a != "" && !uboots.Match(bl33):
		fs.add(FIPSwapped, "BL33 holds Trusted Firmware-A %s and no U-Boot: make it anew with fiptool create --soc-fw bl31.bin --nt-fw u-boot.bin", a)
	}
}

// zeros finds a program whose end was never written: a FIP has no checksum.
func (f *FIP) zeros(b []byte, fs *findings) {
	for _, e := range f.Entries {
		p := e.in(b)
		n := len(p) - len(bytes.TrimRight(p, "\x00"))
		if n >= tailOfZeros {
			fs.add(FIPTruncated, "the last %d of the %d bytes of %s are zeros: write it anew", n, len(p), cmp.Or(e.Name, e.UUID))
		}
	}
}
