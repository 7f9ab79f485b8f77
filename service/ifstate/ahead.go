package ifstate

import (
	"fmt"
	"net/netip"
	"slices"

	"github.com/nbr-dev/nbr/router"
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

// ahead are the routes that no upstream may take over, and no rule of the spec: those to the
// router's own networks, and those that the spec or a tunnel has. Without an upstream that gives
// something, and without such rules, there are none. A routing daemon learns longer prefixes of
// what the spec routes, and means it.
func ahead(r *router.Router) []route {
	later := func(n *router.Network) bool { _, later := n.Split(); return len(later) > 0 }
	if len(r.RoutingRules) == 0 && !slices.ContainsFunc(r.Networks, later) {
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
		if r.VRFOf(n.Link.Target) != nil {
			continue // only packets of the VRF get there
		}
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
		if to, err := netip.ParsePrefix(rt.to); !learns && err == nil && to.Bits() > 0 && rt.table == 0 {
			add(rt)
		}
	}
	return out
}

// aheadChecks add the checks that the prefixes that the spec places are asked for first.
func aheadChecks(r *router.Router, p *verify.Plan) {
	for _, rt := range ahead(r) {
		want, hint := fmt.Sprintf("table %d, asked first", aheadTable), fmt.Sprintf("ip rule; ip route show table %d", aheadTable)
		if to, err := netip.ParsePrefix(rt.to); err == nil && to.Addr().Is6() {
			hint = fmt.Sprintf("ip -6 rule; ip -6 route show table %d", aheadTable)
		}
		first := aheadRule(rt)
		p.Add(verify.Check{
			ID: fmt.Sprintf("%s/ahead/%s", rt.Addr, rt.to), Title: rt.to + " is for no upstream to take", From: rt.From,
			Eval: func(st *state.State) verify.Verdict {
				switch {
				case st.Routes == nil || st.Rules == nil:
					return verify.NotSeen(want, hint)
				case !slices.ContainsFunc(st.Rules, first.is):
					return verify.Verdict{Status: verify.Fail, Want: want, Got: "no rule for it", Hint: hint}
				case !rt.there(st):
					return verify.Verdict{Status: verify.Fail, Want: want, Got: "no route there", Hint: hint}
				}
				return verify.Compare(want, want, hint)
			},
		})
	}
}
