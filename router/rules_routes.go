package router

import (
	"cmp"
	"fmt"
	"net/netip"
	"slices"
	"strconv"

	"github.com/hashicorp/hcl/v2"

	"github.com/nbr-dev/nbr/hcl/diag"
)

// Metric is the preference of a route (RTA_PRIORITY in linux/rtnetlink.h).
type Metric uint32

func (m *Metric) UnmarshalText(b []byte) error {
	n, err := strconv.ParseUint(string(b), 10, 32)
	if err != nil {
		return diag.Advise(fmt.Errorf("%q is no metric", b), "write a whole number from 0 to 4294967295")
	}
	*m = Metric(n)
	return nil
}

// Describe is what the type is in the schema.
func (Metric) Describe() string { return "metric, 0 to 4294967295" }

// The metrics of IPv6: of routes that say none (IP6_RT_PRIO_USER in linux/ipv6_route.h) and
// of those that the kernel makes of addresses (IP6_RT_PRIO_ADDRCONF). Those of IPv4 are 0.
const (
	metric6          = 1024
	metric6Connected = 256
)

// A destination is where the spec has a route of the main table lead: a gateway, a route block
// or what a service asks for.
type destination struct {
	By
	to      netip.Prefix
	metric  Metric // as the kernel has it
	link    Link   // nil if the next hop is out of reach
	others  []Link // of further next hops
	gateway bool
	static  bool // a route block
}

func (r *Router) destinations() []destination {
	var out []destination
	add := func(by By, to netip.Prefix, said Metric, d destination) {
		d.By, d.to, d.metric = by, to, said
		if to.Addr().Is6() && said == 0 {
			d.metric = metric6
		}
		out = append(out, d)
	}
	for _, n := range r.Networks {
		if n.Gateway.Set {
			add(By{n.Addr, n.Gateway.Range}, netip.PrefixFrom(netip.IPv4Unspecified(), 0), r.DefaultMetric(n), destination{link: n.Link.Target, gateway: true})
		}
		if n.Gateway6.Set {
			add(By{n.Addr, n.Gateway6.Range}, netip.PrefixFrom(netip.IPv6Unspecified(), 0), r.DefaultMetric(n), destination{link: n.Link.Target, gateway: true})
		}
	}
	for _, rt := range r.Routes {
		if r.TableOf(rt) != 0 {
			continue // see ruleTables: it takes nothing away that a rule does not say
		}
		d := destination{static: true}
		if ns := r.NextHops(rt); len(ns) > 0 {
			d.link = ns[0].Link.Target
			for _, n := range ns[1:] {
				d.others = append(d.others, n.Link.Target)
			}
		}
		add(By{rt.Addr, rt.To.Range}, rt.To.V.Prefix, rt.Metric.V, d)
	}
	for _, v := range Claimed[DeviceRoute](r) {
		if r.VRFOf(v.Link) == nil { // else in the table of the VRF
			add(v.By, v.To, 0, destination{link: v.Link})
		}
	}
	return out
}

// ruleRoutes judges routes beside each other. IfState makes one after the other, and of two
// with the same destination and metric the last one is there.
func ruleRoutes(r *Router) hcl.Diagnostics {
	var diags hcl.Diagnostics
	type key struct {
		to     netip.Prefix
		metric Metric
	}
	first := map[key]destination{}
	for _, d := range r.destinations() {
		before, dup := first[key{d.to, d.metric}]
		switch {
		case !dup:
			first[key{d.to, d.metric}] = d
		case d.gateway && before.gateway: // two-gateways
		case d.static && before.static:
			diags = append(diags, diag.Help(clash("route-twice", "Two routes to the same destination", before.By, d.By,
				"%s already leads to %s with the same metric.", before.Addr, d.to),
				"Give one of them another metric."))
		default:
			diags = append(diags, diag.Help(clash("route-twice", "Two routes to the same destination", before.By, d.By,
				"%s already leads to %s, and only one of the two would be there.", before.Addr, d.to),
				"Leave it to one of them."))
		}
	}
	for _, rt := range r.Routes {
		for _, h := range rt.Hops() {
			if h.Via.Set && rt.To.V.Addr().Is4() != h.Via.V.Is4() {
				diags = append(diags, diag.Help(diag.Error("next-hop-outside", h.Via.Range, "Next hop of the other family",
					"%s and %s are of two versions of IP.", h.Via.V, rt.To.V.Prefix),
					"Write a next hop of the destination's version."))
			}
		}
	}
	return append(diags, r.twiceInTable()...)
}

