package dhcpcd

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

// delegates are the prefixes that a network's upstream delegates.
func delegates(r *router.Router, n *router.Network) []*router.Prefix {
	return slices.DeleteFunc(slices.Clone(r.Prefixes), func(p *router.Prefix) bool { return p.Network.Target != n })
}

// asksDHCPv6 tells whether the router asks a DHCPv6 server for anything.
func asksDHCPv6(r *router.Router) bool {
	return len(r.Prefixes) > 0 || slices.ContainsFunc(r.Networks, (*router.Network).ByDHCPv6)
}

// claimDHCPv6 claims the way of the client's questions in a network and of a server's answers.
// Servers answer from a link-local address to one, at port 546 (RFC 8415 sections 7.2 and 18.2.10).
func claimDHCPv6(s *router.Scope, n *router.Network, from hcl.Range) {
	router.Claim(s, from, router.Accept{Networks: []*router.Network{n}, Match: router.Match{
		Family: router.IPv6, Protocol: router.UDP, Ports: router.OnePort(546), LinkLocal: true,
	}})
	router.Claim(s, from, router.Emit{Networks: []*router.Network{n}, Match: router.Match{
		Family: router.IPv6, Protocol: router.UDP, SourcePorts: router.OnePort(546), Ports: router.OnePort(547),
	}})
	s.AfterLinks(from, "dhcpcd")
}

// claimPrefix claims what the client asks for a prefix by, and what it makes of one: addresses and
// routes on the links of its networks, and a route to nowhere for the rest.
func claimPrefix(s *router.Scope, p *router.Prefix) {
	if n := p.Network.Target; !n.ByDHCPv6() {
		claimDHCPv6(s, n, p.Def)
	}
	var on []router.Link
	for _, n := range s.DelegatedOf(p) {
		on = append(on, n.Link.Target)
	}
	if len(on) > 0 {
		router.Claim(s, p.Def, router.OwnAddresses{On: on, Expiring: true})
	}
	if len(s.TranslatedTo(p)) > 0 {
		on = append(on, p.Network.Target.Link.Target)
		router.Claim(s, p.Def, router.OwnRoutes{Protocol: router.DelegatedProtocol, On: on, Nowhere: true})
	}
	if len(on) > 0 {
		router.Claim(s, p.Def, router.OwnRoutes{Protocol: protocolDHCP, On: on, Nowhere: true})
	}
}

// interfaces are what dhcpcd.conf(5) says of single interfaces, where DHCPv6 servers are asked: on each interface that it runs on it is told of IPv4 and IPv6.
func interfaces(r *router.Router) []string {
	if !asksDHCPv6(r) {
		return nil
	}
	var lines []string
	ns := networks(r)
	for _, device := range router.Devices(ns) {
		lines = append(lines, "interface "+string(device))
		leases, requests := false, []string{}
		for _, n := range ns {
			if n.Device() != device {
				continue
			}
			leases = leases || n.ByDHCP()
			if n.ByDHCPv6() {
				requests = append(requests, "ia_na")
			}
			for _, p := range delegates(r, n) {
				requests = append(requests, request(r, p))
			}
		}
		if !leases {
			lines = append(lines, "noipv4")
		}
		if len(requests) == 0 {
			lines = append(lines, "noipv6")
		}
		lines = append(lines, requests...)
	}
	return lines
}

// request asks for a prefix and says which link gets which network of it: without one
// dhcpcd would put a network on every link.
func request(r *router.Router, p *router.Prefix) string {
	words := []string{fmt.Sprintf("ia_pd %d/::/%d", p.IAID(), p.Length.V)}
	if len(r.DelegatedOf(p)) == 0 {
		words = append(words, "-") // on no link
	}
	for _, n := range r.DelegatedOf(p) {
		d, _ := n.Delegated()
		words = append(words, fmt.Sprintf("%s/%d/64/%d", n.Device(), d.Subnet, d.ID))
	}
	return strings.Join(words, " ")
}

// delegated adds the check that the router has a prefix of the length that the spec says:
// the client has a route to nowhere for each.
func delegated(p *verify.Plan, of *router.Prefix) {
	want, hint := fmt.Sprintf("a /%d", of.Length.V), "ip -6 route show type unreachable proto dhcp; journalctl -u dhcpcd -n 20"
	p.Add(verify.Check{
		ID: of.Addr.String() + "/delegated", Title: "a prefix is delegated", From: cmp.Or(of.Length.Range, of.Def),
		Eval: func(st *state.State) verify.Verdict {
			if st.Routes == nil {
				return verify.NotSeen(want, hint)
			}
			var got []string
			for _, rt := range st.Routes {
				q, err := netip.ParsePrefix(rt.To)
				if err != nil || q.Addr().Is4() || rt.Type != "unreachable" || rt.Proto != "dhcp" || slices.Contains(got, rt.To) {
					continue
				}
				if q.Bits() == int(of.Length.V) {
					return verify.Verdict{Status: verify.Pass, Want: want, Got: rt.To, Hint: hint}
				}
				got = append(got, rt.To)
			}
			if len(got) == 0 {
				return verify.Missing(want, hint)
			}
			return verify.Judge(false, want, strings.Join(got, ", "), hint)
		},
	})
}
