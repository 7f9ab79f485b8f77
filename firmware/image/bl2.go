package image

import (
	"bytes"
	"cmp"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"regexp"
)

// The media that a BL2 can be made for, as Trusted Firmware-A's BOOT_DEVICE calls
// them.
const (
	SDMMC    = "sdmmc"
	EMMC     = "emmc"
	NOR      = "nor"
	SNAND    = "snand"
	SPIMNAND = "spim-nand"
	NAND     = "nand"
)

// A BL2 is what MediaTek's boot ROM starts, as mkimage -T mtk_image makes it
// (tools/mtk_image.h of U-Boot).
type BL2 struct {
	Medium    string `json:"medium"` // sdmmc, emmc, nor, snand, spim-nand or nand
	Size      int64  `json:"size"`   // from the device header to the hash
	Entry     uint32 `json:"entry"`  // address of the first instruction
	SHA256    string `json:"sha256"` // over all but the first headers
	Intact    bool   `json:"intact"` // the hash holds
	TFA       string `json:"tfa"`    // version of Trusted Firmware-A: v2.13.0(release)
	FourBG    string `json:"four_bg"`
	FourBGWhy string `json:"four_bg_why"`
	SoC       string `json:"soc,omitempty"`    // MT7988; empty if it is not known
	Memory    Memory `json:"memory"`           // what it was built for
	Packed    string `json:"packed,omitempty"` // xz, if the program is compressed
}

// The answers to whether DDR4_4BG_MODE is on.
const (
	Present = "present"
	Absent  = "absent"
	Unknown = "unknown"
)

// devices are the names at the beginning, and where the headers that follow are: in
// front of NAND they fill pages.
var devices = []struct {
	name, medium string
	brlyt        int64 // 0 is none
}{
	{"SDMMC_BOOT\x00", SDMMC, 0x200},
	{"EMMC_BOOT\x00", EMMC, 0x200},
	{"SF_BOOT\x00", NOR, 0x200},
	{"SPINAND!", SPIMNAND, 0},
	{"NANDCFG!", SNAND, 0}, // of a boot ROM with an HSM: MT7981, MT7986 and MT7988 behind SNFI
	{"BOOTLOADER!\x00", NAND, 0},
}

// layouts are the media by the type in the BRLYT header.
var layouts = map[uint32]string{0x10008: SDMMC, 0x10005: EMMC, 0x10007: NOR, 0x10009: SNAND, 0x10002: NAND}

// mostBL2 is the size of the bl2 partition of nixos-sbc's images, 30 times what
// there is to put in.
const mostBL2 = (8191 - 34 + 1) * sector

var fileInfo = []byte("FILE_INFO\x00")

const (
	gfhMagic   = 0x4d4d4d
	headers    = 0x300    // all GFH headers
	entryPoint = 0x201000 // BL2_BASE of MT7986 and MT7988
)

// isBL2 tells whether b begins like a BL2.
func isBL2(b []byte) bool {
	for _, d := range devices {
		if bytes.HasPrefix(b, []byte(d.name)) {
			return true
		}
	}
	return false
}

// readBL2 reads the BL2 that b begins with. What follows it in b is of no meaning.
func readBL2(b []byte, fs *findings) *BL2 {
	bl := &BL2{FourBG: Unknown, Memory: Memory{DDR: Unknown}}
	for _, d := range devices {
		if bytes.HasPrefix(b, []byte(d.name)) {
			bl.Medium = d.medium
			if d.brlyt > 0 {
				bl.device(b, fs)
				bl.layout(b, fs)
			}
		}
	}
	if bl.Medium == NAND && len(b) >= 0x81c { // or the older header for SPI NAND
		bl.Medium = cmp.Or(layouts[binary.LittleEndian.Uint32(b[0x818:])], NAND)
	}
	base := bl.base(b)
	if base < 0 {
		fs.add(BL2Chain, "there is no FILE_INFO where the %s layout has it: write the BL2 anew", bl.Medium)
		bl.FourBGWhy = "the BL2 has no FILE_INFO"
		return bl
	}
	bl.info(b, base, fs)
	bl.chain(b, base, fs)
	return bl
}

