// Package kea serves DHCPv4 (RFC 2131) with ISC Kea: one block a network.
package kea

import (
	"encoding/binary"
	"net/netip"
	"slices"

	"github.com/hashicorp/hcl/v2"

	"github.com/nbr-dev/nbr/hcl/conf"
	"github.com/nbr-dev/nbr/hcl/diag"
	"github.com/nbr-dev/nbr/router"
	"github.com/nbr-dev/nbr/service"
	"github.com/nbr-dev/nbr/verify/probe"
)

// DHCP4Kind is the dhcp4 block.
func DHCP4Kind() service.Kind {
	return service.Kind{
		Type: "dhcp4", Doc: "A DHCPv4 server for one network.",
		Software: "Kea",
		Example: `dhcp4 "lan" {
  network = network.lan
  pool    = ["192.168.178.100-192.168.178.199"]

  option "ntp-servers" {
    value = ["192.168.178.1"]
  }

  boot "uefi" { # by architecture
    architectures = [7, 9]
    file          = "http://192.168.178.10/ipxe.efi"
  }

  class "phones" { # by what they say of themselves
    vendor_class = ["snom"]
    pool         = ["192.168.178.200-192.168.178.219"]

    option "tftp-server-name" {
      value = ["192.168.178.10"]
    }
  }

  reservation "nas" {
    mac  = "02:11:22:33:44:55"
    ipv4 = "192.168.178.10"
  }
}
`,
		Program: server{},
		Probes:  []probe.Any{offerTo, namesOf}, New: func() service.Block { return &DHCP4{} },
	}
}

// DHCP4 is the dhcp4 block.
type DHCP4 struct {
	conf.Header
	Name         conf.Value[router.Name]     `hcl:"name,label"`
	Network      conf.Ref[*router.Network]   `hcl:"network,required" doc:"The network that gets the leases; with relay the one through which that is reached."`
	Relay        *Relay                      `hcl:"relay,block" doc:"The hosts are behind another router, which hands over what they ask and is reached through the network."`
	Pool         conf.List[router.AddrRange] `hcl:"pool,required" doc:"Ranges of addresses to lease, as in [\"192.168.178.100-192.168.178.199\"]."`
	Lease        conf.Value[router.Seconds]  `hcl:"lease,optional" default:"12h" doc:"How long a lease is good for."`
	DNS          conf.List[router.Addr]      `hcl:"dns,optional" empty:"that is as if it were not there. Name a server, or remove it." doc:"Name servers of the clients. Without it the router, when it has a resolver for the network."`
	Domain       conf.Value[router.Domain]   `hcl:"domain,optional" doc:"Domain name of the clients. Without it the network's."`
	Register     conf.Value[bool]            `hcl:"register_names,optional" default:"false" doc:"Hosts with a lease have the names that they say, in the network's domain and back from their addresses, where dns_zone blocks have these. A name of the spec is given to no other host."`
	V6Only       conf.Value[router.Seconds]  `hcl:"v6_only,optional" doc:"Hosts that can live without IPv4 are to do so for this time, and take no lease (option 108, RFC 8925): 5 min at least. They reach what has IPv4 alone by NAT64."`
	NextServer   conf.Value[router.Addr]     `hcl:"next_server,optional" doc:"IPv4 address of the server from which hosts boot (PXE)."`
	BootFile     conf.Value[BootFile]        `hcl:"boot_file,optional" doc:"The file there that hosts boot for which no boot block has another."`
	Boot         []*Boot                     `hcl:"boot,block" doc:"Another file for hosts of some architectures."`
	Options      []*Option                   `hcl:"option,block" doc:"An option that clients are told, by its name in Kea or its number."`
	Classes      []*Class                    `hcl:"class,block" doc:"Hosts that are told something of their own, or have a pool of their own."`
	Reservations []*Reservation              `hcl:"reservation,block" doc:"An address that one host always gets."`
	Extra        service.Extra               `hcl:"extra,optional" doc:"Merged into the network's subnet4 entry of Kea's settings."`
}

