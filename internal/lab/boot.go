package lab

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/nbr-dev/nbr/internal/nstest"
)

// A Machine is test bench B: a router's file system in which systemd has come up as process 1,
// with the real units of its daemons. Links and addresses are those of the network namespace
// that it was booted in; processes, mounts, host name and control groups are its own.
//
// It may not change what namespaces do not divide: the clock, the kernel's modules, the
// parameters below /proc/sys that are not the network's, /sys.
type Machine struct {
	Root *Root // its files, but for what systemd mounts there

	pid     int
	console string
	done    chan struct{} // closed when the last of its processes has ended
}

// haltTime is how long a machine may take to go down, which takes a second: then units that do not
// answer are killed with it, and nothing is lost.
const haltTime = 8 * time.Second

// The second shell has the cgroup it was started in as the root of its hierarchy (the
// namespace cannot be made with the process: it would be rooted where this one is), and makes
// the tree its root. systemd wants to see the whole of /proc/sys; only what is the network
// namespace's may be written.
const (
	enterMachine = `exec unshare --cgroup sh -ec "$1" sh "$0"`
	bootMachine  = `
cd "$1"
mount -t proc proc proc
mount --bind proc/sys/net proc/sys/net
mount --rbind proc/sys proc/sys
mount -o remount,bind,ro proc/sys
mount -t sysfs -o ro sysfs sys
mount -t cgroup2 cgroup2 sys/fs/cgroup
mkdir -p oldroot
pivot_root . oldroot
umount -l oldroot
exec env -i container=lab PATH=/usr/sbin:/usr/bin:/sbin:/bin /usr/lib/systemd/systemd --system systemd.unit=multi-user.target
`
)

// harmless is how everything in a machine is started: also what a test runs there may not set
// the clock of the computer that the test runs on.
var harmless = []string{"setpriv", "--bounding-set=-sys_time,-sys_module,-sys_rawio", "--"}

// Boot starts a machine with the given files and waits until the given units have started, of
// the distribution's or the files'; no other daemon starts by itself. The machine is switched
// off when the test ends, and killed if it does not want to. It needs root, for the control
// groups.
func Boot(t testing.TB, ns *nstest.NS, files Files, units ...string) *Machine {
	t.Helper()
	return BootFailing(t, ns, files, nil, units...)
}

// BootFailing is [Boot] of a machine on which some units, given sorted, must fail, and no other
// may.
func BootFailing(t testing.TB, ns *nstest.NS, files Files, failing []string, units ...string) *Machine {
	t.Helper()
	if os.Geteuid() != 0 {
		t.Fatal("lab: only root may boot a machine")
	}
	m := &Machine{Root: Rootfs(t, files), console: filepath.Join(t.TempDir(), "console"), done: make(chan struct{})}
	m.Root.Write(t, "/etc/systemd/system/multi-user.target.d/lab.conf", "[Unit]\nWants="+strings.Join(units, " ")+"\n")
	m.start(t, ns)
	t.Cleanup(func() { m.halt(t) })
	m.ready(t, failing)
	return m
}

func (m *Machine) start(t testing.TB, ns *nstest.NS) {
	t.Helper()
	log, err := os.Create(m.console)
	if err != nil {
		t.Fatal(err)
	}
	defer log.Close()
	group := cgroup(t)
	defer group.Close()

	argv := append(slices.Clone(harmless), ns.Args("sh", "-c", enterMachine, m.Root.dir, bootMachine)...)
	// Not the test's context: that ends before the machine could be switched off.
	cmd := exec.Command(argv[0], argv[1:]...)
	cmd.Stdout, cmd.Stderr = log, log
	cmd.SysProcAttr = &syscall.SysProcAttr{
		Cloneflags:  syscall.CLONE_NEWPID | syscall.CLONE_NEWNS | syscall.CLONE_NEWUTS | syscall.CLONE_NEWIPC,
		UseCgroupFD: true, CgroupFD: int(group.Fd()),
		Setsid: true,
	}
	if err := cmd.Start(); err != nil {
		t.Fatalf("lab: %v", err)
	}
	m.pid = cmd.Process.Pid
	go func() {
		_ = cmd.Wait()
		close(m.done)
	}()
}

// cgroup makes a control group for a machine and removes it when the machine has gone. systemd
// takes the second version's only, which this machine need not have mounted.
func cgroup(t testing.TB) *os.File {
	t.Helper()
	all, err := os.MkdirTemp("/run/lab", "cgroup")
	if err != nil {
		t.Fatal(err)
	}
	mount(t, "cgroup2", "cgroup2", all, 0, "")
	own, err := os.MkdirTemp(all, "nbr-lab-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		// Only groups can be removed, those below first; their files are no files.
		var groups []string
		_ = filepath.WalkDir(own, func(path string, e os.DirEntry, err error) error {
			if err == nil && e.IsDir() {
				groups = append(groups, path)
			}
			return err
		})
		for _, g := range slices.Backward(groups) {
			if err := syscall.Rmdir(g); err != nil {
				t.Errorf("lab: rmdir %s: %v", g, err)
			}
		}
	})
	group, err := os.Open(own)
	if err != nil {
		t.Fatal(err)
	}
	return group
}

