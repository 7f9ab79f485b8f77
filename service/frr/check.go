package frr

import (
	"cmp"
	"fmt"
	"maps"
	"net/netip"
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"

	"github.com/nbr-dev/nbr/hcl/conf"
	"github.com/nbr-dev/nbr/router"
	"github.com/nbr-dev/nbr/verify"
	"github.com/nbr-dev/nbr/verify/state"
)

// Checks ask bgpd for each session and for what goes over it: Established says nothing of
// prefixes. Then they look for the routes in the kernel, where packets are led by them.
func (b *BGP) Checks(r *router.Router, p *verify.Plan) {
	for i, n := range b.Neighbors {
		if i == 0 {
			b.identity(p, n)
		}
		b.neighbour(r, p, n)
	}
	// A prefix that several neighbours send is one route, and none where something better
	// is known: that there are any can be promised.
	expects := func(byLink, v6 bool) bool {
		return slices.ContainsFunc(b.Neighbors, func(n *Neighbor) bool {
			return n.byLink() == byLink && (byLink || n.carries(v6)) && n.has().Expect.V > 0
		})
	}
	for _, v6 := range []bool{false, true} {
		if expects(false, v6) {
			installed(p, b.Addr.String()+"/routes/"+family(v6), b.Def, protocolBGP, v6, 1)
		}
	}
	if expects(true, false) {
		b.installedByLink(p)
	}
	checkWatched(r, p, b.Addr)
	checkRedistributed(r, p, "bgpd", "bgp", b.Redistribute)
}

// heeded says whether a daemon does as BFD says.
func heeded(yes bool) string {
	if yes {
		return "BFD is heeded"
	}
	return "BFD is not heeded"
}

// family is FRR's word for a version of IP in BGP.
func family(v6 bool) string {
	if v6 {
		return "ipv6"
	}
	return "ipv4"
}

// asker adds checks of a session. What it promises is judged if bgpd knows the neighbour.
type asker func(what, title string, from hcl.Range, want, hint string, judge func(*state.State, session) verify.Verdict)

// asker is for checks whose names begin with id, of the session with a neighbour.
func (n *Neighbor) asker(p *verify.Plan, id string) asker {
	return func(what, title string, from hcl.Range, want, hint string, judge func(*state.State, session) verify.Verdict) {
		n.ask(p, verify.Check{ID: id + "/" + what, Title: title, From: from}, want, hint, judge)
	}
}

// ask adds a check of the session with a neighbour.
func (n *Neighbor) ask(p *verify.Plan, c verify.Check, want, hint string, judge func(*state.State, session) verify.Verdict) {
	verify.Asked(p, c, bgpSession, n.peer(), want, hint, func(st *state.State, s session) verify.Verdict {
		switch {
		case !s.Running:
			return verify.Judge(false, want, "bgpd does not run", "systemctl status frr")
		case s.State == "":
			return verify.Judge(false, want, "bgpd has no such neighbour", n.hint())
		}
		return judge(st, s)
	})
}

// settingID is the name of a check of a setting: the group's if that has it, with the neighbour at the end.
func (n *Neighbor) settingID(what string, own bool) string {
	if own || !n.Group.Set {
		return n.Addr.String() + "/" + what
	}
	return n.Group.Addr.String() + "/" + what + "/" + string(n.Name.V)
}

// setting is for checks of a setting, which the neighbour has itself or by its group.
func (n *Neighbor) setting(p *verify.Plan, own bool) asker {
	return func(what, title string, from hcl.Range, want, hint string, judge func(*state.State, session) verify.Verdict) {
		n.ask(p, verify.Check{ID: n.settingID(what, own), Title: title, From: from}, want, hint, judge)
	}
}

// same adds the check that bgpd says something of a session.
func (ask asker) same(what, title string, from hcl.Range, want, hint string, got func(session) string) {
	ask(what, title, from, want, hint, func(_ *state.State, s session) verify.Verdict { return verify.Compare(want, got(s), hint) })
}

func (n *Neighbor) hint() string { return fmt.Sprintf("vtysh -c 'show bgp neighbors %s'", n.peer()) }

