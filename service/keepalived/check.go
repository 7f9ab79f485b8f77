package keepalived

import (
	"cmp"
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"

	"github.com/nbr-dev/nbr/router"
	"github.com/nbr-dev/nbr/verify"
	"github.com/nbr-dev/nbr/verify/state"
)

const hint = "journalctl -u " + unit + " -n 20"

// Checks hear which router says that it has the addresses, and look where they are.
func (b *VRRP) Checks(_ *router.Router, p *verify.Plan) {
	for _, i := range b.instances() {
		i.check(p, "master", "one router has the addresses of virtual router %d", b.ID.Range, "one router", i.judgeMaster)
		i.check(p, "addresses", "the addresses of virtual router %d are where its master is", b.Addresses.Range, i.list(), i.judgeAddresses)
		i.check(p, "advertised", "what is said of virtual router %d is what the spec says", cmp.Or(b.Interval.Range, b.Addresses.Range), i.said(), i.judgeSaid)
		i.check(p, "priority", "the router with the highest priority is virtual router %d", cmp.Or(b.Priority.Range, b.Def), i.order(), i.judgePriority)
	}
}

func (i instance) device() string { return string(i.Network.Target.Device()) }

// texts are addresses in the order of their texts, as a [master] has them.
func texts(addresses []netip.Addr) []string {
	var out []string
	for _, a := range addresses {
		out = append(out, a.String())
	}
	slices.Sort(out)
	return out
}

func (i instance) list() string { return verify.List(texts(i.addresses)) }

// said is what advertisements say beside the priority.
func (i instance) said() string { return said(3, int(i.Interval.V), texts(i.addresses)) }

func said(version, interval int, addresses []string) string {
	return fmt.Sprintf("%s, every %s, VRRP version %d", verify.List(addresses), Interval(interval), version)
}

// order is which priority the master has.
func (i instance) order() string {
	text := fmt.Sprintf("priority %d or more", i.Priority.V)
	if !i.Preempt.V {
		text = fmt.Sprintf("another priority than %d, or this router", i.Priority.V)
	}
	for n, d := range router.Devices(i.Track.All()) {
		text += map[bool]string{true: ", unless ", false: " or "}[n == 0] + string(d) + " is down"
	}
	return text
}

func (i instance) check(p *verify.Plan, what, title string, from hcl.Range, want string, judge func(*state.State, []master, string) verify.Verdict) {
	family := strings.ToLower(i.family.String())
	c := verify.Check{ID: fmt.Sprintf("%s/%s/%s", i.Addr, what, family), Title: fmt.Sprintf(title+" (%s)", i.ID.V, i.family), From: from}
	q := listening{Link: i.device(), Family: family, ID: int(i.ID.V), Addresses: strings.Join(texts(i.addresses), " "), Interval: int(i.Interval.V)}
	verify.AskedOn(p, c, i.device(), advertised, q, want, hint, func(st *state.State, h heard) verify.Verdict {
		return judge(st, h.Masters, want)
	})
}

// text is a master for people.
func (m master) text(id ID) string {
	text := "this router"
	if !m.Own {
		text = m.From.String()
	}
	if m.ID != int(id) {
		text += fmt.Sprintf(" as virtual router %d", m.ID)
	}
	return text
}

// of are the masters of the instance itself.
func (i instance) of(all []master) (own *master, others []master) {
	for _, m := range all {
		switch {
		case m.ID != int(i.ID.V):
		case m.Own:
			own = &m
		default:
			others = append(others, m)
		}
	}
	return own, others
}

// lost is a tracked link that is down or has no carrier, for which the router gives the addresses away.
func (i instance) lost(st *state.State) string {
	for _, d := range router.Devices(i.Track.All()) {
		switch l, ok := st.Links[string(d)]; {
		case st.Links == nil:
		case !ok:
			return string(d) + " is not there"
		case !l.Up:
			return string(d) + " is down"
		case !l.Carrier:
			return string(d) + " has no carrier"
		}
	}
	return ""
}

// judgeMaster wants one router that says that it has the addresses.
func (i instance) judgeMaster(st *state.State, all []master, want string) verify.Verdict {
	var got []string
	right := len(all) == 1
	for _, m := range all {
		got = append(got, m.text(i.ID.V))
		right = right && m.ID == int(i.ID.V)
	}
	if len(all) == 0 {
		got = []string{"no advertisement in " + window(int(i.Interval.V)).String()}
		if lost := i.lost(st); lost != "" {
			got = append(got, lost)
		}
	}
	return verify.Judge(right, want, strings.Join(got, ", "), hint)
}

// judgeAddresses wants the addresses on the link if this router says so, and else none.
func (i instance) judgeAddresses(st *state.State, all []master, want string) verify.Verdict {
	see := "ip addr show dev " + i.device()
	if st.Addrs == nil {
		return verify.NotSeen(want, see)
	}
	there := []string{}
	for _, a := range i.addresses {
		if slices.ContainsFunc(st.Addrs, func(s state.Addr) bool {
			own, _, _ := strings.Cut(s.Prefix, "/")
			return s.Link == i.device() && own == a.String()
		}) {
			there = append(there, a.String())
		}
	}
	slices.Sort(there)
	own, others := i.of(all)
	by := "another router is the master"
	switch {
	case own != nil:
		return verify.Compare(want, verify.List(there), see)
	case len(others) > 0:
		by = others[0].From.String() + " is the master"
	case len(all) == 0:
		by = "no router is the master"
	}
	return verify.Judge(len(there) == 0, "none here, for "+by, verify.List(there), see)
}

// judgeSaid wants all masters to say what the spec does: a backup leaves what differs alone.
func (i instance) judgeSaid(_ *state.State, all []master, want string) verify.Verdict {
	heard := false
	for _, m := range all {
		if m.ID != int(i.ID.V) {
			continue
		}
		heard = true
		if got := said(m.Version, m.Interval, m.Addresses); got != want {
			return verify.Judge(false, want, m.text(i.ID.V)+" says "+got, hint)
		}
	}
	if !heard {
		return verify.Skipped(want, "nothing is advertised", hint)
	}
	return verify.Compare(want, want, hint)
}

// judgePriority wants no router before this one that is to come after it, and no two that are equal.
func (i instance) judgePriority(st *state.State, all []master, want string) verify.Verdict {
	own, others := i.of(all)
	text := func(m master) string { return fmt.Sprintf("%s with priority %d", m.text(i.ID.V), m.Priority) }
	switch {
	case own != nil:
		return verify.Judge(own.Priority == int(i.Priority.V), want, text(*own), hint)
	case len(others) == 0:
		return verify.Skipped(want, "nothing is advertised", hint)
	}
	m := others[0]
	switch lost := i.lost(st); {
	case m.Priority > int(i.Priority.V), m.Priority < int(i.Priority.V) && !i.Preempt.V:
		return verify.Judge(true, want, text(m), hint)
	case m.Priority == int(i.Priority.V):
		return verify.Judge(false, fmt.Sprintf("another priority than %d", m.Priority), text(m), hint)
	case lost != "":
		return verify.Skipped(want, text(m)+", for "+lost, hint)
	case st.Links == nil && len(i.Track.Items) > 0:
		return verify.NotSeen(want, hint)
	default:
		return verify.Judge(false, want, text(m), hint)
	}
}
