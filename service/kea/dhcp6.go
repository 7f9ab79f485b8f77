package kea

import (
	"cmp"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/fnv"
	"net/netip"
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"

	"github.com/nbr-dev/nbr/hcl/conf"
	"github.com/nbr-dev/nbr/hcl/diag"
	"github.com/nbr-dev/nbr/router"
	"github.com/nbr-dev/nbr/service"
	"github.com/nbr-dev/nbr/verify/probe"
)

// DHCP6Kind is the dhcp6 block.
func DHCP6Kind() service.Kind {
	return service.Kind{
		Type: "dhcp6", Doc: "A DHCPv6 server for one network: addresses, prefixes for routers behind it, and name servers.",
		Software: "Kea",
		Example: `network "office" {
  link = port.end1
  ipv6 = "fd00:20::1/64"
}

zone "office" {
  networks = [network.office]
  allow    = ["dhcp6"]
}

router_advert "office" {
  network = network.office
}

dhcp6 "office" {
  network = network.office
  pool    = ["::1000-::1fff"]
  dns     = ["2620:fe::fe"]

  delegate "routers" { # behind this one
    prefix = "fd00:20:8000::/48"
    length = 56
  }
}
`,
		Program: server6{},
		Probes:  []probe.Any{told, delegated, namesOf}, New: func() service.Block { return &DHCP6{} },
	}
}

// DHCP6 is the dhcp6 block (RFC 8415).
type DHCP6 struct {
	conf.Header
	Name      conf.Value[router.Name]    `hcl:"name,label"`
	Network   conf.Ref[*router.Network]  `hcl:"network,required" doc:"The network whose hosts may ask."`
	Pool      conf.List[IDRange]         `hcl:"pool,optional" empty:"that is as if it were not there. Give a range, or remove it." doc:"Ranges of the last halves of addresses to lease, as in [\"::1000-::1fff\"]. The first half is the network's prefix, a fixed one. Without it no addresses are leased: hosts make them by router_advert, and are told the rest here."`
	Lease     conf.Value[router.Seconds] `hcl:"lease,optional" default:"12h" doc:"How long an address or a prefix may be used."`
	Preferred conf.Value[router.Seconds] `hcl:"preferred_lifetime,optional" doc:"How long an address is taken for new connections; hosts renew after half of it. Without it half of the lease."`
	DNS       conf.List[router.Addr]     `hcl:"dns,optional" doc:"IPv6 addresses of name servers. Without it the router, when it has a resolver for the network and a fixed address there; none with an empty list."`
	Domains   conf.List[router.Domain]   `hcl:"domains,optional" doc:"Domains in which hosts look for short names. Without it the network's domain; none with an empty list."`
	Register  conf.Value[bool]           `hcl:"register_names,optional" default:"false" doc:"Hosts that lease an address have the names that they say, in the network's domain and back from their addresses, where dns_zone blocks have these. A name of the spec is given to no other host. With register_names of dhcp4 too a host has one name for both."`
	Delegates []*Delegate                `hcl:"delegate,block" doc:"Prefixes for routers behind the network (RFC 8415 section 6.3)."`
	Extra     service.Extra              `hcl:"extra,optional" doc:"Merged into the network's subnet6 entry of Kea's settings."`
}

// Delegate is a prefix of which routers behind the network get parts.
type Delegate struct {
	conf.Header
	Name   conf.Value[router.Name]         `hcl:"name,label"`
	Prefix conf.Value[router.Block]        `hcl:"prefix,required" doc:"The prefix of which each router gets a part. This router makes the route to each part while it is leased."`
	Length conf.Value[router.PrefixLength] `hcl:"length,required" doc:"The length of a part: of a /48 there are 256 of length 56."`
}

// An IDRange is a range of the last halves of IPv6 addresses.
type IDRange struct{ First, Last router.InterfaceID }

// UnmarshalText wants the first and the last one.
func (r *IDRange) UnmarshalText(b []byte) error {
	first, last, ok := strings.Cut(string(b), "-")
	err := errors.Join(r.First.UnmarshalText([]byte(strings.TrimSpace(first))), r.Last.UnmarshalText([]byte(strings.TrimSpace(last))))
	switch {
	case !ok || err != nil:
		return diag.Advise(fmt.Errorf("%q is no range of last halves of addresses", b), "write the first and the last one after two colons, as in ::1000-::1fff")
	case r.Last < r.First:
		return diag.Advise(fmt.Errorf("%q ends before it begins", b), "write %s-%s", r.Last, r.First)
	}
	return nil
}

func (r IDRange) String() string { return r.First.String() + "-" + r.Last.String() }

// Describe is what the type is in the schema.
func (IDRange) Describe() string { return "range of last halves of IPv6 addresses" }

