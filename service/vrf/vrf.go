// Package vrf makes VRFs (virtual routing and forwarding): groups of links that have a routing table
// of their own, so that no packet gets from one group into another. They are the kernel's own
// (Documentation/networking/vrf.rst), made through IfState.
package vrf

import (
	"fmt"

	"github.com/hashicorp/hcl/v2"

	"github.com/nbr-dev/nbr/hcl/conf"
	"github.com/nbr-dev/nbr/router"
	"github.com/nbr-dev/nbr/service"
	"github.com/nbr-dev/nbr/verify"
	"github.com/nbr-dev/nbr/verify/state"
)

// Kind is the vrf block.
func Kind() service.Kind {
	return service.Kind{
		Type: "vrf", Doc: "Links with a routing table of their own: what arrives on one of them leaves by another one of them, or not at all.",
		Software: "Linux",
		Example: `vrf "lab" {
  ports = [port.end1]
  table = 10
}

network "lab" {
  link = port.end1
  ipv4 = "192.168.50.1/24"
}

zone "lab" {
  networks = [network.lab]
}
`,
		New: func() service.Block { return &VRF{} },
	}
}

// VRF is the vrf block. Its label is the interface's name.
type VRF struct {
	conf.Header
	Name  conf.Value[router.IfName]  `hcl:"name,key"`
	Ports conf.Refs[router.Link]     `hcl:"ports,required" empty:"no packet is in the VRF. Name its links, or remove it." doc:"The links of the VRF: those that networks are on, as bridge.lab or vlan.lab. Routes whose next hop is in such a network are in the VRF's table."`
	Table conf.Value[router.TableID] `hcl:"table,required" doc:"The number of its routing table, which no other VRF has."`
	Alias conf.Value[router.Alias]   `hcl:"alias,optional" doc:"What it is for, in words of your own, as ip link and SNMP (ifAlias) show them."`
}

// LinkName is the interface's name.
func (v *VRF) LinkName() router.IfName { return v.Name.V }

// Spec is the VRF as the kernel has it. It takes packets of any length.
func (v *VRF) Spec() router.LinkSpec {
	s := router.LinkSpec{Kind: "vrf", Ports: v.Ports, Alias: v.Alias, VRF: v.Table, Attributes: []router.LinkAttribute{{Name: "vrf_table", Value: int(v.Table.V)}}}
	s.MTU.V = 65535
	return s
}

// Claim claims the kernel's driver.
func (v *VRF) Claim(s *router.Scope) { s.Kernel(hcl.Range{}, "VRFs", "NET_VRF") }

// Judge has nothing to refuse: the core's rules judge links.
func (v *VRF) Judge(*router.Router) hcl.Diagnostics { return nil }

// Checks look at the table. That the links are in the VRF is looked at as that of ports of a bridge.
func (v *VRF) Checks(_ *router.Router, p *verify.Plan) {
	name := string(v.Name.V)
	p.Link(v.Addr.String()+"/table", "routing table of "+name, v.Table.Range, name, fmt.Sprint(v.Table.V), func(l state.Link) string { return fmt.Sprint(l.Table) })
}
