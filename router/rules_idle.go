package router

import (
	"slices"

	"github.com/hashicorp/hcl/v2"

	"github.com/nbr-dev/nbr/hcl/conf"
	"github.com/nbr-dev/nbr/hcl/diag"
)

// ruleIdleBridges finds bridges that join nothing.
func ruleIdleBridges(r *Router) hcl.Diagnostics {
	var diags hcl.Diagnostics
	for _, l := range r.Made {
		if s := l.Spec(); s.Kind == "bridge" && len(s.Ports.Items) == 0 && !r.joined(l) {
			diags = append(diags, diag.Help(diag.Warning("bridge-without-ports", l.Head().Def, "Bridge without ports",
				"%s joins nothing, so no host is behind it.", l.Head().Addr),
				"Name its ports, as in ports = [port.lan1, port.lan2], or remove it."))
		}
	}
	return diags
}

// rulePolicyPorts finds ports that a policy cannot look at: ICMP has none.
func rulePolicyPorts(r *Router) hcl.Diagnostics {
	var diags hcl.Diagnostics
	for _, p := range r.Policies {
		for _, proto := range p.Protocols.Items {
			if proto.V == "icmp" && len(p.Ports.Items) > 0 {
				diags = append(diags, diag.With(diag.Help(diag.Error("ports-of-icmp", proto.Range, "ICMP has no ports",
					"In %s the ports would count for tcp and udp only, and all of ICMP would match.", p.Addr),
					"Write a policy of its own for icmp, or remove ports."),
					p.Ports.Range, "the ports"))
			}
		}
	}
	return diags
}

// ruleSelf finds policies from a zone to itself that decide about no packet: hosts of one
// network talk to each other without the router.
func ruleSelf(r *Router) hcl.Diagnostics {
	// Routes that are learned may lead back to where a packet comes from. Those that lead nowhere as well are
	// of what the spec names: an uplink, a lease.
	learned := slices.ContainsFunc(Claimed[OwnRoutes](r), func(o *OwnRoutes) bool { return len(o.On) == 0 && !o.Nowhere })
	if learned {
		return nil
	}
	var diags hcl.Diagnostics
	for _, p := range r.Policies {
		if _, nat := p.NAT(); nat || len(p.From.Items) != 1 || len(p.To.Items) != 1 || p.From.Items[0].Target != p.To.Items[0].Target {
			continue
		}
		z, ok := p.From.Items[0].Target.(*Zone)
		if ok && len(z.Networks.Items) == 1 && !r.turnsBack(z, z.Networks.Items[0].Target) {
			diags = append(diags, diag.With(diag.Help(diag.Warning("policy-to-itself", p.To.Items[0].Range, "Policy for packets that do not pass the router",
				"%s has one network, and its hosts talk to each other without the router.", z.Addr),
				"Name another zone, or remove %s.", p.Addr), z.Networks.Range, "%s", z.Addr.String()))
		}
	}
	return diags
}

// turnsBack tells whether a packet from the only network of a zone may leave by the link that
// it came by: peers of a tunnel, a router behind the network, a port forward.
func (r *Router) turnsBack(z *Zone, n *Network) bool {
	if !slices.Contains([]string{"bond", "bridge", "dsa", "physical", "vlan", "vxlan"}, n.Link.Target.Spec().Kind) {
		return true
	}
	return slices.ContainsFunc(r.Routes, func(rt *Route) bool { return slices.Contains(r.NextHops(rt), n) }) ||
		slices.ContainsFunc(r.PortForwards, func(f *PortForward) bool { return f.From.Target == z }) ||
		slices.ContainsFunc(r.StaticNATs, func(s *StaticNAT) bool { return s.To.Target.Network.Target == n })
}

// ruleIPv4Only finds NAT of packets that do not exist: it is for IPv4.
func ruleIPv4Only(r *Router) hcl.Diagnostics {
	has := func(e Endpoint) bool { return r.speaks(e, true, IPv4) }
	var diags hcl.Diagnostics
	for _, p := range r.Policies {
		if at, nat := p.NAT(); nat && p.Action.V == "accept" && len(p.From.Items) > 0 && !slices.ContainsFunc(p.From.All(), has) {
			diags = append(diags, diag.With(diag.Help(diag.Warning("nat-of-nothing", at, "NAT of no packet",
				"NAT is for IPv4, and nothing that %s lets packets from has it.", p.Addr),
				"Remove it."), p.From.Range, "where they come from"))
		}
	}
	for _, f := range r.PortForwards {
		if !has(f.From.Target) {
			diags = append(diags, diag.With(diag.Help(diag.Warning("nat-of-nothing", f.From.Range, "NAT of no packet",
				"Port forwards are for IPv4, and no network of %s has it.", f.From.Addr),
				"Remove %s.", f.Addr), f.From.Target.Networks.Range, "%s", f.From.Addr.String()))
		}
	}
	for _, s := range r.StaticNATs {
		if !has(s.From.Target) {
			diags = append(diags, diag.With(diag.Help(diag.Warning("nat-of-nothing", s.From.Range, "NAT of no packet",
				"%s is for IPv4, and no network of %s has it.", s.Addr, s.From.Addr),
				"Remove %s.", s.Addr), s.From.Target.Networks.Range, "%s", s.From.Addr.String()))
		}
	}
	return diags
}

// ruleAsksItself finds a router that is to ask itself for names where it does not resolve any.
func ruleAsksItself(r *Router) hcl.Diagnostics {
	if r.Resolves() {
		return nil // then name_servers itself is too much
	}
	var diags hcl.Diagnostics
	for _, s := range r.NameServers.Items {
		if d := r.Own(s, "The router has no resolver that it could ask.", "Name other servers, or write a resolver block instead."); d != nil {
			diags = append(diags, d)
		}
	}
	return diags
}

// Own is the error that a server of others' is the router itself, nil if it is not. why is
// what that means, and help what to do.
func (r *Router) Own(server conf.Value[Addr], why, help string) *hcl.Diagnostic {
	a := server.V.Unmap()
	n := r.Owner(a)
	if n == nil && !a.IsLoopback() {
		return nil
	}
	d := diag.Help(diag.Error("asks-itself", server.Range, "Server is the router itself", "%s is the router's own address. %s", a, why), "%s", help)
	if n != nil {
		at := n.IPv4.Range
		if a.Is6() {
			at = n.IPv6.Range
		}
		diag.With(d, at, "%s", n.Addr.String())
	}
	return d
}
