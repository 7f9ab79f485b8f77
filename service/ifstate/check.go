package ifstate

import (
	"cmp"
	"fmt"
	"net/netip"
	"slices"
	"strconv"
	"strings"

	"github.com/hashicorp/hcl/v2"

	"github.com/nbr-dev/nbr/hcl/conf"
	"github.com/nbr-dev/nbr/router"
	"github.com/nbr-dev/nbr/verify"
	"github.com/nbr-dev/nbr/verify/state"
)

// Checks look at links, addresses, routes and kernel parameters. ifstate.service
// itself is inactive when all is well, so its state says nothing.
func (b *Interfaces) Checks(r *router.Router, p *verify.Plan) {
	for _, l := range r.Made {
		if l.Spec().External {
			external(r, p, l)
			continue
		}
		brought(r, p, l)
		spec := l.Spec()
		if spec.Bridge != nil {
			b.bridge(p, l, spec.Bridge)
		}
		if spec.Bridge.VLANAware() {
			vlans(r, p, l)
		}
		if v := spec.VLAN; v != nil {
			link(p, l.Head().Addr.String()+"/id", l, v.ID.Range, "VLAN of", fmt.Sprint(v.ID.V), func(l state.Link) string { return fmt.Sprint(l.VLAN) })
			tag(p, l, v)
		}
		neighbours(p, l)
	}
	for _, port := range r.Ports() {
		if user, ok := portUser(r, port); ok {
			hardware(r, p, port, user)
		}
	}
	for _, n := range r.Networks {
		p.LinkUp(n.Addr.String()+"/up", n.Def, string(n.Device()))
		if r.MasterOf(n.Link.Target) == nil { // else it is in a VRF, which promises it
			// As a port of a bridge it would hand its frames to others, addresses or not.
			link(p, n.Addr.String()+"/master", n.Link.Target, n.Link.Range, "master of", "none", func(l state.Link) string { return cmp.Or(l.Master, "none") })
		}
		prefixes(r, p, n)
		for _, a := range n.Addresses() {
			address(p, n, a)
		}
		gateway(p, n, "gateway", n.Gateway)
		gateway(p, n, "gateway6", n.Gateway6)
	}
	for _, rt := range routes(r) {
		p.Add(verify.Check{
			ID: fmt.Sprintf("%s/route/%s", rt.Addr, rt.to), Title: "route to " + rt.to, From: rt.From,
			Eval: hasRoute(rt),
		})
	}
	for _, s := range r.SysctlKeys() {
		sysctl(p, s.By, s.Key, s.Value)
	}
	for _, n := range r.Networks {
		if n.TakesAdvertisements() { // as advertisements has it; in slashes, since a VLAN's name may have a dot
			by := router.By{Addr: n.Addr, From: n.IPv6.Range}
			sysctl(p, by, fmt.Sprintf("net/ipv6/conf/%s/accept_ra", n.Device()), "2")
			if n.ByDHCPv6() {
				sysctl(p, by, fmt.Sprintf("net/ipv6/conf/%s/autoconf", n.Device()), fmt.Sprint(makes(n)))
			}
		}
	}
	for _, n := range r.Networks {
		if n.ByAdvertisement() { // networking.tempAddresses
			sysctl(p, router.By{Addr: n.Addr, From: n.IPv6.Range}, fmt.Sprintf("net/ipv6/conf/%s/use_tempaddr", n.Device()), "0")
		}
	}
	ruleChecks(r, p)
	aheadChecks(r, p)
	b.drift(r, p)
}

// brought adds the checks of a link that IfState makes, whichever block wants it: one of the
// right name may be another program's.
func brought(r *router.Router, p *verify.Plan, l router.Link) {
	id, def := l.Head().Addr.String(), l.Head().Def
	hasMTU(r, p, id+"/mtu", l, def)
	refusal(r, p, id, l, def)
	if len(r.On(l)) == 0 && !l.Spec().Driven {
		p.LinkUp(id+"/up", def, string(l.LinkName())) // else its networks promise it
	}
	link(p, id+"/kind", l, def, "kind of", l.Spec().Kind, func(l state.Link) string { return l.Kind })
	aliased(p, l)
}

