package flash

import (
	"bufio"
	"bytes"
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strconv"
	"strings"
)

// A Device is what the kernel says of a block device, or a file that stands for one.
type Device struct {
	Path string
	// ID is what no other device or file has as long as this one is there: names and
	// numbers of devices are given anew when a card is taken out and another put in.
	ID        string
	Name      string // sdb, as the kernel calls it; empty for a file
	Model     string // as the device calls itself
	Size      int64
	Sector    int    // bytes of a logical sector
	Removable bool   // a card in a reader or a slot, or a stick
	EMMC      bool   // soldered to a board
	ReadOnly  bool   // an SD card's lock
	Whole     string // of a partition, the device that it is on
	Used      []Use
}

// A Use is why a device cannot be written: what has it open or mounted.
type Use struct {
	Part string // sdb or sdb1
	How  string // is mounted on /boot
	Root bool   // the running system is on it
}

// A Need is what a device has to be for.
type Need struct {
	Size  int64 // bytes
	Force bool  // it need not be removable
	// Parts are the numbers of the partitions that are written; none is all of it.
	Parts []int
}

// Refuse is why the device must not be written, or nil.
func (d *Device) Refuse(n Need) error {
	if d.Whole != "" {
		return fmt.Errorf("%s is a partition: the card is /dev/%s", d.Path, d.Whole)
	}
	for _, root := range []bool{true, false} {
		for _, u := range d.Used {
			if u.Root == root && d.concerns(u, n.Parts) {
				return u.refusal(d.Path)
			}
		}
	}
	switch {
	case d.ReadOnly:
		return fmt.Errorf("%s is write-protected: a card has a lock at its side", d.Path)
	case d.Name != "" && d.Sector != sector:
		return fmt.Errorf("%s has sectors of %d bytes, and images are made for %d", d.Path, d.Sector, sector)
	case d.Name != "" && !d.Removable && !n.Force:
		return fmt.Errorf("%s is not removable, so it may be a disk of this machine: -force writes it all the same", d.Path)
	case d.Size < n.Size:
		return fmt.Errorf("%s is too small: it has %d bytes, and the image %d", d.Path, d.Size, n.Size)
	}
	return nil
}

func (u Use) refusal(path string) error {
	if u.Root {
		return fmt.Errorf("%s holds the running system: %s %s", path, u.Part, u.How)
	}
	return fmt.Errorf("%s is in use: %s %s", path, u.Part, u.How)
}

// concerns tells whether a use is in the way of writing these partitions.
func (d *Device) concerns(u Use, parts []int) bool {
	return len(parts) == 0 || u.Part == d.Name || slices.ContainsFunc(parts, func(n int) bool { return u.Part == partName(d.Name, n) })
}

// partName is how the kernel calls a partition (disk_name in block/partitions/core.c).
func partName(disk string, n int) string {
	if c := disk[len(disk)-1]; '0' <= c && c <= '9' {
		disk += "p"
	}
	return disk + strconv.Itoa(n)
}

// Survey finds a block device in a machine's /sys and /proc, and who uses it. root is
// the folder that has both.
func Survey(root fs.FS, file, number string) (*Device, error) {
	disks, err := fs.ReadDir(root, "sys/block")
	if err != nil {
		return nil, err
	}
	s := &survey{root: root}
	for _, disk := range disks {
		dir := "sys/block/" + disk.Name()
		parts := s.parts(dir)
		switch {
		case s.text(dir+"/dev") == number:
			// The kernel counts devices as they come (block/genhd.c, diskseq).
			id := fmt.Sprintf("%s, device %s of the kernel", number, s.text(dir+"/diskseq"))
			return s.device(&Device{Path: file, ID: id, Name: disk.Name()}, parts)
		case slices.ContainsFunc(parts, func(p string) bool { return s.text(dir+"/"+p+"/dev") == number }):
			return &Device{Path: file, Whole: disk.Name()}, nil
		}
	}
	return nil, fmt.Errorf("%s is device %s, which is not in /sys/block", file, number)
}

type survey struct{ root fs.FS }

// text is the one line of a file in /sys, or "".
func (s *survey) text(name string) string {
	b, err := fs.ReadFile(s.root, name)
	if err != nil {
		return ""
	}
	return strings.TrimSpace(string(b))
}

