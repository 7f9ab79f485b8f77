package nat64

import (
	"github.com/hashicorp/hcl/v2"

	"github.com/nbr-dev/nbr/hcl/diag"
	"github.com/nbr-dev/nbr/router"
)

// Judge judges the network on the link, and the prefix among the router's other addresses. The
// core's rules judge where packets may come from and go to.
func (n *NAT64) Judge(r *router.Router) hcl.Diagnostics {
	diags := n.judgeTwice(r)
	diags = append(diags, n.judgeNetwork(r)...)
	return append(diags, n.judgeOverlap(r)...)
}

// judgeTwice refuses a second translator: hosts are told of one prefix, and there is one unit.
func (n *NAT64) judgeTwice(r *router.Router) hcl.Diagnostics {
	first := router.Claimed[router.NAT64](r)[0]
	if first.Link == router.Link(n) {
		return nil
	}
	return hcl.Diagnostics{diag.With(diag.Help(diag.Error("nat64-twice", n.Def, "Two translators",
		"%s translates already, and hosts would not know by which of the two prefixes to reach what.", first.Addr),
		"Remove one of the two."), first.Link.Head().Def, "%s", first.Addr.String())}
}

// example is a network for the link.
const example = "ipv4 = \"192.168.255.1/24\" and ipv6 = \"fd5c:8a1e:7b40:64::1/64\""

// judgeNetwork wants one network on the link that has addresses for Tayga.
func (n *NAT64) judgeNetwork(r *router.Router) hcl.Diagnostics {
	const code = "nat64-network"
	on := r.On(n)
	switch {
	case len(on) == 0:
		return hcl.Diagnostics{diag.Absent(diag.Help(diag.Error(code, n.Def, "Translator without a network",
			"Tayga has addresses of its own, and translates hosts to IPv4 addresses of a network on %s.", n.Addr),
			"Write a network with link = %s, "+example+", and put it into a zone of its own.", n.Addr), "network")}
	case len(on) > 1:
		return hcl.Diagnostics{diag.With(diag.Help(diag.Error(code, on[1].Link.Range, "Translator with two networks",
			"Hosts are translated to IPv4 addresses of one network, and %s has %s and %s.", n.Addr, on[0].Addr, on[1].Addr),
			"Keep one of the two, with ipv4 and ipv6."), on[0].Link.Range, "%s", on[0].Addr.String())}
	}
	var diags hcl.Diagnostics
	network := on[0]
	lacks := func(at hcl.Range, summary, format string, args ...any) {
		diags = append(diags, diag.With(diag.Help(diag.Error(code, at, summary, format, args...),
			"Write "+example+", or other addresses that no network has."), n.Def, "%s", n.Addr.String()))
	}
	for _, f := range []struct {
		of   router.Family
		why  string
		most int
		at   hcl.Range
	}{
		{router.IPv4, "hosts are translated to addresses of it", mostBits4, network.IPv4.Range},
		{router.IPv6, "Tayga has addresses of it", mostBits6, network.IPv6.Range},
	} {
		switch p, ok := network.FixedIn(f.of); {
		case !ok && network.Has(f.of):
			lacks(f.at, "Translator without a fixed address", "%s is to have a fixed %s address: %s.", network.Addr, f.of, f.why)
		case !ok:
			lacks(network.Def, "Translator without an address", "%s has no %s address: %s.", network.Addr, f.of, f.why)
		case p.Bits() > f.most:
			lacks(f.at, "Network too small to translate to", "%s has fewer addresses than a /%d, and %s.", p.Masked(), f.most, f.why)
		}
	}
	return diags
}

// judgeOverlap refuses a prefix that networks and routes take a part of.
func (n *NAT64) judgeOverlap(r *router.Router) hcl.Diagnostics {
	var diags hcl.Diagnostics
	prefix := n.Prefix.V.Prefix
	clash := func(by router.By, what string) {
		diags = append(diags, diag.With(diag.Help(diag.Error("nat64-overlap", n.at(), "Prefix of something else",
			"Addresses of %s are to be translated, and %s has %s.", prefix, by.Addr, what),
			"Give %s a prefix of which this router has nothing else.", n.Addr), by.From, "%s", by.Addr.String()))
	}
	for _, network := range r.Networks { // a prefix in a network is a route that takes hosts of it away
		if p, ok := network.FixedIn(router.IPv6); ok && p.Bits() > prefix.Bits() && p.Overlaps(prefix) {
			clash(router.By{Addr: network.Addr, From: network.IPv6.Range}, p.Masked().String())
		}
	}
	for _, rt := range r.Routes {
		if p := rt.To.V.Prefix; p.Bits() > prefix.Bits() && p.Overlaps(prefix) { // of equal ones it has been said
			clash(router.By{Addr: rt.Addr, From: rt.To.Range}, p.String())
		}
	}
	for _, d := range router.Claimed[router.DeviceRoute](r) {
		if d.Link != router.Link(n) && d.To.Bits() > prefix.Bits() && d.To.Overlaps(prefix) {
			clash(d.By, d.To.String())
		}
	}
	return diags
}
