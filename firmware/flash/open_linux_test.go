package flash

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
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

// forced is for loop devices, which are not removable.
var forced = Need{Force: true}

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
	if _, err := Open(d, Need{Size: imageSize}); err == nil || !strings.Contains(err.Error(), "is not removable") {
		t.Error(err)
	}
	card, err := Open(d, forced)
	if err != nil {
		t.Fatal(err)
	}
	defer card.Close()
	if _, err := Write(t.Context(), card, source(disk), silent); err != nil {
		t.Fatal(err)
	}
	// No other process gets it, and debugfs can work on it.
	if _, err := Open(d, forced); err == nil || err.Error() != dev+" is in use, the kernel says" {
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
		card, err := Open(d, forced)
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
	if _, err := Open(d, forced); err == nil || !strings.Contains(err.Error(), "has changed: it has 5 bytes now and had 1048576") {
		t.Error(err)
	}
	if err := os.Remove(file); err != nil {
		t.Fatal(err)
	}
	if _, err := Open(d, forced); err == nil || !strings.Contains(err.Error(), "no such file") {
		t.Error(err)
	}
}

// Between the look and the opening a name may have become another device's: by a link
// that udev moves, or because a card was taken out and another one put in. Nothing is
// written to that, and nothing of it is opened for long.
func TestAnotherDevice(t *testing.T) {
	t.Parallel()
	const size = 4 << 20
	one, oneFile := loop(t, size)
	other, _ := loop(t, size)
	dir := t.TempDir()
	link := filepath.Join(dir, "card")
	relink := func(to string) {
		t.Helper()
		if err := errors.Join(os.Symlink(to, link+".new"), os.Rename(link+".new", link)); err != nil {
			t.Fatal(err)
		}
	}
	refused := func(d *Device, want string) {
		t.Helper()
		for _, n := range []Need{forced, {Force: true, Parts: []int{1, 4}}} {
			if c, err := Open(d, n); err == nil || !strings.Contains(err.Error(), want) {
				t.Errorf("%+v: %v, want %s", d, err, want)
				if err == nil {
					c.Close()
				}
			}
		}
	}
	look := func(name string) *Device {
		t.Helper()
		d, err := Look(name)
		if err != nil {
			t.Fatal(err)
		}
		return d
	}
	relink(one)
	d := look(link)
	relink(other)
	refused(d, link+" has become another one since it was looked at: it was ")

	// Neither a device for a file, nor the other way round, nor another file, nor what
	// would have nbr wait.
	file, same := write(t, make([]byte, size)), write(t, make([]byte, size))
	relink(file)
	d = look(link)
	relink(same)
	refused(d, " has become another one since it was looked at: it was ")
	relink(one)
	refused(d, " has become another one since it was looked at: it was ")
	d = look(link)
	relink(file)
	refused(d, " has become another one since it was looked at: it was ")
	pipe := filepath.Join(dir, "pipe")
	if err := unix.Mkfifo(pipe, 0o600); err != nil {
		t.Fatal(err)
	}
	relink(pipe)
	refused(d, " is neither a block device nor a file")
	if !bytes.Equal(read(t, oneFile), make([]byte, size)) || !bytes.Equal(read(t, same), make([]byte, size)) {
		t.Error("something was written")
	}
}

// Who began to use a device after the look is seen.
func TestInUseSince(t *testing.T) {
	const size = 4 << 20
	dev, _ := loop(t, size)
	d, err := Look(dev)
	if err != nil {
		t.Fatal(err)
	}
	run(t, "mkswap", dev)
	run(t, "swapon", dev)
	for _, n := range []Need{forced, {Force: true, Parts: []int{1, 4}}} {
		if _, err := Open(d, n); err == nil || !strings.Contains(err.Error(), dev+" is in use") {
			t.Errorf("%+v: %v", n, err)
		}
	}
	run(t, "swapoff", dev)
	card, err := Open(d, Need{Force: true, Parts: []int{1, 4}})
	if err != nil {
		t.Fatal(err)
	}
	defer card.Close()
	run(t, "swapon", dev)
	defer run(t, "swapoff", dev)
	if err := card.Claim([]int{1, 4}); err == nil || !strings.Contains(err.Error(), "is in use, the kernel says") {
		t.Error(err)
	}
}

// A writer of some partitions has these alone: the others may be in use. It
// runs alone: a program that another test starts has for a moment open what was closed here.
func TestClaim(t *testing.T) {
	dev := strings.TrimSpace(run(t, "losetup", "-P", "-f", "--show", write(t, make([]byte, 8<<20))))
	t.Cleanup(func() { run(t, "losetup", "-d", dev) })
	for _, part := range []string{"1", "4", "5"} { // the kernel is told: it need not know tables
		run(t, "addpart", dev, part, map[string]string{"1": "34", "4": "4096", "5": "8192"}[part], "2048")
	}
	exclusive := func(name string) (*os.File, error) { return os.OpenFile(name, os.O_RDONLY|unix.O_EXCL, 0) }
	mine := func(name string) func() {
		t.Helper()
		f, err := exclusive(name)
		if err != nil {
			t.Fatal(err)
		}
		return func() { f.Close() }
	}
	taken := func(name string) {
		t.Helper()
		if f, err := exclusive(name); !errors.Is(err, unix.EBUSY) {
			t.Errorf("%s: %v", name, err)
			if err == nil {
				f.Close()
			}
		}
	}
	open := func() *Card {
		t.Helper()
		d, err := Look(dev)
		if err != nil {
			t.Fatal(err)
		}
		c, err := Open(d, Need{Force: true, Parts: []int{0}})
		if err != nil {
			t.Fatal(err)
		}
		return c
	}
	parts := []int{4, 1}

	c := open()
	if err := c.Claim(parts); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{dev, dev + "p1", dev + "p4", dev + "p5"} { // unused
		taken(name)
	}
	c.Close()

	free := mine(dev + "p5") // as a mounted root
	c = open()
	if err := c.Claim(parts); err != nil {
		t.Fatal(err)
	}
	taken(dev + "p1")
	taken(dev + "p4")
	c.Close()
	mine(dev + "p1")()
	mine(dev + "p4")()
	c = open()
	if err := c.Claim([]int{4, 5}); err == nil || err.Error() != dev+"p5 is in use, the kernel says" {
		t.Error(err)
	}
	c.Close()
	mine(dev + "p4")()
	free()

	defer mine(dev)() // as all of it mounted
	c = open()
	defer c.Close()
	if err := c.Claim(parts); err == nil || !strings.HasSuffix(err.Error(), " is in use, the kernel says") {
		t.Error(err)
	}
}
