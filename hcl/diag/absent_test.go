package diag

import (
	"testing"

	"github.com/hashicorp/hcl/v2"
)

// TestSure keeps back what concludes from the absence of what may be broken, and nothing else.
func TestSure(t *testing.T) {
	all := func() hcl.Diagnostics {
		of := func(code string, types ...string) *hcl.Diagnostic {
			return Absent(Error(code, at("a.hcl", 1, 1, 2, 0), "Summary", "Detail."), types...)
		}
		return append(hcl.Diagnostics{of("plain"), of("zone", "zone"), of("any", AnyBlock), {Summary: "of the library"}},
			AllAbsent(hcl.Diagnostics{of("both", "route"), of("one")}, "network")...)
	}
	for _, tt := range []struct{ broken, want string }{
		{"", "plain zone any  both one"},
		{"zone", "plain  both one"},
		{"route", "plain zone  one"},
		{"network", "plain zone "},
		{"host", "plain zone  both one"},
	} {
		broken := map[string]bool{}
		if tt.broken != "" {
			broken[tt.broken] = true
		}
		if got := codes(Sure(all(), broken)); got != tt.want {
			t.Errorf("with a broken %q: %q, want %q", tt.broken, got, tt.want)
		}
	}
}
