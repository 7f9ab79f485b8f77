package router

import (
	"slices"

	"github.com/hashicorp/hcl/v2"

	"github.com/nbr-dev/nbr/hcl/conf"
	"github.com/nbr-dev/nbr/hcl/diag"
)

// Policies whose from has the router block are also about what the router itself sends. What
// none of them decides about passes: a router that could not ask for its address, for names or for
// the time would be none.

// Own tells whether the policy is about what the router itself sends.
func (p *Policy) Own() bool { return slices.ContainsFunc(p.From.All(), isRouter) }

// Through tells whether the policy is about what passes through the router.
func (p *Policy) Through() bool {
	return slices.ContainsFunc(p.From.All(), func(e Endpoint) bool { return !isRouter(e) })
}

func isRouter(e Endpoint) bool {
	_, ok := e.(*System)
	return ok
}

// OwnPolicies are the policies about what the router itself sends.
func (r *Router) OwnPolicies() []*Policy {
	return slices.DeleteFunc(slices.Clone(r.Policies), func(p *Policy) bool { return !p.Own() })
}

// rulePolicyToRouter refuses the router as where packets go to: that is for zones to say.
func rulePolicyToRouter(r *Router) hcl.Diagnostics {
	var diags hcl.Diagnostics
	for _, p := range r.Policies {
		for _, e := range p.To.Items {
			if isRouter(e.Target) {
				diags = append(diags, diag.Help(diag.Error("policy-to-router", e.Range, "Policy to the router itself",
					"%s would be about what is sent to the router itself, and that is for zones to say: what they do not allow is dropped.", p.Addr),
					"Take it out here. To open a service of the router, put its name into allow of a zone."))
			}
		}
		if at, nat := p.NAT(); nat && len(p.From.Items) > 0 && !p.Through() {
			diags = append(diags, diag.With(diag.Help(diag.Error("policy-to-router", at, "NAT of the router's own packets",
				"What the router itself sends has an address of the router already."),
				"Remove it."), p.From.Range, "where they come from"))
		}
	}
	return diags
}

// ruleOwnIdle finds policies that let the router send something where no later one would not: who
// writes that may think that the rest is dropped, as it is between zones.
func ruleOwnIdle(r *Router) hcl.Diagnostics {
	var diags hcl.Diagnostics
	own, shadowed := r.OwnPolicies(), r.shadowed()
	for i, p := range own {
		if _, nat := p.NAT(); nat || shadowed[p] != nil || p.Action.V != "accept" || p.Through() || p.Limit.Set || p.Log.V || len(p.To.Items) == 0 || slices.ContainsFunc(p.To.All(), isRouter) {
			continue
		}
		closes := func(q *Policy) bool {
			return q.Action.V != "accept" && r.meet(p.To, q.To) && slices.ContainsFunc(r.Conditions(p), func(c Packets) bool {
				return slices.ContainsFunc(r.Conditions(q), c.meets)
			})
		}
		if !slices.ContainsFunc(own[i+1:], closes) {
			diags = append(diags, diag.With(diag.Help(diag.Error("own-policy-idle", p.Action.Range, "Policy that lets pass what passes anyway",
				"The router itself may send whatever no policy drops or refuses, and after %s none does there.", p.Addr),
				"Write another policy after it, from the router to there with action = \"drop\", or remove it."), p.From.Range, "from the router itself"))
		}
	}
	return diags
}

// meets tells whether a packet may be of both.
func (p Packets) meets(o Packets) bool {
	return (p.Protocol == 0 || o.Protocol == 0 || p.Protocol == o.Protocol) &&
		(p.Family == AnyFamily || o.Family == AnyFamily || p.Family == o.Family) &&
		(p.Ports == PortRange{} || o.Ports == PortRange{} || p.Ports.Overlaps(o.Ports)) &&
		(p.ICMP == 0 || o.ICMP == 0 || p.ICMP == o.ICMP)
}

// meet tells whether packets to two ends may leave by one link.
func (r *Router) meet(a, b conf.Refs[Endpoint]) bool {
	var links []Link
	for _, e := range a.All() {
		for _, n := range r.Within(e) {
			links = append(links, n.Link.Target)
		}
	}
	return slices.ContainsFunc(b.All(), func(e Endpoint) bool {
		return slices.ContainsFunc(r.Within(e), func(n *Network) bool { return slices.Contains(links, n.Link.Target) })
	})
}

