// Package vxlan makes VXLANs (RFC 7348): Ethernet between routers, in UDP packets over a network
// that they share. It is the kernel's own implementation, through IfState.
package vxlan

import (
	"cmp"
	"fmt"
	"net/netip"

	"github.com/hashicorp/hcl/v2"

	"github.com/nbr-dev/nbr/hcl/conf"
	"github.com/nbr-dev/nbr/hcl/diag"
	"github.com/nbr-dev/nbr/router"
	"github.com/nbr-dev/nbr/service"
	"github.com/nbr-dev/nbr/verify"
	"github.com/nbr-dev/nbr/verify/state"
)

// Kind is the vxlan block.
func Kind() service.Kind {
	return service.Kind{
		Type: "vxlan", Doc: "Ethernet to other routers in UDP packets; networks can be on it, and it can be a port of a bridge.",
		Software: "Linux",
		Example: `vxlan "vx42" {
  id      = 42
  network = network.lan
  remote  = "192.168.178.2"
}

bridge "br-rack" {
  ports = [port.end1, vxlan.vx42]
}
`,
		New: func() service.Block { return &VXLAN{} },
	}
}

// VXLAN is the vxlan block. Its label is the interface's name.
type VXLAN struct {
	conf.Header
	Name    conf.Value[router.IfName] `hcl:"name,key"`
	ID      conf.Value[VNI]           `hcl:"id,required" doc:"The VXLAN network identifier, the same at all ends."`
	Network conf.Ref[*router.Network] `hcl:"network,required" doc:"The network that carries the packets. They come from the router's fixed address there, if it has one. Nothing is encrypted: over the Internet use one on a WireGuard tunnel."`
	Remote  conf.Value[Remote]        `hcl:"remote,optional" doc:"The address of the only other end."`
	Group   conf.Value[Group]         `hcl:"group,optional" doc:"The multicast group that all ends are in, instead of remote."`
	Port    conf.Value[router.Port]   `hcl:"port,optional" default:"4789" doc:"UDP port of all ends. Linux itself would take 8472."`
	MTU     conf.Value[router.MTU]    `hcl:"mtu,optional" doc:"Largest packet in bytes. Without it what fits: 50 bytes less than the link of the network carries, and 70 less over IPv6."`
	Alias   conf.Value[router.Alias]  `hcl:"alias,optional" doc:"What it is for, in words of your own, as ip link and SNMP (ifAlias) show them."`
}

// LinkName is the interface's name.
func (v *VXLAN) LinkName() router.IfName { return v.Name.V }

// to is where the packets go.
func (v *VXLAN) to() netip.Addr {
	if v.Group.Set {
		return v.Group.V.Addr
	}
	return v.Remote.V.Addr
}

func (v *VXLAN) family() router.Family {
	if v.to().Is6() {
		return router.IPv6
	}
	return router.IPv4
}

// local is the router's address that the packets come from, invalid if the kernel chooses it.
func (v *VXLAN) local() netip.Addr {
	p, _ := v.Network.Target.FixedIn(v.family())
	return p.Addr()
}

// Spec is the VXLAN as the kernel has it. Around each packet of the VXLAN are its own Ethernet
// header (14 bytes), those of VXLAN and UDP (8 each) and the one of IP.
func (v *VXLAN) Spec() router.LinkSpec {
	on, six := v.Network.Target.Link, ""
	s := router.LinkSpec{Kind: "vxlan", Via: on, Overhead: 14 + 8 + 8 + 20, Alias: v.Alias, MTU: v.MTU}
	if v.Remote.Set {
		s.Remote = conf.Value[router.Addr]{V: router.Addr{Addr: v.Remote.V.Addr}, Range: v.Remote.Range, Set: true}
	}
	if v.family() == router.IPv6 {
		s.Overhead, six = 14+8+8+40, "6"
	}
	s.Attributes = []router.LinkAttribute{
		{Name: "vxlan_id", Value: int(v.ID.V)},
		{Name: "vxlan_group" + six, Value: v.to().String()},
		{Name: "vxlan_link", Value: string(on.Target.LinkName())},
		{Name: "vxlan_port", Value: int(v.Port.V)},
	}
	if a := v.local(); a.IsValid() {
		s.Attributes = append(s.Attributes, router.LinkAttribute{Name: "vxlan_local" + six, Value: a.String()})
	}
	return s
}