// ready waits until the boot has ended, with the given units failed.
func (m *Machine) ready(t testing.TB, failing []string) {
	t.Helper()
	deadline := time.Now().Add(nstest.Patience)
	for {
		state, err := m.Try(t, "systemctl", "is-system-running")
		state = strings.TrimSpace(state)
		if state == "running" && len(failing) == 0 || state == "degraded" && slices.Equal(m.failed(t), failing) {
			return
		}
		select {
		case <-m.done:
			t.Fatalf("lab: the machine has ended: %s", m.said())
		default:
		}
		if state == "degraded" || time.Now().After(deadline) {
			failed, _ := m.Try(t, "systemctl", "--no-pager", "--plain", "list-units", "--state=failed,activating")
			journal, _ := m.Try(t, "journalctl", "--no-pager", "--output=short-monotonic", "--lines=200")
			t.Fatalf("lab: the machine is %q: %v\n%s\n%s\n%s", state, err, failed, m.said(), journal)
		}
		time.Sleep(30 * time.Millisecond)
	}
}

// failed are the units that have failed, sorted.
func (m *Machine) failed(t testing.TB) (units []string) {
	for line := range strings.Lines(m.Run(t, "systemctl", "--no-pager", "--plain", "--no-legend", "list-units", "--state=failed")) {
		units = append(units, strings.Fields(line)[0])
	}
	slices.Sort(units)
	return units
}

func (m *Machine) said() string {
	text, err := os.ReadFile(m.console)
	if err != nil {
		return err.Error()
	}
	return string(text)
}

// halt switches the machine off, as systemctl poweroff does, and pulls the plug if that takes
// too long. With process 1 ends everything in it.
func (m *Machine) halt(t testing.TB) {
	ctx, cancel := context.WithTimeout(context.Background(), haltTime)
	defer cancel()
	_ = m.command(ctx, "systemctl", "poweroff").Run()
	select {
	case <-m.done:
	case <-ctx.Done():
		_ = syscall.Kill(m.pid, syscall.SIGKILL)
		<-m.done
		t.Logf("lab: the machine did not go off by itself in %s", haltTime)
	}
}

// Command is a program of the machine, with its network, processes and mounts.
func (m *Machine) Command(t testing.TB, args ...string) *exec.Cmd {
	t.Helper()
	return m.command(t.Context(), args...)
}

func (m *Machine) command(ctx context.Context, args ...string) *exec.Cmd {
	argv := slices.Concat(harmless, []string{"nsenter", "--target", strconv.Itoa(m.pid), "--all", "--"}, args)
	cmd := exec.CommandContext(ctx, argv[0], argv[1:]...)
	cmd.Env = []string{"PATH=/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "HOME=/root", "LANG=C.UTF-8"}
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	cmd.WaitDelay = nstest.Patience
	return cmd
}

// Run runs a program in the machine to its end and returns its standard output; the test fails
// if the program does.
func (m *Machine) Run(t testing.TB, args ...string) string {
	t.Helper()
	out, err := m.Try(t, args...)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// Try is [Machine.Run] for programs that may fail. The error carries both outputs.
func (m *Machine) Try(t testing.TB, args ...string) (string, error) {
	t.Helper()
	out, err := nstest.Output(m.Command(t, args...))
	if err != nil {
		// The way into the machine is of no interest.
		_, what, _ := strings.Cut(err.Error(), " --all -- ")
		err = errors.New(what)
	}
	return out, err
}

// Systemctl runs systemctl, which returns when the unit has started or stopped. If it fails,
// so does the test, with what the units have said.
func (m *Machine) Systemctl(t testing.TB, verb string, units ...string) {
	t.Helper()
	if _, err := m.Try(t, append([]string{"systemctl", verb}, units...)...); err != nil {
		t.Fatalf("%v\n%s", err, m.Journal(t, units...))
	}
}

// Journal is what units have said lately.
func (m *Machine) Journal(t testing.TB, units ...string) string {
	t.Helper()
	args := []string{"journalctl", "--no-pager", "--quiet", "--lines=60", "--output=short-monotonic"}
	for _, u := range units {
		args = append(args, "--unit="+u)
	}
	out, err := m.Try(t, args...)
	if err != nil {
		return fmt.Sprint(err)
	}
	return out
}
