package nftables

import (
	"net/netip"
	"slices"

	"github.com/nbr-dev/nbr/router"
)

// Prefixes that are others outside (NPTv6, RFC 6296). Netfilter replaces the prefix, keeps the other
// bits as they are and corrects checksums. It does so by connection, not packet by packet as the RFC
// has it, and so keeps the checksum of no packet by another interface identifier.

// prefixesIn leads what arrives for a prefix outside to the one inside, from wherever it comes: for
// hosts inside, too, the addresses are those hosts'.
func prefixesIn(c *chain, r *router.Router) {
	for _, p := range r.PrefixNATs {
		c.add(blockLine(p), "ip6 daddr %s counter dnat ip6 prefix to %s", p.External.V, p.Internal.V)
	}
}

// prefixesOut gives what leaves by an upstream the prefix that it has there. A host that calls one
// inside by its address outside is seen with the same prefix, so that the answer comes back by
// the router (RFC 6296 section 4.2).
func prefixesOut(c *chain, r *router.Router) {
	for _, p := range r.PrefixNATs {
		c.add(blockLine(p), "ip6 saddr %s ip6 daddr %s ct original ip6 daddr %s counter snat ip6 prefix to %[3]s", p.Internal.V, p.Internal.V, p.External.V)
		c.add(blockLine(p), "oifname %q ip6 saddr %s counter snat ip6 prefix to %s", string(p.Network.Target.Device()), p.Internal.V, p.External.V)
	}
}

// An outside is a group of upstreams' devices towards which the same prefixes have others.
type outside struct {
	devs     []router.IfName
	internal []netip.Prefix
}

// outsides are all upstreams: those without a translation, if any, then each that has one.
func outsides(r *router.Router) []outside {
	var plain outside
	var out []outside
	for _, dev := range upstreams(r) {
		o := outside{devs: []router.IfName{dev}}
		for _, p := range r.PrefixNATs {
			if p.Network.Target.Device() == dev {
				o.internal = append(o.internal, p.Internal.V.Prefix)
			}
		}
		if o.internal == nil {
			plain.devs = append(plain.devs, dev)
		} else {
			out = append(out, o)
		}
	}
	if len(plain.devs) > 0 {
		out = slices.Insert(out, 0, plain)
	}
	return out
}

// untranslated adds to a match of packets from an upstream to unique local addresses that they are
// no connection's whose prefix was replaced.
func (o outside) untranslated(match string) string {
	if o.internal == nil {
		return match
	}
	return match + " ct status ! snat,dnat"
}

// isTranslated tells whether hosts of a network have addresses of a prefix outside.
func isTranslated(r *router.Router, n *router.Network) bool {
	fixed, _ := n.Split()
	return slices.ContainsFunc(r.PrefixNATs, func(p *router.PrefixNAT) bool {
		return slices.ContainsFunc(fixed, func(f netip.Prefix) bool { return p.Internal.V.Overlaps(f) })
	})
}
