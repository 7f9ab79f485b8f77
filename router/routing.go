package router

import (
	"net/netip"

	"github.com/nbr-dev/nbr/hcl/conf"
)

// A NextHop is one of several routers that a route leads to.
type NextHop struct {
	conf.Header
	Name    conf.Value[Name]   `hcl:"name,label"`
	Via     conf.Value[Addr]   `hcl:"via,required" doc:"The router that gets a part of the packets, in one of this router's networks."`
	Network conf.Ref[*Network] `hcl:"network,optional" doc:"The network of the next hop, when its address does not tell (link-local)."`
	Weight  conf.Value[Weight] `hcl:"weight,optional" default:"1" doc:"How large its part is beside those of the others: with 2 it gets twice as many connections as one with 1."`
}

// Weight is the part of a next hop (rtnh_hops of rtnetlink(7), which is one less).
type Weight int

// UnmarshalText wants 1 to 256: the kernel has a byte for it.
func (w *Weight) UnmarshalText(b []byte) error { return conf.Between(w, b, "weight", 1, 256, "") }

// Describe is what the type is in the schema.
func (Weight) Describe() string { return "weight, 1 to 256" }

// A TableID is the number of a routing table of the spec's own (ip-route(8)).
type TableID int

// UnmarshalText wants a number below those that nbr has for itself. IfState has room for one
// byte, and the kernel's own tables are 253 to 255.
func (t *TableID) UnmarshalText(b []byte) error {
	return conf.Between(t, b, "routing table", 1, 127, " (those from 128 on are nbr's and the kernel's)")
}

// Describe is what the type is in the schema.
func (TableID) Describe() string { return "routing table, 1 to 127" }

// RulePriority is when a routing rule is asked: the lowest first (FRA_PRIORITY in
// linux/fib_rules.h).
type RulePriority int

// UnmarshalText wants one after nbr's own rules and before the kernel's, which are 32766 and
// 32767.
func (p *RulePriority) UnmarshalText(b []byte) error {
	return conf.Between(p, b, "priority of a rule", 14000, 32765, " (before come nbr's own rules, and after it the main table)")
}

// Describe is what the type is in the schema.
func (RulePriority) Describe() string { return "priority, 14000 to 32765" }

// A RoutingRule says of which packets another table than main decides (ip-rule(8)).
type RoutingRule struct {
	conf.Header
	Name     conf.Value[Name]         `hcl:"name,label"`
	Priority conf.Value[RulePriority] `hcl:"priority,required" doc:"When the rule is asked: the lowest first. The next one is asked where the table has no route. Before all of them come the router's own networks and the destinations of routes without a table but the default route, so that no rule takes those away."`
	From     conf.RefOr[*Host, Block] `hcl:"from,optional" doc:"Packets from there: host.tv, or addresses as in \"192.168.30.0/24\"."`
	To       conf.Value[Block]        `hcl:"to,optional" doc:"Packets to there."`
	Network  conf.Ref[*Network]       `hcl:"network,optional" doc:"Packets from the fixed addresses of this network."`
	Table    conf.Value[TableID]      `hcl:"table,optional" doc:"The table that decides about them: that of route blocks with the same number."`
	Type     conf.Value[RuleType]     `hcl:"type,optional" doc:"In place of a table: they are dropped and the sender is told nothing (blackhole), that nothing is there (unreachable), or that it may not (prohibit)."`
}

// A RuleType is what becomes of the packets of a rule without a table (FR_ACT_* in
// linux/fib_rules.h).
type RuleType string

// UnmarshalText wants one of the three.
func (t *RuleType) UnmarshalText(b []byte) error {
	return conf.OneOf(t, b, "type of rule", "blackhole", "unreachable", "prohibit")
}

// Describe is what the type is in the schema.
func (RuleType) Describe() string { return "blackhole, unreachable or prohibit" }

// A Selector is what packets of a rule are like: the zero prefix is all addresses.
type Selector struct {
	Family   Family
	From, To netip.Prefix
}

// Selectors are what packets the rule is for. A network is its addresses and not its link: what
// comes back is looked up the other way by those who judge where packets may come from (fib of
// nft(8), rp_filter), and only addresses mean the same then.
func (ru *RoutingRule) Selectors() []Selector {
	var to netip.Prefix
	if ru.To.Set {
		to = ru.To.V.Masked()
	}
	var from []netip.Prefix
	switch {
	case ru.From.Ref.Set:
		for _, a := range ru.From.Ref.Target.Fixed() {
			from = append(from, netip.PrefixFrom(a, a.BitLen()))
		}
	case ru.From.Value.Set:
		from = append(from, ru.From.Value.V.Masked())
	case ru.Network.Set:
		fixed, _ := ru.Network.Target.Split()
		for _, p := range fixed {
			from = append(from, p.Masked())
		}
	case ru.To.Set:
		return []Selector{{Family: familyOf(to.Addr()), To: to}}
	}
	var out []Selector
	for _, p := range from {
		if !to.IsValid() || to.Addr().Is4() == p.Addr().Is4() {
			out = append(out, Selector{familyOf(p.Addr()), p, to})
		}
	}
	return out
}

// Hops are the next hops of a route: that of the route itself, or those of its next_hop blocks.
func (rt *Route) Hops() []*NextHop {
	if !rt.Via.Set && !rt.Network.Set {
		return rt.NextHops
	}
	one := &NextHop{Header: rt.Header, Via: rt.Via, Network: rt.Network}
	one.Weight.V = 1
	return append([]*NextHop{one}, rt.NextHops...)
}

// Direct tells whether the route leads into a link whose other end the kernel need not look for
// among neighbours: that of a tunnel. Links that IfState does not make come later than routes.
func (rt *Route) Direct() bool {
	if rt.Via.Set || !rt.Network.Set || len(rt.NextHops) > 0 {
		return false
	}
	s := rt.Network.Target.Link.Target.Spec()
	return s.IPOnly && !s.External
}

// NetworkOf is the network of a next hop, or nil if it is in none.
func (r *Router) NetworkOf(h *NextHop) *Network {
	if h.Network.Set {
		return h.Network.Target
	}
	return r.NetworkAt(h.Via.V.Addr)
}

// NextHops are the networks that a route leads into.
func (r *Router) NextHops(rt *Route) []*Network {
	var out []*Network
	for _, h := range rt.Hops() {
		if n := r.NetworkOf(h); n != nil {
			out = append(out, n)
		}
	}
	return out
}
