package router

import (
	"slices"

	"github.com/hashicorp/hcl/v2"

	"github.com/nbr-dev/nbr/hcl/conf"
	"github.com/nbr-dev/nbr/hcl/diag"
)

func ruleZones(r *Router) hcl.Diagnostics {
	var diags hcl.Diagnostics
	type use struct {
		z  *Zone
		at hcl.Range
	}
	first := map[*Network]use{}
	for _, z := range r.Zones {
		for _, n := range z.Networks.Items {
			if before, dup := first[n.Target]; dup {
				diags = append(diags, diag.With(diag.Help(diag.Error("network-in-two-zones", n.Range, "Network of two zones",
					"%s is already in %s. A packet belongs to one zone.", n.Addr, before.z.Addr),
					"Remove it from one of the two."), before.at, "%s", before.z.Addr.String()))
				continue
			}
			first[n.Target] = use{z, n.Range}
		}
	}
	return append(diags, ruleSharedLinks(r)...)
}

// ruleSharedLinks finds two zones on one interface: the firewall tells zones apart
// by interface.
func ruleSharedLinks(r *Router) hcl.Diagnostics {
	var diags hcl.Diagnostics
	zone := map[Link]*Zone{}
	for _, z := range r.Zones {
		for _, n := range z.Networks.Items {
			l := n.Target.Link.Target
			if before := zone[l]; before != nil && before != z && !slices.Contains(before.Networks.All(), n.Target) {
				diags = append(diags, diag.With(diag.Help(diag.Error("link-in-two-zones", n.Range, "One link in two zones",
					"%s is on %s, which %s already has, and the firewall tells zones apart by interface.", n.Addr, l.Head().Addr, before.Addr),
					"Put both networks into one zone, or one of them on a link of its own, such as a VLAN."),
					before.Networks.Range, "%s", before.Addr.String()))
				continue
			}
			zone[l] = z
		}
	}
	return diags
}

func ruleZoneless(r *Router) hcl.Diagnostics {
	var diags hcl.Diagnostics
	for _, n := range r.Networks {
		if r.ZoneOf(n) == nil {
			diags = append(diags, diag.Help(diag.Warning("network-without-zone", n.Def, "Network in no zone",
				"Neither %s nor another network on %s is in a zone. The firewall drops what hosts there send to the router or through it, and what others send to them; only DHCP and what routing needs passes.", n.Addr, n.Link.Addr),
				"Put it into a zone."))
		}
	}
	return diags
}

// Conditions are what a policy is about beyond its ends, of which a packet fits one. There is none
// if the version of IP and the protocols contradict each other.
func (r *Router) Conditions(p *Policy) []Packets {
	var out []Packets
	for _, c := range r.protocolsOf(p) {
		of := map[IPProtocol]Family{ICMP: IPv4, ICMPv6: IPv6}[c.Protocol]
		if p.Family.V == AnyFamily || of == AnyFamily || of == p.Family.V {
			c.Family = p.Family.V
			out = append(out, c)
		}
	}
	return out
}

// protocolsOf are the protocols, ports and messages that a policy is about.
func (r *Router) protocolsOf(p *Policy) []Packets {
	protocols := p.Protocols.All()
	switch {
	case len(p.Services.Items) > 0:
		var out []Packets
		for _, name := range p.Services.All() {
			out = append(out, r.PacketsOf(name)...)
		}
		return out
	case len(protocols) == 0 && len(p.Ports.Items) == 0:
		return []Packets{{}}
	case len(protocols) == 0:
		protocols = []Protocol{"tcp", "udp"}
	}
	var out []Packets
	for _, word := range protocols {
		proto := map[Protocol]IPProtocol{"tcp": TCP, "udp": UDP}[word]
		switch {
		case word == "icmp":
			out = append(out, Packets{Protocol: ICMP}, Packets{Protocol: ICMPv6})
		case len(p.Ports.Items) == 0:
			out = append(out, Packets{Protocol: proto})
		default:
			for _, ports := range p.Ports.All() {
				out = append(out, Packets{Protocol: proto, Ports: ports})
			}
		}
	}
	return out
}

// ruleShadowed finds policies that can never match because earlier ones take every packet first.
func ruleShadowed(r *Router) hcl.Diagnostics {
	var diags hcl.Diagnostics
	shadowed := r.shadowed()
	for _, p := range r.Policies {
		if by := shadowed[p]; by != nil {
			diags = append(diags, diag.With(diag.Help(diag.Error("unreachable-policy", p.Def, "Policy never used",
				"%s decides about every packet before %s sees it.", by.Addr, p.Addr),
				"Put %s before it, or remove it.", p.Addr), by.Def, "%s", by.Addr.String()))
		}
	}
	return diags
}

