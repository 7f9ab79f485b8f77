package router

import (
	"fmt"
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
	External conf.Value[Block]  `hcl:"external,optional" doc:"The prefix that it is outside, as long as the internal one: public, routed to the router by this upstream's provider, and in no network of the router."`
	Prefix   conf.Ref[*Prefix]  `hcl:"prefix,optional" doc:"In place of external: the prefix outside is a network of 64 bits of this one, which the upstream delegates. Without a lease nothing with an address inside leaves."`
	Subnet   conf.Value[Subnet] `hcl:"subnet,optional" doc:"With prefix: the number of that network, from 0. No network of the router has it."`
}

// Outside is the network of a prefix that an upstream delegates in which the addresses are outside;
// false if it is fixed.
func (p *PrefixNAT) Outside() (Delegated, bool) {
	return Delegated{Prefix: p.Prefix, Subnet: p.Subnet.V}, p.Prefix.Set
}

// ExternalText is the prefix outside in words.
func (p *PrefixNAT) ExternalText() string {
	if d, ok := p.Outside(); ok {
		return fmt.Sprintf("network %d of %s", d.Subnet, d.Prefix.Addr)
	}
	return p.External.V.String()
}

// SetName is the beginning of the names of what the firewall knows of the translation. Those of
// address sets and schedules end in other words.
func (p *PrefixNAT) SetName() string { return "prefix_nat_" + dotted(p.Addr) }

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

// codePrefixNAT is of what is wrong with a prefix_nat.
const codePrefixNAT = "prefix-nat"

// rulePrefixNAT judges both prefixes, by themselves, beside the router's networks and beside those of
// other blocks.
func rulePrefixNAT(r *Router) hcl.Diagnostics {
	var diags hcl.Diagnostics
	for i, p := range r.PrefixNATs {
		if !p.Network.Target.Upstream() {
			diags = append(diags, diag.With(diag.Help(diag.Error(codePrefixNAT, p.Network.Range, "No upstream",
				"%s leads to no other networks than the router's own.", p.Network.Addr),
				"Name the network of an upstream."), p.Network.Target.Def, "%s", p.Network.Addr.String()))
		}
		in, before := p.Internal.V.Prefix, r.PrefixNATs[:i]
		inside := p.judgeInternal(r)
		diags = append(diags, inside...)
		switch {
		case p.External.Set && p.Prefix.Set:
			diags = append(diags, diag.With(diag.Help(diag.Error(codePrefixNAT, p.Prefix.Range, "Two prefixes outside",
				"%s has a fixed prefix outside beside this one, and a packet that leaves has one source.", p.Addr),
				"Remove external, or prefix with subnet."), p.External.Range, "the fixed prefix"))
		case p.Prefix.Set:
			diags = append(diags, p.judgeDelegated(r, before, len(inside) == 0)...)
		case p.External.Set:
			diags = append(diags, p.judgeExternal(r, before, len(inside) == 0)...)
		default:
			diags = append(diags, diag.Help(diag.Error(codePrefixNAT, p.Def, "No prefix outside",
				"%s does not say which prefix %s is outside.", p.Addr, in),
				"Write external with the prefix that the provider routes to the router, or prefix and subnet where one is delegated."))
		}
		if p.Subnet.Set && !p.Prefix.Set {
			diags = append(diags, diag.Help(diag.Error(codePrefixNAT, p.Subnet.Range, "subnet without a prefix",
				"%s does not say which prefix it is a network of.", p.Addr),
				"Write prefix = prefix.NAME, or remove subnet."))
		}
		if j := slices.IndexFunc(before, func(o *PrefixNAT) bool {
			return o.Network.Target.Link.Target == p.Network.Target.Link.Target && o.Internal.V.Overlaps(in)
		}); j >= 0 {
			o := before[j]
			diags = append(diags, diag.Help(clash(codePrefixNAT, "Two prefixes outside", By{o.Addr, o.Internal.Range}, By{p.Addr, p.Internal.Range},
				"%s gives %s a prefix towards %s already, and a packet that leaves has one source.", o.Addr, o.Internal.V, p.Network.Addr), "Remove one of the two."))
		}
	}
	return diags
}

// judgeInternal wants unique local addresses of the router's networks.
func (p *PrefixNAT) judgeInternal(r *Router) hcl.Diagnostics {
	in := p.Internal.V.Prefix
	switch {
	case !in.Addr().Is6():
		return hcl.Diagnostics{noIPv6Prefix(p.Internal, usualInside)}
	case !within(in, UniqueLocal):
		return hcl.Diagnostics{diag.Help(diag.Error(codePrefixNAT, p.Internal.Range, "No unique local prefix",
			"%s is not in %s (RFC 4193), and other addresses need no others outside.", in, UniqueLocal), "%s", usualInside)}
	case !r.within(in):
		return hcl.Diagnostics{diag.Absent(diag.Help(diag.Error(codePrefixNAT, p.Internal.Range, "Prefix of no network",
			"No network of the router is in %s, and no route leads there.", in),
			"Write the prefix of one of its networks, or give one an address there."), "network", "route")}
	}
	return nil
}

func noIPv6Prefix(v conf.Value[Block], help string) *hcl.Diagnostic {
	return diag.Help(diag.Error(codePrefixNAT, v.Range, "No IPv6 prefix",
		"%s is of IPv4, which has masquerade and static_nat.", v.V), "%s", help)
}

