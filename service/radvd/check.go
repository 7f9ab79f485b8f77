package radvd

import (
	"cmp"
	"encoding/binary"
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"

	"github.com/nbr-dev/nbr/router"
	"github.com/nbr-dev/nbr/verify"
	"github.com/nbr-dev/nbr/verify/state"
)

// Checks ask what a host on the link is told, and by whom else.
func (a *Advert) Checks(r *router.Router, p *verify.Plan) {
	device, n := string(a.device()), a.Network.Target
	a.check(p, "advertised", "hosts on "+device+" are told of the router", a.Network.Range, "an advertisement", func(advert) string { return "an advertisement" })

	a.prefixes(p)
	if a.prefix().IsValid() {
		a.prefixTime(p, "valid", "addresses are valid as long as they should be", a.Valid.Range, int64(a.Valid.V), func(x prefix) int64 { return x.Valid })
		a.prefixTime(p, "preferred", "addresses are preferred as long as they should be", a.Preferred.Range, int64(a.Preferred.V), func(x prefix) int64 { return x.Preferred })
	}
	a.delegatedTime(p, "valid", "addresses of the delegated prefix are valid no longer than they should be", a.Valid.Range, int64(a.Valid.V), func(x prefix) int64 { return x.Valid })
	a.delegatedTime(p, "preferred", "addresses of the delegated prefix are preferred no longer than they should be", a.Preferred.Range, int64(a.Preferred.V), func(x prefix) int64 { return x.Preferred })

	a.defaultRouter(r, p)
	a.routes(r, p)
	a.check(p, "preference", "hosts get the router's preference", cmp.Or(a.Preference.Range, a.Def), string(a.Preference.V), func(v advert) string { return v.Preference })
	a.check(p, "flags", "hosts are told whether to use DHCPv6", cmp.Or(a.Managed.Range, a.Other.Range, a.Def), dhcp(a.flags(r)), func(v advert) string { return dhcp(v.Managed, v.Other) })
	a.check(p, "mtu", "hosts are told the MTU", cmp.Or(a.MTU.Range, a.Def), mtu(int64(a.MTU.V)), func(v advert) string { return mtu(v.MTU) })

	lifetime := int64(a.lifetimeDNS())
	var servers, domains []named
	for _, s := range a.servers(r) {
		servers = append(servers, named{s.String(), lifetime})
	}
	for _, d := range a.domains() {
		domains = append(domains, named{string(d.V), lifetime})
	}
	a.check(p, "dns", "hosts get name servers", cmp.Or(a.DNS.Range, a.Network.Range), list(servers, named.text), func(v advert) string { return list(v.DNS, named.text) })
	a.check(p, "domains", "hosts get domains", cmp.Or(a.Domains.Range, n.Domain.Range, a.Def), list(domains, named.text), func(v advert) string { return list(v.Domains, named.text) })
	if len(router.Claimed[router.NAT64](r)) > 0 {
		a.pref64s(r, p)
	}
	a.alone(p)
}

// defaultRouter adds the check of how long hosts keep the router as a default router.
func (a *Advert) defaultRouter(r *router.Router, p *verify.Plan) {
	const id, title = "default", "hosts keep the default router as long as they should"
	from, want := cmp.Or(a.Lifetime.Range, a.Default.Range, a.Interval.Range, a.Def), lasting(int64(a.lifetime()))
	if !a.learnt(r) {
		a.check(p, id, title, from, want, func(v advert) string { return lasting(v.Lifetime) })
		return
	}
	a.judge(p, id, title, from, want, func(st *state.State, v advert) verify.Verdict {
		if st.Routes == nil {
			return verify.NotSeen(want, "ip -6 route show default")
		}
		if !slices.ContainsFunc(st.Routes, func(rt state.Route) bool { return rt.To == "::/0" && rt.Type == "" && rt.Table == "" }) {
			return verify.Compare(lasting(0)+" without a default route of its own", lasting(v.Lifetime)+" without a default route of its own", "ip -6 route show default")
		}
		return verify.Compare(want, lasting(v.Lifetime), "")
	})
}

