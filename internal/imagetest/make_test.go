//go:build !guest

package imagetest

import (
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/nbr-dev/nbr/internal/bl2code"
	"github.com/nbr-dev/nbr/internal/lab"
	"github.com/nbr-dev/nbr/internal/nstest"
)

const (
	sector = 512

	// The partitions that are written to, as nixos-sbc has them, by their first sectors.
	bl2At  = 34
	fipAt  = 13312
	rootAt = 17408
	// There is room for a kernel, and what is not used is never read.
	rootEnd = rootAt + 128<<20/sector - 1
)

const tfa = "v2.13.0(release):\x00"

// tool runs one of Debian's tools.
func tool(t testing.TB, name string, args ...string) {
	t.Helper()
	if _, err := nstest.Output(exec.CommandContext(t.Context(), name, args...)); err != nil {
		t.Fatalf("%v: run .ci/setup if it is not there", err)
	}
}

func write(t testing.TB, file, content string) string {
	t.Helper()
	if err := os.WriteFile(file, []byte(content), 0o644); err != nil {
		t.Fatal(err)
	}
	return file
}

// makeCard is an image with all that a BPI-R4 starts from but the root's files. No BL2 and no
// BL31 of MediaTek's can be had here; their places are taken by the texts and the code that nbr looks for.
func makeCard(t testing.TB, bl2 bl2code.Build) string {
	t.Helper()
	dir := t.TempDir()
	in := func(name string) string { return filepath.Join(dir, name) }

	write(t, in("bl2.bin"), string(bl2.Program()))
	tool(t, "mkimage", "-q", "-T", "mtk_image", "-a", "0x201000", "-e", "0x201000", "-n", "media=sdmmc;arm64=1", "-d", in("bl2.bin"), in("bl2.img"))
	write(t, in("bl31.bin"), tfa)
	makeUBoot(t, dir)
	tool(t, "fiptool", "create", "--soc-fw", in("bl31.bin"), "--nt-fw", in("u-boot.bin"), in("fip.bin"))

	card := write(t, in("sd.raw"), "")
	if err := os.Truncate(card, (rootEnd+100)*sector); err != nil {
		t.Fatal(err)
	}
	tool(t, "sgdisk", "-o", "--set-alignment=2",
		"-n", "1:34:8191", "-c", "1:bl2", "-A", "1:set:2",
		"-n", "2:8192:9215", "-c", "2:u-boot-env",
		"-n", "3:9216:13311", "-c", "3:factory",
		"-n", "4:13312:17407", "-c", "4:fip",
		"-n", fmt.Sprintf("5:%d:%d", rootAt, rootEnd), "-c", "5:root", "-A", "5:set:2", card)
	put(t, card, in("bl2.img"), bl2At)
	put(t, card, in("fip.bin"), fipAt)
	return card
}

// makeUBoot makes a BL33 as nixos-sbc's is: the program, and the device tree that it is built
// with at its end. The one of the emulated board has its own in memory, and does not look.
func makeUBoot(t testing.TB, dir string) {
	t.Helper()
	tree := write(t, filepath.Join(dir, "u-boot.dts"), `/dts-v1/; / { compatible = "mediatek,mt7988-rfb"; };`)
	tool(t, "dtc", "-q", "-o", tree+".dtb", tree)
	var all string
	for _, file := range []string{lab.UBoot(t), tree + ".dtb"} {
		b, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		all += string(b) + "\x00\x00\x00"[:-len(b)&3]
	}
	write(t, filepath.Join(dir, "u-boot.bin"), all)
}

// put writes a file to a sector of an image.
func put(t testing.TB, image, file string, at int64) {
	t.Helper()
	b, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	f, err := os.OpenFile(image, os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if _, err := f.WriteAt(b, at*sector); err != nil {
		t.Fatal(err)
	}
}

// cut takes so many bytes out of an image into a file of their own.
func cut(t testing.TB, image string, at, size int64) string {
	t.Helper()
	f, err := os.Open(image)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	b, err := io.ReadAll(io.NewSectionReader(f, at, size))
	if err != nil {
		t.Fatal(err)
	}
	return write(t, filepath.Join(t.TempDir(), "cut"), string(b))
}

// extlinux is what nixpkgs' generic-extlinux-compatible writes, but for FDTDIR: the emulated
// board brings its device tree with it.
const extlinux = `DEFAULT nixos-default
TIMEOUT 1

LABEL nixos-default
  MENU LABEL NixOS - Default
  LINUX ../nixos/linux-Image
  INITRD ../nixos/initrd
  APPEND %s
`

// fill makes the root's file system. The archive is compressed, as every initrd is: U-Boot
// 2023.01 does not read a file with holes as it was written.
func fill(t testing.TB, card string, p lab.Payload) {
	t.Helper()
	tree := t.TempDir()
	for _, dir := range []string{"boot/extlinux", "boot/nixos"} {
		if err := os.MkdirAll(filepath.Join(tree, dir), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	write(t, filepath.Join(tree, "boot/extlinux/extlinux.conf"), fmt.Sprintf(extlinux, p.Args))
	tool(t, "cp", p.Kernel, filepath.Join(tree, "boot/nixos/linux-Image"))
	tool(t, "zstd", "-q", "-3", p.Archive, "-o", filepath.Join(tree, "boot/nixos/initrd"))
	tool(t, "mke2fs", "-q", "-F", "-t", "ext4", "-L", "root", "-E", fmt.Sprintf("offset=%d", rootAt*sector),
		"-d", tree, card, fmt.Sprintf("%dk", (rootEnd+1-rootAt)*sector/1024))
}
