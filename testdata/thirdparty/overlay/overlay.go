// Package overlay joins networks of two routers over a third one with VXLAN (RFC 7348),
// by the kernel's own implementation.
package overlay

import (
	"cmp"
	"fmt"
	"net/netip"
	"strconv"

	"github.com/hashicorp/hcl/v2"

	"github.com/nbr-dev/nbr/hcl/conf"
	"github.com/nbr-dev/nbr/hcl/diag"
	"github.com/nbr-dev/nbr/nixgen"
	"github.com/nbr-dev/nbr/router"
	"github.com/nbr-dev/nbr/service"
	"github.com/nbr-dev/nbr/verify"
	"github.com/nbr-dev/nbr/verify/probe"
	"github.com/nbr-dev/nbr/verify/state"
)

// Kind is the overlay block.
func Kind() service.Kind {
	return service.Kind{
		Type: "overlay", Doc: "A VXLAN to one other router; networks and bridges can be on it.",
		Program: service.Alone("overlay", (*Overlay).lower),
		Probes:  []probe.Any{tunnels},
		New:     func() service.Block { return &Overlay{} },
	}
}

// Overlay is the overlay block. Its label is the interface's name.
type Overlay struct {
	conf.Header
	Name     conf.Value[router.IfName]   `hcl:"name,key"`
	ID       conf.Value[VNI]             `hcl:"id,required" doc:"The VXLAN network identifier, the same at both ends."`
	Network  conf.Ref[*router.Network]   `hcl:"network,required" doc:"The network that carries it. It has a fixed IPv4 address."`
	Peer     conf.Value[Peer]            `hcl:"peer,required" doc:"The other router's address."`
	Host     conf.Value[router.Hostname] `hcl:"host,optional" doc:"A name for the other router in /etc/hosts."`
	Protocol conf.Value[Protocol]        `hcl:"protocol,optional" doc:"The protocol number of the routes that a routing daemon puts on it (ip-route(8))."`
	MTU      conf.Value[router.MTU]      `hcl:"mtu,optional" default:"1450" doc:"Largest packet in bytes. 1450 fits a network of 1500."`
}

// VNI is a VXLAN network identifier.
type VNI int

// UnmarshalText wants 1 to 16777215 (RFC 7348 section 5; the kernel takes 0 as well).
func (v *VNI) UnmarshalText(b []byte) error {
	n, err := strconv.Atoi(string(b))
	if err != nil || n < 1 || n > 1<<24-1 {
		return fmt.Errorf("%q is no VXLAN network identifier: 1 to 16777215", b)
	}
	*v = VNI(n)
	return nil
}

// Describe is what the type is in the schema.
func (VNI) Describe() string { return "VXLAN network identifier" }

// Peer is an IPv4 address.
type Peer struct{ netip.Addr }

// UnmarshalText wants an address that a single host can have.
func (p *Peer) UnmarshalText(b []byte) error {
	a, err := netip.ParseAddr(string(b))
	if err != nil || !a.Is4() || a.IsMulticast() || a.IsUnspecified() {
		return fmt.Errorf("%q is no IPv4 address of a router", b)
	}
	p.Addr = a
	return nil
}

// Describe is what the type is in the schema.
func (Peer) Describe() string { return "IPv4 address" }

// Protocol is the number of a routing protocol (rtm_protocol of rtnetlink(7)).
type Protocol uint8

// UnmarshalText wants 5 to 255: those below are the kernel's and IfState's own.
func (p *Protocol) UnmarshalText(b []byte) error {
	n, err := strconv.ParseUint(string(b), 10, 8)
	if err != nil || n < 5 {
		return fmt.Errorf("%q is no number of a routing protocol: 5 to 255", b)
	}
	*p = Protocol(n)
	return nil
}

// Describe is what the type is in the schema.
func (Protocol) Describe() string { return "number of a routing protocol" }

// port is where VXLAN is received (IANA). The kernel's default is another one.
const port = 4789

// LinkName is the interface's name.
func (o *Overlay) LinkName() router.IfName { return o.Name.V }

