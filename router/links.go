package router

import (
	"slices"

	"github.com/hashicorp/hcl/v2"

	"github.com/nbr-dev/nbr/hcl/conf"
)

// A Link is what a network can be on, made by nbr or not: a port of the board, a block of
// the core, or a block of a service, which becomes a link of the router by having these
// methods.
type Link interface {
	conf.Block
	// LinkName is the interface's name.
	LinkName() IfName
	// Spec is what the link is. References in it are linked by the time it is called.
	Spec() LinkSpec
}

// A LinkSpec is what a link is, in the words of the kernel (rtnetlink(7)). The program
// that makes links needs to know no more of it.
type LinkSpec struct {
	// Kind is what the kernel calls links of its sort (IFLA_INFO_KIND): bridge, vlan,
	// wireguard. It is physical or dsa for hardware, and empty for a link that a program makes
	// which nbr does not know.
	Kind string
	// On is the link below (IFLA_LINK), as the one that carries the frames of a VLAN.
	On conf.Ref[Link]
	// Ports are the links that have this one as their master (IFLA_MASTER).
	Ports conf.Refs[Link]
	// Peer is the other end of a pair (IFLA_LINK as well, with nothing below).
	Peer conf.Ref[Link]
	MAC  conf.Value[MAC]
	// Alias is what people call the link.
	Alias conf.Value[Alias]
	// Via is the link that a tunnel's packets leave by. It is not below the tunnel as On is: the kernel
	// tells of it otherwise. Overhead is what packets are longer on Via or On, in bytes.
	Via      conf.Ref[Link]
	Overhead int
	// Remote is where they go, if that is one address.
	Remote conf.Value[Addr]
	// MTU is the largest packet in bytes. Where none is said it is that of [MTUOf], so a kind
	// for which the kernel would choose another one says it.
	MTU conf.Value[MTU]
	// Least is the smallest MTU that the kernel gives links of the kind, 0 for any.
	Least int
	// Bridge and VLAN are what the core's rules know of a link of these kinds, and nil for others;
	// so is WireGuard.
	Bridge    *BridgeSpec
	VLAN      *VLANSpec
	WireGuard *WireGuard
	// VRF is the routing table of the ports of a link of kind vrf.
	VRF conf.Value[TableID]
	// Attributes are the others of the kind: IFLA_VXLAN_ID is vxlan_id.
	Attributes []LinkAttribute
	// Cable and Radio tell what the link's own hardware, or a program for it, may have at the other end.
	// Where it is not known, as for a card in a slot, it has both; a link on others has neither.
	Cable, Radio bool
	// IPOnly links have no Ethernet frames around their packets (ARPHRD_NONE and the like of
	// linux/if_arp.h): they are no port of another link, and carry no VLAN.
	IPOnly bool
	// External links are made by another program than the one that makes links, when it
	// wants. They are not there when the router starts, and no address of the spec is set on
	// them.
	External bool
	// Driven links are set up and down by another program than the one that makes them, so that they
	// may be down while all is well.
	Driven bool
}

// A BridgeSpec is what a bridge is beyond its link (IFLA_BR_* of linux/if_link.h).
type BridgeSpec struct {
	Ports conf.Refs[Link] // those of LinkSpec.Ports that no block of VLANs is about
	STP   conf.Value[bool]
	VLANs []*PortVLANs       // its ports by their VLANs, if it keeps them apart
	PVID  conf.Value[VLANID] // of networks on such a bridge itself
}

// A VLANSpec is what a VLAN is beyond its link, with LinkSpec.On below (IFLA_VLAN_* of
// linux/if_link.h).
type VLANSpec struct {
	ID       conf.Value[VLANID]
	Protocol conf.Value[VLANProtocol]
}

// Kernel are all attributes of the kind, those of Bridge and VLAN first.
func (s LinkSpec) Kernel() []LinkAttribute {
	var out []LinkAttribute
	if s.Bridge != nil && s.Bridge.STP.V {
		out = append(out, LinkAttribute{"br_stp_state", true})
	}
	if s.Bridge.VLANAware() { // what is in no list is in no VLAN, where the kernel would say 1
		out = append(out, LinkAttribute{"br_vlan_default_pvid", 0}, LinkAttribute{"br_vlan_filtering", true})
	}
	if s.VLAN != nil {
		out = append(out, LinkAttribute{"vlan_id", int(s.VLAN.ID.V)})
		if s.VLAN.Protocol.V == STag {
			out = append(out, LinkAttribute{"vlan_protocol", string(STag)})
		}
	}
	return append(out, s.Attributes...)
}

// Hardware tells whether the link is a port of the machine, or of a switch in it.
func (s LinkSpec) Hardware() bool { return s.Kind == "physical" || s.Kind == "dsa" }

// A LinkAttribute is an attribute of a link's kind (linux/if_link.h), in lower case and
// without IFLA_.
type LinkAttribute struct {
	Name  string
	Value any // bool, int or string
}

// WireGuard is what a tunnel is beyond its link (linux/wireguard.h).
type WireGuard struct {
	PrivateKey conf.Ref[*Secret]
	Listen     conf.Value[Port]
	PublicKey  conf.Value[WireGuardKey] // of PrivateKey
	Endpoint   string                   // host:port by which peers reach this router; empty if none is said
	Peers      []WireGuardPeer
}

// A WireGuardPeer is the other end of a tunnel.
type WireGuardPeer struct {
	By
	Name         Name
	PublicKey    WireGuardKey
	PresharedKey *Secret // nil without one
	AllowedIPs   []Block
	Endpoint     string // host:port; empty if the peer connects
	Keepalive    int    // seconds; 0 is off
}