// identity adds the checks of what the router says of itself, to all neighbours the same.
func (b *BGP) identity(p *verify.Plan, n *Neighbor) {
	ask := n.asker(p, b.Addr.String())
	ask.same("as", "the router's autonomous system", b.AS.Range, fmt.Sprint(b.AS.V), n.hint(), func(s session) string { return fmt.Sprint(s.AS) })
	ask.same("router-id", "the router's identifier in BGP", b.RouterID.Range, b.RouterID.V.String(), n.hint(), func(s session) string { return s.RouterID })
}

func (b *BGP) neighbour(r *router.Router, p *verify.Plan, n *Neighbor) {
	has, peer, hint := n.has(), n.peer(), n.hint()
	ask := n.asker(p, n.Addr.String())
	ask("session", fmt.Sprintf("the session with %s is up", peer), n.where(), established, hint, func(_ *state.State, s session) verify.Verdict {
		got := s.State
		if s.State != established && s.Reason != "" {
			got += " (" + s.Reason + ")"
		}
		return verify.Judge(s.State == established, established, got, hint)
	})
	n.setting(p, n.RemoteAS.Set).same("remote-as", fmt.Sprintf("the autonomous system that %s has to be of", peer), has.RemoteAS.Range, fmt.Sprint(has.RemoteAS.V), hint, func(s session) string { return fmt.Sprint(s.RemoteAS) })
	if has.Password.Set {
		checkKey(p, n.settingID("password", n.Password.Set), fmt.Sprintf("the password of the session with %s", peer), has.Password.Range, keyQuestion{Neighbor: peer}, has.Password.Target)
	}
	if has.BFD.Set {
		n.setting(p, n.BFD.Set).same("bfd-heeded", fmt.Sprintf("the session with %s ends when BFD does", peer), has.BFD.Range, heeded(true), hint, func(s session) string { return heeded(s.BFD) })
	}
	if n.byLink() { // FRR knows it by the link, and there is no other way
		n.checkNextHops(ask)
	} else {
		n.checkPlace(ask, n.place(r))
	}
	for _, l := range []struct {
		what, title string
		ref         conf.Ref[*PrefixList]
		own         bool
		got         func(session) string
	}{
		{"prefixes-in", "what is taken from %s", has.In, n.In.Set, func(s session) string { return s.In }},
		{"prefixes-out", "what %s is told", has.Out, n.Out.Set, func(s session) string { return s.Out }},
	} {
		if l.ref.Set {
			n.setting(p, l.own).same(l.what, "the prefix list for "+fmt.Sprintf(l.title, peer), l.ref.Range, l.ref.Target.name(), hint, func(s session) string { return cmp.Or(l.got(s), "no list") })
		}
	}
	from := n.Def
	if has.Expect.Set {
		from = has.Expect.Range
	}
	want := fmt.Sprintf("at least %d prefixes", has.Expect.V)
	received := n.routesHint("routes")
	ask("received", fmt.Sprintf("%s sends its prefixes", peer), from, want, received, func(_ *state.State, s session) verify.Verdict {
		if s.State != established {
			return verify.Judge(false, want, "no session", hint)
		}
		return verify.Judge(s.Received >= has.Expect.V, want, fmt.Sprintf("%d prefixes", s.Received), received)
	})
	told := b.told(n)
	if len(told) == 0 {
		return
	}
	from = n.Def
	if has.Out.Set {
		from = has.Out.Range
	}
	sent := n.routesHint("advertised-routes")
	ask("sent", fmt.Sprintf("%s is told the router's prefixes", peer), from, list(told), sent, func(_ *state.State, s session) verify.Verdict {
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

// routesHint shows the routes that a neighbour sends, or is told.
func (n *Neighbor) routesHint(which string) string {
	var commands []string
	for _, v6 := range []bool{false, true} {
		if n.carries(v6) {
			commands = append(commands, fmt.Sprintf("-c 'show bgp %s unicast neighbors %s %s'", family(v6), n.peer(), which))
		}
	}
	return "vtysh " + strings.Join(commands, " ")
}

// checkNextHops adds the check that both ends take IPv6 next hops of IPv4 routes (RFC 8950): without it
// none of IPv4 is exchanged.
func (n *Neighbor) checkNextHops(ask asker) {
	const want = "both ends take them"
	ask("next-hops", fmt.Sprintf("IPv6 next hops of IPv4 routes with %s", n.peer()), n.where(), want, n.hint(), func(_ *state.State, s session) verify.Verdict {
		if s.State != established {
			return verify.Judge(false, want, "no session", n.hint())
		}
		return verify.Judge(s.NextHops, want, "not both ends take them", n.hint())
	})
}

// installedByLink adds the check that the kernel has routes over the links by which neighbours are known,
// those of IPv4 by an IPv6 address of the link.
func (b *BGP) installedByLink(p *verify.Plan) {
	var links []string
	for _, n := range b.Neighbors {
		if n.byLink() && n.has().Expect.V > 0 {
			links = append(links, n.peer())
		}
	}
	want, hint := "routes by link-local addresses on "+strings.Join(links, ", "), "ip route show proto bgp; ip -6 route show proto bgp"
	p.Add(verify.Check{ID: b.Addr.String() + "/routes/by-link", Title: "routes of BGP by link are in the kernel", From: b.Def, Eval: func(st *state.State) verify.Verdict {
		if st.Routes == nil {
			return verify.NotSeen(want, hint)
		}
		for _, r := range st.Routes {
			via, err := netip.ParseAddr(r.Via)
			if r.Proto == state.RouteProtocolName(protocolBGP) && err == nil && via.Is6() && via.IsLinkLocalUnicast() && slices.Contains(links, r.Link) {
				return verify.Judge(true, want, want, hint)
			}
		}
		return verify.Judge(false, want, "none", hint)
	}})
}

// checkPlace adds the check that the session goes over the link of the neighbour's network:
// the firewall lets it in there alone, and by another way any host there could pose as it.
func (n *Neighbor) checkPlace(ask asker, at *router.Network) {
	from := n.Address.Range
	if named := n.has().Network; named.Set {
		from = named.Range
	}
	want, hint := string(at.Device()), fmt.Sprintf("ip route get %s", n.Address.V)
	ask("link", fmt.Sprintf("the link of the session with %s", n.Address.V), from, want, hint, func(st *state.State, s session) verify.Verdict {
		switch {
		case s.Local == "":
			return verify.Judge(false, want, "no session", n.hint())
		case st.Addrs == nil:
			return verify.NotSeen(want, hint)
		}
		for _, a := range st.Addrs {
			if own, _, _ := strings.Cut(a.Prefix, "/"); own == s.Local {
				return verify.Compare(want, a.Link, hint)
			}
		}
		return verify.Judge(false, want, s.Local+", which no link has", hint)
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
			if to, err := netip.ParsePrefix(r.To); err == nil && to.Addr().Is6() == v6 && r.Proto == name && r.Type == "" {
				n++
			}
		}
		return verify.Judge(n >= least, want, fmt.Sprintf("%d routes", n), hint)
	}})
}

// Checks ask ospfd for the neighbours in each network, and the kernel for the routes.
func (o *OSPF) Checks(r *router.Router, p *verify.Plan) {
	for _, a := range o.Areas {
		for _, n := range a.Networks.Items {
			o.adjacent(p, a, n.Addr.String(), string(n.Target.Device()), n.Range)
			a.speaks(p, n, "active")
			if a.Password.Set {
				a.authenticates(p, n)
			}
			if a.BFD.Set {
				a.heedsBFD(p, n)
			}
		}
		for _, n := range a.Passive.Items {
			a.speaks(p, n, "passive")
		}
		if a.Password.Set {
			checkKey(p, a.Addr.String()+"/password", "the password of "+a.Addr.String(), a.Password.Range, keyQuestion{KeyChain: a.keyChain(), Daemon: "ospfd"}, a.Password.Target)
		}
	}
	from := o.Def
	if o.Expect.Set {
		from = o.Expect.Range
	}
	installed(p, o.Addr.String()+"/routes", from, protocolOSPF, false, o.Expect.V)
	checkWatched(r, p, o.Addr)
	checkRedistributed(r, p, "ospfd", "ospf", o.Redistribute)
	const hint = "vtysh -c 'show ip ospf'"
	c := verify.Check{ID: o.Addr.String() + "/router-id", Title: "the router's identifier in OSPF", From: o.RouterID.Range}
	want := o.RouterID.V.String()
	verify.Asked(p, c, ospfRouter, struct{}{}, want, hint, func(_ *state.State, s speaker) verify.Verdict {
		if !s.Running {
			return verify.Judge(false, want, "ospfd does not run", "systemctl status frr")
		}
		return verify.Compare(want, cmp.Or(s.RouterID, "none"), hint)
	})
}

// onLink adds a check of a network's link in OSPF.
func (a *Area) onLink(p *verify.Plan, n conf.Ref[*router.Network], what, title, want string, judge func(ospfLink) string) {
	c := verify.Check{ID: a.Addr.String() + "/" + what + "/" + n.Addr.String(), Title: title, From: n.Range}
	a.onDevice(p, c, string(n.Target.Device()), want, judge)
}

// onDevice adds a check of a link in OSPF.
func (a *Area) onDevice(p *verify.Plan, c verify.Check, device, want string, judge func(ospfLink) string) {
	hint := "vtysh -c 'show ip ospf interface " + device + "'"
	verify.Asked(p, c, ospfInterface, device, want, hint, func(st *state.State, l ospfLink) verify.Verdict {
		switch {
		case !l.Running:
			return verify.Judge(false, want, "ospfd does not run", "systemctl status frr")
		case l.Area == "" && verify.NoCarrier(st, device): // ospfd forgets the interface until then
			return verify.Skipped(want, "no cable in "+device, hint)
		case l.Area == "":
			return verify.Judge(false, want, device+" is in no area", hint)
		}
		return verify.Compare(want, judge(l), hint)
	})
}

// speaks adds the check that OSPF is spoken in a network, or is not, and in which area.
func (a *Area) speaks(p *verify.Plan, n conf.Ref[*router.Network], how string) {
	a.onLink(p, n, how, n.Addr.String()+" in OSPF", how+" in "+a.ID.V.String(), func(l ospfLink) string {
		if l.Passive {
			return "passive in " + l.Area
		}
		return "active in " + l.Area
	})
}

// authenticates adds the check that the neighbours of a network have to know the password.
func (a *Area) authenticates(p *verify.Plan, n conf.Ref[*router.Network]) {
	a.onLink(p, n, "authentication", "neighbours in "+n.Addr.String()+" have to know the password", "key chain "+a.keyChain(), func(l ospfLink) string {
		if l.KeyChain == "" {
			return "no key chain"
		}
		return "key chain " + l.KeyChain
	})
}

// heedsBFD adds the check that the neighbours of a network are gone when BFD says so.
func (a *Area) heedsBFD(p *verify.Plan, n conf.Ref[*router.Network]) {
	device := string(n.Target.Device())
	c := verify.Check{ID: a.Addr.String() + "/bfd-heeded/" + n.Addr.String(), Title: "neighbours in " + n.Addr.String() + " are gone when BFD says so", From: a.BFD.Range}
	a.onDevice(p, c, device, heeded(true), func(l ospfLink) string { return heeded(l.BFD) })
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

// checkList adds the check that a daemon has a prefix list with these rules: one that is not there lets
// nothing pass, without a word.
func checkList(p *verify.Plan, c verify.Check, q listQuestion, rules []string) {
	want, hint := strings.Join(rules, ", "), fmt.Sprintf("vtysh -c 'show %s prefix-list %s'", word(q.V6), q.Name)
	verify.Asked(p, c, prefixList, q, want, hint, func(_ *state.State, s listed) verify.Verdict {
		switch {
		case !s.Running:
			return verify.Judge(false, want, q.Daemon+" does not run", "systemctl status frr")
		case len(s.Rules) == 0:
			return verify.Missing(want, hint)
		}
		return verify.Compare(want, strings.Join(s.Rules, ", "), hint)
	})
}