// contains tells whether the identifier is in the range.
func (r IDRange) contains(i router.InterfaceID) bool { return r.First <= i && i <= r.Last }

// prefix is the router's address in the network and its fixed prefix in one; the zero prefix
// without one.
func (d *DHCP6) prefix() netip.Prefix {
	p, _ := d.Network.Target.FixedIn(router.IPv6)
	return p
}

// address is one of the network's fixed prefix.
func (d *DHCP6) address(i router.InterfaceID) netip.Addr {
	raw := d.prefix().Masked().Addr().As16()
	binary.BigEndian.PutUint64(raw[8:], uint64(i))
	return netip.AddrFrom16(raw)
}

// subnetID is the identifier that Kea keeps with every lease, made of the network's own
// name, so that another order of networks moves no leases. Kea keeps 0 and the last one for
// itself.
func (d *DHCP6) subnetID() uint32 {
	h := fnv.New32a()
	h.Write([]byte(d.Network.Addr.String()))
	return 1 + h.Sum32()%(1<<32-2)
}

func (d *DHCP6) preferred() router.Seconds {
	if d.Preferred.Set {
		return d.Preferred.V
	}
	return max(1, d.Lease.V/2)
}

// Claim claims the server's socket and what it gives away.
func (d *DHCP6) Claim(s *router.Scope) {
	n := d.Network.Target
	s.Listen(d.Network.Range, router.Listen{Service: "dhcp6", Protocol: router.UDP, Port: 547, Networks: []*router.Network{n}, Unit: unit6})
	// To conntrack they are no answers: the questions were to a group.
	router.Claim(s, d.Network.Range, router.Emit{Networks: []*router.Network{n}, Match: router.Match{
		Family: router.IPv6, Protocol: router.UDP, SourcePorts: router.OnePort(547),
	}})
	router.Claim(s, d.Network.Range, router.DHCPv6{Network: n, Addresses: len(d.Pool.Items) > 0})
	if d.prefix().IsValid() {
		var leases []router.AddrRange
		for _, p := range d.Pool.Items {
			pool := router.AddrRange{First: d.address(p.V.First), Last: d.address(p.V.Last)}
			leases = append(leases, pool)
			router.Claim(s, p.Range, router.HostAddr{Range: pool, Why: "may be leased to a host"})
		}
		if d.Register.V && len(leases) > 0 {
			d.registrar().claim(s, leases)
		}
	}
	if len(d.Delegates) > 0 {
		for _, g := range d.Delegates {
			router.Claim(s, g.Prefix.Range, delegation{to: g})
		}
		router.Claim(s, d.Delegates[0].Def, router.OwnRoutes{Protocol: protocolDelegated, On: []router.Link{n.Link.Target}, Nowhere: true})
		s.AfterLinks(d.Delegates[0].Def, routesUnit)
	}
}

// Judge judges the block against the network.
func (d *DHCP6) Judge(r *router.Router) hcl.Diagnostics {
	n := d.Network.Target
	_, later := n.Delegated()
	switch {
	case n.Upstream():
		return hcl.Diagnostics{router.OnUpstream(diag.Help(diag.Error("dhcp6-upstream", d.Network.Range, "DHCPv6 for an upstream",
			"%s leads to the Internet, and has servers of its own.", n.Addr), "Take another network, or remove %s.", d.Addr), n)}
	case !d.prefix().IsValid() && len(d.Pool.Items) > 0:
		return hcl.Diagnostics{router.NoFixedAddress(d.Network, "A DHCPv6 server leases addresses of a prefix that does not change; of one that is delegated hosts make addresses themselves, by router_advert.", router.IPv6)}
	case !d.prefix().IsValid() && !later:
		return hcl.Diagnostics{router.NoFixedAddress(d.Network, "Hosts ask a DHCPv6 server in a network of IPv6.", router.IPv6)}
	}
	diags := append(d.judgeLink(r), d.judgePools(r)...)
	if d.Preferred.Set && d.Preferred.V > d.Lease.V {
		diags = append(diags, diag.With(diag.Help(diag.Error("lifetimes-contradict", d.Preferred.Range, "Lifetimes contradict each other",
			"Addresses could be preferred for %d s and used for %d s.", d.Preferred.V, d.Lease.V),
			"Make lease as long as preferred_lifetime at least (RFC 8415 section 21.6)."), cmp.Or(d.Lease.Range, d.Def), "lease"))
	}
	diags = append(diags, judgeLease(d.Lease)...)
	diags = append(diags, d.judgeDelegates(r)...)
	diags = append(diags, d.judgeDNS(r)...)
	diags = append(diags, d.judgeNames(r)...)
	own := []string{"id", "interface", "pools", "pd-pools", "subnet", "valid-lifetime", "preferred-lifetime"}
	if len(d.reserved(r)) > 0 {
		own = append(own, "reservations")
	}
	return append(diags, d.additions(r).judge(own...)...)
}

