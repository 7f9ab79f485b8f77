package nftables

import (
	"slices"
	"strings"

	"github.com/nbr-dev/nbr/router"
)

// natOut gives packets the router's own address on their way out, if the policy
// that let them pass says so. Only IPv4: IPv6 has addresses enough, and at most another prefix.
func (f *Firewall) natOut(r *router.Router) chain {
	c := chain{name: "nat_out", head: "type nat hook postrouting priority srcnat; policy drop;"}
	for _, p := range r.PortForwards {
		if from, ok := hairpin(r, p); ok {
			c.add(blockLine(p), "ip saddr %s ct status dnat ip daddr %s %s dport %s counter masquerade", from, p.Target(), p.Protocol.V, targetPort(p))
		}
	}
	for _, s := range r.StaticNATs {
		host := s.To.Target.IPv4.V
		if block, ok := s.To.Target.Network.Target.FixedIn(router.IPv4); ok { // its neighbours: as hairpin
			c.add(blockLine(s), "ip saddr %s ct status dnat ip daddr %s counter masquerade", block.Masked(), host)
		}
		if devs := router.Devices(s.From.Target.Networks.All()); len(devs) > 0 {
			c.add(blockLine(s), "oifname %s ip saddr %s counter snat ip to %s", set(devs), host, s.Address.V)
		}
	}
	prefixesOut(&c, r)
	for i, p := range r.Policies {
		at, nat := p.NAT()
		verdict := "masquerade"
		switch {
		case p.SourceNAT.Set:
			verdict = "snat ip to " + p.SourceNAT.V.String()
		case !nat:
			later := func(o *router.Policy) bool { _, nat := o.NAT(); return nat }
			if p.Action.V != "accept" || !slices.ContainsFunc(r.Policies[i+1:], later) {
				continue
			}
			at, verdict = p.Def, "accept" // and no later policy gives it another address
		}
		for _, way := range ways(r, p) {
			if way.family() == router.IPv6 {
				continue
			}
			if way.from.ports {
				var some bool
				if way.from, some = left(r, way.from); !some {
					continue
				}
			}
			for _, condition := range conditions(r, p) {
				if fits(condition.family, router.IPv4) {
					c.add(line(p.Addr, at), "%s counter %s", strings.TrimSpace(way.text()+" meta nfproto ipv4 "+condition.text)+atTimes(p), verdict)
				}
			}
		}
	}
	f.pass(&c)
	return c
}
