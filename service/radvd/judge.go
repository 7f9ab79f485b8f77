package radvd

import (
	"cmp"
	"fmt"

	"github.com/hashicorp/hcl/v2"

	"github.com/nbr-dev/nbr/hcl/diag"
	"github.com/nbr-dev/nbr/router"
)

// Bounds of RFC 4861 section 6.2.1, in seconds.
const (
	leastInterval = 4
	mostInterval  = 1800
	mostLifetime  = 9000
)

// Judge judges the block against its network and the network's link.
func (a *Advert) Judge(r *router.Router) hcl.Diagnostics {
	n := a.Network.Target
	_, delegated := a.delegated()
	switch {
	case n.Upstream():
		return hcl.Diagnostics{router.OnUpstream(diag.Help(diag.Error("advertises-upstream", a.Network.Range, "Router advertisements to an upstream",
			"%s leads to the Internet: its hosts would send everything to this router.", n.Addr),
			"Take another network, or remove %s.", a.Addr), n)}
	case !a.prefix().IsValid() && !delegated:
		return hcl.Diagnostics{router.NoFixedAddress(a.Network, "Hosts make addresses of the network's prefix.", router.IPv6)}
	}
	diags := a.judgeLink(r)
	diags = append(diags, a.judgePrefix()...)
	diags = append(diags, a.judgeLifetimes()...)
	diags = append(diags, a.judgeMTU()...)
	diags = append(diags, a.judgeDNS(r)...)
	diags = append(diags, a.judgeFlags(r)...)
	diags = append(diags, a.judgePREF64(r)...)
	for _, o := range a.Routers.Items {
		if !o.V.IsLinkLocalUnicast() || !o.V.Is6() {
			diags = append(diags, diag.Help(diag.Error("not-link-local", o.Range, "Not a link-local address",
				"Advertisements come from link-local addresses (RFC 4861 section 4.2), and %s is none.", o.V),
				"Write the other router's address that begins with fe80:: (ip -6 addr shows it there)."))
		}
	}
	return diags
}

// judgeLink refuses a second block for one link, of which radvd would take one, and links
// on which nothing can be advertised.
func (a *Advert) judgeLink(r *router.Router) hcl.Diagnostics {
	var diags hcl.Diagnostics
	l := a.Network.Target.Link
	if l.Target.Spec().WireGuard != nil {
		diags = append(diags, diag.With(diag.Help(diag.Error("no-multicast", a.Network.Range, "No router advertisements in a tunnel",
			"%s is on %s. WireGuard carries no multicast, and each peer has its addresses by allowed_ips.", a.Network.Addr, l.Addr),
			"Remove the block."), l.Range, "%s", l.Addr.String()))
	}
	if !readable(string(a.device())) {
		diags = append(diags, diag.With(diag.Help(diag.Error("unreadable-name", a.Network.Range, "Interface that radvd cannot name",
			"In radvd.conf %q would be a keyword or a number.", a.device()),
			"Give the link another name."), l.Range, "%s", l.Addr.String()))
	}
	for _, c := range router.Claimed[router.Advertised](r) {
		if c.Addr == a.Addr {
			break // the later one of two has one too many
		}
		if c.Network.Device() == a.device() {
			return append(diags, diag.With(diag.Help(diag.Error("two-advertisers-on-link", a.Network.Range, "Two router advertisements on one link",
				"%s advertises on %s already.", c.Addr, a.device()),
				"Put the networks on links of their own, such as VLANs."), c.From, "%s", c.Addr.String()))
		}
	}
	return diags
}

func (a *Advert) judgePrefix() hcl.Diagnostics {
	p, n := a.prefix(), a.Network.Target
	if p.IsValid() && a.Autonomous.V && p.Bits() != 64 { // what is delegated is a /64
		return hcl.Diagnostics{diag.With(diag.Help(diag.Error("prefix-not-64", a.Network.Range, "Prefix of which hosts can make no address",
			"Hosts put 64 bits of their own behind the prefix (RFC 4862 section 5.5.3, RFC 2464 section 4), and %s has %d.", p.Masked(), p.Bits()),
			"Use a /64, or say autonomous = false."),
			n.IPv6.Range, "%s", n.Addr.String())}
	}
	return nil
}

