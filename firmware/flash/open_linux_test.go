package flash

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// loop is a loop device on a file of a size.
func loop(t *testing.T, size int64) (dev, file string) {
	t.Helper()
	file = write(t, nil)
	if err := os.Truncate(file, size); err != nil {
		t.Fatal(err)
	}
	dev = strings.TrimSpace(run(t, "losetup", "-f", "--show", file))
	t.Cleanup(func() { run(t, "losetup", "-d", dev) })
	return dev, file
}

// A real block device, on which the kernel has the last word.
func TestLoop(t *testing.T) {
	t.Parallel()
	disk := makeImage(t, nil, nil, rootfs(t, "ext4"))
	const size = 24 << 20
	dev, file := loop(t, size)
	d, err := Look(dev)
	if err != nil {
		t.Fatal(err)
	}
	if d.Name != filepath.Base(dev) || d.Size != size || d.Sector != 512 || len(d.Used) > 0 || d.ReadOnly || d.Whole != "" {
		t.Errorf("%+v", d)
	}
	if err := d.Refuse(Need{Size: imageSize}); err == nil || !strings.Contains(err.Error(), "is not removable") {
		t.Error(err)
	}
	if err := d.Refuse(Need{Size: imageSize, Force: true}); err != nil {
		t.Error(err)
	}
	card, err := Open(d, true)
	if err != nil {
		t.Fatal(err)
	}
	defer card.Close()
	if _, err := Write(t.Context(), card, source(disk), silent); err != nil {
		t.Fatal(err)
	}
	// Nobody else gets it, and debugfs can work on it.
	if _, err := Open(d, true); err == nil || err.Error() != dev+" is in use, the kernel says" {
		t.Error(err)
	}
	in, err := NewInjection(tree(t, map[string]string{"etc/key": canary}), source(disk), inspect(t, disk), "")
	if err != nil {
		t.Fatal(err)
	}
	defer in.Close()
	if err := in.Write(t.Context(), card); err != nil {
		t.Fatal(err)
	}
	out := run(t, "sgdisk", "-v", dev)
	if !strings.Contains(out, "No problems found") {
		t.Error(out)
	}
	if !bytes.Contains(read(t, file)[rootAt:], []byte(canary)) {
		t.Error("the file is not on the device")
	}
	run(t, "e2fsck", "-fn", dev+"?offset=8912896")
}

// A loop device that has no partition table read has nothing to reread: the error is
// one that can be shown.
func TestReread(t *testing.T) {
	t.Parallel()
	dev, file := loop(t, 1<<20)
	for _, name := range []string{dev, file} {
		d, err := Look(name)
		if err != nil {
			t.Fatal(err)
		}
		card, err := Open(d, true)
		if err != nil {
			t.Fatal(err)
		}
		defer card.Close()
		if err := card.Reread(); (err != nil) != (name == dev) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestLook(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	for file, want := range map[string]string{
		dir:            dir + " is neither a block device nor a file",
		"/dev/null":    "/dev/null is neither a block device nor a file",
		dir + "/none":  "there is no " + dir + "/none; a file that stands for a card is made with truncate -s 8G " + dir + "/none",
		"/dev/no-disk": "stat /dev/no-disk: no such file or directory",
		"/dev/null/no": "stat /dev/null/no: not a directory",
	} {
		if d, err := Look(file); err == nil || err.Error() != want {
			t.Errorf("%+v, %v, want %s", d, err, want)
		}
	}
	file := write(t, random(1<<20, 1))
	d, err := Look(file)
	if err != nil {
		t.Fatal(err)
	}
	if err := d.Refuse(Need{Size: 1 << 20}); err != nil {
		t.Errorf("a file need not be removable: %v", err)
	}
	if err := d.Refuse(Need{Size: 1<<20 + 1}); err == nil || !strings.Contains(err.Error(), "is too small") {
		t.Error(err)
	}
	if err := os.Truncate(file, 5); err != nil {
		t.Fatal(err)
	}
	if _, err := Open(d, true); err == nil || !strings.Contains(err.Error(), "has changed: it has 5 bytes now and had 1048576") {
		t.Error(err)
	}
	if err := os.Remove(file); err != nil {
		t.Fatal(err)
	}
	if _, err := Open(d, true); err == nil || !strings.Contains(err.Error(), "no such file") {
		t.Error(err)
	}
}
