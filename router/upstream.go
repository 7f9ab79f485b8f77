package router

import (
	"cmp"
	"net/netip"
	"slices"

	"github.com/hashicorp/hcl/v2"

	"github.com/nbr-dev/nbr/hcl/conf"
	"github.com/nbr-dev/nbr/hcl/diag"
)

// A Reason is a line of the spec that makes a network an upstream.
type Reason struct {
	At  hcl.Range
	Why string // what the line does, after "an upstream, for "
}

// Upstream tells whether the network leads to the Internet: a router there gives this one
// its address, a default route goes there, a policy masquerades towards it, or another
// network on its link is one. Nothing of
// the router is served there unless a zone says so.
func (n *Network) Upstream() bool { return n.UpstreamBy() != nil }

// Upstreams are the networks that lead to the Internet.
func (r *Router) Upstreams() []*Network {
	return slices.DeleteFunc(slices.Clone(r.Networks), func(n *Network) bool { return !n.Upstream() })
}

// UpstreamBy is what makes the network an upstream, nil if it is none.
func (n *Network) UpstreamBy() *Reason { return cmp.Or(n.defaultRoute(), n.upstream) }

// defaultRoute is the line of the network itself by which a default route leads there, nil
// if there is none.
func (n *Network) defaultRoute() *Reason {
	for _, a := range n.Addresses() {
		switch a.How.(type) {
		case ByDHCP:
			return &Reason{a.From, "another router gives it its address by DHCP"}
		case ByPPP:
			return &Reason{a.From, "the provider gives it its address by PPP"}
		case ByAdvertisement:
			return &Reason{a.From, "another router gives it its address by router advertisements"}
		case ByDHCPv6:
			return &Reason{a.From, "another router gives it its address by DHCPv6"}
		case Fixed, Delegated:
		}
	}
	switch {
	case n.Gateway.Set:
		return &Reason{n.Gateway.Range, "the default gateway is there"}
	case n.Gateway6.Set:
		return &Reason{n.Gateway6.Range, "the default gateway is there"}
	}
	return nil
}

// OnUpstream adds to an error about a network that is an upstream the line that makes it
// one.
func OnUpstream(d *hcl.Diagnostic, n *Network) *hcl.Diagnostic {
	by := n.UpstreamBy()
	return diag.With(d, by.At, "%s is an upstream, for %s", n.Addr, by.Why)
}

// JudgeServed refuses, of the networks in which a program is to answer on the router's fixed
// addresses, those that are upstreams, each with the error that open makes of it, and those
// without such an address. why is a sentence about the block, as for [NoFixedAddress].
func JudgeServed(networks conf.Refs[*Network], why string, open func(conf.Ref[*Network]) *hcl.Diagnostic) hcl.Diagnostics {
	var diags hcl.Diagnostics
	for _, n := range networks.Items {
		fixed, _ := n.Target.Split()
		switch {
		case n.Target.Upstream():
			diags = append(diags, OnUpstream(open(n), n.Target))
		case len(fixed) == 0:
			diags = append(diags, NoFixedAddress(n, why))
		}
	}
	return diags
}

// MarkUpstreams finds the networks that lead to the Internet by what other blocks
// say of them. References are linked by then. Where a network or a route could not be
// read, it may be the way to the Internet.
func (r *Router) MarkUpstreams(unsound map[string]bool) {
	for _, rt := range r.Routes {
		if !rt.To.Set || rt.To.V.Bits() != 0 {
			continue
		}
		for _, n := range r.NextHops(rt) {
			if n.upstream == nil {
				n.upstream = &Reason{rt.To.Range, rt.Addr.String() + " is a default route to it"}
			}
		}
	}
	elsewhere := unsound["network"] || unsound["route"] || slices.ContainsFunc(r.Networks, (*Network).Upstream)
	for _, p := range r.Policies {
		at, nat := p.NAT()
		if !nat {
			continue
		}
		for _, e := range p.To.All() {
			z, ok := e.(*Zone)
			if !ok {
				continue // NAT towards one host
			}
			for _, n := range z.Networks.All() {
				if n.upstream == nil && !(elsewhere && n.private()) {
					n.upstream = &Reason{at, p.Addr.String() + " masquerades towards it"}
				}
			}
		}
	}
	r.shareUpstreams()
}

// shareUpstreams makes upstreams of the other networks on the link of one: hosts there
// are behind the same interface, and so the same to the firewall, and hears the same
// advertisements and answers of DHCP.
func (r *Router) shareUpstreams() {
	first := map[Link]*Network{}
	for _, n := range r.Networks {
		if l := n.Link.Target; l != nil && first[l] == nil && n.Upstream() {
			first[l] = n
		}
	}
	for _, n := range r.Networks {
		if up := first[n.Link.Target]; up != nil && !n.Upstream() {
			n.upstream = &Reason{up.Link.Range, up.Addr.String() + " is on the same link and leads to the Internet"}
		}
	}
}

// private tells whether all of the router's addresses in the network are for private use
// (RFC 1918, RFC 4193) and fixed. Where the Internet is elsewhere, NAT towards such a
// network hides one of the house's networks from another.
func (n *Network) private() bool {
	fixed, later := n.Split()
	return len(fixed) > 0 && len(later) == 0 && !slices.ContainsFunc(fixed, func(p netip.Prefix) bool { return !p.Addr().IsPrivate() })
}
