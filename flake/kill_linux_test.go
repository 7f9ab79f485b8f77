package flake_test

import (
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"syscall"
	"testing"
	"unsafe"

	"golang.org/x/sys/unix"
)

// steps are the system calls that change what is on disk, or would if they were
// carried out. Those that only name some of the calls of that number say which.
var steps = map[uint64]struct {
	name string
	is   func(args [6]uint64) bool
}{
	unix.SYS_OPENAT:     {"openat", func(args [6]uint64) bool { return args[2]&unix.O_CREAT != 0 }},
	unix.SYS_WRITE:      {"write", func(args [6]uint64) bool { return args[0] > 2 }},
	unix.SYS_FSYNC:      {"fsync", nil},
	unix.SYS_FCHMODAT:   {"fchmodat", nil},
	unix.SYS_FLOCK:      {"flock", nil},
	unix.SYS_MKDIRAT:    {"mkdirat", nil},
	unix.SYS_LINKAT:     {"linkat", nil},
	unix.SYS_SYMLINKAT:  {"symlinkat", nil},
	unix.SYS_UNLINKAT:   {"unlinkat", nil},
	unix.SYS_RENAMEAT:   {"rename", nil},
	unix.SYS_RENAMEAT2:  {"rename", nil},
	unix.SYS_EXIT_GROUP: {"exit", nil},
}

// syscallInfo is struct ptrace_syscall_info of ptrace(2), as far as it is filled
// when a call is entered. It is the same on every architecture.
type syscallInfo struct {
	Op   uint8
	_    [3]uint8
	Arch uint32
	_, _ uint64 // instruction and stack pointer
	Nr   uint64
	Args [6]uint64
}

const (
	ptraceGetSyscallInfo   = 0x420e
	ptraceSyscallInfoEntry = 1
)

// entered is the step that a stopped thread is about to take, or "".
func entered(tid int) string {
	var info syscallInfo
	_, _, errno := unix.Syscall6(unix.SYS_PTRACE, ptraceGetSyscallInfo, uintptr(tid),
		unsafe.Sizeof(info), uintptr(unsafe.Pointer(&info)), 0, 0)
	if s := steps[info.Nr]; errno == 0 && info.Op == ptraceSyscallInfoEntry && (s.is == nil || s.is(info.Args)) {
		return s.name
	}
	return ""
}

// killAt runs nbr gen in a process of its own and kills it (SIGKILL, so nothing of
// it runs afterwards) just before its n-th step, and returns what that step was:
// "" if the process was done before.
func killAt(t *testing.T, dir, tree string, force bool, n int) string {
	t.Helper()
	// ptrace(2) is between threads.
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	cmd := child(t, dir, tree, force)
	p, err := os.StartProcess(cmd.Path, cmd.Args, &os.ProcAttr{
		Env: cmd.Env, Files: []*os.File{nil, nil, os.Stderr}, Sys: &syscall.SysProcAttr{Ptrace: true},
	})
	if err != nil {
		t.Fatal(err)
	}
	pid, started, step := p.Pid, map[int]bool{}, ""
	if err := p.Release(); err != nil {
		t.Fatal(err)
	}
	for {
		var ws unix.WaitStatus
		tid, err := unix.Wait4(-1, &ws, unix.WALL|unix.WNOTHREAD, nil)
		switch {
		case errors.Is(err, unix.EINTR):
			continue
		case err != nil:
			t.Fatal(err)
		case tid == pid && ws.Exited():
			if ws.ExitStatus() != 0 {
				t.Fatalf("nbr gen failed: exit code %d", ws.ExitStatus())
			}
			return ""
		case tid == pid && ws.Signaled():
			if step == "" {
				t.Fatalf("nbr gen died of %v by itself", ws.Signal())
			}
			return step
		case !ws.Stopped():
			continue // one of its threads is gone
		}
		deliver := 0
		switch sig := ws.StopSignal(); {
		case tid == pid && !started[pid]: // execve
			err = unix.PtraceSetOptions(pid, unix.PTRACE_O_TRACESYSGOOD|unix.PTRACE_O_TRACECLONE|unix.PTRACE_O_EXITKILL)
			if err != nil {
				t.Fatal(err)
			}
		case sig == unix.SIGTRAP|0x80:
			if s := entered(tid); s != "" && step == "" {
				if n--; n == 0 {
					step = s
					if err := unix.Kill(pid, unix.SIGKILL); err != nil {
						t.Fatal(err)
					}
					continue
				}
			}
		case sig == unix.SIGTRAP: // it has made a thread
		case sig == unix.SIGSTOP && !started[tid]: // it is that thread
		default:
			deliver = int(sig)
		}
		started[tid] = true
		// A thread that SIGKILL was faster with is gone, which wait tells next.
		if err := unix.PtraceSyscall(tid, deliver); err != nil && !errors.Is(err, unix.ESRCH) {
			t.Fatal(err)
		}
	}
}

// withoutLeftovers drops what a killed run may leave beside the tree.
func withoutLeftovers(in map[string]string) map[string]string {
	for name := range in {
		if strings.HasPrefix(name, ".nbr-gen-") {
			delete(in, name)
		}
	}
	return in
}

