package nftables

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"github.com/nbr-dev/nbr/router"
)

// confined drops what would leave by an upstream and belongs to a link alone (router.Confined): without the
// link, or before its routes are there, the default route has it. Postrouting sees the packets of connections
// that were there before, and those of the router itself, with the interface that they leave by in the end.
//
// A packet in an XFRM interface comes here twice before it is encrypted, the second time with the interface that
// the encrypted one will leave by (xfrmi_xmit2 in net/xfrm/xfrm_interface_core.c, xfrm4_output in
// net/ipv4/xfrm4_output.c). Then it has a transformation before it, which rt ipsec tells (nft(8)).
func confined(r *router.Router) chain {
	c := chain{name: "confined", head: "type filter hook postrouting priority filter; policy drop;"}
	for _, k := range router.Claimed[router.Confined](r) {
		ups := slices.DeleteFunc(r.Upstreams(), func(n *router.Network) bool {
			return n.Link.Target == k.Link || r.VRFOf(n.Link.Target) != r.VRFOf(k.Link) // nothing of the link gets there
		})
		if len(ups) == 0 {
			continue
		}
		for _, six := range []bool{false, true} {
			to := blocksOf(k.To, six)
			if to == "" {
				continue
			}
			match := fmt.Sprintf("oifname %s %s %s", set(router.Devices(ups)), field(six, "daddr"), to)
			if near := within(ups, k.To, six); near != "" {
				match += fmt.Sprintf(" %s != %s", field(six, "daddr"), near)
			}
			c.add(line(k.Addr, k.From), "%s rt ipsec missing counter drop", match)
		}
	}
	if len(c.rules) > 0 {
		c.add(c.rules[0].by, "accept")
	}
	return c
}

// within are the upstreams' own networks that are a part of a destination, as a set: the longer prefix is
// meant. It is empty without any.
func within(ups []*router.Network, to []netip.Prefix, six bool) string {
	var out []netip.Prefix
	for _, n := range ups {
		fixed, _ := n.Split()
		for _, p := range fixed {
			if slices.ContainsFunc(to, func(t netip.Prefix) bool { return t.Bits() < p.Bits() && t.Contains(p.Addr()) }) {
				out = append(out, p)
			}
		}
	}
	return blocksOf(out, six)
}

// field is that of an address in the header of a version of IP.
func field(six bool, name string) string {
	if six {
		return "ip6 " + name
	}
	return "ip " + name
}

// blocksOf are the blocks of a version of IP as an anonymous set, empty without any.
func blocksOf(blocks []netip.Prefix, six bool) string {
	var out []string
	for _, p := range blocks {
		if p.Addr().Is6() == six {
			out = append(out, p.Masked().String())
		}
	}
	if len(out) == 0 {
		return ""
	}
	slices.Sort(out)
	return "{ " + strings.Join(slices.Compact(out), ", ") + " }"
}
