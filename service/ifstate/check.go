package ifstate

import (
	"fmt"
	"strings"

	"github.com/nbr-dev/nbr/hcl/conf"
	"github.com/nbr-dev/nbr/router"
	"github.com/nbr-dev/nbr/verify"
	"github.com/nbr-dev/nbr/verify/state"
)

// Checks look at links, addresses, routes and kernel parameters. ifstate.service
// itself is inactive when all is well, so its state says nothing.
func (b *Interfaces) Checks(r *router.Router, p *verify.Plan) {
	for _, br := range r.Bridges {
		link(p, br, br, "kind", func(l state.Link) string { return l.Kind }, "bridge")
		for _, port := range br.Ports.Items {
			name := string(port.Target.LinkName())
			p.Add(verify.Check{
				ID: fmt.Sprintf("%s/port/%s", br.Addr, name), Title: fmt.Sprintf("%s is a port of %s", name, br.LinkName()), From: port.Range,
				Eval: onLink(name, string(br.LinkName()), func(l state.Link) string { return l.Master }),
			})
		}
	}
	for _, v := range r.VLANs {
		link(p, v, v, "kind", func(l state.Link) string { return l.Kind }, "vlan")
		link(p, v, v, "id", func(l state.Link) string { return fmt.Sprint(l.VLAN) }, fmt.Sprint(v.ID.V))
		link(p, v, v, "link", func(l state.Link) string { return l.Parent }, string(v.Link.Target.LinkName()))
	}
	for _, n := range r.Networks {
		link(p, n, n.Link.Target, "up", func(l state.Link) string { return upDown(l.Up) }, "up")
		address(p, n, "ipv4", n.IPv4.Set, n.IPv4.V.DHCP, n.IPv4.V.String())
		address(p, n, "ipv6", n.IPv6.Set, n.IPv6.V.Auto, n.IPv6.V.String())
	}
	for _, rt := range routes(r) {
		p.Add(verify.Check{
			ID: fmt.Sprintf("%s/route/%s", rt.Addr, rt.to), Title: "route to " + rt.to, From: rt.From,
			Eval: hasRoute(rt),
		})
	}
	for _, s := range r.Claims.SysctlKeys() {
		p.Add(verify.Check{
			ID: fmt.Sprintf("%s/sysctl/%s", s.Addr, s.Key), Title: s.Key, From: s.From,
			Needs: []state.Need{{Kind: state.NeedSysctl, Name: s.Key}},
			Eval: func(st *state.State) verify.Verdict {
				hint := "sysctl " + s.Key
				if st.Sysctls == nil {
					return verify.NotSeen(s.Value, hint)
				}
				got, ok := st.Sysctls[s.Key]
				if !ok {
					return verify.Missing(s.Value, hint)
				}
				return verify.Compare(s.Value, got, hint)
			},
		})
	}
	b.drift(r, p)
}

func upDown(up bool) string {
	if up {
		return "up"
	}
	return "down"
}

// link adds a check of one property of a link.
func link(p *verify.Plan, b conf.Block, l router.Link, what string, get func(state.Link) string, want string) {
	name := string(l.LinkName())
	p.Add(verify.Check{
		ID: fmt.Sprintf("%s/%s", b.Head().Addr, what), Title: fmt.Sprintf("%s of %s", what, name), From: b.Head().Def,
		Eval: onLink(name, want, get),
	})
}

func onLink(name, want string, get func(state.Link) string) func(*state.State) verify.Verdict {
	return func(st *state.State) verify.Verdict {
		hint := "ip -d link show " + name
		if st.Links == nil {
			return verify.NotSeen(want, hint)
		}
		l, ok := st.Links[name]
		if !ok {
			return verify.Missing(want, hint)
		}
		return verify.Compare(want, get(l), hint)
	}
}

// address adds the check of a network's address: the one that the spec gives, or
// any that somebody else gave.
func address(p *verify.Plan, n *router.Network, family string, set, dynamic bool, want string) {
	if !set {
		return
	}
	dev := string(n.Device())
	p.Add(verify.Check{
		ID: fmt.Sprintf("%s/%s", n.Addr, family), Title: fmt.Sprintf("%s address of %s", family, dev), From: n.Def,
		Eval: func(st *state.State) verify.Verdict {
			hint := "ip addr show dev " + dev
			if st.Addrs == nil {
				return verify.NotSeen(want, hint)
			}
			var got []string
			for _, a := range st.Addrs {
				if a.Link != dev || strings.Contains(a.Prefix, ":") != (family == "ipv6") {
					continue
				}
				if a.Prefix == want || dynamic && a.Dynamic {
					return verify.Verdict{Status: verify.Pass, Want: want, Got: a.Prefix, Hint: hint}
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

func hasRoute(rt route) func(*state.State) verify.Verdict {
	want := fmt.Sprintf("%s dev %s", rt.to, rt.dev)
	if rt.via != "" {
		want = fmt.Sprintf("%s via %s", rt.to, rt.via)
	}
	return func(st *state.State) verify.Verdict {
		hint := "ip route show " + rt.to
		if st.Routes == nil {
			return verify.NotSeen(want, hint)
		}
		for _, got := range st.Routes {
			if got.To == rt.to && got.Via == rt.via && (rt.via != "" || got.Link == string(rt.dev)) {
				return verify.Verdict{Status: verify.Pass, Want: want, Got: want, Hint: hint}
			}
		}
		return verify.Missing(want, hint)
	}
}
