package frr

import (
	"fmt"
	"net/netip"
	"slices"
	"strconv"

	"github.com/hashicorp/hcl/v2"

	"github.com/nbr-dev/nbr/hcl/conf"
	"github.com/nbr-dev/nbr/hcl/diag"
	"github.com/nbr-dev/nbr/router"
)

// BGP is the bgp block.
type BGP struct {
	conf.Header
	AS           conf.Value[ASN]            `hcl:"as,required" doc:"The router's autonomous system."`
	RouterID     conf.Value[RouterID]       `hcl:"router_id,required" doc:"Tells the router from all others; one of its IPv4 addresses by custom."`
	Networks     conf.Refs[*router.Network] `hcl:"networks,optional" doc:"The networks that are announced to the neighbours whose prefixes_out has them."`
	Routes       conf.Refs[*router.Route]   `hcl:"routes,optional" doc:"The static routes that are announced likewise."`
	Redistribute []*Redistribution          `hcl:"redistribute,block" doc:"What the neighbours whose prefixes_out has it are told of routes that the router has from elsewhere."`
	Neighbors    []*Neighbor                `hcl:"neighbor,block" doc:"A router to exchange routes with."`
}

// Neighbor is a router that BGP exchanges routes with.
type Neighbor struct {
	conf.Header
	Name     conf.Value[router.Name]   `hcl:"name,label"`
	Address  conf.Value[router.Addr]   `hcl:"address,required" doc:"Its address, in one of the router's networks. Routes of the address's version of IP are exchanged."`
	RemoteAS conf.Value[ASN]           `hcl:"remote_as,required" doc:"Its autonomous system."`
	Network  conf.Ref[*router.Network] `hcl:"network,optional" doc:"The network that it is in. Required for an upstream, and where the address does not tell."`
	In       conf.Ref[*PrefixList]     `hcl:"prefixes_in,optional" doc:"What is taken from it. Required for another autonomous system (RFC 8212)."`
	Out      conf.Ref[*PrefixList]     `hcl:"prefixes_out,optional" doc:"What it is told. Required for another autonomous system (RFC 8212)."`
	Password conf.Ref[*router.Secret]  `hcl:"password,optional" doc:"The secret that holds the session's password (RFC 2385): one line of 1 to 80 printable ASCII characters without spaces. Where it is missing there is no session."`
	BFD      conf.Ref[*BFD]            `hcl:"bfd,optional" doc:"The bfd block by whose times the neighbour is watched. When BFD no longer hears of it the session ends at once, and not after three minutes of silence."`
	Expect   conf.Value[int]           `hcl:"expect,optional" default:"1" doc:"The least number of prefixes that it sends and prefixes_in takes. With fewer nbr verify fails, session or not."`
}

// ASN is the number of an autonomous system.
type ASN uint32

// UnmarshalText wants a number that a router can have: not 0 (RFC 7607), 23456 (RFC 6793),
// or the last ones of 16 and 32 bits (RFC 7300).
func (a *ASN) UnmarshalText(b []byte) error {
	n, err := strconv.ParseUint(string(b), 10, 32)
	if err != nil || n == 0 || n == 23456 || n == 65535 || n == 1<<32-1 {
		return fmt.Errorf("%q is no autonomous system: 1 to 4294967294 without 23456 and 65535, which are reserved", b)
	}
	*a = ASN(n)
	return nil
}

// Describe is what the type is in the schema.
func (ASN) Describe() string { return "number of an autonomous system" }

// RouterID is the identifier of a router (RFC 4271 section 4.2, RFC 2328 section C.1).
type RouterID struct{ netip.Addr }

// UnmarshalText wants the form of an IPv4 address of a host.
func (r *RouterID) UnmarshalText(b []byte) error {
	a, err := netip.ParseAddr(string(b))
	if err != nil || !a.Is4() || a.IsUnspecified() || a.IsLoopback() || a.IsMulticast() || a.As4()[0] >= 240 {
		return diag.Advise(fmt.Errorf("%q is no router identifier", b), "write it like a host's IPv4 address, as in 192.0.2.1")
	}
	r.Addr = a
	return nil
}

// Describe is what the type is in the schema.
func (RouterID) Describe() string { return "identifier like an IPv4 address" }

// place is the network that a neighbour is in, or nil.
func (n *Neighbor) place(r *router.Router) *router.Network {
	if n.Network.Set {
		return n.Network.Target
	}
	return r.NetworkAt(n.Address.V.Addr)
}