// tag adds the check of the tag of a VLAN.
func tag(p *verify.Plan, link router.Link, v *router.VLANSpec) {
	name, want := string(link.LinkName()), string(v.Protocol.V)
	p.Add(verify.Check{
		ID: link.Head().Addr.String() + "/protocol", Title: "tag of " + name, From: cmp.Or(v.Protocol.Range, link.Head().Def),
		Eval: func(st *state.State) verify.Verdict {
			hint := "ip -d link show " + name
			l, ok := st.Links[name]
			switch {
			case st.Links == nil || l.Kind == "vlan" && l.VLANProtocol == "": // recorded by an earlier nbr
				return verify.NotSeen(want, hint)
			case !ok:
				return verify.Missing(want, hint)
			}
			return verify.Compare(want, cmp.Or(l.VLANProtocol, "none"), hint)
		},
	})
}

// bridge adds the checks of what only bridges have.
func (b *Interfaces) bridge(p *verify.Plan, l router.Link, br *router.BridgeSpec) {
	id, from := l.Head().Addr.String(), l.Head().Def
	link(p, id+"/stp", l, cmp.Or(br.STP.Range, from), "spanning tree of", verify.OnOff(br.STP.V), func(l state.Link) string { return verify.OnOff(l.STP) })
	if !b.Extra.Set { // which may switch it on
		if br.VLANAware() {
			from = br.VLANs[0].Def
		}
		link(p, id+"/filtering", l, from, "VLAN filtering of", verify.OnOff(br.VLANAware()), func(l state.Link) string { return verify.OnOff(l.Filtering) })
	}
}

// neighbours adds the checks of what a link stands on, of what hangs on it, and of the
// address by which others know it.
func neighbours(p *verify.Plan, l router.Link) {
	id, s := l.Head().Addr.String(), l.Spec()
	if s.On.Set {
		link(p, id+"/link", l, s.On.Range, "link below", string(s.On.Target.LinkName()), func(l state.Link) string { return cmp.Or(l.Parent, "none") })
	}
	if s.MAC.Set {
		link(p, id+"/mac", l, s.MAC.Range, "MAC address of", string(s.MAC.V), func(l state.Link) string { return l.MAC })
	}
	for _, port := range s.Ports.Items {
		member(p, l, port.Target, port.Range)
	}
}

// external adds the checks of an interface that another program makes.
func external(r *router.Router, p *verify.Plan, l router.Link) {
	id, def, spec := l.Head().Addr.String(), l.Head().Def, l.Spec()
	if spec.MTU.V != 0 {
		hasMTU(r, p, id+"/mtu", l, def)
	}
	if spec.Kind != "" {
		link(p, id+"/kind", l, def, "kind of", spec.Kind, func(l state.Link) string { return l.Kind })
	}
	if len(r.On(l)) == 0 {
		p.LinkUp(id+"/up", def, string(l.LinkName()))
	}
}

// sysctl adds the check of a kernel parameter.
func sysctl(p *verify.Plan, by router.By, key, want string) {
	p.Add(verify.Check{
		ID: fmt.Sprintf("%s/sysctl/%s", by.Addr, key), Title: key, From: by.From,
		Needs: []state.Need{{Kind: state.NeedSysctl, Name: key}},
		Eval: func(st *state.State) verify.Verdict {
			hint := "sysctl " + key
			if st.Sysctls == nil {
				return verify.NotSeen(want, hint)
			}
			got, ok := st.Sysctls[key]
			if !ok {
				return verify.Missing(want, hint)
			}
			return verify.Compare(want, got, hint)
		},
	})
}

// member adds the checks of a port of a link. The flags of a bridge's are the kernel's
// defaults: a port that is isolated or does not learn was made so by another program.
func member(p *verify.Plan, master, port router.Link, from hcl.Range) {
	id := fmt.Sprintf("%s/port/%s", master.Head().Addr, port.LinkName())
	kind := master.Spec().Kind
	link(p, id, port, from, kind+" of", string(master.LinkName()), func(l state.Link) string { return l.Master })
	if !port.Spec().Driven {
		p.LinkUp(id+"/up", from, string(port.LinkName()))
	}
	if kind != "bridge" {
		return
	}
	link(p, id+"/flags", port, from, "bridge flags of", "learning, flood", func(l state.Link) string {
		if l.Port == nil {
			return "no port of a bridge"
		}
		var flags []string
		for _, f := range []struct {
			on   bool
			word string
		}{{l.Port.Learning, "learning"}, {l.Port.Flood, "flood"}, {l.Port.Hairpin, "hairpin"}, {l.Port.Isolated, "isolated"}} {
			if f.on {
				flags = append(flags, f.word)
			}
		}
		return strings.Join(flags, ", ")
	})
}

