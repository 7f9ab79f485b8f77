package frr

import (
	"net/netip"
	"slices"

	"github.com/hashicorp/hcl/v2"

	"github.com/nbr-dev/nbr/hcl/conf"
	"github.com/nbr-dev/nbr/hcl/diag"
	"github.com/nbr-dev/nbr/router"
)

// Neighbor is a router that BGP exchanges routes with.
type Neighbor struct {
	conf.Header
	Name    conf.Value[router.Name] `hcl:"name,label"`
	Address conf.Value[router.Addr] `hcl:"address,optional" doc:"Its address, in one of the router's networks. Routes of the address's version of IP are exchanged. Without it the neighbour is the router at the other end of the link of network (BGP unnumbered): the two know each other by router advertisements, and exchange routes of both versions of IP, those of IPv4 by IPv6 next hops (RFC 8950)."`
	Group   conf.Ref[*BGPGroup]     `hcl:"group,optional" doc:"The bgp_group block whose settings it has, but for those that it has itself."`
	Settings
}

// Settings are what neighbours may share.
type Settings struct {
	RemoteAS conf.Value[ASN]           `hcl:"remote_as,optional" doc:"Its autonomous system. Required here or in the group."`
	Network  conf.Ref[*router.Network] `hcl:"network,optional" doc:"The network that it is in. Required without an address, for an upstream, and where the address does not tell."`
	In       conf.Ref[*PrefixList]     `hcl:"prefixes_in,optional" doc:"What is taken from it. Required for another autonomous system (RFC 8212)."`
	Out      conf.Ref[*PrefixList]     `hcl:"prefixes_out,optional" doc:"What it is told. Required for another autonomous system (RFC 8212)."`
	Password conf.Ref[*router.Secret]  `hcl:"password,optional" doc:"The secret that holds the session's password (RFC 2385): one line of 1 to 80 printable ASCII characters without spaces. Where it is missing there is no session."`
	BFD      conf.Ref[*BFD]            `hcl:"bfd,optional" doc:"The bfd block by whose times the neighbour is watched. When BFD no longer hears of it the session ends at once, and not after three minutes of silence."`
	Expect   conf.Value[int]           `hcl:"expect,optional" default:"1" doc:"The least number of prefixes that it sends and prefixes_in takes, of both versions of IP together. With fewer nbr verify fails, session or not."`
}

// or are the settings, with those of a group where there are none.
func (s Settings) or(group Settings) Settings {
	return Settings{
		RemoteAS: value(s.RemoteAS, group.RemoteAS),
		Network:  ref(s.Network, group.Network),
		In:       ref(s.In, group.In),
		Out:      ref(s.Out, group.Out),
		Password: ref(s.Password, group.Password),
		BFD:      ref(s.BFD, group.BFD),
		Expect:   value(s.Expect, group.Expect),
	}
}

func value[T any](own, group conf.Value[T]) conf.Value[T] {
	if own.Set {
		return own
	}
	return group
}

func ref[T any](own, group conf.Ref[T]) conf.Ref[T] {
	if own.Set {
		return own
	}
	return group
}

// has are the settings of the neighbour, its own and those of its group.
func (n *Neighbor) has() Settings {
	if !n.Group.Set {
		return n.Settings
	}
	return n.Settings.or(n.Group.Target.Settings)
}

// judge finds settings that are wrong wherever they are.
func (s Settings) judge() hcl.Diagnostics {
	if s.Expect.V >= 0 {
		return nil
	}
	return hcl.Diagnostics{diag.Help(diag.Error("bad-value", s.Expect.Range, "Negative number of prefixes",
		"expect is how many prefixes the neighbour sends at least, and %d is less than 0.", s.Expect.V),
		"Write 0 or more; with 0 it is right to get none.")}
}

// peer is what FRR calls the neighbour: its address, or the interface whose other end it is at. It is empty
// for one that has no place.
func (n *Neighbor) peer() string {
	switch at := n.has().Network; {
	case n.Address.Set:
		return n.Address.V.String()
	case at.Set:
		return string(at.Target.Device())
	}
	return ""
}

// byLink tells whether the neighbour has no address.
func (n *Neighbor) byLink() bool { return !n.Address.Set }

// carries tells whether routes of a version of IP are exchanged.
func (n *Neighbor) carries(v6 bool) bool { return n.byLink() || n.Address.V.Is6() == v6 }

// where is the line that says where the neighbour is.
func (n *Neighbor) where() hcl.Range {
	if n.byLink() {
		return n.has().Network.Range
	}
	return n.Address.Range
}

// place is the network that a neighbour is in, or nil.
func (n *Neighbor) place(r *router.Router) *router.Network {
	if at := n.has().Network; at.Set {
		return at.Target
	}
	return r.NetworkAt(n.Address.V.Addr)
}