// unroutable tells why a prefix is no destination beyond a link, or is empty.
func unroutable(p netip.Prefix) string {
	switch a := p.Addr(); {
	case p.Bits() == 0:
		return ""
	case a.IsLoopback():
		return "the router's own for itself (loopback)"
	case a.IsMulticast():
		return "for groups of hosts (multicast)"
	case a.IsLinkLocalUnicast():
		return "of each link alone (link-local)"
	case a.Is4In6():
		return "an IPv4 address in the form of IPv6"
	}
	return ""
}

// ruleDestinations finds routes that take packets away from a network of the router. What
// the kernel does was tried: IfState replaces the route of an IPv4 network by one with the
// same destination, for both have metric 0, and of IPv6 the lower metric is used; a longer
// prefix wins whatever the metrics are, and a shorter one never does.
func ruleDestinations(r *Router) hcl.Diagnostics {
	var diags hcl.Diagnostics
	for _, d := range r.destinations() {
		if why := unroutable(d.to); why != "" {
			diags = append(diags, diag.Help(diag.Error("not-routable", d.From, "No destination of a route",
				"%s is %s, so nothing can be sent there through another router.", d.to, why),
				"Give a destination that other hosts have."))
			continue
		}
		if f, ok := r.blockOf(d.to); ok {
			if x := takes(d, f); x != nil {
				diags = append(diags, diag.With(x, f.at, "%s", f.n.Addr.String()))
			}
		}
	}
	return append(diags, ruleTakenHosts(r)...)
}

// takes is what is wrong with a route beside the network that holds all of its destination, or
// nil. A larger destination takes nothing: the network's own route is longer.
func takes(d destination, f fixed) *hcl.Diagnostic {
	block := f.p.Masked()
	switch {
	case d.to.IsSingleIP() && d.to.Addr() == f.p.Addr():
		if !d.static {
			return nil // the service says it
		}
		return diag.Help(diag.Error("useless-route", d.From, "Route to the router itself",
			"%s is the router's own address in %s, so the route is never used.", d.to.Addr(), f.n.Addr),
			"Remove it.")
	case d.to.IsSingleIP() && d.to != block:
		return nil // a host that is elsewhere: see ruleTakenHosts
	case d.to == block && d.link == f.n.Link.Target && d.link.Spec().WireGuard != nil:
		return nil
	case d.to == block && !d.wins() && !d.static:
		return diag.Help(diag.Error("useless-route", d.From, "Route beside a network's own",
			"%s is %s, which the router is in: nothing would be sent to %s.", d.to, f.n.Addr, d.Addr),
			"Give a destination that is not the router's.")
	case d.to == block && !d.wins():
		return diag.Help(diag.Warning("useless-route", d.From, "Route beside a network's own",
			"%s is %s, which the router is in: with the metric %d the route is never used.", d.to, f.n.Addr, d.metric),
			"Remove it.")
	case d.to == block:
		return diag.Help(diag.Error("route-takes-network", d.From, "Route takes a network away",
			"%s is %s. The route would replace the one that leads there, and no host of the network would get an answer.", d.to, f.n.Addr),
			"Remove it, or give another destination.")
	}
	return diag.Help(diag.Error("route-takes-network", d.From, "Route takes hosts of a network away",
		"%s is a part of %s, which is %s: its hosts would get no answer, for the longer prefix wins.", d.to, f.n.Addr, block),
		"Remove it, or give single hosts that are not in the network.")
}

// wins tells whether the kernel uses the route rather than the one that it makes of an
// address in the same network.
func (d destination) wins() bool {
	if d.to.Addr().Is4() {
		return d.metric == 0
	}
	return d.metric <= metric6Connected
}

// A HostAddr is an address, or a range, that hosts of a network have or may get.
type HostAddr struct {
	By
	Range AddrRange
	Why   string // what it is for, as in "is a neighbour of bgp"
}