// shadowed are policies that never match, each with one that takes packets before. They are those of
// which it can be proved: for each condition one policy takes all.
func (r *Router) shadowed() map[*Policy]*Policy {
	out := map[*Policy]*Policy{}
	type pair struct{ from, to Endpoint }
	type taking struct {
		Packets
		by *Policy
	}
	taken := map[pair][]taking{}
	// decides is the policy that takes all packets of a condition, nil if none does.
	decides := func(from, to Endpoint, c Packets) *Policy {
		for _, f := range r.around(from) {
			for _, t := range r.around(to) {
				if i := slices.IndexFunc(taken[pair{f, t}], func(o taking) bool { return o.covers(c) }); i >= 0 {
					return taken[pair{f, t}][i].by
				}
			}
		}
		return nil
	}
	for _, p := range r.Policies {
		var by *Policy
		all := len(p.From.Items) > 0 && len(p.To.Items) > 0
		for _, f := range p.From.All() {
			for _, t := range p.To.All() {
				for _, c := range r.Conditions(p) {
					switch before := decides(f, t, c); {
					case before == nil:
						all = false
					case by == nil:
						by = before
					}
				}
			}
		}
		for _, f := range p.From.All() { // after all: it does not take its own packets
			for _, t := range p.To.All() {
				for _, c := range r.Conditions(p) {
					if decides(f, t, c) == nil && !p.Schedule.Set { // at other times it takes none
						taken[pair{f, t}] = append(taken[pair{f, t}], taking{c, p})
					}
				}
			}
		}
		if all && by != nil {
			out[p] = by
		}
	}
	return out
}

// around are an endpoint and, if all of it is in one zone, that zone: what holds for either
// holds for it.
func (r *Router) around(e Endpoint) []Endpoint {
	if _, ok := e.(*Zone); ok {
		return []Endpoint{e}
	}
	var zone *Zone
	for i, n := range r.Within(e) {
		z := r.ZoneOf(n)
		if z == nil || i > 0 && z != zone {
			return []Endpoint{e}
		}
		zone = z
	}
	if zone == nil {
		return []Endpoint{e}
	}
	return []Endpoint{zone, e}
}

func ruleMasquerade(r *Router) hcl.Diagnostics {
	var diags hcl.Diagnostics
	for _, p := range r.Policies {
		at, nat := p.NAT()
		if !nat {
			continue
		}
		if p.Action.V != "accept" {
			diags = append(diags, diag.Help(diag.Error("masquerade-without-upstream", at, "NAT of nothing",
				"%s lets nothing pass, so no packet gets another address.", p.Addr),
				"Remove it, or write action = \"accept\"."))
			continue
		}
		if p.Family.V == IPv6 {
			diags = append(diags, diag.With(diag.Help(diag.Error("masquerade-without-upstream", at, "NAT of nothing",
				"NAT is for IPv4, and %s is about IPv6.", p.Addr),
				"Remove it: IPv6 needs none."), p.Family.Range, "the version of IP"))
			continue
		}
		for _, z := range p.To.Items {
			if !slices.ContainsFunc(r.Within(z.Target), func(n *Network) bool { return n.Has(IPv4) }) {
				diags = append(diags, diag.Help(diag.Error("masquerade-without-upstream", at, "NAT without an address",
					"%s has no network with an IPv4 address, so no IPv4 packet leaves by it.", z.Addr),
					"Remove it: IPv6 needs none. Or give a network of %s an IPv4 address.", z.Addr))
			}
		}
		diags = append(diags, r.judgeSourceNAT(p)...)
	}
	return diags
}

// judgeSourceNAT refuses an address to which no answer would come: of a network of the router an
// address that the router has not, and addresses that are no host's.
func (r *Router) judgeSourceNAT(p *Policy) hcl.Diagnostics {
	if !p.SourceNAT.Set {
		return nil
	}
	a, at := p.SourceNAT.V.Unmap(), p.SourceNAT.Range
	n := r.NetworkAt(a)
	const code, usual = "source-nat-address", "Write an address of the router in the network that the packets leave by, or use masquerade, which takes that by itself."
	switch {
	case p.Masquerade.V:
		return one(diag.With(diag.Help(diag.Error(code, at, "Two addresses for one packet", "masquerade gives packets the address of the network that they leave by, and source_nat %s.", a),
			"Remove one of the two."), p.Masquerade.Range, "masquerade"))
	case !a.Is4():
		return one(diag.Help(diag.Error(code, at, "Not an IPv4 address", "Only IPv4 packets get another address."), usual))
	case !a.IsGlobalUnicast():
		return one(diag.Help(diag.Error(code, at, "Address of no host", "No answer would come to %s.", a), usual))
	case n != nil && r.Owner(a) == nil:
		return one(diag.With(diag.Help(diag.Error(code, at, "Address that the router has not",
			"%s is in %s, where the router does not answer for it.", a, n.Addr), usual), n.IPv4.Range, "%s", n.Addr.String()))
	}
	return nil
}