func (a *Advert) judgeLifetimes() hcl.Diagnostics {
	if a.Interval.V < leastInterval || a.Interval.V > mostInterval {
		return hcl.Diagnostics{diag.Help(diag.Error("bad-value", a.Interval.Range, "Bad interval", "Advertisements are sent every 4 s to 30 min (RFC 4861 section 6.2.1)."),
			"Write a time between them, as in \"10m\".")}
	}
	var diags hcl.Diagnostics
	at := func(r hcl.Range) hcl.Range { return cmp.Or(r, a.Def) }
	contradict := func(from hcl.Range, detail string, args []any, help string, other hcl.Range, what string) {
		d := diag.Help(diag.Error("lifetimes-contradict", at(from), "Lifetimes contradict each other", detail, args...), "%s", help)
		diags = append(diags, diag.With(d, at(other), "%s", what))
	}
	interval := int(a.Interval.V)
	switch {
	case a.Lifetime.Set && !a.Default.V:
		contradict(a.Lifetime.Range, "The router is no default router, so there is nothing that could last.", nil, "Remove lifetime, or default_router.", a.Default.Range, "default_router")
	case a.Lifetime.Set && int(a.Lifetime.V) < interval:
		contradict(a.Lifetime.Range, "Hosts would forget the router after %d s, and hear of it after %d s.",
			[]any{int(a.Lifetime.V), interval}, fmt.Sprintf("Make it %d s at least (RFC 4861 section 6.2.1).", interval), a.Interval.Range, "the interval")
	case a.Lifetime.Set && a.Lifetime.V > mostLifetime:
		diags = append(diags, diag.Help(diag.Error("bad-value", a.Lifetime.Range, "Bad lifetime", "A router is kept for 150 min at most (RFC 4861 section 6.2.1)."),
			"Write \"150m\" or less, or remove lifetime."))
	}
	if !a.Default.V && a.Preference.V != "medium" {
		diags = append(diags, diag.With(diag.Help(diag.Error("lifetimes-contradict", a.Preference.Range, "Preference of no default router",
			"Hosts prefer nothing of a router that is no default router (RFC 4191 section 2.2)."),
			"Remove preference, or default_router."), a.Default.Range, "default_router"))
	}
	if a.Preferred.V > a.Valid.V {
		first, second, what := a.Preferred.Range, a.Valid.Range, "valid_lifetime"
		if !a.Preferred.Set {
			first, second, what = a.Valid.Range, a.Preferred.Range, "preferred_lifetime"
		}
		contradict(first, "Addresses could be preferred for %d s and used for %d s.",
			[]any{int(a.Preferred.V), int(a.Valid.V)}, "Make valid_lifetime as long as preferred_lifetime at least (RFC 4861 section 6.2.1).", second, what)
	} else if int(a.Preferred.V) < interval {
		first, second, what := a.Preferred.Range, a.Interval.Range, "the interval"
		contradict(first, "Addresses would be deprecated after %d s, and renewed after %d s.",
			[]any{int(a.Preferred.V), interval}, "Make preferred_lifetime as long as the interval at least.", second, what)
	}
	return diags
}

func (a *Advert) judgeMTU() hcl.Diagnostics {
	if !a.MTU.Set {
		return nil
	}
	most, from := router.MTUOf(a.Network.Target.Link.Target)
	switch {
	case a.MTU.V < router.LeastIPv6:
		return hcl.Diagnostics{diag.Help(diag.Error("bad-value", a.MTU.Range, "MTU too small for IPv6", "Every IPv6 link carries 1280 bytes (RFC 8200 section 5)."),
			"Write 1280 or more, or remove mtu.")}
	case int(a.MTU.V) > most:
		return hcl.Diagnostics{diag.With(diag.Help(diag.Error("mtu-too-large", a.MTU.Range, "MTU larger than the link's",
			"%s carries packets of %d bytes.", a.device(), most), "Write mtu = %d or less, or remove it.", most), cmp.Or(from, a.Network.Target.Link.Range), "%s", a.Network.Target.Link.Addr.String())}
	}
	return nil
}