// judgeLink refuses links where no host can ask, a second server on one link, and networks
// whose hosts are not told that they may ask.
func (d *DHCP6) judgeLink(r *router.Router) hcl.Diagnostics {
	n := d.Network.Target
	if l := n.Link; l.Target.Spec().WireGuard != nil {
		return hcl.Diagnostics{diag.With(diag.Help(diag.Error("no-multicast", d.Network.Range, "No DHCPv6 in a tunnel",
			"%s is on %s. WireGuard carries no multicast, and each peer has its addresses by allowed_ips.", n.Addr, l.Addr),
			"Remove the block."), l.Range, "%s", l.Addr.String())}
	}
	for _, l := range router.Claimed[router.DHCPv6](r) {
		if l.Addr == d.Addr {
			break // the later one of two has one too many
		}
		if l.Network.Device() == n.Device() {
			return hcl.Diagnostics{diag.With(diag.Help(diag.Error("two-servers-on-link", d.Network.Range, "Two DHCP servers on one link",
				"%s answers on %s already.", l.Addr, n.Device()),
				"Put the networks on links of their own, such as VLANs."), l.From, "%s", l.Addr.String())}
		}
	}
	if !slices.ContainsFunc(router.Claimed[router.Advertised](r), func(a *router.Advertised) bool { return a.Network == n }) {
		return hcl.Diagnostics{diag.With(diag.Help(diag.Warning("dhcp6-unadvertised", d.Network.Range, "Hosts are not told of the DHCPv6 server",
			"Hosts ask by DHCPv6 when a router advertisement says so, and have their default route by it (RFC 4861 section 4.2). %s has none of this router.", n.Addr),
			"Add a router_advert block for %s.", n.Addr), n.Def, "%s", n.Addr.String())}
	}
	return nil
}

func (d *DHCP6) judgePools(r *router.Router) hcl.Diagnostics {
	n, p := d.Network.Target, d.prefix()
	if len(d.Pool.Items) > 0 && p.Bits() > 64 {
		return hcl.Diagnostics{diag.With(diag.Help(diag.Error("prefix-not-64", d.Network.Range, "Prefix without room for last halves",
			"Pools are ranges of the last 64 bits of an address, and %s leaves %d.", p.Masked(), 128-p.Bits()),
			"Give %s a prefix of 64 bits.", n.Addr), n.IPv6.Range, "%s", n.Addr.String())}
	}
	var diags hcl.Diagnostics
	for i, pool := range d.Pool.Items {
		if d.address(pool.V.First).Compare(p.Addr()) <= 0 && p.Addr().Compare(d.address(pool.V.Last)) <= 0 {
			diags = append(diags, diag.With(diag.Help(diag.Error("pool-holds-router", pool.Range, "Pool holds the router's own address",
				"%s would be leased to a client.", p.Addr()),
				"Begin or end the range beside it."), n.IPv6.Range, "the router's address"))
		}
		diags = append(diags, holdsVirtual(r, n, pool.Range, func(a netip.Addr) bool {
			return d.address(pool.V.First).Compare(a) <= 0 && a.Compare(d.address(pool.V.Last)) <= 0
		})...)
		for _, o := range d.Pool.Items[:i] {
			if o.V.First <= pool.V.Last && pool.V.First <= o.V.Last {
				diags = append(diags, diag.With(diag.Help(diag.Error("pools-overlap", pool.Range, "Pools overlap", "%s shares addresses with %s.", pool.V, o.V),
					"Make one range of the two, or end one before the other begins."), o.Range, "the other range"))
			}
		}
		for _, h := range r.HostsIn(n) {
			if h.IPv6.Set && !h.MAC.Set && !h.DUID.Set && pool.V.contains(h.IPv6.V) {
				diags = append(diags, diag.With(diag.Help(diag.Error("pool-holds-host", h.IPv6.Range, "Address of a host in a pool",
					"%s leases %s to other hosts.", d.Addr, d.address(h.IPv6.V)),
					"Give the duid or the mac of %s, which then gets it by DHCPv6, or an address outside the pool.", h.Addr),
					pool.Range, "%s", d.Addr.String()))
			}
		}
	}
	return diags
}

// reserved are the hosts that get an address of their own, by DUID or MAC address.
func (d *DHCP6) reserved(r *router.Router) []*router.Host {
	if p := d.prefix(); !p.IsValid() || p.Bits() > 64 || len(d.Pool.Items) == 0 {
		return nil // hosts are not told to ask for addresses
	}
	return slices.DeleteFunc(r.HostsIn(d.Network.Target), func(h *router.Host) bool {
		return !h.IPv6.Set || !h.MAC.Set && !h.DUID.Set
	})
}

