package ifstate

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"

	"github.com/nbr-dev/nbr/nixgen"
	"github.com/nbr-dev/nbr/router"
	"github.com/nbr-dev/nbr/service"
	"github.com/nbr-dev/nbr/verify"
	"github.com/nbr-dev/nbr/verify/state"
)

// advertisements is what the kernel does with router advertisements (RFC 4861 section
// 6.3.4): a host takes them on every link, and a router that does not forward yet, or not
// any longer, is a host. So they are refused wherever the spec does not ask for them.
// IfState sets it before it brings a link up.
func advertisements(r *router.Router, l router.Link) nixgen.Attr {
	accept, autoconf := nixgen.Expr(nixgen.Int(0)), nixgen.Expr(nixgen.Int(0))
	if n := auto(r, l); n != nil {
		at := service.Origin(n.Addr, n.IPv6.Range)
		// 2: also while forwarding (Documentation/networking/ip-sysctl.rst).
		accept, autoconf = nixgen.At{From: at, Expr: nixgen.Int(2)}, nixgen.At{From: at, Expr: nixgen.Int(makes(n))}
	}
	return nixgen.Bind(nixgen.Attrs{
		nixgen.Bind(accept, "accept_ra"),
		nixgen.Bind(autoconf, "autoconf"),
	}, "sysctl", "ipv6")
}

// hasIPv6 tells whether the kernel has IPv6 on a link, and sysctls of it: IfState fails to set what
// is not there.
func hasIPv6(l router.Link) bool {
	n, _ := router.MTUOf(l)
	return n >= router.LeastIPv6
}

// makes is 1 where the kernel makes addresses of advertised prefixes, and 0 where DHCPv6 says them.
func makes(n *router.Network) int {
	if n.ByAdvertisement() {
		return 1
	}
	return 0
}

// auto is a network on the link that takes router advertisements, or nil.
func auto(r *router.Router, l router.Link) *router.Network {
	for _, n := range r.On(l) {
		if n.TakesAdvertisements() {
			return n
		}
	}
	return nil
}

// refusal adds the check that a link takes no router advertisements.
func refusal(r *router.Router, p *verify.Plan, id string, l router.Link, from hcl.Range) {
	if auto(r, l) != nil || !hasIPv6(l) {
		return // the network's own check wants them, or there are none
	}
	keys := []string{ // in slashes, since a VLAN's name may have a dot
		fmt.Sprintf("net/ipv6/conf/%s/accept_ra", l.LinkName()),
		fmt.Sprintf("net/ipv6/conf/%s/autoconf", l.LinkName()),
	}
	var needs []state.Need
	for _, k := range keys {
		needs = append(needs, state.Need{Kind: state.NeedSysctl, Name: k})
	}
	p.Add(verify.Check{
		ID: id + "/advertisements", Title: fmt.Sprintf("router advertisements on %s are refused", l.LinkName()), From: from, Needs: needs,
		Eval: func(st *state.State) verify.Verdict {
			want, hint := "accept_ra 0, autoconf 0", "sysctl "+strings.Join(keys, " ")
			if st.Sysctls == nil {
				return verify.NotSeen(want, hint)
			}
			accept, ok := st.Sysctls[keys[0]]
			autoconf, also := st.Sysctls[keys[1]]
			if !ok || !also {
				return verify.Missing(want, hint)
			}
			return verify.Compare(want, fmt.Sprintf("accept_ra %s, autoconf %s", accept, autoconf), hint)
		},
	})
}

// prefixes adds the check that the hosts of a network are those that the spec says: a
// prefix that an advertisement has brought is a route of the kernel's own (RFC 4861
// section 6.3.4), with or without an address of the router in it.
func prefixes(r *router.Router, p *verify.Plan, n *router.Network) {
	if auto(r, n.Link.Target) != nil {
		return
	}
	dev := string(n.Device())
	want, hint := "those of the spec's addresses", "ip -6 route show dev "+dev
	p.Add(verify.Check{
		ID: n.Addr.String() + "/prefixes", Title: "IPv6 prefixes on " + dev, From: n.Def,
		Eval: func(st *state.State) verify.Verdict {
			if st.Routes == nil {
				return verify.NotSeen(want, hint)
			}
			var got []string
			for _, rt := range st.Routes {
				if rt.Link == dev && advertised(r, st, rt) {
					got = append(got, routeText(rt))
				}
			}
			if len(got) > 0 {
				slices.Sort(got)
				return verify.Verdict{Status: verify.Fail, Want: want, Got: strings.Join(slices.Compact(got), ", "), Hint: hint}
			}
			return verify.Compare(want, want, hint)
		},
	})
}

// advertised tells whether a route can only be of an advertisement, on a link that is to
// take none. Of IPv4 the kernel makes routes for addresses alone, which are judged
// themselves; so are IPv6 addresses that were set by hand.
func advertised(r *router.Router, st *state.State, rt state.Route) bool {
	to, err := netip.ParsePrefix(rt.To)
	if err != nil || to.Addr().Is4() || rt.Proto != "kernel" && rt.Proto != "ra" {
		return false
	}
	i := slices.IndexFunc(r.Links(), func(l router.Link) bool { return string(l.LinkName()) == rt.Link })
	if i < 0 || auto(r, r.Links()[i]) != nil {
		return false
	}
	if rt.Proto == "ra" {
		return true
	}
	if to.Addr().IsLinkLocalUnicast() || to.Addr().IsMulticast() {
		return false
	}
	byHand := slices.ContainsFunc(st.Addrs, func(a state.Addr) bool {
		p, err := netip.ParsePrefix(a.Prefix)
		return err == nil && a.Link == rt.Link && !a.Dynamic && p.Masked() == to
	})
	return !byHand && !slices.ContainsFunc(r.On(r.Links()[i]), func(n *router.Network) bool {
		fixed, _ := n.Split()
		return slices.ContainsFunc(fixed, func(own netip.Prefix) bool {
			return own.Masked() == to || to.IsSingleIP() && to.Addr() == own.Addr()
		})
	})
}
