package image_test

import (
	"bytes"
	"errors"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/nbr-dev/nbr/firmware/image"
)

// pack is Debian's zstd.
func pack(t testing.TB, b []byte, flags ...string) []byte {
	t.Helper()
	cmd := exec.Command("zstd", append(flags, "-q", "-c")...)
	cmd.Stdin = bytes.NewReader(b)
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("zstd: %v", err)
	}
	return out
}

func TestCompressed(t *testing.T) {
	disk := makeParts(t).disk()
	want := inspect(t, disk)
	want.Compressed = "zstd"
	for _, flags := range [][]string{{"-19"}, {"-1", "--no-check"}, {"-3", "--long=24"}} {
		if d := cmp.Diff(want, inspect(t, pack(t, disk, flags...))); d != "" {
			t.Errorf("%v: %s", flags, d)
		}
	}
	// Two frames are one image (RFC 8878 section 3.1).
	two := append(pack(t, disk[:5<<20]), pack(t, disk[5<<20:])...)
	if d := cmp.Diff(want, inspect(t, two)); d != "" {
		t.Error(d)
	}
}

// withHole is an image that is a sparse file of so many bytes, with 64 MiB that do
// not compress.
func withHole(t testing.TB, size int64) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "sd.raw")
	write(t, file, nil)
	if err := os.Truncate(file, size); err != nil {
		t.Fatal(err)
	}
	layout := strings.Replace(strings.Join(nixosSBC, " "), "5:17408:25599", "5:17408:-66", 1)
	run(t, "sgdisk", append(append([]string{"-o", "--set-alignment=2"}, strings.Fields(layout)...), file)...)
	f, err := os.OpenFile(file, os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	p := makeParts(t)
	for lba, b := range map[int64][]byte{34: p.bl2, 13312: p.fip, 17408: p.root} {
		if _, err := f.WriteAt(b, lba*sector); err != nil {
			t.Fatal(err)
		}
	}
	noise := make([]byte, 1<<20)
	for i := range int64(64) {
		rand.NewChaCha8([32]byte{byte(i)}).Read(noise)
		if _, err := f.WriteAt(noise, 40<<20+2*i<<20); err != nil {
			t.Fatal(err)
		}
	}
	return file
}

// Four gibibytes go by in less than 64 MiB.
func TestMemory(t *testing.T) {
	const size, step = 4 << 30, 256 << 20
	raw, err := os.Open(withHole(t, size))
	if err != nil {
		t.Fatal(err)
	}
	defer raw.Close()
	part := func(at int64) io.Reader {
		b := make([]byte, step)
		if _, err := raw.ReadAt(b, at); err != nil {
			t.Fatal(err)
		}
		return bytes.NewReader(pack(t, b, "-1", "--zstd=wlog=23")) // the window of -19
	}
	frames := []io.Reader{part(0)}
	hole, err := io.ReadAll(part(step))
	if err != nil {
		t.Fatal(err)
	}
	for range size/step - 2 {
		frames = append(frames, bytes.NewReader(hole))
	}
	f := io.MultiReader(append(frames, part(size-step))...)
	debug.FreeOSMemory()
	var before runtime.MemStats
	runtime.ReadMemStats(&before)
	var most atomic.Uint64
	done, stopped := make(chan bool), make(chan bool)
	go func() {
		defer close(stopped)
		for m := (runtime.MemStats{}); ; {
			runtime.ReadMemStats(&m)
			most.Store(max(most.Load(), m.HeapInuse+m.StackInuse))
			select {
			case <-done:
				return
			case <-time.After(5 * time.Millisecond):
			}
		}
	}()
	img, err := image.Read(f)
	close(done)
	<-stopped
	if err != nil || img.Size != size || len(img.Findings) > 0 || img.GPT == nil || img.GPT.From != "primary" || img.BL2 == nil || img.FIP == nil {
		t.Fatal(img, err)
	}
	used := int64(most.Load()) - int64(before.HeapInuse+before.StackInuse)
	t.Logf("%d MiB at most", used>>20)
	if used >= 64<<20 {
		t.Errorf("%d bytes were in use", used)
	}
}

// Only what is behind the part that is kept cannot be told of a stream.
func TestFarAway(t *testing.T) {
	p := makeParts(t)
	layout := strings.NewReplacer("4:13312:17407", "4:24000:25599", "5:17408:25599", "5:17408:23999").Replace(strings.Join(nixosSBC, " "))
	fip := makeFIP(t, program(40<<10, tfa), uboot(600<<10))
	disk := put(put(makeDisk(t, rootEnd, strings.Fields(layout)...), p.bl2, 34), fip, 24000)
	at, err := image.ReadAt(bytes.NewReader(disk), int64(len(disk)))
	if err != nil || at.FIP == nil || at.FIP.UBoot == "" {
		t.Fatal(at, err)
	}
	once, err := image.Read(bytes.NewReader(disk))
	if err != nil || once.FIP != nil || len(once.Findings) != 1 || once.Findings[0].Code != image.PartitionUnread || len(once.Wrong()) > 0 {
		t.Error(once, err)
	}
}

