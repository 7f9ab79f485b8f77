package cmd

import (
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// nbr init teaches with the router that all tests are about.
func TestTemplateIsTheArticlesRouter(t *testing.T) {
	want, err := os.ReadFile("../testdata/routers/bpi-r4/router.hcl")
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), template); diff != "" {
		t.Errorf("cmd/template.hcl is not testdata/routers/bpi-r4/router.hcl (-router +template):\n%s", diff)
	}
}

// The place of the key is found by its text, so the text has to be there once.
func TestWithKey(t *testing.T) {
	if n := len(keysRE.FindAllString(template, -1)); n != 1 {
		t.Fatalf("the template has %d places for a key, want 1", n)
	}
	for key, want := range map[string]string{
		"":                 `authorized_keys = [] #`,
		"ssh-ed25519 AAAA": `authorized_keys = ["ssh-ed25519 AAAA"]`,
		// A comment may hold anything; in HCL it must not become an expression.
		`k "${x}" %{if} \`: `authorized_keys = ["k \"$${x}\" %%{if} \\"]`,
	} {
		if got := withKey(template, key); !strings.Contains(got, want) {
			t.Errorf("with the key %q there is no %q in it", key, want)
		}
	}
}

// Every spec that we show is in the form that nbr fmt gives.
func TestOurSpecsAreFormatted(t *testing.T) {
	files := []string{"template.hcl"}
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
		out, diags := format(file, src)
		if diags.HasErrors() {
			t.Errorf("%s: %v", file, diags)
			continue
		}
		if diff := cmp.Diff(string(src), string(out)); diff != "" {
			t.Errorf("run nbr fmt %s (-have +want):\n%s", file, diff)
		}
	}
}
