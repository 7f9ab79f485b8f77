package lldpd

import (
	"cmp"
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"

	"github.com/nbr-dev/nbr/hcl/conf"
	"github.com/nbr-dev/nbr/router"
	"github.com/nbr-dev/nbr/verify"
	"github.com/nbr-dev/nbr/verify/state"
)

// Checks ask lldpd what it tells on which port, and whom it hears.
func (b *LLDP) Checks(r *router.Router, p *verify.Plan) {
	id := b.Addr.String()
	p.UnitActive(id+"/unit", b.Def, unit+".service")
	b.told(r, p)
	b.managed(p)
	for _, l := range b.Links.Items {
		b.port(p, l, fmt.Sprintf("tells and hears, for %d s", int(b.Interval.V)*hold))
	}
	for _, l := range b.Listen.Items {
		b.port(p, l, "hears alone")
	}
	for _, n := range b.Neighbors {
		b.expects(p, n)
	}
}

func (b *LLDP) check(p *verify.Plan, what, title string, from hcl.Range, want, hint string, judge func(*state.State, answer) verify.Verdict) {
	verify.Asked(p, verify.Check{ID: b.Addr.String() + "/" + what, Title: title, From: from}, heard, struct{}{}, want, hint, judge)
}

// told adds the check of the name and the description.
func (b *LLDP) told(r *router.Router, p *verify.Plan) {
	at := b.Def
	if b.Description.Set {
		at = b.Description.Range
	}
	want, hint := fmt.Sprintf("%s, %s", r.System.Name.V, b.Description.V), "lldpcli show chassis"
	b.check(p, "tells", "neighbours are told who the router is", at, want, hint, func(_ *state.State, a answer) verify.Verdict {
		return verify.Compare(want, a.Name+", "+a.Description, hint)
	})
}

// managed adds the check of the addresses at which the router is managed.
func (b *LLDP) managed(p *verify.Plan) {
	at, link, want, hint := b.Def, "", "no address", "lldpcli show chassis"
	if n := b.Management.Target; n != nil {
		at, link = b.Management.Range, string(n.Device())
		want = "addresses of " + link
	}
	b.check(p, "management", "neighbours are told where the router is managed", at, want, hint, func(st *state.State, a answer) verify.Verdict {
		switch {
		case len(a.Management) == 0:
			return verify.Compare(want, "no address", hint)
		case link == "":
			return verify.Compare(want, verify.List(a.Management), hint)
		case st.Addrs == nil:
			return verify.NotSeen(want, hint)
		}
		own := func(told string) bool {
			return slices.ContainsFunc(st.Addrs, func(s state.Addr) bool {
				prefix, err := netip.ParsePrefix(s.Prefix)
				return err == nil && s.Link == link && prefix.Addr().String() == told
			})
		}
		for _, told := range a.Management {
			if !own(told) {
				return verify.Judge(false, want, told, hint)
			}
		}
		return verify.Compare(want, want, hint)
	})
}

// port adds the check of what lldpd does on a port.
func (b *LLDP) port(p *verify.Plan, l conf.Ref[router.Link], want string) {
	name, hint := string(l.Target.LinkName()), "lldpcli show interfaces; lldpcli show statistics"
	b.check(p, "port/"+name, "LLDP on "+name, l.Range, want, hint, func(st *state.State, a answer) verify.Verdict {
		i := slices.IndexFunc(a.Ports, func(o port) bool { return o.Name == name })
		if i < 0 {
			return verify.Judge(false, want, "lldpd is not on "+name, hint)
		}
		got, on := a.Ports[i].Status, a.Ports[i]
		switch on.Status {
		case "RX and TX":
			got = fmt.Sprintf("tells and hears, for %d s", on.TTL)
		case "RX only":
			got = "hears alone"
		}
		if got == want && on.Status == "RX and TX" && on.Sent == 0 {
			if verify.NoCarrier(st, name) {
				return verify.Skipped(want, name+" has no carrier", hint)
			}
			got = "has told nothing yet"
		}
		return verify.Compare(want, got, hint)
	})
}

// expects adds the check that a neighbour is there.
func (b *LLDP) expects(p *verify.Plan, n *Neighbor) {
	name, hint := string(n.Link.Target.LinkName()), "lldpcli show neighbors"
	want := neighbor{On: name, System: string(n.System.V), Port: string(n.Port.V)}
	b.check(p, "neighbor/"+string(n.Name.V), fmt.Sprintf("%s is at the end of %s", n.System.V, name), n.Def, want.text(), hint, func(st *state.State, a answer) verify.Verdict {
		if verify.NoCarrier(st, name) {
			return verify.Judge(false, want.text(), name+" has no carrier", hint)
		}
		var others []string
		for _, o := range a.Neighbors {
			if o.On != name {
				continue
			}
			if o.System == want.System && (want.Port == "" || o.Port == want.Port || o.Description == want.Port) {
				return verify.Compare(want.text(), want.text(), hint)
			}
			others = append(others, o.text())
		}
		return verify.Judge(false, want.text(), cmp.Or(strings.Join(others, "; "), "no neighbour"), hint)
	})
}

// text is the neighbour for a reader, with what it says of its port.
func (n neighbor) text() string {
	out := cmp.Or(n.System, "a machine without a name")
	if said := cmp.Or(n.Description, n.Port); said != "" {
		out += ", port " + said
	}
	return out
}
