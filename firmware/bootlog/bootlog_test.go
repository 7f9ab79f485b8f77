package bootlog_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"flag"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
	"testing/iotest"
	"unicode"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"

	"github.com/nbr-dev/nbr/firmware/bootlog"
)

var update = flag.Bool("update", false, "write the wanted results in testdata anew")

// told is what a log has to come to, in short. All of it is in the .json file of
// the log's name.
type told struct {
	log     string
	boots   int
	reached bootlog.StageName
	medium  string
	mib     int
	codes   string // of the findings; those that stop with an exclamation mark
}

var logs = []told{
	// What went well.
	{"mt7988-4gib", 1, bootlog.Userspace, "sd", 4096, "memory-no-4bg gpt-end"},
	{"mt7988-8gib", 1, bootlog.Userspace, "sd", 8192, ""},
	{"mt7988-8gib-no-flag", 1, bootlog.Userspace, "sd", 4096, "memory-no-4bg"},
	{"mt7988-512mib", 1, bootlog.Userspace, "sd", 512, "memory-limited"},
	{"mt7988-nand-openwrt", 1, bootlog.Userspace, "spi-nand", 4096, "memory-no-4bg"},
	{"mt7988-emmc", 1, bootlog.Userspace, "emmc", 4096, "memory-no-4bg rtc-battery"},
	{"bl2-ram", 1, bootlog.Userspace, "uart", 4096, "memory-no-4bg bl2-uart gpt-end"},
	{"gpt-backup", 1, bootlog.Userspace, "sd", 4096, "gpt-backup memory-no-4bg gpt-end"},
	{"mt7986", 1, bootlog.Userspace, "sd", 2048, ""},
	{"rk3328-tpl", 1, bootlog.Userspace, "", 4064, ""},
	{"rpi4", 1, bootlog.Userspace, "sd", 3956, "undervoltage u-boot-no-card"},
	{"systemd-initrd", 1, bootlog.Userspace, "sd", 4096, "memory-no-4bg"},

	// What did not start, from the boot ROM on.
	{"rom-halt", 1, bootlog.ROM, "sd", 0, "rom-halt!"},
	{"bl2-uart", 1, bootlog.BL2, "emmc", 4096, "bl2-uart! memory-no-4bg"},
	{"bl2-uart-received", 1, bootlog.BL2, "uart", 4096, "log-ends memory-no-4bg bl2-uart"},
	{"bl2-cmd1", 1, bootlog.BL2, "sd", 4096, "bl2-storage! memory-no-4bg"},
	{"bl2-no-memory", 1, bootlog.BL2, "sd", 0, "bl2-no-memory!"},
	{"bl2-read", 1, bootlog.BL2, "sd", 4096, "bl2-read! memory-no-4bg"},
	{"bl2-gpt", 1, bootlog.BL2, "sd", 4096, "bl2-gpt! memory-no-4bg"},
	{"bl2-no-fip", 1, bootlog.BL2, "sd", 4096, "bl2-no-fip! memory-no-4bg"},
	{"bl2-fip-header", 1, bootlog.BL2, "sd", 4096, "bl2-fip-header! memory-no-4bg"},
	{"bl2-fip-size", 1, bootlog.BL2, "sd", 4096, "bl2-fip-size! memory-no-4bg"},
	{"bl2-fip-hash", 1, bootlog.BL2, "sd", 4096, "bl2-fip-hash! memory-no-4bg"},
	{"bl2-no-bl31", 1, bootlog.BL2, "sd", 4096, "bl2-no-bl31! memory-no-4bg"},
	{"rk3328-training", 1, bootlog.TPL, "", 4096, "tpl-memory!"},
	{"rk3588-rkbin", 1, bootlog.SPL, "", 8192, "spl-nothing! spl-mmc"},
	{"u-boot-nothing", 1, bootlog.UBoot, "sd", 4096, "u-boot-nothing! memory-no-4bg u-boot-no-card"},
	{"u-boot-debug", 1, bootlog.UBoot, "sd", 4096, "log-ends memory-no-4bg"},
	{"u-boot-prompt-bpi", 1, bootlog.UBoot, "sd", 4096, "u-boot-prompt! memory-no-4bg"},
	{"u-boot-bootflow", 1, bootlog.UBoot, "sd", 4096, "u-boot-bootflow! memory-no-4bg"},
	{"u-boot-no-extlinux", 1, bootlog.UBoot, "sd", 4096, "u-boot-extlinux! memory-no-4bg"},
	{"u-boot-file", 1, bootlog.UBoot, "sd", 4096, "u-boot-file! memory-no-4bg"},
	{"u-boot-kernel", 1, bootlog.UBoot, "sd", 4096, "u-boot-kernel! memory-no-4bg"},
	{"u-boot-efi-first", 1, bootlog.UBoot, "sd", 4096, "u-boot-kernel! memory-no-4bg"},
	{"u-boot-initrd-size", 1, bootlog.UBoot, "sd", 4096, "u-boot-initrd-size! memory-no-4bg"},
	{"mt7986-mmc-abort", 1, bootlog.UBoot, "", 2048, "u-boot-mmc-abort!"},
	{"linux-silent", 1, bootlog.UBoot, "sd", 4096, "linux-silent! memory-no-4bg"},
	{"linux-no-root", 1, bootlog.Linux, "sd", 4096, "linux-no-root! memory-no-4bg"},
	{"linux-init-died", 1, bootlog.Linux, "sd", 4096, "linux-init-died! mtk-eth memory-no-4bg linux-console"},
	{"linux-eth", 1, bootlog.Userspace, "sd", 4096, "mtk-eth-region memory-no-4bg"},
	{"initrd-device", 1, bootlog.Initrd, "sd", 4096, "initrd-device! memory-no-4bg"},
	{"initrd-emergency", 1, bootlog.Initrd, "sd", 4096, "initrd-device! memory-no-4bg root-locked"},
	{"systemd-failed", 1, bootlog.Userspace, "sd", 4096, "unit-failed unit-failed reset memory-no-4bg"},
	{"panic-later", 1, bootlog.Userspace, "sd", 4096, "linux-panic memory-no-4bg gpt-end"},
	{"boot-loop", 4, bootlog.UBoot, "", 2048, "u-boot-mmc-abort! boot-loop!"},
	{"boot-loop-cut", 4, bootlog.BL2, "", 2048, "u-boot-mmc-abort! boot-loop!"},

	// What the recording did to it.
	{"cut", 1, bootlog.Linux, "sd", 4096, "log-ends memory-no-4bg"},
	{"middle", 1, bootlog.Userspace, "sd", 4096, "gpt-end"},
	{"lost-lines", 2, bootlog.Userspace, "sd", 4096, "memory-no-4bg gpt-end"},
	{"kernel-only", 1, bootlog.Linux, "", 0, "log-ends"},
	{"two-boots", 2, bootlog.Userspace, "sd", 4096, "memory-no-4bg gpt-end"},
	{"loader-silent", 2, bootlog.Initrd, "", 4096, "log-ends"},
	{"dmesg-by-hand", 1, bootlog.Userspace, "sd", 4096, "memory-no-4bg gpt-end"},
	{"stamps-date", 1, bootlog.Userspace, "sd", 4096, "memory-no-4bg gpt-end"},
	{"stamps-iso", 1, bootlog.Userspace, "sd", 4096, "memory-no-4bg gpt-end"},
	{"stamps-time", 1, bootlog.Userspace, "sd", 4096, "memory-no-4bg gpt-end"},
	{"stamps-grabserial", 1, bootlog.Userspace, "sd", 4096, "memory-no-4bg gpt-end"},
	{"crs", 1, bootlog.Userspace, "sd", 4096, "memory-no-4bg gpt-end"},
	{"garbage-first", 1, bootlog.Userspace, "sd", 4096, "memory-no-4bg gpt-end garbled"},
	{"wrong-speed", 0, "", "", 0, "garbled"},
	{"unknown", 0, "", "", 0, "nothing-recognised"},
	{"empty", 0, "", "", 0, "empty"},
}

