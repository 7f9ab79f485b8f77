//go:build !guest

package imagetest

import (
	"bytes"
	"encoding/json"
	"fmt"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/nbr-dev/nbr/cmd"
	"github.com/nbr-dev/nbr/firmware/bootlog"
	"github.com/nbr-dev/nbr/firmware/image"
	"github.com/nbr-dev/nbr/internal/bl2code"
	"github.com/nbr-dev/nbr/internal/lab"
	"github.com/nbr-dev/nbr/service/all"
)

// spec is the article's router, which has eight gibibytes of memory.
const spec = "../../testdata/routers/bpi-r4"

// nbr runs the command line; the test fails unless it exits with the code.
func nbr(t testing.TB, want int, args ...string) string {
	t.Helper()
	var stdout, stderr bytes.Buffer
	got := cmd.Run(t.Context(), cmd.Env{Stdin: strings.NewReader(""), Stdout: &stdout, Stderr: &stderr}, args, all.Kinds()...)
	if got != want {
		t.Fatalf("nbr %s: exit code %d, want %d\n%s%s", strings.Join(args, " "), got, want, &stdout, &stderr)
	}
	return stdout.String()
}

// inspect is what nbr says of an image with which nothing is wrong.
func inspect(t testing.TB, file string) (img image.Image, text string) {
	t.Helper()
	text = nbr(t, cmd.ExitOK, "image", "inspect", "-json", file)
	if err := json.Unmarshal([]byte(text), &img); err != nil {
		t.Fatal(err)
	}
	return img, text
}

// An image that is as the spec promises boots, through U-Boot, to the real program, which judges
// the disk that it came from. What it is asked there is in guest_arm64_test.go.
//
// The processor begins with the U-Boot of the image, where nbr says that it is: a BL2 would do
// no more, and the emulated board has none.
func TestBoot(t *testing.T) {
	card := makeCard(t, bl2code.Build{Comb: true, FourBG: true})
	img, said := inspect(t, card)
	fip, uboot := img.GPT.Named("fip"), img.FIP.Entry("BL33")
	if len(fip) != 1 || uboot == nil {
		t.Fatalf("no U-Boot:\n%s", said)
	}
	report := nbr(t, cmd.ExitOK, "image", "verify", "-v", card, spec)
	if n := strings.Count(report, "\n  pass "); n < 12 {
		t.Errorf("%d checks:\n%s", n, report)
	}
	firmware := cut(t, card, int64(fip[0].First)*sector+int64(uboot.Offset), int64(uboot.Size))

	var kernel string
	log := lab.Guest{
		Arch:    lab.ARM64,
		Modules: []string{"virtio_blk"},
		Memory:  8192,
		Copy: map[string]string{
			"/bin/nbr":     lab.Program(t, lab.ARM64, "github.com/nbr-dev/nbr/cmd/nbr"),
			"/spec":        spec,
			"/said/image":  write(t, filepath.Join(t.TempDir(), "image"), said),
			"/said/report": write(t, filepath.Join(t.TempDir(), "report"), report),
		},
		Disk: func(p lab.Payload) lab.Disk {
			fill(t, card, p)
			whole(t, card, said, report)
			kernel = p.Release
			return lab.Disk{Image: card, Firmware: firmware}
		},
	}.Test(t)
	bootlogs(t, log, img.FIP.UBoot, kernel)
}

// whole is what nbr says of the finished image, as it is and as nixos-sbc leaves it: the files of
// its root change nothing.
func whole(t *testing.T, card, said, report string) {
	t.Helper()
	if d := cmp.Diff(report, nbr(t, cmd.ExitOK, "image", "verify", "-v", card, spec)); d != "" {
		t.Error(d)
	}
	if _, now := inspect(t, card); now != said {
		t.Error(cmp.Diff(said, now))
	}
	tool(t, "zstd", "-q", "-1", "-T0", card, "-o", card+".zst")
	want := strings.Replace(said, "\"kind\": \"disk\",\n", "\"kind\": \"disk\",\n  \"compressed\": \"zstd\",\n", 1)
	if _, packed := inspect(t, card+".zst"); packed != want {
		t.Errorf("compressed it is another:\n%s", cmp.Diff(want, packed))
	}
}

// bootlogs is what nbr says of the machine's serial port: what came up, which memory it had, and
// that it is no board.
func bootlogs(t *testing.T, log, uboot, kernel string) {
	t.Helper()
	file := write(t, filepath.Join(t.TempDir(), "boot.log"), log)
	var got struct {
		Log      bootlog.Log
		Findings []bootlog.Finding
		Verdicts struct {
			Results []struct{ ID, Status, Got string }
		}
	}
	text := nbr(t, cmd.ExitFailed, "bootlog", "-json", file, spec)
	if err := json.Unmarshal([]byte(text), &got); err != nil {
		t.Fatal(err)
	}
	boot := got.Log.Boot()
	if boot == nil {
		t.Fatalf("no boot in the log:\n%s", text)
	}
	var facts []string
	add := func(words ...any) { facts = append(facts, strings.TrimSpace(fmt.Sprintln(words...))) }
	add("boots", got.Log.Boots, "garbled", got.Log.Garbled)
	for _, s := range boot.Stages {
		add("stage", s.Name, s.Version)
	}
	add("loader", boot.Loader)
	add("memory", boot.Memory.UBoot, "MiB", boot.Memory.Linux, "kB")
	add("console", boot.Console)
	for _, m := range boot.Marks {
		add("mark", m.Code)
	}
	for _, f := range got.Findings {
		add("finding", f.Severity, f.Code, f.Text)
	}
	for _, r := range got.Verdicts.Results {
		add(r.Status, r.ID, r.Got)
	}
	want := []string{
		"boots 1 garbled 0",
		"stage u-boot " + uboot,
		"stage linux " + kernel,
		"loader virtio 0:5",
		"memory 8192 MiB 8388608 kB",
		"console ttyAMA0",
		"finding unclear log-ends reboot: Power down", // there is no login
		"fail firmware/board linux,dummy-virt",
		"unknown firmware/medium no line names the medium",
		"pass firmware/memory 8192 MiB",
		"fail firmware/kernel " + kernel,
	}
	if d := cmp.Diff(want, facts); d != "" {
		t.Errorf("%s\nthe log:\n%s", d, log)
	}
	if !strings.Contains(log, "Retrieving file: /boot/extlinux/extlinux.conf") {
		t.Errorf("U-Boot did not read extlinux.conf:\n%s", log)
	}
}

// The BL2 of the day on which half of the memory was missing: it boots, and an image that has it
// is not flashed.
func TestFourOfEightGiB(t *testing.T) {
	card := makeCard(t, bl2code.Build{Comb: true})
	report := nbr(t, cmd.ExitFailed, "image", "verify", card, spec)
	want := `(?m)^  FAIL the BL2 is built for 8GiB of memory \[firmware/bl2\]
 +on \S*router\.hcl line \d+, column \d+:
 +\d+ \|   memory += "8GiB"`
	if !regexp.MustCompile(want).MatchString(report) || !strings.Contains(report, "bpi-r4: 12 checks: 11 pass, 1 fail\n") {
		t.Errorf("the report:\n%s", report)
	}
}
