package nftables

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"github.com/nbr-dev/nbr/router"
)

// What passes between an upstream and the networks of the house whatever the policies say,
// and what never does.

// upstreams are the devices of the networks that lead to the world.
func upstreams(r *router.Router) []router.IfName {
	return router.Devices(r.Upstreams())
}

// otherULA matches a site's addresses but for those that the spec says an upstream has or
// leads to, and others that have a translation: "unless they are explicitly configured" (RFC 4193
// section 4.3).
func otherULA(r *router.Router, field string, more ...netip.Prefix) string {
	var known []string
	add := func(p netip.Prefix) {
		if router.UniqueLocal.Overlaps(p) && p.Bits() >= router.UniqueLocal.Bits() {
			known = append(known, p.Masked().String())
		}
	}
	for _, n := range r.Networks {
		if n.Upstream() {
			// What an upstream's advertisements bring is no word of the spec.
			if p, ok := n.FixedIn(router.IPv6); ok {
				add(p)
			}
		}
	}
	for _, rt := range r.Routes {
		if slices.ContainsFunc(r.NextHops(rt), (*router.Network).Upstream) {
			add(rt.To.V.Prefix)
		}
	}
	for _, p := range more {
		add(p)
	}
	match := fmt.Sprintf("ip6 %s %s", field, router.UniqueLocal)
	if len(known) > 0 {
		slices.Sort(known)
		match += fmt.Sprintf(" ip6 %s != { %s }", field, strings.Join(slices.Compact(known), ", "))
	}
	return match
}

// dropULA drops what comes from an upstream with another site's addresses (RFC 7084 section
// 4.3, RFC 4193 section 4.3).
func (c *chain) dropULA(f *Firewall, r *router.Router, fields ...string) {
	outsides := outsides(r)
	for _, field := range fields {
		if field == "saddr" {
			for _, from := range arriving(r, upstreams(r)) {
				c.add(blockLine(f), "%s %s counter drop", from, otherULA(r, field))
			}
			continue
		}
		for _, o := range outsides {
			for _, from := range arriving(r, o.devs) {
				c.add(blockLine(f), "%s %s counter drop", from, o.untranslated(otherULA(r, field)))
			}
		}
	}
}

// ula keeps a site's addresses in the site, both ways. A host that would send them to the
// world is told so, or it waits for an answer (RFC 4193 section 4.3).
func (c *chain) ula(f *Firewall, r *router.Router) {
	c.dropULA(f, r, "saddr", "daddr")
	for _, o := range outsides(r) {
		c.add(blockLine(f), "oifname %s %s counter reject with icmpv6 type policy-fail", set(o.devs), otherULA(r, "saddr", o.internal...))
	}
	if devs := upstreams(r); len(devs) > 0 {
		c.add(blockLine(f), "oifname %s %s counter reject with icmpv6 type no-route", set(devs), otherULA(r, "daddr"))
	}
}

// pinged are the devices between which pings pass by themselves: those of upstreams with
// IPv6, and those of the networks of zones that have addresses of the world.
func (f *Firewall) pinged(r *router.Router) (from, to []router.IfName) {
	if !f.PingHosts.V {
		return nil, nil
	}
	var up, down []*router.Network
	for _, z := range r.Zones {
		for _, n := range r.NetworksOf(z) {
			switch {
			case n.Upstream() && n.Has(router.IPv6):
				up = append(up, n)
			case translates(r, n): // behind its addresses are hosts of the Internet
			case slices.ContainsFunc(n.Addresses(), ofTheWorld), isTranslated(r, n):
				down = append(down, n)
			}
		}
	}
	if len(up) == 0 || len(down) == 0 {
		return nil, nil
	}
	return router.Devices(up), router.Devices(down)
}

// translates tells whether a network is on the link of a NAT64.
func translates(r *router.Router, n *router.Network) bool {
	return slices.ContainsFunc(router.Claimed[router.NAT64](r), func(t *router.NAT64) bool { return t.Link == n.Link.Target })
}

// ofTheWorld tells whether an address is one of IPv6 that can be reached from anywhere.
func ofTheWorld(a router.NetworkAddress) bool {
	switch how := a.How.(type) {
	case router.Fixed:
		return a.Family == router.IPv6 && !router.UniqueLocal.Contains(how.Addr())
	case router.ByAdvertisement, router.ByDHCPv6, router.Delegated:
		return true
	case router.ByDHCP, router.ByPPP:
	}
	return false
}

// limitPings stands before the rule for connections: all but the first of a series of pings
// belong to one.
func (c *chain) limitPings(f *Firewall, r *router.Router) {
	up, to := f.pinged(r)
	for _, from := range arriving(r, up) {
		c.add(pingHostsLine(f), "%s oifname %s icmpv6 type echo-request limit rate over %s counter drop", from, set(to), pingLimit)
	}
}

// pingHosts lets pings through to hosts, which in IPv6 are too far apart to be found by them
// (RFC 4890 section 4.3.1 and appendix A.5), unless a policy says otherwise.
func (c *chain) pingHosts(f *Firewall, r *router.Router) {
	up, to := f.pinged(r)
	for _, from := range arriving(r, up) {
		c.add(pingHostsLine(f), "%s oifname %s icmpv6 type echo-request counter accept", from, set(to))
	}
}

// pingHostsLine is where the spec switches them on, or the block if it does not.
func pingHostsLine(f *Firewall) router.By {
	if f.PingHosts.Set {
		return line(f.Addr, f.PingHosts.Range)
	}
	return blockLine(f)
}