// Reservation is an address for one host.
type Reservation struct {
	conf.Header
	Name        conf.Value[router.Hostname] `hcl:"name,label"`
	MAC         conf.Value[router.MAC]      `hcl:"mac,required" doc:"The host's MAC address."`
	IPv4        conf.Value[router.Addr]     `hcl:"ipv4,required" doc:"The address that it gets."`
	Description conf.Value[string]          `hcl:"description,optional" doc:"What the host is; kept in Kea's user-context."`
}

// leastV6Only is MIN_V6ONLY_WAIT of RFC 8925 section 3.4, in seconds.
const leastV6Only = 300

// prefix is the network that is served, with the address of its router: this one's, a fixed one, or
// that of a relay.
func (d *DHCP4) prefix() netip.Prefix {
	if d.Relay != nil {
		return d.Relay.Address.V.Prefix
	}
	return d.own()
}

// own is the router's fixed address in the network that is on a link of its own.
func (d *DHCP4) own() netip.Prefix {
	p, _ := d.Network.Target.FixedIn(router.IPv4)
	return p
}

// subnetID is the identifier that Kea keeps with every lease. It is the network's
// own address, so that adding or reordering networks never moves leases.
func (d *DHCP4) subnetID() int {
	b := d.prefix().Masked().Addr().As4()
	return int(binary.BigEndian.Uint32(b[:]))
}

// Claim claims the server's socket and the addresses that it gives away.
func (d *DHCP4) Claim(s *router.Scope) {
	// Most answers leave by a packet socket, which no rule sees (RFC 2131 section 4.1).
	router.Claim(s, d.Network.Range, router.Emit{Networks: []*router.Network{d.Network.Target}, Match: router.Match{
		Family: router.IPv4, Protocol: router.UDP, SourcePorts: router.OnePort(portDHCPServer),
	}})
	if d.Relay != nil {
		d.claimRelay(s)
	} else {
		s.Listen(d.Network.Range, router.Listen{Service: "dhcp", Protocol: router.UDP, Port: 67, Networks: []*router.Network{d.Network.Target}, Unit: "kea-dhcp4-server"})
	}
	for _, p := range d.ranges() {
		router.Claim(s, p.Range, router.HostAddr{Range: p.V, Why: "may be leased to a host"})
	}
	if d.Register.V && d.prefix().IsValid() {
		var ranges []router.AddrRange
		for _, p := range d.ranges() {
			if p.V.First.Is4() && p.V.Last.Is4() {
				ranges = append(ranges, p.V)
			}
		}
		d.registrar().claim(s, ranges)
	}
	for _, r := range d.Reservations {
		router.Claim(s, r.IPv4.Range, router.HostAddr{Range: router.AddrRange{First: r.IPv4.V.Addr, Last: r.IPv4.V.Addr}, Why: "is reserved for " + string(r.Name.V)})
	}
}

