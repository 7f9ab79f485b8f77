// Package looktest is for the tests of packages that read what a kernel or a program tells.
package looktest

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// A Case is a text, and what a parser makes of it.
type Case struct {
	name, text string
	want       any
	err        string
}

// Is is a text of which the parser makes what is wanted.
func Is(name, text string, want any) Case { return Case{name, text, want, ""} }

// Fails is a text that the parser refuses, with an error in which err is a part.
func Fails(name, text, err string) Case { return Case{name, text, nil, err} }

// Parse tests a parser, each case by its name.
func Parse(t *testing.T, parse func([]byte) (any, error), cases ...Case) {
	t.Helper()
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			got, err := parse([]byte(c.text))
			if c.err != "" {
				if err == nil || !strings.Contains(err.Error(), c.err) {
					t.Fatalf("got %v, error %v; want an error with %q", got, err, c.err)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if d := cmp.Diff(c.want, got); d != "" {
				t.Error(d)
			}
		})
	}
}

// Folder writes files to a new folder, which stands for a machine.
func Folder(t testing.TB, files map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	for name, text := range files {
		file := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}
