package router

import (
	"net/netip"
	"slices"

	"github.com/hashicorp/hcl/v2"

	"github.com/nbr-dev/nbr/hcl/diag"
)

// ruleReach finds servers and ends of tunnels to which no route leads. It says nothing of a
// router on which there may be routes that the spec does not have.
func ruleReach(r *Router) hcl.Diagnostics {
	if r.routesElsewhere() {
		return nil
	}
	var diags hcl.Diagnostics
	routes := r.destinations()
	judge := func(at hcl.Range, a netip.Addr) {
		a = a.Unmap()
		of := familyOf(a)
		if a.IsLoopback() || a.IsLinkLocalUnicast() || r.leads(of, a, routes) {
			return
		}
		way := "a gateway"
		if of == IPv6 {
			way = "gateway6 or ipv6 = \"auto\""
		}
		d := diag.Help(diag.Warning("out-of-reach", at, "Address out of reach",
			"%s is in no network of the router, and no route leads there, so the router would get no answer.", a),
			"Remove it, give the upstream network %s, or write a route block.", way)
		if i := slices.IndexFunc(r.Networks, (*Network).Upstream); i >= 0 {
			n := r.Networks[i]
			diag.With(d, n.UpstreamBy().At, "%s is the upstream, and has no default route of %s", n.Addr, of)
		}
		diags = append(diags, d)
	}
	for _, s := range r.NameServers.Items {
		judge(s.Range, s.V.Addr)
	}
	for _, s := range Claimed[Asks](r) {
		if s.Server.IsValid() {
			judge(s.From, s.Server)
		}
	}
	return diags
}

func familyOf(a netip.Addr) Family {
	if a.Is6() {
		return IPv6
	}
	return IPv4
}

// leads tells whether a route may lead to an address: one of the spec, or one that comes with
// an address of its version of IP.
func (r *Router) leads(of Family, a netip.Addr, routes []destination) bool {
	later := func(n *Network) bool {
		return slices.ContainsFunc(n.Addresses(), func(x NetworkAddress) bool {
			_, fixed := x.How.(Fixed)
			return x.Family == of && !fixed
		})
	}
	to := func(d destination) bool { return d.to.Contains(a) }
	return r.NetworkAt(a) != nil || slices.ContainsFunc(r.Networks, later) || slices.ContainsFunc(routes, to)
}

// routesElsewhere tells whether the router may have routes that the spec does not say: of a
// routing protocol, of a link that an unknown program makes, or of what a user adds.
func (r *Router) routesElsewhere() bool {
	external := func(l Link) bool { return l.Spec().External && l.Spec().Kind == "" }
	// DHCP, PPP and router advertisements bring routes with the address.
	later := func(l Link) bool {
		return slices.ContainsFunc(r.Networks, func(n *Network) bool {
			_, later := n.Split()
			return n.Link.Target == l && len(later) > 0
		})
	}
	learned := func(o *OwnRoutes) bool {
		return len(o.On) == 0 || slices.ContainsFunc(o.On, func(l Link) bool { return !later(l) })
	}
	return r.HasModules() || slices.ContainsFunc(r.Made, external) ||
		slices.ContainsFunc(Claimed[OwnRoutes](r), learned) || len(Claimed[AddedRoutes](r)) > 0
}