// A segment is an identifier that is taken.
type segment struct {
	router.By
	id     VNI
	port   router.Port
	family router.Family
}

// Claim claims the kernel's VXLAN, the identifier, and the ways out and in for packets.
func (v *VXLAN) Claim(s *router.Scope) {
	s.Kernel(hcl.Range{}, "VXLAN", "VXLAN")
	router.Claim(s, v.ID.Range, segment{id: v.ID.V, port: v.Port.V, family: v.family()})
	if !v.to().IsValid() {
		return // it is told
	}
	m := router.Match{Family: v.family(), Protocol: router.UDP, Ports: router.PortRange{First: v.Port.V, Last: v.Port.V}}
	at, on := cmp.Or(v.Remote.Range, v.Group.Range), []*router.Network{v.Network.Target}
	out := m
	if v.Remote.Set { // of a group it learns the other ends
		out.Groups = []netip.Addr{v.to()}
	}
	router.Claim(s, at, router.Emit{Match: out, Networks: on})
	if v.Remote.Set {
		m.Sources = []netip.Prefix{netip.PrefixFrom(v.to(), v.to().BitLen())}
	}
	router.Claim(s, at, router.Accept{Match: m, Networks: on})
	if v.Group.Set { // what has no known host behind it goes to the group, the rest to one end
		m.Groups = []netip.Addr{v.to()}
		router.Claim(s, at, router.Accept{Match: m, Networks: on})
	}
}

// Judge wants one other end that the network can reach, and an identifier of its own.
func (v *VXLAN) Judge(r *router.Router) hcl.Diagnostics {
	switch {
	case v.Remote.Set && v.Group.Set:
		return hcl.Diagnostics{diag.With(diag.Help(diag.Error("vxlan-end", v.Group.Range, "Two other ends",
			"%s has a remote, so its packets go there and to no group.", v.Addr),
			"Remove one of the two."), v.Remote.Range, "the remote")}
	case !v.to().IsValid():
		return hcl.Diagnostics{diag.Help(diag.Error("vxlan-end", v.Def, "No other end",
			"%s has neither remote nor group, so its packets go nowhere.", v.Addr),
			"Write remote = the address of the other router.")}
	}
	var diags hcl.Diagnostics
	at, n := cmp.Or(v.Remote.Range, v.Group.Range), v.Network.Target
	if !n.Has(v.family()) {
		diags = append(diags, diag.With(diag.Help(diag.Error("vxlan-end", at, "Other end that is out of reach",
			"%s is an %s address, and the router has none in %s.", v.to(), v.family(), n.Addr),
			"Write an address of the other family, or name another network."), v.Network.Range, "%s", n.Addr.String()))
	}
	if own := r.Owner(v.to()); own != nil {
		diags = append(diags, diag.With(diag.Help(diag.Error("vxlan-end", at, "VXLAN to the router itself",
			"%s is the router's own address in %s.", v.to(), own.Addr),
			"Write the other router's."), own.Def, "%s", own.Addr.String()))
	}
	for _, s := range router.Claimed[segment](r) {
		if s.Addr == v.Addr {
			break // of each pair the later one complains
		}
		if s.id == v.ID.V && s.port == v.Port.V && s.family == v.family() { // vxlan_vni_in_use in drivers/net/vxlan/vxlan_core.c
			diags = append(diags, diag.With(diag.Help(diag.Error("vxlan-twice", v.ID.Range, "VXLAN identifier taken",
				"%s has the identifier %d on udp/%d already, and the kernel refuses a second one.", s.Addr, v.ID.V, v.Port.V),
				"Give one of them another id, or another port."), s.From, "%s", s.Addr.String()))
		}
	}
	return diags
}