// Judge judges pools and reservations against the network.
func (d *DHCP4) Judge(r *router.Router) hcl.Diagnostics {
	n := d.Network.Target
	if !d.own().IsValid() {
		return hcl.Diagnostics{router.NoFixedAddress(d.Network, "A DHCP server leases addresses of its own network.", router.IPv4)}
	}
	diags := append(d.link(r), d.judgePools()...)
	diags = append(diags, d.judgeVirtual(r)...)
	if len(d.DNS.Items) == 0 && !resolver(r, n) {
		diags = append(diags, diag.Help(diag.Warning("no-name-server", d.Def, "Clients get no name server",
			"The router has no resolver for %s, and %s names none.", n.Addr, d.Addr),
			"Add a resolver block or dns = [\"9.9.9.9\"]."))
	}
	own := []string{"id", "interface", "pools", "subnet", "valid-lifetime"}
	if len(d.Reservations) > 0 {
		own = append(own, "reservations")
	}
	if d.NextServer.Set {
		own = append(own, "next-server")
	}
	if d.BootFile.Set {
		own = append(own, "boot-file-name")
	}
	if _, names := d.clientClasses(r); len(names) > 0 {
		own = append(own, "evaluate-additional-classes")
	}
	diags = append(diags, d.additions(r).judge(own...)...)
	diags = append(diags, d.given(r)...)
	diags = append(diags, judgeLease(d.Lease)...)
	diags = append(diags, d.judgeOptions(d.Options, false)...)
	diags = append(diags, d.judgeBoot()...)
	diags = append(diags, d.judgeClasses()...)
	if d.V6Only.Set && d.V6Only.V < leastV6Only {
		diags = append(diags, diag.Help(diag.Error("bad-value", d.V6Only.Range, "Bad time without IPv4", "Hosts wait 5 min at least (MIN_V6ONLY_WAIT of RFC 8925 section 3.4), and %d s is less.", d.V6Only.V),
			"Write \"5m\" or more."))
	}
	diags = append(diags, d.judgeV6Only(r)...)
	diags = append(diags, d.judgeRelay(r)...)
	if g := d.registrar(); d.Register.V {
		diags = append(diags, g.judge(r)...)
	}
	return append(diags, d.reservations(r)...)
}

// judgeLease warns of leases that end before a daemon that was restarted, or a switch that was, is
// back: then the hosts lose addresses that were theirs.
func judgeLease(lease conf.Value[router.Seconds]) hcl.Diagnostics {
	const least = 60
	if lease.V >= least {
		return nil
	}
	return hcl.Diagnostics{diag.Help(diag.Warning("short-lease", lease.Range, "Very short leases",
		"Every host asks again after half of it (RFC 2131 section 4.4.5, RFC 8415 section 21.4), and loses its address when no server has answered within %d s.", lease.V),
		"Write \"1m\" or more.")}
}

// judgeV6Only finds hosts that are to live without IPv4 and may not use the router's NAT64.
func (d *DHCP4) judgeV6Only(r *router.Router) hcl.Diagnostics {
	n := d.Network.Target
	ts := router.Claimed[router.NAT64](r)
	if d.V6Only.Set && len(ts) > 0 && ts[0].Zone(r) != nil && r.Translator(n) == nil {
		return hcl.Diagnostics{diag.With(diag.Absent(diag.Help(diag.Warning("v6-only-untranslated", d.V6Only.Range, "Hosts without IPv4 and without NAT64",
			"Hosts of %s are to live without IPv4, and no policy lets them get to %s.", n.Addr, ts[0].Addr),
			"Write a policy from their zone to %s, or remove v6_only.", ts[0].Zone(r).Addr), "policy"), ts[0].From, "%s", ts[0].Addr.String())}
	}
	return nil
}

// link refuses a second server on one link: a client that asks for an address does
// not say of which network, and Kea takes an interface once.
func (d *DHCP4) link(r *router.Router) hcl.Diagnostics {
	if d.Relay != nil {
		return nil // a relay says of which network its hosts are
	}
	for _, l := range r.Listening("dhcp") {
		if l.Addr == d.Addr {
			break // the later one of two has one too many
		}
		for _, n := range l.Networks {
			if n != d.Network.Target && n.Device() == d.Network.Target.Device() {
				return hcl.Diagnostics{diag.With(diag.Help(diag.Error("two-servers-on-link", d.Network.Range, "Two DHCP servers on one link",
					"%s leases addresses on %s already.", l.Addr, n.Device()),
					"Put the networks on links of their own, such as VLANs."), l.From, "%s", l.Addr.String())}
			}
		}
	}
	return nil
}

// resolver tells whether the router answers DNS in the network.
func resolver(r *router.Router, n *router.Network) bool {
	return slices.ContainsFunc(r.Listening("dns"), func(l *router.Listen) bool { return l.Serves(n) })
}