// routes adds the check that hosts are told what the router leads to without a default route.
func (a *Advert) routes(r *router.Router, p *verify.Plan) {
	if !a.learnt(r) {
		return
	}
	lifetime := int64(a.lifetime())
	var sites []named
	for _, to := range a.sites(r) {
		sites = append(sites, named{to.String(), lifetime})
	}
	want := list(sites, named.text)
	if len(r.Prefixes) > 0 {
		want = "those of the site, and what is delegated"
	}
	a.judge(p, "routes", "hosts are told which prefixes the router leads to", a.Def, want, func(st *state.State, v advert) verify.Verdict {
		if st.Routes == nil {
			return verify.NotSeen(want, "ip -6 route show type unreachable proto dhcp")
		}
		all := slices.Clone(sites)
		for _, rt := range st.Routes {
			if rt.Type == "unreachable" && rt.Proto == "dhcp" && strings.Contains(rt.To, ":") {
				all = append(all, named{rt.To, lifetime})
			}
		}
		return verify.Compare(list(all, named.text), list(v.Routes, named.text), "")
	})
}

// pref64s adds the check that hosts get the prefix of NAT64, if they may use it.
func (a *Advert) pref64s(r *router.Router, p *verify.Plan) {
	var translated []named
	if t, ok := a.pref64(r); ok {
		translated = append(translated, named{t.String(), int64(a.lifetimePREF64())})
	}
	a.check(p, "pref64", "hosts get the prefix of NAT64", cmp.Or(a.PREF64.Range, a.Network.Range), list(translated, named.text), func(v advert) string { return list(v.PREF64, named.text) })
}

// hint is how a person asks: rdisc6 is of ndisc6, which the router gets for it.
func hint(device string) string { return "rdisc6 " + device }

// check adds a check of one part of the advertisement.
func (a *Advert) check(p *verify.Plan, what, title string, from hcl.Range, want string, got func(advert) string) {
	a.judge(p, what, title, from, want, func(_ *state.State, v advert) verify.Verdict {
		return verify.Compare(want, got(v), "")
	})
}

// judge adds a check of the advertisement. That there is none is a failure of the check that is
// about it; the others know nothing then.
func (a *Advert) judge(p *verify.Plan, what, title string, from hcl.Range, want string, of func(*state.State, advert) verify.Verdict) {
	device := string(a.device())
	c := verify.Check{ID: a.Addr.String() + "/" + what, Title: title, From: from}
	verify.AskedOn(p, c, device, advertised, device, want, hint(device), func(st *state.State, v advert) verify.Verdict {
		switch {
		case v.Answered:
			return of(st, v)
		case what == "advertised":
			return verify.Verdict{Status: verify.Fail, Got: "no answer to a host that asks", Hint: "journalctl -u radvd -n 20"}
		}
		return verify.NotSeen(want, "")
	})
}

// prefixes adds the check that hosts get the prefixes of the network and no others.
func (a *Advert) prefixes(p *verify.Plan) {
	flags := []string{"on link"}
	if a.Autonomous.V {
		flags = append(flags, "autonomous")
	}
	as := " (" + strings.Join(flags, ", ") + ")"
	var fixed, want []string
	if own := a.prefix(); own.IsValid() {
		fixed = []string{own.Masked().String() + as}
	}
	want = fixed
	d, later := a.delegated()
	if later {
		want = append(slices.Clone(fixed), fmt.Sprintf("network %d of %s%s", d.Subnet, d.Prefix.Addr, as))
	}
	got := func(v advert) string {
		// What hosts are told to stop using was delegated before.
		current := slices.DeleteFunc(slices.Clone(v.Prefixes), func(x prefix) bool { return later && x.Valid == 0 })
		return list(current, func(x prefix) string {
			var flags []string
			if x.OnLink {
				flags = append(flags, "on link")
			}
			if x.Autonomous {
				flags = append(flags, "autonomous")
			}
			return fmt.Sprintf("%s (%s)", x.Prefix, strings.Join(flags, ", "))
		})
	}
	text := verify.List(want)
	a.judge(p, "prefix", "hosts get the network's prefix", a.Network.Range, text, func(st *state.State, v advert) verify.Verdict {
		if !later {
			return verify.Compare(text, got(v), "")
		}
		own, verdict := a.has(st, d, text)
		switch {
		case verdict != nil && verdict.Status == verify.Skip && got(v) != verify.List(fixed):
			return verify.Compare(verify.List(fixed), got(v), "")
		case verdict != nil:
			return *verdict
		}
		all := slices.Clone(fixed)
		for _, prefix := range own {
			all = append(all, prefix+as)
		}
		slices.Sort(all)
		return verify.Compare(verify.List(all), got(v), "")
	})
}

