package kea

import (
	"fmt"
	"net/netip"
	"slices"

	"github.com/hashicorp/hcl/v2"

	"github.com/nbr-dev/nbr/hcl/conf"
	"github.com/nbr-dev/nbr/hcl/diag"
	"github.com/nbr-dev/nbr/router"
)

// Relay is another router, whose hosts the server leases addresses: it hands over what they ask
// (RFC 1542 section 4, RFC 2131 section 4.3).
type Relay struct {
	conf.Header
	Address conf.Value[FarAddress] `hcl:"address,required" doc:"The relay's address in the network of the hosts, with its prefix length, as in 10.20.0.1/24: it writes the address into each message (giaddr), or into its link selection (RFC 3527). Hosts are told that it is their gateway."`
	From    conf.List[router.Addr] `hcl:"from,optional" empty:"that is as if it were not there. Name one, or remove it." doc:"Addresses from which the relay sends, beside that one."`
}

// A FarAddress is the IPv4 address of another router in a network of its own, with its prefix
// length.
type FarAddress struct{ netip.Prefix }

// UnmarshalText wants the address of a host.
func (a *FarAddress) UnmarshalText(b []byte) error {
	p, err := netip.ParsePrefix(string(b))
	if err != nil || !p.Addr().Is4() || p.Bits() > 30 {
		return diag.Advise(fmt.Errorf("%q is no IPv4 address with the prefix length of a network of hosts", b), "write it as in 10.20.0.1/24")
	}
	if p.Addr() == p.Masked().Addr() || p.Addr() == router.Broadcast(p) {
		return diag.Advise(fmt.Errorf("%s is no address of a host in %s", p.Addr(), p.Masked()), "write the relay's, as in %s", netip.PrefixFrom(p.Masked().Addr().Next(), p.Bits()))
	}
	a.Prefix = p
	return nil
}

// Describe is what the type is in the schema.
func (FarAddress) Describe() string { return "IPv4 address of another router, with prefix length" }

// claimRelay claims the way of a relay's messages to the server, and of renewals, which hosts send
// themselves (RFC 2131 section 4.4.5).
func (d *DHCP4) claimRelay(s *router.Scope) {
	sources := []netip.Prefix{d.prefix().Masked()}
	for _, a := range d.Relay.From.All() {
		if a.Is4() {
			sources = append(sources, netip.PrefixFrom(a.Addr, 32))
		}
	}
	router.Claim(s, d.Relay.Address.Range, router.Accept{Networks: []*router.Network{d.Network.Target}, Match: router.Match{
		Family: router.IPv4, Protocol: router.UDP, Ports: router.OnePort(portDHCPServer), Sources: sources,
	}})
	s.AfterLinks(d.Relay.Address.Range, "kea-dhcp4-server")
	router.Claim(s, d.Relay.Address.Range, router.Behind{Network: d.Network.Target, Prefix: d.prefix().Masked()})
}

// judgeRelay judges where the network behind the relay is.
func (d *DHCP4) judgeRelay(r *router.Router) hcl.Diagnostics {
	if d.Relay == nil {
		return nil
	}
	var diags hcl.Diagnostics
	n, p, at := d.Network.Target, d.prefix().Masked(), d.Relay.Address.Range
	clash := func(other router.By, q netip.Prefix) {
		if q.Overlaps(p) {
			diags = append(diags, diag.With(diag.Help(diag.Error("relay-clash", at, "Network behind a relay is elsewhere",
				"%s would be behind %s, and %s has %s.", p, n.Addr, other.Addr, q),
				"Write a network that is nowhere else."), other.From, "%s", other.Addr.String()))
		}
	}
	for _, o := range r.Networks {
		if q, ok := o.FixedIn(router.IPv4); ok {
			clash(router.By{Addr: o.Addr, From: o.IPv4.Range}, q.Masked())
		}
	}
	for _, o := range router.Claimed[router.Behind](r) {
		if o.Addr == d.Addr {
			break // the later one of two clashes
		}
		clash(o.By, o.Prefix)
	}
	for _, a := range d.Relay.From.Items {
		if !a.V.Is4() {
			diags = append(diags, diag.Help(diag.Error("bad-value", a.Range, "Not an IPv4 address", "No message of DHCPv4 comes from %s.", a.V),
				"Write an IPv4 address."))
		}
	}
	if len(diags) == 0 && !d.routed(r) {
		diags = append(diags, diag.With(diag.Absent(diag.Help(diag.Warning("relay-without-route", at, "No route to the network behind a relay",
			"Hosts of %s get addresses, and no answer to anything else: no route leads there through %s.", p, n.Addr),
			"Write a route block with to = %q and via = the relay's address in %s.", p, n.Addr), "route"), n.Def, "%s", n.Addr.String()))
	}
	return diags
}

// routed tells whether the router has a route to the network behind the relay, or may have one that
// is not in the spec.
func (d *DHCP4) routed(r *router.Router) bool {
	p := d.prefix().Masked()
	said := slices.ContainsFunc(r.Routes, func(rt *router.Route) bool {
		return rt.To.V.Overlaps(p) && rt.To.V.Bits() <= p.Bits() && rt.Type.V == router.Unicast && !rt.Table.Set && slices.Contains(r.NextHops(rt), d.Network.Target)
	})
	learned := slices.ContainsFunc(router.Claimed[router.OwnRoutes](r), func(o *router.OwnRoutes) bool { return len(o.On) == 0 && !o.Nowhere })
	return said || learned || d.Network.Target.Upstream() || r.HasModules() || len(router.Claimed[router.AddedRoutes](r)) > 0
}

// place is where the spec says which network is served, and who says it.
func (d *DHCP4) place() (hcl.Range, string) {
	if d.Relay != nil {
		return d.Relay.Address.Range, d.Addr.String()
	}
	return d.Network.Target.IPv4.Range, d.Network.Addr.String()
}

// hosts are those of the spec that are in the network which is served.
func (d *DHCP4) hosts(r *router.Router) []*router.Host {
	if d.Relay != nil {
		return nil // they are in networks of this router
	}
	return r.HostsIn(d.Network.Target)
}