func (d *DHCP4) judgePools() hcl.Diagnostics {
	var diags hcl.Diagnostics
	p, own := d.prefix(), d.prefix().Addr()
	at, by := d.place()
	first, last := p.Masked().Addr(), router.Broadcast(p)
	if len(d.Pool.Items) == 0 && d.Pool.Set {
		diags = append(diags, diag.Help(diag.Error("empty-pool", d.Pool.Range, "Empty pool", "There is nothing to lease."),
			"Give a range of %s.", p.Masked()))
	}
	all := d.ranges()
	for i, r := range all {
		switch {
		case !p.Contains(r.V.First) || !p.Contains(r.V.Last):
			diags = append(diags, diag.With(diag.Help(diag.Error("pool-outside-network", r.Range, "Pool outside its network",
				"%s is not in %s.", r.V, p.Masked()), "Write a range of that network."), at, "%s", by))
		case r.V.Contains(own):
			diags = append(diags, diag.With(diag.Help(diag.Error("pool-holds-router", r.Range, "Pool holds the router's own address",
				"%s would be leased to a client.", own),
				"Begin or end the range beside it."), at, "the router's address"))
		case r.V.Contains(first) || r.V.Contains(last):
			diags = append(diags, diag.Help(diag.Error("pool-outside-network", r.Range, "Pool holds an address of no host",
				"%s is the address of the network itself, and %s its broadcast address.", first, last),
				"Begin after the first of them, and end before the last."))
		}
		for _, o := range all[:i] {
			if !o.V.Last.Less(r.V.First) && !r.V.Last.Less(o.V.First) {
				diags = append(diags, diag.With(diag.Help(diag.Error("pools-overlap", r.Range, "Pools overlap", "%s shares addresses with %s.", r.V, o.V),
					"Make one range of the two, or end one before the other begins."), o.Range, "the other range"))
			}
		}
	}
	return diags
}

// A fixedLease is an address that a host always gets, by a reservation of the block or as a
// host of the network.
type fixedLease struct {
	conf.Header
	name        router.Hostname
	mac         conf.Value[router.MAC]
	addr        conf.Value[router.Addr]
	description conf.Value[string]
}

// reserved are all of the network's, those of the block first.
func (d *DHCP4) reserved(r *router.Router) []fixedLease {
	var out []fixedLease
	for _, res := range d.Reservations {
		out = append(out, fixedLease{res.Header, res.Name.V, res.MAC, res.IPv4, res.Description})
	}
	for _, h := range d.hosts(r) {
		if h.MAC.Set && h.IPv4.Set {
			out = append(out, fixedLease{h.Header, h.Name.V, h.MAC, h.IPv4, conf.Value[string]{}})
		}
	}
	return out
}

func (d *DHCP4) reservations(r *router.Router) hcl.Diagnostics {
	var diags hcl.Diagnostics
	p := d.prefix()
	for _, res := range d.Reservations {
		switch {
		case !p.Contains(res.IPv4.V.Addr):
			diags = append(diags, diag.Help(diag.Error("reservation-outside-network", res.IPv4.Range, "Reservation outside its network", "%s is not in %s.", res.IPv4.V, p.Masked()),
				"Write an address of that network."))
		case res.IPv4.V.Addr == p.Masked().Addr() || res.IPv4.V.Addr == router.Broadcast(p):
			diags = append(diags, diag.Help(diag.Error("reservation-outside-network", res.IPv4.Range, "Reservation of an address of no host",
				"%s is the address of the network itself, and %s its broadcast address.", p.Masked().Addr(), router.Broadcast(p)),
				"Write another address of the network."))
		case res.IPv4.V.Addr == p.Addr():
			diags = append(diags, diag.Help(diag.Error("reservation-of-router", res.IPv4.Range, "Reservation of the router's own address", "%s is the router's own address.", res.IPv4.V),
				"Write another address of %s.", p.Masked()))
		}
	}
	macs := map[router.MAC]fixedLease{}
	addrs := map[netip.Addr]fixedLease{}
	for _, res := range d.reserved(r) {
		host := res.Addr.Type == "host"
		if before, dup := macs[res.mac.V]; dup && !(host && before.Addr.Type == "host") { // two hosts are the core's to judge
			diags = append(diags, diag.With(diag.Help(diag.Error("same-host-twice", res.mac.Range, "Two reservations for one host",
				"%s has %s already.", before.Addr, res.mac.V),
				"Remove one of the two."), before.mac.Range, "%s", before.Addr.String()))
		}
		if before, dup := addrs[res.addr.V.Addr]; dup && !(host && before.Addr.Type == "host") {
			diags = append(diags, diag.With(diag.Help(diag.Error("same-address-twice", res.addr.Range, "One address for two hosts",
				"%s is reserved by %s already.", res.addr.V, before.Addr),
				"Give one of the two another address."), before.addr.Range, "%s", before.Addr.String()))
		}
		macs[res.mac.V], addrs[res.addr.V.Addr] = res, res
	}
	return slices.Concat(diags, d.leasedHosts(r), d.leasedServers(r))
}

