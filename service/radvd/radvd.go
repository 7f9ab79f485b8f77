// Package radvd sends router advertisements (RFC 4861) with radvd: hosts get their IPv6
// addresses (RFC 4862), a default route and name servers (RFC 8106) by them. One block a
// network, which has a fixed prefix, one in a prefix that an upstream delegates, or both.
//
// Of a delegated prefix radvd advertises what the link has an address in, as soon as it has
// one and no longer than that address is valid (prefix ::/64 in radvd.conf(5); RFC 9096 section
// 3.3). When the address has gone it says no more of the prefix, where section 3.5 would have it
// deprecated, so hosts keep theirs for the lifetimes of the last advertisement.
package radvd

import (
	"fmt"
	"net/netip"
	"slices"

	"github.com/nbr-dev/nbr/hcl/conf"
	"github.com/nbr-dev/nbr/hcl/diag"
	"github.com/nbr-dev/nbr/router"
	"github.com/nbr-dev/nbr/service"
	"github.com/nbr-dev/nbr/verify/probe"
)

// Kind is the router_advert block.
func Kind() service.Kind {
	return service.Kind{
		Type: "router_advert", Doc: "Router advertisements for one network: IPv6 addresses, a default route and name servers for its hosts.",
		Software: "radvd",
		Example: `network "office" {
  link = port.end1
  ipv4 = "10.20.0.1/24"
  ipv6 = "2001:db8:20::1/64"
}

zone "office" {
  networks = [network.office]
}

router_advert "office" {
  network = network.office
  dns     = ["2620:fe::fe"]
}
`,
		Program: daemon{}, Probes: []probe.Any{advertised, others}, New: func() service.Block { return &Advert{} },
	}
}

// Advert is the router_advert block.
type Advert struct {
	conf.Header
	Name       conf.Value[router.Name]    `hcl:"name,label"`
	Network    conf.Ref[*router.Network]  `hcl:"network,required" doc:"The network whose IPv6 prefixes are advertised, fixed ones and delegated ones."`
	Interval   conf.Value[router.Seconds] `hcl:"interval,optional" default:"10m" doc:"The longest time between two advertisements that no host has asked for: 4 s to 30 min."`
	Default    conf.Value[bool]           `hcl:"default_router,optional" default:"true" doc:"Hosts may send everything to this router. Without it they may as long as the router has a default route of IPv6, if an upstream's advertisements give it one (RFC 7084, G-4 and G-5); true is always."`
	Lifetime   conf.Value[router.Seconds] `hcl:"lifetime,optional" doc:"How long hosts keep the router as a default router without hearing of it: from the interval to 150 min. Without it three times the interval."`
	Preference conf.Value[Preference]     `hcl:"preference,optional" default:"medium" doc:"Which of several default routers hosts prefer (RFC 4191): low, medium or high."`
	Managed    conf.Value[bool]           `hcl:"managed,optional" doc:"Hosts are to get addresses by DHCPv6, too. Without it they are where a dhcp6 block of the network leases some."`
	Other      conf.Value[bool]           `hcl:"other_config,optional" doc:"Hosts are to get other configuration than addresses by DHCPv6. Without it they are where the network has a dhcp6 block."`
	Autonomous conf.Value[bool]           `hcl:"autonomous,optional" default:"true" doc:"Hosts make addresses of the prefix by themselves, for which it has to be a /64."`
	Valid      conf.Value[router.Seconds] `hcl:"valid_lifetime,optional" default:"90m" doc:"How long addresses of the prefix may be used after the last advertisement. What is delegated for a shorter time is advertised for that."`
	Preferred  conf.Value[router.Seconds] `hcl:"preferred_lifetime,optional" default:"45m" doc:"How long addresses of the prefix are taken for new connections after the last advertisement, and so after another one was delegated in its place."`
	MTU        conf.Value[router.MTU]     `hcl:"mtu,optional" doc:"Largest packet in bytes that hosts are to send. Without it they are told nothing."`
	DNS        conf.List[router.Addr]     `hcl:"dns,optional" doc:"IPv6 addresses of name servers. Without it the router, when it has a resolver for the network; none with an empty list."`
	Domains    conf.List[router.Domain]   `hcl:"domains,optional" doc:"Domains in which hosts look for short names. Without it the network's domain; none with an empty list."`
	PREF64     conf.Value[bool]           `hcl:"pref64,optional" doc:"Hosts are told the prefix of NAT64 (RFC 8781), by which those without IPv4 make addresses of IPv4 hosts themselves (464XLAT). Without it they are where policies let them get to a nat64 block."`
	Routers    conf.List[router.Addr]     `hcl:"other_routers,optional" doc:"Link-local addresses of other routers that may advertise on the link: nbr verify reports all others."`
}

// Preference is a preference of a default router (RFC 4191 section 2.1).
type Preference string

// UnmarshalText wants one of the three words.
func (p *Preference) UnmarshalText(b []byte) error {
	switch string(b) {
	case "low", "medium", "high":
		*p = Preference(b)
		return nil
	}
	return diag.Advise(fmt.Errorf("%q is no preference", b), "write low, medium or high")
}

// Describe is what the type is in the schema.
func (Preference) Describe() string { return "low, medium or high" }

