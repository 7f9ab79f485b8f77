// Package vrf makes VRFs (virtual routing and forwarding): groups of links that have a routing table
// of their own, so that no packet gets from one group into another. They are the kernel's own
// (Documentation/networking/vrf.rst), made through IfState.
package vrf

import (
	"fmt"
	"net/netip"
	"slices"

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

// l3mdev is the kernel's rule by which packets of VRFs are asked for in their tables. It is there since
// the first VRF was made, for both versions of IP, and one for all of them (net/core/fib_rules.c).
const l3mdev = "from all lookup [l3mdev-table]"

// Checks look at the table and at what makes packets come to it. That the links are in the VRF is looked at
// as that of ports of a bridge, and routes as all others.
func (v *VRF) Checks(r *router.Router, p *verify.Plan) {
	id, name, table := v.Addr.String(), string(v.Name.V), fmt.Sprint(v.Table.V)
	p.Link(id+"/table", "routing table of "+name, v.Table.Range, name, table, func(l state.Link) string { return fmt.Sprint(l.Table) })
	for _, f := range []struct{ family, hint string }{{"ipv4", "ip rule"}, {"ipv6", "ip -6 rule"}} {
		p.Add(verify.Check{
			ID: id + "/rule/" + f.family, Title: f.family + " packets of VRFs are asked for in their tables", From: v.Def,
			Eval: func(st *state.State) verify.Verdict {
				if st.Rules == nil {
					return verify.NotSeen(l3mdev, f.hint)
				}
				there := slices.ContainsFunc(st.Rules, func(ru state.Rule) bool { return ru.Text == l3mdev && (ru.Family == "" || ru.Family == f.family) })
				if !there {
					return verify.Missing(l3mdev, f.hint)
				}
				return verify.Compare(l3mdev, l3mdev, f.hint)
			},
		})
	}
	for _, port := range v.Ports.Items {
		for _, n := range r.On(port.Target) {
			for _, a := range n.Addresses() {
				if how, ok := a.How.(router.Fixed); ok && !how.IsSingleIP() {
					v.connected(p, n, how.Masked(), a.From)
				}
			}
		}
	}
}

// connected adds the check that the prefix of a network is in the table: the kernel moves it there with the
// link. Without a cable those of IPv6 are there as well.
func (v *VRF) connected(p *verify.Plan, n *router.Network, prefix netip.Prefix, from hcl.Range) {
	table := fmt.Sprint(v.Table.V)
	want, hint := fmt.Sprintf("%s dev %s table %s", prefix, n.Device(), table), "ip route show table "+table
	if prefix.Addr().Is6() {
		hint = "ip -6 route show table " + table
	}
	p.Add(verify.Check{
		ID: fmt.Sprintf("%s/connected/%s", v.Addr, prefix), Title: fmt.Sprintf("%s is in the table of %s", prefix, v.Name.V), From: from,
		Eval: func(st *state.State) verify.Verdict {
			if st.Routes == nil {
				return verify.NotSeen(want, hint)
			}
			there := slices.ContainsFunc(st.Routes, func(rt state.Route) bool {
				return rt.To == prefix.String() && rt.Link == string(n.Device()) && rt.Table == table && rt.Proto == "kernel"
			})
			if !there {
				return verify.Missing(want, hint)
			}
			return verify.Compare(want, want, hint)
		},
	})
}