// judgeDelegates judges what routers behind get. It must be nothing that is elsewhere: the
// more specific of two routes wins, and the hosts of the other one are cut off.
func (d *DHCP6) judgeDelegates(r *router.Router) hcl.Diagnostics {
	var diags hcl.Diagnostics
	for _, g := range d.Delegates {
		p := g.Prefix.V.Prefix
		switch {
		case !p.Addr().Is6():
			diags = append(diags, diag.Help(diag.Error("not-ipv6", g.Prefix.Range, "Not an IPv6 prefix", "DHCPv6 delegates prefixes of IPv6, and %s is none.", p),
				"Write one such as fd00:8000::/48."))
			continue
		case int(g.Length.V) < p.Bits():
			diags = append(diags, diag.With(diag.Help(diag.Error("delegate-too-short", g.Length.Range, "Part larger than the whole",
				"A /%d is no part of %s.", g.Length.V, p), "Write %d or more, or a shorter prefix.", p.Bits()), g.Prefix.Range, "%s", g.Addr.String()))
			continue
		case int(g.Length.V)-p.Bits() > 32:
			diags = append(diags, diag.With(diag.Help(diag.Error("delegate-too-short", g.Length.Range, "More parts than Kea counts",
				"%s has 2^%d parts of length %d.", p, int(g.Length.V)-p.Bits(), g.Length.V), "Write %d or less.", p.Bits()+32), g.Prefix.Range, "%s", g.Addr.String()))
			continue
		}
		clash := func(other router.By, q netip.Prefix) {
			if q.Addr().Is6() && q.Bits() > 0 && q.Overlaps(p) {
				diags = append(diags, diag.With(diag.Help(diag.Error("delegate-clash", g.Prefix.Range, "Delegated prefix is elsewhere",
					"%s would go to routers behind %s, and %s has %s.", p, d.Network.Addr, other.Addr, q),
					"Write a prefix of which this router has nothing itself."), other.From, "%s", other.Addr.String()))
			}
		}
		for _, n := range r.Networks {
			if q, ok := n.FixedIn(router.IPv6); ok {
				clash(router.By{Addr: n.Addr, From: n.IPv6.Range}, q.Masked())
			}
		}
		for _, rt := range r.Routes {
			// A route for all of it to nowhere, or to elsewhere, is for what is not leased.
			if q := rt.To.V.Prefix; q.Bits() >= p.Bits() && !rt.Table.Set {
				clash(router.By{Addr: rt.Addr, From: rt.To.Range}, q)
			}
		}
		for _, v := range router.Claimed[router.DeviceRoute](r) {
			clash(v.By, v.To)
		}
		for _, o := range router.Claimed[delegation](r) {
			if o.to == g {
				break // the later one of two clashes
			}
			clash(o.By, o.to.Prefix.V.Prefix)
		}
	}
	return diags
}

// A delegation is the claim to a prefix that routers behind get parts of.
type delegation struct {
	router.By
	to *Delegate
}

// judgeDNS judges the name servers, and a block that has nothing to say.
func (d *DHCP6) judgeDNS(r *router.Router) hcl.Diagnostics {
	var diags hcl.Diagnostics
	for _, s := range d.DNS.Items {
		if !s.V.Is6() || s.V.Is4In6() {
			diags = append(diags, diag.Help(diag.Error("not-ipv6", s.Range, "Not an IPv6 address", "DHCPv6 names IPv6 servers only (RFC 3646 section 3), and %s is none.", s.V),
				"Remove it; IPv4 servers are told by the dhcp4 block."))
		} else {
			diags = append(diags, router.JudgeServer(r, d.Network.Target, s, "name server", "dns", "resolver")...)
		}
	}
	if len(d.Pool.Items) == 0 && len(d.Delegates) == 0 && len(d.options(r)) == 0 && !d.Extra.Set {
		diags = append(diags, diag.Help(diag.Warning("no-name-server", d.Def, "Hosts are told nothing",
			"%s leases no addresses, and has neither name servers nor domains for hosts that ask.", d.Addr),
			"Give it a pool or dns = [\"2620:fe::fe\"], or remove it."))
	}
	return diags
}

// judgeNames finds names of hosts that lease no address, and names that would be in no zone.
func (d *DHCP6) judgeNames(r *router.Router) hcl.Diagnostics {
	switch g := d.registrar(); {
	case !d.Register.V:
		return nil
	case len(d.Pool.Items) == 0:
		return hcl.Diagnostics{diag.With(diag.Help(diag.Error("names-without-leases", d.Register.Range, "Names of hosts without leases",
			"%s leases no addresses: hosts make theirs of the prefix, and no server is told of their names.", d.Addr),
			"Write a pool, as in pool = [\"::1000-::1fff\"], or remove register_names."), d.Def, "%s", d.Addr.String())}
	default:
		return g.judge(r)
	}
}
