package source

import (
	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclwrite"
)

// Format gives the one form of a file in HCL's native syntax. A file that does not parse is left alone.
func Format(name string, src []byte) ([]byte, hcl.Diagnostics) {
	if _, diags := Parse(name, src); diags.HasErrors() {
		return nil, diags
	}
	return hclwrite.Format(src), nil
}
