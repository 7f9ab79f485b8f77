package kea

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

// Checks look at the unit, at what one who asks is told, and at the routes to what routers
// behind have leased.
func (d *DHCP6) Checks(r *router.Router, p *verify.Plan) {
	p.UnitActive(d.Addr.String()+"/unit", d.Def, unit6+".service")
	if len(d.Delegates) > 0 {
		p.UnitActive(d.Addr.String()+"/routes-unit", d.Delegates[0].Def, routesUnit+".service")
		d.routes(p)
	}
	if d.Register.V {
		d.registrar().check(r, p)
	}
	extra := d.additions(r)
	if extra.replace("subnet", "interface", "relay", "client-class", "client-classes", "require-client-classes", "evaluate-additional-classes") {
		return // the user's additions make another network of it, or not for all clients
	}
	device := string(d.Network.Target.Device())
	// Who may have no address is not asked for one, of which Kea would write a warning.
	anyone := client6{Link: device, Stateless: len(d.Pool.Items) == 0 && len(d.Delegates) == 0}
	d.ask(p, "answer", "hosts on "+device+" get an answer", d.Network.Range, anyone, "an answer", func(advice) string { return "an answer" })
	if len(d.Pool.Items) > 0 && !extra.replace("pools") {
		want := "an address of " + ranges(d.Pool.All())
		d.ask(p, "address", "a host gets an address of the pool", d.Pool.Range, anyone, want, func(a advice) string {
			if len(a.Addresses) == 1 && slices.ContainsFunc(d.Pool.All(), func(r IDRange) bool {
				got, err := netip.ParseAddr(a.Addresses[0])
				return err == nil && d.address(r.First).Compare(got) <= 0 && got.Compare(d.address(r.Last)) <= 0
			}) {
				return want
			}
			return verify.List(a.Addresses)
		})
	}
	if len(d.Delegates) > 0 && !extra.replace("pd-pools") {
		var parts []string
		for _, g := range d.Delegates {
			parts = append(parts, fmt.Sprintf("a /%d of %s", g.Length.V, g.Prefix.V))
		}
		want := strings.Join(parts, " or ")
		d.ask(p, "prefix", "a router gets a prefix", d.Delegates[0].Prefix.Range, anyone, want, func(a advice) string {
			if len(a.Prefixes) == 1 && slices.ContainsFunc(d.Delegates, func(g *Delegate) bool {
				got, err := netip.ParsePrefix(a.Prefixes[0])
				return err == nil && got.Bits() == int(g.Length.V) && g.Prefix.V.Contains(got.Addr())
			}) {
				return want
			}
			return verify.List(a.Prefixes)
		})
	}
	if len(d.Pool.Items) > 0 || len(d.Delegates) > 0 {
		seconds := func(n int64) string { return fmt.Sprintf("%d s", n) }
		if !extra.replace("valid-lifetime", "min-valid-lifetime", "max-valid-lifetime") {
			d.ask(p, "lease", "leases last as long as they should", cmp.Or(d.Lease.Range, d.Def), anyone, seconds(int64(d.Lease.V)), func(a advice) string { return seconds(a.Valid) })
		}
		if !extra.replace("preferred-lifetime", "min-preferred-lifetime", "max-preferred-lifetime") {
			d.ask(p, "preferred", "addresses are preferred as long as they should be", cmp.Or(d.Preferred.Range, d.Lease.Range, d.Def), anyone, seconds(int64(d.preferred())), func(a advice) string { return seconds(a.Preferred) })
		}
	}
	if !extra.replace("option-data") {
		d.ask(p, "dns", "hosts get name servers", cmp.Or(d.DNS.Range, d.Network.Range), anyone, verify.List(d.servers(r)), func(a advice) string { return verify.List(a.DNS) })
		d.ask(p, "domains", "hosts get domains", cmp.Or(d.Domains.Range, d.Network.Target.Domain.Range, d.Def), anyone, verify.List(d.domains()), func(a advice) string { return verify.List(a.Domains) })
	}
	if extra.replace("reservations") {
		return
	}
	for _, h := range d.reserved(r) {
		c := client6{Link: device, MAC: string(h.MAC.V)}
		if h.DUID.Set {
			c = client6{Link: device, DUID: string(h.DUID.V)}
		}
		want := d.address(h.IPv6.V).String()
		d.ask(p, h.Addr.String(), fmt.Sprintf("%s gets %s", h.Name.V, want), h.IPv6.Range, c, want, func(a advice) string { return verify.List(a.Addresses) })
	}
}

func ranges(all []IDRange) string {
	var out []string
	for _, r := range all {
		out = append(out, r.String())
	}
	return strings.Join(out, ", ")
}

// ask adds a check of one part of the answer. That there is none is a failure of the check that
// is about it; the others know nothing then.
func (d *DHCP6) ask(p *verify.Plan, what, title string, from hcl.Range, c client6, want string, get func(advice) string) {
	hint := "journalctl -u " + unit6 + " -n 20"
	check := verify.Check{ID: d.Addr.String() + "/" + what, Title: title, From: from}
	verify.AskedOn(p, check, c.Link, told, c, want, hint, func(_ *state.State, a advice) verify.Verdict {
		switch {
		case a.Answered:
			return verify.Compare(want, get(a), hint)
		case what == "answer":
			return verify.Verdict{Status: verify.Fail, Want: want, Got: "no answer to a host that asks", Hint: hint}
		}
		return verify.NotSeen(want, hint)
	})
}

// linger is how long the route to a prefix may be there after its lease has ended, in seconds:
// the unit looks every minute.
const linger = 120

// routes adds the check that there is a route to each prefix that a router behind has leased,
// and to no other.
func (d *DHCP6) routes(p *verify.Plan) {
	device := string(d.Network.Target.Device())
	want, hint := "a route to each leased prefix", "ip -6 route show proto 203; journalctl -u "+routesUnit+" -n 20"
	check := verify.Check{ID: d.Addr.String() + "/routes", Title: "routes to what routers behind " + device + " have leased", From: d.Delegates[0].Prefix.Range}
	verify.Asked(p, check, delegated, struct{}{}, want, hint, func(st *state.State, leases []lease6) verify.Verdict {
		if st.Routes == nil || st.Time == 0 {
			return verify.NotSeen(want, hint)
		}
		routed := map[string]bool{}
		for _, rt := range st.Routes {
			if rt.Proto == state.RouteProtocolName(protocolDelegated) && rt.Link == device && rt.Via != "" {
				routed[rt.To] = true
			}
		}
		var wrong []string
		for _, l := range leases {
			if l.Subnet != d.subnetID() || l.Until < st.Time-linger {
				continue
			}
			if !routed[l.Prefix] && l.Until > st.Time {
				wrong = append(wrong, "no route to "+l.Prefix)
			}
			delete(routed, l.Prefix)
		}
		for to := range routed {
			wrong = append(wrong, "a route to "+to+", which is not leased")
		}
		if len(wrong) > 0 {
			slices.Sort(wrong)
			return verify.Verdict{Status: verify.Fail, Want: want, Got: strings.Join(wrong, ", "), Hint: hint}
		}
		return verify.Compare(want, want, hint)
	})
}
