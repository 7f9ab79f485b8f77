package image_test

import (
	"bytes"
	"encoding/binary"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/nbr-dev/nbr/firmware/image"
)

// idbloader is U-Boot's mkimage for a Rockchip SoC.
func idbloader(t testing.TB, soc string) []byte {
	t.Helper()
	dir := t.TempDir()
	tpl, spl := write(t, dir+"/tpl", program(20<<10)), write(t, dir+"/spl", program(64<<10))
	run(t, "mkimage", "-n", soc, "-T", "rksd", "-d", tpl+":"+spl, dir+"/idbloader.img")
	return read(t, dir+"/idbloader.img")
}

const (
	rock64 = "-n 1:64:16383 -c 1:ubootTPL -n 2:16384:32767 -c 2:ubootSPL -n 3:32768:40959 -c 3:root -A 3:set:2"
	rpi4   = "-n 1:8192:69631 -c 1:firmware -t 1:0700 -n 2:69632:77823 -c 2:root -A 2:set:2"
)

func TestLoaders(t *testing.T) {
	itb := deviceTree("u-boot")
	binary.BigEndian.PutUint32(itb[4:], 1<<20) // the rest is outside of the tree
	far := bytes.Clone(itb)
	binary.BigEndian.PutUint32(far[4:], 1<<30)
	fat := func(at int, word string) []byte {
		b := make([]byte, sector)
		copy(b[at:], word)
		copy(b[510:], "\x55\xaa")
		return b
	}
	rk3328, rk3568 := idbloader(t, "rk3328"), idbloader(t, "rk3568")
	rockchip, pi := makeDisk(t, 40959, strings.Fields(rock64)...), makeDisk(t, 77823, strings.Fields(rpi4)...)
	for _, tt := range []struct {
		name  string
		disk  []byte
		want  *image.Loader
		codes string
	}{
		{"RK3328", put(put(bytes.Clone(rockchip), rk3328, 64), itb, 16384), &image.Loader{Kind: "rockchip", First: "idbloader (RC4)", UBoot: "u-boot.itb"}, ""},
		{"RK3568", put(put(bytes.Clone(rockchip), rk3568, 64), itb, 16384), &image.Loader{Kind: "rockchip", First: "idbloader (RKNS)", UBoot: "u-boot.itb"}, ""},
		{"no idbloader", put(bytes.Clone(rockchip), itb, 16384), &image.Loader{Kind: "rockchip", UBoot: "u-boot.itb"}, "rockchip-idbloader"},
		{"no U-Boot", put(bytes.Clone(rockchip), rk3328, 64), &image.Loader{Kind: "rockchip", First: "idbloader (RC4)"}, "rockchip-u-boot"},
		{"U-Boot cut off", put(put(bytes.Clone(rockchip), rk3328, 64), far, 16384), &image.Loader{Kind: "rockchip", First: "idbloader (RC4)"}, "rockchip-u-boot"},
		{"FAT32", put(bytes.Clone(pi), fat(82, "FAT32   "), 8192), &image.Loader{Kind: "raspberrypi", First: "FAT32"}, ""},
		{"FAT16", put(bytes.Clone(pi), fat(54, "FAT16   "), 8192), &image.Loader{Kind: "raspberrypi", First: "FAT16"}, ""},
		{"NTFS", put(bytes.Clone(pi), fat(3, "NTFS    "), 8192), &image.Loader{Kind: "raspberrypi"}, "raspberry-fat"},
		{"no boot sector", pi, &image.Loader{Kind: "raspberrypi"}, "raspberry-fat"},
		{"a PC", makeDisk(t, 40959, "-n", "1:2048:40959", "-c", "1:EFI", "-t", "1:EF00"), nil, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got := inspect(t, tt.disk)
			if d := cmp.Diff(tt.want, got.Loader); d != "" {
				t.Error(d)
			}
			findings(t, wrong{codes: tt.codes}, got)
			if got.BL2 != nil || got.FIP != nil {
				t.Error("MediaTek's firmware on another board")
			}
		})
	}
}