// hardware adds the checks of a port that is on the board. A MAC address that the
// driver rolled would be another one after each boot, and with it leases and names.
func hardware(r *router.Router, p *verify.Plan, port *router.BoardPort, user router.By) {
	id := fmt.Sprintf("%s/port/%s", user.Addr, port.Name)
	hasMTU(r, p, id+"/mtu", port, user.From)
	refusal(r, p, id, port, user.From)
	name := string(port.Name)
	p.Add(verify.Check{ID: id + "/mac", Title: "MAC address of " + name, From: user.From, Eval: func(st *state.State) verify.Verdict {
		want, hint := "one that stays", "cat /sys/class/net/"+name+"/addr_assign_type"
		l, ok := st.Links[name]
		switch {
		case st.Links == nil || ok && l.MACFrom == "":
			return verify.NotSeen(want, hint)
		case !ok:
			return verify.Missing(want, hint)
		}
		got := fmt.Sprintf("%s (%s)", l.MAC, l.MACFrom)
		return verify.Judge(slices.Contains([]string{"permanent", "set", "stolen"}, l.MACFrom), want, got, hint)
	}})
	named(p, port)
	driverChecks(p, port)
	if port.Kind == router.PortDSA {
		want := "dsa on " + string(port.Conduit)
		link(p, id+"/switch", port, user.From, "switch of", want, func(l state.Link) string {
			if l.Kind != "dsa" {
				return "no port of a switch"
			}
			return "dsa on " + l.Parent
		})
	}
}

func hasMTU(r *router.Router, p *verify.Plan, id string, l router.Link, from hcl.Range) {
	want, said := r.MTU(l)
	link(p, id, l, cmp.Or(said, from), "MTU of", fmt.Sprint(want), func(l state.Link) string { return fmt.Sprint(l.MTU) })
}

// gateway adds the check that the next hop of a default route answers ARP or neighbour
// solicitations. Before the first packet goes there that is unknown.
func gateway(p *verify.Plan, n *router.Network, what string, gw conf.Value[router.Addr]) {
	if !gw.Set {
		return
	}
	addr := gw.V.String()
	want, hint := "reachable", "ip neigh show "+addr
	p.Add(verify.Check{
		ID: n.Addr.String() + "/" + what, Title: "gateway " + addr + " is there", From: gw.Range,
		Needs: []state.Need{{Kind: state.NeedPeer, Name: addr}},
		Eval: func(st *state.State) verify.Verdict {
			if st.Neighbours == nil {
				return verify.NotSeen(want, hint)
			}
			for _, nb := range st.Neighbours {
				switch {
				case nb.Address != addr || nb.Link != string(n.Device()):
				case nb.State == "FAILED":
					return verify.Compare(want, nb.State, hint)
				case nb.State == "INCOMPLETE":
					return verify.Skipped(want, "it is being asked", hint)
				default:
					return verify.Verdict{Status: verify.Pass, Want: want, Got: nb.MAC + " " + nb.State, Hint: hint}
				}
			}
			return verify.Skipped(want, "no packet has gone there yet", hint)
		},
	})
}

// link adds a check of one property of a link.
func link(p *verify.Plan, id string, l router.Link, from hcl.Range, what, want string, get func(state.Link) string) {
	name := string(l.LinkName())
	p.Link(id, what+" "+name, from, name, want, get)
}

// address adds the check of an address of a network: the one that the spec gives, or any
// with a lifetime where it comes later.
func address(p *verify.Plan, n *router.Network, a router.NetworkAddress) {
	dev, family, want := string(n.Device()), "ipv4", ""
	if a.Family == router.IPv6 {
		family = "ipv6"
	}
	what, fits := family, func(*state.State, state.Addr) bool { return false }
	switch how := a.How.(type) {
	case router.Fixed:
		want = how.String()
		fits = func(_ *state.State, got state.Addr) bool { return got.Prefix == want }
	case router.ByDHCP:
		want = "dhcp"
		fits = func(_ *state.State, got state.Addr) bool { return got.Dynamic }
	case router.ByDHCPv6:
		// One of 128 bits: DHCPv6 does not say what is on the link (RFC 8415 section 18.2.10.1), and one
		// that the kernel made of an advertisement is no lease.
		want = "dhcp"
		fits = func(_ *state.State, got state.Addr) bool { return got.Dynamic && strings.HasSuffix(got.Prefix, "/128") }
	case router.ByPPP:
		want = "ppp"
		fits = func(*state.State, state.Addr) bool { return true }
	case router.ByAdvertisement:
		want = "auto"
		fits = func(_ *state.State, got state.Addr) bool { return got.Dynamic }
	case router.Delegated:
		what, want = "prefix", fmt.Sprintf("%s/64 in network %d of %s, a /%d", how.ID, how.Subnet, how.Prefix.Addr, how.Prefix.Target.Length.V)
		fits = func(st *state.State, got state.Addr) bool { return got.Dynamic && delegated(st, how, got) }
	}
	p.Add(verify.Check{
		ID: fmt.Sprintf("%s/%s", n.Addr, what), Title: fmt.Sprintf("%s address of %s", family, dev), From: a.From,
		Eval: func(st *state.State) verify.Verdict {
			hint := "ip addr show dev " + dev
			if st.Addrs == nil || what == "prefix" && st.Routes == nil {
				return verify.NotSeen(want, hint)
			}
			var got []string
			for _, a := range st.Addrs {
				if a.Link != dev || strings.Contains(a.Prefix, ":") != (family == "ipv6") {
					continue
				}
				if fits(st, a) {
					return usable(st, a, want, hint)
				}
				got = append(got, a.Prefix)
			}
			if len(got) == 0 {
				return verify.Missing(want, hint)
			}
			return verify.Verdict{Status: verify.Fail, Want: want, Got: strings.Join(got, " "), Hint: hint}
		},
	})
}

