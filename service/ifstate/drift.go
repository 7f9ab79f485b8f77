package ifstate

import (
	"fmt"
	"net/netip"
	"regexp"
	"slices"
	"strings"

	"github.com/nbr-dev/nbr/router"
	"github.com/nbr-dev/nbr/verify"
	"github.com/nbr-dev/nbr/verify/state"
)

// ignored are the interfaces that IfState itself leaves to others
// (parameters.ignore.ifname_builtin of IfState 2.x), the loopback, and the ones
// that tunnel modules of the kernel make when they are loaded.
var ignored = regexp.MustCompile(`^(lo|br-[\da-f]{12}.*|docker\d+.*|ppp\d+|veth.*|virbr\d+|vrrp\d*\.\d+|` +
	`sit0|tunl0|gre0|gretap0|erspan0|ip6tnl0|ip6gre0|ip_vti0|ip6_vti0)$`)

// dynamicProto are the routing protocols (rtnetlink(7), rt_protos) of the kernel
// and of daemons: what they add is theirs to keep.
var dynamicProto = []string{"kernel", "ra", "dhcp", "redirect", "zebra", "bird", "babel", "bgp", "isis", "ospf", "rip", "eigrp"}

// drift adds the checks for what nobody declared. What it finds is classed:
// declared, dynamic (the kernel's, a daemon's) or foreign; only the last is named.
func (b *Interfaces) drift(r *router.Router, p *verify.Plan) {
	add := func(what, title, hint string, look func(*state.State) ([]string, bool)) {
		p.Add(verify.Check{
			ID: b.Addr.String() + "/foreign/" + what, Title: title, From: b.Def,
			Eval: func(st *state.State) verify.Verdict {
				found, seen := look(st)
				if !seen {
					return verify.NotSeen("none", hint)
				}
				slices.Sort(found)
				if len(found) == 0 {
					found = []string{"none"}
				}
				return verify.Compare("none", strings.Join(found, ", "), hint)
			},
		})
	}
	add("links", "no links that nobody declared", "ip link", func(st *state.State) ([]string, bool) { return b.foreignLinks(r, st), st.Links != nil })
	add("addresses", "no addresses that nobody declared", "ip addr", func(st *state.State) ([]string, bool) { return foreignAddrs(r, st), st.Addrs != nil })
	add("routes", "no routes that nobody declared", "ip route", func(st *state.State) ([]string, bool) { return foreignRoutes(r, st), st.Routes != nil })
	add("rules", "no routing rules that nobody declared", "ip rule", func(st *state.State) ([]string, bool) {
		var out []string
		for _, rule := range st.Rules {
			out = append(out, rule.Text)
		}
		return out, st.Rules != nil
	})
	add("listeners", "no sockets that nobody declared", "ss -lntup", func(st *state.State) ([]string, bool) { return foreignListeners(r, st), st.Listeners != nil })
}

func (b *Interfaces) foreignLinks(r *router.Router, st *state.State) []string {
	known := map[string]bool{}
	for _, l := range r.Links() {
		known[string(l.LinkName())] = true
	}
	var out []string
	for name := range st.Links {
		if !known[name] && !ignored.MatchString(name) && !b.ignores(name) {
			out = append(out, name)
		}
	}
	return out
}

// ignores tells whether the spec leaves an interface to somebody else.
func (b *Interfaces) ignores(name string) bool {
	for _, pattern := range b.Ignore.All() {
		if ok, err := regexp.MatchString(string(pattern), name); err == nil && ok {
			return true
		}
	}
	return false
}

func foreignAddrs(r *router.Router, st *state.State) []string {
	known := map[string]bool{}
	mine := map[string]bool{}
	for _, n := range r.Networks {
		mine[string(n.Device())] = true
		for _, p := range n.Fixed() {
			known[string(n.Device())+" "+p.String()] = true
		}
	}
	for _, l := range r.Links() {
		mine[string(l.LinkName())] = true
	}
	var out []string
	for _, a := range st.Addrs {
		p, err := netip.ParsePrefix(a.Prefix)
		own := err == nil && p.Addr().IsLinkLocalUnicast() && p.Addr().Is6()
		if mine[a.Link] && !a.Dynamic && !own && !known[a.Link+" "+a.Prefix] {
			out = append(out, a.Prefix+" on "+a.Link)
		}
	}
	return out
}

func foreignRoutes(r *router.Router, st *state.State) []string {
	known := map[string]bool{}
	for _, rt := range routes(r) {
		known[rt.to+" "+rt.via] = true
	}
	var out []string
	for _, rt := range st.Routes {
		if !slices.Contains(dynamicProto, rt.Proto) && !known[rt.To+" "+rt.Via] {
			out = append(out, strings.TrimSpace(fmt.Sprintf("%s via %s dev %s %s", rt.To, rt.Via, rt.Link, rt.Table)))
		}
	}
	return out
}

// foreignListeners are sockets that can be reached over the network and that no
// block claimed. Ports above 1023 of UDP are where clients wait for answers.
func foreignListeners(r *router.Router, st *state.State) []string {
	var out []string
	for _, l := range st.Listeners {
		a, err := netip.ParseAddr(l.Address)
		if err == nil && a.IsLoopback() || claimed(r, l) || l.Protocol == "udp" && l.Port >= 1024 && l.Program != "" {
			continue
		}
		out = append(out, strings.TrimSpace(fmt.Sprintf("%s/%d %s", l.Protocol, l.Port, l.Program)))
	}
	return slices.Compact(slices.Sorted(slices.Values(out)))
}

func claimed(r *router.Router, l state.Listener) bool {
	return slices.ContainsFunc(r.Claims.Listens, func(c *router.Listen) bool { return c.Protocol == l.Protocol && c.Port == l.Port }) ||
		slices.ContainsFunc(r.Claims.Opens, func(o *router.Open) bool { return o.Protocol == l.Protocol && o.Port == l.Port })
}
