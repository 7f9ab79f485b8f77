package uplink

import (
	"net/netip"
	"slices"

	"github.com/hashicorp/hcl/v2"

	"github.com/nbr-dev/nbr/hcl/conf"
	"github.com/nbr-dev/nbr/hcl/diag"
	"github.com/nbr-dev/nbr/router"
)

// Judge judges the uplink's network and probes, and all uplinks beside each other.
func (u *Uplink) Judge(r *router.Router) hcl.Diagnostics {
	diags := u.judgeValues()
	diags = append(diags, u.judgeNetwork(r)...)
	diags = append(diags, u.judgeProbes(r)...)
	diags = append(diags, u.judgeTwice(r)...)
	if u.first(r) {
		diags = append(diags, diag.AllAbsent(slices.Concat(u.judgeAlone(r), judgeOthers(r), judgeFixed(r)), "uplink")...)
	}
	return append(diags, u.judgePrefixes(r)...)
}

// first tells whether it is the first block: what is wrong with all of them is said once.
func (u *Uplink) first(r *router.Router) bool {
	return router.Claimed[router.Uplink](r)[0].Addr == u.Addr
}

// longest is how long a failure may go unnoticed between two rounds.
const longest = 3600

func (u *Uplink) judgeValues() hcl.Diagnostics {
	if u.Interval.V <= longest {
		return nil
	}
	return hcl.Diagnostics{diag.Help(diag.Error("bad-value", u.Interval.Range, "Bad interval",
		"Between two rounds of probes nothing is noticed, here for %d hours.", u.Interval.V/3600),
		"Write a time from \"1s\" to \"1h\".")}
}

// judgeNetwork wants a network with a default route that another router, a session or the spec
// gives: there is nothing else to lead packets by.
func (u *Uplink) judgeNetwork(r *router.Router) hcl.Diagnostics {
	n := u.Network.Target
	if len(u.families(r)) > 0 {
		return nil
	}
	return hcl.Diagnostics{diag.With(diag.Help(diag.Error("uplink-network", u.Network.Range, "Uplink without a way to the Internet",
		"No default route leads to %s: it has no gateway, and no server or router there gives it one.", n.Addr),
		"Give it a gateway, or an address by ipv4 = \"dhcp\" or ipv6 = \"auto\"; or name the network that leads to the Internet."), n.Def, "%s", n.Addr.String())}
}

// judgeProbes finds probes that say nothing of what is behind the uplink.
func (u *Uplink) judgeProbes(r *router.Router) hcl.Diagnostics {
	var diags hcl.Diagnostics
	families := u.families(r)
	for _, p := range u.Probes.Items {
		a := p.V.Target.Addr()
		n := r.NetworkAt(a)
		switch {
		case len(families) > 0 && !slices.Contains(families, u.family(a)):
			version := router.IPv4
			if a.Is6() {
				version = router.IPv6
			}
			diags = append(diags, diag.With(diag.Help(diag.Error("uplink-probe", p.Range, "Probe that cannot leave",
				"%s has no default route of %s, so no packet gets to %s that way.", u.Network.Target.Addr, version, a),
				"Give an address of the other version of IP, or give the network a way for this one."), u.Network.Range, "the network"))
		case n != nil && n.Link.Target == u.Network.Target.Link.Target:
			diags = append(diags, diag.With(diag.Help(diag.Warning("uplink-probe", p.Range, "Probe of the next router alone",
				"%s is in %s itself: it answers whatever is wrong behind it.", a, n.Addr),
				"Give an address beyond it, such as a name server of the provider."), n.Def, "%s", n.Addr.String()))
		case n != nil:
			diags = append(diags, diag.With(diag.Help(diag.Error("uplink-probe", p.Range, "Probe of the router's own network",
				"%s is in %s, which is not behind the uplink.", a, n.Addr),
				"Give an address in the Internet."), n.Def, "%s", n.Addr.String()))
		}
	}
	return diags
}

