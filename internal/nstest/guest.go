package nstest

import (
	"bufio"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// guest is set, by the kernel's command line, in a machine of package lab whose first process
// is a test binary. The two agree on the names in here.
const guest = "NBR_GUEST"

// GuestModules is a file of a guest: the kernel modules to load, a path a line, in this order.
const GuestModules = "/modules"

// GuestOutput and GuestStatus are the names of the virtio serial ports by which a guest tells
// what the tests write and how they ended: the console is also the kernel's, and boot loaders'.
const (
	GuestOutput = "nbr.output"
	GuestStatus = "nbr.status"
)

// bootGuest is what the first process of a guest does. It does not return.
func bootGuest() {
	if err := testGuest(); err != nil {
		fmt.Fprintln(os.Stderr, "nstest:", err) // the console
	}
	if err := unix.Reboot(unix.LINUX_REBOOT_CMD_POWER_OFF); err != nil {
		panic(err) // and so does the kernel
	}
}

// testGuest runs the tests in a process of their own, so that a process is left to tell
// how they ended if that is by a crash.
func testGuest() error {
	if err := furnishGuest(); err != nil {
		return err
	}
	output, err := openPort(GuestOutput)
	if err != nil {
		return err
	}
	status, err := openPort(GuestStatus)
	if err != nil {
		return err
	}
	cmd := exec.Command("/proc/self/exe", os.Args[1:]...)
	cmd.Env = []string{"PATH=/usr/sbin:/usr/bin:/sbin:/bin", "HOME=/root", inside + "=1"}
	cmd.Stdout, cmd.Stderr = output, output
	if err := cmd.Run(); cmd.ProcessState == nil {
		return err
	}
	_, err = fmt.Fprintln(status, cmd.ProcessState)
	return err
}

// furnishGuest makes of a kernel and an archive of files a machine where programs work.
func furnishGuest() error {
	for _, m := range []struct{ kind, target, options string }{
		{"proc", "/proc", ""},
		{"sysfs", "/sys", ""},
		{"devtmpfs", "/dev", ""},
		{"tmpfs", "/run", "mode=755"},
		{"tmpfs", "/tmp", "mode=1777"},
	} {
		if err := os.MkdirAll(m.target, 0o755); err != nil {
			return err
		}
		if err := unix.Mount(m.kind, m.target, m.kind, unix.MS_NOSUID, m.options); err != nil {
			return fmt.Errorf("cannot mount %s on %s: %w", m.kind, m.target, err)
		}
	}
	if err := os.Symlink("/proc/self/fd", "/dev/fd"); err != nil { // as udev does
		return err
	}
	if err := unix.Sethostname([]byte("guest")); err != nil {
		return err
	}
	if err := loadModules(); err != nil {
		return err
	}
	return loopbackUp()
}

func loadModules() error {
	list, err := os.Open(GuestModules)
	if err != nil {
		return err
	}
	defer list.Close()
	lines := bufio.NewScanner(list)
	for lines.Scan() {
		if err := loadModule(lines.Text()); err != nil {
			return fmt.Errorf("cannot load %s: %w", lines.Text(), err)
		}
	}
	return lines.Err()
}

func loadModule(path string) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer f.Close()
	flags := 0
	if !strings.HasSuffix(path, ".ko") {
		flags = unix.MODULE_INIT_COMPRESSED_FILE // the kernel reads .ko.xz itself
	}
	err = unix.FinitModule(int(f.Fd()), "", flags)
	if errors.Is(err, unix.EEXIST) {
		return nil
	}
	return err
}

// loopbackUp does without ip(8): a guest has no programs but the tests.
func loopbackUp() error {
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return err
	}
	defer unix.Close(fd)
	lo, err := unix.NewIfreq("lo")
	if err != nil {
		return err
	}
	lo.SetUint16(unix.IFF_UP)
	if err := unix.IoctlIfreq(fd, unix.SIOCSIFFLAGS, lo); err != nil {
		return fmt.Errorf("cannot set lo up: %w", err)
	}
	return nil
}

// openPort opens a virtio serial port by its name. The kernel learns the names from the other
// side, some time after it has found the device.
func openPort(name string) (*os.File, error) {
	for deadline := time.Now().Add(Patience); time.Now().Before(deadline); time.Sleep(10 * time.Millisecond) {
		found, err := filepath.Glob("/sys/class/virtio-ports/*/name")
		if err != nil {
			return nil, err
		}
		for _, file := range found {
			text, err := os.ReadFile(file)
			if err == nil && strings.TrimSpace(string(text)) == name {
				return os.OpenFile("/dev/"+filepath.Base(filepath.Dir(file)), os.O_WRONLY, 0)
			}
		}
	}
	return nil, fmt.Errorf("no serial port is called %s", name)
}