// ruleOwnServices finds what services of the router have to send and policies would keep in.
func ruleOwnServices(r *Router) hcl.Diagnostics {
	own := r.OwnPolicies()
	if len(own) == 0 {
		return nil
	}
	var diags hcl.Diagnostics
	said := map[conf.Addr]bool{}
	for _, a := range slices.Concat(Claimed[Asks](r), r.asksForNames()) {
		for _, n := range r.leavesBy(a) {
			p, c := r.keptIn(own, a, n)
			if p == nil || said[a.Addr] {
				continue
			}
			said[a.Addr] = true
			what := c.String()
			if a.Server.IsValid() {
				what += " to " + a.Server.String()
			}
			d := diag.Help(diag.Error("own-service-closed", p.Action.Range, "Service of the router that cannot send",
				"%s sends %s, which leaves by %s, and %s does not let it out.", a.Addr, what, n.Addr, p.Addr),
				"Write a policy before it, from the router to there with action = \"accept\".")
			if a.From != (hcl.Range{}) {
				diag.With(d, a.From, "%s", a.Addr.String())
			}
			diags = append(diags, d)
		}
	}
	return diags
}

// asksForNames are the name servers that the router asks without a resolver of its own: those of the
// spec, or some that it is told of.
func (r *Router) asksForNames() []*Asks {
	if r.Resolves() {
		return nil
	}
	w, _ := wellKnown("dns")
	by := By{r.System.Addr, r.System.Def}
	if !r.NameServers.Set {
		return []*Asks{{By: by, Packets: wellKnownPackets()[w.Name]}}
	}
	var out []*Asks
	for _, s := range r.NameServers.Items {
		out = append(out, &Asks{By: By{by.Addr, s.Range}, Server: s.V.Unmap(), Packets: wellKnownPackets()[w.Name]})
	}
	return out
}

// leavesBy are the networks by which the router asks: that of the server, those that routes lead
// to, or upstreams.
func (r *Router) leavesBy(a *Asks) []*Network {
	if len(a.Networks) > 0 {
		return a.Networks
	}
	if !a.Server.IsValid() {
		return r.Upstreams()
	}
	server := a.Server.Unmap()
	if server.IsLoopback() || r.Owner(server) != nil {
		return nil
	}
	if n := r.NetworkAt(server); n != nil {
		return []*Network{n}
	}
	var best []destination
	for _, d := range r.destinations() {
		switch {
		case d.link == nil || d.to.Bits() == 0 || !d.to.Contains(server):
		case len(best) > 0 && best[0].to.Bits() > d.to.Bits():
		case len(best) > 0 && best[0].to.Bits() == d.to.Bits():
			best = append(best, d)
		default:
			best = []destination{d}
		}
	}
	var out []*Network
	for _, d := range best {
		for _, l := range append(d.others, d.link) {
			out = append(out, r.On(l)...)
		}
	}
	if len(out) == 0 {
		return r.Upstreams()
	}
	return out
}

// keptIn is the policy that does not let out what is sent by a network, with what that is; nil if all
// of it gets out in one version of IP.
func (r *Router) keptIn(own []*Policy, a *Asks, n *Network) (*Policy, Packets) {
	for _, all := range a.Packets {
		var kept *Policy
		for _, f := range []Family{IPv4, IPv6} {
			c := all
			c.Family = f
			if of := familyOf(a.Server.Unmap()); !n.Has(c.Family) || a.Server.IsValid() && of != c.Family {
				continue
			}
			if c.Protocol == ICMP && c.Family == IPv6 || c.Protocol == ICMPv6 && c.Family == IPv4 {
				continue
			}
			if kept = r.decides(own, a, n, c); kept == nil {
				break
			}
		}
		if kept != nil {
			all.Family = AnyFamily
			return kept, all
		}
	}
	return nil, Packets{}
}

// decides is the policy that does not let out a packet, nil if it gets out. Those with a schedule are
// not asked: at other times they do not decide.
func (r *Router) decides(own []*Policy, a *Asks, n *Network, c Packets) *Policy {
	for _, p := range own {
		if p.Schedule.Set || !slices.ContainsFunc(r.Conditions(p), func(o Packets) bool { return o.covers(c) }) {
			continue
		}
		all, some := false, false
		for _, e := range p.To.All() {
			is, may := r.isTo(e, a, n, c.Family)
			all, some = all || is, some || may
		}
		accepts := p.Action.V == "accept"
		switch {
		case all && !accepts:
			return p
		case all, some && accepts && !a.All: // the server may be among them
			return nil
		}
	}
	return nil
}

// isTo tells whether all packets to whom the router asks by a network are to an endpoint, and whether
// some may be.
func (r *Router) isTo(e Endpoint, a *Asks, n *Network, f Family) (all, some bool) {
	server := a.Server.Unmap()
	switch e := e.(type) {
	case *Zone:
		in := r.ZoneOf(n) == e
		return in, in
	case *Host:
		if server.IsValid() {
			in := slices.Contains(e.Fixed(), server)
			return in, in
		}
		return false, e.Network.Target == n
	case *AddressSet:
		spans := r.Elements(e, f)
		if server.IsValid() {
			in := slices.ContainsFunc(spans, func(s Span) bool { return s.Contains(server) })
			return in, in
		}
		return false, len(spans) > 0
	case *System:
	}
	return false, false
}