// parts are the folders of a disk's partitions.
func (s *survey) parts(dir string) []string {
	entries, err := fs.ReadDir(s.root, dir)
	if err != nil {
		return nil
	}
	var out []string
	for _, e := range entries {
		if s.text(dir+"/"+e.Name()+"/partition") != "" {
			out = append(out, e.Name())
		}
	}
	return out
}

func (s *survey) device(d *Device, parts []string) (*Device, error) {
	dir := "sys/block/" + d.Name
	sectors, err := strconv.ParseInt(s.text(dir+"/size"), 10, 64)
	if err != nil {
		return nil, fmt.Errorf("%s: size: %w", dir, err)
	}
	d.Size = sectors * 512 // whatever a sector of the device is (block/genhd.c)
	d.Sector, _ = strconv.Atoi(s.text(dir + "/queue/logical_block_size"))
	d.Model = strings.TrimSpace(s.text(dir+"/device/vendor") + " " + s.text(dir+"/device/model") + s.text(dir+"/device/name"))
	// The slot of a machine is not removable and its card is; what is soldered to the
	// board calls itself MMC (drivers/mmc/core/bus.c).
	mmc := strings.HasPrefix(d.Name, "mmcblk")
	whole, _, _ := strings.Cut(d.Name, "boot") // mmcblk0boot0 is a part of an eMMC that is a device of its own
	d.EMMC = mmc && (whole != d.Name || s.text(dir+"/device/type") == "MMC")
	d.Removable = s.text(dir+"/removable") == "1" || mmc && !d.EMMC
	d.ReadOnly = s.text(dir+"/ro") == "1"
	d.Used, err = s.used(d.Name, parts)
	return d, err
}

// used finds file systems, swap and whatever is stacked on the device: LVM, RAID,
// dm-crypt. What only the kernel knows comes out when it is opened.
func (s *survey) used(disk string, parts []string) ([]Use, error) {
	numbers := map[string]string{s.text("sys/block/" + disk + "/dev"): disk}
	dirs := map[string]string{disk: "sys/block/" + disk}
	for _, p := range parts {
		dirs[p] = "sys/block/" + disk + "/" + p
		numbers[s.text(dirs[p]+"/dev")] = p
	}
	var out []Use
	for _, name := range append([]string{disk}, parts...) {
		holders, _ := fs.ReadDir(s.root, dirs[name]+"/holders") // none is no folder
		for _, h := range holders {
			out = append(out, Use{Part: name, How: "is part of " + h.Name()})
		}
	}
	mounts, err := s.lines("proc/self/mountinfo")
	if err != nil {
		return nil, err
	}
	for _, line := range mounts {
		// proc_pid_mountinfo(5). btrfs has device numbers of its own there, and the real
		// device only as the source.
		before, after, ok := strings.Cut(line, " - ")
		f, g := strings.Fields(before), strings.Fields(after)
		if !ok || len(f) < 5 || len(g) < 2 {
			return nil, fmt.Errorf("/proc/self/mountinfo has %q", line)
		}
		name, ok := numbers[f[2]]
		if !ok {
			name = path.Base(g[1])
			if _, ok = dirs[name]; !ok || !strings.HasPrefix(g[1], "/dev/") {
				continue
			}
		}
		where := unescape(f[4])
		out = append(out, Use{name, "is mounted on " + where, where == "/"})
	}
	swaps, err := s.lines("proc/swaps")
	if err != nil {
		return nil, err
	}
	for _, line := range swaps[min(1, len(swaps)):] {
		if f := strings.Fields(line); len(f) > 0 && dirs[path.Base(f[0])] != "" {
			out = append(out, Use{Part: path.Base(f[0]), How: "is swap space"})
		}
	}
	return out, nil
}

func (s *survey) lines(name string) ([]string, error) {
	b, err := fs.ReadFile(s.root, name)
	if err != nil {
		return nil, err
	}
	var out []string
	for sc := bufio.NewScanner(bytes.NewReader(b)); sc.Scan(); {
		out = append(out, sc.Text())
	}
	return out, nil
}

// unescape undoes what mangle_path of the kernel (fs/seq_file.c) does to names.
func unescape(s string) string {
	return strings.NewReplacer(`\040`, " ", `\011`, "\t", `\012`, "\n", `\134`, `\`).Replace(s)
}
