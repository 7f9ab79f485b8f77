package router

import (
	"cmp"

	"github.com/hashicorp/hcl/v2"

	"github.com/nbr-dev/nbr/hcl/diag"
)

// isPPP tells whether a link is a PPP session, whose addresses its other end says.
func isPPP(l Link) bool { return l.Spec().Kind == "ppp" }

// rulePPP finds networks with addresses that a PPP session cannot give them or that are asked for
// where there is none, and sessions that no network is on.
func rulePPP(r *Router) hcl.Diagnostics {
	var diags hcl.Diagnostics
	used := map[Link]bool{}
	for _, n := range r.Networks {
		l := n.Link.Target
		used[l] = true
		foreign := func(at hcl.Range, why, help string) {
			diags = append(diags, diag.With(diag.Help(diag.Error("ppp-address", at, "Address that is not of a PPP session",
				"%s is on %s, a PPP session: %s.", n.Addr, n.Link.Addr, why), "%s", help), l.Head().Def, "%s", n.Link.Addr.String()))
		}
		if !isPPP(l) {
			if n.ByPPP() {
				diags = append(diags, diag.With(diag.Help(diag.Error("ppp-address", n.IPv4.Range, "Address of a PPP session without one",
					"%s is on %s, which is no PPP session.", n.Addr, n.Link.Addr),
					"Write a pppoe block and put the network on it, as in link = pppoe.ppp0, or write ipv4 = \"dhcp\" here."), n.Link.Range, "the link"))
			}
			continue
		}
		if n.IPv4.Set && !n.ByPPP() {
			foreign(n.IPv4.Range, "its other end says the router's IPv4 address, also one that is always the same", "Write ipv4 = \"ppp\", or remove ipv4.")
		}
		if n.IPv6.Set && !n.TakesAdvertisements() {
			foreign(n.IPv6.Range, "what IPv6 addresses there are the provider says", "Write ipv6 = \"auto\", or remove ipv6.")
		}
		if n.Prefix.Set {
			foreign(n.Prefix.Range, "delegated prefixes are for the networks behind the router", "Remove prefix here, and write it into those.")
		}
		if n.Gateway6.V.IsLinkLocalUnicast() { // any other one is told to be outside
			foreign(n.Gateway6.Range, "the default route comes with the provider's advertisements", "Write ipv6 = \"auto\" in place of gateway6.")
		}
	}
	for _, rt := range r.Routes {
		for _, h := range rt.Hops() {
			n := r.NetworkOf(h)
			if n == nil || !isPPP(n.Link.Target) {
				continue
			}
			diags = append(diags, diag.With(diag.Help(diag.Error("ppp-address", cmp.Or(h.Network.Range, h.Via.Range), "Route through a PPP session",
				"%s is on %s, a PPP session, which is not there when routes are set. What no other route is for leaves by it anyway.", n.Addr, n.Link.Addr),
				"Remove %s.", rt.Addr), n.Link.Target.Head().Def, "%s", n.Link.Addr.String()))
		}
	}
	for _, l := range r.Made {
		if isPPP(l) && !used[l] {
			diags = append(diags, diag.Absent(diag.Help(diag.Error("ppp-address", l.Head().Def, "PPP session without a network",
				"No network is on %s, so it would ask for no address and end at once.", l.Head().Addr),
				"Write a network with link = %s and ipv4 = \"ppp\", or remove it.", l.Head().Addr), "network"))
		}
	}
	return diags
}
