package frr

import (
	"fmt"
	"maps"
	"net/netip"
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"

	"github.com/nbr-dev/nbr/router"
	"github.com/nbr-dev/nbr/verify"
	"github.com/nbr-dev/nbr/verify/state"
)

// Checks ask bgpd for each session and for what goes over it: Established says nothing of
// prefixes. Then they look for the routes in the kernel, where packets are led by them.
func (b *BGP) Checks(_ *router.Router, p *verify.Plan) {
	for _, n := range b.Neighbors {
		b.neighbour(p, n)
	}
	// A prefix that several neighbours send is one route, and none where something better
	// is known: that there are any can be promised.
	for _, v6 := range []bool{false, true} {
		if slices.ContainsFunc(b.Neighbors, func(n *Neighbor) bool { return n.Address.V.Is6() == v6 && n.Expect.V > 0 }) {
			installed(p, b.Addr.String()+"/routes/"+family(v6), b.Def, protocolBGP, v6, 1)
		}
	}
}

// family is FRR's word for a version of IP in BGP.
func family(v6 bool) string {
	if v6 {
		return "ipv6"
	}
	return "ipv4"
}

func (b *BGP) neighbour(p *verify.Plan, n *Neighbor) {
	id, peer := n.Addr.String(), n.Address.V.Addr
	hint := fmt.Sprintf("vtysh -c 'show bgp neighbors %s'", peer)
	ask := func(what, title string, from hcl.Range, want, hint string, judge func(session) verify.Verdict) {
		c := verify.Check{ID: id + "/" + what, Title: title, From: from}
		verify.Asked(p, c, bgpSession, peer, want, hint, func(_ *state.State, s session) verify.Verdict {
			switch {
			case !s.Running:
				return verify.Judge(false, want, "bgpd does not run", "systemctl status frr")
			case s.State == "":
				return verify.Judge(false, want, "bgpd has no such neighbour", hint)
			}
			return judge(s)
		})
	}
	ask("session", fmt.Sprintf("the session with %s is up", peer), n.Address.Range, established, hint, func(s session) verify.Verdict {
		got := s.State
		if s.State != established && s.Reason != "" {
			got += " (" + s.Reason + ")"
		}
		return verify.Judge(s.State == established, established, got, hint)
	})
	from := n.Def
	if n.Expect.Set {
		from = n.Expect.Range
	}
	want := fmt.Sprintf("at least %d prefixes", n.Expect.V)
	received := fmt.Sprintf("vtysh -c 'show bgp %s unicast neighbors %s routes'", family(peer.Is6()), peer)
	ask("received", fmt.Sprintf("%s sends its prefixes", peer), from, want, received, func(s session) verify.Verdict {
		if s.State != established {
			return verify.Judge(false, want, "no session", hint)
		}
		return verify.Judge(s.Received >= n.Expect.V, want, fmt.Sprintf("%d prefixes", s.Received), received)
	})
	told := b.told(n)
	if len(told) == 0 {
		return
	}
	from = n.Def
	if n.Out.Set {
		from = n.Out.Range
	}
	sent := fmt.Sprintf("vtysh -c 'show bgp %s unicast neighbors %s advertised-routes'", family(peer.Is6()), peer)
	ask("sent", fmt.Sprintf("%s is told the router's prefixes", peer), from, list(told), sent, func(s session) verify.Verdict {
		if s.State != established {
			return verify.Judge(false, list(told), "no session", hint)
		}
		lacks := slices.DeleteFunc(slices.Clone(told), func(p netip.Prefix) bool { return slices.Contains(s.Sent, p) })
		if len(lacks) > 0 {
			return verify.Judge(false, list(told), "without "+list(lacks), sent)
		}
		return verify.Compare(list(told), list(told), sent)
	})
}

func list(ps []netip.Prefix) string {
	var out []string
	for _, p := range ps {
		out = append(out, p.String())
	}
	return strings.Join(out, ", ")
}

// installed adds the check that the kernel has routes of a protocol: what the daemon has
// chosen the kernel may refuse.
func installed(p *verify.Plan, id string, from hcl.Range, protocol uint8, v6 bool, least int) {
	name := state.RouteProtocolName(protocol)
	want, hint := fmt.Sprintf("at least %d routes", least), fmt.Sprintf("ip -%c route show proto %s", family(v6)[3], name)
	title := fmt.Sprintf("routes of %s for %s are in the kernel", name, family(v6))
	p.Add(verify.Check{ID: id, Title: title, From: from, Eval: func(st *state.State) verify.Verdict {
		if st.Routes == nil {
			return verify.NotSeen(want, hint)
		}
		n := 0
		for _, r := range st.Routes {
			if to, err := netip.ParsePrefix(r.To); err == nil && to.Addr().Is6() == v6 && r.Proto == name {
				n++
			}
		}
		return verify.Judge(n >= least, want, fmt.Sprintf("%d routes", n), hint)
	}})
}

// Checks ask ospfd for the neighbours in each network, and the kernel for the routes.
func (o *OSPF) Checks(_ *router.Router, p *verify.Plan) {
	for _, a := range o.Areas {
		for _, n := range a.Networks.Items {
			o.adjacent(p, a, n.Addr.String(), string(n.Target.Device()), n.Range)
		}
	}
	from := o.Def
	if o.Expect.Set {
		from = o.Expect.Range
	}
	installed(p, o.Addr.String()+"/routes", from, protocolOSPF, false, o.Expect.V)
}

// adjacent adds the check that the databases of the neighbours in a network are the
// router's. Between two of which neither is designated, 2-Way is where it ends (RFC 2328
// section 10.4), so one that is full is enough.
func (o *OSPF) adjacent(p *verify.Plan, a *Area, network, device string, from hcl.Range) {
	const want, hint = "a neighbour that is Full, and none on its way", "vtysh -c 'show ip ospf neighbor'"
	c := verify.Check{ID: a.Addr.String() + "/adjacent/" + network, Title: "neighbours in " + network + " are adjacent", From: from}
	verify.Asked(p, c, ospfNeighbours, device, want, hint, func(_ *state.State, s adjacencies) verify.Verdict {
		if !s.Running {
			return verify.Judge(false, want, "ospfd does not run", "systemctl status frr")
		}
		var got []string
		full, ok := false, true
		for _, id := range slices.Sorted(maps.Keys(s.States)) {
			name, _, _ := strings.Cut(s.States[id], "/")
			full = full || name == "Full"
			ok = ok && (name == "Full" || name == "2-Way")
			got = append(got, id+" is "+s.States[id])
		}
		if len(got) == 0 {
			got = []string{"no neighbour"}
		}
		return verify.Judge(full && ok, want, strings.Join(got, ", "), hint)
	})
}

// check compares the list with bgpd's, for one version of IP.
func (l *PrefixList) check(p *verify.Plan, v6 bool) {
	q := listQuestion{l.name(), v6}
	want, hint := strings.Join(l.rules(v6), ", "), fmt.Sprintf("vtysh -c 'show %s prefix-list %s'", word(v6), q.Name)
	c := verify.Check{ID: l.Addr.String() + "/" + family(v6), Title: "bgpd has the list of " + family(v6), From: l.Def}
	verify.Asked(p, c, prefixList, q, want, hint, func(_ *state.State, s listed) verify.Verdict {
		switch {
		case !s.Running:
			return verify.Judge(false, want, "bgpd does not run", "systemctl status frr")
		case len(s.Rules) == 0:
			return verify.Missing(want, hint)
		}
		return verify.Compare(want, strings.Join(s.Rules, ", "), hint)
	})
}