// field compares a number in a header with the only one it can be.
func field(fs *findings, code Code, what string, at int, got, want uint32) {
	if got != want {
		fs.add(code, "%s is %#x at byte %#x, not %#x: write the BL2 anew", what, got, at, want)
	}
}

// device judges the device header (struct gen_device_header).
func (bl *BL2) device(b []byte, fs *findings) {
	if len(b) < 0x200 {
		fs.add(BL2Device, "it is cut off after %d bytes", len(b))
		return
	}
	field(fs, BL2Device, "version", 0x0c, binary.LittleEndian.Uint32(b[0x0c:]), 1)
	field(fs, BL2Device, "size", 0x10, binary.LittleEndian.Uint32(b[0x10:]), 0x200)
}

// layout judges the BRLYT header (struct brom_layout_header), which names the
// medium once more.
func (bl *BL2) layout(b []byte, fs *findings) {
	if len(b) < 0x224 {
		fs.add(BL2Layout, "it is cut off after %d bytes", len(b))
		return
	}
	le := binary.LittleEndian
	if !bytes.Equal(b[0x200:0x208], []byte("BRLYT\x00\x00\x00")) {
		fs.add(BL2Layout, "it is called %q at byte 0x200, not \"BRLYT\": write the BL2 anew", bytes.TrimRight(b[0x200:0x208], "\x00"))
		return
	}
	field(fs, BL2Layout, "version", 0x208, le.Uint32(b[0x208:]), 1)
	field(fs, BL2Layout, "header size", 0x20c, le.Uint32(b[0x20c:]), 0x600)
	field(fs, BL2Layout, "magic", 0x214, le.Uint32(b[0x214:]), 0x42424242)
	if typ := le.Uint32(b[0x218:]); layouts[typ] != bl.Medium {
		fs.add(BL2Layout, "type is %#x at byte 0x218, which is %s, and the device header is for %s: write the BL2 anew", typ, cmp.Or(layouts[typ], "no medium"), bl.Medium)
	}
	field(fs, BL2Layout, "second header size", 0x21c, le.Uint32(b[0x21c:]), 0x600)
	field(fs, BL2Layout, "second total size", 0x220, le.Uint32(b[0x220:]), le.Uint32(b[0x210:]))
}

// base is where the headers that the hash covers begin, or -1.
func (bl *BL2) base(b []byte) int {
	bases := []int{0x600}
	if bl.Medium == SPIMNAND || bl.Medium == NAND || bl.Medium == SNAND {
		bases = []int{0x800, 0x1000, 0x2000} // pages of 2 and 4 KiB
	}
	for _, base := range bases {
		if len(b) >= base+0x38 && bytes.Equal(b[base+8:base+8+len(fileInfo)], fileInfo) {
			return base
		}
	}
	return -1
}

// info judges FILE_INFO (struct gfh_file_info) and reads what it leads to.
func (bl *BL2) info(b []byte, base int, fs *findings) {
	le := binary.LittleEndian
	i := b[base:]
	for _, f := range []struct {
		what      string
		at        int
		got, want uint32
	}{
		{"file type", 0x18, uint32(le.Uint16(i[0x18:])), 1},
		{"flash type", 0x1a, uint32(i[0x1a]), 5}, // GFH_FLASH_TYPE_GEN
		{"signature type", 0x1b, uint32(i[0x1b]), 1},
		{"load address", 0x1c, le.Uint32(i[0x1c:]), entryPoint - headers},
		{"header size", 0x28, le.Uint32(i[0x28:]), headers},
		{"signature size", 0x2c, le.Uint32(i[0x2c:]), sha256.Size},
		{"jump offset", 0x30, le.Uint32(i[0x30:]), headers},
		{"processed", 0x34, le.Uint32(i[0x34:]), 1},
	} {
		if bl.generic() || f.what != "flash type" {
			field(fs, BL2FileInfo, f.what, base+f.at, f.got, f.want)
		}
	}
	bl.Entry = le.Uint32(i[0x1c:]) + le.Uint32(i[0x30:])
	total := le.Uint32(i[0x20:])
	bl.Size = int64(base) + int64(total)
	if bl.generic() {
		field(fs, BL2FileInfo, "maximum size", base+0x24, le.Uint32(i[0x24:]), total+uint32(base))
	}
	switch {
	case total < headers+sha256.Size:
		fs.add(BL2FileInfo, "total size is %#x at byte %#x, which is less than its headers: write the BL2 anew", total, base+0x20)
		bl.FourBGWhy = "the BL2 has no program"
		return
	case bl.Size > int64(len(b)):
		fs.add(BL2Size, "it says that it has %d bytes, and there are %d: write the BL2 anew", bl.Size, len(b))
	}
	bl.body(b[base:min(int64(len(b)), bl.Size)], bl.Size <= int64(len(b)), fs)
}