// prefix is the router's address in the network and the prefix in one. The zero prefix
// is of a network without a fixed one: see [Advert.delegated].
func (a *Advert) prefix() netip.Prefix {
	p, _ := a.Network.Target.FixedIn(router.IPv6)
	return p
}

// delegated is the router's address in the network of a delegated prefix; false without one.
func (a *Advert) delegated() (router.Delegated, bool) { return a.Network.Target.Delegated() }

func (a *Advert) device() router.IfName { return a.Network.Target.Device() }

// Claim claims the link. The firewall lets solicitations in by itself: neighbour
// discovery is no service that a zone could do without.
func (a *Advert) Claim(s *router.Scope) {
	router.Claim(s, a.Network.Range, router.Advertised{Network: a.Network.Target})
	s.AfterLinks(a.Network.Range, "radvd")
	s.Package(a.Def, "ndisc6")
}

// lifetime is how long hosts keep the router as a default router, in seconds: 0 is not
// at all. Three intervals are the default of RFC 4861 section 6.2.1.
func (a *Advert) lifetime() int {
	switch {
	case !a.Default.V:
		return 0
	case a.Lifetime.Set:
		return int(a.Lifetime.V)
	}
	return 3 * int(a.Interval.V)
}

// learnt tells whether hosts keep the router as a default router only while it has a default route
// itself, because that comes from an upstream's advertisements. What NAT64 translates needs none.
func (a *Advert) learnt(r *router.Router) bool {
	return !a.Default.Set && r.Translator(a.Network.Target) == nil && slices.ContainsFunc(r.Networks, (*router.Network).TakesAdvertisements)
}

// sites are the prefixes of 48 bits of the router's unique local addresses (RFC 4193 section 3.1).
// Hosts are told that the router leads there (RFC 4191) where it may cease to be their default
// router; of delegated prefixes they are told while there are any (RFC 7084, L-3).
func (a *Advert) sites(r *router.Router) []netip.Prefix {
	if !a.learnt(r) {
		return nil
	}
	var out []netip.Prefix
	for _, n := range r.Networks {
		p, ok := n.FixedIn(router.IPv6)
		if !ok || n.Upstream() || !p.Addr().IsPrivate() || p.Bits() < 48 {
			continue
		}
		if site := netip.PrefixFrom(p.Addr(), 48).Masked(); !slices.Contains(out, site) {
			out = append(out, site)
		}
	}
	slices.SortFunc(out, func(a, b netip.Prefix) int { return a.Addr().Compare(b.Addr()) })
	return out
}

// lifetimeDNS is how long hosts keep name servers and domains, in seconds (RFC 8106
// section 5.1).
func (a *Advert) lifetimeDNS() int { return 3 * int(a.Interval.V) }

// servers are the name servers of the hosts. Of the router's own addresses it is the fixed one:
// what is delegated changes.
func (a *Advert) servers(r *router.Router) []netip.Addr {
	var out []netip.Addr
	switch {
	case a.DNS.Set:
		for _, s := range a.DNS.All() {
			out = append(out, s.Addr)
		}
	case a.served(r, "dns") && a.prefix().IsValid():
		out = append(out, a.prefix().Addr())
	}
	return out
}

// served tells whether the router has a service for the network.
func (a *Advert) served(r *router.Router, name string) bool {
	return a.serves(r, name, a.Network.Target)
}

// serves tells whether the router has a service for the network, at its address in another.
func (a *Advert) serves(r *router.Router, name string, own *router.Network) bool {
	return slices.ContainsFunc(r.Listening(name), func(l *router.Listen) bool {
		return l.Serves(a.Network.Target) && l.Serves(own)
	})
}

// server is the router's own DHCPv6 server for the network, nil without one.
func (a *Advert) server(r *router.Router) *router.DHCPv6 {
	for _, s := range router.Claimed[router.DHCPv6](r) {
		if s.Network == a.Network.Target {
			return s
		}
	}
	return nil
}

// flags tell hosts whether to ask for addresses and for other configuration by DHCPv6.
func (a *Advert) flags(r *router.Router) (managed, other bool) {
	if s := a.server(r); s != nil {
		managed, other = s.Addresses, true
	}
	if a.Managed.Set {
		managed = a.Managed.V
	}
	if a.Other.Set {
		other = a.Other.V
	}
	return managed, other
}

// pref64 is the prefix of NAT64 that hosts are told; false for none.
func (a *Advert) pref64(r *router.Router) (netip.Prefix, bool) {
	if a.PREF64.Set && !a.PREF64.V {
		return netip.Prefix{}, false
	}
	t := r.Translator(a.Network.Target)
	if t == nil {
		return netip.Prefix{}, false
	}
	return t.Prefix, true
}

// lifetimePREF64 is how long hosts take it for the prefix, in seconds: three intervals, counted in
// units of 8 s, of which there are 8191 at most (RFC 8781 sections 4 and 4.1).
func (a *Advert) lifetimePREF64() int { return (3*int(a.Interval.V) + 7) / 8 * 8 }

// domains are the hosts' domains, each with the line that says it.
func (a *Advert) domains() []conf.Value[router.Domain] {
	if n := a.Network.Target; !a.Domains.Set && n.Domain.Set {
		return []conf.Value[router.Domain]{n.Domain}
	}
	return a.Domains.Items
}
