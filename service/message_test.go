package service_test

import (
	"path/filepath"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/hashicorp/hcl/v2"

	"github.com/nbr-dev/nbr/hcl/diag"
	"github.com/nbr-dev/nbr/hcl/source"
)

// TestEightyColumns prints the diagnostics of every broken spec for a terminal of eighty
// columns, where no line is longer and the marks are below what is meant.
func TestEightyColumns(t *testing.T) {
	for _, dir := range broken(t) {
		spec, diags := registry().Load(source.Dir(dir), nil)
		for _, d := range diags {
			var b strings.Builder
			w := diag.Writer{W: &b, Dir: "router", Bytes: spec.Bytes, Secrets: spec.Secrets, Width: 80}
			if err := w.Write(hcl.Diagnostics{d}); err != nil {
				t.Fatal(err)
			}
			for line := range strings.Lines(b.String()) {
				line = strings.TrimRight(line, "\n")
				if utf8.RuneCountInString(line) > 80 && strings.Contains(strings.TrimSpace(line), " ") {
					t.Errorf("%s: %d columns:\n%s", filepath.Base(dir), utf8.RuneCountInString(line), line)
				}
			}
		}
	}
}