// generic tells whether the medium has the generic headers, which those for NAND
// lack.
func (bl *BL2) generic() bool { return bl.Medium == SDMMC || bl.Medium == EMMC || bl.Medium == NOR }

// body is the hashed part: headers, program, SHA-256.
func (bl *BL2) body(b []byte, whole bool, fs *findings) {
	program := b[min(len(b), headers):]
	if whole {
		end := len(b) - sha256.Size
		sum := sha256.Sum256(b[:end])
		bl.SHA256 = fmt.Sprintf("%x", sum)
		bl.Intact = bytes.Equal(sum[:], b[end:])
		program = b[headers:end]
		switch {
		case bl.Intact:
		case bytes.Equal(b[end:], make([]byte, sha256.Size)):
			fs.add(BL2Size, "the last of the %d bytes that it says it has are zeros: write the BL2 anew", bl.Size)
		default:
			fs.add(BL2Hash, "SHA-256 is %s, and %x is written at its end: write the BL2 anew", bl.SHA256, b[end:])
		}
	}
	bl.program(program)
	if bl.FourBG == Unknown {
		fs.add(BL2Hidden, "DDR4_4BG_MODE cannot be told: %s", bl.FourBGWhy)
	}
}

// chain walks the headers (struct gfh_header): each says how long it is.
func (bl *BL2) chain(b []byte, base int, fs *findings) {
	le := binary.LittleEndian
	config := -1
	at := base
	for at < base+headers {
		if at+8 > len(b) {
			fs.add(BL2Chain, "it is cut off at byte %#x", at)
			return
		}
		magic, size, typ := le.Uint32(b[at:])&0xffffff, int(le.Uint16(b[at+4:])), le.Uint16(b[at+6:])
		if magic != gfhMagic || size < 8 {
			fs.add(BL2Chain, "there is no header at byte %#x, %#x bytes before the end of the chain: write the BL2 anew", at, base+headers-at)
			return
		}
		if typ == 7 { // BROM_CFG
			config = at
		}
		at += size
	}
	if at != base+headers {
		fs.add(BL2Chain, "its headers have %#x bytes, not %#x: write the BL2 anew", at-base, headers)
		return
	}
	bl.aarch64(b, config, fs)
}

// aarch64 looks for the two places by which the boot ROM starts 64-bit code
// (struct gfh_brom_cfg).
func (bl *BL2) aarch64(b []byte, config int, fs *findings) {
	switch {
	case config < 0 || config+0x56 > len(b):
		fs.add(BL2Chain, "it has no BROM_CFG: write the BL2 anew")
	case binary.LittleEndian.Uint32(b[config+8:])&0x1000 == 0 || b[config+0x55] != 0x64:
		fs.add(BL2AArch64, "BROM_CFG at byte %#x does not ask for it: make the BL2 with mkimage -n \"media=%s;arm64=1\"", config, bl.Medium)
	}
}

// versions are TF-A's: v2.13.0(release), and with a tab in MediaTek's v2.10.0.
var versions = regexp.MustCompile(`v(\d{1,2}\.\d{1,3}(?:\.\d{1,3})?)[ \t]{0,4}\((release|debug)\)`)

func tfa(b []byte) string {
	m := versions.FindSubmatch(b)
	if m == nil {
		return ""
	}
	return fmt.Sprintf("v%s(%s)", m[1], m[2])
}