// external tells whether the neighbour is of another autonomous system.
func (b *BGP) external(n *Neighbor) bool { return n.has().RemoteAS.V != b.AS.V }

// told are the announced prefixes that a neighbour gets.
func (b *BGP) told(n *Neighbor) []netip.Prefix {
	var out []netip.Prefix
	list := n.has().Out
	for _, a := range b.announces() {
		if n.carries(a.Addr().Is6()) && (!list.Set || list.Target.permits(a.Prefix)) && !slices.Contains(out, a.Prefix) {
			out = append(out, a.Prefix)
		}
	}
	return out
}

// session are the packets of BGP from a neighbour, and to it.
func (n *Neighbor) session() (in, out router.Match) {
	in = router.Match{Family: router.IPv6, Protocol: router.TCP, Ports: router.OnePort(179)}
	out = router.Match{Protocol: router.TCP, Ports: router.OnePort(179)}
	if n.byLink() {
		in.LinkLocal, out.Family, out.LinkLocal = true, router.IPv6, true
		return in, out
	}
	addr := n.Address.V.Addr
	in.Family, in.Sources = version(addr), []netip.Prefix{netip.PrefixFrom(addr, addr.BitLen())}
	out.Groups = []netip.Addr{addr}
	return in, out
}

// claim lets the neighbour in, and the router out to it. The router advertisements by which the two know each
// other the firewall lets pass anyway.
func (n *Neighbor) claim(s *router.Scope, b *BGP) {
	has := n.has()
	if n.carries(true) {
		measured(s, "bgp6")
	}
	for _, l := range []conf.Ref[*PrefixList]{has.In, has.Out} {
		if l.Set {
			router.Claim(s, l.Range, filters{list: l.Target})
		}
	}
	if at := n.place(s.Router); at != nil {
		if n.byLink() {
			router.Claim(s, n.where(), router.LinkLocal{Network: at})
		} else {
			addr := n.Address.V.Addr
			router.Claim(s, n.where(), router.HostAddr{Range: router.AddrRange{First: addr, Last: addr}, Why: "is a neighbour of " + b.Addr.String()})
		}
		in, out := n.session()
		router.Claim(s, n.where(), router.Accept{Match: in, Networks: []*router.Network{at}})
		router.Claim(s, n.where(), router.Emit{Match: out, Networks: []*router.Network{at}})
		if has.BFD.Set {
			watch(s, has.BFD.Range, watched{id: n.Addr.String() + "/bfd", profile: has.BFD.Target, peer: n.Address.V.Addr, byLink: n.byLink(), network: at})
		}
	}
	if has.Password.Set {
		s.Kernel(has.Password.Range, "passwords of BGP", "TCP_MD5SIG")
		s.Secret(has.Password.Range, router.SecretUse{Secret: has.Password.Target, For: router.RoutingPassword, Owner: "root", Unit: unit})
	}
}

// again is said of a second neighbour of one address or link.
func (n *Neighbor) again(before *Neighbor) *hcl.Diagnostic {
	if n.byLink() {
		return diag.With(diag.Help(diag.Error("same-neighbor-twice", n.Def, "One link for two neighbours",
			"%s is the router at the other end of %s already.", before.Addr, n.peer()),
			"Remove one of the two, or give both an address."), before.Def, "%s", before.Addr.String())
	}
	return diag.With(diag.Help(diag.Error("same-neighbor-twice", n.Address.Range, "One address for two neighbours",
		"%s has the address %s already.", before.Addr, n.Address.V),
		"Remove one of the two, or give one another address."), before.Address.Range, "%s", before.Addr.String())
}

// remote wants to know the autonomous system of the neighbour: FRR has no session without it.
func (b *BGP) remote(n *Neighbor) hcl.Diagnostics {
	if n.has().RemoteAS.Set {
		return nil
	}
	d := diag.Help(diag.Error("no-remote-as", n.Def, "Neighbour of no autonomous system",
		"%s has no remote_as, and no group that has one.", n.Addr),
		"Write its autonomous system, as in remote_as = %d for a router of the same.", b.AS.V)
	if n.Group.Set {
		d = diag.With(d, n.Group.Target.Def, "the group")
	}
	return hcl.Diagnostics{d}
}

