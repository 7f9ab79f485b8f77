package knot

import (
	"cmp"
	"fmt"
	"net/netip"
	"slices"

	"github.com/hashicorp/hcl/v2"

	"github.com/nbr-dev/nbr/hcl/conf"
	"github.com/nbr-dev/nbr/hcl/diag"
	"github.com/nbr-dev/nbr/nixgen"
	"github.com/nbr-dev/nbr/router"
	"github.com/nbr-dev/nbr/service"
	"github.com/nbr-dev/nbr/verify"
)

// DNS64 is the dns64 block: names without an IPv6 address get one of a NAT64's prefix, in which
// the IPv4 address is (RFC 6147).
type DNS64 struct {
	conf.Header
	Prefix   conf.Value[Prefix96]       `hcl:"prefix,optional" default:"64:ff9b::/96" doc:"The prefix that NAT64 translates: 96 bits, with the IPv4 address in the last 32 (RFC 6052)."`
	Networks conf.Refs[*router.Network] `hcl:"networks,optional" empty:"error: no host gets such addresses. Name some networks, or remove the argument: then it is for all of the resolver." doc:"The networks for which it is; without, all of the resolver. The router itself gets no such addresses."`
}

// Prefix96 is a prefix of 96 bits, the one length that Knot Resolver makes addresses of.
type Prefix96 struct{ netip.Prefix }

// UnmarshalText wants an IPv6 prefix of 96 bits whose bits 64 to 71 are zero.
func (p *Prefix96) UnmarshalText(b []byte) error {
	var block router.Block
	if err := block.UnmarshalText(b); err != nil {
		return err
	}
	raw := block.Addr().As16()
	switch {
	case !block.Addr().Is6() || block.Bits() != 96:
		return diag.Advise(fmt.Errorf("%q is no IPv6 prefix of 96 bits, the one length that Knot Resolver knows", b), "write the well-known one, 64:ff9b::/96, or 96 bits of the network's own")
	case raw[8] != 0:
		return diag.Advise(fmt.Errorf("%q has other bits than zero in the ninth byte (RFC 6052 section 2.2)", b), "write a prefix as 2001:db8:1:2::/96")
	}
	*p = Prefix96{block.Prefix}
	return nil
}

// Describe is what the type is in the schema.
func (Prefix96) Describe() string { return "IPv6 prefix of 96 bits" }

// isFor tells whether hosts of a network get such addresses.
func (d *DNS64) isFor(n *router.Network) bool {
	return d != nil && (!d.Networks.Set || conf.Has(d.Networks, n))
}

// judge finds addresses that lead nowhere.
func (d *DNS64) judge(b *Resolver, r *router.Router) hcl.Diagnostics {
	var diags hcl.Diagnostics
	for _, n := range d.Networks.Items {
		switch {
		case !conf.Has(b.Networks, n.Target):
			diags = append(diags, notServed(b, n, d.Addr))
		case !n.Target.Has(router.IPv6):
			diags = append(diags, diag.With(diag.Help(diag.Error("no-common-family", n.Range, "Network without IPv6",
				"%s has no IPv6 address, and these are IPv6 addresses.", n.Addr),
				"Give the network one, or take it out."), n.Target.Def, "%s", n.Addr.String()))
		}
	}
	if ts := router.Claimed[router.NAT64](r); len(ts) > 0 {
		t := ts[0] // a second one is an error of its own
		if t.Prefix != d.Prefix.V.Prefix {
			diags = append(diags, diag.With(diag.Help(diag.Error("dns64-elsewhere", cmp.Or(d.Prefix.Range, d.Def), "DNS64 and NAT64 of two prefixes",
				"Hosts are told addresses of %s, and %s translates those of %s.", d.Prefix.V, t.Addr, t.Prefix),
				"Write the same prefix at both."), t.From, "%s", t.Addr.String()))
		}
		return append(diags, d.judgeClients(b, r, t)...)
	}
	leads := func(rt *router.Route) bool {
		return rt.To.V.Bits() > 0 && rt.To.V.Bits() <= d.Prefix.V.Bits() && rt.To.V.Contains(d.Prefix.V.Addr())
	}
	if !slices.ContainsFunc(r.Routes, leads) {
		at := cmp.Or(d.Prefix.Range, d.Def)
		diags = append(diags, diag.Absent(diag.Help(diag.Warning("dns64-untranslated", at, "Prefix that nothing translates",
			"Hosts are told addresses of %s, and no route leads there: unless the provider translates it, connections to them end nowhere.", d.Prefix.V),
			"Add a nat64 block, write a route to %s by the host that translates, or take dns64 out.", d.Prefix.V), "route", "nat64"))
	}
	return diags
}

