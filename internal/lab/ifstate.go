package lab

import (
	_ "embed"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"

	"github.com/nbr-dev/nbr/internal/nstest"
)

//go:embed ports.py
var portsMain string

//go:embed validate.py
var validateMain string

// An IfStateTool is the released IfState. What it remembers between two calls (/run/libifstate)
// is the tool's own, and it sees no named network namespaces but those of its own making, which
// end with the call: it deletes namespaces and links that its configuration does not name.
type IfStateTool struct {
	// Ports are the kinds of the router's ports, if not "physical": "dsa" for a switch's. A
	// port is a veth whose other end is in another namespace, see [nstest.Link].
	Ports map[string]string

	python, script, run, validate string
}

// IfState returns the referee, or skips the test where it is [Absent].
func IfState(t testing.TB) *IfStateTool {
	t.Helper()
	dir := part(t, "ifstate")
	nstest.Require(t)
	return ifStateIn(t, dir)
}

// guestIfState is where the referee is in a guest.
const guestIfState = "/ifstate"

// GuestIfState returns the referee in a guest whose Copy has [IfStateFiles].
func GuestIfState(t testing.TB) *IfStateTool {
	t.Helper()
	return ifStateIn(t, guestIfState)
}

// IfStateFiles are the released IfState and what runs it, for the Copy of a guest of this
// machine's architecture: Python is this machine's own. Tools of the router's tree, whose
// libraries may be newer, are to be put over them.
func IfStateFiles(t testing.TB) map[string]string {
	t.Helper()
	dir := part(t, "ifstate")
	i := ifStateIn(t, dir)
	python, err := filepath.EvalSymlinks(i.python)
	if err != nil {
		t.Fatalf("lab: %v", err)
	}
	library := strings.TrimSpace(i.Python(t, "import sysconfig; print(sysconfig.get_path('stdlib'))"))
	files := map[string]string{
		guestIfState + "/bin/python": python, guestIfState + "/pyvenv.cfg": filepath.Join(dir, "pyvenv.cfg"),
		guestIfState + "/lib": filepath.Join(dir, "lib"), library: library,
	}
	if err := addTool("/", python, files); err != nil {
		t.Fatalf("lab: %v", err)
	}
	for _, folder := range []string{filepath.Join(library, "lib-dynload"), files[guestIfState+"/lib"]} {
		err := filepath.WalkDir(folder, func(name string, e fs.DirEntry, err error) error {
			if err != nil || !strings.HasSuffix(name, ".so") {
				return err
			}
			return addLibraries("/", name, files)
		})
		if err != nil {
			t.Fatalf("lab: %v", err)
		}
	}
	return files
}

func ifStateIn(t testing.TB, dir string) *IfStateTool {
	t.Helper()
	tmp := t.TempDir()
	i := &IfStateTool{
		python: filepath.Join(dir, "bin", "python"),
		script: filepath.Join(tmp, "ports.py"),
		run:    filepath.Join(tmp, "run"),

		validate: filepath.Join(tmp, "validate.py"),
	}
	for file, content := range map[string]string{
		i.script:                         portsMain,
		i.validate:                       validateMain,
		filepath.Join(tmp, "machine-id"): "0123456789abcdef0123456789abcdef\n",
	} {
		if err := os.WriteFile(file, []byte(content), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.MkdirAll(filepath.Join(i.run, "netns"), 0o755); err != nil {
		t.Fatal(err)
	}
	return i
}

// Schema is the JSON schema that the release judges configurations with.
func (i *IfStateTool) Schema(t testing.TB) []byte {
	t.Helper()
	pattern := filepath.Join(filepath.Dir(i.python), "../lib/python3*/site-packages/libifstate/schema/2/ifstate.conf.schema.json")
	found, err := filepath.Glob(pattern)
	if err != nil || len(found) != 1 {
		t.Fatalf("lab: %d files match %s", len(found), pattern)
	}
	schema, err := os.ReadFile(found[0])
	if err != nil {
		t.Fatal(err)
	}
	return schema
}

// Python runs a script with the Python that IfState runs with, and returns what it prints.
func (i *IfStateTool) Python(t testing.TB, script string, args ...string) string {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), i.python, append([]string{"-c", script}, args...)...)
	var failed strings.Builder
	cmd.Stderr = &failed
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("python: %v\n%s", err, failed.String())
	}
	return string(out)
}

// Validate judges a configuration (YAML, so JSON too) by the schema and the features that it
// uses. The error is IfState's own.
func (i *IfStateTool) Validate(t testing.TB, config string) error {
	t.Helper()
	_, err := i.Try(t, new(nstest.NS), config, "validate")
	return err
}