// Spec is the link as the kernel has it.
func (o *Overlay) Spec() router.LinkSpec {
	s := router.LinkSpec{Kind: "vxlan", MTU: o.MTU, Attributes: []router.LinkAttribute{
		{Name: "vxlan_id", Value: int(o.ID.V)},
		{Name: "vxlan_group", Value: o.Peer.V.String()},
		{Name: "vxlan_port", Value: port},
	}}
	if p, ok := o.Network.Target.FixedIn(router.IPv4); ok {
		s.Attributes = append(s.Attributes, router.LinkAttribute{Name: "vxlan_local", Value: p.Addr().String()})
	}
	return s
}

// A Segment is an identifier that is taken on a network. Other services can claim it, too.
type Segment struct {
	router.By
	ID      VNI
	Network *router.Network
}

// Claim claims the identifier, the kernel's VXLAN, the way in for the peer's packets, and
// the routes of the routing daemon.
func (o *Overlay) Claim(s *router.Scope) {
	router.Claim(s, o.ID.Range, Segment{ID: o.ID.V, Network: o.Network.Target})
	s.Kernel(hcl.Range{}, "VXLAN", "VXLAN")
	router.Claim(s, o.Network.Range, router.Accept{
		Match:    router.Match{Family: router.IPv4, Protocol: router.UDP, Ports: router.PortRange{First: port, Last: port}},
		Networks: []*router.Network{o.Network.Target},
	})
	if o.Protocol.Set {
		router.Claim(s, o.Protocol.Range, router.OwnRoutes{Protocol: uint8(o.Protocol.V), On: []router.Link{o}})
	}
}

// Judge wants an address to send from, a peer that is not the router, and an identifier of
// its own.
func (o *Overlay) Judge(r *router.Router) hcl.Diagnostics {
	var diags hcl.Diagnostics
	own, ok := o.Network.Target.FixedIn(router.IPv4)
	switch {
	case !ok:
		diags = append(diags, router.NoFixedAddress(o.Network, "An overlay sends its packets from an address of the spec.", router.IPv4))
	case own.Addr() == o.Peer.V.Addr:
		diags = append(diags, diag.With(diag.Help(diag.Error("overlay-to-itself", o.Peer.Range, "Overlay to the router itself",
			"%s is the router's own address in %s.", o.Peer.V, o.Network.Target.Addr),
			"Write the other router's."),
			o.Network.Target.IPv4.Range, "%s", o.Network.Target.Addr.String()))
	}
	for _, s := range router.Claimed[Segment](r) {
		if s.Addr == o.Addr {
			break // of each pair the later one complains
		}
		if s.ID == o.ID.V && s.Network == o.Network.Target {
			diags = append(diags, diag.With(diag.Help(diag.Error("overlay-id-clash", o.ID.Range, "Identifier of two overlays",
				"%d is %s's already on %s. The kernel refuses a second one.", o.ID.V, s.Addr, o.Network.Target.Addr),
				"Give one of them another id."), s.From, "%s", s.Addr.String()))
		}
	}
	return diags
}

// lower gives the other router a name. IfState makes the link, by its Spec.
func (o *Overlay) lower(_ *router.Router, m *nixgen.Module) {
	if o.Host.Set {
		m.Set(service.Origin(o.Addr, o.Host.Range), nixgen.List{nixgen.Str(o.Host.V)}, "networking", "hosts", o.Peer.V.String())
	}
}

// Checks ask the kernel where the overlay leads. That the link is there, and of its kind and MTU,
// is checked of every link.
func (o *Overlay) Checks(_ *router.Router, p *verify.Plan) {
	name := string(o.Name.V)
	want, hint := fmt.Sprintf("%d to %s", o.ID.V, o.Peer.V), "ip -d link show "+name
	c := verify.Check{ID: o.Addr.String() + "/peer", Title: name + " leads to its peer", From: cmp.Or(o.Peer.Range, o.Def)}
	verify.Asked(p, c, tunnels, name, want, hint, func(_ *state.State, t tunnel) verify.Verdict {
		if !t.There {
			return verify.Missing(want, hint)
		}
		return verify.Compare(want, fmt.Sprintf("%d to %s", t.ID, cmp.Or(t.Peer, "all")), hint)
	})
}
