package miniupnpd

import (
	"cmp"
	"fmt"
	"net/netip"
	"slices"

	"github.com/hashicorp/hcl/v2"

	"github.com/nbr-dev/nbr/router"
	"github.com/nbr-dev/nbr/verify"
	"github.com/nbr-dev/nbr/verify/state"
)

// Checks ask the daemon for the external address in each network that may ask, compare what the
// kernel leads on with what hosts have been promised, and the fixed chains with the spec. That
// the Internet gets no answer is checked of every socket, by the firewall.
func (u *UPnP) Checks(_ *router.Router, p *verify.Plan) {
	id := u.Addr.String()
	p.UnitActive(id+"/unit", u.Def, unit+".service")
	for _, n := range u.Networks.Items {
		own, _ := n.Target.FixedIn(router.IPv4)
		u.answers(p, own.Addr())
	}
	u.discovered(p)
	u.mappings(p)
}

// answers adds the check that hosts of the network with one of the router's own addresses
// are told its external one.
func (u *UPnP) answers(p *verify.Plan, own netip.Addr) {
	link, hint := string(u.External.Target.Device()), "journalctl -u "+unit+" -n 20"
	want, from := "a public IPv4 address of "+link, u.Networks.Range
	if u.BehindNAT.V {
		want, from = "an IPv4 address of "+link, u.BehindNAT.Range
	}
	c := verify.Check{ID: fmt.Sprintf("%s/answers/%s", u.Addr, own), Title: "ports may be asked for on " + own.String(), From: from}
	verify.Asked(p, c, externalOf, own, want, hint, func(st *state.State, a external) verify.Verdict {
		switch {
		case st.Addrs == nil:
			return verify.NotSeen(want, hint)
		case !a.Answered:
			return verify.Judge(false, want, "no answer", hint)
		case a.Refused != "" && verify.NoCarrier(st, link):
			return verify.Skipped(want, link+" has no carrier", hint)
		case a.Refused != "":
			return verify.Judge(false, want, a.Refused, hint)
		}
		var has []string
		for _, s := range st.Addrs {
			if addr, err := netip.ParsePrefix(s.Prefix); s.Link == link && err == nil && addr.Addr().Is4() {
				has = append(has, addr.Addr().String())
			}
		}
		if told, err := netip.ParseAddr(a.Address); err == nil && private(told) && !u.BehindNAT.V {
			return verify.Judge(false, want, a.Address+", for which nothing arrives from the Internet by itself", hint)
		}
		if slices.Contains(has, a.Address) {
			return verify.Compare(want, want, hint)
		}
		return verify.Judge(false, want+": "+verify.List(has), a.Address, hint)
	})
}

// discovered adds the checks that devices find the router by UPnP, and can ask it.
func (u *UPnP) discovered(p *verify.Plan) {
	at := u.Networks.Range
	if u.HTTPPort.Set {
		at = u.HTTPPort.Range
	}
	for _, s := range []struct {
		protocol string
		port     int
		from     hcl.Range
	}{{"udp", ssdp, u.Networks.Range}, {"tcp", int(u.HTTPPort.V), at}} {
		want, hint := "miniupnpd", fmt.Sprintf("ss -lnp '( sport = :%d )'", s.port)
		p.Add(verify.Check{
			ID: fmt.Sprintf("%s/listens/%s/%d", u.Addr, s.protocol, s.port), Title: fmt.Sprintf("listens on %s/%d", s.protocol, s.port), From: s.from,
			Eval: func(st *state.State) verify.Verdict {
				if st.Listeners == nil {
					return verify.NotSeen(want, hint)
				}
				got, there := "", false
				for _, l := range st.Listeners {
					if l.Protocol == s.protocol && l.Port == s.port {
						got, there = cmp.Or(l.Program, got), true
					}
				}
				if !there {
					return verify.Missing(want, hint)
				}
				return verify.Compare(want, cmp.Or(got, want), hint) // without a privilege the program is not told
			},
		})
	}
}

// mappings adds the check that the kernel has what the lease files say, and nothing else.
func (u *UPnP) mappings(p *verify.Plan) {
	const want = "the kernel has what the lease files say"
	hint := "nft list table inet " + tableName + "; cat " + leases + " " + leases6
	c := verify.Check{ID: u.Addr.String() + "/mappings", Title: "what hosts have asked for is open", From: u.Def}
	verify.Asked(p, c, mappingsOf, string(u.External.Target.Device()), want, hint, func(_ *state.State, m mappings) verify.Verdict {
		for _, l := range m.Leases {
			if !slices.Contains(m.Kernel, l) {
				return verify.Judge(false, l, "a lease alone: nothing leads there", hint)
			}
		}
		for _, k := range m.Kernel {
			if !slices.Contains(m.Leases, k) {
				return verify.Judge(false, "no "+k, "in the kernel alone: it is of no lease, and gone when the daemon starts again", hint)
			}
		}
		v := verify.Compare(want, want, hint)
		v.Note = fmt.Sprintf("%d mappings", len(m.Leases))
		return v
	})
}