// judgeClients finds networks whose hosts are told addresses that no policy lets them get to.
func (d *DNS64) judgeClients(b *Resolver, r *router.Router, t *router.NAT64) hcl.Diagnostics {
	if t.Zone(r) == nil {
		return nil // a warning of its own
	}
	var diags hcl.Diagnostics
	for _, n := range b.Networks.Items {
		if !d.isFor(n.Target) || !n.Target.Has(router.IPv6) || r.Translator(n.Target) != nil {
			continue
		}
		at, help := cmp.Or(d.Networks.Range, d.Def), "Write a policy from its zone to %[2]s, or name the networks that dns64 is for."
		for _, named := range d.Networks.Items {
			if named.Target == n.Target {
				at, help = named.Range, "Write a policy from its zone to %[2]s, or take %[1]s out."
			}
		}
		diags = append(diags, diag.With(diag.Absent(diag.Help(diag.Warning("dns64-untranslated", at, "Prefix that nothing translates",
			"Hosts of %s are told addresses of %s, and no policy lets them get to %s.", n.Addr, d.Prefix.V, t.Addr),
			help, n.Addr, t.Zone(r).Addr), "policy"), t.From, "%s", t.Addr.String()))
	}
	return diags
}

// lowerDNS64 sets dns64.
func (b *Resolver) lowerDNS64(m *nixgen.Module, settings func(...string) []string) {
	if b.DNS64 != nil {
		m.Set(service.From(b.DNS64), nixgen.Bool(true), settings("dns64", "enable")...)
		m.Set(service.Origin(b.DNS64.Addr, cmp.Or(b.DNS64.Prefix.Range, b.DNS64.Def)), nixgen.Str(b.DNS64.Prefix.V.String()), settings("dns64", "prefix")...)
	}
}

// ipv4only is a name that has IPv4 addresses alone, for hosts to find the prefix by (RFC 7050).
const ipv4only = "ipv4only.arpa."

// checkDNS64 asks, in each network, for the IPv6 addresses of a name that has none.
func (b *Resolver) checkDNS64(p *verify.Plan) {
	if b.DNS64 == nil || b.added("dns64") || b.added("views") {
		return
	}
	raw := b.DNS64.Prefix.V.Addr().As16()
	var want []string
	for _, last := range []byte{170, 171} {
		copy(raw[12:], []byte{192, 0, 0, last})
		want = append(want, netip.AddrFrom16(raw).String())
	}
	slices.Sort(want)
	for _, n := range b.Networks.Items {
		for _, a := range addrs(n.Target) {
			pr := promise{
				id: fmt.Sprintf("%s/%s", b.DNS64.Addr, a), title: "IPv6 addresses of IPv4 hosts, on " + a.String(),
				from:  cmp.Or(b.DNS64.Networks.Range, b.DNS64.Prefix.Range, b.DNS64.Def),
				query: query{Server: a, Name: ipv4only, Type: "AAAA"}, code: "NOERROR", exact: true,
				given: &query{Server: a, Name: ipv4only, Type: "A"},
			}
			if b.DNS64.isFor(n.Target) {
				pr.data = want[0] + ", " + want[1]
			}
			pr.add(p)
		}
	}
}
