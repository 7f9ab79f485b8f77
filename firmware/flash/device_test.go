package flash

import (
	"io/fs"
	"os"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/google/go-cmp/cmp"
	"github.com/rogpeppe/go-internal/txtar"
)

// machine is a desk with an internal disk, a card reader, an SD slot, an eMMC, a disk
// with LVM and one with btrfs, as /proc and /sys of Linux 6.18 show them.
func machine(t *testing.T) fs.FS {
	t.Helper()
	b, err := os.ReadFile("testdata/machine.txtar")
	if err != nil {
		t.Fatal(err)
	}
	tree := fstest.MapFS{}
	for _, f := range txtar.Parse(b).Files {
		name, many := strings.CutSuffix(f.Name, "/*")
		if !many {
			tree[f.Name] = &fstest.MapFile{Data: f.Data}
			continue
		}
		for _, line := range strings.Split(strings.TrimSpace(string(f.Data)), "\n") { // a folder's short files
			file, text, _ := strings.Cut(line, ": ")
			tree[name+"/"+file] = &fstest.MapFile{Data: []byte(text + "\n")}
		}
	}
	return tree
}

func TestRefuse(t *testing.T) {
	t.Parallel()
	root := machine(t)
	const image = 4 << 30
	for _, tt := range []struct {
		name, number string
		need         Need
		want         string
	}{
		{"a card in a reader", "8:16", Need{Size: image}, ""},
		{"a card in a slot", "179:32", Need{Size: image}, ""},
		{"the running system", "259:0", Need{Size: image}, "/dev/x holds the running system: nvme0n1p2 is mounted on /"},
		{"the running system, forced", "259:0", Need{Size: image, Force: true}, "/dev/x holds the running system: nvme0n1p2 is mounted on /"},
		{"mounted", "8:32", Need{Size: image}, "/dev/x is in use: sdc1 is mounted on /media/my card"},
		{"mounted, forced", "8:32", Need{Size: image, Force: true}, "/dev/x is in use: sdc1 is mounted on /media/my card"},
		{"the whole device mounted", "8:96", Need{Size: image}, "/dev/x is in use: sdg is mounted on /mnt/stick"},
		{"btrfs, which has a number of its own", "8:80", Need{Size: image}, "/dev/x is in use: sdf2 is mounted on /srv"},
		{"swap", "8:0", Need{Size: image}, "/dev/x is in use: sda1 is swap space"},
		{"LVM", "8:48", Need{Size: image}, "/dev/x is in use: sdd1 is part of dm-0"},
		{"what is on LVM", "252:0", Need{Size: image, Force: true}, "/dev/x is in use: dm-0 is mounted on /home"},
		{"soldered", "179:0", Need{Size: image}, "/dev/x is not removable, so it may be a disk of this machine: -force writes it all the same"},
		{"soldered, forced", "179:0", Need{Size: image, Force: true}, ""},
		{"locked", "8:112", Need{Size: image}, "/dev/x is write-protected: a card has a lock at its side"},
		{"other sectors", "8:128", Need{Size: image}, "/dev/x has sectors of 4096 bytes, and images are made for 512"},
		{"too small", "8:16", Need{Size: 31914983424 + 1}, "/dev/x is too small: it has 31914983424 bytes, and the image 31914983425"},
		{"just large enough", "8:16", Need{Size: 31914983424}, ""},
		{"a partition", "8:17", Need{Size: image}, "/dev/x is a partition: the card is /dev/sdb"},
		{"a partition of a slot", "179:33", Need{Size: image}, "/dev/x is a partition: the card is /dev/mmcblk1"},
		{"firmware beside a mounted root", "8:32", Need{Parts: []int{2, 3}}, ""},
		{"firmware in a mounted partition", "8:32", Need{Parts: []int{1, 3}}, "/dev/x is in use: sdc1 is mounted on /media/my card"},
		{"firmware, and all of it mounted", "8:96", Need{Parts: []int{1, 4}}, "/dev/x is in use: sdg is mounted on /mnt/stick"},
		{"firmware of the running router", "259:0", Need{Parts: []int{3, 4}, Force: true}, ""},
		{"firmware where the system is", "259:0", Need{Parts: []int{2}, Force: true}, "/dev/x holds the running system: nvme0n1p2 is mounted on /"},
	} {
		d, err := Survey(root, "/dev/x", tt.number)
		if err != nil {
			t.Errorf("%s: %v", tt.name, err)
			continue
		}
		got := ""
		if err := d.Refuse(tt.need); err != nil {
			got = err.Error()
		}
		if got != tt.want {
			t.Errorf("%s:\n got %s\nwant %s", tt.name, got, tt.want)
		}
	}
}

func TestSurvey(t *testing.T) {
	t.Parallel()
	root := machine(t)
	for _, want := range []*Device{
		{Path: "/dev/x", ID: "8:16, device 17 of the kernel", Name: "sdb", Model: "Generic- SD/MMC", Size: 31914983424, Sector: 512, Removable: true},
		{Path: "/dev/x", ID: "179:32, device 18 of the kernel", Name: "mmcblk1", Model: "SC32G", Size: 31914983424, Sector: 512, Removable: true},
		{Path: "/dev/x", ID: "179:0, device 3 of the kernel", Name: "mmcblk0", Model: "DG4008", Size: 7818182656, Sector: 512, EMMC: true},
		{Path: "/dev/x", ID: "259:0, device 1 of the kernel", Name: "nvme0n1", Model: "WD_BLACK SN770 1TB", Size: 1000204886016, Sector: 512, Used: []Use{
			{"nvme0n1p2", "is mounted on /", true}, {"nvme0n1p1", "is mounted on /boot", false},
		}},
	} {
		got, err := Survey(root, "/dev/x", map[string]string{"sdb": "8:16", "mmcblk0": "179:0", "mmcblk1": "179:32", "nvme0n1": "259:0"}[want.Name])
		if err != nil {
			t.Fatal(err)
		}
		if d := cmp.Diff(want, got); d != "" {
			t.Error(d)
		}
	}
	if d, err := Survey(root, "/dev/x", "179:8"); err != nil || !d.EMMC || d.Removable {
		t.Errorf("a boot partition of an eMMC is soldered, too: %+v, %v", d, err)
	}
	// Another card in the same reader has the name and the number of the one before.
	swapped := machine(t).(fstest.MapFS)
	swapped["sys/block/sdb/diskseq"] = &fstest.MapFile{Data: []byte("19\n")}
	if d, err := Survey(swapped, "/dev/x", "8:16"); err != nil || d.ID != "8:16, device 19 of the kernel" {
		t.Errorf("%+v, %v", d, err)
	}
	if _, err := Survey(root, "/dev/x", "8:99"); err == nil || !strings.Contains(err.Error(), "/dev/x is device 8:99, which is not in /sys/block") {
		t.Error(err)
	}
	// An unreadable list of mounts is an error, not an empty list.
	for _, gone := range []string{"proc/self/mountinfo", "proc/swaps", "sys/block/sdb/size"} {
		tree := machine(t).(fstest.MapFS)
		delete(tree, gone)
		if d, err := Survey(tree, "/dev/x", "8:16"); err == nil {
			t.Errorf("without %s: %+v", gone, d)
		}
	}
	tree := machine(t).(fstest.MapFS)
	tree["proc/self/mountinfo"] = &fstest.MapFile{Data: []byte("22 27 8:16\n")}
	if d, err := Survey(tree, "/dev/x", "8:16"); err == nil {
		t.Errorf("a line that means nothing: %+v", d)
	}
}
