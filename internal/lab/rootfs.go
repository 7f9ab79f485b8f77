package lab

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/nbr-dev/nbr/internal/nstest"
)

// Files are contents by absolute path. A path that ends in a slash is a folder, with mode
// 0750: what systemd's RuntimeDirectory= would make and Kea insists on.
type Files map[string]string

// A Root is a router's file system for one test: a Debian with all the daemons, whose tree is
// shared and whose changes are the test's own. Its programs run in any network namespace, with
// their own processes, /proc, /sys, /dev, /run and /tmp.
type Root struct{ dir string }

// Rootfs returns a fresh router file system with the given files in it. The test's package
// must have [nstest.Main].
func Rootfs(t testing.TB, files Files) *Root {
	t.Helper()
	lower := part(t, "rootfs")
	nstest.Require(t)
	// Not t.TempDir: sockets in here are opened from outside too, and their paths are short.
	if err := os.MkdirAll("/run/lab", 0o755); err != nil {
		t.Fatal(err)
	}
	base, err := os.MkdirTemp("/run/lab", "")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := os.RemoveAll(base); err != nil {
			t.Errorf("lab: %v", err)
		}
	})
	mount(t, "tmpfs", "tmpfs", base, 0, "mode=755")
	for _, d := range []string{"up", "work", "root"} {
		if err := os.Mkdir(filepath.Join(base, d), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	r := &Root{dir: filepath.Join(base, "root")}
	mount(t, "overlay", "overlay", r.dir, 0, fmt.Sprintf("lowerdir=%s,upperdir=%s/up,workdir=%s/work", lower, base, base))
	mount(t, "tmpfs", "tmpfs", r.Path("/run"), syscall.MS_NOSUID|syscall.MS_NODEV, "mode=755")
	mount(t, "tmpfs", "tmpfs", r.Path("/tmp"), syscall.MS_NOSUID|syscall.MS_NODEV, "mode=1777")
	mount(t, "tmpfs", "tmpfs", r.Path("/dev"), syscall.MS_NOSUID, "mode=755")
	r.devices(t)
	for path, content := range files {
		r.Write(t, path, content)
	}
	return r
}

// devices fills /dev. The nodes are the machine's own, since a user namespace may not make any.
func (r *Root) devices(t testing.TB) {
	t.Helper()
	for _, dev := range []string{"null", "zero", "full", "random", "urandom", "tty", "net/tun"} {
		if _, err := os.Stat("/dev/" + dev); err != nil {
			continue
		}
		r.Write(t, "/dev/"+dev, "")
		mount(t, "/dev/"+dev, "", r.Path("/dev/"+dev), syscall.MS_BIND, "")
	}
	for name, target := range map[string]string{"fd": "/proc/self/fd", "stdin": "fd/0", "stdout": "fd/1", "stderr": "fd/2"} {
		if err := os.Symlink(target, r.Path("/dev/"+name)); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Mkdir(r.Path("/dev/shm"), 0o777|os.ModeSticky); err != nil {
		t.Fatal(err)
	}
}

func mount(t testing.TB, source, kind, target string, flags uintptr, options string) {
	t.Helper()
	if err := syscall.Mount(source, target, kind, flags, options); err != nil {
		t.Fatalf("lab: mount %s on %s: %v", source, target, err)
	}
	t.Cleanup(func() {
		if err := syscall.Unmount(target, syscall.MNT_DETACH); err != nil {
			t.Errorf("lab: umount %s: %v", target, err)
		}
	})
}

// Path is where a file of the router lies for the test: to read a lease file, to talk to a
// control socket.
func (r *Root) Path(path string) string { return filepath.Join(r.dir, path) }

// Write puts a file, or a folder if the path ends in a slash, into the router's file system.
func (r *Root) Write(t testing.TB, path, content string) {
	t.Helper()
	parent := filepath.Dir(strings.TrimSuffix(path, "/"))
	if err := os.MkdirAll(r.Path(parent), 0o755); err != nil {
		t.Fatal(err)
	}
	var err error
	if strings.HasSuffix(path, "/") {
		if err = os.Mkdir(r.Path(path), 0o750); errors.Is(err, os.ErrExist) {
			err = os.Chmod(r.Path(path), 0o750)
		}
	} else {
		err = nstest.WriteFile(r.Path(path), []byte(content), 0o644)
	}
	if err != nil {
		t.Fatal(err)
	}
}

// The shell mounts what belongs to the process and network namespaces, which are the
// command's own.
const enter = `mount -t proc proc "$0/proc" && mount -t sysfs sysfs "$0/sys" && exec chroot "$0" "$@"`

// Command is a program of the router, to be run in a network namespace. It is the first of its
// process namespace: when it ends or is killed, and at the end of the test, everything that it
// has started ends too.
func (r *Root) Command(t testing.TB, ns *nstest.NS, args ...string) *exec.Cmd {
	t.Helper()
	nstest.Require(t)
	argv := ns.Args(append([]string{"sh", "-c", enter, r.dir}, args...)...)
	cmd := exec.CommandContext(t.Context(), argv[0], argv[1:]...)
	cmd.Env = []string{"PATH=/usr/sbin:/usr/bin:/sbin:/bin", "HOME=/root", "LANG=C.UTF-8"}
	cmd.SysProcAttr = &syscall.SysProcAttr{Cloneflags: syscall.CLONE_NEWPID | syscall.CLONE_NEWNS, Setpgid: true}
	cmd.WaitDelay = nstest.Patience
	return cmd
}

// Run runs a program of the router to its end and returns its standard output; the test fails
// if the program does.
func (r *Root) Run(t testing.TB, ns *nstest.NS, args ...string) string {
	t.Helper()
	out, err := r.Try(t, ns, args...)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// Try is [Root.Run] for programs that may fail, as a checker does on a bad file. The error
// carries both outputs.
func (r *Root) Try(t testing.TB, ns *nstest.NS, args ...string) (string, error) {
	t.Helper()
	out, err := nstest.Output(r.Command(t, ns, args...))
	if err != nil {
		// The way into the tree is of no interest.
		err = errors.New(strings.Replace(err.Error(), strings.Join(ns.Args("sh", "-c", enter, r.dir), " ")+" ", "", 1))
	}
	return out, err
}

// A Daemon is a program of the router that runs until the test ends.
type Daemon struct {
	name string
	log  string
	cmd  *exec.Cmd
	done chan struct{} // closed when the program has ended
}

// Daemon starts a program of the router in the foreground (with the option that keeps it
// there). If the test fails its output is part of the test's.
func (r *Root) Daemon(t testing.TB, ns *nstest.NS, args ...string) *Daemon {
	t.Helper()
	d := &Daemon{name: filepath.Base(args[0]), log: filepath.Join(t.TempDir(), "log"), done: make(chan struct{})}
	// A file, since some daemons' children keep the output open for longer than they live.
	log, err := os.Create(d.log)
	if err != nil {
		t.Fatal(err)
	}
	defer log.Close()
	d.cmd = r.Command(t, ns, args...)
	d.cmd.Stdout, d.cmd.Stderr = log, log
	if err := d.cmd.Start(); err != nil {
		t.Fatalf("lab: %v", err)
	}
	go func() {
		_ = d.cmd.Wait()
		close(d.done)
	}()
	t.Cleanup(func() {
		_ = d.cmd.Process.Kill()
		<-d.done
		if t.Failed() {
			t.Logf("%s wrote:\n%s", d.name, d.Log())
		}
	})
	return d
}

// Log is what the daemon has written so far.
func (d *Daemon) Log() string {
	text, err := os.ReadFile(d.log)
	if err != nil {
		return err.Error()
	}
	return string(text)
}

// Ready waits until the condition returns nil; the test fails if the daemon ends before that,
// or after [nstest.Patience], with the condition's last error.
func (d *Daemon) Ready(t testing.TB, condition func() error) {
	t.Helper()
	deadline := time.After(nstest.Patience)
	for {
		err := condition()
		if err == nil {
			return
		}
		select {
		case <-d.done:
			t.Fatalf("lab: %s has ended (%v), still: %v", d.name, d.cmd.ProcessState, err)
		case <-deadline:
			t.Fatalf("lab: %s is not ready: %v", d.name, err)
		case <-time.After(20 * time.Millisecond):
		}
	}
}

// Inside are the arguments that run a program in all namespaces of the daemon, whose processes it sees.
func (d *Daemon) Inside(args ...string) []string {
	return append([]string{"nsenter", "-t", fmt.Sprint(d.cmd.Process.Pid), "-m", "-n", "-p", "-r", "-w", "--"}, args...)
}

// Signal sends a signal to the daemon and to its children.
func (d *Daemon) Signal(t testing.TB, s syscall.Signal) {
	t.Helper()
	if err := syscall.Kill(-d.cmd.Process.Pid, s); err != nil {
		t.Errorf("lab: %s: %v", d.name, err)
	}
}

// Stop asks the daemon to end, as systemd would, and waits until it has.
func (d *Daemon) Stop(t testing.TB) {
	t.Helper()
	_ = d.cmd.Process.Signal(syscall.SIGTERM)
	select {
	case <-d.done:
	case <-time.After(nstest.Patience):
		t.Errorf("lab: %s does not stop", d.name)
	}
}
