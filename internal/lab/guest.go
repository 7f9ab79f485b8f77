package lab

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
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
	// Timeout is how long the machine may take, four minutes if it is not set. Half of it is the
	// tests' own, so that one that hangs can still say where.
	Timeout time.Duration
}

// Test boots the guest, runs all tests of the package there that are called TestGuest…, and
// reports each as a part of t. It fails as well if a test is skipped, if there is none, and if
// the machine ends before they do.
func (g Guest) Test(t *testing.T) {
	t.Helper()
	if g.Timeout == 0 {
		g.Timeout = 4 * time.Minute
	}
	dir := t.TempDir()
	g.pack(t, dir)
	g.boot(t, dir).report(t)
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
func (g Guest) boot(t testing.TB, dir string) outcome {
	t.Helper()
	defer lock(t)()
	ctx, cancel := context.WithTimeout(t.Context(), g.Timeout)
	defer cancel()
	args := g.command(t, dir)
	cmd := exec.CommandContext(ctx, args[0], args[1:]...)
	cmd.WaitDelay = time.Second
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
	o := outcome{status: strings.TrimSpace(text("status")), output: text("output"), console: string(complaints) + text("console")}
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
func (g Guest) command(t testing.TB, dir string) []string {
	t.Helper()
	kernel, release := g.kernel(t)
	emulator, console := []string{"qemu-system-x86_64", "-M", "q35", "-cpu", "max"}, "ttyS0"
	if g.Arch == ARM64 {
		emulator, console = []string{"qemu-system-aarch64", "-M", "virt", "-cpu", "cortex-a72"}, "ttyAMA0"
	}
	in := func(name string) string { return filepath.Join(dir, name) }
	return append(emulator,
		"-accel", "tcg,thread=multi", "-smp", "2", "-m", "1024", "-nodefaults", "-display", "none", "-no-reboot",
		"-serial", "file:"+in("console"),
		"-device", "virtio-serial-pci",
		"-chardev", "file,id=output,path="+in("output"), "-device", "virtserialport,chardev=output,name="+nstest.GuestOutput,
		"-chardev", "file,id=status,path="+in("status"), "-device", "virtserialport,chardev=status,name="+nstest.GuestStatus,
		"-device", "virtio-net-pci,romfile=,mac="+guestMAC,
		"-kernel", filepath.Join(kernel, "usr", modulesDir(release), "vmlinuz"),
		"-initrd", in("initramfs"),
		// What the kernel does not know before the dashes is in init's environment, what is
		// after them is init's arguments.
		"-append", fmt.Sprintf("console=%s quiet panic=-1 oops=panic NBR_GUEST=1 -- -test.v=test2json -test.run=^TestGuest -test.timeout=%s", console, g.Timeout/2))
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