// has are the delegated prefixes in which the router has its address on the link: there are two
// while one replaces the other. Without any it is the verdict: that an upstream delegates nothing
// is for the checks of the prefix to say.
func (a *Advert) has(st *state.State, d router.Delegated, want string) ([]string, *verify.Verdict) {
	if st.Addrs == nil {
		v := verify.NotSeen(want, "ip -6 addr show dev "+string(a.device()))
		return nil, &v
	}
	var own []string
	for _, addr := range st.Addrs {
		p, err := netip.ParsePrefix(addr.Prefix)
		if err != nil || addr.Link != string(a.device()) || !addr.Dynamic || p.Bits() != 64 {
			continue
		}
		if interfaceID(p.Addr()) == d.ID {
			own = append(own, p.Masked().String())
		}
	}
	if len(own) == 0 {
		v := verify.Skipped(want, "the router has no address of "+d.Prefix.Addr.String(), "ip -6 addr show dev "+string(a.device()))
		return nil, &v
	}
	return own, nil
}

// prefixTime adds a check of a time of the network's own prefix. If that is not advertised,
// it has been said.
func (a *Advert) prefixTime(p *verify.Plan, what, title string, from hcl.Range, want int64, get func(prefix) int64) {
	own := a.prefix().Masked().String()
	a.check(p, what, title, cmp.Or(from, a.Def), lasting(want), func(v advert) string {
		i := slices.IndexFunc(v.Prefixes, func(x prefix) bool { return x.Prefix == own })
		if i < 0 {
			return "no " + own
		}
		return lasting(get(v.Prefixes[i]))
	})
}

// delegatedTime adds a check of a time of the delegated prefix: radvd advertises what is left of
// the address's own, if that is less.
func (a *Advert) delegatedTime(p *verify.Plan, what, title string, from hcl.Range, most int64, get func(prefix) int64) {
	d, ok := a.delegated()
	if !ok {
		return
	}
	want := "at most " + lasting(most)
	a.judge(p, "delegated/"+what, title, cmp.Or(from, a.Def), want, func(st *state.State, v advert) verify.Verdict {
		own, verdict := a.has(st, d, want)
		if verdict != nil {
			return *verdict
		}
		i := slices.IndexFunc(v.Prefixes, func(x prefix) bool { return slices.Contains(own, x.Prefix) })
		if i < 0 {
			return verify.Judge(false, want, "no "+verify.List(own), "")
		}
		longest := get(v.Prefixes[i])
		for _, x := range v.Prefixes[i:] { // one that is being replaced has less
			if slices.Contains(own, x.Prefix) {
				longest = max(longest, get(x))
			}
		}
		return verify.Judge(longest > 0 && longest <= most, want, lasting(longest), "")
	})
}

// interfaceID is the last 64 bits of an address.
func interfaceID(a netip.Addr) router.InterfaceID {
	b := a.As16()
	return router.InterfaceID(binary.BigEndian.Uint64(b[8:]))
}

// alone adds the check that no other router advertises on the link: hosts would send what is
// for the world through it (RFC 6104).
func (a *Advert) alone(p *verify.Plan) {
	device, known := string(a.device()), texts(a.Routers.All())
	want := "no other router"
	if len(known) > 0 {
		want += " than " + strings.Join(known, ", ")
	}
	c := verify.Check{ID: a.Addr.String() + "/alone", Title: "no other router advertises on " + device, From: cmp.Or(a.Routers.Range, a.Network.Range)}
	verify.AskedOn(p, c, device, others, device, want, hint(device), func(_ *state.State, v neighbours) verify.Verdict {
		foreign := slices.DeleteFunc(slices.Clone(v.Routers), func(n neighbour) bool { return slices.Contains(known, n.Address) })
		if len(foreign) == 0 {
			return verify.Compare(want, want, "")
		}
		return verify.Judge(false, want, list(foreign, neighbour.text), "")
	})
}

// text is what another router tells the hosts.
func (n neighbour) text() string {
	what := n.Prefixes
	if n.Lifetime > 0 {
		what = append([]string{"a default route"}, what...)
	}
	if len(what) == 0 {
		what = []string{"nothing to use"}
	}
	return n.Address + " advertises " + strings.Join(what, " and ")
}

func (n named) text() string { return n.Name + " for " + lasting(n.Lifetime) }

// list is the texts of values, sorted.
func list[T any](in []T, text func(T) string) string {
	var out []string
	for _, v := range in {
		out = append(out, text(v))
	}
	slices.Sort(out)
	return verify.List(out)
}

func lasting(seconds int64) string { return fmt.Sprintf("%d s", seconds) }

func mtu(n int64) string {
	if n == 0 {
		return "none"
	}
	return fmt.Sprintf("%d bytes", n)
}

func dhcp(managed, other bool) string {
	return fmt.Sprintf("managed %s, other %s", verify.OnOff(managed), verify.OnOff(other))
}
