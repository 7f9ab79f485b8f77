package dhcpcd

import (
	_ "embed"
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"

	"github.com/nbr-dev/nbr/router"
	"github.com/nbr-dev/nbr/verify"
	"github.com/nbr-dev/nbr/verify/state"
)

// hookScript keeps what a lease routes away from the router's own prefixes.
//
//go:embed hook.sh
var hookScript string

// delegatedScript tells in the kernel which delegated prefix is which block's.
//
//go:embed delegated.sh
var delegatedScript string

// hook is what dhcpcd runs after each of its events (dhcpcd-run-hooks(8)), by when it has
// set addresses and routes.
func (c *Client) hook(r *router.Router) string {
	var own, may []string
	for _, o := range owned(r) {
		if o.prefix.Addr().Is4() && !slices.Contains(own, o.prefix.String()) {
			own = append(own, o.prefix.String())
		}
	}
	for _, p := range c.Routes.All() {
		may = append(may, p.String())
	}
	text := fmt.Sprintf("nbr_own='%s'\nnbr_may='%s'\n%s", strings.Join(own, " "), strings.Join(may, " "), hookScript)
	var told []string
	for _, p := range r.Prefixes {
		if len(r.TranslatedTo(p)) > 0 {
			told = append(told, fmt.Sprint(p.IAID()))
		}
	}
	if len(told) > 0 {
		text += fmt.Sprintf("\nnbr_told='%s'\nnbr_protocol=%d\n%s", strings.Join(told, " "), router.DelegatedProtocol, delegatedScript)
	}
	return text
}

// An own prefix is one whose hosts the spec places: a network of the router, a static
// route, a tunnel's peers.
type own struct {
	router.By
	prefix netip.Prefix
}

func owned(r *router.Router) []own {
	var out []own
	for _, n := range r.Networks {
		for _, a := range n.Addresses() {
			if how, ok := a.How.(router.Fixed); ok {
				out = append(out, own{router.By{Addr: n.Addr, From: a.From}, how.Masked()})
			}
		}
	}
	for _, rt := range r.Routes {
		if rt.To.V.Bits() > 0 && !rt.Table.Set {
			out = append(out, own{router.By{Addr: rt.Addr, From: rt.To.Range}, rt.To.V.Prefix})
		}
	}
	for _, v := range router.Claimed[router.DeviceRoute](r) {
		out = append(out, own{v.By, v.To})
	}
	return out
}

// inside tells whether all of a prefix is in another.
func inside(p, other netip.Prefix) bool {
	return other.Bits() <= p.Bits() && other.Overlaps(p)
}

// overlap adds the check that what an upstream gives (a lease, or the prefix of a router
// advertisement) is nothing that the spec has elsewhere: hosts there would be looked for at
// two places.
func overlap(r *router.Router, p *verify.Plan, n *router.Network, from hcl.Range) {
	dev := string(n.Device())
	want, hint := "no prefix that the spec has elsewhere", "ip addr show dev "+dev+"; ip route show dev "+dev
	p.Add(verify.Check{
		ID: n.Addr.String() + "/overlap", Title: "what the upstream gives on " + dev, From: from,
		Eval: func(st *state.State) verify.Verdict {
			if st.Addrs == nil || st.Routes == nil {
				return verify.NotSeen(want, hint)
			}
			given := map[netip.Prefix]string{}
			for _, a := range st.Addrs {
				if q, err := netip.ParsePrefix(a.Prefix); err == nil && a.Link == dev && (a.Dynamic || n.ByPPP()) && !q.Addr().IsLinkLocalUnicast() {
					given[q.Masked()] = a.Prefix
				}
			}
			for _, rt := range st.Routes {
				// A prefix on the link that no address is in.
				if q, err := netip.ParsePrefix(rt.To); err == nil && rt.Link == dev && rt.Via == "" && (rt.Proto == "kernel" || rt.Proto == "ra") && given[q] == "" && !q.Addr().IsLinkLocalUnicast() && !q.Addr().IsMulticast() {
					given[q] = rt.To
				}
			}
			var clashes []string
			for q, text := range given {
				for _, o := range owned(r) {
					if o.Addr != n.Addr && o.prefix.Overlaps(q) {
						clashes = append(clashes, fmt.Sprintf("%s, and %s has %s (%s:%d)", text, o.Addr, o.prefix, o.From.Filename, o.From.Start.Line))
					}
				}
			}
			if len(clashes) > 0 {
				slices.Sort(clashes)
				return verify.Verdict{Status: verify.Fail, Want: want, Got: strings.Join(clashes, "; "), Hint: hint}
			}
			return verify.Compare(want, want, hint)
		},
	})
}

// routes adds the check that a lease has brought no routes but those that it may: the
// default route, the way to its gateway (RFC 3442, section on the local subnet), its own
// subnet and what the spec lists.
func (c *Client) routes(p *verify.Plan, n *router.Network) {
	dev, from := string(n.Device()), n.IPv4.Range
	if c.Routes.Set {
		from = c.Routes.Range
	}
	want, hint := "none but those that the spec takes", "ip route show dev "+dev+" proto dhcp"
	p.Add(verify.Check{
		ID: n.Addr.String() + "/leased-routes", Title: "routes by DHCP on " + dev, From: from,
		Eval: func(st *state.State) verify.Verdict {
			if st.Addrs == nil || st.Routes == nil {
				return verify.NotSeen(want, hint)
			}
			var got []string
			for _, rt := range st.Routes {
				if rt.Link == dev && rt.Proto == "dhcp" && !c.takes(st, dev, rt) {
					got = append(got, strings.TrimSuffix(rt.To+" via "+rt.Via, " via "))
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

// takes tells whether a route is one that a lease may bring.
func (c *Client) takes(st *state.State, dev string, rt state.Route) bool {
	to, err := netip.ParsePrefix(rt.To)
	switch {
	case err != nil:
		return false
	case to.Bits() == 0:
		return true
	case slices.ContainsFunc(c.Routes.All(), func(may router.Block) bool { return inside(to, may.Prefix) }):
		return true
	case rt.Via != "":
		return false
	}
	return slices.ContainsFunc(st.Addrs, func(a state.Addr) bool {
		q, err := netip.ParsePrefix(a.Prefix)
		return err == nil && a.Link == dev && q.Masked() == to
	}) || to.IsSingleIP() && slices.ContainsFunc(st.Routes, func(d state.Route) bool {
		return d.To == "0.0.0.0/0" && d.Link == dev && d.Via == to.Addr().String()
	})
}
