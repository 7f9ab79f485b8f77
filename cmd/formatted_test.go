package cmd

import (
	"io/fs"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/nbr-dev/nbr/hcl/source"
)

// Every spec that we show is in the form that nbr fmt gives.
func TestOurSpecsAreFormatted(t *testing.T) {
	files := []string{"../router/starter/template.hcl"}
	for _, root := range []string{"../testdata/routers", "../testdata/good"} {
		err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
			if err == nil && filepath.Ext(path) == ".hcl" {
				files = append(files, path)
			}
			return err
		})
		if err != nil {
			t.Error(err)
		}
	}
	if len(files) < 2 {
		t.Fatalf("found %q only", files)
	}
	for _, file := range files {
		src, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		out, diags := source.Format(file, src)
		if diags.HasErrors() {
			t.Errorf("%s: %v", file, diags)
			continue
		}
		if diff := cmp.Diff(string(src), string(out)); diff != "" {
			t.Errorf("run nbr fmt %s (-have +want):\n%s", file, diff)
		}
	}
}
