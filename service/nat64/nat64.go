// Package nat64 translates between IPv6 and IPv4, so that hosts which have IPv6 alone reach those
// that have IPv4 alone (RFC 6146, RFC 6877), with Tayga. Tayga translates each packet by itself
// (RFC 7915) and gives each IPv6 address an IPv4 address of a pool; that many of these share one
// of the router's is the firewall's doing.
//
// NixOS has a module for Tayga, services.tayga, which makes the link by networking.interfaces
// and so beside IfState. Here the link and its addresses are IfState's, and the unit is this
// package's.
package nat64

import (
	"errors"
	"fmt"
	"net/netip"
	"slices"

	"github.com/hashicorp/hcl/v2"

	"github.com/nbr-dev/nbr/hcl/conf"
	"github.com/nbr-dev/nbr/hcl/diag"
	"github.com/nbr-dev/nbr/router"
	"github.com/nbr-dev/nbr/service"
	"github.com/nbr-dev/nbr/verify/probe"
)

// Kind is the nat64 block.
func Kind() service.Kind {
	return service.Kind{
		Type: "nat64", Doc: "Translation between IPv6 and IPv4, for hosts that have IPv6 alone. It is a link, and who gets there and where it leads is up to policies.",
		Software: "Tayga",
		Example: `nat64 "nat64" {}

network "nat64" {
  link = nat64.nat64
  ipv4 = "192.168.255.1/24" # hosts are translated to addresses of it
  ipv6 = "fd5c:8a1e:7b40:64::1/64"
}

zone "nat64" {
  networks = [network.nat64]
}

policy "translated" {
  from   = [zone.lan]
  to     = [zone.nat64]
  action = "accept"
}

policy "from-nat64" {
  from       = [zone.nat64]
  to         = [zone.wan]
  action     = "accept"
  masquerade = true
}
`,
		Program: service.Alone("nat64", (*NAT64).lower),
		Probes:  []probe.Any{translated},
		New:     func() service.Block { return &NAT64{} },
	}
}

// NAT64 is the nat64 block. Its label is the interface's name.
type NAT64 struct {
	conf.Header
	Name   conf.Value[router.IfName] `hcl:"name,key"`
	Prefix conf.Value[Prefix]        `hcl:"prefix,optional" default:"64:ff9b::/96" doc:"The prefix of the addresses by which hosts with IPv6 alone reach those with IPv4 alone (RFC 6052). The well-known one stands for global IPv4 addresses only: private ones take a prefix of the network's own."`
}

// LinkName is the interface's name.
func (n *NAT64) LinkName() router.IfName { return n.Name.V }

// Spec is the tun device that Tayga opens: it is there, with its routes, whether Tayga runs or not,
// so that no packet for it takes the default route.
func (n *NAT64) Spec() router.LinkSpec {
	return router.LinkSpec{
		Kind: "tun", IPOnly: true,
		Attributes: []router.LinkAttribute{{Name: "tun_persist", Value: true}, {Name: "tun_type", Value: "tun"}},
	}
}

// NamedBy says nothing: that it needs a network has an error of its own.
func (n *NAT64) NamedBy() string { return "" }

// Prefix is a prefix of NAT64.
type Prefix struct{ netip.Prefix }

// lengths are those of RFC 6052 section 2.2.
var lengths = []int{32, 40, 48, 56, 64, 96}

// What is known of 64:ff9b::/32: the well-known prefix, and addresses for a prefix of one's own
// (RFC 8215).
var (
	reserved = netip.MustParsePrefix("64:ff9b::/32")
	local    = netip.MustParsePrefix("64:ff9b:1::/48")
)

