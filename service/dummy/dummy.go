// Package dummy makes dummies: links of the kernel that lead nowhere, and are there for
// addresses of the router that no cable takes away.
package dummy

import (
	"github.com/hashicorp/hcl/v2"

	"github.com/nbr-dev/nbr/hcl/conf"
	"github.com/nbr-dev/nbr/router"
	"github.com/nbr-dev/nbr/service"
	"github.com/nbr-dev/nbr/verify"
	"github.com/nbr-dev/nbr/verify/state"
)

// Kind is the dummy block.
func Kind() service.Kind {
	return service.Kind{
		Type: "dummy", Doc: "A link that leads nowhere, for addresses of the router that stay whatever happens to its cables.",
		Software: "Linux",
		Example: `dummy "service0" {}

network "service" {
  link = dummy.service0
  ipv4 = "192.168.255.1/32"
}

zone "service" {
  networks = [network.service]
}
`,
		New: func() service.Block { return &Dummy{} },
	}
}

// Dummy is the dummy block. Its label is the interface's name.
type Dummy struct {
	conf.Header
	Name  conf.Value[router.IfName] `hcl:"name,key"`
	MAC   conf.Value[router.MAC]    `hcl:"mac,optional" doc:"Its MAC address. Without it IfState derives a stable one."`
	MTU   conf.Value[router.MTU]    `hcl:"mtu,optional" doc:"Largest packet in bytes, 1500 if nothing is said."`
	Alias conf.Value[router.Alias]  `hcl:"alias,optional" doc:"What it is for, in words of your own, as ip link and SNMP (ifAlias) show them."`
}

// LinkName is the interface's name.
func (d *Dummy) LinkName() router.IfName { return d.Name.V }

// Spec is the dummy as the kernel has it.
func (d *Dummy) Spec() router.LinkSpec {
	return router.LinkSpec{Kind: "dummy", MAC: d.MAC, Alias: d.Alias, MTU: d.MTU}
}

// Claim claims the kernel's driver.
func (d *Dummy) Claim(s *router.Scope) { s.Kernel(hcl.Range{}, "dummies", "DUMMY") }

// Judge has nothing to refuse: the core's rules judge links.
func (d *Dummy) Judge(*router.Router) hcl.Diagnostics { return nil }

// Checks look at what a dummy is for: it always counts as connected, and routing daemons
// announce what is on it. Its carrier can be switched off by hand (dummy_change_carrier in
// drivers/net/dummy.c).
func (d *Dummy) Checks(_ *router.Router, p *verify.Plan) {
	name := string(d.Name.V)
	p.Link(d.Addr.String()+"/carrier", name+" counts as connected", d.Def, name, "connected", func(l state.Link) string {
		if !l.Carrier {
			return "not connected"
		}
		return "connected"
	})
}