// After nbr gen was killed, at whatever step, there is the old tree or the new one, and
// running it again makes the new one and leaves nothing else.
func TestKilledAtAnyStep(t *testing.T) {
	tests := []struct {
		name  string
		make  func(t *testing.T, dir string)
		force bool
		steps []string // that the run has to take, or the test does not look at it
		least int
	}{
		{
			"fresh folder", func(*testing.T, string) {}, false,
			[]string{"openat", "write", "fsync", "mkdirat", "flock", "symlinkat", "rename", "exit"},
			40,
		},
		{"changed tree with foreign files", func(t *testing.T, dir string) {
			write(t, dir, trees()["old"])
			put(t, "mine\n", dir, "routers", "home", "local.nix")
			put(t, "mine\n", dir, "routers", "office", "local.nix")
			put(t, "ref: main\n", dir, ".git", "HEAD")
			put(t, "lock\n", dir, "flake.lock")
			put(t, "edited\n", dir, "routers", "nbr", "kernel.nix")
			if err := os.Symlink("local.nix", filepath.Join(dir, "routers", "home", "link.nix")); err != nil {
				t.Fatal(err)
			}
		}, false, []string{"openat", "write", "fsync", "mkdirat", "flock", "linkat", "symlinkat", "fchmodat", "rename", "unlinkat", "exit"}, 60},
		{"edited files and force", func(t *testing.T, dir string) {
			write(t, dir, trees()["old"])
			put(t, "edited\n", dir, "routers", "home", "network.nix")
		}, true, []string{"write", "rename", "unlinkat"}, 60},
		{"the user's flake.nix and force", func(t *testing.T, dir string) {
			put(t, "{ }\n", dir, "flake.nix")
		}, true, []string{"symlinkat", "rename"}, 40},
		{"no flake.lock yet", func(t *testing.T, dir string) {
			write(t, dir, trees()["old"])
		}, false, []string{"linkat", "rename"}, 60},
		{"leftovers of a killed run", func(t *testing.T, dir string) {
			write(t, dir, trees()["old"])
			put(t, "half\n", dir, ".nbr-gen-1", "routers", "home", "network.nix")
		}, false, []string{"unlinkat", "rename"}, 60},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()                 // a traced process is its thread's own
			base := mount(t, "size=64m") // where fsync costs nothing
			fresh := func(name string) string {
				dir := filepath.Join(base, name)
				if err := os.Mkdir(dir, 0o755); err != nil {
					t.Fatal(err)
				}
				tt.make(t, dir)
				return dir
			}
			tree := "new"
			if strings.Contains(tt.name, "flake.lock") {
				tree = "locked"
			}
			whole := fresh("whole")
			before := withoutLeftovers(snapshot(t, whole))
			if err := gen(whole, trees()[tree], tt.force); err != nil {
				t.Fatal(err)
			}
			after := snapshot(t, whole)
			allowed := []map[string]string{before, after}
			if before["flake.nix"] != after["flake.nix"] {
				// The tree is there and the link to it is not: what flake.nix leads to
				// is what it was.
				between := with(snapshot(t, whole), "flake.nix", before["flake.nix"])
				if before["flake.nix"] == "" {
					delete(between, "flake.nix")
				}
				allowed = append(allowed, between)
			}

			if after["flake.lock"] != before["flake.lock"] {
				// It comes first: without it Nix would write another.
				allowed = append(allowed, with(maps.Clone(before), "flake.lock", after["flake.lock"]))
			}

			var taken []string
			seen := make([]int, len(allowed))
			for n := 1; ; n++ {
				dir := fresh(fmt.Sprint(n))
				step := killAt(t, dir, tree, tt.force, n)
				if step == "" {
					equal(t, after, snapshot(t, dir))
					break
				}
				taken = append(taken, step)
				got := withoutLeftovers(snapshot(t, dir))
				i := slices.IndexFunc(allowed, func(m map[string]string) bool { return same(m, got) })
				if i < 0 {
					t.Errorf("killed before step %d (%s), neither the old tree nor the new one is there", n, step)
					equal(t, before, got)
					break
				}
				seen[i]++
				if err := gen(dir, trees()[tree], tt.force); err != nil {
					t.Errorf("killed before step %d (%s), the next run fails: %v", n, step, err)
				}
				equal(t, after, snapshot(t, dir))
				if t.Failed() {
					t.Fatalf("after step %d (%s)", n, step)
				}
			}
			t.Logf("killed at %d steps, found old, new (and what is between) %v times", len(taken), seen)
			if len(taken) < tt.least || slices.Contains(seen, 0) {
				t.Errorf("killed at %d steps, found old, new (and what is between) %v times: too few to mean something", len(taken), seen)
			}
			for _, s := range tt.steps {
				if !slices.Contains(taken, s) {
					t.Errorf("never killed at %s: the steps were %q", s, taken)
				}
			}
		})
	}
}

func same(a, b map[string]string) bool {
	if len(a) != len(b) {
		return false
	}
	for k, v := range a {
		if w, ok := b[k]; !ok || v != w {
			return false
		}
	}
	return true
}
