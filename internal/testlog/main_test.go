package main

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// What go test itself writes of a module is what is shown, and then the list.
func TestAsGoTestPrintsIt(t *testing.T) {
	dir := t.TempDir()
	for name, text := range map[string]string{
		"go.mod": "module example.org/m\n\ngo 1.25\n",
		"good/good_test.go": `package good
import ("testing"; "time")
func TestQuick(t *testing.T) { t.Log("nothing to see") }
func TestSlow(t *testing.T) { time.Sleep(30 * time.Millisecond); t.Run("part", func(t *testing.T) {}) }
func TestSkipped(t *testing.T) { t.Skip("not here") }
`,
		"bad/bad_test.go": `package bad
import "testing"
func TestWell(t *testing.T) { t.Log("nothing to see") }
func TestWrong(t *testing.T) { t.Run("part", func(t *testing.T) { t.Error("the reason") }); t.Run("other", func(t *testing.T) { t.Log("nothing to see") }) }
`,
		"broken/broken_test.go": "package broken\nfunc x() { undefined() }\n",
		"panics/panics_test.go": "package panics\nimport \"testing\"\nfunc TestPanics(t *testing.T) { t.Log(\"on its way\"); panic(\"lost\") }\n",
		"none/none.go":          "package none\n",
	} {
		file := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	goTest := func(args ...string) string {
		c := exec.CommandContext(t.Context(), "go", append(append([]string{"test", "-count=1", "-p=1"}, args...), "./...")...)
		c.Dir, c.Env = dir, append(os.Environ(), "GOFLAGS=", "GOWORK=off")
		out, err := c.Output()
		if err == nil {
			t.Fatal("no test failed")
		}
		return string(out)
	}
	var got strings.Builder
	if err := run(strings.NewReader(goTest("-json")), &got); err != nil {
		t.Fatal(err)
	}
	text, list, _ := strings.Cut(got.String(), "the slowest tests:\n")
	for _, want := range []string{
		"(?m)^ok  \texample.org/m/good\t", `(?m)^FAIL\texample.org/m/bad\t`, "TestWrong/part", "the reason", "panic: lost", "on its way",
		"undefined: undefined", `\[build failed\]`, `\[no test files\]`,
	} {
		if !regexp.MustCompile(want).MatchString(text) {
			t.Errorf("it has no %q:\n%s", want, text)
		}
	}
	for _, not := range []string{"nothing to see", "=== ", "TestQuick", "TestWell", "TestWrong/other", `{"`} {
		if strings.Contains(text, not) {
			t.Errorf("it has %q:\n%s", not, text)
		}
	}
	if first, _, _ := strings.Cut(list, "\n"); !strings.HasSuffix(first, " s  example.org/m/good TestSlow") {
		t.Errorf("the list:\n%s", list)
	}
}

func TestTheSlowest(t *testing.T) {
	var in strings.Builder
	for i := range 12 {
		b, err := json.Marshal(event{Action: "pass", Package: "p", Test: fmt.Sprintf("Test%d", i), Elapsed: float64(i)})
		if err != nil {
			t.Fatal(err)
		}
		fmt.Fprintf(&in, "%s\n", b)
	}
	in.WriteString("go: downloading something v1.0.0\n" + `{"Action":"pass","Package":"p","Test":"Test1/part","Elapsed":99}`) // and no end of the line
	var got strings.Builder
	if err := run(strings.NewReader(in.String()), &got); err != nil {
		t.Fatal(err)
	}
	want := "go: downloading something v1.0.0\nthe slowest tests:\n"
	for i := 11; i > 1; i-- {
		want += fmt.Sprintf("%8.2f s  p Test%d\n", float64(i), i)
	}
	if d := cmp.Diff(want, got.String()); d != "" {
		t.Error(d)
	}
}
