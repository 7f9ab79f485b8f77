package image

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
)

// Kind is what was read.
type Kind string

// The kinds.
const (
	KindDisk Kind = "disk" // a card, or an image of one
	KindBL2  Kind = "bl2"  // a BL2, or the partition that has it
	KindFIP  Kind = "fip"  // a FIP, or the partition that has it
)

// An Image is all that was read. What is not there is nil.
type Image struct {
	Kind       Kind      `json:"kind"`
	Compressed string    `json:"compressed,omitempty"` // zstd
	Size       int64     `json:"size"`                 // of what is inside, if it is compressed
	GPT        *GPT      `json:"gpt"`
	BL2        *BL2      `json:"bl2"`
	FIP        *FIP      `json:"fip"`
	Loader     *Loader   `json:"loader"`
	Findings   []Finding `json:"findings"`
}

// Wrong are the findings that are more than a note, of these codes, or all.
func (img *Image) Wrong(codes ...Code) []Finding {
	var out []Finding
	for _, f := range img.Findings {
		fits := len(codes) == 0
		for _, c := range codes {
			fits = fits || f.Code == c
		}
		if fits && !f.Note {
			out = append(out, f)
		}
	}
	return out
}

// ErrNoImage is of something that has no firmware and no partition table.
var ErrNoImage = errors.New("not an image: it has no GPT, and begins neither with a BL2 nor with a FIP")

var zstdMagic = []byte{0x28, 0xb5, 0x2f, 0xfd} // RFC 8878 section 3.1.1

// packed are formats that nbr names and does not read.
var packed = []struct{ magic, name string }{
	{"\x1f\x8b", "gzip"},
	{string(xz), "xz"},
	{"BZh", "bzip2"},
	{"PK\x03\x04", "zip"},
	{"\x04\x22\x4d\x18", "lz4"},
	{"QFI\xfb", "qcow2"},
}

// mostWindow is the memory for the past of a compressed image. zstd -19, which
// nixos-sbc uses, asks for 8 MiB.
const mostWindow = 16 << 20

// Read reads an image from its beginning to its end, compressed or not. It keeps
// less than 64 MiB of memory busy, whatever the size of the image is.
func Read(r io.Reader) (*Image, error) {
	br := bufio.NewReaderSize(r, 64<<10)
	start, err := br.Peek(8)
	if len(start) == 0 {
		if err == io.EOF {
			return nil, errors.New("it is empty")
		}
		return nil, err
	}
	if err := foreign(start); err != nil {
		return nil, err
	}
	if !bytes.HasPrefix(start, zstdMagic) {
		h, err := stream(br)
		if err != nil {
			return nil, err
		}
		return read(h)
	}
	z, err := unpack(br)
	if err != nil {
		return nil, err
	}
	defer z.Close()
	h, err := stream(z)
	if err != nil {
		return nil, err
	}
	img, err := read(h)
	if err == nil {
		img.Compressed = "zstd"
	}
	return img, err
}

// Compressed tells whether Read is needed: of a compressed image ReadAt has to read
// everything, too.
func Compressed(r io.ReaderAt) bool {
	start := make([]byte, len(zstdMagic))
	return readAt(r, start, 0) == nil && bytes.Equal(start, zstdMagic)
}

// ReadAt reads an image, a card or a partition of which any part can be read, and
// only the parts that matter.
func ReadAt(r io.ReaderAt, size int64) (*Image, error) {
	if size == 0 {
		return nil, errors.New("it is empty")
	}
	start := make([]byte, min(size, 8))
	if err := readAt(r, start, 0); err != nil {
		return nil, err
	}
	if err := foreign(start); err != nil {
		return nil, err
	}
	if bytes.HasPrefix(start, zstdMagic) {
		return Read(io.NewSectionReader(r, 0, size))
	}
	h, err := random(r, size)
	if err != nil {
		return nil, err
	}
	return read(h)
}

func foreign(start []byte) error {
	for _, p := range packed {
		if bytes.HasPrefix(start, []byte(p.magic)) {
			return fmt.Errorf("it is %s, and nbr reads raw images and zstd: unpack it first", p.name)
		}
	}
	return nil
}

// read finds out what the bytes are.
func read(h *window) (*Image, error) {
	img := &Image{Size: h.size, Findings: []Finding{}}
	fs := (*findings)(&img.Findings)
	start := h.from(0, mostBL2)
	switch {
	case isBL2(start):
		img.Kind, img.BL2 = KindBL2, readBL2(start, fs)
	case isFIP(start):
		img.Kind, img.FIP = KindFIP, readFIP(h.from(0, headSize), h.size, fs)
	default:
		img.Kind, img.GPT = KindDisk, readGPT(h, fs)
		if img.GPT == nil {
			if len(img.Findings) > 0 {
				return nil, fmt.Errorf("%w; %s: %s", ErrNoImage, img.Findings[0].What, img.Findings[0].Detail)
			}
			return nil, ErrNoImage
		}
		img.disk(h, fs)
	}
	return img, nil
}