// ruleTakenHosts finds routes to a single host that another block looks for in its network.
func ruleTakenHosts(r *Router) hcl.Diagnostics {
	var used []HostAddr
	add := func(by By, a netip.Addr, why string) {
		if a.IsValid() && !a.IsLinkLocalUnicast() {
			used = append(used, HostAddr{by, AddrRange{a, a}, why})
		}
	}
	for _, n := range r.Networks {
		add(By{n.Addr, n.Gateway.Range}, n.Gateway.V.Addr, "is the default gateway")
		add(By{n.Addr, n.Gateway6.Range}, n.Gateway6.V.Addr, "is the default gateway")
	}
	for _, rt := range r.Routes {
		for _, h := range rt.Hops() {
			add(By{h.Addr, h.Via.Range}, h.Via.V.Addr, "is the next hop of "+h.Addr.String()) // none is no address
		}
	}
	for _, h := range r.Hosts {
		add(By{h.Addr, h.IPv4.Range}, h.IPv4.V.Addr, "is "+h.Addr.String())
	}
	for _, h := range Claimed[HostAddr](r) {
		used = append(used, *h)
	}
	var diags hcl.Diagnostics
	for _, d := range r.destinations() {
		n := r.NetworkAt(d.to.Addr())
		if !d.to.IsSingleIP() || n == nil || n.Link.Target == d.link {
			continue
		}
		i := slices.IndexFunc(used, func(h HostAddr) bool { return h.Range.Contains(d.to.Addr()) })
		if i < 0 {
			continue
		}
		h := used[i]
		diags = append(diags, diag.Help(clash("route-takes-network", "Route takes a host away", h.By, d.By,
			"%s %s in %s, and %s would send what is for it over another link.", d.to.Addr(), h.Why, n.Addr, d.Addr),
			"Remove it, or take another address."))
	}
	return diags
}

// ruleNextHops finds next hops to which the kernel makes no route, or which lead nowhere
// (fib_check_nh in net/ipv4/fib_semantics.c, ip6_route_check_nh in net/ipv6/route.c).
func ruleNextHops(r *Router) hcl.Diagnostics {
	var diags hcl.Diagnostics
	for _, rt := range r.Routes {
		diags = append(diags, rt.judgeHops()...)
		for _, h := range rt.Hops() {
			if rt.Type.V == Unicast && h.Via.Set {
				diags = append(diags, r.judgeHop(rt, h)...)
			}
		}
	}
	return diags
}

// judgeHop finds what is wrong with one next hop of a route.
func (r *Router) judgeHop(rt *Route, h *NextHop) hcl.Diagnostics {
	var diags hcl.Diagnostics
	via, n := h.Via.V.Addr, r.NetworkOf(h)
	switch {
	case rt.To.V.Addr().Is4() != via.Is4():
		return nil // said
	case n == nil:
		diags = append(diags, diag.Help(diag.Error("next-hop-outside", h.Via.Range, "Next hop out of reach",
			"%s is in no network of the router with a fixed address.", h.Via.V),
			"Write an address in one of them. Where the next hop is on a link whose network has no fixed address, name that: network = network.NAME."))
	case r.Owner(via) != nil:
		diags = append(diags, diag.With(diag.Help(diag.Error("next-hop-outside", h.Via.Range, "Next hop is the router itself",
			"%s is the router's own address in %s.", via, r.Owner(via).Addr),
			"Give the address of the router that %s leads to.", rt.Addr), r.Owner(via).Def, "%s", r.Owner(via).Addr.String()))
	case via.IsLinkLocalUnicast():
	case !n.mayHold(via) && !r.leadsInto(n.Link.Target, via):
		diags = append(diags, diag.With(diag.Help(diag.Error("next-hop-outside", h.Via.Range, "Next hop outside its network",
			"%s is not in %s, and the kernel refuses such a route.", via, n.Addr),
			"Give an address of the network."), h.Network.Range, "%s", n.Addr.String()))
	}
	return diags
}