// external tells whether the neighbour is of another autonomous system.
func (b *BGP) external(n *Neighbor) bool { return n.RemoteAS.V != b.AS.V }

// An announced prefix is one of the router's with the line that says so.
type announced struct {
	netip.Prefix
	from hcl.Range
}

// announces are the prefixes that neighbours may be told.
func (b *BGP) announces() []announced {
	var out []announced
	for _, n := range b.Networks.Items {
		fixed, _ := n.Target.Split()
		for _, p := range fixed {
			out = append(out, announced{p.Masked(), n.Range})
		}
	}
	for _, rt := range b.Routes.Items {
		out = append(out, announced{rt.Target.To.V.Prefix, rt.Range})
	}
	return out
}

// told are the announced prefixes that a neighbour gets.
func (b *BGP) told(n *Neighbor) []netip.Prefix {
	var out []netip.Prefix
	for _, a := range b.announces() {
		if a.Addr().Is6() == n.Address.V.Is6() && (!n.Out.Set || n.Out.Target.permits(a.Prefix)) && !slices.Contains(out, a.Prefix) {
			out = append(out, a.Prefix)
		}
	}
	return out
}

// Claim lets the neighbours in, and them alone, and the router out to them.
func (b *BGP) Claim(s *router.Scope) {
	claim(s, protocolBGP)
	router.Claim(s, b.Def, speaks{protocol: "bgp"})
	measured(s, "bgp")
	for _, n := range b.Neighbors {
		if n.Address.V.Is6() {
			measured(s, "bgp6")
		}
		for _, l := range []conf.Ref[*PrefixList]{n.In, n.Out} {
			if l.Set {
				router.Claim(s, l.Range, filters{list: l.Target})
			}
		}
		if at := n.place(s.Router); at != nil {
			addr := n.Address.V.Addr
			router.Claim(s, n.Address.Range, router.HostAddr{Range: router.AddrRange{First: addr, Last: addr}, Why: "is a neighbour of " + b.Addr.String()})
			router.Claim(s, n.Address.Range, router.Accept{
				Match: router.Match{
					Family: version(addr), Protocol: router.TCP, Ports: router.OnePort(179),
					Sources: []netip.Prefix{netip.PrefixFrom(addr, addr.BitLen())},
				},
				Networks: []*router.Network{at},
			})
			router.Claim(s, n.Address.Range, router.Emit{
				Match:    router.Match{Protocol: router.TCP, Ports: router.OnePort(179), Groups: []netip.Addr{addr}},
				Networks: []*router.Network{at},
			})
			if n.BFD.Set {
				watch(s, n.Addr.String()+"/bfd", n.BFD, addr, at)
			}
		}
		if n.Password.Set {
			s.Kernel(n.Password.Range, "passwords of BGP", "TCP_MD5SIG")
			s.Secret(n.Password.Range, router.SecretUse{Secret: n.Password.Target, For: router.RoutingPassword, Owner: "root", Unit: unit})
		}
	}
}

func version(a netip.Addr) router.Family {
	if a.Is6() {
		return router.IPv6
	}
	return router.IPv4
}

// Judge finds neighbours that cannot be reached, and what could be told to the wrong ones.
func (b *BGP) Judge(r *router.Router) hcl.Diagnostics {
	var diags hcl.Diagnostics
	if len(b.Neighbors) == 0 {
		diags = append(diags, diag.Help(diag.Warning("no-neighbors", b.Def, "BGP without neighbours",
			"bgp has no neighbor block, so it tells no other router anything, and is told nothing."),
			"Write a neighbor block, or remove it."))
	}
	diags = append(diags, judgeRedistributed(r, "bgp", b.Redistribute)...)
	first := map[netip.Addr]*Neighbor{}
	for _, n := range b.Neighbors {
		if before := first[n.Address.V.Addr]; before != nil {
			diags = append(diags, diag.With(diag.Help(diag.Error("same-neighbor-twice", n.Address.Range, "One address for two neighbours",
				"%s has the address %s already.", before.Addr, n.Address.V),
				"Remove one of the two, or give one another address."), before.Address.Range, "%s", before.Addr.String()))
		}
		first[n.Address.V.Addr] = n
		diags = append(diags, b.reached(r, n)...)
		diags = append(diags, b.policy(n)...)
		diags = append(diags, b.oneProfile(r, n)...)
		if n.Expect.V < 0 {
			diags = append(diags, diag.Help(diag.Error("bad-value", n.Expect.Range, "Negative number of prefixes",
				"expect is how many prefixes the neighbour sends at least, and %d is less than 0.", n.Expect.V),
				"Write 0 or more; with 0 it is right to get none."))
		}
	}
	for _, n := range b.Networks.Items {
		if fixed, _ := n.Target.Split(); len(fixed) == 0 {
			diags = append(diags, router.NoFixedAddress(n, "The prefixes that neighbours are told are those of the spec."))
		}
	}
	for _, a := range b.announces() {
		if !slices.ContainsFunc(b.Neighbors, func(n *Neighbor) bool { return slices.Contains(b.told(n), a.Prefix) }) {
			diags = append(diags, diag.Help(diag.Warning("never-announced", a.from, "Prefix that no neighbour is told",
				"%s is in the prefixes_out of no neighbour with which prefixes of its version of IP are exchanged.", a.Prefix),
				"Permit it in the prefix_list that prefixes_out of a neighbour names, or remove it from networks."))
		}
	}
	return diags
}