// delegated tells whether an address is the one that the spec means, in a prefix that the
// router has. The client has a route to nowhere for each: what is in no network of the
// router must not go back to where it came from (RFC 7084 section 4.2, WPD-5).
func delegated(st *state.State, want router.Delegated, got state.Addr) bool {
	return slices.ContainsFunc(st.Routes, func(rt state.Route) bool {
		p, err := netip.ParsePrefix(rt.To)
		if err != nil || rt.Type != "unreachable" || rt.Proto != "dhcp" || p.Bits() != int(want.Prefix.Target.Length.V) {
			return false
		}
		own, ok := want.In(p)
		return ok && own.String() == got.Prefix
	})
}

// usable judges an address that is there. IPv6 first finds out whether another host has
// it (RFC 4862 section 5.4), which takes a cable.
func usable(st *state.State, a state.Addr, want, hint string) verify.Verdict {
	v := verify.Verdict{Status: verify.Pass, Want: want, Got: a.Prefix, Hint: hint}
	switch {
	case a.Duplicate:
		v.Status, v.Got = verify.Fail, a.Prefix+" is another host's, too (duplicate address detection)"
	case a.Tentative && verify.NoCarrier(st, a.Link):
		v.Note = "tentative until there is a cable"
	case a.Tentative:
		v.Status, v.Got = verify.Unknown, a.Prefix+" is tentative"
	}
	return v
}

func hasRoute(rt route) func(*state.State) verify.Verdict {
	want := strings.TrimSpace(string(rt.drop) + " " + rt.to)
	for i, h := range rt.ways() {
		if i > 0 {
			want += ","
		}
		want += h.text()
	}
	if rt.table != 0 {
		want += fmt.Sprintf(" table %d", rt.table)
	}
	if rt.metric != 0 {
		want += fmt.Sprintf(" metric %d", rt.metric)
	}
	return func(st *state.State) verify.Verdict {
		hint := "ip route show " + rt.to
		if rt.table != 0 {
			hint += fmt.Sprintf(" table %d", rt.table)
		}
		if strings.Contains(rt.to, ":") {
			hint = strings.Replace(hint, "ip ", "ip -6 ", 1)
		}
		if st.Routes == nil {
			return verify.NotSeen(want, hint)
		}
		if rt.there(st) {
			return verify.Compare(want, want, hint)
		}
		var others []string
		for _, got := range st.Routes {
			if got.To == rt.to && got.Table == rt.tableName() {
				others = append(others, routeText(got))
			}
		}
		if len(others) == 0 {
			return verify.Missing(want, hint)
		}
		return verify.Verdict{Status: verify.Fail, Want: want, Got: strings.Join(others, ", "), Hint: hint}
	}
}

// is tells whether a route of the kernel is this one. IPv6 gives a metric of 1024 to
// those that have none (include/net/ip6_route.h, IP6_RT_PRIO_USER).
func (rt route) is(got state.Route) bool {
	return got.To == rt.to && got.Type == string(rt.drop) && got.Table == rt.tableName() && (rt.metric == 0 || got.Metric == rt.metric) &&
		slices.ContainsFunc(rt.ways(), func(h hop) bool { return h.is(got) })
}

// there tells whether the kernel has the route, with all of its next hops.
func (rt route) there(st *state.State) bool {
	n := 0
	for _, got := range st.Routes {
		if rt.is(got) {
			n++
		}
	}
	return n == len(rt.ways())
}

// tableName is the route's table as a state has it.
func (rt route) tableName() string {
	if rt.table == 0 {
		return ""
	}
	return strconv.Itoa(rt.table)
}