// judgeTwice finds an earlier uplink with the same priority or the same link.
func (u *Uplink) judgeTwice(r *router.Router) hcl.Diagnostics {
	var diags hcl.Diagnostics
	w := u.watched(r)
	for _, o := range router.Claimed[router.Uplink](r) {
		if o.Addr == u.Addr {
			break // of each pair the later one complains
		}
		if o.Mark == w.Mark() {
			diags = append(diags, diag.With(diag.Help(diag.Error("uplink-twice", u.Priority.Range, "Two uplinks with one priority",
				"%s has the priority %d already, so it is not said which of the two is preferred.", o.Addr, u.Priority.V),
				"Give one of them another priority."), o.From, "%s", o.Addr.String()))
		}
		if o.Network.Link.Target == u.Network.Target.Link.Target {
			diags = append(diags, diag.With(diag.Help(diag.Error("uplink-twice", u.Network.Range, "Two uplinks on one link",
				"%s is on %s already, and whether it works is the same for both.", o.Addr, u.Network.Target.Device()),
				"Remove one of the two, or give the other provider a link of its own, such as a VLAN."), o.From, "%s", o.Addr.String()))
		}
	}
	return diags
}

// judgeAlone finds an uplink beside which there is no other.
func (u *Uplink) judgeAlone(r *router.Router) hcl.Diagnostics {
	if len(router.Claimed[router.Uplink](r)) > 1 {
		return nil
	}
	return hcl.Diagnostics{diag.Help(diag.Error("uplink-alone", u.Def, "One uplink alone",
		"When %s fails there is no other one to take.", u.Addr),
		"Write an uplink block for the second way to the Internet, or remove this one: a single upstream needs none.")}
}

// judgeOthers finds default routes in the main table that would be taken before that of the
// uplink which works.
func judgeOthers(r *router.Router) hcl.Diagnostics {
	var diags hcl.Diagnostics
	first := router.Claimed[router.Uplink](r)[0]
	refuse := func(at hcl.Range, who conf.Addr, help string) {
		diags = append(diags, diag.With(diag.Help(diag.Error("uplink-route", at, "Default route beside uplinks",
			"%s has a default route in the main table, which would be taken whichever uplink works.", who),
			"%s", help), first.From, "%s", first.Addr.String()))
	}
	for _, rt := range r.Routes {
		if !rt.Table.Set && rt.To.Set && rt.To.V.Bits() == 0 {
			refuse(rt.To.Range, rt.Addr, "Remove it: the gateway of each uplink is a default route already. One for some packets only belongs to a table that a rule asks for.")
		}
	}
	for _, d := range router.Claimed[router.DeviceRoute](r) {
		if d.To.Bits() == 0 {
			refuse(d.From, d.Addr, "Give it shorter destinations than all of the Internet.")
		}
	}
	return diags
}

// public tells whether a prefix is one that a provider has to lead here: IPv4 networks are behind
// NAT as policies say, which takes the address of the uplink.
func public(p netip.Prefix) bool {
	return p.Addr().Is6() && p.Addr().IsGlobalUnicast() && !p.Addr().IsPrivate()
}

// judgeFixed finds fixed public networks of IPv6 of which it is not said whose they are.
func judgeFixed(r *router.Router) hcl.Diagnostics {
	var diags hcl.Diagnostics
	us := router.Claimed[router.Uplink](r)
	for _, n := range r.Networks {
		if n.Upstream() {
			continue
		}
		fixed, _ := n.Split()
		for _, p := range fixed {
			if !public(p) || slices.ContainsFunc(us, func(o *router.Uplink) bool {
				return slices.ContainsFunc(o.Prefixes, func(b netip.Prefix) bool { return b.Bits() <= p.Bits() && b.Contains(p.Addr()) })
			}) {
				continue
			}
			diags = append(diags, diag.With(diag.Help(diag.Error("uplink-prefix", n.IPv6.Range, "Addresses of no uplink",
				"%s is public, and no uplink has it in prefixes. Another provider than its own would drop packets from there (RFC 2827).", p.Masked()),
				"Write it in prefixes of the uplink whose provider leads it here, as in prefixes = [\"%s\"].", p.Masked()), us[0].From, "%s", us[0].Addr.String()))
		}
	}
	return diags
}

// judgePrefixes finds prefixes that two uplinks have.
func (u *Uplink) judgePrefixes(r *router.Router) hcl.Diagnostics {
	var diags hcl.Diagnostics
	for _, o := range router.Claimed[router.Uplink](r) {
		if o.Addr == u.Addr {
			break
		}
		for _, p := range u.Prefixes.Items {
			for _, q := range o.Prefixes {
				if p.V.Overlaps(q) {
					diags = append(diags, diag.With(diag.Help(diag.Error("uplink-prefix", p.Range, "Prefix of two uplinks",
						"%s has %s, so it is not said by which of the two packets from there leave.", o.Addr, q),
						"Keep it with the uplink whose provider leads it here."), o.From, "%s", o.Addr.String()))
				}
			}
		}
	}
	return diags
}