// ValidateAll judges many configurations in one process, and returns what IfState says of those
// that it refuses, by index.
func (i *IfStateTool) ValidateAll(t testing.TB, configs []string) map[int]error {
	t.Helper()
	dir := t.TempDir()
	index := map[string]int{}
	argv := []string{"sh", "-c", enterIfState, i.run, i.python, i.validate}
	for n, config := range configs {
		file := filepath.Join(dir, fmt.Sprint(n, ".yaml"))
		if err := os.WriteFile(file, []byte(config), 0o600); err != nil {
			t.Fatal(err)
		}
		index[file] = n
		argv = append(argv, file)
	}
	cmd := exec.CommandContext(t.Context(), argv[0], argv[1:]...)
	cmd.SysProcAttr = &syscall.SysProcAttr{Cloneflags: syscall.CLONE_NEWPID | syscall.CLONE_NEWNS, Setpgid: true}
	cmd.Env = append(os.Environ(), "PYTHONDONTWRITEBYTECODE=")
	out, err := nstest.Output(cmd)
	if err != nil {
		t.Fatalf("lab: %v", err)
	}
	refused := map[int]error{}
	for line := range strings.Lines(out) {
		var said struct{ File, Why string }
		if err := json.Unmarshal([]byte(line), &said); err != nil {
			t.Fatalf("lab: %v: %s", err, out)
		}
		n, ok := index[said.File]
		if !ok {
			t.Fatalf("lab: an answer about another file: %s", line)
		}
		refused[n] = errors.New(said.Why)
	}
	return refused
}

// Apply makes the namespace what the configuration says and returns IfState's report. The test
// fails unless everything could be done and a second look finds nothing left to do.
func (i *IfStateTool) Apply(t testing.TB, ns *nstest.NS, config string) string {
	t.Helper()
	report, err := i.Try(t, ns, config, "apply")
	if err != nil {
		t.Fatal(err)
	}
	// Exit code 0 is no news: what could not be done is only said. Complaints and nothing else
	// pass -q, so they are asked for; the report has them too, in words like any other.
	if complaints, err := i.Try(t, ns, config, "-q", "check"); err != nil || complaints != "" {
		t.Fatalf("lab: ifstatecli apply did not do all: %v\n%s\n%s", err, complaints, report)
	}
	if changes := i.Check(t, ns, config); len(changes) > 0 {
		t.Fatalf("lab: after ifstatecli apply there is still to do: %q\n%s", changes, report)
	}
	return report
}

// Check returns the lines of IfState's report that announce a change: none if the namespace is
// what the configuration says.
func (i *IfStateTool) Check(t testing.TB, ns *nstest.NS, config string) []string {
	t.Helper()
	report, err := i.Try(t, ns, config, "check")
	if err != nil {
		t.Fatal(err)
	}
	var changes []string
	for line := range strings.Lines(report) {
		words := strings.Fields(line)
		// Three blanks, a subject, which may be of two words, and "ok" or "=" for what is as it should
		// be already.
		if !strings.HasPrefix(line, "   ") || len(words) < 2 || words[len(words)-1] == "ok" || words[1] == "=" {
			continue
		}
		changes = append(changes, strings.Join(words, " "))
	}
	return changes
}

// Its own process namespace makes IfState the first process of its machine, as it wants to be:
// it refuses to work in a network namespace that is not the first process's.
const enterIfState = `mount -t proc proc /proc && mount --bind "$0" /run && exec "$@"`

// Try runs ifstatecli with a configuration and the given words, options before the command, and
// returns what it reports. An error carries the report too.
func (i *IfStateTool) Try(t testing.TB, ns *nstest.NS, config string, args ...string) (string, error) {
	t.Helper()
	file := filepath.Join(t.TempDir(), "ifstate.yaml")
	if err := os.WriteFile(file, []byte(config), 0o600); err != nil {
		t.Fatal(err)
	}
	argv := slices.Concat([]string{"sh", "-c", enterIfState, i.run, i.python, i.script, "-c", file}, args)
	argv = ns.Args(argv...)
	cmd := exec.CommandContext(t.Context(), argv[0], argv[1:]...)
	cmd.SysProcAttr = &syscall.SysProcAttr{Cloneflags: syscall.CLONE_NEWPID | syscall.CLONE_NEWNS, Setpgid: true}
	cmd.WaitDelay = nstest.Patience
	var kinds []string
	for _, port := range slices.Sorted(maps.Keys(i.Ports)) {
		kinds = append(kinds, port+"="+i.Ports[port])
	}
	cmd.Env = append(os.Environ(), "PORT_KINDS="+strings.Join(kinds, " "), "PYTHONDONTWRITEBYTECODE=")
	out, err := cmd.CombinedOutput()
	if err != nil {
		return string(out), fmt.Errorf("ifstatecli %s: %w\n%s", strings.Join(args, " "), err, out)
	}
	return string(out), nil
}
