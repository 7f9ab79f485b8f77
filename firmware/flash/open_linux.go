package flash

import (
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"golang.org/x/sys/unix"
)

// Look says what a device or a file is, without opening it for writing.
func Look(file string) (*Device, error) {
	var st unix.Stat_t
	err := unix.Stat(file, &st)
	if errors.Is(err, os.ErrNotExist) && !strings.HasPrefix(file, "/dev/") {
		return nil, fmt.Errorf("there is no %s; a file that stands for a card is made with truncate -s 8G %[1]s", file)
	} else if err != nil {
		return nil, &os.PathError{Op: "stat", Path: file, Err: err}
	}
	return survey1(file, &st)
}

// survey1 says what it is that a stat was of.
func survey1(file string, st *unix.Stat_t) (*Device, error) {
	switch st.Mode & unix.S_IFMT {
	case unix.S_IFREG:
		return &Device{Path: file, ID: fmt.Sprintf("%s, inode %d", number(st.Dev), st.Ino), Size: st.Size}, nil
	case unix.S_IFBLK:
		return Survey(os.DirFS("/"), file, number(st.Rdev))
	}
	return nil, fmt.Errorf("%s is neither a block device nor a file", file)
}

func number(dev uint64) string { return fmt.Sprintf("%d:%d", unix.Major(dev), unix.Minor(dev)) }

// A Card is an open device or file.
type Card struct {
	*os.File
	is      Device // what was opened
	size    int64
	claimed []*os.File
}

// Open opens a device that Look has seen, and refuses it as Refuse does, now that it
// stays what it is: between the look and this its name may have become that of another
// one, or it may have come into use. Unless a need names partitions, the kernel
// refuses a device that is in use in whatever way, and every other opener until it is
// closed; else Claim does that.
func Open(d *Device, n Need) (*Card, error) {
	flags := unix.O_RDWR | unix.O_NONBLOCK | unix.O_CLOEXEC // whatever has this name now
	if d.Name != "" && len(n.Parts) == 0 {
		flags |= unix.O_EXCL
	}
	f, err := os.OpenFile(d.Path, flags, 0)
	if errors.Is(err, unix.EBUSY) {
		return nil, inUse(d.Path)
	} else if err != nil {
		return nil, err
	}
	c := &Card{File: f}
	if err := c.look(d, n); err != nil {
		f.Close()
		return nil, err
	}
	return c, nil
}

func inUse(path string) error { return fmt.Errorf("%s is in use, the kernel says", path) }

// look makes sure that what was opened is what was seen.
func (c *Card) look(d *Device, n Need) error {
	var st unix.Stat_t
	if err := unix.Fstat(int(c.Fd()), &st); err != nil {
		return &os.PathError{Op: "fstat", Path: d.Path, Err: err}
	}
	now, err := survey1(d.Path, &st)
	if err != nil {
		return err
	}
	if now.ID != d.ID {
		return fmt.Errorf("%s has become another one since it was looked at: it was %s, and is %s", d.Path, d.ID, now.ID)
	}
	c.is = *now
	if c.size, err = c.Seek(0, io.SeekEnd); err != nil {
		return err
	}
	if c.size != d.Size {
		return fmt.Errorf("%s has changed: it has %d bytes now and had %d", d.Path, c.size, d.Size)
	}
	return now.Refuse(n)
}

// Claim has the kernel refuse partitions that are in use, and keep every other opener off
// them until the card is closed. The other partitions may be in use: they are not
// written.
func (c *Card) Claim(parts []int) error {
	if c.is.Name == "" {
		return nil
	}
	was, n := c.is, Need{Size: c.size, Force: true, Parts: parts}
	// Without a name, so that it is this very device. Who has all of it needs no parts.
	all, err := os.OpenFile(fmt.Sprintf("/proc/self/fd/%d", c.Fd()), unix.O_RDONLY|unix.O_EXCL|unix.O_CLOEXEC, 0)
	switch {
	case err == nil:
		c.claimed = append(c.claimed, all)
		return c.look(&was, n)
	case !errors.Is(err, unix.EBUSY):
		return err
	}
	for _, p := range parts {
		f, err := claim(c.is.Name, partName(c.is.Name, p))
		if err != nil {
			return err
		}
		c.claimed = append(c.claimed, f)
	}
	return c.look(&was, n)
}

// claim opens a partition of a disk, with O_EXCL.
func claim(disk, part string) (*os.File, error) {
	path := "/dev/" + part
	f, err := os.OpenFile(path, unix.O_RDONLY|unix.O_EXCL|unix.O_NONBLOCK|unix.O_CLOEXEC, 0)
	if errors.Is(err, unix.EBUSY) || errors.Is(err, os.ErrNotExist) { // all of the disk is in use, if it has no partitions
		return nil, inUse(path)
	} else if err != nil {
		return nil, err
	}
	var st unix.Stat_t
	err = unix.Fstat(int(f.Fd()), &st)
	if want := (&survey{os.DirFS("/")}).text("sys/block/" + disk + "/" + part + "/dev"); err == nil && (st.Mode&unix.S_IFMT != unix.S_IFBLK || number(st.Rdev) != want) {
		err = fmt.Errorf("%s is not partition %s of %s", path, want, disk)
	}
	if err != nil {
		f.Close()
		return nil, err
	}
	return f, nil
}

// Close ends the use of the card, and what was claimed of it.
func (c *Card) Close() error {
	var err error
	for _, f := range append(c.claimed, c.File) {
		err = errors.Join(err, f.Close())
	}
	c.claimed = nil
	return err
}

// Size is in bytes.
func (c *Card) Size() int64 { return c.size }

// Sync writes what waits in memory and forgets it.
func (c *Card) Sync() error {
	fd := int(c.Fd())
	if err := unix.Fdatasync(fd); err != nil {
		return err
	}
	if c.is.Name != "" {
		if err := unix.IoctlSetInt(fd, unix.BLKFLSBUF, 0); err != nil && !errors.Is(err, unix.EACCES) && !errors.Is(err, unix.EPERM) {
			return err
		} // who is not root has the next line only
	}
	return unix.Fadvise(fd, 0, 0, unix.FADV_DONTNEED)
}

// Reread has the kernel read the partition table anew. An error is no more than a
// note: it does so when the card is put in again.
func (c *Card) Reread() error {
	if c.is.Name == "" {
		return nil
	}
	return unix.IoctlSetInt(int(c.Fd()), unix.BLKRRPART, 0)
}
