//go:build guest

package imagetest

import (
	"bytes"
	"encoding/json"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/nbr-dev/nbr/firmware/image"
	"github.com/nbr-dev/nbr/verify/observe"
)

// nbr runs the program; the test fails unless it exits with the code.
func nbr(t *testing.T, want int, args ...string) string {
	t.Helper()
	cmd := exec.Command("/bin/nbr", args...)
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	err := cmd.Run()
	if exit := new(exec.ExitError); err != nil && !errors.As(err, &exit) {
		t.Fatal(err)
	}
	if got := cmd.ProcessState.ExitCode(); got != want {
		t.Fatalf("nbr %s: exit code %d, want %d\n%s%s", strings.Join(args, " "), got, want, &stdout, &stderr)
	}
	return stdout.String()
}

// said is what nbr said of the image before it booted: see TestBoot.
func said(t *testing.T, file string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("/said", file))
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// The machine's own disk is the image that it was before.
func TestGuestOwnDisk(t *testing.T) {
	if d := cmp.Diff(said(t, "image"), nbr(t, 0, "image", "inspect", "-json", "/dev/vda")); d != "" {
		t.Errorf("before it booted (-), and now (+):\n%s", d)
	}
	if d := cmp.Diff(said(t, "report"), nbr(t, 0, "image", "verify", "-v", "/dev/vda", "/spec")); d != "" {
		t.Errorf("before it booted (-), and now (+):\n%s", d)
	}
}

// firmware are the verdicts about what the machine has started from, and about the machine.
func firmware(t *testing.T, code int) map[string]string {
	t.Helper()
	var report struct {
		Results []struct{ ID, Status, Got string }
	}
	text := nbr(t, code, "verify", "-format", "json", "-only", "firmware", "/spec")
	if err := json.Unmarshal([]byte(text), &report); err != nil {
		t.Fatalf("%v\n%s", err, text)
	}
	all := map[string]string{}
	for _, r := range report.Results {
		all[r.ID] = r.Status + " " + r.Got
	}
	return all
}

// partLabels does the work of udev, which a guest has not: links to the partitions by their
// names, as the kernel read them from the disk.
func partLabels(t *testing.T) {
	t.Helper()
	if err := os.MkdirAll("/dev/disk/by-partlabel", 0o755); err != nil {
		t.Fatal(err)
	}
	found, err := filepath.Glob("/sys/class/block/vda?/uevent")
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range found {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		_, name, _ := strings.Cut(string(text), "PARTNAME=")
		name, _, _ = strings.Cut(name, "\n")
		if err := os.Symlink("../../"+filepath.Base(filepath.Dir(file)), "/dev/disk/by-partlabel/"+name); err != nil {
			t.Fatal(err)
		}
	}
}

// What the router starts from is judged from its partitions, and each verdict is one of the disk
// as it is: without the links there is nothing to read, and a damaged byte is seen.
func TestGuestFirmware(t *testing.T) {
	before := firmware(t, 1)
	partLabels(t)
	after := firmware(t, 1)
	turned := map[string]string{}
	for id, got := range after {
		if got != before[id] {
			turned[id] = before[id] + ", " + got
		}
	}
	const unseen = "unknown no partition called bl2 could be read, "
	if d := cmp.Diff(map[string]string{
		"firmware/medium": unseen + "pass sdmmc",
		"firmware/intact": unseen + "pass its own SHA-256 holds",
		"firmware/tfa":    unseen + "pass v2.13.0(release)",
		"firmware/bl2":    unseen + `pass DDR4_4BG_MODE present: the BL2 has the text "EMI: DDR4 4BG mode"`,
	}, turned); d != "" {
		t.Errorf("what the links change:\n%s", d)
	}
	if board := after["firmware/board"]; board != "fail linux,dummy-virt" { // QEMU's
		t.Errorf("firmware/board: %s", board)
	}
	if memory := after["firmware/memory"]; !strings.HasPrefix(memory, "pass ") {
		t.Errorf("firmware/memory: %s", memory)
	}

	recorded(t)
	damage(t)
	damaged := firmware(t, 1)
	if got := damaged["firmware/medium"] + ", " + damaged["firmware/intact"]; got != "pass sdmmc, fail it does not hold" {
		t.Errorf("with a damaged byte: %s", got)
	}
}

// recorded compares what the router records of its firmware with what was said of the image.
func recorded(t *testing.T) {
	t.Helper()
	var img image.Image
	if err := json.Unmarshal([]byte(said(t, "image")), &img); err != nil {
		t.Fatal(err)
	}
	st, err := observe.Load(strings.NewReader(nbr(t, 3, "observe", "-passive", "/spec")))
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(image.Firmware(img.BL2, img.FIP), st.Firmware); d != "" || st.Firmware == nil {
		t.Errorf("of the image (-), and of the router (+):\n%s", d)
	}
}

// damage changes one byte of the BL2's program. The disk is the machine's alone, and only as
// long as it runs.
func damage(t *testing.T) {
	t.Helper()
	f, err := os.OpenFile("/dev/disk/by-partlabel/bl2", os.O_RDWR|os.O_SYNC, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	const at = 0x908 // behind the headers, which are in front of 0x900
	b := make([]byte, 1)
	if _, err := f.ReadAt(b, at); err != nil {
		t.Fatal(err)
	}
	b[0] ^= 1
	if _, err := f.WriteAt(b, at); err != nil {
		t.Fatal(err)
	}
}
