package router

import (
	"net/netip"
	"slices"

	"github.com/hashicorp/hcl/v2"

	"github.com/nbr-dev/nbr/hcl/conf"
	"github.com/nbr-dev/nbr/hcl/diag"
)

// VRFOf is the VRF that a link is in, or nil.
func (r *Router) VRFOf(l Link) Link {
	if m := r.MasterOf(l); m != nil && m.Spec().VRF.Set {
		return m
	}
	return nil
}

// InVRF tells whether an interface is in a VRF.
func (r *Router) InVRF(d IfName) bool {
	if r.vrfPorts == nil {
		r.vrfPorts = map[IfName]bool{}
		for _, m := range r.Made {
			if s := m.Spec(); s.VRF.Set {
				for _, p := range s.Ports.All() {
					r.vrfPorts[p.LinkName()] = true
				}
			}
		}
	}
	return r.vrfPorts[d]
}

// inVRF is the VRF that a network is in, or nil.
func (r *Router) inVRF(n *Network) Link { return r.VRFOf(n.Link.Target) }

// TableOf is the routing table that a route is in, 0 for main: a route into a VRF is in its table.
func (r *Router) TableOf(rt *Route) TableID {
	for _, n := range r.NextHops(rt) {
		if v := r.inVRF(n); v != nil {
			return v.Spec().VRF.V
		}
	}
	return rt.Table.V
}

// Through are the prefixes that the spec places behind a link in a VRF: those of its networks, and what
// routes lead there.
func (r *Router) Through(l Link) []netip.Prefix {
	var out []netip.Prefix
	on := r.On(l)
	for _, n := range on {
		fixed, _ := n.Split()
		for _, p := range fixed {
			out = append(out, p.Masked())
		}
	}
	for _, rt := range r.Routes {
		if slices.ContainsFunc(r.NextHops(rt), func(n *Network) bool { return slices.Contains(on, n) }) {
			out = append(out, rt.To.V.Masked())
		}
	}
	for _, d := range Claimed[DeviceRoute](r) {
		if d.Link == l {
			out = append(out, d.To)
		}
	}
	return out
}

// vrfOfTable is the VRF with a table, or nil.
func (r *Router) vrfOfTable(t TableID) Link {
	i := slices.IndexFunc(r.Made, func(l Link) bool { s := l.Spec().VRF; return s.Set && s.V == t })
	if i < 0 {
		return nil
	}
	return r.Made[i]
}

// ruleVRFTables finds tables that two things have, and routes that are in two.
func ruleVRFTables(r *Router) hcl.Diagnostics {
	var diags hcl.Diagnostics
	first := map[TableID]Link{}
	for _, l := range r.Made {
		t := l.Spec().VRF
		if !t.Set {
			continue
		}
		if before := first[t.V]; before != nil {
			diags = append(diags, diag.Help(clash("vrf-table", "Routing table of another VRF", By{before.Head().Addr, before.Spec().VRF.Range}, By{l.Head().Addr, t.Range},
				"%s has table %d, so packets of the one would get into the other.", before.Head().Addr, t.V), "Write another number."))
			continue
		}
		first[t.V] = l
	}
	for _, rt := range r.Routes {
		var in Link
		for i, h := range rt.Hops() {
			n := r.NetworkOf(h)
			if n == nil {
				continue
			}
			v := r.inVRF(n)
			if i == 0 {
				in = v
			}
			if v != in {
				diags = append(diags, diag.With(diag.Help(diag.Error("vrf-table", h.Def, "Next hops in two routing tables",
					"%s leads into %s, and its other next hops are not in the same VRF.", rt.Addr, n.Addr),
					"Write a route for each."), n.Def, "%s", n.Addr.String()))
				break
			}
		}
		switch other := first[rt.Table.V]; {
		case !rt.Table.Set:
		case in != nil:
			diags = append(diags, diag.With(diag.Help(diag.Error("vrf-table", rt.Table.Range, "Route with two tables",
				"%s leads into %s, so it is in table %d.", rt.Addr, in.Head().Addr, in.Spec().VRF.V),
				"Remove table."), in.Head().Def, "%s", in.Head().Addr.String()))
		case other != nil && len(rt.Hops()) > 0:
			diags = append(diags, diag.With(diag.Help(diag.Error("vrf-table", rt.Table.Range, "Route out of a VRF",
				"%s would lead packets of %s out of it, and the answers have no way back: no route of the main table leads into a VRF.", rt.Addr, other.Head().Addr),
				"Name a next hop in a network of the VRF, or put the links of both into one VRF."), other.Head().Def, "%s", other.Head().Addr.String()))
		}
	}
	for _, ru := range r.RoutingRules {
		if v := first[ru.Table.V]; v != nil {
			diags = append(diags, diag.With(diag.Help(diag.Error("vrf-table", ru.Table.Range, "Rule into a VRF",
				"%s would lead packets of no VRF into %s, and the answers have no way back.", ru.Addr, v.Head().Addr),
				"Write the table of route blocks with table, which is no VRF's."), v.Head().Def, "%s", v.Head().Addr.String()))
			continue
		}
		if !ru.Network.Set {
			continue
		}
		if v := r.inVRF(ru.Network.Target); v != nil {
			diags = append(diags, diag.With(diag.Help(diag.Error("vrf-table", ru.Network.Range, "Rule that is never asked",
				"%s is in %s, whose table decides about all of its packets before any rule does.", ru.Network.Addr, v.Head().Addr),
				"Remove the rule, or take the network out of the VRF."), v.Head().Def, "%s", v.Head().Addr.String()))
		}
	}
	return diags
}

