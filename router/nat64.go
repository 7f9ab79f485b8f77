package router

import (
	"net/netip"
	"slices"

	"github.com/hashicorp/hcl/v2"

	"github.com/nbr-dev/nbr/hcl/diag"
)

// A NAT64 is a translator between the two versions of IP (RFC 6146 and RFC 7915): hosts that
// have IPv6 alone reach those that have IPv4 alone by addresses of its prefix, in which the
// IPv4 address is (RFC 6052). Packets go into its link in one version and come out of it in the
// other, so the firewall sees each twice: the policies towards the zone of the link decide who
// may have it translated, and those from there where that may go.
type NAT64 struct {
	By
	Prefix netip.Prefix
	Link   Link
}

// WellKnown64 is the well-known prefix of NAT64 (RFC 6052 section 2.1).
var WellKnown64 = netip.MustParsePrefix("64:ff9b::/96")

// notGlobal are the blocks of IPv4 that the well-known prefix does not stand for (RFC 6052
// section 3.1). Tayga, which is to keep to it, has this list (is_private_ip4_addr in addrmap.c).
var notGlobal = []netip.Prefix{
	netip.MustParsePrefix("10.0.0.0/8"), netip.MustParsePrefix("100.64.0.0/10"), netip.MustParsePrefix("172.16.0.0/12"),
	netip.MustParsePrefix("192.0.2.0/24"), netip.MustParsePrefix("192.168.0.0/16"), netip.MustParsePrefix("198.18.0.0/15"),
	netip.MustParsePrefix("198.51.100.0/24"), netip.MustParsePrefix("203.0.113.0/24"),
}

// Zone is the zone of the translator's link, nil if it is in none.
func (t *NAT64) Zone(r *Router) *Zone { return r.lookUp().zones[t.Link] }

// translators is the first NAT64 with its zone: a second one is an error of its own, and that it is
// in no zone is a warning.
func (r *Router) translators() map[*NAT64]*Zone {
	if all := Claimed[NAT64](r); len(all) > 0 && all[0].Zone(r) != nil {
		return map[*NAT64]*Zone{all[0]: all[0].Zone(r)}
	}
	return nil
}

// Translator is the NAT64 that hosts of a network may have packets translated by, as policies
// say; nil if there is none.
func (r *Router) Translator(n *Network) *NAT64 {
	for t, zone := range r.translators() {
		for _, p := range r.Policies {
			from := func(e Endpoint) bool { return slices.Contains(r.Within(e), n) }
			if p.Action.V == "accept" && p.Family.V != IPv4 && slices.Contains(p.To.All(), Endpoint(zone)) && slices.ContainsFunc(p.From.All(), from) {
				return t
			}
		}
	}
	return nil
}

// ruleNAT64 judges who may have packets translated, and where these may go.
func ruleNAT64(r *Router) hcl.Diagnostics {
	var diags hcl.Diagnostics
	for t, zone := range r.translators() {
		diags = append(diags, r.judgeClients(t, zone)...)
		diags = append(diags, r.judgeTranslated(t, zone)...)
	}
	return diags
}

// accepting are the policies that let packets of a version of IP pass.
func (r *Router) accepting(f Family) []*Policy {
	return slices.DeleteFunc(slices.Clone(r.Policies), func(p *Policy) bool {
		return p.Action.V != "accept" || p.Family.V != AnyFamily && p.Family.V != f
	})
}

// judgeClients refuses to translate for the Internet, where packets that come out of the
// translator would have this router's address (RFC 6146 section 5.2).
func (r *Router) judgeClients(t *NAT64, zone *Zone) hcl.Diagnostics {
	var diags hcl.Diagnostics
	for _, p := range r.accepting(IPv6) {
		if !slices.Contains(p.To.All(), Endpoint(zone)) {
			continue
		}
		for _, e := range p.From.Items {
			z, ok := e.Target.(*Zone)
			if !ok || z == zone {
				continue
			}
			if i := slices.IndexFunc(r.NetworksOf(z), (*Network).Upstream); i >= 0 {
				diags = append(diags, OnUpstream(diag.With(diag.Help(diag.Error("nat64-relay", e.Range, "Translator open to the Internet",
					"By %s hosts of %s could send to any IPv4 host through %s, with this router's address.", p.Addr, z.Addr, t.Addr),
					"Take %s out of the policy.", z.Addr), t.From, "%s", t.Addr.String()), r.NetworksOf(z)[i]))
			}
		}
	}
	return diags
}

// clients are the zones whose hosts may have packets translated, each with the policy; of hosts of
// an upstream it has been said.
func (r *Router) clients(zone *Zone) map[*Zone]*Policy {
	out := map[*Zone]*Policy{}
	for _, p := range r.accepting(IPv6) {
		if !slices.Contains(p.To.All(), Endpoint(zone)) {
			continue
		}
		for _, e := range p.From.All() {
			for _, n := range r.Within(e) {
				if z := r.ZoneOf(n); z != nil && z != zone && !n.Upstream() && out[z] == nil {
					out[z] = p
				}
			}
		}
	}
	return out
}