// External is the link block: an interface that another program makes.
type External struct {
	conf.Header
	Name conf.Value[IfName] `hcl:"name,key"`
	MTU  conf.Value[MTU]    `hcl:"mtu,optional" doc:"Largest packet in bytes, as the program that makes the interface sets it."`
}

// LinkName is the interface's name.
func (e *External) LinkName() IfName { return e.Name.V }

// Spec says that another program makes the link.
func (e *External) Spec() LinkSpec { return LinkSpec{MTU: e.MTU, External: true, Cable: true} }

// Spec is the bridge as the kernel has it.
func (b *Bridge) Spec() LinkSpec {
	return LinkSpec{
		Kind: "bridge", Ports: b.ports(), MAC: b.MAC, Alias: b.Alias, MTU: b.MTU,
		Bridge: &BridgeSpec{Ports: b.Ports, STP: b.STP, VLANs: b.VLANs, PVID: b.PVID},
	}
}

// Spec is the VLAN as the kernel has it.
func (v *VLAN) Spec() LinkSpec {
	return LinkSpec{Kind: "vlan", On: v.Link, MAC: v.MAC, Alias: v.Alias, MTU: v.MTU, VLAN: &VLANSpec{ID: v.ID, Protocol: v.Protocol}}
}

// Spec says that the port is hardware. The link below a port of a switch is its
// conduit, which no block names.
func (p *BoardPort) Spec() LinkSpec {
	s := LinkSpec{Kind: "physical", MAC: p.Cloned, Alias: p.Alias, MTU: p.MTU}
	s.Cable = p.Kind != PortConduit && p.Kind != PortWiFi
	s.Radio = p.Kind == PortWiFi || p.Kind == PortCard
	if p.Kind == PortDSA {
		s.Kind = "dsa"
	}
	return s
}

// Ports are all network ports, the board's own first.
func (r *Router) Ports() []*BoardPort {
	var out []*BoardPort
	if r.Board != nil {
		out = slices.Clone(r.Board.Ports)
	}
	for i, p := range out {
		for _, changed := range r.Changed {
			if changed.Name == p.Name {
				out[i] = changed
			}
		}
	}
	return append(out, r.Added...)
}

// addPort adds the port of a block. One that says where it is is a card, also with the name of a
// port of the board, which is told to be taken.
func (r *Router) addPort(p *BoardPort) {
	if r.Board != nil && !p.Renamed() {
		if own := r.Board.port(p.Name); own != nil {
			p.Kind, p.Conduit, p.Label, p.Speed, p.MaxMTU = own.Kind, own.Conduit, own.Label, own.Speed, own.MaxMTU
			r.Changed = append(r.Changed, p)
			return
		}
	}
	r.Added = append(r.Added, p)
}

// Links are all links, the ports first.
func (r *Router) Links() []Link {
	var out []Link
	for _, p := range r.Ports() {
		out = append(out, p)
	}
	return append(out, r.Made...)
}

// MasterOf is the link that l is a port of, or nil.
func (r *Router) MasterOf(l Link) Link {
	if r.masters == nil {
		r.masters = map[Link]Link{}
		for _, m := range r.Made {
			for _, p := range m.Spec().Ports.All() {
				if r.masters[p] == nil { // a second one has been told
					r.masters[p] = m
				}
			}
		}
	}
	return r.masters[l]
}

// On are the networks on a link.
func (r *Router) On(l Link) []*Network {
	var out []*Network
	for _, n := range r.Networks {
		if n.Link.Target == l {
			out = append(out, n)
		}
	}
	return out
}

// below are the references to links that a link needs.
func below(l Link) []conf.Ref[Link] {
	s := l.Spec()
	var out []conf.Ref[Link]
	for _, ref := range []conf.Ref[Link]{s.On, s.Via} {
		if ref.Set {
			out = append(out, ref)
		}
	}
	return append(out, s.Ports.Items...)
}

// MTU is the MTU that a link has as a part of the router, and the place in the spec that says
// so: a bond gives its own to its ports (bond_enslave in drivers/net/bonding/bond_main.c).
func (r *Router) MTU(l Link) (int, hcl.Range) {
	if m := r.MasterOf(l); m != nil && m.Spec().Kind == "bond" {
		return MTUOf(m)
	}
	return MTUOf(l)
}

// MTUOf is the MTU that a link has by itself and the place in the spec that says so, the zero
// range if none does. Ethernet has 1500; a bridge takes the least of its ports
// (br_mtu_auto_adjust in net/bridge/br_if.c), a link on another one that one's, an end of a pair
// that of the other end, and a tunnel what fits into the packets of the link that it leaves by.
func MTUOf(l Link) (int, hcl.Range) { return mtuOf(l, nil) }

// mtuOf is MTUOf; above are the links that it was asked from. One in a loop has an error of its own.
func mtuOf(l Link, above []Link) (int, hcl.Range) {
	s := l.Spec()
	if s.MTU.V != 0 {
		return int(s.MTU.V), s.MTU.Range
	}
	least, at := 1500, hcl.Range{}
	if slices.Contains(above, l) {
		return least, at
	}
	above = append(above, l)
	switch {
	case s.On.Set:
		n, said := mtuOf(s.On.Target, above)
		return n - s.Overhead, said
	case s.Peer.Set && s.Peer.Target.Spec().Peer.Target == l:
		return mtuOf(s.Peer.Target, above)
	case s.Via.Set:
		n, said := mtuOf(s.Via.Target, above)
		return n - s.Overhead, said
	}
	for i, port := range s.Ports.All() {
		if n, said := mtuOf(port, above); i == 0 || n < least {
			least, at = n, said
		}
	}
	return least, at
}
