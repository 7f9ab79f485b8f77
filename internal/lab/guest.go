package lab

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/nbr-dev/nbr/internal/nstest"
)

// An Arch is a kind of emulated machine, by Go's name for its processor.
type Arch string

// The kinds of machines: test benches C and D.
const (
	AMD64 Arch = "amd64"
	ARM64 Arch = "arm64"
)

// A Guest is an emulated machine with a kernel of Debian, for what the kernel of this machine
// may lack and for the router's own processor. Its first process is the test binary of the
// package that asks for it, made once more with the build tag "guest":
//
//	//go:build guest
//
//	func TestGuestVLAN(t *testing.T) { … }
//
// Files with the tag are not in the package's usual binary, so their tests run in a guest or
// not at all, and one named guest_arm64_test.go is of that kind of guest only. The package must
// have [nstest.Main]. Nothing else is in the machine: no shell, no daemon, and one network card
// that leads nowhere, eth0 for those who load virtio_net.
type Guest struct {
	Arch Arch
	// Modules are loaded before the tests, in this order, each after what it depends on. A
	// guest has no modprobe: the kernel finds nothing by itself.
	Modules []string
	// Copy are files and folders of this machine by where they are in the guest.
	Copy map[string]string
	// Memory is the machine's, in MiB, and 1024 if it is not set. Only what the guest touches is
	// taken from this machine.
	Memory int
	// Disk, if it is set, makes the disk that the machine starts from as a board does: the firmware
	// has to find everything there. Without it the emulator lays kernel and archive into memory.
	// The guest may write to the disk, and the file stays as it is.
	Disk func(Payload) Disk
	// Timeout is how long the machine may take, twenty minutes if it is not set: it only ends one
	// that hangs, and emulators starve on a busy machine. Half of it is the tests' own, so that
	// one that hangs can still say where.
	Timeout time.Duration
}

// A Payload is what a disk has to bring for a guest to start from it.
type Payload struct {
	Kernel  string // a file: an Image of arm64
	Release string // the kernel's, as uname(2) has it
	Archive string // a file: the kernel's first file system, not compressed
	Args    string // the kernel's command line
}

// A Disk is a file with the bytes of a disk, and one with the firmware that the processor runs
// first.
type Disk struct{ Image, Firmware string }

// Test boots the guest, runs all tests of the package there that are called TestGuest…, and
// reports each as a part of t. It fails as well if a test is skipped, if there is none, and if
// the machine ends before they do. What it returns was written to the guest's serial port.
func (g Guest) Test(t *testing.T) (console string) {
	t.Helper()
	if g.Timeout == 0 {
		g.Timeout = 20 * time.Minute
	}
	if g.Memory == 0 {
		g.Memory = 1024
	}
	dir := t.TempDir()
	g.pack(t, dir)
	o := g.boot(t, dir, g.media(t, dir))
	o.report(t)
	return o.console
}

// pack makes the archive of what is in the machine.
func (g Guest) pack(t testing.TB, dir string) {
	t.Helper()
	kernel, release := g.kernel(t)
	extra := ""
	if g.Arch == ARM64 {
		extra = part(t, "dsa")
	}
	modules, err := loadOrder(kernel, extra, g.Modules)
	if err != nil {
		t.Fatalf("lab: %v", err)
	}
	files := map[string]string{"/init": filepath.Join(dir, "init")}
	// The binary shares what is compiled for it with the one of Program.
	goTool(t, g.Arch, "test", "-c", "-trimpath", "-tags", "guest", "-ldflags", "-s -w", "-o", files["/init"], ".")
	for _, name := range []string{"modules.dep", "modules.builtin"} {
		files[filepath.Join(modulesDir(release), name)] = filepath.Join(kernel, "usr", modulesDir(release), name)
	}
	maps.Copy(files, g.Copy)
	watch(t)
	if err := writeInitramfs(filepath.Join(dir, "initramfs"), files, modules); err != nil {
		t.Fatalf("lab: %v", err)
	}
}

// watch looks at the package's tests. Those for guests are not in this binary, so the go command
// would answer with the result of an earlier run after they have changed; it notes what files
// of the module a test looks at.
func watch(t testing.TB) {
	t.Helper()
	sources, err := filepath.Glob("*_test.go")
	for _, source := range sources {
		if err == nil {
			_, err = os.Stat(source)
		}
	}
	if err != nil {
		t.Fatalf("lab: %v", err)
	}
}

// kernel is the folder of the guest's kernel, and its release.
func (g Guest) kernel(t testing.TB) (dir, release string) {
	t.Helper()
	dir = part(t, "kernel-"+string(g.Arch))
	release, err := kernelRelease(dir)
	if err != nil {
		t.Fatalf("lab: %v", err)
	}
	return dir, release
}

// Program builds a program of this project as the router gets it, and returns where it is.
func Program(t testing.TB, arch Arch, pkg string) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "program")
	goTool(t, arch, "build", "-tags", "urfave_cli_no_docs", "-trimpath", "-o", file, pkg)
	return file
}

// goTool runs the go command for a guest, with what is on this machine already.
func goTool(t testing.TB, arch Arch, args ...string) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "go", args...)
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0", "GOOS=linux", "GOARCH="+string(arch), "GOPROXY=off", "GOTOOLCHAIN=local")
	if _, err := nstest.Output(cmd); err != nil {
		t.Fatalf("lab: %v", err)
	}
}

