package avahi

import (
	"cmp"
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"github.com/nbr-dev/nbr/router"
	"github.com/nbr-dev/nbr/verify"
	"github.com/nbr-dev/nbr/verify/state"
)

const hint = "journalctl -u " + unit + " -n 20"

// Checks ask what a host of each network asks and says: the router's name, and services that are
// heard of on the other links.
func (m *MDNS) Checks(r *router.Router, p *verify.Plan) {
	id := m.Addr.String()
	p.UnitActive(id+"/unit", m.Def, unit+".service")
	asked := map[router.IfName]bool{}
	for _, n := range m.Networks.Items {
		device := n.Target.Device()
		own, ok := n.Target.FixedIn(router.IPv4)
		if asked[device] || !ok {
			continue
		}
		asked[device] = true
		q := asking{Link: string(device), Of: own.Addr(), From: otherHost(own)}
		if m.Publish.V {
			m.named(p, q, r)
		}
		if m.reflects() {
			m.passes(p, q)
		}
	}
}

// named adds the check that hosts on a link are told the router's addresses there.
func (m *MDNS) named(p *verify.Plan, q asking, r *router.Router) {
	name := string(r.System.Name.V) + ".local"
	want := q.Of.String()
	c := verify.Check{ID: fmt.Sprintf("%s/name/%s", m.Addr, q.Link), Title: name + " is the router for hosts on " + q.Link, From: cmp.Or(m.Publish.Range, m.Def)}
	verify.AskedOn(p, c, q.Link, namedAs, naming{asking: q, Name: name}, want, hint, func(_ *state.State, a addresses) verify.Verdict {
		if len(a.Addresses) == 0 {
			return verify.Judge(false, want, "no answer", hint)
		}
		return verify.Compare(want, strings.Join(a.Addresses, ", "), hint)
	})
}

// unlisted is a type of services that is in no list.
const unlisted = "_nbr-verify._tcp"

// passes adds the checks that what a host on a link announces is heard on each other one: the types of
// the list and no other, or any if there is no list.
func (m *MDNS) passes(p *verify.Plan, q asking) {
	var types []string
	for _, t := range m.Types.All() {
		types = append(types, string(t))
	}
	want := verify.List(types)
	if !m.Types.Set {
		want = unlisted
	}
	done := map[router.IfName]bool{router.IfName(q.Link): true}
	for _, n := range m.Networks.Items {
		to := n.Target.Device()
		own, ok := n.Target.FixedIn(router.IPv4)
		if done[to] || !ok {
			continue
		}
		done[to] = true
		c := verify.Check{ID: fmt.Sprintf("%s/passes/%s/%s", m.Addr, q.Link, to), Title: fmt.Sprintf("mDNS of %s is heard on %s", q.Link, to), From: cmp.Or(m.Types.Range, n.Range)}
		probed := announcing{asking: q, Types: strings.Join(append(slices.Clone(types), unlisted), " ")}
		verify.AskedOn(p, c, q.Link, passedOn, probed, want, hint, func(st *state.State, h heard) verify.Verdict {
			var got []string // in the order of the list
			for _, on := range h.On {
				if on.From == own.Addr() {
					got = slices.DeleteFunc(strings.Fields(probed.Types), func(t string) bool { return !slices.Contains(on.Types, t) })
				}
			}
			if len(got) == 0 && verify.NoCarrier(st, string(to)) {
				return verify.Skipped(want, string(to)+" has no carrier", hint)
			}
			return verify.Compare(want, verify.List(got), hint)
		})
	}
}

// otherHost is the last address of a network that may be a host's and is not the router's own: what
// comes from elsewhere is dropped as spoofed.
func otherHost(own netip.Prefix) netip.Addr {
	last := router.Broadcast(own).Prev()
	if last == own.Addr() {
		last = last.Prev()
	}
	return last
}
