package lab_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// A test with the tag guest runs if its package boots a guest of the right kind and the name
// begins as it should. Nothing else would tell of one that does not.
func TestNoGuestTestIsForgotten(t *testing.T) {
	found := 0
	err := filepath.WalkDir("../..", func(file string, e fs.DirEntry, err error) error {
		if err != nil || !strings.HasSuffix(file, "_test.go") {
			return err
		}
		text, err := os.ReadFile(file)
		if err != nil || !strings.HasPrefix(string(text), "//go:build guest\n") {
			return err
		}
		found++
		for _, arch := range []string{"amd64", "arm64"} {
			if strings.HasSuffix(file, "_"+arch+"_test.go") && !boots(t, filepath.Dir(file), "lab."+strings.ToUpper(arch)) {
				t.Errorf("%s: nothing in the package boots a guest of this kind", file)
			}
		}
		if !boots(t, filepath.Dir(file), "lab.Guest{") {
			t.Errorf("%s: nothing in the package boots a guest", file)
		}
		f, err := parser.ParseFile(token.NewFileSet(), file, text, parser.SkipObjectResolution)
		if err != nil {
			return err
		}
		for _, d := range f.Decls {
			fn, ok := d.(*ast.FuncDecl)
			if ok && fn.Recv == nil && strings.HasPrefix(fn.Name.Name, "Test") && !strings.HasPrefix(fn.Name.Name, "TestGuest") {
				t.Errorf("%s: guests only run tests called TestGuest…, and this is %s", file, fn.Name.Name)
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if found < 4 {
		t.Errorf("%d files have tests for guests: the test looks at the wrong place", found)
	}
}

// boots tells whether a file of the usual test binary has the word.
func boots(t *testing.T, dir, word string) bool {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(dir, "*_test.go"))
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if !strings.Contains(string(text), "//go:build guest\n") && strings.Contains(string(text), word) {
			return true
		}
	}
	return false
}
