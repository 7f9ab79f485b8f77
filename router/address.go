package router

import (
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"

	"github.com/nbr-dev/nbr/hcl/conf"
	"github.com/nbr-dev/nbr/hcl/diag"
)

// An Address is how the router gets an address of its own in a network. Only a Fixed one
// is known before the router runs; the others come later, and change. Nil is no address.
//
// Each reader of an address says what it does in each case. A program that can take the
// name of an interface, or looks at run time, does the right thing with all of them; what
// needs the address itself refuses the others with the line that names the network.
//
//sumtype:decl
type Address interface {
	// String is how the address is got, for people, as in "by DHCP".
	fmt.Stringer
	address()
}

// Fixed is an address that the spec gives: the router's own and the network, in one.
type Fixed struct{ netip.Prefix }

// ByDHCP is an IPv4 address that a DHCP server leases to the router (RFC 2131).
type ByDHCP struct{}

// ByPPP is an IPv4 address that the other end of a PPP session gives the router (IPCP, RFC
// 1332 section 3.3). Unlike a lease it has no lifetime: it is there for as long as the session.
type ByPPP struct{}

// ByAdvertisement is an IPv6 address that the router makes of the prefix in an
// advertisement of another router (SLAAC, RFC 4862).
type ByAdvertisement struct{}

// ByDHCPv6 is an IPv6 address that a DHCPv6 server leases to the router (IA_NA, RFC 8415 section
// 6.2). Default routes still come by router advertisements: DHCPv6 has none.
type ByDHCPv6 struct{}

func (Fixed) address()           {}
func (ByDHCP) address()          {}
func (ByPPP) address()           {}
func (ByAdvertisement) address() {}
func (ByDHCPv6) address()        {}

func (ByDHCP) String() string          { return "by DHCP" }
func (ByPPP) String() string           { return "by PPP" }
func (ByAdvertisement) String() string { return "by router advertisements" }
func (ByDHCPv6) String() string        { return "by DHCPv6" }

// A NetworkAddress is an address of the router in a network.
type NetworkAddress struct {
	How    Address
	Family Family
	From   hcl.Range // where the spec says it
}

// Addresses are the router's own in the network, of IPv4 and then of IPv6, of which it may
// have a fixed one, which stays when the upstream is gone, and one of a delegated prefix.
func (n *Network) Addresses() []NetworkAddress {
	var out []NetworkAddress
	if n.IPv4.V.How != nil {
		out = append(out, NetworkAddress{n.IPv4.V.How, IPv4, n.IPv4.Range})
	}
	if n.IPv6.V.How != nil {
		out = append(out, NetworkAddress{n.IPv6.V.How, IPv6, n.IPv6.Range})
	}
	if d, ok := n.Delegated(); ok {
		out = append(out, NetworkAddress{d, IPv6, n.Prefix.Range})
	}
	return out
}

// Split sorts the router's addresses in the network into those that the spec gives and
// those that come later. It is for readers to whom all of the latter are the same.
func (n *Network) Split() (fixed []netip.Prefix, later []NetworkAddress) {
	for _, a := range n.Addresses() {
		switch how := a.How.(type) {
		case Fixed:
			fixed = append(fixed, how.Prefix)
		case ByDHCP, ByPPP, ByAdvertisement, ByDHCPv6, Delegated:
			later = append(later, a)
		}
	}
	return fixed, later
}

// FixedIn is the address of a version of IP that the spec gives the router in the
// network; false if there is none, or if it comes later.
func (n *Network) FixedIn(f Family) (netip.Prefix, bool) {
	for _, a := range n.Addresses() {
		if fixed, ok := a.How.(Fixed); ok && a.Family == f {
			return fixed.Prefix, true
		}
	}
	return netip.Prefix{}, false
}

// Address4 is how a network gets its IPv4 address: from DHCP, by PPP, or fixed.
type Address4 struct{ How Address }

func (a *Address4) UnmarshalText(b []byte) error {
	switch string(b) {
	case "dhcp":
		a.How = ByDHCP{}
		return nil
	case "ppp":
		a.How = ByPPP{}
		return nil
	}
	p, err := hostPrefix(string(b))
	if err != nil || !p.Addr().Is4() {
		return adviseAddress(string(b), fmt.Errorf("%q is neither \"dhcp\" nor \"ppp\" nor the router's address with its prefix length, as in 192.168.178.1/24", b), "ipv6", netip.Addr.Is6, 24)
	}
	if p.Bits() < 31 && (p.Addr() == p.Masked().Addr() || p.Addr() == Broadcast(p)) {
		return diag.Advise(fmt.Errorf("%s is %s", p.Addr(), noHostOf(p, p.Addr())), "write the router's, as in %s", netip.PrefixFrom(p.Masked().Addr().Next(), p.Bits()))
	}
	a.How = Fixed{p}
	return nil
}

// adviseAddress says of a text that is no address of a router what was meant: one of the other
// version of IP, whose attribute is named, or one without a prefix length, which usually is bits.
func adviseAddress(text string, err error, other string, ofOther func(netip.Addr) bool, bits int) error {
	host, _, length := strings.Cut(text, "/")
	a, wrong := netip.ParseAddr(host)
	switch {
	case wrong != nil || a.Zone() != "" || a.Is4In6():
		return err
	case ofOther(a):
		return diag.Advise(err, "write it as %s", other)
	case !length:
		return diag.Advise(err, "add the prefix length of the network, as in %s/%d", a, bits)
	}
	return err
}

