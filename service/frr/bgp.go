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

// Claim lets the neighbours in, and them alone, and the router out to them.
func (b *BGP) Claim(s *router.Scope) {
	claim(s, protocolBGP)
	router.Claim(s, b.Def, speaks{protocol: "bgp"})
	measured(s, "bgp")
	for _, n := range b.Neighbors {
		n.claim(s, b)
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
	first := map[string]*Neighbor{}
	for _, n := range b.Neighbors {
		if before := first[n.peer()]; before != nil {
			diags = append(diags, n.again(before))
		} else if n.peer() != "" {
			first[n.peer()] = n
		}
		diags = append(diags, b.remote(n)...)
		diags = append(diags, b.reached(r, n)...)
		diags = append(diags, b.policy(n)...)
		diags = append(diags, b.oneProfile(r, n)...)
		diags = append(diags, n.judge()...)
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