func TestLogs(t *testing.T) {
	files, err := filepath.Glob("testdata/*.txt")
	if err != nil || len(files) != len(logs) {
		t.Errorf("%d logs and %d of them told of, %v", len(files), len(logs), err)
	}
	for _, want := range logs {
		t.Run(want.log, func(t *testing.T) {
			file := filepath.Join("testdata", want.log+".txt")
			l, err := bootlog.Read(bytes.NewReader(read(t, file)))
			if err != nil {
				t.Fatal(err)
			}
			findings := bootlog.Diagnose(l)
			if d := cmp.Diff(want, inShort(want.log, l, findings), cmp.AllowUnexported(told{})); d != "" {
				t.Errorf("-want +got\n%s", d)
			}
			golden(t, strings.TrimSuffix(file, ".txt")+".json", map[string]any{"log": l, "findings": findings})
		})
	}
}

func inShort(name string, l *bootlog.Log, findings []bootlog.Finding) told {
	out := told{log: name, boots: l.Boots}
	if b := l.Last; b != nil {
		out.reached, out.medium, out.mib = b.Reached(), b.Medium.Name, b.Memory.MiB()
	}
	var codes []string
	for _, f := range findings {
		code := f.Code
		if f.Severity == bootlog.Stop {
			code += "!"
		}
		codes = append(codes, code)
	}
	out.codes = strings.Join(codes, " ")
	return out
}

