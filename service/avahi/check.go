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
		if asked[device] {
			continue
		}
		asked[device] = true
		own := addresses(r, n.Target)
		if m.Publish.V {
			if from, ok := otherHost(own); ok {
				m.named(p, asking{Link: string(device), From: from}, own, r)
			}
			if slices.ContainsFunc(r.On(n.Target.Link.Target), func(on *router.Network) bool { return on.Has(router.IPv6) }) {
				m.named(p, asking{Link: string(device), From: linkLocal}, own, r)
			}
		}
		if from, ok := otherHost(own); ok && m.reflects() {
			m.passes(r, p, asking{Link: string(device), From: from})
		}
	}
}

// addresses are the router's own on the link of a network, as far as the spec knows them.
func addresses(r *router.Router, n *router.Network) (out []netip.Prefix) {
	for _, on := range r.On(n.Link.Target) {
		fixed, _ := on.Split()
		out = append(out, fixed...)
	}
	return out
}

// named adds the check that hosts on a link are told the router's addresses there.
func (m *MDNS) named(p *verify.Plan, q asking, own []netip.Prefix, r *router.Router) {
	name := string(r.System.Name.V) + ".local"
	var want []string
	for _, o := range own {
		if o.Addr().Is4() == q.From.Is4() {
			want = append(want, o.Addr().String())
		}
	}
	slices.Sort(want)
	text := verify.List(want)
	if len(want) == 0 {
		text = "an address" // of a delegated prefix, which the spec does not know
	}
	c := verify.Check{ID: fmt.Sprintf("%s/name/%s", m.Addr, q.Link), Title: name + " is the router for hosts on " + q.Link, From: cmp.Or(m.Publish.Range, m.Def)}
	if q.From.Is6() {
		c.ID, c.Title = c.ID+"/ipv6", c.Title+" (IPv6)"
	}
	verify.AskedOn(p, c, q.Link, namedAs, naming{asking: q, Name: name}, text, hint, func(st *state.State, a answer) verify.Verdict {
		if len(a.Addresses) == 0 {
			return verify.Judge(false, text, "no answer", hint)
		}
		for _, w := range want {
			if verify.Tentative(st, w) {
				return verify.Skipped(text, w+" is tentative until there is a cable", hint)
			}
		}
		// It may have others: of DHCP, or of advertisements.
		missing := slices.ContainsFunc(want, func(w string) bool { return !slices.Contains(a.Addresses, w) })
		return verify.Judge(!missing, text, verify.List(a.Addresses), hint)
	})
}

// unlisted is a type of services that is in no list.
const unlisted = "_nbr-verify._tcp"

// passes adds the checks that what a host on a link announces is heard on each other one: the types of
// the list and no other, or any if there is no list.
// Of IPv6 a message is sent from a link-local address, which tells no link.
func (m *MDNS) passes(r *router.Router, p *verify.Plan, q asking) {
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
		own := addresses(r, n.Target)
		if _, ok := otherHost(own); done[to] || !ok {
			continue
		}
		done[to] = true
		c := verify.Check{ID: fmt.Sprintf("%s/passes/%s/%s", m.Addr, q.Link, to), Title: fmt.Sprintf("mDNS of %s is heard on %s", q.Link, to), From: cmp.Or(m.Types.Range, n.Range)}
		probed := announcing{asking: q, Types: strings.Join(append(slices.Clone(types), unlisted), " ")}
		verify.AskedOn(p, c, q.Link, passedOn, probed, want, hint, func(st *state.State, h heard) verify.Verdict {
			var there []string
			for _, on := range h.On {
				if slices.ContainsFunc(own, func(o netip.Prefix) bool { return o.Addr() == on.From }) {
					there = append(there, on.Types...)
				}
			}
			// In the order of the list.
			got := slices.DeleteFunc(strings.Fields(probed.Types), func(t string) bool { return !slices.Contains(there, t) })
			if len(got) == 0 && verify.NoCarrier(st, string(to)) {
				return verify.Skipped(want, string(to)+" has no carrier", hint)
			}
			return verify.Compare(want, verify.List(got), hint)
		})
	}
}

// linkLocal is from where hosts ask by IPv6. The kernel takes it for that of any neighbour.
var linkLocal = netip.MustParseAddr("fe80::5353")

// otherHost is an IPv4 address that a host of the networks on a link may have and the router has not: what
// comes from elsewhere is dropped as spoofed. There is none in a network that is the router alone.
func otherHost(own []netip.Prefix) (netip.Addr, bool) {
	for _, o := range own {
		if !o.Addr().Is4() {
			continue
		}
		last := router.Broadcast(o)
		for _, a := range []netip.Addr{last.Prev(), last.Prev().Prev(), last, o.Masked().Addr()} {
			host := o.Bits() == 31 || a != last && a != o.Masked().Addr()
			if host && o.Contains(a) && a != o.Addr() {
				return a, true
			}
		}
	}
	return netip.Addr{}, false
}
