package image_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"flag"
	"fmt"
	"hash/crc32"
	"io"
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/nbr-dev/nbr/firmware/image"
	"github.com/nbr-dev/nbr/verify/state"
)

var update = flag.Bool("update", false, "write testdata/findings.txt anew")

// inspect reads an image in both ways, which must not differ.
func inspect(t testing.TB, b []byte) *image.Image {
	t.Helper()
	at, err := image.ReadAt(bytes.NewReader(b), int64(len(b)))
	if err != nil {
		t.Fatal(err)
	}
	once, err := image.Read(io.MultiReader(bytes.NewReader(b))) // no other method
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(at, once); d != "" {
		t.Errorf("read at random and read as a stream (-random +stream):\n%s", d)
	}
	return at
}

func TestRightImage(t *testing.T) {
	p := makeParts(t)
	disk := p.disk()
	got := inspect(t, disk)
	linux := "0FC63DAF-8483-4772-8E79-3D69D8477DE4"
	id := func(n int) string { return fmt.Sprintf("6B7A1C52-0D4E-4E0B-9A0C-2F31A5C0D1E%d", n) }
	bl31, bl33 := uint64(40<<10), uint64(len(uboot(800<<10)))
	want := &image.Image{
		Kind: image.KindDisk, Size: (rootEnd + 100) * sector, Findings: []image.Finding{},
		GPT: &image.GPT{
			DiskGUID: id(0), FirstUsable: 34, LastUsable: rootEnd + 100 - 34, Sectors: rootEnd + 100, From: "primary",
			Partitions: []image.Partition{
				{1, "bl2", linux, id(1), 34, 8191, 4},
				{2, "u-boot-env", linux, id(2), 8192, 9215, 0},
				{3, "factory", linux, id(3), 9216, 13311, 0},
				{4, "fip", linux, id(4), 13312, 17407, 0},
				{5, "root", linux, id(5), 17408, rootEnd, 4},
			},
		},
		BL2: &image.BL2{
			Medium: "sdmmc", Size: int64(len(p.bl2)), Entry: 0x201000, Intact: true, TFA: "v2.13.0(release)", SoC: "MT7988", Memory: image.Memory{DDR: "comb"},
			SHA256: fmt.Sprintf("%x", p.bl2[len(p.bl2)-32:]),
			FourBG: "present", FourBGWhy: `the BL2 has the text "EMI: DDR4 4BG mode"`,
		},
		FIP: &image.FIP{
			Size: int64(len(p.fip)), TFA: "v2.13.0(release)", Compatible: []string{"mediatek,mt7988-rfb"},
			UBoot: "2025.07-1i3dxjd46ny9ir63n9qy6bxg5vzz78jj", UBootHash: "1i3dxjd46ny9ir63n9qy6bxg5vzz78jj",
			Entries: []image.Entry{
				{"BL31", "47d4086d4cfe98469b952950cbbd5a00", 0x88, bl31},
				{"BL33", "d6d0eea7fcead54b97829934f234b6e4", 0x88 + bl31, bl33},
			},
		},
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
	// The same of the single partitions of a running board, which end in zeros.
	for lba, end := range map[int]int{34: 8192, 13312: 17408} {
		one := inspect(t, disk[lba*sector:end*sector])
		if one.Kind == image.KindBL2 && cmp.Equal(one.BL2, want.BL2) || one.Kind == image.KindFIP && cmp.Equal(one.FIP, want.FIP) {
			if len(one.Findings) == 0 {
				continue
			}
		}
		t.Errorf("LBA %d: %+v", lba, one)
	}
	firmware := &state.Firmware{
		Medium: "sdmmc", Intact: true, TFA: "v2.13.0(release)", FourBG: "present", FourBGWhy: want.BL2.FourBGWhy, SoC: "MT7988", DDR: "comb",
		UBoot: want.FIP.UBoot, UBootHash: want.FIP.UBootHash,
	}
	if d := cmp.Diff(firmware, image.Firmware(got.BL2, got.FIP)); d != "" {
		t.Error(d)
	}
	if image.Firmware(nil, got.FIP) != nil || image.Firmware(got.BL2, nil).UBoot != "" {
		t.Error("a state made of what is not there")
	}
}

// sgdisk has the last word on tables: it finds nothing wrong with the right one.
func TestToolsAgree(t *testing.T) {
	p := makeParts(t)
	file := write(t, t.TempDir()+"/sd.raw", p.disk())
	if out := run(t, "sgdisk", "-v", file); !bytes.Contains(out, []byte("No problems found")) {
		t.Errorf("sgdisk: %s", out)
	}
	fip := write(t, t.TempDir()+"/fip.bin", p.fip)
	got := inspect(t, p.fip)
	for _, e := range got.FIP.Entries {
		line := fmt.Sprintf("offset=0x%X, size=0x%X", e.Offset, e.Size)
		if out := run(t, "fiptool", "info", fip); !bytes.Contains(out, []byte(line)) {
			t.Errorf("fiptool does not say %s: %s", line, out)
		}
	}
}

// What the findings say to do with sgdisk helps.
func TestAdvice(t *testing.T) {
	p := makeParts(t)
	for _, w := range []wrong{
		{"", "gpt-primary-missing", bytesAt(sector, zeros(sector)...)},
		{"", "gpt-primary-crc", bytesAt(sector+56, 0)},
		{"", "gpt-primary-crc", bytesAt(2*sector+57, 'x')},
		{"", "gpt-backup-missing", bytesAt(backupAt(0), zeros(sector)...)},
		{"", "gpt-backup-crc", bytesAt(backupAt(56), 0)},
		{"", "gpt-backup-crc", bytesAt(backupAt(-32*sector+57), 'x')},
		{"", "gpt-backup-differs", tableAt(true, sector+56, 'x')},
		{"", "gpt-backup-place", func(_ *testing.T, p *parts) []byte { return append(p.disk(), zeros(4<<20)...) }},
		{"", "partition-name", layoutOf("4:fip", "4:FIP")},
		{"", "partition-bootable", layoutOf("-A 1:set:2:1 ", "")},
		{"", "partition-bootable", layoutOf("-A 5:set:2", "")},
	} {
		t.Run(w.codes, func(t *testing.T) {
			t.Parallel()
			p := *p
			file := write(t, t.TempDir()+"/sd.raw", w.make(t, &p))
			before := inspect(t, read(t, file))
			m := regexp.MustCompile(`sgdisk (-e|-[a-zA-Z] \S+)`).FindStringSubmatch(before.Findings[0].Detail)
			if m == nil || string(before.Findings[0].Code) != w.codes {
				t.Fatal(before.Findings)
			}
			run(t, "sgdisk", append(strings.Fields(m[1]), file)...)
			if after := inspect(t, read(t, file)); len(after.Findings) > 0 || len(after.GPT.Partitions) != 5 {
				t.Errorf("after %s: %v", m[0], after.Findings)
			}
		})
	}
}

// A wrong image is the right one and a change to it.
type wrong struct {
	name  string
	codes string // of all findings
	make  func(*testing.T, *parts) []byte
}

// bytesAt changes bytes of the finished image.
func bytesAt(at int, b ...byte) func(*testing.T, *parts) []byte {
	return func(_ *testing.T, p *parts) []byte {
		d := p.disk()
		copy(d[at:], b)
		return d
	}
}

// bl2At changes bytes of the BL2 and gives it the hash that it then has.
func bl2At(at int, b ...byte) func(*testing.T, *parts) []byte {
	return func(_ *testing.T, p *parts) []byte {
		p.bl2 = bytes.Clone(p.bl2)
		copy(p.bl2[at:], b)
		end := len(p.bl2) - 32
		sum := sha256.Sum256(p.bl2[0x600:end])
		copy(p.bl2[end:], sum[:])
		return p.disk()
	}
}

// fipAt changes bytes of the FIP.
func fipAt(at int, b ...byte) func(*testing.T, *parts) []byte {
	return bytesAt(13312*sector+at, b...)
}

// bl2Of is another BL2.
func bl2Of(media string, payload []byte) func(*testing.T, *parts) []byte {
	return func(t *testing.T, p *parts) []byte {
		p.bl2 = makeBL2(t, media, payload)
		return p.disk()
	}
}

// fipOf is another FIP.
func fipOf(bl31, bl33 []byte) func(*testing.T, *parts) []byte {
	return func(t *testing.T, p *parts) []byte {
		p.fip = makeFIP(t, bl31, bl33)
		return p.disk()
	}
}

// layoutOf is another call of sgdisk, after words of the right one are replaced.
func layoutOf(old, new string) func(*testing.T, *parts) []byte {
	return func(t *testing.T, p *parts) []byte {
		l := strings.Replace(strings.Join(nixosSBC, " "), old, new, 1)
		if l == strings.Join(nixosSBC, " ") {
			t.Fatalf("no %s in the layout", old)
		}
		p.table = makeDisk(t, rootEnd, strings.Fields(l)...)
		return p.disk()
	}
}

// tableAt changes bytes of the first or second header and of the first entries, and
// mends the checksums: only what the bytes mean is wrong.
func tableAt(second bool, at int, b ...byte) func(*testing.T, *parts) []byte {
	return func(_ *testing.T, p *parts) []byte {
		d := p.disk()
		header, entries := d[sector:], d[2*sector:][:128*128]
		if second {
			header, entries = d[len(d)-sector:], d[len(d)-33*sector:][:128*128]
		}
		if at >= sector {
			copy(entries[at-sector:], b)
		} else {
			copy(header[at:], b)
		}
		sealed(header, entries)
		return d
	}
}

// sealed gives a partition table the checksums that it then has.
func sealed(header, entries []byte) {
	le := binary.LittleEndian
	le.PutUint32(header[88:], crc32.ChecksumIEEE(entries))
	le.PutUint32(header[16:], 0)
	le.PutUint32(header[16:], crc32.ChecksumIEEE(header[:92]))
}

// bothAt is tableAt of both.
func bothAt(at int, b ...byte) func(*testing.T, *parts) []byte {
	return func(t *testing.T, p *parts) []byte {
		p.table = tableAt(false, at, b...)(t, p)
		return tableAt(true, at, b...)(t, p)
	}
}

func zeros(n int) []byte { return make([]byte, n) }

func backupAt(at int) int { return (rootEnd+99)*sector + at }

func wrongImages(t *testing.T) []wrong {
	bl31, bl33 := program(40<<10, tfa), uboot(800<<10)
	packed := packXZ(t, eight.Program())
	badXZ := packXZ(t, bl33)
	badXZ[len(badXZ)/2] ^= 1
	return []wrong{
		{"the first table is gone", "gpt-primary-missing", bytesAt(sector, zeros(sector)...)},
		{"the second table is gone", "gpt-backup-missing", bytesAt(backupAt(0), zeros(sector)...)},
		{"a bit of the first header", "gpt-primary-crc", bytesAt(sector+56, 0)},
		{"a bit of the first entries", "gpt-primary-crc", bytesAt(2*sector+57, 'x')},
		{"a bit of the second header", "gpt-backup-crc", bytesAt(backupAt(56), 0)},
		{"a bit of the second entries", "gpt-backup-crc", bytesAt(backupAt(-32*sector+57), 'x')},
		{"both headers", "gpt-primary-crc gpt-backup-crc", func(t *testing.T, p *parts) []byte {
			p.table = bytesAt(sector+56, 0)(t, p)
			return bytesAt(backupAt(56), 0)(t, p)
		}},
		{"revision of the first", "gpt-primary-field", tableAt(false, 8, 1)},
		{"header size of the first", "gpt-primary-field", bytesAt(sector+12, 0xff, 0xff)},
		{"place of the first", "gpt-primary-field", tableAt(false, 24, 2)},
		{"usable range of the first", "gpt-primary-field gpt-backup-differs gpt-bounds gpt-bounds gpt-bounds gpt-bounds gpt-bounds", tableAt(false, 48, 1, 0, 0)},
		{"entries of the first out of the image", "gpt-primary-field", tableAt(false, 72, 0, 0, 0, 0x7f)},
		{"no entries in the first", "gpt-primary-field", tableAt(false, 80, 0, 0, 0, 0)},
		{"huge entries in the second", "gpt-backup-field", tableAt(true, 84, 0, 0, 0, 0x80)},
		{"place of the first in the second", "gpt-backup-field", tableAt(true, 32, 9)},
		{"disk GUID of the second", "gpt-backup-differs", tableAt(true, 56, 0)},
		{"an entry of the second", "gpt-backup-differs", tableAt(true, sector+56, 'x')},
		{"cut off", "gpt-cut-off gpt-backup-missing gpt-cut-off", func(_ *testing.T, p *parts) []byte { return p.disk()[:20000*sector] }},
		{"on a larger card", "gpt-backup-place", func(_ *testing.T, p *parts) []byte { return append(p.disk(), zeros(4<<20)...) }},
		{"no boot sector", "gpt-mbr", bytesAt(0, zeros(sector)...)},
		{"no protective partition", "gpt-mbr", bytesAt(446+4, 0x83)},
		{"a partition behind the end", "gpt-cut-off", bothAt(sector+4*128+40, 0, 0, 1)},
		{"a partition that ends before it begins", "gpt-bounds", bothAt(sector+2*128+40, 1, 0, 0)},
		{"two partitions on one place", "gpt-overlap", bothAt(sector+128+32, 0, 0x1f)},

		{"no partition for the FIP", "partition-missing", layoutOf("-n 4:13312:17407 -c 4:fip ", "")},
		{"no partition for the BL2", "partition-missing", func(t *testing.T, p *parts) []byte {
			p.bl2 = nil
			return layoutOf("-n 1:34:8191 -c 1:bl2 -A 1:set:2:1 ", "")(t, p)
		}},
		{"FIP in capitals", "partition-name", layoutOf("4:fip", "4:FIP")},
		{"BL2 without a name", "partition-name", layoutOf("-c 1:bl2 ", "")},
		{"two FIPs", "partition-twice fip-missing", layoutOf("3:factory", "3:fip")},
		{"BL2 not bootable", "partition-bootable", layoutOf("-A 1:set:2:1 ", "")},
		{"root not bootable", "partition-bootable", layoutOf("-A 5:set:2", "")},

		{"no BL2", "bl2-missing", bytesAt(34*sector, zeros(512<<10)...)},
		{"a FIP where the BL2 should be", "bl2-missing", func(t *testing.T, p *parts) []byte { p.bl2 = p.fip; return p.disk() }},
		{"BL2 for eMMC", "bl2-medium", bl2Of("emmc;arm64=1", eight.Program())},
		{"BL2 for SPI NAND", "bl2-medium", bl2Of("snand;arm64=1;nandinfo=spim:2k+64", eight.Program())},
		{"BL2 for SPI NAND of older SoCs", "bl2-medium", bl2Of("snand;arm64=1;nandinfo=2k+64", eight.Program())},
		{"BL2 for NAND", "bl2-medium", bl2Of("nand;arm64=1;nandinfo=2k+64", eight.Program())},
		{"BL2 for NAND behind an HSM", "bl2-medium", bl2Of("snand;arm64=1;nandinfo=hsm:2k+64", eight.Program())},
		{"BL2 for NAND behind an HSM 2.0", "bl2-medium", bl2Of("snand;arm64=1;nandinfo=hsm20:2k+64", eight.Program())},
		{"BL2 for NOR", "bl2-medium", bl2Of("nor;arm64=1", eight.Program())},
		{"BL2 without the flag", "" /* a spec decides */, bl2Of("sdmmc;arm64=1", four.Program())},
		{"BL2 that is compressed", "" /* and is looked into */, bl2Of("sdmmc;arm64=1", sfx(packXZ(t, eight.Program())))},
		{"BL2 that is compressed, and damaged before it was sealed", "bl2-4bg-unknown", bl2Of("sdmmc;arm64=1", sfx(packed[:len(packed)/2]))},
		{"BL2 without texts", "bl2-4bg-unknown", bl2Of("sdmmc;arm64=1", program(200<<10, tfa))},
		{"BL2 for 32 bits", "bl2-aarch64", bl2Of("sdmmc", eight.Program())},
		{"BL2 for another address", "bl2-file-info", func(t *testing.T, p *parts) []byte {
			dir := t.TempDir()
			in := write(t, dir+"/bl2.bin", eight.Program())
			run(t, "mkimage", "-q", "-T", "mtk_image", "-a", "0x2f1000", "-e", "0x2f1000", "-n", "media=sdmmc;arm64=1", "-d", in, dir+"/bl2.img")
			p.bl2 = read(t, dir+"/bl2.img")
			return p.disk()
		}},
		{"device header: version", "bl2-device-header", bl2At(0x0c, 2)},
		{"device header: size", "bl2-device-header", bl2At(0x10, 0, 4)},
		{"BRLYT: name", "bl2-brlyt", bl2At(0x200, 'X')},
		{"BRLYT: version", "bl2-brlyt", bl2At(0x208, 2)},
		{"BRLYT: header size", "bl2-brlyt", bl2At(0x20c, 0, 8)},
		{"BRLYT: magic", "bl2-brlyt", bl2At(0x214, 0)},
		{"BRLYT: eMMC behind a header for SD", "bl2-brlyt", bl2At(0x218, 5)},
		{"BRLYT: no type", "bl2-brlyt", bl2At(0x218, 0x77)},
		{"BRLYT: second header size", "bl2-brlyt", bl2At(0x21c, 0, 8)},
		{"BRLYT: second total size", "bl2-brlyt", bl2At(0x220, 0, 0)},
		{"FILE_INFO: name", "bl2-gfh", bl2At(0x608, 'X')},
		{"FILE_INFO: file type", "bl2-file-info", bl2At(0x618, 2)},
		{"FILE_INFO: flash type", "bl2-file-info", bl2At(0x61a, 1)},
		{"FILE_INFO: signature type", "bl2-file-info", bl2At(0x61b, 0)},
		{"FILE_INFO: total size beyond the image", "bl2-file-info bl2-size bl2-4bg-unknown", bl2At(0x620, 0, 0, 0, 1)},
		{"FILE_INFO: total size of nothing", "bl2-file-info bl2-file-info", bl2At(0x620, 0, 1, 0, 0)},
		{"FILE_INFO: maximum size", "bl2-file-info", bl2At(0x624, 0)},
		{"FILE_INFO: header size", "bl2-file-info", bl2At(0x628, 1)},
		{"FILE_INFO: signature size", "bl2-file-info", bl2At(0x62c, 0)},
		{"FILE_INFO: jump offset", "bl2-file-info", bl2At(0x631, 4)},
		{"FILE_INFO: not processed", "bl2-file-info", bl2At(0x634, 0)},
		{"GFH: a broken link", "bl2-gfh", bl2At(0x638, 0)},
		{"GFH: a link to nowhere", "bl2-gfh", bl2At(0x63c, 0, 0)},
		{"GFH: a link too long", "bl2-gfh", bl2At(0x8d4, 0xff)},
		{"GFH: no BROM_CFG", "bl2-gfh", bl2At(0x64a, 9)},
		{"BROM_CFG: 64-bit bit", "bl2-aarch64", bl2At(0x64c, 0x90, 0x01)},
		{"BROM_CFG: jump", "bl2-aarch64", bl2At(0x699, 0)},
		{"a bit of the BL2's program", "bl2-hash bl2-4bg-unknown", bytesAt(34*sector+0x1234, 0)},
		{"a bit of the flag's text in the BL2", "bl2-hash bl2-4bg-unknown", func(_ *testing.T, p *parts) []byte {
			p.bl2 = bytes.Clone(p.bl2)
			p.bl2[bytes.Index(p.bl2, []byte("DDR4 4BG"))] ^= 1
			return p.disk()
		}},
		{"a bit of the BL2's hash", "bl2-hash bl2-4bg-unknown", func(_ *testing.T, p *parts) []byte {
			p.bl2 = bytes.Clone(p.bl2)
			p.bl2[len(p.bl2)-1] ^= 1
			return p.disk()
		}},
		{"BL2 cut off", "bl2-size bl2-4bg-unknown", func(_ *testing.T, p *parts) []byte { p.bl2 = p.bl2[:len(p.bl2)/2+4096]; return p.disk() }},

		{"no FIP", "fip-missing", bytesAt(13312*sector, zeros(2<<20)...)},
		{"FIP: magic", "fip-missing", fipAt(0, 0)},
		{"FIP: serial number", "fip-header", fipAt(4, 0, 0, 0, 0)},
		{"FIP: no end of the table", "fip-toc", func(_ *testing.T, p *parts) []byte {
			b := bytes.Repeat([]byte{0xff}, 2<<20)
			copy(b, p.fip[:16])
			p.fip = b
			return p.disk()
		}},
		{"FIP: end inside the table", "fip-toc fip-bounds fip-bounds", fipAt(16+80+16, 8, 0, 0, 0)},
		{"FIP cut off", "fip-truncated", func(_ *testing.T, p *parts) []byte { p.fip = p.fip[:len(p.fip)/2]; return p.disk() }},
		{"FIP that the image ends in", "gpt-cut-off gpt-backup-missing gpt-cut-off gpt-cut-off fip-truncated", func(_ *testing.T, p *parts) []byte {
			return p.disk()[:13312*sector+len(p.fip)-1]
		}},
		{"FIP that says it is longer than its partition", "fip-truncated fip-too-large", fipAt(16+80+16, 0, 0, 0x21)},
		{"BL31 behind the end", "fip-bounds", fipAt(16+16, 0, 0, 0x30)},
		{"BL31 inside the table", "fip-bounds", fipAt(16+16, 0)},
		{"BL31 of an absurd size", "fip-bounds fip-overlap", fipAt(16+24, 0, 0, 0, 0, 0, 0, 0, 0x80)},
		{"BL31 empty", "fip-bounds", fipAt(16+24, zeros(8)...)},
		{"BL31 and BL33 on one place", "fip-overlap", fipAt(16+40+16, 0x90, 0, 0, 0)},
		{"no BL31", "fip-no-bl31", fipOf(nil, bl33)},
		{"no BL33", "fip-no-bl33", fipOf(bl31, nil)},
		{"BL31 twice", "fip-twice fip-no-bl33", func(t *testing.T, p *parts) []byte { return fipAt(16+40, p.fip[16:32]...)(t, p) }},
		{"BL31 and BL33 swapped", "fip-swapped", fipOf(bl33, bl31)},
		{"BL31 and BL33 swapped, and compressed", "bl31-packed bl33-packed fip-swapped", fipOf(packXZ(t, bl33), packXZ(t, bl31))},
		{"BL31 in the place of BL33, too", "fip-swapped", fipOf(bl31, bl31)},
		{"BL31 compressed", "bl31-packed", fipOf(packXZ(t, bl31), bl33)},
		{"BL33 compressed", "bl33-packed", fipOf(bl31, packXZ(t, bl33))},
		{"BL33 compressed, with a wrong bit", "fip-unpack", fipOf(bl31, badXZ)},
		{"BL33 compressed, and too large unpacked", "bl33-packed bl33-too-large", fipOf(bl31, packXZ(t, append(bl33, zeros(2<<20)...)))},
		{"BL33 compressed, and endless", "fip-unpack", fipOf(bl31, packXZ(t, zeros(64<<20)))},
		{"BL33 too large", "fip-too-large bl33-too-large", func(t *testing.T, p *parts) []byte {
			// A partition of 4 MiB, as OpenWrt has since 2026.
			p.fip, p.root = makeFIP(t, bl31, uboot(2<<20)), nil
			l := strings.NewReplacer("4:13312:17407", "4:13312:21503", "5:17408", "5:21504").Replace(strings.Join(nixosSBC, " "))
			p.table = makeDisk(t, rootEnd, strings.Fields(l)...)
			return p.disk()
		}},
	}
}

// sfx is a program in front of a packed one, as BL2PL is in front of a BL2.
func sfx(packed []byte) []byte { return append(program(20<<10), packed...) }

// packXZ is how BL2_COMPRESS and frank-w's FIPs are packed.
func packXZ(t testing.TB, b []byte) []byte { return pack(t, b, "--format=xz") }

// Each wrong image has its own findings and no others. What they say is in
// testdata/findings.txt, for people to read.
func TestWrongImages(t *testing.T) {
	all := wrongImages(t)
	right := makeParts(t)
	said := make([]string, len(all))
	t.Run("each", func(t *testing.T) {
		for i, w := range all {
			t.Run(w.name, func(t *testing.T) {
				t.Parallel() // sgdisk sleeps for a second
				p := *right
				said[i] = w.name + "\n" + findings(t, w, inspect(t, w.make(t, &p)))
			})
		}
	})
	const file = "testdata/findings.txt"
	text := strings.Join(said, "")
	if *update {
		if err := errors.Join(os.MkdirAll("testdata", 0o755), os.WriteFile(file, []byte(text), 0o644)); err != nil {
			t.Fatal(err)
		}
	} else if d := cmp.Diff(string(read(t, file)), text); d != "" {
		t.Errorf("%s (-want +got):\n%s", file, d)
	}
}

// findings judges the codes and returns the text.
func findings(t *testing.T, w wrong, got *image.Image) string {
	var codes []string
	var text strings.Builder
	for _, f := range got.Findings {
		codes = append(codes, string(f.Code))
		fmt.Fprintf(&text, "  %s: %s\n    %s\n", f.Code, f.What, f.Detail)
		if f.What == "" || f.Detail == "" {
			t.Errorf("%s says nothing", f.Code)
		}
	}
	if d := cmp.Diff(w.codes, strings.Join(codes, " ")); d != "" {
		t.Error(d, got.Findings)
	}
	return text.String()
}
