package ifstate

import (
	_ "embed"
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"github.com/nbr-dev/nbr/nixgen"
	"github.com/nbr-dev/nbr/router"
	"github.com/nbr-dev/nbr/service"
	"github.com/nbr-dev/nbr/verify"
	"github.com/nbr-dev/nbr/verify/state"
)

// A hop is where a route sends packets.
type hop struct {
	via    string        // empty when the link alone tells
	dev    router.IfName // empty when the next hop tells
	weight int           // 0 for the only one
}

// hops are the next hops of a route block.
func hops(r *router.Router, rt *router.Route) []hop {
	var out []hop
	all := rt.Hops()
	for _, h := range all {
		var o hop
		if h.Via.Set {
			o.via = h.Via.V.String()
		}
		if n := r.NetworkOf(h); n != nil {
			o.dev = n.Device()
		}
		if len(all) > 1 {
			o.weight = int(h.Weight.V)
		}
		out = append(out, o)
	}
	return out
}

// ways are all hops of a route; one that leads nowhere has one without anything.
func (rt route) ways() []hop {
	if len(rt.hops) > 0 {
		return rt.hops
	}
	return []hop{{via: rt.via, dev: rt.dev}}
}

func (h hop) is(got state.Route) bool {
	return got.Via == h.via && (h.dev == "" || got.Link == string(h.dev)) && got.Weight == h.weight
}

// text is as ip route prints it.
func (h hop) text() string {
	var out string
	if h.via != "" {
		out += " via " + h.via
	}
	if h.dev != "" {
		out += " dev " + string(h.dev)
	}
	if h.weight != 0 {
		out += fmt.Sprintf(" weight %d", h.weight)
	}
	return out
}

// IfState has routes with several next hops since 2.5 only, which no release of NixOS that nbr
// generates for has, so a unit of their own makes them.
const (
	multipathUnit     = "nbr-multipath"
	protocolMultipath = 204 // none of rt_protos
)

// multipath are the routes with several next hops.
func multipath(r *router.Router) []route {
	return slices.DeleteFunc(slices.Concat(routes(r), ahead(r)), func(rt route) bool { return len(rt.hops) == 0 })
}

// claimRouting claims what rules and routes with several next hops need of the kernel.
func (b *Interfaces) claimRouting(s *router.Scope) {
	if len(s.RoutingRules) > 0 {
		s.Kernel(s.RoutingRules[0].Def, "routing rules", "IP_MULTIPLE_TABLES", "IPV6_MULTIPLE_TABLES")
	}
	for _, rt := range s.Routes {
		if len(rt.NextHops) > 0 {
			from := rt.NextHops[0].Def
			s.Kernel(from, "routes with several next hops", "IP_ROUTE_MULTIPATH")
			s.AfterLinks(from, multipathUnit)
			// Packets for a next hop behind a cable that is out take the other ones.
			s.Sysctl(from, "net.ipv4.conf.all.ignore_routes_with_linkdown", "1")
			s.Sysctl(from, "net.ipv6.conf.all.ignore_routes_with_linkdown", "1")
			return
		}
	}
}

//go:embed multipath.sh
var multipathScript string

// lowerMultipath makes the routes with several next hops, again whenever a link comes back: the
// kernel drops those of IPv6 with it (fib6_ifdown in net/ipv6/route.c).
func lowerMultipath(r *router.Router, m *nixgen.Module) {
	rts := multipath(r)
	if len(rts) == 0 {
		return
	}
	set := service.OnNews(m, service.By(rts[0].By), multipathUnit, "Routes with several next hops", multipathText(rts))
	set(nixgen.Lines(fmt.Sprintf("ip -4 route flush table all proto %[1]d || true\nip -6 route flush table all proto %[1]d || true\n", protocolMultipath)), "postStop")
}

// multipathText is the script of the unit. What is in it are numbers, addresses and names of
// interfaces, which no shell has to quote.
func multipathText(rts []route) string {
	var b strings.Builder
	b.WriteString("again() {\n")
	for _, rt := range rts {
		family := 4
		if strings.Contains(rt.to, ":") {
			family = 6
		}
		fmt.Fprintf(&b, "  route -%d %s proto %d", family, rt.to, protocolMultipath)
		if rt.table != 0 {
			fmt.Fprintf(&b, " table %d", rt.table)
		}
		if rt.metric != 0 {
			fmt.Fprintf(&b, " metric %d", rt.metric)
		}
		for _, h := range rt.hops {
			b.WriteString(" nexthop" + h.text())
		}
		b.WriteString("\n")
	}
	b.WriteString("}\n")
	return b.String() + multipathScript
}

