package flash

import (
	"bytes"
	"errors"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"

	"github.com/nbr-dev/nbr/firmware/image"
)

// run runs one of Debian's tools.
func run(t testing.TB, name string, args ...string) string {
	t.Helper()
	cmd := exec.Command(name, args...)
	cmd.Env = append(os.Environ(), "PATH="+os.Getenv("PATH")+":/usr/sbin:/sbin")
	out, err := cmd.CombinedOutput()
	if errors.Is(err, exec.ErrNotFound) {
		t.Fatalf("%v: run .ci/setup", err)
	} else if err != nil {
		t.Fatalf("%s %s: %v\n%s", name, strings.Join(args, " "), err, out)
	}
	return string(out)
}

func write(t testing.TB, b []byte) string {
	t.Helper()
	f, err := os.CreateTemp(t.TempDir(), "")
	if err == nil {
		_, err = f.Write(b)
	}
	if err := errors.Join(err, f.Close()); err != nil {
		t.Fatal(err)
	}
	return f.Name()
}

func read(t testing.TB, file string) []byte {
	t.Helper()
	b, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// random are bytes of no pattern, the same for the same seed.
func random(n int, seed byte) []byte {
	b := make([]byte, n)
	rand.NewChaCha8([32]byte{seed}).Read(b) // which always fills it
	return b
}

const (
	bl2At, bl2Room = 34 * sector, (8191 - 34 + 1) * sector
	factoryAt      = 9216 * sector
	fipAt, fipRoom = 13312 * sector, 2 << 20
	rootAt         = 17408 * sector
	rootEnd        = 25599
	imageSize      = (rootEnd + 100) * sector // 12.5 MiB, four blocks
)

// makeImage is in the layout of nixos-sbc, with this in its partitions.
func makeImage(t testing.TB, bl2, fip, root []byte) []byte {
	t.Helper()
	file := write(t, make([]byte, imageSize))
	run(t, "sgdisk", "-o", "--set-alignment=2",
		"-n", "1:34:8191", "-c", "1:bl2", "-A", "1:set:2", "-n", "2:8192:9215", "-c", "2:u-boot-env",
		"-n", "3:9216:13311", "-c", "3:factory", "-n", "4:13312:17407", "-c", "4:fip",
		"-n", "5:17408:25599", "-c", "5:root", "-A", "5:set:2", file)
	b := read(t, file)
	copy(b[bl2At:], bl2)
	copy(b[fipAt:], fip)
	copy(b[rootAt:], root)
	return b
}

// plainImage has no firmware: what is written does not depend on it. Every MiB of it
// is another, and in the middle there are zeros.
func plainImage(t testing.TB) []byte {
	root := random((rootEnd+1)*sector-rootAt, 3)
	clear(root[1<<20 : 2<<20])
	return makeImage(t, random(bl2Room, 1), random(fipRoom, 2), root)
}

// makeBL2 and makeFIP are the tools of U-Boot and Trusted Firmware-A.
func makeBL2(t testing.TB, media string, seed byte) []byte {
	t.Helper()
	payload := append(random(150<<10, seed), "EMI: Using DDR unknown settings\n\x00v2.13.0(release):\x00"...)
	out := write(t, nil)
	run(t, "mkimage", "-q", "-T", "mtk_image", "-a", "0x201000", "-e", "0x201000", "-n", "media="+media+";arm64=1", "-d", write(t, payload), out)
	return read(t, out)
}

func makeFIP(t testing.TB, bl33 int, seed byte) []byte {
	t.Helper()
	out := write(t, nil)
	run(t, "fiptool", "create", "--soc-fw", write(t, random(40<<10, seed)), "--nt-fw", write(t, random(bl33, seed+1)), out)
	return read(t, out)
}

func source(b []byte) Image {
	return Image{func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(b)), nil }, int64(len(b))}
}

func inspect(t testing.TB, b []byte) *image.Image {
	t.Helper()
	img, err := image.ReadAt(bytes.NewReader(b), int64(len(b)))
	if err != nil {
		t.Fatal(err)
	}
	return img
}

func silent(Step, int64, int64) {}

// A fake is a card that does what bad cards do. Places are bytes, -1 is none.
type fake struct {
	b        []byte // all that there is
	claims   int64  // its size, it says
	wraps    bool   // what goes beyond the end begins anew, else it gets lost
	ends     bool   // what goes beyond the end fails
	writeEIO int64
	readEIO  int64
	takes    int64 // a write ends before this byte
	silent   bool  // and says nothing of it
	flips    int64 // this byte is read wrong
	heals    bool  // the first failure is the last one
	syncs    int   // so many work
	waits    int64 // bytes that are not synced
	most     int64 // the most that ever were
	writes   int   // after so many, and
	reads    int   // so many reads, the function is called
	call     func()
}

func newFake(size int64) *fake {
	return &fake{b: random(int(size), 77), claims: size, writeEIO: -1, readEIO: -1, takes: -1, flips: -1, syncs: 1 << 20, writes: -1, reads: -1}
}

func (f *fake) Size() int64 { return f.claims }

func (f *fake) Sync() error {
	f.waits = 0
	if f.syncs--; f.syncs < 0 {
		return syscall.EIO
	}
	return nil
}

func has(at int64, b []byte, byte int64) bool { return at <= byte && byte < at+int64(len(b)) }

func (f *fake) heal() {
	if f.heals {
		f.writeEIO, f.takes = -1, -1
	}
}

func (f *fake) WriteAt(b []byte, at int64) (int, error) {
	f.waits += int64(len(b))
	f.most = max(f.most, f.waits)
	if f.writes--; f.writes == -1 && f.call != nil {
		f.call()
	}
	if has(at, b, f.writeEIO) {
		n := copy(f.b[at:], b[:f.writeEIO-at])
		f.heal()
		return n, syscall.EIO
	}
	if has(at, b, f.takes) {
		n := copy(f.b[at:], b[:f.takes-at])
		f.heal()
		if f.silent {
			return n, nil
		}
		return n, io.ErrShortWrite
	}
	room := int64(len(f.b))
	if f.ends && at+int64(len(b)) > room {
		return copy(f.b[min(at, room):], b), syscall.EIO
	}
	for i := 0; i < len(b); {
		from := at + int64(i)
		if from >= room && !f.wraps {
			break
		}
		i += copy(f.b[from%room:], b[i:])
	}
	return len(b), nil
}

func (f *fake) ReadAt(b []byte, at int64) (int, error) {
	if f.reads--; f.reads == -1 && f.call != nil {
		f.call()
	}
	room := int64(len(f.b))
	if has(at, b, f.readEIO) || f.ends && at+int64(len(b)) > room {
		return 0, syscall.EIO
	}
	clear(b)
	for i := 0; i < len(b); {
		from := at + int64(i)
		if from >= room && !f.wraps {
			break
		}
		i += copy(b[i:], f.b[from%room:])
	}
	if has(at, b, f.flips) {
		b[f.flips-at] ^= 0x10
	}
	return len(b), nil
}
