package firmware

import (
	"fmt"

	"github.com/nbr-dev/nbr/hcl/diag"
	"github.com/nbr-dev/nbr/router"
)

// NotKnown is what nbr does not know of the board, in sentences: what is absent
// from its data first, then what its sources leave open.
func (p *Profile) NotKnown() []string {
	var out, labels, speeds []string
	if p.BootSwitch == nil && p.UEFI == nil {
		out = append(out, "What selects the boot medium: a switch, if there is one, and how it stands for each.")
	}
	for _, q := range p.Ports {
		if q.Label == "" && q.Kind != router.PortConduit && q.Kind != router.PortWiFi { // those are not on the case
			labels = append(labels, string(q.Name))
		}
		if q.Mbps == 0 {
			speeds = append(speeds, string(q.Name))
		}
	}
	if len(labels) > 0 {
		out = append(out, fmt.Sprintf("The label of %s on the case.", diag.List(labels)))
	}
	if len(speeds) > 0 {
		out = append(out, fmt.Sprintf("The speed of %s.", diag.List(speeds)))
	}
	return append(out, p.Unknown...)
}