// torn ends with an error of the medium.
type torn struct{ r *bytes.Reader }

var errTorn = errors.New("input/output error")

func (r torn) Read(p []byte) (int, error) {
	n, err := r.r.Read(p)
	if err == io.EOF {
		err = errTorn
	}
	return n, err
}

func (r torn) ReadAt(p []byte, off int64) (int, error) {
	n, err := r.r.ReadAt(p, off)
	if err == io.EOF {
		err = errTorn
	}
	return n, err
}

func TestNotAnImage(t *testing.T) {
	disk := makeParts(t).disk()
	packed := pack(t, disk)
	bad := bytes.Clone(packed)
	bad[len(bad)/2] ^= 0xff
	for _, tt := range []struct {
		name string
		b    []byte
		want string
	}{
		{"empty", nil, "it is empty"},
		{"one byte", []byte{0}, "not an image"},
		{"text", []byte("router \"r\" {}\n"), "not an image"},
		{"zeros", zeros(1 << 20), "not an image"},
		{"a table without a header", append(append(zeros(sector), "EFI PART\x00\x00\x01\x00\xff\xff"...), zeros(4096)...), "the first partition table has a wrong field"},
		{"cut off", packed[:len(packed)/2], "the compressed image is cut off"},
		{"cut off at the checksum", packed[:len(packed)-2], "the compressed image is cut off"},
		{"damaged", bad, "the compressed image is damaged"},
		{"only a magic", packed[:4], "the compressed image is cut off"},
		{"a long window", pack(t, disk, "--long=27", "--ultra", "-20"), "wants more than 16 MiB"},
		{"zstd of nothing", pack(t, nil), "not an image"},
		{"gzip", []byte("\x1f\x8b\x08\x00\x00\x00\x00\x00"), "it is gzip"},
		{"xz", packXZ(t, []byte("x")), "it is xz"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			for how, read := range map[string]func() (*image.Image, error){
				"stream": func() (*image.Image, error) { return image.Read(bytes.NewReader(tt.b)) },
				"random": func() (*image.Image, error) { return image.ReadAt(bytes.NewReader(tt.b), int64(len(tt.b))) },
			} {
				if img, err := read(); err == nil || !strings.Contains(err.Error(), tt.want) {
					t.Errorf("%s: %v, %v", how, img, err)
				}
			}
		})
	}
	for _, b := range [][]byte{disk, packed} {
		if _, err := image.Read(torn{bytes.NewReader(b)}); !errors.Is(err, errTorn) {
			t.Errorf("a torn stream: %v", err)
		}
		if _, err := image.ReadAt(torn{bytes.NewReader(b)}, int64(len(b))+1); !errors.Is(err, errTorn) && !errors.Is(err, io.ErrUnexpectedEOF) {
			t.Errorf("a torn card: %v", err)
		}
	}
}

// BenchmarkInspect compares with what zstd itself takes to read the same image, in
// turns: one that is mostly a hole, and one that is full of programs.
func BenchmarkInspect(b *testing.B) {
	b.Run("sparse", func(b *testing.B) { compare(b, withHole(b, 1<<30)) })
	b.Run("dense", func(b *testing.B) {
		raw := withHole(b, 256<<20)
		root, err := exec.Command("go", "env", "GOROOT").Output()
		if err != nil {
			b.Fatal(err)
		}
		tools, err := filepath.Glob(filepath.Join(strings.TrimSpace(string(root)), "pkg/tool/*/*"))
		if err != nil || len(tools) == 0 {
			b.Fatal("the go command has no tools", err)
		}
		f, err := os.OpenFile(raw, os.O_RDWR, 0)
		if err != nil {
			b.Fatal(err)
		}
		defer f.Close()
		for at, i := int64(12<<20), 0; at < 200<<20; i++ {
			n, err := f.WriteAt(read(b, tools[i%len(tools)]), at)
			if err != nil {
				b.Fatal(err)
			}
			at += int64(n)
		}
		compare(b, raw)
	})
}

func compare(b *testing.B, raw string) {
	run(b, "zstd", "-q", "-6", "-T0", raw, "-o", raw+".zst")
	null, err := os.OpenFile(os.DevNull, os.O_WRONLY, 0)
	if err != nil {
		b.Fatal(err)
	}
	defer null.Close()
	info, err := os.Stat(raw)
	if err != nil {
		b.Fatal(err)
	}
	b.SetBytes(info.Size())
	var ours, theirs time.Duration
	for b.Loop() {
		start := time.Now()
		cmd := exec.Command("zstd", "-q", "-dc", raw+".zst")
		cmd.Stdout = null
		if err := cmd.Run(); err != nil {
			b.Fatal(err)
		}
		theirs += time.Since(start)
		start = time.Now()
		f, err := os.Open(raw + ".zst")
		if err != nil {
			b.Fatal(err)
		}
		if _, err := image.Read(f); err != nil {
			b.Fatal(err)
		}
		f.Close()
		ours += time.Since(start)
	}
	b.ReportMetric(float64(ours)/float64(theirs), "x-zstd")
}