// A rule is a rule of policy routing.
type rule struct {
	router.By
	sel      router.Selector
	priority int
	table    int             // 0 if it has a type
	drop     router.RuleType // empty if it has a table
}

// aheadRule asks for a route that no upstream may take over.
func aheadRule(rt route) rule {
	to, _ := netip.ParsePrefix(rt.to) // ahead has no others
	family := router.IPv4
	if to.Addr().Is6() {
		family = router.IPv6
	}
	return rule{By: rt.By, sel: router.Selector{Family: family, To: to}, priority: aheadPriority, table: aheadTable}
}

// rules are those that come first, and then the spec's.
func rules(r *router.Router) []rule {
	there := map[string]bool{}
	var out []rule
	for _, rt := range ahead(r) {
		if !there[rt.to] {
			there[rt.to] = true
			out = append(out, aheadRule(rt))
		}
	}
	for _, ru := range r.RoutingRules {
		out = append(out, specRules(ru)...)
	}
	return out
}

// specRules are the rules of a rule block: one for each address.
func specRules(ru *router.RoutingRule) []rule {
	var out []rule
	for _, s := range ru.Selectors() {
		out = append(out, rule{By: router.By{Addr: ru.Addr, From: ru.Def}, sel: s, priority: int(ru.Priority.V), table: int(ru.Table.V), drop: ru.Type.V})
	}
	return out
}

// attrs are the rule as IfState has it.
func (ru rule) attrs() nixgen.Attrs {
	var out nixgen.Attrs
	set := func(name string, v nixgen.Expr) { out = append(out, nixgen.Bind(v, name)) }
	if ru.sel.From.IsValid() {
		set("from", nixgen.Str(ru.sel.From.String()))
	}
	if ru.sel.To.IsValid() {
		set("to", nixgen.Str(ru.sel.To.String()))
	}
	if ru.drop != "" {
		set("action", nixgen.Str(string(ru.drop)))
	} else {
		set("table", nixgen.Int(ru.table))
	}
	set("priority", nixgen.Int(ru.priority))
	return out
}

// seen is the rule as it is listed.
func (ru rule) seen() string {
	text := func(p netip.Prefix) string {
		switch {
		case p.Bits() == 0 || !p.IsValid():
			return "all"
		case p.IsSingleIP():
			return p.Addr().String()
		}
		return p.String()
	}
	out := "from " + text(ru.sel.From)
	if to := text(ru.sel.To); to != "all" {
		out += " to " + to
	}
	if ru.drop != "" {
		return out + " " + string(ru.drop)
	}
	return fmt.Sprintf("%s lookup %d", out, ru.table)
}

func (ru rule) is(got state.Rule) bool {
	text := got.Text
	if ru.drop != "" { // IfState gives it a table all the same, which the kernel never asks
		text = strings.Replace(text, " lookup main "+string(ru.drop), " "+string(ru.drop), 1)
	}
	return got.Priority == ru.priority && text == ru.seen() && (got.Family == "" || got.Family == ru.family())
}

func (ru rule) family() string { return strings.ToLower(ru.sel.Family.String()) }

// ruleChecks add the checks that the rules of the spec are asked, and when.
func ruleChecks(r *router.Router, p *verify.Plan) {
	for _, block := range r.RoutingRules {
		for i, ru := range specRules(block) {
			want, hint := fmt.Sprintf("%d: %s", ru.priority, ru.seen()), "ip rule"
			if ru.sel.Family == router.IPv6 {
				hint = "ip -6 rule"
			}
			p.Add(verify.Check{
				ID: fmt.Sprintf("%s/rule/%s/%d", ru.Addr, ru.family(), i), Title: ru.sel.Family.String() + " " + ru.seen(), From: block.Priority.Range,
				Eval: func(st *state.State) verify.Verdict {
					if st.Rules == nil {
						return verify.NotSeen(want, hint)
					}
					var others []string
					for _, got := range st.Rules {
						if ru.is(got) {
							return verify.Compare(want, want, hint)
						}
						if got.Priority == ru.priority && (got.Family == "" || got.Family == ru.family()) {
							others = append(others, fmt.Sprintf("%d: %s", got.Priority, got.Text))
						}
					}
					if len(others) == 0 {
						return verify.Missing(want, hint)
					}
					return verify.Verdict{Status: verify.Fail, Want: want, Got: strings.Join(others, ", "), Hint: hint}
				},
			})
		}
	}
}
