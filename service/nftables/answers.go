package nftables

import (
	"net/netip"
	"slices"

	"github.com/hashicorp/hcl/v2"

	"github.com/nbr-dev/nbr/hcl/diag"
	"github.com/nbr-dev/nbr/router"
)

// judgeAnswers finds networks that a table's default route leads into with the router's own address
// as the source, from which no packet would come back: anti_spoof asks the rules where the answers
// would go (nft_fib4_eval in net/ipv4/netfilter/nft_fib_ipv4.c), and they are for that address, not
// for the host that the rule is about.
func (f *Firewall) judgeAnswers(r *router.Router) hcl.Diagnostics {
	var diags hcl.Diagnostics
	said := map[*router.Network]bool{}
	for _, rt := range r.Routes {
		if !rt.Table.Set || rt.To.V.Bits() > 0 {
			continue
		}
		for _, n := range r.NextHops(rt) {
			own, ok := n.FixedIn(family(rt.To.V.Addr()))
			if !ok || said[n] || masqueradesTo(r, n) == nil || defaultInto(r, n, rt.To.V.Addr().Is4()) || answered(r, own.Addr(), rt.Table.V) {
				continue
			}
			said[n] = true
			p := masqueradesTo(r, n)
			at, _ := p.NAT()
			diags = append(diags, diag.With(diag.Help(diag.Absent(diag.Warning("answers-dropped", rt.Def, "Answers that the firewall drops",
				"What %s leads into %s leaves with the router's address there, and no rule leads packets from %s the same way: anti_spoof drops the answers.", rt.Addr, n.Addr, own.Addr()), "rule", "route", "network"),
				"Write a rule with network = %s and table = %d.", n.Addr, rt.Table.V), at, "%s", p.Addr.String()))
		}
	}
	return diags
}

func family(a netip.Addr) router.Family {
	if a.Is4() {
		return router.IPv4
	}
	return router.IPv6
}

// masqueradesTo is a policy that gives packets into a network the router's address, or nil.
func masqueradesTo(r *router.Router, n *router.Network) *router.Policy {
	i := slices.IndexFunc(r.Policies, func(p *router.Policy) bool {
		_, nat := p.NAT()
		return nat && slices.ContainsFunc(p.To.All(), func(e router.Endpoint) bool {
			z, ok := e.(*router.Zone)
			return ok && slices.Contains(z.Networks.All(), n)
		})
	})
	if i < 0 {
		return nil
	}
	return r.Policies[i]
}

// defaultInto tells whether the main table may have a default route into a network.
func defaultInto(r *router.Router, n *router.Network, v4 bool) bool {
	return n.Gateway.Set && v4 || n.Gateway6.Set && !v4 || slices.ContainsFunc(r.Routes, func(rt *router.Route) bool {
		return !rt.Table.Set && rt.To.V.Bits() == 0 && rt.To.V.Addr().Is4() == v4 && slices.Contains(r.NextHops(rt), n)
	})
}

// answered tells whether a rule leads all packets from an address to a table.
func answered(r *router.Router, from netip.Addr, table router.TableID) bool {
	return slices.ContainsFunc(r.RoutingRules, func(ru *router.RoutingRule) bool {
		return ru.Table.V == table && !ru.To.Set && slices.ContainsFunc(ru.Selectors(), func(s router.Selector) bool { return s.From.Contains(from) })
	})
}
