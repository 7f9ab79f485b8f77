package firmware

import (
	"io/fs"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/nbr-dev/nbr/verify/probe"
)

// files is a machine of which nothing but files is asked.
type files map[string]string

// host is the machine.
func (f files) host() probe.Host { return fileHost{files: f} }

type fileHost struct {
	probe.Host
	files files
}

func (h fileHost) ReadFile(name string) ([]byte, error) {
	text, ok := h.files[name]
	if !ok {
		return nil, fs.ErrNotExist
	}
	return []byte(text), nil
}

func TestLookRoot(t *testing.T) {
	const before = "21 1 0:2 / / rw - rootfs rootfs rw\n22 21 0:5 / /proc rw - proc proc rw\n"
	for name, tt := range map[string]struct {
		host files
		want root
		err  bool
	}{
		"subvolume on a card": {
			files{"/proc/self/mountinfo": before + "30 21 0:26 /@ / rw,noatime shared:1 - btrfs /dev/mmcblk0p5 rw,subvol=/@\n", "/sys/class/block/mmcblk0/size": "62333952\n"},
			root{"btrfs", "/@", "/dev/mmcblk0p5", 31914983424},
			false,
		},
		"NVMe": {
			files{"/proc/self/mountinfo": "30 21 259:2 / / rw - ext4 /dev/nvme0n1p2 rw\n", "/sys/class/block/nvme0n1/size": "8\n"},
			root{"ext4", "/", "/dev/nvme0n1p2", 4096},
			false,
		},
		"USB": {
			files{"/proc/self/mountinfo": "30 21 8:1 / / rw - ext4 /dev/sda1 rw\n", "/sys/class/block/sda/size": "8\n"},
			root{"ext4", "/", "/dev/sda1", 4096},
			false,
		},
		"no device":    {files{"/proc/self/mountinfo": "30 21 0:9 / / rw - tmpfs tmpfs rw\n"}, root{Type: "tmpfs", Subvolume: "/", Source: "tmpfs"}, false},
		"no root":      {files{"/proc/self/mountinfo": "22 21 0:5 / /proc rw - proc proc rw\n30 21"}, root{}, true},
		"no such disk": {files{"/proc/self/mountinfo": "30 21 8:1 / / rw - ext4 /dev/sda1 rw\n"}, root{}, true},
		"no mountinfo": {files{}, root{}, true},
	} {
		got, err := lookRoot(t.Context(), tt.host.host(), "/")
		if d := cmp.Diff(tt.want, got); d != "" || (err != nil) != tt.err {
			t.Errorf("%s: %v %s", name, err, d)
		}
	}
}

func TestLookClock(t *testing.T) {
	host := files{"/sys/class/rtc/rtc0/since_epoch": "1795000007\n", "/sys/class/rtc/rtc1/since_epoch": "x\n"}
	for name, want := range map[string]int64{"rtc0": 1795000007, "rtc1": 0, "rtc2": 0} {
		got, err := lookClock(t.Context(), host.host(), name)
		if got != want || (err != nil) != (want == 0) {
			t.Errorf("%s: %d, %v", name, got, err)
		}
	}
}
