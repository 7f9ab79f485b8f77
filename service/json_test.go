package service_test

import (
	"fmt"
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestJSON wants of the article's router in JSON syntax the same modules and the
// same promises as of the native one. Only the places differ.
func TestJSON(t *testing.T) {
	place := regexp.MustCompile(`router\.hcl(\.json)?:\d+`)
	comment := regexp.MustCompile(`(?m)^( *# .*PLACE)?\n`)
	text := func(dir string) string {
		spec, diags := registry().Load(os.DirFS(dir), nil)
		if len(diags) > 0 {
			t.Fatal(details(diags))
		}
		var b strings.Builder
		for _, f := range spec.Modules() {
			src, _ := f.Module.Print()
			src = place.ReplaceAll(src, []byte("PLACE"))
			fmt.Fprintf(&b, "%s\n%s\n", f.Name, comment.ReplaceAll(src, nil))
		}
		for _, c := range spec.Plan().Checks {
			fmt.Fprintln(&b, c.ID, c.Title)
		}
		return b.String()
	}
	if d := cmp.Diff(text("../testdata/routers/bpi-r4"), text(goodSpecs+"/json")); d != "" {
		t.Errorf("native (-) and JSON (+) differ:\n%s", d)
	}
}