// rulePolicyLimits finds limits and versions of IP that leave a policy without a meaning.
func rulePolicyLimits(r *Router) hcl.Diagnostics {
	var diags hcl.Diagnostics
	for _, p := range r.Policies {
		if p.Limit.Set && p.Action.V != "accept" {
			diags = append(diags, diag.Help(diag.Error("limit-of-nothing", p.Limit.Range, "Limit of nothing",
				"%s lets nothing pass, so there is nothing to count.", p.Addr),
				"Remove limit, or write action = \"accept\"."))
		}
		if p.Family.Set {
			diags = append(diags, r.judgeFamily(p)...)
		}
	}
	return diags
}

// judgeFamily refuses a version of IP that no packet of the policy is of.
func (r *Router) judgeFamily(p *Policy) hcl.Diagnostics {
	var diags hcl.Diagnostics
	lacks := func(at hcl.Range, why, what string) {
		diags = append(diags, diag.With(diag.Help(diag.Error("no-common-family", p.Family.Range, "No packet of this version of IP",
			"%s is for %s alone, and %s.", p.Addr, p.Family.V, why),
			"Remove family, or name others there."), at, "%s", what))
	}
	if len(r.protocolsOf(p)) > 0 && len(r.Conditions(p)) == 0 {
		lacks(p.Services.Range, "its services are of the other version of IP", "the services")
	}
	for i, ends := range []conf.Refs[Endpoint]{p.From, p.To} {
		if len(ends.Items) > 0 && !slices.ContainsFunc(ends.All(), func(e Endpoint) bool { return broken(e) || r.speaks(e, i == 0, p.Family.V) }) {
			lacks(ends.Range, "nothing "+[]string{"that it is from", "that it leads to"}[i]+" has an address of it", []string{"from", "to"}[i])
		}
	}
	return diags
}

// speaks tells whether packets from an endpoint, or to it, can be of a version of IP.
func (r *Router) speaks(e Endpoint, source bool, f Family) bool {
	if v4, v6 := r.families(e, source); !v4 && f == IPv4 || !v6 && f == IPv6 {
		return false
	}
	ns := r.Within(e)
	return len(ns) == 0 || slices.ContainsFunc(ns, func(n *Network) bool { return n.Has(f) })
}

// ruleDefaultRoute finds the upstream whose gateway was forgotten.
func ruleDefaultRoute(r *Router) hcl.Diagnostics {
	network := func(n *Network) bool { return n.defaultRoute() != nil }
	route := func(rt *Route) bool { return rt.To.V.Bits() == 0 }
	if slices.ContainsFunc(r.Networks, network) || slices.ContainsFunc(r.Routes, route) {
		return nil
	}
	for _, p := range r.Policies {
		addressed := func(e Endpoint) bool {
			return slices.ContainsFunc(r.Within(e), func(n *Network) bool { return n.Has(IPv4) })
		}
		if at, nat := p.NAT(); nat && p.Action.V == "accept" && slices.ContainsFunc(p.To.All(), addressed) {
			return one(diag.Help(diag.Warning("no-default-route", at, "No way to the Internet",
				"%s gives packets the router's own address, and no network has a gateway and no route is a default route.", p.Addr),
				"Add gateway = the next router's address to the upstream network."))
		}
	}
	return nil
}

