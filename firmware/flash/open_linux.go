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
	info, err := os.Stat(file)
	if errors.Is(err, os.ErrNotExist) && !strings.HasPrefix(file, "/dev/") {
		return nil, fmt.Errorf("there is no %s; a file that stands for a card is made with truncate -s 8G %[1]s", file)
	} else if err != nil {
		return nil, err
	}
	if info.Mode().IsRegular() {
		return &Device{Path: file, Size: info.Size()}, nil
	}
	var st unix.Stat_t
	if err := unix.Stat(file, &st); err != nil {
		return nil, &os.PathError{Op: "stat", Path: file, Err: err}
	}
	if st.Mode&unix.S_IFMT != unix.S_IFBLK {
		return nil, fmt.Errorf("%s is neither a block device nor a file", file)
	}
	rdev := uint64(st.Rdev)
	return Survey(os.DirFS("/"), file, fmt.Sprintf("%d:%d", unix.Major(rdev), unix.Minor(rdev)))
}

// A Card is an open device or file.
type Card struct {
	*os.File
	size   int64
	device bool
}

// Open opens a device that Look has seen. Alone has the kernel refuse one that
// somebody uses, in whatever way and until it is closed.
func Open(d *Device, alone bool) (*Card, error) {
	flags := os.O_RDWR
	if d.Name != "" && alone {
		flags |= unix.O_EXCL
	}
	f, err := os.OpenFile(d.Path, flags, 0)
	if errors.Is(err, unix.EBUSY) {
		return nil, fmt.Errorf("%s is in use, the kernel says", d.Path)
	} else if err != nil {
		return nil, err
	}
	size, err := f.Seek(0, io.SeekEnd)
	if err == nil && size != d.Size {
		err = fmt.Errorf("%s has changed: it has %d bytes now and had %d", d.Path, size, d.Size)
	}
	if err != nil {
		f.Close()
		return nil, err
	}
	return &Card{f, size, d.Name != ""}, nil
}

// Size is in bytes.
func (c *Card) Size() int64 { return c.size }

// Sync writes what waits in memory and forgets it.
func (c *Card) Sync() error {
	fd := int(c.Fd())
	if err := unix.Fdatasync(fd); err != nil {
		return err
	}
	if c.device {
		if err := unix.IoctlSetInt(fd, unix.BLKFLSBUF, 0); err != nil && !errors.Is(err, unix.EACCES) && !errors.Is(err, unix.EPERM) {
			return err
		} // who is not root has the next line only
	}
	return unix.Fadvise(fd, 0, 0, unix.FADV_DONTNEED)
}

// Reread has the kernel read the partition table anew. An error is no more than a
// note: it does so when the card is put in again.
func (c *Card) Reread() error {
	if !c.device {
		return nil
	}
	return unix.IoctlSetInt(int(c.Fd()), unix.BLKRRPART, 0)
}
