package image_test

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/nbr-dev/nbr/internal/bl2code"
)

const sector = 512

const tfa = "v2.13.0(release):\x00Built : 00:00:00, Jan  1 1980\x00"

// The BL2 of a BPI-R4 with 8 GiB, and with 4 GiB.
var (
	eight = bl2code.Build{Comb: true, FourBG: true}
	four  = bl2code.Build{Comb: true}
)

const ubootVersion = "U-Boot 2025.07-1i3dxjd46ny9ir63n9qy6bxg5vzz78jj (Jan 01 1980 - 00:00:00 +0000)\x00"

// program is so many bytes that look like code, the same every time, with texts in
// the middle.
func program(n int, texts ...string) []byte {
	b := make([]byte, n)
	r := rand.New(rand.NewPCG(1, 2))
	for i := range b {
		b[i] = byte(r.Uint32() | 1)
	}
	at := n / 2
	for _, s := range texts {
		at += copy(b[at:], s)
	}
	return b
}

// run runs one of Debian's tools.
func run(t testing.TB, name string, args ...string) []byte {
	t.Helper()
	cmd := exec.Command(name, args...)
	cmd.Env = append(os.Environ(), "PATH="+os.Getenv("PATH")+":/usr/sbin:/sbin")
	out, err := cmd.CombinedOutput()
	if errors.Is(err, exec.ErrNotFound) {
		t.Fatalf("%v: run .ci/setup", err)
	} else if err != nil {
		t.Fatalf("%s %s: %v\n%s", name, strings.Join(args, " "), err, out)
	}
	return out
}

func write(t testing.TB, file string, b []byte) string {
	t.Helper()
	if err := os.WriteFile(file, b, 0o644); err != nil {
		t.Fatal(err)
	}
	return file
}

func read(t testing.TB, file string) []byte {
	t.Helper()
	b, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// makeBL2 is U-Boot's mkimage.
func makeBL2(t testing.TB, media string, payload []byte) []byte {
	t.Helper()
	dir := t.TempDir()
	in, out := write(t, dir+"/bl2.bin", payload), dir+"/bl2.img"
	run(t, "mkimage", "-q", "-T", "mtk_image", "-a", "0x201000", "-e", "0x201000", "-n", "media="+media, "-d", in, out)
	return read(t, out)
}

// makeFIP is Trusted Firmware-A's fiptool. Empty parts are left out.
func makeFIP(t testing.TB, bl31, bl33 []byte) []byte {
	t.Helper()
	dir := t.TempDir()
	args := []string{"create"}
	if bl31 != nil {
		args = append(args, "--soc-fw", write(t, dir+"/bl31.bin", bl31))
	}
	if bl33 != nil {
		args = append(args, "--nt-fw", write(t, dir+"/u-boot.bin", bl33))
	}
	out := dir + "/fip.bin"
	run(t, "fiptool", append(args, out)...)
	return read(t, out)
}

// deviceTree is the smallest tree with a compatible (Devicetree specification 0.4,
// section 5).
func deviceTree(compatible ...string) []byte {
	var s, b bytes.Buffer
	value := strings.Join(compatible, "\x00") + "\x00"
	cells := func(w *bytes.Buffer, v ...uint32) {
		for _, x := range v {
			w.Write(binary.BigEndian.AppendUint32(nil, x))
		}
	}
	cells(&s, 1, 0)                      // the root
	cells(&s, 4, 3, 4, 0, 2)             // a nop; #address-cells
	cells(&s, 3, uint32(len(value)), 15) // compatible
	s.WriteString(value + "\x00\x00\x00"[:-len(value)&3])
	cells(&s, 2, 9)
	names := "#address-cells\x00compatible\x00"
	head := uint32(40 + 16)
	total := head + uint32(s.Len()+len(names))
	cells(&b, 0xd00dfeed, total, head, head+uint32(s.Len()), 40, 17, 16, 0, uint32(len(names)), uint32(s.Len()))
	b.Write(make([]byte, 16))
	b.Write(s.Bytes())
	b.WriteString(names)
	return b.Bytes()
}

// uboot is a BL33: code, the version, the device tree at its end.
func uboot(n int) []byte {
	return append(program(n&^3, ubootVersion), deviceTree("mediatek,mt7988-rfb")...)
}

// A layout is what sgdisk is told, after the first words.
var nixosSBC = []string{
	"-n", "1:34:8191", "-c", "1:bl2", "-A", "1:set:2:1",
	"-n", "2:8192:9215", "-c", "2:u-boot-env",
	"-n", "3:9216:13311", "-c", "3:factory",
	"-n", "4:13312:17407", "-c", "4:fip",
	"-n", "5:17408:25599", "-c", "5:root", "-A", "5:set:2",
}

const rootEnd = 25599

// makeDisk is an empty image with a partition table, as large as nixos-sbc makes it
// behind its last partition.
func makeDisk(t testing.TB, end int, layout ...string) []byte {
	t.Helper()
	file := filepath.Join(t.TempDir(), "sd.raw")
	write(t, file, nil)
	if err := os.Truncate(file, int64(end+100)*sector); err != nil {
		t.Fatal(err)
	}
	args := append([]string{"-o", "--set-alignment=2", "-U", "6B7A1C52-0D4E-4E0B-9A0C-2F31A5C0D1E0"}, layout...)
	for n := range strings.Count(strings.Join(layout, " "), "-n ") {
		args = append(args, "-u", fmt.Sprintf("%d:6B7A1C52-0D4E-4E0B-9A0C-2F31A5C0D1E%d", n+1, n+1))
	}
	run(t, "sgdisk", append(args, file)...)
	return read(t, file)
}

// put writes a file at a sector.
func put(disk, file []byte, lba int) []byte {
	copy(disk[lba*sector:], file)
	return disk
}

// root is a small ext4, as the bootstrap's is a large one.
func root(t testing.TB) []byte {
	t.Helper()
	dir := t.TempDir()
	if err := os.MkdirAll(dir+"/tree/boot", 0o755); err != nil {
		t.Fatal(err)
	}
	write(t, dir+"/tree/boot/extlinux.conf", []byte("DEFAULT nixos\n"))
	run(t, "mke2fs", "-q", "-t", "ext4", "-d", dir+"/tree", dir+"/root.img", "4M")
	return read(t, dir+"/root.img")
}

// parts are what the right image is made of.
type parts struct{ table, bl2, fip, root []byte }

func makeParts(t testing.TB) *parts {
	return &parts{
		table: makeDisk(t, rootEnd, nixosSBC...),
		bl2:   makeBL2(t, "sdmmc;arm64=1", eight.Program()),
		fip:   makeFIP(t, program(40<<10, tfa), uboot(800<<10)),
		root:  root(t),
	}
}

// disk puts the parts together.
func (p *parts) disk() []byte {
	d := put(bytes.Clone(p.table), p.bl2, 34)
	return put(put(d, p.fip, 13312), p.root, 17408)
}