// ruleVRFNetworks finds what a network of a VRF cannot have: programs that set addresses and routes
// know of the main table only, and so do those whose packets it is to carry.
func ruleVRFNetworks(r *Router) hcl.Diagnostics {
	var diags hcl.Diagnostics
	refuse := func(at hcl.Range, v Link, help, why string, args ...any) {
		diags = append(diags, diag.With(diag.Help(diag.Error("vrf-network", at, "Not in a VRF", why, args...), "%s", help),
			v.Head().Def, "%s", v.Head().Addr.String()))
	}
	in := func(z conf.Ref[*Zone]) (*Network, Link) {
		for _, n := range z.Target.Networks.All() {
			if v := r.inVRF(n); v != nil {
				return n, v
			}
		}
		return nil, nil
	}
	for _, n := range r.Networks {
		if l := n.Link.Target; l.Spec().VRF.Set {
			diags = append(diags, diag.With(diag.Help(diag.Error("vrf-network", n.Link.Range, "No link for a network",
				"%s is a routing table with a name, and no host is behind it.", n.Link.Addr),
				"Put the network on a link that is in ports of the VRF, as a dummy."), l.Head().Def, "%s", l.Head().Addr.String()))
		}
		v := r.inVRF(n)
		if v == nil {
			continue
		}
		for _, a := range n.Addresses() {
			if _, fixed := a.How.(Fixed); !fixed {
				refuse(a.From, v, "Write fixed addresses, or take the link out of the VRF.",
					"%s is in %s, and what gives it an address would set the route to it in the main table.", n.Addr, v.Head().Addr)
			}
		}
		for _, gw := range []conf.Value[Addr]{n.Gateway, n.Gateway6} {
			if gw.Set {
				refuse(gw.Range, v, "Write a route block with this next hop.", "%s is in %s, and a gateway is that of the router itself.", n.Addr, v.Head().Addr)
			}
		}
	}
	for _, p := range r.PortForwards {
		if n, v := in(p.From); v != nil {
			refuse(p.From.Range, v, "Forward in a zone that is in no VRF.", "%s is in %s, and a forward is looked for by the interface that packets arrive on.", n.Addr, v.Head().Addr)
		}
	}
	for _, p := range r.PrefixNATs {
		if v := r.inVRF(p.Network.Target); v != nil {
			refuse(p.Network.Range, v, "Translate at an upstream that is in no VRF.", "%s is in %s, and the networks that have other prefixes there are not.", p.Network.Addr, v.Head().Addr)
		}
	}
	for _, o := range Claimed[Opens](r) {
		if v := r.inVRF(o.External); v != nil {
			refuse(o.From, v, "Name an upstream that is in no VRF.", "%s is in %s, and no packet that arrives there gets to hosts of another network.", o.External.Addr, v.Head().Addr)
		}
	}
	for _, s := range r.StaticNATs {
		if n, v := in(s.From); v != nil {
			refuse(s.From.Range, v, "Translate towards a zone that is in no VRF.", "%s is in %s, and the address would be looked for in the main table.", n.Addr, v.Head().Addr)
		}
	}
	return diags
}