// judgeHops finds a route without a next hop, one that can have none, and one that is told
// twice where it leads.
func (rt *Route) judgeHops() hcl.Diagnostics {
	hops := rt.Hops()
	var diags hcl.Diagnostics
	switch {
	case rt.Type.V == Unicast && rt.Direct():
		if n, f := rt.Network.Target, familyOf(rt.To.V.Addr()); !n.Has(f) {
			diags = one(diag.With(diag.Help(diag.Error("route-next-hop", rt.Network.Range, "Route into a network of the other family",
				"%s is %s, and the router has no address of it in %s from which packets could come.", rt.To.V, f, n.Addr),
				"Give the router such an address there, or name another network."), n.Def, "%s", n.Addr.String()))
		}
	case rt.Type.V == Unicast && rt.Network.Set && !rt.Via.Set && len(rt.NextHops) == 0:
		diags = one(diag.With(diag.Help(diag.Error("route-next-hop", rt.Network.Range, "Route without a next hop",
			"Packets to %s have to go to a router in %s, and %s does not say to which.", rt.To.V, rt.Network.Target.Addr, rt.Addr),
			"Write via = \"ADDRESS\" of that router. Only a tunnel that IfState makes needs none."), rt.Network.Target.Link.Range, "the link"))
	case rt.Type.V == Unicast && len(hops) == 0:
		diags = one(diag.Help(diag.Error("route-next-hop", rt.Def, "Route without a next hop",
			"Packets to %s have to go to a router, and %s names none.", rt.To.V, rt.Addr),
			"Write via = \"ADDRESS\" of that router, network = the network of a tunnel, or type = \"blackhole\" to drop them."))
	case rt.Type.V != Unicast && len(hops) > 0:
		where := cmp.Or(rt.Via.Range, rt.Network.Range, hops[0].Def)
		diags = one(diag.With(diag.Help(diag.Error("route-next-hop", where, "Next hop of a route that has none",
			"Packets to %s are dropped (%s), so nothing is sent to a next hop.", rt.To.V, rt.Type.V),
			"Remove it, or the type."), rt.Type.Range, "the type"))
	case len(rt.NextHops) > 0 && len(hops) > len(rt.NextHops):
		diags = one(diag.With(diag.Help(diag.Error("route-next-hop", cmp.Or(rt.Via.Range, rt.Network.Range), "Next hop beside several",
			"The next_hop blocks of %s say where its packets go.", rt.Addr),
			"Write it as one of them."), rt.NextHops[0].Def, "%s", rt.NextHops[0].Addr.String()))
	case len(rt.NextHops) == 1:
		diags = one(diag.Help(diag.Error("route-next-hop", rt.NextHops[0].Def, "One of several next hops",
			"Packets to %s have no other way that they could be shared with.", rt.To.V),
			"Write its via into the route, or another next_hop block."))
	}
	for i, h := range rt.NextHops {
		for _, o := range rt.NextHops[:i] {
			if h.Via.V == o.Via.V && h.Network.Target == o.Network.Target {
				diags = append(diags, diag.Help(clash("route-next-hop", "Next hop twice", By{o.Addr, o.Via.Range}, By{h.Addr, h.Via.Range},
					"%s already sends packets to %s.", o.Addr, o.Via.V),
					"Give one of them its weight."))
			}
		}
	}
	return diags
}

// mayHold tells whether an address is in the network as far as the spec tells.
func (n *Network) mayHold(a netip.Addr) bool {
	for _, own := range n.Addresses() {
		if (own.Family == IPv4) != a.Is4() {
			continue
		}
		if how, ok := own.How.(Fixed); !ok || how.Contains(a) {
			return true
		}
	}
	return false
}

// leadsInto tells whether a service leads an address into a link.
func (r *Router) leadsInto(l Link, a netip.Addr) bool {
	return slices.ContainsFunc(Claimed[DeviceRoute](r), func(d *DeviceRoute) bool { return d.Link == l && d.To.Contains(a) })
}

// noHosts are the addresses that no host can have, each with its network.
func (r *Router) noHosts() map[netip.Addr]fixed {
	out := map[netip.Addr]fixed{}
	for _, f := range r.fixed() {
		ends := []netip.Addr{f.p.Masked().Addr()}
		if f.p.Addr().Is4() {
			ends = append(ends, Broadcast(f.p))
		}
		for _, a := range ends {
			if _, earlier := out[a]; !earlier && notHost(f.p, a) {
				out[a] = f
			}
		}
	}
	return out
}