// disk reads what starts the board: one of the three kinds.
func (img *Image) disk(h *window, fs *findings) {
	if img.Loader = readRaspberry(h, img.GPT, fs); img.Loader == nil {
		if img.Loader = readRockchip(h, img.GPT, fs); img.Loader == nil {
			img.mediatek(h, fs)
		}
	}
	if root := img.GPT.Named("root"); len(root) == 1 && !root[0].Bootable() {
		// U-Boot's bootflow scan looks at all partitions only if none is bootable.
		fs.add(PartitionBoot, "partition %d (root) is not marked bootable, so U-Boot does not look for a kernel there: sgdisk -A %[1]d:set:2", root[0].Number)
	}
}

// mediatek reads the BL2, which the boot ROM finds by an attribute, and the FIP,
// which the BL2 finds by the name of its partition.
func (img *Image) mediatek(h *window, fs *findings) {
	bl2 := img.partition(h, "bl2", isBL2, fs)
	fip := img.partition(h, "fip", isFIP, fs)
	if bl2 == nil && fip == nil {
		return // a card of some other machine
	}
	for _, p := range []struct {
		name string
		*Partition
		read func(*window, Partition, *findings)
	}{{"bl2", bl2, img.readBL2}, {"fip", fip, img.readFIP}} {
		switch {
		case p.Partition == nil:
			fs.add(PartitionMissing, "no partition is called %s, and none holds one", p.name)
		case h.lost(int64(p.First) * sector):
			fs.add(PartitionUnread, "partition %d (%s) is behind the first %d bytes, which are all that is kept of a stream: unpack the image first", p.Number, p.name, headSize)
		default:
			p.read(h, *p.Partition, fs)
		}
	}
}

// partition is the one with a name, or the one that holds what should be in it.
func (img *Image) partition(h *window, name string, is func([]byte) bool, fs *findings) *Partition {
	if ps := img.GPT.Named(name); len(ps) > 1 {
		fs.add(PartitionTwice, "partitions %d and %d are both called %s", ps[0].Number, ps[1].Number, name)
		return &ps[0]
	} else if len(ps) == 1 {
		return &ps[0]
	}
	for _, p := range img.GPT.Partitions {
		if is(p.at(h, sector)) {
			fs.add(PartitionName, "partition %d holds the %s and is called %q: sgdisk -c %[1]d:%[2]s", p.Number, name, p.Name)
			return &p
		}
	}
	return nil
}

func (img *Image) readBL2(h *window, p Partition, fs *findings) {
	b := p.at(h, mostBL2)
	if !p.Bootable() {
		fs.add(PartitionBoot, "partition %d (bl2) is not marked bootable, by which the boot ROM finds it: sgdisk -A %[1]d:set:2", p.Number)
	}
	if !isBL2(b) {
		fs.add(BL2Missing, "partition %d (bl2) %s: write bl2.img there", p.Number, begins(b))
		return
	}
	img.BL2 = readBL2(b, fs)
	if img.BL2.Medium != SDMMC {
		// An eMMC starts from its own boot partition, NAND has no GPT.
		fs.add(BL2Medium, "it is made for %s, and from a card with a GPT the boot ROM starts one that is made for %s: build it with BOOT_DEVICE=%[2]s", img.BL2.Medium, SDMMC)
	}
}

func (img *Image) readFIP(h *window, p Partition, fs *findings) {
	b := p.at(h, headSize)
	if !isFIP(b) {
		fs.add(FIPMissing, "partition %d (fip) %s: write fip.bin there", p.Number, begins(b))
		return
	}
	img.FIP = readFIP(b, min(p.Size(), h.size-int64(p.First)*sector), fs)
	if end := int64(p.First)*sector + min(img.FIP.Size, p.Size()); end > headSize && h.lost(end-1) {
		fs.add(PartitionUnread, "partition %d (fip) goes on behind the first %d bytes, which are all that is kept of a stream: unpack the image first", p.Number, headSize)
	}
}

// begins says what there is instead.
func begins(b []byte) string {
	switch {
	case len(b) == 0:
		return "is outside of the image"
	case len(bytes.TrimRight(b[:min(len(b), sector)], "\x00")) == 0:
		return "begins with zeros"
	}
	return fmt.Sprintf("begins with % x", b[:min(len(b), 8)])
}
