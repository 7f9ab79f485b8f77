package referee_test

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// The pages about RFCs have each of their points once, in its order, and each test that they name
// is there.
func TestThePagesOfRFCs(t *testing.T) {
	t.Parallel()
	numbered := func(name string, n int) (out []string) {
		for i := range n {
			out = append(out, fmt.Sprintf("%s-%d", name, i+1))
		}
		return out
	}
	tests := map[string]bool{}
	err := filepath.WalkDir("../..", func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || !strings.HasSuffix(path, "_test.go") {
			return err
		}
		f, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.SkipObjectResolution)
		if err != nil {
			return err
		}
		for _, decl := range f.Decls {
			if fn, ok := decl.(*ast.FuncDecl); ok && fn.Recv == nil {
				tests[fn.Name.Name] = true
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	named := regexp.MustCompile("^`(Test[A-Za-z0-9_]+)`$")
	for file, points := range map[string][]string{
		"rfc6092.md": numbered("REC", 50),
		"rfc7084.md": slices.Concat(numbered("G", 5), numbered("W", 6), numbered("WLL", 3), numbered("WAA", 10), numbered("WPD", 8),
			numbered("ULA", 5), numbered("L", 14), []string{"6RD", "DLITE"}, numbered("S", 3)),
	} {
		page, err := os.ReadFile("../../docs/" + file)
		if err != nil {
			t.Fatal(err)
		}
		var rows []string
		for line := range strings.Lines(string(page)) {
			line = strings.TrimSpace(line)
			if !strings.HasPrefix(line, "| ") || strings.HasPrefix(line, "| | ") || strings.HasPrefix(line, "| ---") {
				continue
			}
			cells := strings.Split(strings.Trim(line, "| "), " | ")
			if rows = append(rows, cells[0]); len(cells) != 4 {
				t.Errorf("%s: a row of %d cells: %s", file, len(cells), line)
				continue
			}
			if cells[3] == "-" {
				continue
			}
			for word := range strings.SplitSeq(cells[3], ", ") {
				if m := named.FindStringSubmatch(word); m == nil || !tests[m[1]] {
					t.Errorf("%s, %s: there is no test %s", file, cells[0], word)
				}
			}
		}
		if d := cmp.Diff(points, rows); d != "" {
			t.Errorf("%s: points (-want +got):\n%s", file, d)
		}
	}
}
