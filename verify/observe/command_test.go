package observe

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/nbr-dev/nbr/internal/nstest"
	"github.com/nbr-dev/nbr/verify/state"
)

var commandsOnly = []collector{{parts: "commands", look: (*looker).commands, asks: true, slow: true}}

func command(name string, timeout int, args ...string) state.Need {
	return state.Need{Kind: state.NeedCommand, Name: name, Args: args, Timeout: timeout}
}

func TestCommands(t *testing.T) {
	dir := t.TempDir()
	for name, text := range map[string]string{"not-runnable": "", "no-such-interpreter": "#!/no/such\n"} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Chmod(dir+"/no-such-interpreter", 0o755); err != nil {
		t.Fatal(err)
	}
	root := t.TempDir() // of a NixOS, which has programs that the PATH has not
	bin := filepath.Join(root, systemPath)
	if err := os.MkdirAll(bin, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(bin+"/nixos-only", []byte("#!/bin/sh\necho from $0\n"), 0o755); err != nil {
		t.Fatal(err)
	}
	t.Setenv("NBR_NOT_FOR_CHILDREN", "x")
	sh := func(script string) []string { return []string{"/bin/sh", "-c", script} }
	for _, tt := range []struct {
		name string
		args []string
		want state.Command
	}{
		{"well", sh("echo fine; echo noise >&2"), state.Command{Output: "fine\n"}},
		{"not well", sh("echo because; exit 1"), state.Command{Exit: 1, Output: "because\n"}},
		{"cannot tell", sh("exit 3"), state.Command{Exit: 3}},
		{"255", sh("exit 255"), state.Command{Exit: 255}},
		{"of the PATH", []string{"sh", "-c", "echo $0", "a b", "$HOME"}, state.Command{Output: "a b\n"}},
		{"of the system", []string{"nixos-only"}, state.Command{Output: "from " + bin + "/nixos-only\n"}},
		{"no shell", []string{"echo", "$HOME;", "*"}, state.Command{Output: "$HOME; *\n"}},
		{"where it is", sh("pwd; cat"), state.Command{Output: "/\n"}},
		{"what it has", sh("env | cut -d= -f1 | grep -v _ | sort"), state.Command{Output: "PATH\nPWD\n"}},
		{"what it has not", sh(`echo "$LC_ALL$NBR_NOT_FOR_CHILDREN$HOME"`), state.Command{Output: "C\n"}},
		{"a lot", sh("yes x | head -c 1000000; exit 1"), state.Command{Exit: 1, Output: strings.Repeat("x\n", 2048)}},
		{"half a character at the end", sh("printf %4095s; printf 'Ää'"), state.Command{Output: strings.Repeat(" ", 4095)}},
		{"no text", sh(`printf 'a\377b'`), state.Command{Output: "a\ufffdb"}},
		{"a signal", sh("kill -SEGV $$"), state.Command{Error: "ended by signal: segmentation fault"}},
		{"not there", []string{"/no/such"}, state.Command{Error: "fork/exec /no/such: no such file or directory"}},
		{"nowhere", []string{"no-such"}, state.Command{Error: "no-such: not found in PATH or /run/current-system/sw/bin"}},
		{"not to be run", []string{dir + "/not-runnable"}, state.Command{Error: "fork/exec " + dir + "/not-runnable: permission denied"}},
		{"no interpreter", []string{dir + "/no-such-interpreter"}, state.Command{Error: "fork/exec " + dir + "/no-such-interpreter: no such file or directory"}},
		{"here", []string{"./x"}, state.Command{Error: "./x: neither a name nor an absolute path"}},
		{"a NUL", []string{"echo", "a\x00b"}, state.Command{Error: "fork/exec /usr/bin/echo: invalid argument"}},
		{"nothing", nil, state.Command{Error: "no command"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			st := look(t.Context(), Options{Root: root, Needs: []state.Need{command("check.x", 0, tt.args...)}}, commandsOnly)
			if tt.want.Error == "" {
				tt.want.Args = tt.args
			}
			if d := cmp.Diff(map[string]state.Command{"check.x": tt.want}, st.Commands); d != "" || st.Missed != nil {
				t.Error(d, st.Missed)
			}
		})
	}
}

// One that takes too long ends, with all that it has started, and so does what one
// leaves behind that keeps its output open. The others are none the worse.
func TestCommandsThatDoNotEnd(t *testing.T) {
	nstest.Require(t)
	pids := t.TempDir()
	var st *state.State
	seconds := 1
	for ; ; seconds *= 2 { // until there was time enough for it to start what is to be ended
		st = look(t.Context(), Options{Needs: []state.Need{
			command("check.hangs", seconds, "/bin/sh", "-c", "sleep 600 & echo $! >"+pids+"/child; trap '' TERM INT; echo said; wait"),
			command("check.leaves", 60, "/bin/sh", "-c", "sleep 601 & echo $! >"+pids+"/left; echo done"),
			command("check.well", 60, "/bin/echo", "fine"),
		}}, commandsOnly)
		if info, err := os.Stat(pids + "/child"); err == nil && info.Size() > 0 {
			break
		}
	}
	want := map[string]state.Command{
		"check.hangs":  {Error: fmt.Sprintf("took longer than %d s", seconds)},
		"check.leaves": {Output: "done\n"},
		"check.well":   {Output: "fine\n"},
	}
	if d := cmp.Diff(want, st.Commands, cmpopts.IgnoreFields(state.Command{}, "Args")); d != "" {
		t.Error(d)
	}
	for _, name := range []string{"child", "left"} {
		text, err := os.ReadFile(pids + "/" + name)
		if err != nil {
			t.Fatal(err)
		}
		pid, err := strconv.Atoi(strings.TrimSpace(string(text)))
		if err != nil {
			t.Fatal(err)
		}
		nstest.Wait(t, func() error { // a signal takes its time
			if alive(pid) {
				return fmt.Errorf("%s is still there", name)
			}
			return nil
		})
	}
}

// alive tells whether a process runs.
func alive(pid int) bool {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	return err == nil && !strings.Contains(string(text), ") Z ")
}

// A spec that gives a command more time than a look has gets it.
func TestCommandsHaveTheirOwnTime(t *testing.T) {
	var own, others time.Time
	ask := func(to *time.Time) func(*looker, context.Context) error {
		return func(_ *looker, ctx context.Context) error { *to, _ = ctx.Deadline(); return nil }
	}
	look(t.Context(), Options{}, []collector{{parts: "commands", look: ask(&own), asks: true, slow: true}, {parts: "offers", look: ask(&others), asks: true}})
	if !own.IsZero() || others.IsZero() {
		t.Errorf("commands have until %v, others until %v", own, others)
	}
	// An interrupt ends them all the same.
	ctx, cancel := context.WithCancel(t.Context())
	started := t.TempDir() + "/started"
	go func() {
		for os.Remove(started) != nil && ctx.Err() == nil {
			time.Sleep(time.Millisecond)
		}
		cancel()
	}()
	st := look(ctx, Options{Needs: []state.Need{command("check.x", 60, "/bin/sh", "-c", "echo >"+started+"; exec sleep 600")}}, commandsOnly)
	if c := st.Commands["check.x"]; c.Error != "there was no time for the answer: context canceled" {
		t.Errorf("%+v", c)
	}
}