// judgeExternal judges a fixed prefix outside; sound tells that the one inside is good.
func (p *PrefixNAT) judgeExternal(r *Router, before []*PrefixNAT, sound bool) hcl.Diagnostics {
	var diags hcl.Diagnostics
	in, out := p.Internal.V.Prefix, p.External.V.Prefix
	switch a := out.Addr(); {
	case !a.Is6():
		diags = append(diags, noIPv6Prefix(p.External, usualOutside))
	case !a.IsGlobalUnicast() || UniqueLocal.Overlaps(out):
		diags = append(diags, diag.Help(diag.Error(codePrefixNAT, p.External.Range, "No public prefix",
			"%s means nothing outside: no provider routes it.", out), "%s", usualOutside))
	case sound && in.Bits() != out.Bits():
		diags = append(diags, diag.With(diag.Help(diag.Error(codePrefixNAT, p.External.Range, "Prefixes of two lengths",
			"%s has %d bits and %s has %d: only where both have as many is each address inside one outside (RFC 6296 section 3.1).", out, out.Bits(), in, in.Bits()),
			"Write a prefix of %d bits inside, or one of %d bits outside.", out.Bits(), in.Bits()), p.Internal.Range, "the prefix inside"))
	}
	for _, n := range r.Networks {
		fixed, _ := n.Split()
		for _, f := range fixed {
			if out.Overlaps(f) {
				diags = append(diags, diag.With(diag.Help(diag.Error(codePrefixNAT, p.External.Range, "Prefix of one of the router's networks",
					"%s is in %s, whose addresses are not translated.", f.Masked(), n.Addr),
					"Write a prefix that the provider routes to the router beside those."), n.Def, "%s", n.Addr.String()))
			}
		}
	}
	if j := slices.IndexFunc(before, func(o *PrefixNAT) bool { return o.External.Set && o.External.V.Overlaps(out) }); j >= 0 {
		o := before[j]
		diags = append(diags, diag.Help(clash(codePrefixNAT, "Prefix outside of two", By{o.Addr, o.External.Range}, By{p.Addr, p.External.Range},
			"%s has %s already, and a packet that arrives for it has one way.", o.Addr, o.External.V), "Give one of the two another prefix."))
	}
	return diags
}

// judgeDelegated judges a network of a delegated prefix as the one outside; sound tells that the
// one inside is good.
func (p *PrefixNAT) judgeDelegated(r *Router, before []*PrefixNAT, sound bool) hcl.Diagnostics {
	var diags hcl.Diagnostics
	of := p.Prefix.Target
	if of.Network.Target.Link.Target != p.Network.Target.Link.Target {
		diags = append(diags, diag.With(diag.Help(diag.Error(codePrefixNAT, p.Prefix.Range, "Prefix of another upstream",
			"%s delegates %s, and the provider behind %s drops packets from there (RFC 2827).", of.Network.Addr, of.Addr, p.Network.Addr),
			"Name a prefix that %s delegates, or write network = %s.", p.Network.Addr, of.Network.Addr), of.Network.Range, "%s", of.Addr.String()))
	}
	if in := p.Internal.V.Prefix; sound && in.Bits() != 64 {
		diags = append(diags, diag.With(diag.Help(diag.Error(codePrefixNAT, p.Internal.Range, "Prefixes of two lengths",
			"%s has %d bits, and a network of %s has 64: only where both have as many is each address inside one outside (RFC 6296 section 3.1).", in, in.Bits(), of.Addr),
			"Write a prefix of 64 bits; each further one has a prefix_nat of its own."), p.Prefix.Range, "the prefix outside"))
	}
	if !p.Subnet.Set {
		return append(diags, diag.Help(diag.Error(codePrefixNAT, p.Prefix.Range, "Which network of the prefix?",
			"%s has %d networks.", of.Addr, of.Subnets()),
			"Say which one is outside: subnet = 0, or another number."))
	}
	if uint64(p.Subnet.V) >= of.Subnets() {
		return append(diags, diag.With(diag.Help(diag.Error(codePrefixNAT, p.Subnet.Range, "Network outside its prefix",
			"%s is a /%d, which has the networks 0 to %d.", of.Addr, of.Length.V, of.Subnets()-1),
			"Write a number from 0 to %d, or ask the provider for a shorter prefix.", of.Subnets()-1), of.Length.Range, "%s", of.Addr.String()))
	}
	for _, n := range r.DelegatedOf(of) {
		if n.Subnet.Set && n.Subnet.V == p.Subnet.V {
			diags = append(diags, diag.With(diag.Help(diag.Error(codePrefixNAT, p.Subnet.Range, "Prefix of one of the router's networks",
				"Network %d of %s is %s, whose addresses are not translated.", p.Subnet.V, of.Addr, n.Addr),
				"Give one of the two another number."), n.Subnet.Range, "%s", n.Addr.String()))
		}
	}
	if j := slices.IndexFunc(before, func(o *PrefixNAT) bool {
		return o.Prefix.Target == of && o.Subnet.Set && o.Subnet.V == p.Subnet.V
	}); j >= 0 {
		o := before[j]
		diags = append(diags, diag.Help(clash(codePrefixNAT, "Prefix outside of two", By{o.Addr, o.Subnet.Range}, By{p.Addr, p.Subnet.Range},
			"%s has network %d of %s already, and a packet that arrives for it has one way.", o.Addr, p.Subnet.V, of.Addr), "Give one of the two another number."))
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
