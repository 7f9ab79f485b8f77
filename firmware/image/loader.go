package image

import (
	"bytes"
	"encoding/binary"
)

// A Loader is what starts a board that is not MediaTek's.
type Loader struct {
	Kind  string `json:"kind"` // rockchip or raspberrypi
	First string `json:"first"`
	UBoot string `json:"uboot"`
}

// The magics of Rockchip's first loader (tools/rkcommon.c of U-Boot): the first
// header of an RK3328 and older is encrypted with RC4 and a key that is the same for
// all, that of an RK3588 says RKNS.
var rockchip = []struct{ magic, name string }{
	{"\x3b\x8c\xdc\xfc", "idbloader (RC4)"},
	{"RKNS", "idbloader (RKNS)"},
}

const (
	rockchipAt = 64    // LBA at which the boot ROM looks
	itbAt      = 16384 // CONFIG_SYS_MMCSD_RAW_MODE_U_BOOT_SECTOR
)

// readRockchip reads the two loaders. The first partition has to hold an idbloader
// or be where one is looked for.
func readRockchip(h *window, g *GPT, fs *findings) *Loader {
	first := ""
	b := h.from(rockchipAt*sector, sector)
	for _, r := range rockchip {
		if bytes.HasPrefix(b, []byte(r.magic)) {
			first = r.name
		}
	}
	if first == "" && g.Named("ubootTPL") == nil && g.Named("ubootSPL") == nil {
		return nil
	}
	l := &Loader{Kind: "rockchip", First: first}
	if first == "" {
		fs.add(RockchipLoader, "there is none at LBA %d, where the boot ROM looks: write idbloader.img there", rockchipAt)
	}
	itb := h.from(itbAt*sector, sector)
	switch {
	case len(itb) < 8 || !bytes.HasPrefix(itb, fdtMagic):
		fs.add(RockchipUBoot, "there is no FIT image at LBA %d: write u-boot.itb there", itbAt)
	case uint64(itbAt*sector)+uint64(binary.BigEndian.Uint32(itb[4:])) > uint64(h.size):
		fs.add(RockchipUBoot, "the FIT image at LBA %d has %d bytes and the image ends before: write u-boot.itb anew", itbAt, binary.BigEndian.Uint32(itb[4:]))
	default:
		l.UBoot = "u-boot.itb"
	}
	return l
}

// basicData is the type of a partition with a FAT file system.
const basicData = "EBD0A0A2-B9E5-4433-87C0-68B6B72699C7"

// readRaspberry looks at the partition from which the boot ROM of a Raspberry Pi
// loads its firmware. Of its files only the file system is looked at.
func readRaspberry(h *window, g *GPT, fs *findings) *Loader {
	for _, p := range g.Partitions {
		if p.Type != basicData || p.Name != "firmware" {
			continue
		}
		b := p.at(h, sector)
		l := &Loader{Kind: "raspberrypi"}
		// Microsoft's FAT specification, section 3.
		switch {
		case len(b) < sector || b[510] != 0x55 || b[511] != 0xaa:
			fs.add(RaspberryFAT, "partition %d (%s) does not begin with a boot sector: make it anew with mkfs.vfat", p.Number, p.Name)
		case string(b[82:87]) == "FAT32":
			l.First = "FAT32"
		case string(b[54:59]) == "FAT16":
			l.First = "FAT16"
		default:
			fs.add(RaspberryFAT, "partition %d (%s) has no FAT16 or FAT32: make it anew with mkfs.vfat", p.Number, p.Name)
		}
		return l
	}
	return nil
}