// String is as the spec writes it.
func (a Address4) String() string {
	switch how := a.How.(type) {
	case Fixed:
		return how.String()
	case ByDHCP:
		return "dhcp"
	case ByPPP:
		return "ppp"
	default:
		return "none"
	}
}

// Describe is what the type is in the schema.
func (Address4) Describe() string { return "address with prefix length, \"dhcp\" or \"ppp\"" }

// Address6 is how a network gets its IPv6 address: from router advertisements, by DHCPv6, or fixed.
type Address6 struct{ How Address }

func (a *Address6) UnmarshalText(b []byte) error {
	switch string(b) {
	case "auto":
		a.How = ByAdvertisement{}
		return nil
	case "dhcp":
		a.How = ByDHCPv6{}
		return nil
	}
	p, err := hostPrefix(string(b))
	if err != nil || !p.Addr().Is6() || p.Addr().Is4In6() {
		return adviseAddress(string(b), fmt.Errorf("%q is neither \"auto\" nor \"dhcp\" nor the router's address with its prefix length, as in fd00::1/64", b), "ipv4", netip.Addr.Is4, 64)
	}
	if p.Bits() < 127 && p.Addr() == p.Masked().Addr() {
		return diag.Advise(fmt.Errorf("%s is every router's address in the network (RFC 4291 section 2.6.1)", p.Addr()), "write this router's, as in %s", netip.PrefixFrom(p.Addr().Next(), p.Bits()))
	}
	a.How = Fixed{p}
	return nil
}

// String is as the spec writes it.
func (a Address6) String() string {
	switch how := a.How.(type) {
	case Fixed:
		return how.String()
	case ByAdvertisement:
		return "auto"
	case ByDHCPv6:
		return "dhcp"
	default:
		return "none"
	}
}

// Describe is what the type is in the schema.
func (Address6) Describe() string { return "address with prefix length, \"auto\" or \"dhcp\"" }

func hostPrefix(s string) (netip.Prefix, error) {
	p, err := netip.ParsePrefix(s)
	if err == nil && (p.Addr().IsUnspecified() || p.Addr().IsMulticast() || p.Bits() == 0) {
		err = errors.New("no host's address")
	}
	return p, err
}

// ByDHCP tells whether a DHCP server gives the router its IPv4 address in the network.
func (n *Network) ByDHCP() bool {
	_, ok := n.IPv4.V.How.(ByDHCP)
	return ok
}

// ByPPP tells whether the other end of a PPP session gives the router its IPv4 address in the
// network.
func (n *Network) ByPPP() bool {
	_, ok := n.IPv4.V.How.(ByPPP)
	return ok
}

// ByDHCPv6 tells whether a DHCPv6 server gives the router its IPv6 address in the network.
func (n *Network) ByDHCPv6() bool {
	_, ok := n.IPv6.V.How.(ByDHCPv6)
	return ok
}

// TakesAdvertisements tells whether the router has its default route of IPv6 from the network's
// router advertisements, whichever way its address comes.
func (n *Network) TakesAdvertisements() bool { return n.ByAdvertisement() || n.ByDHCPv6() }

// ByAdvertisement tells whether the router makes its IPv6 address in the network of an
// advertisement.
func (n *Network) ByAdvertisement() bool {
	_, ok := n.IPv6.V.How.(ByAdvertisement)
	return ok
}

// Has tells whether the router has, or gets, an address of a version of IP in the network.
func (n *Network) Has(f Family) bool {
	return slices.ContainsFunc(n.Addresses(), func(a NetworkAddress) bool { return a.Family == f })
}

// NoFixedAddress says that a reference is to a network in which the router has no fixed
// address, of one of the given versions of IP or of any. why is a sentence about the block
// that needs one.
func NoFixedAddress(ref conf.Ref[*Network], why string, of ...Family) *hcl.Diagnostic {
	n, need := ref.Target, "address"
	if len(of) == 1 {
		need = fmt.Sprintf("%s address", of[0])
	}
	has, example := ", and has none", `ipv4 = "192.168.1.1/24"`
	if slices.Equal(of, []Family{IPv6}) {
		example = `ipv6 = "fd00::1/64"`
	}
	for _, a := range n.Addresses() {
		if len(of) > 0 && !slices.Contains(of, a.Family) {
			continue
		}
		switch how := a.How.(type) {
		case Fixed:
			panic(fmt.Sprintf("router: %s has a fixed address, %s", n.Addr, how))
		case ByDHCP, ByPPP, ByAdvertisement, ByDHCPv6, Delegated:
			has = fmt.Sprintf("; the one it has there comes %s and is not known before the router runs", how)
		}
	}
	return diag.With(diag.Help(diag.Error("no-fixed-address", ref.Range, "Network without a fixed address",
		"%s For that the router needs a fixed %s in %s%s.", why, need, n.Addr, has),
		"Give %s one, as in %s, or take it out here.", n.Addr, example), n.Def, "%s", n.Addr.String())
}
