package router

import (
	"net/netip"
	"slices"

	"github.com/hashicorp/hcl/v2"

	"github.com/nbr-dev/nbr/hcl/conf"
	"github.com/nbr-dev/nbr/hcl/diag"
)

// A PrefixNAT gives the addresses of an IPv6 prefix others outside, both ways: the first bits are
// another prefix's, the rest stays (NPTv6, RFC 6296).
type PrefixNAT struct {
	conf.Header
	Name     conf.Value[Name]   `hcl:"name,label"`
	Network  conf.Ref[*Network] `hcl:"network,required" doc:"The network of the upstream towards which it is so. With several uplinks each has a block of its own."`
	Internal conf.Value[Block]  `hcl:"internal,required" doc:"The prefix inside: unique local addresses (RFC 4193) of one or more of the router's networks."`
	External conf.Value[Block]  `hcl:"external,required" doc:"The prefix that it is outside, as long as the internal one: public, routed to the router by this upstream's provider, and in no network of the router."`
}

const prefixNATExample = `prefix_nat "wan" {
  network  = network.wan
  internal = "fd12:3456:789a::/56"
  external = "2001:db8:55:aa00::/56" # that the provider routes to the router
}

vlan "things" {
  link = bridge.br-lan
  id   = 30
}

network "things" {
  link = vlan.things
  ipv6 = "fd12:3456:789a:3::1/64"
}

zone "things" {
  networks = [network.things]
}
`

// UniqueLocal are the addresses that have a meaning within a site only (RFC 4193 section 3.1).
var UniqueLocal = netip.MustParsePrefix("fc00::/7")

// within tells whether all of a block is in another.
func within(p, block netip.Prefix) bool {
	return p.Bits() >= block.Bits() && block.Contains(p.Addr())
}

// What prefixes are usual.
const (
	usualInside  = "Write the prefix of networks with unique local addresses, as in \"fd12:3456:789a::/56\"."
	usualOutside = "Write the prefix that the provider routes to the router."
)

// rulePrefixNAT judges both prefixes, by themselves, beside the router's networks and beside those of
// other blocks.
func rulePrefixNAT(r *Router) hcl.Diagnostics {
	var diags hcl.Diagnostics
	const code = "prefix-nat"
	for i, p := range r.PrefixNATs {
		in, out := p.Internal.V.Prefix, p.External.V.Prefix
		if !p.Network.Target.Upstream() {
			diags = append(diags, diag.With(diag.Help(diag.Error(code, p.Network.Range, "No upstream",
				"%s leads to no other networks than the router's own.", p.Network.Addr),
				"Name the network of an upstream."), p.Network.Target.Def, "%s", p.Network.Addr.String()))
		}
		good := true
		wrong := func(v conf.Value[Block], summary, help, detail string, args ...any) {
			good = false
			diags = append(diags, diag.Help(diag.Error(code, v.Range, summary, detail, args...), "%s", help))
		}
		switch {
		case !in.Addr().Is6():
			wrong(p.Internal, "No IPv6 prefix", usualInside, "%s is of IPv4, which has masquerade and static_nat.", in)
		case !within(in, UniqueLocal):
			wrong(p.Internal, "No unique local prefix", usualInside, "%s is not in %s (RFC 4193), and other addresses need no others outside.", in, UniqueLocal)
		}
		switch a := out.Addr(); {
		case !a.Is6():
			wrong(p.External, "No IPv6 prefix", usualOutside, "%s is of IPv4, which has masquerade and static_nat.", out)
		case !a.IsGlobalUnicast() || UniqueLocal.Overlaps(out):
			wrong(p.External, "No public prefix", usualOutside, "%s means nothing outside: no provider routes it.", out)
		}
		if good && in.Bits() != out.Bits() {
			diags = append(diags, diag.With(diag.Help(diag.Error(code, p.External.Range, "Prefixes of two lengths",
				"%s has %d bits and %s has %d: only where both have as many is each address inside one outside (RFC 6296 section 3.1).", out, out.Bits(), in, in.Bits()),
				"Write a prefix of %d bits inside, or one of %d bits outside.", out.Bits(), in.Bits()), p.Internal.Range, "the prefix inside"))
		}
		for _, n := range r.Networks {
			fixed, _ := n.Split()
			for _, f := range fixed {
				if out.Overlaps(f) {
					diags = append(diags, diag.With(diag.Help(diag.Error(code, p.External.Range, "Prefix of one of the router's networks",
						"%s is in %s, whose addresses are not translated.", f.Masked(), n.Addr),
						"Write a prefix that the provider routes to the router beside those."), n.Def, "%s", n.Addr.String()))
				}
			}
		}
		if good && !r.Unsound["network"] && !r.Unsound["route"] && !r.within(in) {
			diags = append(diags, diag.Help(diag.Error(code, p.Internal.Range, "Prefix of no network",
				"No network of the router is in %s, and no route leads there.", in),
				"Write the prefix of one of its networks, or give one an address there."))
		}
		before := r.PrefixNATs[:i]
		if j := slices.IndexFunc(before, func(o *PrefixNAT) bool { return o.External.V.Overlaps(out) }); j >= 0 {
			o := before[j]
			diags = append(diags, diag.Help(clash(code, "Prefix outside of two", By{o.Addr, o.External.Range}, By{p.Addr, p.External.Range},
				"%s has %s already, and a packet that arrives for it has one way.", o.Addr, o.External.V), "Give one of the two another prefix."))
		}
		if j := slices.IndexFunc(before, func(o *PrefixNAT) bool {
			return o.Network.Target.Link.Target == p.Network.Target.Link.Target && o.Internal.V.Overlaps(in)
		}); j >= 0 {
			o := before[j]
			diags = append(diags, diag.Help(clash(code, "Two prefixes outside", By{o.Addr, o.Internal.Range}, By{p.Addr, p.Internal.Range},
				"%s gives %s a prefix towards %s already, and a packet that leaves has one source.", o.Addr, o.Internal.V, p.Network.Addr), "Remove one of the two."))
		}
	}
	return diags
}

// within tells whether a network of the router, or a route, is in a prefix.
func (r *Router) within(block netip.Prefix) bool {
	return slices.ContainsFunc(r.Networks, func(n *Network) bool {
		fixed, _ := n.Split()
		return slices.ContainsFunc(fixed, func(p netip.Prefix) bool { return within(p.Masked(), block) })
	}) || slices.ContainsFunc(r.Routes, func(rt *Route) bool { return rt.To.V.Addr().Is6() && within(rt.To.V.Prefix, block) })
}