// reached wants the neighbour in a network of the router. A session over an upstream
// needs a word: any host there may lead the router's packets elsewhere.
func (b *BGP) reached(r *router.Router, n *Neighbor) hcl.Diagnostics {
	if n.byLink() {
		return n.reachedByLink(r)
	}
	addr, at := n.Address.V.Addr, n.place(r)
	if own := r.Owner(addr); own != nil {
		return hcl.Diagnostics{diag.With(diag.Help(diag.Error("neighbor-is-router", n.Address.Range, "Address of the router itself",
			"%s is the router's own address in %s.", addr, own.Addr),
			"Write the neighbour's address."), own.Def, "%s", own.Addr.String())}
	}
	switch {
	case addr.IsLinkLocalUnicast() || addr.IsUnspecified() || addr.IsMulticast() || addr.IsLoopback():
		return hcl.Diagnostics{diag.Help(diag.Error("neighbor-unreachable", n.Address.Range, "Neighbour out of reach",
			"%s is no address of one host in a network of the router.", addr),
			"Write the address that the neighbour has in one of them, or network = network.NAME in its place for the router at the other end of that link.")}
	case at == nil:
		return hcl.Diagnostics{diag.Absent(diag.Help(diag.Error("neighbor-unreachable", n.Address.Range, "Neighbour out of reach",
			"%s is in none of the router's networks.", addr),
			"Write an address in one of them. Where the router gets its own address there from elsewhere, name the network, as in network = network.wan."), "network")}
	case !inside(at, addr):
		return hcl.Diagnostics{diag.With(diag.Help(diag.Error("neighbor-unreachable", n.Address.Range, "Neighbour out of reach",
			"%s is not in %s.", addr, at.Addr),
			"Write an address of %s, or name another network.", at.Addr), at.Def, "%s", at.Addr.String())}
	case at.Upstream() && !n.has().Network.Set:
		return hcl.Diagnostics{router.OnUpstream(diag.Help(diag.Error("routing-on-upstream", n.Address.Range, "Routes from an upstream",
			"%s is in %s, which leads to the Internet.", addr, at.Addr),
			"If the neighbour is to say where packets go, name the network: network = %s. Else remove the block.", at.Addr), at)}
	}
	return nil
}

// reachedByLink wants a link on which FRR can find the neighbour by router advertisements, and may send them.
func (n *Neighbor) reachedByLink(r *router.Router) hcl.Diagnostics {
	at := n.has().Network
	if !at.Set {
		return hcl.Diagnostics{diag.Help(diag.Error("neighbor-unreachable", n.Def, "Neighbour without a place",
			"%s has neither an address nor a network.", n.Addr),
			"Write its address, as in address = \"192.0.2.2\", or network = network.NAME for the router at the other end of that link.")}
	}
	l := at.Target.Link
	if l.Target.Spec().WireGuard != nil {
		return hcl.Diagnostics{diag.With(diag.Help(diag.Error("no-multicast", n.where(), "No neighbour by link in a tunnel",
			"%s is on %s. WireGuard carries no multicast, by which the two routers would find each other.", at.Addr, l.Addr),
			"Write the neighbour's address."), l.Range, "%s", l.Addr.String())}
	}
	for _, c := range router.Claimed[router.Advertised](r) {
		if c.Network.Device() == at.Target.Device() {
			return hcl.Diagnostics{diag.With(diag.Help(diag.Error("neighbor-by-advertised-link", n.where(), "Two router advertisements on one link",
				"FRR sends advertisements on %s, by which the neighbour finds the router, and %s sends others to the hosts there.", at.Target.Device(), c.Addr),
				"Write the neighbour's address, or put it on a link without hosts."), c.From, "%s", c.Addr.String())}
		}
	}
	return nil
}

// inside tells whether an address can be in a network, of what is known of it.
func inside(n *router.Network, a netip.Addr) bool {
	return slices.ContainsFunc(n.Addresses(), func(own router.NetworkAddress) bool {
		switch how := own.How.(type) {
		case router.Fixed:
			return how.Contains(a)
		case router.ByDHCP, router.ByPPP, router.ByAdvertisement, router.ByDHCPv6, router.Delegated:
			return own.Family == version(a)
		}
		return false
	})
}

// policy wants a prefix list for each way of a session with another autonomous system:
// without one FRR exchanges nothing (RFC 8212), and says Established.
func (b *BGP) policy(n *Neighbor) hcl.Diagnostics {
	has := n.has()
	if !has.RemoteAS.Set || !b.external(n) || has.In.Set && has.Out.Set {
		return nil
	}
	const in, out = "prefixes_in = prefix_list.NAME", "prefixes_out = prefix_list.NAME"
	what := in + " and " + out
	switch {
	case has.In.Set:
		what = out
	case has.Out.Set:
		what = in
	}
	into := n.Addr.String()
	if n.Group.Set {
		into += " or " + n.Group.Addr.String()
	}
	return hcl.Diagnostics{diag.Help(diag.Error("no-policy", n.Def, "Neighbour without a policy",
		"With another autonomous system nothing is exchanged that no prefix list permits (RFC 8212)."),
		"Write %s into %s.", what, into)}
}
