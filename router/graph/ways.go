package graph

import (
	"cmp"
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"github.com/nbr-dev/nbr/hcl/conf"
	"github.com/nbr-dev/nbr/router"
)

// addWays adds what may pass, in the order in which the firewall looks: port forwards change
// where a packet goes before any policy sees it.
func (b *builder) addWays() {
	for _, f := range b.r.PortForwards {
		n := b.node(&Node{Kind: Way, Addr: f.Addr.String(), Name: name(f.Addr), Verdict: Forward, Aside: string(Forward)})
		to := b.target(f)
		where := f.Target().String()
		if f.ToPort.Set {
			where = netip.AddrPortFrom(f.Target(), uint16(f.ToPort.V)).String()
		}
		from := name(f.From.Addr)
		if len(f.Sources.Items) > 0 {
			from += " (" + ends(f.Sources) + ")"
		}
		n.Notes = []string{fmt.Sprintf("%s, %s/%s → %s", from, f.Protocol.V, f.Port.V, where)}
		b.edge(From, b.groups[f.From.Target], n)
		if to != nil {
			b.edge(To, n, to)
		}
	}
	for _, s := range b.r.StaticNATs {
		n := b.node(&Node{Kind: Way, Addr: s.Addr.String(), Name: name(s.Addr), Verdict: Forward, Aside: string(Forward)})
		n.Notes = []string{fmt.Sprintf("%s, %s = %s", name(s.From.Addr), s.Address.V, s.To.Target.IPv4.V)}
		b.edge(From, b.groups[s.From.Target], n)
		if h := b.hosts[s.To.Target]; h != nil {
			b.edge(To, n, h)
		}
	}
	for _, p := range b.r.PrefixNATs {
		n := b.node(&Node{Kind: Way, Addr: p.Addr.String(), Name: name(p.Addr), Verdict: Forward, Aside: string(Forward)})
		n.Notes = []string{fmt.Sprintf("%s, %s = %s", name(p.Network.Addr), p.ExternalText(), p.Internal.V)}
		if z := b.r.ZoneOf(p.Network.Target); z != nil {
			b.edge(From, b.groups[z], n)
		}
	}
	inspected := map[*router.Policy][]string{}
	for _, i := range router.Claimed[router.Inspect](b.r) {
		for _, p := range i.Policies {
			inspected[p] = append(inspected[p], "inspected by "+i.Addr.String())
		}
	}
	for _, p := range b.r.Policies {
		n := b.node(&Node{Kind: Way, Addr: p.Addr.String(), Name: name(p.Addr), Verdict: Verdict(p.Action.V), Aside: string(p.Action.V)})
		n.Notes = append([]string{ends(p.From) + " → " + ends(p.To)}, append(matches(p), inspected[p]...)...)
		for _, e := range b.endpoints(p.From) {
			b.edge(From, e, n)
		}
		for _, e := range b.endpoints(p.To) {
			b.edge(To, n, e)
		}
	}
	b.addForwards()
}

// addForwards adds what programs let pass besides the policies.
func (b *builder) addForwards() {
	for _, f := range router.Claimed[router.Forward](b.r) {
		n := &Node{Kind: Way, Addr: f.Addr.String(), Name: f.Addr.String(), Verdict: Accept, Aside: string(Accept)}
		side := func(networks []*router.Network) (string, []*Group) {
			if len(networks) == 0 {
				return "anywhere", nil
			}
			var names []string
			var groups []*Group
			for _, of := range networks {
				names = append(names, name(of.Addr))
				if g := b.networks[of].Group; !slices.Contains(groups, g) {
					groups = append(groups, g)
				}
			}
			return strings.Join(names, ", "), groups
		}
		in, from := side(f.In)
		out, to := side(f.Out)
		n.Notes = []string{in + " → " + out}
		if f.Protocol != 0 {
			match := f.Protocol.String()
			if f.Ports != (router.PortRange{}) {
				match += "/" + f.Ports.String()
			}
			n.Notes = append(n.Notes, match)
		}
		b.node(n)
		for _, g := range from {
			b.edge(From, g, n)
		}
		for _, g := range to {
			b.edge(To, n, g)
		}
	}
}

// target is the host that a port forward leads to. One that no block names is known by it.
func (b *builder) target(f *router.PortForward) End {
	if h := b.hosts[f.To.Ref.Target]; h != nil {
		return h
	}
	if h := b.known[f.Target()]; h != nil {
		return h
	}
	if n := b.r.NetworkAt(f.Target()); n != nil {
		h := b.behind(n, &Node{Addr: f.Addr.String(), Name: f.Target().String()})
		b.known[f.Target()] = h
		return h
	}
	return nil
}

// endpoints are what a policy is from or to: of a set of addresses the zones that have some of
// them, and, if others are in no network, those of upstreams.
func (b *builder) endpoints(of conf.Refs[router.Endpoint]) []End {
	var out []End
	add := func(e End) {
		if !slices.Contains(out, e) {
			out = append(out, e)
		}
	}
	for _, e := range of.All() {
		switch e := e.(type) {
		case *router.Zone:
			add(b.groups[e])
		case *router.Host:
			add(b.hosts[e])
		case *router.System: // the diagram is of it
		case *router.AddressSet:
			in, elsewhere := b.r.Holding(e, router.AnyFamily)
			if elsewhere {
				in = append(in, b.r.Upstreams()...)
			}
			for _, n := range in {
				add(b.networks[n].Group)
			}
		}
	}
	return out
}

// ends are the names of what a policy is from or to. Many instances of one block are told by
// their number.
func ends[T any](refs conf.Refs[T]) string {
	count := map[string]int{}
	for _, it := range refs.Items {
		count[it.Addr.Type+"."+it.Addr.Label()]++
	}
	var out []string
	done := map[string]bool{}
	for _, it := range refs.Items {
		of := it.Addr.Type + "." + it.Addr.Label()
		text := name(it.Addr)
		if it.Addr.Type != "zone" {
			text = it.Addr.Type + " " + text
		}
		switch {
		case done[of]:
			continue
		case count[of] > 3:
			done[of] = true
			text = fmt.Sprintf("%s[…] (%d)", strings.SplitN(text, "[", 2)[0], count[of])
		}
		out = append(out, text)
	}
	return strings.Join(out, ", ")
}

// matches is what a policy looks at in a packet and does with it besides its action.
func matches(p *router.Policy) []string {
	var out []string
	var parts []string
	for _, proto := range p.Protocols.All() {
		parts = append(parts, string(proto))
	}
	protocols := strings.Join(parts, ", ")
	if parts = nil; len(p.Ports.Items) > 0 {
		for _, r := range p.Ports.All() {
			parts = append(parts, r.String())
		}
		protocols = strings.TrimSpace(cmp.Or(protocols, "tcp, udp") + " " + strings.Join(parts, ", "))
	}
	if parts = nil; len(p.Services.Items) > 0 {
		for _, s := range p.Services.All() {
			parts = append(parts, string(s))
		}
		protocols = strings.Join(parts, ", ")
	}
	if protocols != "" {
		out = append(out, protocols)
	}
	if p.Family.Set {
		out = append(out, p.Family.V.String())
	}
	if p.Schedule.Set {
		out = append(out, "at "+p.Schedule.Addr.Name)
	}
	if _, nat := p.NAT(); nat {
		out = append(out, "NAT (IPv4)")
	}
	if p.Limit.Set {
		out = append(out, "at most "+p.Limit.V.String())
	}
	if p.Log.V {
		out = append(out, "logged")
	}
	return out
}
