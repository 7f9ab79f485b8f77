package observe

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"

	"github.com/nbr-dev/nbr/firmware/image"
	"github.com/nbr-dev/nbr/verify/observe/root"
	"github.com/nbr-dev/nbr/verify/state"
)

// firmware reads the partitions that a MediaTek board starts from, which takes root.
// Other boards have none: of one whose device tree names another vendor that is all
// there is to see.
func (l *looker) firmware(context.Context) error {
	bl2, err := l.partition("bl2")
	if errors.Is(err, root.ErrNotThere) && !l.mediaTek() {
		l.st.Firmware = &state.Firmware{}
		return nil
	}
	if err == nil && bl2.BL2 == nil {
		err = errors.New("it holds no BL2")
	}
	if err != nil {
		return fmt.Errorf("the partition bl2: %w", err)
	}
	l.st.Firmware = image.Firmware(bl2.BL2, nil)
	fip, err := l.partition("fip")
	if err != nil {
		return fmt.Errorf("the partition fip: %w", err)
	}
	l.st.Firmware = image.Firmware(bl2.BL2, fip.FIP)
	return nil
}

// mediaTek tells whether the board may be one of MediaTek's: also one that cannot be
// asked.
func (l *looker) mediaTek() bool {
	text, err := l.root().Read("/proc/device-tree/compatible")
	if err != nil {
		return true
	}
	all, err := parseCompatible(text)
	return err != nil || slices.ContainsFunc(all, func(c string) bool { return strings.HasPrefix(c, "mediatek,") })
}

// partition reads what is in a partition, which udev links by its name.
func (l *looker) partition(name string) (*image.Image, error) {
	f, err := l.root().Open("/dev/disk/by-partlabel/" + name)
	if errors.Is(err, os.ErrNotExist) {
		return nil, root.ErrNotThere
	} else if err != nil {
		return nil, err
	}
	defer f.Close()
	size, err := f.Seek(0, io.SeekEnd) // stat(2) tells no size of a device
	if err != nil {
		return nil, err
	}
	return image.ReadAt(f, size)
}
