package ifstate

import (
	"fmt"
	"net/netip"
	"slices"

	"github.com/nbr-dev/nbr/nixgen"
	"github.com/nbr-dev/nbr/router"
	"github.com/nbr-dev/nbr/service"
	"github.com/nbr-dev/nbr/verify"
	"github.com/nbr-dev/nbr/verify/state"
)

// What a lease or a router advertisement brings is a route in the main table, where the
// longer prefix decides, and whatever takes a wrong one back comes after it. So the prefixes
// that the spec places have their routes in a table of their own as well, which rules ask
// first: after that of VRFs (1000), before main (32766). ip-rule(8).
const (
	aheadTable    = 130 // IfState has room for one byte
	aheadPriority = 13000
)

// ahead are the routes that no upstream may take over: those to the router's own networks,
// and those that the spec or a tunnel has. Without an upstream that gives something there
// are none. A routing daemon learns longer prefixes of what the spec routes, and means it.
func ahead(r *router.Router) []route {
	if !slices.ContainsFunc(r.Networks, func(n *router.Network) bool { _, later := n.Split(); return len(later) > 0 }) {
		return nil
	}
	type key struct {
		to     string
		metric int
	}
	there := map[key]bool{}
	var out []route
	add := func(rt route) {
		if k := (key{rt.to, rt.metric}); !there[k] {
			there[k], rt.table = true, aheadTable
			out = append(out, rt)
		}
	}
	for _, n := range r.Networks {
		for _, a := range n.Addresses() {
			how, ok := a.How.(router.Fixed)
			if !ok || how.IsSingleIP() {
				continue
			}
			rt := route{By: router.By{Addr: n.Addr, From: a.From}, to: how.Masked().String(), dev: n.Device()}
			if how.Addr().Is4() {
				rt.src = how.Addr().String() // else it is the link's first; of IPv6 RFC 6724 chooses
			}
			add(rt)
		}
	}
	learns := slices.ContainsFunc(router.Claimed[router.OwnRoutes](r), func(o *router.OwnRoutes) bool { return len(o.On) == 0 })
	for _, rt := range routes(r) {
		if to, err := netip.ParsePrefix(rt.to); !learns && err == nil && to.Bits() > 0 {
			add(rt)
		}
	}
	return out
}

// A rule is a rule of policy routing.
type rule struct {
	router.By
	to string
}

func rules(r *router.Router) []rule {
	there := map[string]bool{}
	var out []rule
	for _, rt := range ahead(r) {
		if !there[rt.to] {
			there[rt.to] = true
			out = append(out, rule{rt.By, rt.to})
		}
	}
	return out
}

// seen is the rule as it is listed.
func (ru rule) seen() string {
	to := ru.to
	if p, err := netip.ParsePrefix(to); err == nil && p.IsSingleIP() {
		to = p.Addr().String()
	}
	return fmt.Sprintf("from all to %s lookup %d", to, aheadTable)
}

func (ru rule) is(got state.Rule) bool {
	return got.Priority == aheadPriority && got.Text == ru.seen()
}

// lowerAhead sets the table and the rules.
func lowerAhead(r *router.Router, m *nixgen.Module) {
	for _, rt := range ahead(r) {
		m.Add(service.By(rt.By), sub("routing", "routes"), routeAttrs(rt))
	}
	for _, ru := range rules(r) {
		m.Add(service.By(ru.By), sub("routing", "rules"), nixgen.Attrs{
			nixgen.Bind(nixgen.Str(ru.to), "to"),
			nixgen.Bind(nixgen.Int(aheadTable), "table"),
			nixgen.Bind(nixgen.Int(aheadPriority), "priority"),
		})
	}
}

// aheadChecks add the checks that the prefixes that the spec places are asked for first.
func aheadChecks(r *router.Router, p *verify.Plan) {
	for _, rt := range ahead(r) {
		want, hint := fmt.Sprintf("table %d, asked first", aheadTable), fmt.Sprintf("ip rule; ip route show table %d", aheadTable)
		if to, err := netip.ParsePrefix(rt.to); err == nil && to.Addr().Is6() {
			hint = fmt.Sprintf("ip -6 rule; ip -6 route show table %d", aheadTable)
		}
		seen := rule{rt.By, rt.to}.seen()
		p.Add(verify.Check{
			ID: fmt.Sprintf("%s/ahead/%s", rt.Addr, rt.to), Title: rt.to + " is for no upstream to take", From: rt.From,
			Eval: func(st *state.State) verify.Verdict {
				switch {
				case st.Routes == nil || st.Rules == nil:
					return verify.NotSeen(want, hint)
				case !slices.ContainsFunc(st.Rules, func(got state.Rule) bool { return got.Priority == aheadPriority && got.Text == seen }):
					return verify.Verdict{Status: verify.Fail, Want: want, Got: "no rule for it", Hint: hint}
				case !slices.ContainsFunc(st.Routes, rt.is):
					return verify.Verdict{Status: verify.Fail, Want: want, Got: "no route there", Hint: hint}
				}
				return verify.Compare(want, want, hint)
			},
		})
	}
}
