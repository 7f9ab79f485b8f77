package diag

import (
	"slices"

	"github.com/hashicorp/hcl/v2"
)

// AnyBlock stands for every type of block: one of any may be what is missing.
const AnyBlock = "*"

// Absent says of a diagnostic that it concludes something from what is not there, and of which
// types of blocks that could be, and returns it. While a block of one of these is broken it may be
// the one that is missing: [Sure] keeps the diagnostic back.
func Absent(d *hcl.Diagnostic, types ...string) *hcl.Diagnostic {
	x := extra(d)
	x.absent = append(x.absent, types...)
	d.Extra = x
	return d
}

// AllAbsent says it of all of them.
func AllAbsent(ds hcl.Diagnostics, types ...string) hcl.Diagnostics {
	for _, d := range ds {
		Absent(d, types...)
	}
	return ds
}

// Sure are the diagnostics without those that conclude something from what is not there of the
// types of which a block is broken.
func Sure(ds hcl.Diagnostics, broken map[string]bool) hcl.Diagnostics {
	return slices.DeleteFunc(slices.Clone(ds), func(d *hcl.Diagnostic) bool {
		return slices.ContainsFunc(extra(d).absent, func(typ string) bool {
			return broken[typ] || typ == AnyBlock && len(broken) > 0
		})
	})
}