// reached wants the neighbour in a network of the router. A session over an upstream
// needs a word: any host there may lead the router's packets elsewhere.
func (b *BGP) reached(r *router.Router, n *Neighbor) hcl.Diagnostics {
	addr, at := n.Address.V.Addr, n.place(r)
	if own := r.Owner(addr); own != nil {
		return hcl.Diagnostics{diag.With(diag.Help(diag.Error("neighbor-is-router", n.Address.Range, "Address of the router itself",
			"%s is the router's own address in %s.", addr, own.Addr),
			"Write the neighbour's address."), own.Def, "%s", own.Addr.String())}
	}
	switch {
	case addr.IsLinkLocalUnicast() || addr.IsUnspecified() || addr.IsMulticast() || addr.IsLoopback():
		return hcl.Diagnostics{diag.Help(diag.Error("neighbor-unreachable", n.Address.Range, "Neighbour out of reach",
			"%s is no address of one host in a network of the router.", addr),
			"Write the address that the neighbour has in one of them.")}
	case at == nil:
		return hcl.Diagnostics{diag.Absent(diag.Help(diag.Error("neighbor-unreachable", n.Address.Range, "Neighbour out of reach",
			"%s is in none of the router's networks.", addr),
			"Write an address in one of them. Where the router gets its own address there from elsewhere, name the network, as in network = network.wan."), "network")}
	case !inside(at, addr):
		return hcl.Diagnostics{diag.With(diag.Help(diag.Error("neighbor-unreachable", n.Address.Range, "Neighbour out of reach",
			"%s is not in %s.", addr, at.Addr),
			"Write an address of %s, or name another network.", at.Addr), at.Def, "%s", at.Addr.String())}
	case at.Upstream() && !n.Network.Set:
		return hcl.Diagnostics{router.OnUpstream(diag.Help(diag.Error("routing-on-upstream", n.Address.Range, "Routes from an upstream",
			"%s is in %s, which leads to the Internet.", addr, at.Addr),
			"If the neighbour is to say where packets go, name the network: network = %s. Else remove the block.", at.Addr), at)}
	}
	return nil
}

// inside tells whether an address can be in a network, of what is known of it.
func inside(n *router.Network, a netip.Addr) bool {
	return slices.ContainsFunc(n.Addresses(), func(own router.NetworkAddress) bool {
		switch how := own.How.(type) {
		case router.Fixed:
			return how.Contains(a)
		case router.ByDHCP, router.ByPPP, router.ByAdvertisement, router.ByDHCPv6, router.Delegated:
			return own.Family == version(a)
		}
		return false
	})
}

// policy wants a prefix list for each way of a session with another autonomous system:
// without one FRR exchanges nothing (RFC 8212), and says Established.
func (b *BGP) policy(n *Neighbor) hcl.Diagnostics {
	if !b.external(n) || n.In.Set && n.Out.Set {
		return nil
	}
	const in, out = "prefixes_in = prefix_list.NAME", "prefixes_out = prefix_list.NAME"
	what := in + " and " + out
	switch {
	case n.In.Set:
		what = out
	case n.Out.Set:
		what = in
	}
	return hcl.Diagnostics{diag.Help(diag.Error("no-policy", n.Def, "Neighbour without a policy",
		"With another autonomous system nothing is exchanged that no prefix list permits (RFC 8212)."),
		"Write %s into %s.", what, n.Addr)}
}