// ruleVRFServices finds programs that are to be reached from a VRF. Their sockets are in none, and get
// no packet of one (inet_sk_bound_dev_eq in include/net/inet_sock.h).
func ruleVRFServices(r *Router) hcl.Diagnostics {
	var diags hcl.Diagnostics
	said := map[conf.Addr]bool{}
	protocols := map[conf.Addr]bool{}
	for _, o := range Claimed[OwnRoutes](r) {
		protocols[o.Addr] = protocols[o.Addr] || len(o.On) == 0 && !o.Nowhere
	}
	refuse := func(by By, networks []*Network) {
		for _, n := range networks {
			v := r.inVRF(n)
			// What gives a network its addresses has been told: vrf-network.
			if v == nil || said[by.Addr] || !n.fixedOnly() {
				continue
			}
			said[by.Addr] = true
			what, why, help := "Program outside the VRF", "%s is to speak in %s, which is in %s: its program has sockets in no VRF, and those get no packet of one.",
				"Remove the network there, or take its link out of the VRF."
			if protocols[by.Addr] {
				what, why, help = "Routing protocol outside the VRF", "%s has neighbours in %s, which is in %s: its routing daemon speaks in no VRF, and learns routes of the main table.",
					"Write a route block for each prefix behind the network, or take its link out of the VRF."
			}
			diags = append(diags, diag.With(diag.Help(diag.Error("vrf-service", by.From, what, why, by.Addr, n.Addr, v.Head().Addr), "%s", help),
				v.Head().Def, "%s", v.Head().Addr.String()))
		}
	}
	for _, l := range Claimed[Listen](r) {
		refuse(l.By, l.Networks)
	}
	for _, a := range Claimed[Accept](r) {
		refuse(a.By, a.Networks)
	}
	for _, e := range Claimed[Emit](r) {
		refuse(e.By, e.Networks)
	}
	for _, z := range r.Zones {
		networks := z.Networks.All()
		for _, a := range z.Allow.Items {
			if !slices.ContainsFunc(networks, func(n *Network) bool { return r.inVRF(n) == nil }) && len(networks) > 0 {
				v := r.inVRF(networks[0])
				diags = append(diags, diag.With(diag.Help(diag.Error("vrf-service", a.Range, "Program outside the VRF",
					"%s is in %s, and the programs of the router have sockets in no VRF, which get no packet of one.", z.Addr, v.Head().Addr),
					"Remove %q. A host of the VRF may have the service.", a.V), v.Head().Def, "%s", v.Head().Addr.String()))
			}
		}
	}
	return diags
}

// fixedOnly tells whether all addresses of the network are in the spec.
func (n *Network) fixedOnly() bool {
	_, later := n.Split()
	return len(later) == 0
}

// ruleVRFPolicies finds policies between routing tables, of which the one has no route to what the
// other leads to.
func ruleVRFPolicies(r *Router) hcl.Diagnostics {
	var diags hcl.Diagnostics
	for _, p := range r.Policies {
		from, known := r.tables(p.From.All())
		to, alsoKnown := r.tables(p.To.All())
		apart := len(from) > 0 && len(to) > 0
		for v := range from {
			apart = apart && !to[v]
		}
		if p.Action.V != "accept" || !known || !alsoKnown || !apart {
			continue
		}
		vrf := r.Made[slices.IndexFunc(r.Made, func(l Link) bool { return from[l] || to[l] })]
		diags = append(diags, diag.With(diag.Help(diag.Warning("vrf-policy", p.To.Range, "Policy between routing tables",
			"%s lets nothing pass: no route leads into or out of %s.", p.Addr, vrf.Head().Addr),
			"Remove it, or put the links of both sides into one VRF."), vrf.Head().Def, "%s", vrf.Head().Addr.String()))
	}
	return diags
}

// tables are the VRFs that the ends of a policy are in, nil for none. Where the members of an address set are
// is not known.
func (r *Router) tables(ends []Endpoint) (in map[Link]bool, known bool) {
	in = map[Link]bool{}
	for _, e := range ends {
		switch e := e.(type) {
		case *Zone:
			for _, n := range r.NetworksOf(e) {
				in[r.inVRF(n)] = true
			}
		case *Host:
			in[r.inVRF(e.Network.Target)] = true
		case *System:
			in[nil] = true
		case *AddressSet:
			return nil, false
		}
	}
	return in, true
}