// judgeFlags refuses to keep hosts from a server that the router has for them.
func (a *Advert) judgeFlags(r *router.Router) hcl.Diagnostics {
	s := a.server(r)
	managed, other := a.flags(r)
	if s == nil || (managed || !s.Addresses) && (other || managed) {
		return nil
	}
	at, what, attr := a.Other.Range, "ask for nothing by DHCPv6", "other_config"
	if s.Addresses {
		at, what, attr = a.Managed.Range, "ask for no addresses by DHCPv6", "managed"
	}
	return hcl.Diagnostics{diag.With(diag.Help(diag.Error("dhcp6-unadvertised", at, "Hosts are kept from the DHCPv6 server",
		"By this advertisement hosts of %s %s, and %s is there for it.", a.Network.Addr, what, s.Addr),
		"Remove %s, or %s.", attr, s.Addr), s.From, "%s", s.Addr.String())}
}

// judgePREF64 refuses to tell of a prefix that the hosts do not get to, and finds hosts that could
// use one and hear of none.
func (a *Advert) judgePREF64(r *router.Router) hcl.Diagnostics {
	if !a.PREF64.Set {
		return nil
	}
	t := r.Translator(a.Network.Target)
	switch {
	case a.PREF64.V && t == nil:
		d := diag.Help(diag.Error("pref64-untranslated", a.PREF64.Range, "No prefix of NAT64 for these hosts",
			"No policy lets hosts of %s get to a nat64 block, so there is no prefix to tell them.", a.Network.Addr),
			"Write such a policy, or remove pref64.")
		diag.Absent(d, "nat64", "policy", "zone")
		if ts := router.Claimed[router.NAT64](r); len(ts) > 0 {
			d = diag.With(d, ts[0].From, "%s", ts[0].Addr.String())
			if z := ts[0].Zone(r); z != nil {
				d = diag.With(d, z.Def, "%s", z.Addr.String())
			}
		}
		return hcl.Diagnostics{d}
	case !a.PREF64.V && t != nil:
		return hcl.Diagnostics{diag.With(diag.Help(diag.Warning("pref64-unannounced", a.PREF64.Range, "Hosts are not told the prefix of NAT64",
			"Hosts of %s may use %s. Without its prefix they reach IPv4 hosts by names that the router resolves, and by no address (RFC 8781 section 3).", a.Network.Addr, t.Addr),
			"Remove pref64."), t.From, "%s", t.Addr.String())}
	}
	return nil
}

func (a *Advert) judgeDNS(r *router.Router) hcl.Diagnostics {
	var diags hcl.Diagnostics
	for _, s := range a.DNS.Items {
		if !s.V.Is6() || s.V.Is4In6() {
			diags = append(diags, diag.Help(diag.Error("not-ipv6", s.Range, "Not an IPv6 address", "Router advertisements name IPv6 servers only (RFC 8106 section 5.1), and %s is none.", s.V),
				"Remove it; IPv4 servers are told by the dhcp4 block."))
			continue
		}
		diags = append(diags, router.JudgeServer(r, a.Network.Target, s, "name server", "dns", "resolver")...)
	}
	for _, d := range a.domains() {
		if !readableDomain(string(d.V)) {
			diags = append(diags, diag.With(diag.Help(diag.Error("unreadable-name", d.Range, "Domain that radvd cannot send",
				"radvd does not read %q: it takes letters, digits, - and ., and neither a keyword of its own nor a number.", d.V),
				"Write other domains = […] into %s, or domains = [].", a.Addr), a.Def, "%s", a.Addr.String()))
		}
	}
	// Where DHCP runs, that names servers.
	if !a.DNS.Set && len(a.servers(r)) == 0 && !a.Managed.V && !a.Other.V && !a.served(r, "dhcp") && a.server(r) == nil {
		diags = append(diags, diag.Help(diag.Warning("no-name-server", a.Def, "Hosts get no name server",
			"The router has no resolver for %s, and %s names none.", a.Network.Addr, a.Addr),
			"Add a resolver block or dns = [\"2620:fe::fe\"]."))
	}
	return diags
}