// Checks ask where the packets go. That the link is there, and of its kind and MTU, is checked
// of every link.
func (v *VXLAN) Checks(_ *router.Router, p *verify.Plan) {
	add := func(what, title string, from hcl.Range, want string, get func(*state.VXLAN) string) {
		name := string(v.Name.V)
		p.Add(verify.Check{ID: v.Addr.String() + "/" + what, Title: title + " of " + name, From: from, Eval: func(st *state.State) verify.Verdict {
			hint := "ip -d link show " + name
			l, ok := st.Links[name]
			switch {
			case st.Links == nil || l.Kind == "vxlan" && l.VXLAN == nil: // recorded by an earlier nbr
				return verify.NotSeen(want, hint)
			case !ok:
				return verify.Missing(want, hint)
			case l.VXLAN == nil:
				return verify.Compare(want, "no VXLAN", hint)
			}
			return verify.Compare(want, get(l.VXLAN), hint)
		}})
	}
	add("id", "identifier", v.ID.Range, fmt.Sprint(v.ID.V), func(s *state.VXLAN) string { return fmt.Sprint(s.ID) })
	add("remote", "other end", cmp.Or(v.Remote.Range, v.Group.Range, v.Def), v.to().String(), func(s *state.VXLAN) string { return cmp.Or(s.Remote, "none") })
	add("port", "UDP port", cmp.Or(v.Port.Range, v.Def), fmt.Sprint(v.Port.V), func(s *state.VXLAN) string { return fmt.Sprint(s.Port) })
	local := "the kernel's choice"
	if a := v.local(); a.IsValid() {
		local = a.String()
	}
	from := local + " on " + string(v.Network.Target.Device())
	add("local", "this end", v.Network.Range, from, func(s *state.VXLAN) string {
		return cmp.Or(s.Local, "the kernel's choice") + " on " + cmp.Or(s.Link, "any link")
	})
}

// VNI is a VXLAN network identifier.
type VNI int

// UnmarshalText wants 1 to 16777215 (RFC 7348 section 5; the kernel takes 0 as well).
func (v *VNI) UnmarshalText(b []byte) error {
	return conf.Between(v, b, "VXLAN network identifier", 1, 1<<24-1, "")
}

// Describe is what the type is in the schema.
func (VNI) Describe() string { return "VXLAN network identifier" }

// Remote is the address of another router.
type Remote struct{ netip.Addr }

// UnmarshalText wants an address that a single host can have.
func (r *Remote) UnmarshalText(b []byte) error {
	a, err := netip.ParseAddr(string(b))
	if err != nil || a.Zone() != "" || a.Is4In6() || !a.IsGlobalUnicast() {
		return diag.Advise(fmt.Errorf("%q is no address of another router", b), "write one such as 192.0.2.2 or 2001:db8::2, and group = for all of a multicast group")
	}
	r.Addr = a
	return nil
}

// Describe is what the type is in the schema.
func (Remote) Describe() string { return "address of another router" }

// Group is a multicast group.
type Group struct{ netip.Addr }

// UnmarshalText wants a multicast address.
func (g *Group) UnmarshalText(b []byte) error {
	a, err := netip.ParseAddr(string(b))
	if err != nil || a.Zone() != "" || !a.IsMulticast() || a.IsLinkLocalMulticast() || a.IsInterfaceLocalMulticast() {
		return diag.Advise(fmt.Errorf("%q is no multicast group for it", b), "write one such as 239.1.1.1 or ff05::1")
	}
	g.Addr = a
	return nil
}

// Describe is what the type is in the schema.
func (Group) Describe() string { return "multicast group" }