func golden(t *testing.T, file string, got any) {
	t.Helper()
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	if err := enc.Encode(got); err != nil {
		t.Fatal(err)
	}
	if *update {
		if err := os.WriteFile(file, b.Bytes(), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if d := cmp.Diff(string(read(t, file)), b.String()); d != "" {
		t.Errorf("%s: -want +got\n%s", file, d)
	}
}

func read(t testing.TB, file string) []byte {
	t.Helper()
	b, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// What a terminal program adds and what a wire does must not change what is told:
// all these are the log of mt7988-4gib.
func TestSameLog(t *testing.T) {
	want := last(t, "mt7988-4gib")
	for _, name := range []string{"stamps-date", "stamps-iso", "stamps-time", "stamps-grabserial", "crs"} {
		if d := cmp.Diff(want, last(t, name)); d != "" {
			t.Errorf("%s: -want +got\n%s", name, d)
		}
	}
}

// last is the last boot of a log in its JSON form.
func last(t *testing.T, name string) string {
	t.Helper()
	l, err := bootlog.Read(bytes.NewReader(read(t, filepath.Join("testdata", name+".txt"))))
	if err != nil {
		t.Fatal(err)
	}
	b, err := json.MarshalIndent(l.Last, "", "  ")
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// A log may come in pieces of any size, as from a port.
func TestPieces(t *testing.T) {
	b := read(t, "testdata/two-boots.txt")
	want, err := bootlog.Read(bytes.NewReader(b))
	if err != nil {
		t.Fatal(err)
	}
	for name, r := range map[string]io.Reader{
		"byte by byte": iotest.OneByteReader(bytes.NewReader(b)),
		"with its end": iotest.DataErrReader(bytes.NewReader(b)),
	} {
		got, err := bootlog.Read(r)
		if err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if d := cmp.Diff(bootlog.Diagnose(want), bootlog.Diagnose(got)); d != "" {
			t.Errorf("%s: -want +got\n%s", name, d)
		}
	}
}

// A port that fails is told of, together with what it said before.
func TestReadError(t *testing.T) {
	broken := errors.New("unplugged")
	l, err := bootlog.Read(io.MultiReader(strings.NewReader("F0: 102B 0000\nEC: 0000 0000 [2000]\n"), iotest.ErrReader(broken)))
	if !errors.Is(err, broken) {
		t.Errorf("error %v, want %v", err, broken)
	}
	if l.Last == nil || l.Last.Medium.Name != "emmc" || l.Lines != 2 {
		t.Errorf("what came before the error is lost: %+v", l)
	}
}

// endless is a board that starts again and again for n bytes, with a line among
// them that never seems to end.
type endless struct {
	round []byte
	at, n int
}

func (e *endless) Read(p []byte) (int, error) {
	if e.n <= 0 {
		return 0, io.EOF
	}
	n := copy(p, e.round[e.at:])
	e.at = (e.at + n) % len(e.round)
	e.n -= n
	return n, nil
}

// However long a log is and whatever its lines are, what is kept of it is little.
func TestBounded(t *testing.T) {
	round := slices.Concat(read(t, "testdata/systemd-failed.txt"),
		[]byte(strings.Repeat("[FAILED] Failed to start everything.\n", 100)),
		[]byte("reboot: "), bytes.Repeat([]byte("x"), 1<<20), []byte("\n"),
		read(t, "testdata/initrd-emergency.txt"), []byte("\n"))
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	l, err := bootlog.Read(&endless{round: round, n: 32 << 20})
	if err != nil {
		t.Fatal(err)
	}
	runtime.GC()
	runtime.ReadMemStats(&after)
	if grown := int64(after.HeapAlloc) - int64(before.HeapAlloc); grown > 1<<20 {
		t.Errorf("%d bytes are held after 32 MiB", grown)
	}
	if l.Cut == 0 || l.Boots < 50 {
		t.Fatalf("%d lines cut, %d boots: the log is not what it should be", l.Cut, l.Boots)
	}
	if n := len(l.Before.Failed) + len(l.Last.Failed); n > 2*bootlog.MaxFailed {
		t.Errorf("%d failed units are kept", n)
	}
	if kept, err := json.Marshal(l); err != nil || len(kept) > 64<<10 {
		t.Errorf("%d bytes are kept, %v", len(kept), err)
	}
}

// What is said of any log are whole sentences.
func TestText(t *testing.T) {
	for _, want := range logs {
		l, err := bootlog.Read(bytes.NewReader(read(t, filepath.Join("testdata", want.log+".txt"))))
		if err != nil {
			t.Fatal(err)
		}
		var b strings.Builder
		findings := bootlog.Diagnose(l)
		if err := bootlog.Text(&b, l, findings); err != nil {
			t.Fatal(err)
		}
		if strings.Contains(b.String(), "%!") || strings.Contains(b.String(), "()") || strings.Contains(b.String(), "%s") {
			t.Errorf("%s: a sentence has a hole:\n%s", want.log, &b)
		}
		for _, f := range findings {
			if !strings.HasSuffix(f.What, ".") || f.Do == "" {
				t.Errorf("%s: %s is no sentence, or nothing is to be done", want.log, f.Code)
			}
		}
	}
}

// FuzzRead reads anything, and what comes out is fit for a terminal and a JSON
// parser, and does not depend on how the log came.
func FuzzRead(f *testing.F) {
	for _, want := range logs {
		f.Add(read(f, filepath.Join("testdata", want.log+".txt")))
	}
	f.Add([]byte("\x1b[\x1b]0;title\x07\b\b\r\r\n=> \xe2\x80\xae"))
	f.Add([]byte("Linux version 6.1\nMemory: 99999999999999999999K/99999999999999999999K available\nDRAM:  9.9.9 GiB\n"))
	f.Fuzz(func(t *testing.T, data []byte) {
		l, err := bootlog.Read(bytes.NewReader(data))
		if err != nil {
			t.Fatal(err)
		}
		if n := bytes.Count(data, []byte("\n")); l.Lines < n || l.Lines > n+1 {
			t.Errorf("%d lines, and %d line feeds", l.Lines, n)
		}
		findings := bootlog.Diagnose(l)
		if (l.Last == nil || !l.Last.Up) && len(findings) == 0 {
			t.Error("it did not come up, and there is nothing to say")
		}
		b, err := json.Marshal([]any{l, findings})
		if err != nil {
			t.Fatal(err)
		}
		if i := bytes.IndexFunc(b, func(r rune) bool { return !unicode.IsPrint(r) && r != utf8.RuneError }); i >= 0 {
			t.Errorf("%q is no text", b[i:min(len(b), i+20)])
		}
		again, err := bootlog.Read(iotest.HalfReader(bytes.NewReader(data)))
		if err != nil {
			t.Fatal(err)
		}
		if d := cmp.Diff(findings, bootlog.Diagnose(again)); d != "" {
			t.Errorf("-at once +in halves\n%s", d)
		}
	})
}

func BenchmarkRead(b *testing.B) {
	data := bytes.Repeat(read(b, "testdata/mt7988-4gib.txt"), 100)
	b.SetBytes(int64(len(data)))
	for b.Loop() {
		if _, err := bootlog.Read(bytes.NewReader(data)); err != nil {
			b.Fatal(err)
		}
	}
}

// A machine that was switched off has a word why.
func TestWentDown(t *testing.T) {
	l, err := bootlog.Read(strings.NewReader("[    0.000000] Linux version 6.12.63 (nixbld@localhost) #1\n[   10.000000] reboot: Power down\n"))
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range bootlog.Diagnose(l) {
		if f.Code == "log-ends" && strings.Contains(f.What, "went down in order") {
			return
		}
	}
	t.Errorf("%+v", bootlog.Diagnose(l))
}