// judgeTranslated refuses to let translated packets go where the hosts that they come from may
// not: past the translator no rule can tell whose they were. So what it lets pass has to be let
// pass of each of its clients.
func (r *Router) judgeTranslated(t *NAT64, zone *Zone) hcl.Diagnostics {
	var diags hcl.Diagnostics
	clients := r.clients(zone)
	for _, p := range r.accepting(IPv4) {
		if !slices.Contains(p.From.All(), Endpoint(zone)) {
			continue
		}
		for _, e := range p.To.Items {
			inner, ok := e.Target.(*Zone)
			if !ok || slices.ContainsFunc(r.NetworksOf(inner), (*Network).Upstream) {
				continue
			}
			if t.Prefix == WellKnown64 && r.onlyPrivate(inner) {
				diags = append(diags, diag.With(diag.Help(diag.Error("nat64-private", e.Range, "Private addresses behind the well-known prefix",
					"%s has private IPv4 addresses alone, and %s does not stand for these (RFC 6052 section 3.1): the translator refuses them.", inner.Addr, t.Prefix),
					"Take %s out of the policy, or give %s a prefix of the network's own.", inner.Addr, t.Addr), t.From, "%s", t.Addr.String()))
				continue
			}
			for _, z := range r.Zones {
				if clients[z] != nil && z != inner && !r.lets(z, inner, p) {
					diags = append(diags, diag.With(diag.With(diag.Help(diag.Error("nat64-around", e.Range, "Way around the policies",
						"Hosts of %s would get to %s through %s, and no policy lets them get there by themselves.", z.Addr, inner.Addr, t.Addr),
						"Take %s out of the policy, or let %s get there by another policy.", inner.Addr, z.Addr),
						clients[z].Def, "%s", clients[z].Addr.String()), t.From, "%s", t.Addr.String()))
				}
			}
		}
	}
	for _, a := range zone.Allow.Items {
		for _, z := range r.Zones {
			if clients[z] != nil && !slices.Contains(z.Allow.All(), a.V) {
				diags = append(diags, diag.With(diag.With(diag.Help(diag.Error("nat64-around", a.Range, "Way around the policies",
					"Hosts of %s would get to %s of the router through %s, and their zone does not allow it.", z.Addr, a.V, t.Addr),
					"Take %s out of %s.", a.V, zone.Addr),
					z.Def, "%s", z.Addr.String()), t.From, "%s", t.Addr.String()))
			}
		}
	}
	return diags
}

// lets tells whether policies let pass from one zone to another whatever a policy is about.
func (r *Router) lets(from, to *Zone, as *Policy) bool {
	for _, c := range r.Conditions(as) {
		c.Family = AnyFamily // which of them it is makes no difference here: it was the other one
		covered := func(p *Policy) bool {
			return slices.Contains(p.From.All(), Endpoint(from)) && slices.Contains(p.To.All(), Endpoint(to)) &&
				slices.ContainsFunc(r.Conditions(p), func(o Packets) bool { o.Family = AnyFamily; return o.covers(c) })
		}
		if !slices.ContainsFunc(r.accepting(IPv4), covered) {
			return false
		}
	}
	return true
}

// onlyPrivate tells whether all IPv4 addresses of a zone are known and none is global.
func (r *Router) onlyPrivate(z *Zone) bool {
	some := false
	for _, n := range r.NetworksOf(z) {
		if !n.Has(IPv4) {
			continue
		}
		p, ok := n.FixedIn(IPv4)
		if !ok || !slices.ContainsFunc(notGlobal, func(b netip.Prefix) bool { return b.Bits() <= p.Bits() && b.Contains(p.Addr()) }) {
			return false
		}
		some = true
	}
	return some
}

// ruleNAT64Ways finds a translator that no host may use, or whose packets go nowhere: of IPv4,
// an upstream is missing, or a policy towards one.
func ruleNAT64Ways(r *Router) hcl.Diagnostics {
	var diags hcl.Diagnostics
	for t, zone := range r.translators() {
		if len(r.clients(zone)) == 0 && len(r.judgeClients(t, zone)) == 0 { // of those that may not, it has been said
			diags = append(diags, diag.With(diag.Help(diag.Warning("nat64-unused", t.From, "Translator that no host may use",
				"No policy lets packets pass to %s.", zone.Addr),
				"Write a policy with action = \"accept\" from the zones of hosts that have IPv6 alone to %s.", zone.Addr), zone.Def, "%s", zone.Addr.String()))
		}
		up := slices.DeleteFunc(r.Upstreams(), func(n *Network) bool { return !n.Has(IPv4) })
		out := slices.ContainsFunc(r.accepting(IPv4), func(p *Policy) bool {
			return slices.Contains(p.From.All(), Endpoint(zone)) && slices.ContainsFunc(p.To.All(), func(e Endpoint) bool {
				return slices.ContainsFunc(r.Within(e), func(n *Network) bool { return r.ZoneOf(n) != zone && n.Has(IPv4) })
			})
		})
		switch {
		case out:
		case len(up) == 0:
			diags = append(diags, diag.Help(diag.Error("nat64-uplink", t.From, "No IPv4 to translate to",
				"No network with IPv4 leads to the Internet, and no policy lets packets pass from %s to one inside.", zone.Addr),
				"Give the router IPv4 towards the Internet, as by DHCP or DS-Lite, or remove %s: where the provider translates, a dns64 block and a route are enough.", t.Addr))
		default:
			diags = append(diags, diag.With(diag.Help(diag.Error("nat64-uplink", t.From, "Translated packets go nowhere",
				"No policy lets packets pass from %s to a network with IPv4, such as %s.", zone.Addr, up[0].Addr),
				"Write a policy from %s to the zone of %s, with action = \"accept\" and masquerade = true.", zone.Addr, up[0].Addr), up[0].Def, "%s", up[0].Addr.String()))
		}
	}
	return diags
}