// notHost tells whether no host of a network can have the address: IPv4 has two of them (RFC
// 1122 section 3.2.1.3) but in networks of two addresses (RFC 3021), and IPv6 the one of all
// its routers (RFC 4291 section 2.6.1).
func notHost(p netip.Prefix, a netip.Addr) bool {
	if a.Is6() {
		return p.Bits() < 127 && a == p.Masked().Addr()
	}
	return p.Bits() < 31 && (a == p.Masked().Addr() || a == Broadcast(p))
}

// ruleEndpoints finds tunnels whose own packets would go into the tunnel: the kernel drops
// them (wg_xmit in drivers/net/wireguard/device.c, ip_tunnel_xmit in net/ipv4/ip_tunnel.c,
// ip6_tnl_xmit in net/ipv6/ip6_tunnel.c, vxlan_xmit_one in drivers/net/vxlan/vxlan_core.c).
func ruleEndpoints(r *Router) hcl.Diagnostics {
	var diags hcl.Diagnostics
	for _, l := range r.Made {
		s := l.Spec()
		if s.Remote.Set {
			by := By{l.Head().Addr, s.Remote.Range}
			if d, into := r.longest(s.Remote.V.Addr); into == l && s.Via.Target != l { // else it is a loop
				diags = append(diags, diag.Help(clash("endpoint-in-tunnel", "Tunnel inside itself", d, by,
					"The packets of %s go to %s, and %s leads that address into %s itself.", by.Addr, s.Remote.V, d.Addr, l.LinkName()),
					"Write a route block for the address, by a network that is not on the tunnel."))
			}
		}
		w := s.WireGuard
		if w == nil {
			continue
		}
		for _, p := range w.Peers {
			end, err := netip.ParseAddrPort(p.Endpoint)
			if err != nil { // a name, or none
				if d := r.defaultInto(l); d != nil && p.Endpoint != "" {
					diags = append(diags, diag.Help(clash("endpoint-in-tunnel", "Tunnel inside itself", d.By, p.By,
						"%s is to be reached at %s, and %s leads everything into %s itself.", p.Addr, p.Endpoint, d.Addr, l.LinkName()),
						"Route the networks behind %s only, or give the route a table, and say by rule blocks whose packets take it: the tunnel's own do not.", p.Addr))
				}
				continue
			}
			if d, into := r.longest(end.Addr().Unmap()); into == l {
				diags = append(diags, diag.Help(clash("endpoint-in-tunnel", "Tunnel inside itself", d, p.By,
					"%s is to be reached at %s, and %s leads that address into %s itself.", p.Addr, end.Addr(), d.Addr, l.LinkName()),
					"Take the address out of allowed_ips, or write a route block for it."))
			}
		}
	}
	return diags
}

// leased is less than the metric of default routes that DHCP and router advertisements bring:
// dhcpcd's begin at 1000 (if_metric in its if.c), the kernel's are 1024.
const leased = 1000

// defaultInto is the default route into a link that the kernel takes before all others of its
// family, or nil.
func (r *Router) defaultInto(l Link) *destination {
	first := map[bool]*destination{}
	for _, d := range r.destinations() {
		if v4 := d.to.Addr().Is4(); d.to.Bits() == 0 && (first[v4] == nil || d.metric < first[v4].metric) {
			first[v4] = &d
		}
	}
	for _, v4 := range []bool{true, false} {
		if d := first[v4]; d != nil && d.link == l && (v4 && d.metric < leased || !v4 && d.metric <= metric6) {
			return d
		}
	}
	return nil
}

// longest is the link that an address is sent to, by the longest prefix and then the lowest
// metric, and what says so; nil if nothing does.
func (r *Router) longest(a netip.Addr) (By, Link) {
	type way struct {
		By
		bits   int
		metric Metric
		link   Link
	}
	var ways []way
	for _, f := range r.fixed() {
		if f.p.Contains(a) {
			ways = append(ways, way{By{f.n.Addr, f.at}, f.p.Bits(), 0, f.n.Link.Target})
		}
	}
	for _, d := range r.destinations() {
		if d.to.Contains(a) {
			ways = append(ways, way{d.By, d.to.Bits(), d.metric, d.link})
		}
	}
	if len(ways) == 0 {
		return By{}, nil
	}
	best := slices.MinFunc(ways, func(a, b way) int { return cmp.Or(b.bits-a.bits, cmp.Compare(a.metric, b.metric)) })
	return best.By, best.link
}
