package check

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"

	"github.com/nbr-dev/nbr/internal/nstest"
	"github.com/nbr-dev/nbr/internal/probetest"
)

func TestMain(m *testing.M) { nstest.Main(m) }

// toRun is a run of a command.
func toRun(timeout int, args ...string) run { return run{newCommand(args), timeout} }

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
	t.Setenv("NBR_NOT_FOR_CHILDREN", "x")
	sh := func(script string) []string { return []string{"/bin/sh", "-c", script} }
	for _, tt := range []struct {
		name string
		args []string
		want probetest.Answer[outcome]
	}{
		{"well", sh("echo fine; echo noise >&2"), probetest.Answer[outcome]{Answer: outcome{Output: "fine\n"}}},
		{"not well", sh("echo because; exit 1"), probetest.Answer[outcome]{Answer: outcome{Exit: 1, Output: "because\n"}}},
		{"cannot tell", sh("exit 3"), probetest.Answer[outcome]{Answer: outcome{Exit: 3}}},
		{"255", sh("exit 255"), probetest.Answer[outcome]{Answer: outcome{Exit: 255}}},
		{"of the PATH", []string{"sh", "-c", "echo $0", "a b", "$HOME"}, probetest.Answer[outcome]{Answer: outcome{Output: "a b\n"}}},
		{"no shell", []string{"echo", "$HOME;", "*"}, probetest.Answer[outcome]{Answer: outcome{Output: "$HOME; *\n"}}},
		{"where it is", sh("pwd; cat"), probetest.Answer[outcome]{Answer: outcome{Output: "/\n"}}},
		{"what it has", sh("env | cut -d= -f1 | grep -v _ | sort"), probetest.Answer[outcome]{Answer: outcome{Output: "PATH\nPWD\n"}}},
		{"what it has not", sh(`echo "$LC_ALL$NBR_NOT_FOR_CHILDREN$HOME"`), probetest.Answer[outcome]{Answer: outcome{Output: "C\n"}}},
		{"a lot", sh("yes x | head -c 1000000; exit 1"), probetest.Answer[outcome]{Answer: outcome{Exit: 1, Output: strings.Repeat("x\n", 2048) + cut}}},
		{"more than is read", sh("yes x | head -c 20000000"), probetest.Answer[outcome]{Answer: outcome{Output: strings.Repeat("x\n", 2048) + cut}}},
		{"half a character at the end", sh("printf %4095s; printf 'Ää'"), probetest.Answer[outcome]{Answer: outcome{Output: strings.Repeat(" ", 4095) + cut}}},
		{"no text", sh(`printf 'a\377b'`), probetest.Answer[outcome]{Answer: outcome{Output: "a\ufffdb"}}},
		{"a signal", sh("kill -SEGV $$"), probetest.Answer[outcome]{Error: "/bin/sh: signal: segmentation fault"}},
		{"not there", []string{"/no/such"}, probetest.Answer[outcome]{Error: "/no/such: fork/exec /no/such: no such file or directory"}},
		{"nowhere", []string{"no-such"}, probetest.Answer[outcome]{Error: "no-such: not found in PATH or /run/current-system/sw/bin"}},
		{"not to be run", []string{dir + "/not-runnable"}, probetest.Answer[outcome]{Error: dir + "/not-runnable: fork/exec " + dir + "/not-runnable: permission denied"}},
		{"no interpreter", []string{dir + "/no-such-interpreter"}, probetest.Answer[outcome]{Error: dir + "/no-such-interpreter: fork/exec " + dir + "/no-such-interpreter: no such file or directory"}},
		{"here", []string{"./x"}, probetest.Answer[outcome]{Error: "./x: neither a name nor an absolute path"}},
		{"a NUL", []string{"echo", "a\x00b"}, probetest.Answer[outcome]{Error: "echo: fork/exec /usr/bin/echo: invalid argument"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			q := toRun(60, tt.args...)
			if d := cmp.Diff(tt.want, probetest.Ask(t, outcomeOf, q)[q]); d != "" {
				t.Error(d)
			}
		})
	}
}

// One that takes too long ends, with all that it has started, and so does what one
// leaves behind that keeps its output open. The others are none the worse.
func TestCommandsThatDoNotEnd(t *testing.T) {
	nstest.Require(t)
	pids := t.TempDir()
	leaves := toRun(60, "/bin/sh", "-c", "sleep 601 & echo $! >"+pids+"/left; echo done")
	well := toRun(60, "/bin/echo", "fine")
	var hangs run
	var got map[run]probetest.Answer[outcome]
	for seconds := 1; ; seconds *= 2 { // until there was time enough for it to start what is to be ended
		hangs = toRun(seconds, "/bin/sh", "-c", "sleep 600 & echo $! >"+pids+"/child; trap '' TERM INT; echo said; wait")
		got = probetest.Ask(t, outcomeOf, hangs, leaves, well)
		if info, err := os.Stat(pids + "/child"); err == nil && info.Size() > 0 {
			break
		}
	}
	want := map[run]probetest.Answer[outcome]{
		hangs:  {Error: fmt.Sprintf("it took longer than %d s", hangs.Timeout)},
		leaves: {Answer: outcome{Output: "done\n"}},
		well:   {Answer: outcome{Output: "fine\n"}},
	}
	if d := cmp.Diff(want, got); d != "" {
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

// The beginning of what a command says is text, and no more than is kept.
func FuzzHead(f *testing.F) {
	f.Add([]byte("fine\n"))
	f.Add([]byte(strings.Repeat("Ä\xffä", 2000)))
	f.Fuzz(func(t *testing.T, b []byte) {
		if text := head(b); !utf8.ValidString(text) || utf8.RuneCountInString(text) > mostOutput+utf8.RuneCountInString(cut) {
			t.Errorf("%q", text)
		}
	})
}

// The question names the command as a list, and two with other times are two.
func TestQuestion(t *testing.T) {
	q := outcomeOf.Ask(toRun(10, "sh", "-c", "echo <a>\x00"))
	if want := `{"command":["sh","-c","echo \u003ca\u003e\u0000"],"timeout":10}`; q.Key != want || !q.Active || !q.UserCommand {
		t.Errorf("%+v, want %s", q, want)
	}
}
