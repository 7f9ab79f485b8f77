package lab_test

import (
	"errors"
	"fmt"
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/nbr-dev/nbr/internal/lab"
	"github.com/nbr-dev/nbr/internal/nstest"
)

func TestMain(m *testing.M) { nstest.Main(m) }

// contains is a condition for Daemon.Ready.
func contains(text func() string, want string) func() error {
	return func() error {
		if got := text(); !strings.Contains(got, want) {
			return errors.New("no " + want + " in " + got)
		}
		return nil
	}
}

func TestAMissingPartIsNamedNotSkipped(t *testing.T) {
	t.Setenv("NBR_LAB", t.TempDir())
	r := record(t, func(t testing.TB) { lab.Nix(t) })
	if !r.failed || !strings.Contains(r.text, "run .ci/setup") {
		t.Errorf("failed: %t, said %q", r.failed, r.text)
	}
}

func TestAnAbsentRefereeIsSkippedOnlyOutsideOfCI(t *testing.T) {
	dir := t.TempDir()
	t.Setenv("NBR_LAB", dir)
	if err := os.MkdirAll(dir+"/ifstate", 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(dir+"/ifstate/absent", []byte("PyPI cannot be reached\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	if got := lab.Absent(); len(got) != 1 || got[0] != "ifstate: PyPI cannot be reached" {
		t.Errorf("Absent() = %q", got)
	}
	t.Setenv("CI", "")
	if r := record(t, func(t testing.TB) { lab.IfState(t) }); r.failed || !r.skipped {
		t.Errorf("at home: %+v", r)
	}
	t.Setenv("CI", "true")
	if r := record(t, func(t testing.TB) { lab.IfState(t) }); !r.failed || r.skipped {
		t.Errorf("in CI: %+v", r)
	}
}

// What comes from an index of Python's is what it was when it was pinned.
func TestSetupInstallsByHash(t *testing.T) {
	script, err := os.ReadFile("../../.ci/setup")
	if err != nil {
		t.Fatal(err)
	}
	installs := 0
	for line := range strings.Lines(string(script)) {
		if _, command, is := strings.Cut(line, " install "); !is || strings.Contains(line, "apt-get") || strings.HasPrefix(line, "#") {
			continue
		} else if installs++; !strings.HasPrefix(command, "--require-hashes --only-binary :all: ") {
			t.Errorf("it takes what the index gives: %s", line)
		}
	}
	if installs != 1 {
		t.Errorf("%d lines of .ci/setup install with pip", installs)
	}
	list, err := os.ReadFile("../../.ci/ifstate.txt")
	if err != nil {
		t.Fatal(err)
	}
	pinned := regexp.MustCompile(`^[a-z0-9-]+==[0-9.]+( --hash=sha256:[0-9a-f]{64})+$`)
	for line := range strings.Lines(strings.ReplaceAll(string(list), " \\\n    ", " ")) {
		if line = strings.TrimSpace(line); !strings.HasPrefix(line, "#") && !pinned.MatchString(line) {
			t.Errorf("not a version with its hashes: %s", line)
		}
	}
}

// A recorder stands for the test that a helper of the lab ends.
type recorder struct {
	testing.TB
	text            string
	failed, skipped bool
}

func record(t *testing.T, f func(testing.TB)) *recorder {
	r := &recorder{TB: t}
	func() {
		defer func() {
			if v := recover(); v != nil && v != r {
				panic(v)
			}
		}()
		f(r)
	}()
	return r
}

func (r *recorder) Helper() {}

func (r *recorder) Fatalf(format string, args ...any) {
	r.failed = true
	r.end(format, args)
}

func (r *recorder) Skipf(format string, args ...any) {
	r.skipped = true
	r.end(format, args)
}

func (r *recorder) end(format string, args []any) {
	r.text = fmt.Sprintf(format, args...)
	panic(r)
}