// ruleForwards judges the forwards by themselves: their ports and targets.
func ruleForwards(r *Router) hcl.Diagnostics {
	var diags hcl.Diagnostics
	for i, f := range r.PortForwards {
		for _, g := range r.PortForwards[:i] {
			if f.From.Target == g.From.Target && f.Protocol.V == g.Protocol.V && f.Port.V.Overlaps(g.Port.V) {
				diags = append(diags, diag.Help(clash("forward-clash", "Port forwarded twice", By{g.Addr, g.Port.Range}, By{f.Addr, f.Port.Range},
					"%s already forwards %s/%s from %s.", g.Addr, g.Protocol.V, g.Port.V, g.From.Addr),
					"Give one of them another port, or remove one."))
			}
		}
		switch {
		case f.To.Ref.Set: // a host, which is judged as one
		case !f.To.Value.V.Is4():
			diags = append(diags, diag.Help(diag.Error("forward-outside", f.To.Range(), "Not an IPv4 address",
				"IPv6 needs no port forwards."),
				"Allow the connections with a policy."))
		case r.Owner(f.Target()) != nil:
			diags = append(diags, diag.Help(diag.Error("forward-outside", f.To.Range(), "Host is the router itself",
				"%s is the router's own address, and a port is forwarded to a host behind it.", f.Target()),
				"Remove the block. To open a service of the router, put its name into allow of %s.", f.From.Addr))
		}
		if f.ToPort.Set && f.Port.V.First != f.Port.V.Last {
			diags = append(diags, diag.Help(diag.Error("forward-clash", f.ToPort.Range, "Several ports to one",
				"%s forwards several ports; to_port would lead all of them to the same one.", f.Addr),
				"Remove to_port: each port then leads to the same one of the host. Or forward one port only."))
		}
	}
	return diags
}

// ruleForwardedServices finds forwards that lead away what a zone is allowed to ask
// of the router: destination NAT comes first, and with ssh it is a lock-out.
func ruleForwardedServices(r *Router) hcl.Diagnostics {
	var diags hcl.Diagnostics
	for _, f := range r.PortForwards {
		z := f.From.Target
		for _, a := range z.Allow.Items {
			for _, l := range r.ListeningIn(z, string(a.V)) {
				if l.Protocol.String() == string(f.Protocol.V) && f.Port.V.Overlaps(l.Ports()) {
					diags = append(diags, diag.With(diag.Help(diag.Error("forward-takes-service", f.Port.Range, "Port of the router itself",
						"%s allows %s on %s/%s, and %s would lead it to %s.", z.Addr, a.V, l.Protocol, l.Ports(), f.Addr, f.Target()),
						"Forward another port."),
						a.Range, "%s", z.Addr.String()))
				}
			}
		}
	}
	return diags
}

func ruleForwardNetworks(r *Router) hcl.Diagnostics {
	var diags hcl.Diagnostics
	for _, f := range r.PortForwards {
		if a := f.Target(); !f.To.Ref.Set && a.Is4() && r.NetworkAt(a) == nil {
			diags = append(diags, diag.Help(diag.Error("forward-outside", f.To.Range(), "Host out of reach", "%s is in no network of the router with a fixed address.", a),
				"Write the address of a host in one of these networks."))
		}
	}
	return diags
}

// ruleStaticNAT judges the addresses that hosts have outside.
func ruleStaticNAT(r *Router) hcl.Diagnostics {
	var diags hcl.Diagnostics
	const code, usual = "static-nat-address", "Write an IPv4 address that the provider routes to the router beside its own."
	for i, s := range r.StaticNATs {
		a, at := s.Address.V.Unmap(), s.Address.Range
		n := r.NetworkAt(a)
		switch {
		case !a.Is4() || !a.IsGlobalUnicast():
			diags = append(diags, diag.Help(diag.Error(code, at, "No IPv4 address of a host", "No IPv4 packet is for %s.", a), usual))
		case n != nil:
			diags = append(diags, diag.With(diag.Help(diag.Error(code, at, "Address of one of the router's networks",
				"%s is in %s, where no packet for it would come to the router, or one for the router itself.", a, n.Addr), usual),
				n.IPv4.Range, "%s", n.Addr.String()))
		}
		if h := s.To.Target; r.ZoneOf(h.Network.Target) == s.From.Target {
			diags = append(diags, diag.With(diag.Help(diag.Error(code, s.From.Range, "Address towards the host's own zone",
				"%s is in %s itself.", h.Addr, s.From.Addr), "Name the zone outside."), h.Network.Range, "%s", h.Addr.String()))
		}
		for _, o := range r.StaticNATs[:i] {
			if o.Address.V == s.Address.V {
				diags = append(diags, diag.Help(clash(code, "Address of two hosts", By{o.Addr, o.Address.Range}, By{s.Addr, at},
					"%s has %s already.", o.Addr, a), "Give one of them another address."))
			}
			if o.To.Target == s.To.Target && o.From.Target == s.From.Target {
				diags = append(diags, diag.Help(clash(code, "Two addresses of one host", By{o.Addr, o.To.Range}, By{s.Addr, s.To.Range},
					"%s gives %s an address towards %s already, and a packet that it sends has one.", o.Addr, s.To.Addr, s.From.Addr), "Remove one of the two."))
			}
		}
	}
	return diags
}
