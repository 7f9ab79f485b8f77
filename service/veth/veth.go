// Package veth makes pairs of links of which each is the cable of the other, as from a bridge to
// the router itself. They are the kernel's own (veth(4)), made through IfState.
package veth

import (
	"cmp"

	"github.com/hashicorp/hcl/v2"

	"github.com/nbr-dev/nbr/hcl/conf"
	"github.com/nbr-dev/nbr/router"
	"github.com/nbr-dev/nbr/service"
	"github.com/nbr-dev/nbr/verify"
	"github.com/nbr-dev/nbr/verify/state"
)

// Kind is the veth block.
func Kind() service.Kind {
	return service.Kind{
		Type: "veth", Doc: "One end of a pair of links: what one sends, the other receives.",
		Software: "Linux",
		Example: `veth "tap0" {
  peer = veth.tap1
}

veth "tap1" {
  peer = veth.tap0
}

bridge "br-tap" {
  ports = [port.end1, veth.tap1]
}

network "tap" {
  link = veth.tap0
  ipv4 = "192.168.30.1/24"
}

zone "tap" {
  networks = [network.tap]
}
`,
		New: func() service.Block { return &Veth{} },
	}
}

// Veth is the veth block. Its label is the interface's name.
type Veth struct {
	conf.Header
	Name  conf.Value[router.IfName] `hcl:"name,key"`
	Peer  conf.Ref[router.Link]     `hcl:"peer,required" doc:"The other end, a veth block that names this one."`
	MAC   conf.Value[router.MAC]    `hcl:"mac,optional" doc:"Its MAC address. Without it IfState derives a stable one."`
	MTU   conf.Value[router.MTU]    `hcl:"mtu,optional" doc:"Largest packet in bytes, 1500 if nothing is said. It counts for the other end as well, which drops longer ones."`
	Alias conf.Value[router.Alias]  `hcl:"alias,optional" doc:"What it is for, in words of your own, as ip link and SNMP (ifAlias) show them."`
}

// LinkName is the interface's name.
func (v *Veth) LinkName() router.IfName { return v.Name.V }

// Spec is the end as the kernel has it.
func (v *Veth) Spec() router.LinkSpec {
	return router.LinkSpec{Kind: "veth", Peer: v.Peer, MAC: v.MAC, Alias: v.Alias, MTU: v.MTU, Cable: true} // to a machine of its own
}

// Claim claims the kernel's driver.
func (v *Veth) Claim(s *router.Scope) { s.Kernel(hcl.Range{}, "pairs of links", "VETH") }

// Judge has nothing to refuse: the core's rules judge links.
func (v *Veth) Judge(*router.Router) hcl.Diagnostics { return nil }

// Checks look at which link is the other end. One that is in another namespace is not told.
func (v *Veth) Checks(_ *router.Router, p *verify.Plan) {
	name := string(v.Name.V)
	p.Link(v.Addr.String()+"/peer", "other end of "+name, v.Peer.Range, name, string(v.Peer.Target.LinkName()), func(l state.Link) string {
		return cmp.Or(l.Parent, "none here")
	})
}
