package hardware

import (
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

// Firmware reads the partitions that a MediaTek board starts from, which takes root. It is
// what could be read of them also when there is an error. Other boards have none: of one
// whose device tree names another vendor that is all there is to see.
func Firmware(r root.Root) (*state.Firmware, error) {
	bl2, err := partition(r, "bl2")
	if errors.Is(err, root.ErrNotThere) && !mediaTek(r) {
		return &state.Firmware{}, nil
	}
	if err == nil && bl2.BL2 == nil {
		err = errors.New("it holds no BL2")
	}
	if err != nil {
		return nil, fmt.Errorf("the partition bl2: %w", err)
	}
	fip, err := partition(r, "fip")
	if err != nil {
		return image.Firmware(bl2.BL2, nil), fmt.Errorf("the partition fip: %w", err)
	}
	return image.Firmware(bl2.BL2, fip.FIP), nil
}

// mediaTek tells whether the board may be one of MediaTek's: also one that cannot be
// asked.
func mediaTek(r root.Root) bool {
	text, err := r.Read("/proc/device-tree/compatible")
	if err != nil {
		return true
	}
	all, err := parseCompatible(text)
	return err != nil || slices.ContainsFunc(all, func(c string) bool { return strings.HasPrefix(c, "mediatek,") })
}

// partition reads what is in a partition, which udev links by its name.
func partition(r root.Root, name string) (*image.Image, error) {
	f, err := r.Open("/dev/disk/by-partlabel/" + name)
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