// boot runs the machine to its end.
func (g Guest) boot(t testing.TB, dir string, media []string) outcome {
	t.Helper()
	defer lock(t)()
	ctx, cancel := context.WithTimeout(t.Context(), g.Timeout)
	defer cancel()
	args := append(g.command(dir), media...)
	cmd := exec.CommandContext(ctx, args[0], args[1:]...)
	cmd.WaitDelay = nstest.Patience
	start := time.Now()
	complaints, err := cmd.CombinedOutput()
	if used := cmd.ProcessState; used != nil {
		t.Logf("lab: the %s guest took %.1f s, and %.1f s of processors", g.Arch,
			time.Since(start).Seconds(), (used.UserTime() + used.SystemTime()).Seconds())
	}
	text := func(name string) string {
		b, _ := os.ReadFile(filepath.Join(dir, name))
		return string(b)
	}
	o := outcome{status: strings.TrimSpace(text("status")), output: text("output"), console: text("console"), emulator: string(complaints)}
	switch {
	case errors.Is(ctx.Err(), context.DeadlineExceeded):
		o.trouble = fmt.Sprintf("the machine was stopped after %s", g.Timeout)
	case err != nil:
		o.trouble = err.Error()
	case o.status == "":
		o.trouble = "the machine ended before its tests did"
	}
	return o
}

// command is that of the emulator. Accelerators are not used: there is none for a foreign
// processor, and a machine without one is what this one may be itself.
func (g Guest) command(dir string) []string {
	// Linux changes its own code while it runs, on x86 by way of a breakpoint, and with a thread
	// for each processor the emulator lets one of them run into it when it is long gone: an oops
	// in one of dozens of starts. So the processors of that kind take turns.
	emulator := []string{"qemu-system-x86_64", "-M", "q35,memory-backend=memory", "-cpu", "max", "-accel", "tcg,thread=single"}
	if g.Arch == ARM64 {
		emulator = []string{"qemu-system-aarch64", "-M", "virt,memory-backend=memory", "-cpu", "cortex-a72", "-accel", "tcg,thread=multi"}
	}
	in := func(name string) string { return filepath.Join(dir, name) }
	size := strconv.Itoa(g.Memory)
	return append(emulator,
		"-smp", "2", "-nodefaults", "-display", "none", "-no-reboot",
		"-m", size, "-object", "memory-backend-ram,id=memory,reserve=off,size="+size+"M",
		"-serial", "file:"+in("console"),
		"-device", "virtio-serial-pci",
		"-chardev", "file,id=output,path="+in("output"), "-device", "virtserialport,chardev=output,name="+nstest.GuestOutput,
		"-chardev", "file,id=status,path="+in("status"), "-device", "virtserialport,chardev=status,name="+nstest.GuestStatus,
		"-device", "virtio-net-pci,romfile=,mac="+guestMAC)
}

// media are the emulator's arguments for what the machine starts from.
func (g Guest) media(t testing.TB, dir string) []string {
	t.Helper()
	kernel, release := g.kernel(t)
	p := Payload{
		Kernel:  filepath.Join(kernel, "usr", modulesDir(release), "vmlinuz"),
		Release: release,
		Archive: filepath.Join(dir, "initramfs"),
		Args:    g.kernelArgs(),
	}
	if g.Disk == nil {
		return []string{"-kernel", p.Kernel, "-initrd", p.Archive, "-append", "quiet " + p.Args}
	}
	disk := g.Disk(p)
	return []string{
		"-bios", disk.Firmware,
		"-drive", "if=none,id=disk,format=raw,snapshot=on,file=" + disk.Image, "-device", "virtio-blk-pci,drive=disk",
	}
}

// kernelArgs is the kernel's command line. What it does not know before the dashes is in init's
// environment, what is after them is init's arguments.
func (g Guest) kernelArgs() string {
	// A busy computer delivers the emulated timer's ticks late, and the kernel would give up
	// because of that.
	console := "ttyS0 no_timer_check"
	if g.Arch == ARM64 {
		console = "ttyAMA0"
	}
	return fmt.Sprintf("console=%s panic=-1 oops=panic NBR_GUEST=1 -- -test.v=test2json -test.run=^TestGuest -test.timeout=%s", console, g.Timeout/2)
}

// UBoot is Debian's U-Boot for the emulated board of arm64.
func UBoot(t testing.TB) string {
	t.Helper()
	const file = "/usr/lib/u-boot/qemu_arm64/u-boot.bin"
	if _, err := os.Stat(file); err != nil {
		t.Fatalf("lab: %v: run .ci/setup", err)
	}
	return file
}

// guestMAC is the address of a guest's network card.
const guestMAC = "52:54:00:12:34:56"

// lock keeps two emulated machines from running at once, in whatever processes: each would
// take twice the time, and hit its limit.
func lock(t testing.TB) (unlock func()) {
	t.Helper()
	f, err := os.Open(folder())
	if err != nil {
		t.Fatalf("lab: %v", err)
	}
	if err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX); err != nil {
		t.Fatalf("lab: cannot lock %s: %v", f.Name(), err)
	}
	return func() { _ = f.Close() }
}

// DeviceTrees is the folder of the device trees of a maker's boards, as Debian's kernel for
// arm64 has them.
func DeviceTrees(t testing.TB, maker string) string {
	t.Helper()
	kernel, release := Guest{Arch: ARM64}.kernel(t)
	return filepath.Join(kernel, "usr", modulesDir(release), "dtb", maker)
}