// UnmarshalText wants an IPv6 prefix of one of the lengths, whose bits 64 to 71 are zero.
func (p *Prefix) UnmarshalText(b []byte) error {
	var block router.Block
	if err := block.UnmarshalText(b); err != nil {
		return err
	}
	a := block.Addr()
	raw := a.As16()
	switch {
	case !a.Is6() || !slices.Contains(lengths, block.Bits()):
		return diag.Advise(fmt.Errorf("%q is no IPv6 prefix of 32, 40, 48, 56, 64 or 96 bits, the lengths that NAT64 has (RFC 6052 section 2.2)", b), "write the well-known one, 64:ff9b::/96, or 96 bits of the network's own")
	case raw[8] != 0:
		return diag.Advise(fmt.Errorf("%q has other bits than zero in the ninth byte (RFC 6052 section 2.2)", b), "write a prefix as 2001:db8:1:2::/96")
	case reserved.Overlaps(block.Prefix):
		if block.Prefix != router.WellKnown64 && (!local.Overlaps(block.Prefix) || block.Bits() < local.Bits()) {
			return diag.Advise(fmt.Errorf("%s is neither the well-known prefix, %s, nor in %s, which is there for others (RFC 8215)", block.Prefix, router.WellKnown64, local), "write one of the two")
		}
	case raw[0] == 0 || !a.IsGlobalUnicast() || a.Is4In6():
		return diag.Advise(errors.New("hosts have no way to addresses of "+block.String()), "write the well-known one, 64:ff9b::/96, or 96 bits of the network's own")
	}
	*p = Prefix{block.Prefix}
	return nil
}

// Describe is what the type is in the schema.
func (Prefix) Describe() string { return "IPv6 prefix of 32, 40, 48, 56, 64 or 96 bits" }

// at is the line that says the prefix, or the block if none does.
func (n *NAT64) at() hcl.Range {
	if n.Prefix.Set {
		return n.Prefix.Range
	}
	return n.Def
}

// unit is that of Tayga, without .service.
const unit = "tayga"

// Claim claims the way to the prefix, the kernel's driver and a start after the link is there.
// What is translated has to pass the firewall's rules, packet by packet.
func (n *NAT64) Claim(s *router.Scope) {
	s.Kernel(hcl.Range{}, "NAT64", "TUN")
	s.AfterLinks(hcl.Range{}, unit)
	router.Claim(s, n.at(), router.NAT64{Prefix: n.Prefix.V.Prefix, Link: n})
	router.Claim(s, n.at(), router.DeviceRoute{To: n.Prefix.V.Prefix, Link: n})
	if on := s.On(n); len(on) > 0 {
		router.Claim(s, hcl.Range{}, router.KeepOffOffload{Networks: on})
	}
}

// Addresses that the link's network has for Tayga beside the router's own.
type addresses struct {
	network      *router.Network
	pool, router netip.Prefix // of IPv4: what hosts are translated to, and the router's own address
	v4, v6       netip.Addr   // Tayga's own
	// What the router's IPv4 address and the network's broadcast address are translated to:
	// without a translation of their own Tayga gives them to hosts.
	router6, broadcast6 netip.Addr
	link6               netip.Addr // the router's own of IPv6
}

// least is how many addresses of IPv6 are needed beside the router's.
const least = 3

// Bounds of the prefix lengths of the network: of IPv4 there are eight addresses at least, of
// which four are no host's.
const (
	mostBits4 = 29
	mostBits6 = 125
)

// addresses shares the network's addresses out. It is valid if the network has been judged.
func (n *NAT64) addresses(r *router.Router) addresses {
	on := r.On(n)[0]
	v4, _ := on.FixedIn(router.IPv4)
	v6, _ := on.FixedIn(router.IPv6)
	a := addresses{network: on, pool: v4.Masked(), router: v4, link6: v6.Addr()}
	a.v4 = others(v4, 1)[0]
	six := others(v6, least)
	a.v6, a.router6, a.broadcast6 = six[0], six[1], six[2]
	return a
}

// others are the first addresses of a network that are neither the router's nor the network's.
func others(p netip.Prefix, count int) []netip.Addr {
	var out []netip.Addr
	for a := p.Masked().Addr().Next(); len(out) < count; a = a.Next() {
		if a != p.Addr() {
			out = append(out, a)
		}
	}
	return out
}

// embed is an IPv4 address in the prefix (RFC 6052 section 2.2).
func embed(p netip.Prefix, v4 netip.Addr) netip.Addr {
	raw, four := p.Addr().As16(), v4.As4()
	at := p.Bits() / 8
	for _, b := range four {
		if at == 8 { // the byte that is always zero
			at++
		}
		raw[at] = b
		at++
	}
	return netip.AddrFrom16(raw)
}