// leasedHosts finds hosts that have set an address of a pool themselves: the server would lease
// it to another host.
func (d *DHCP4) leasedHosts(r *router.Router) hcl.Diagnostics {
	var diags hcl.Diagnostics
	for _, h := range d.hosts(r) {
		for _, pool := range d.ranges() {
			if h.IPv4.Set && !h.MAC.Set && pool.V.Contains(h.IPv4.V.Addr) {
				diags = append(diags, diag.With(diag.Help(diag.Error("pool-holds-host", h.IPv4.Range, "Address of a host in a pool",
					"%s leases %s to other hosts.", d.Addr, h.IPv4.V),
					"Give the mac of %s, which then gets it by DHCP, or an address outside the pool.", h.Addr),
					pool.Range, "%s", d.Addr.String()))
			}
		}
	}
	return diags
}

// leasedServers finds addresses of the pool that the rest of the spec takes for those of one
// host, as the target of a port forward, and that no host has for good.
func (d *DHCP4) leasedServers(r *router.Router) hcl.Diagnostics {
	var diags hcl.Diagnostics
	own := map[netip.Addr]bool{}
	for _, res := range d.reserved(r) {
		own[res.addr.V.Addr] = true
	}
	for _, h := range d.hosts(r) { // those without mac are leasedHosts'
		own[h.IPv4.V.Addr] = true
	}
	pools := d.ranges()
	judge := func(at hcl.Range, a netip.Addr) {
		a = a.Unmap()
		i := slices.IndexFunc(pools, func(p conf.Value[router.AddrRange]) bool { return p.V.Contains(a) })
		if i < 0 || own[a] {
			return
		}
		diags = append(diags, diag.With(diag.Help(diag.Warning("pool-holds-host", at, "Address of a host in a pool",
			"%s may lease %s to any host of %s.", d.Addr, a, d.Network.Addr),
			"Write a host block with its mac and this address, or take another address."),
			pools[i].Range, "%s", d.Addr.String()))
	}
	for _, f := range r.PortForwards {
		if f.To.Value.Set {
			judge(f.To.Range(), f.To.Value.V.Addr)
		}
	}
	for _, s := range d.DNS.Items {
		judge(s.Range, s.V.Addr)
	}
	judge(d.Network.Target.Gateway.Range, d.Network.Target.Gateway.V.Addr)
	for _, rt := range r.Routes {
		for _, h := range rt.Hops() {
			judge(h.Via.Range, h.Via.V.Addr)
		}
	}
	for _, s := range router.Claimed[router.Asks](r) {
		judge(s.From, s.Server)
	}
	for _, h := range router.Claimed[router.HostAddr](r) {
		if h.Addr.Type != "dhcp4" { // those are the pools themselves
			judge(h.From, h.Range.First)
		}
	}
	return diags
}
