// Package nstest is test bench A: it puts a whole test binary into namespaces of its own, so
// that tests talk to a real kernel's network stack, start daemons and change addresses with
// nothing to clean up and nothing of the machine in reach.
//
// A package asks for it with one line,
//
//	func TestMain(m *testing.M) { nstest.Main(m) }
//
// and is then alone in a network, mount and process namespace: only lo, an empty /run, and
// every process that it leaves behind dies with it. As root it needs nothing else, since
// daemons may want to change to other users; anyone else gets a user namespace around it.
//
// If the namespaces cannot be had the tests fail. NBR_NO_NETNS=1 runs them outside; then those
// that called [Require] fail and the others do not.
//
// In a guest of package lab, a machine of its own whose first process is the test binary, Main
// does the work of an init instead: see [GuestModules].
//
// nstest knows nothing of nbr: programs and file systems are package lab's.
package nstest

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"runtime"
	"strings"
	"syscall"
	"testing"
)

const (
	optOut = "NBR_NO_NETNS"
	inside = "NBR_NSTEST" // set in the process that Main starts, and in what that one starts
)

// Main runs the tests of a package inside namespaces of their own. It does not return.
func Main(m *testing.M) { os.Exit(M{m}.Run()) }

// An M is a [testing.M] that runs the tests inside namespaces of their own, for a TestMain that
// hands it on: testscript.Main(nstest.M{m}, …).
type M struct{ *testing.M }

// Run runs the tests and returns the exit code.
func (m M) Run() int {
	switch {
	case os.Getenv(guest) != "" && os.Getpid() == 1:
		bootGuest()
	case os.Getenv(optOut) == "1":
	case os.Getenv(inside) == "":
		return restart()
	case os.Getpid() == 1:
		if err := furnish(); err != nil {
			fatal(err)
		}
	}
	return m.M.Run()
}

// Require fails a test that was started outside of the namespaces: without them it would
// change the machine's own network.
func Require(t testing.TB) {
	t.Helper()
	if os.Getenv(inside) == "" {
		t.Fatalf("nstest: this test needs namespaces of its own; its package's TestMain must call nstest.Main, and %s must not be set", optOut)
	}
}

func fatal(err error) {
	fmt.Fprintf(os.Stderr, "nstest: %v\nnstest: tests that talk to the kernel need network namespaces; %s=1 leaves them out\n", err, optOut)
	os.Exit(1)
}

// restart runs this program again inside the namespaces and returns its exit code. The new
// process is the first of its process namespace, so whatever it starts dies with it.
func restart() int {
	// The kernel signals a parent's death by the thread that started the child.
	runtime.LockOSThread()
	signals := make(chan os.Signal, 4)
	signal.Notify(signals, syscall.SIGINT, syscall.SIGTERM, syscall.SIGQUIT)

	cmd, err := start()
	if err != nil {
		fatal(fmt.Errorf("cannot make the namespaces: %w", err))
	}
	go func() {
		for s := range signals {
			_ = cmd.Process.Signal(s)
		}
	}()
	if err := cmd.Wait(); err != nil && cmd.ProcessState == nil {
		fatal(err)
	}
	if code := cmd.ProcessState.ExitCode(); code >= 0 {
		return code
	}
	fmt.Fprintln(os.Stderr, "nstest: the tests ended with", cmd.ProcessState)
	return 1
}

// start tries without a user namespace first if it is root. Root of a container may be
// refused that, and then does as everybody else.
func start() (*exec.Cmd, error) {
	var errs error
	for _, user := range []bool{false, true} {
		if !user && os.Geteuid() != 0 {
			continue
		}
		cmd := exec.Command("/proc/self/exe", os.Args[1:]...)
		cmd.Args[0] = os.Args[0]
		cmd.Env = append(os.Environ(), inside+"=1")
		cmd.Stdin, cmd.Stdout, cmd.Stderr = os.Stdin, os.Stdout, os.Stderr
		attr := &syscall.SysProcAttr{
			Cloneflags: syscall.CLONE_NEWNET | syscall.CLONE_NEWNS | syscall.CLONE_NEWPID | syscall.CLONE_NEWIPC | syscall.CLONE_NEWUTS,
			Pdeathsig:  syscall.SIGKILL,
		}
		if user {
			attr.Cloneflags |= syscall.CLONE_NEWUSER
			attr.UidMappings = []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Geteuid(), Size: 1}}
			attr.GidMappings = []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getegid(), Size: 1}}
		}
		cmd.SysProcAttr = attr
		err := cmd.Start()
		if err == nil {
			return cmd, nil
		}
		errs = errors.Join(errs, err)
	}
	return nil, errs
}

// furnish makes the new namespaces a place where programs work: /proc and /sys show them and
// not the machine, /run is empty (named network namespaces live there), lo is up.
func furnish() error {
	mounts := []struct {
		kind, target string
		flags        uintptr
	}{
		{"", "/", syscall.MS_REC | syscall.MS_PRIVATE},
		{"proc", "/proc", syscall.MS_NOSUID | syscall.MS_NODEV | syscall.MS_NOEXEC},
		{"sysfs", "/sys", syscall.MS_NOSUID | syscall.MS_NODEV | syscall.MS_NOEXEC},
		{"tmpfs", "/run", syscall.MS_NOSUID | syscall.MS_NODEV},
	}
	for _, m := range mounts {
		if err := syscall.Mount(m.kind, m.target, m.kind, m.flags, ""); err != nil {
			return fmt.Errorf("cannot mount %s on %s: %w", m.kind, m.target, err)
		}
	}
	// Administrators' programs are not in everybody's search path.
	if err := os.Setenv("PATH", os.Getenv("PATH")+":/usr/local/sbin:/usr/sbin:/sbin"); err != nil {
		return err
	}
	if out, err := exec.Command("sh", "-c", settled).CombinedOutput(); err != nil {
		return fmt.Errorf("cannot set lo up: %w: %s", err, strings.TrimSpace(string(out)))
	}
	return nil
}
