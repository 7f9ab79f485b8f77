package router

import (
	"encoding/binary"
	"fmt"
	"hash/fnv"
	"net/netip"
	"strconv"

	"github.com/hashicorp/hcl/v2"

	"github.com/nbr-dev/nbr/hcl/conf"
	"github.com/nbr-dev/nbr/hcl/diag"
)

// A Prefix is an IPv6 prefix that an upstream delegates to the router (DHCPv6-PD, RFC 8415
// section 6.3). Which one it is is known when the router runs, and it may change.
type Prefix struct {
	conf.Header
	Name    conf.Value[Name]         `hcl:"name,label"`
	Network conf.Ref[*Network]       `hcl:"network,required" doc:"The upstream that delegates the prefix."`
	Length  conf.Value[PrefixLength] `hcl:"length,required" doc:"The length of the prefix, which the upstream is asked for: with 56 there are 256 networks of 64 bits in it."`
}

// PrefixLength is the length of a delegated prefix.
type PrefixLength int

func (l *PrefixLength) UnmarshalText(b []byte) error {
	return conf.Between(l, b, "length of a delegated prefix", 32, 64, "")
}

// Describe is what the type is in the schema.
func (PrefixLength) Describe() string { return "length of a prefix, 32 to 64" }

// IAID is the number by which the server knows the prefix (RFC 8415 section 12.3). It is made of
// the block's name, so that another block does not change it.
func (p *Prefix) IAID() uint32 {
	h := fnv.New32a()
	h.Write([]byte(p.Addr.String()))
	return h.Sum32()
}

// DelegatedProtocol is of routes to nowhere (rtm_protocol; none of rt_protos) that tell which prefix
// is which block's at present: the metric of each is the IAID of its block.
const DelegatedProtocol = 206

// Subnets is how many networks of 64 bits the prefix has.
func (p *Prefix) Subnets() uint64 { return 1 << (64 - int(p.Length.V)) }

// Subnet is the number of a network of 64 bits within a delegated prefix.
type Subnet uint32

func (s *Subnet) UnmarshalText(b []byte) error {
	n, err := strconv.ParseUint(string(b), 10, 32)
	if err != nil {
		return fmt.Errorf("%q is no number of a network in a prefix: 0, 1, 2 and so on", b)
	}
	*s = Subnet(n)
	return nil
}

// Describe is what the type is in the schema.
func (Subnet) Describe() string { return "number of a network" }

// InterfaceID are the last 64 bits of an IPv6 address (RFC 4291 section 2.5.1).
type InterfaceID uint64

func (i *InterfaceID) UnmarshalText(b []byte) error {
	a, err := netip.ParseAddr(string(b))
	if err == nil && a.Is6() && a.Zone() == "" {
		raw := a.As16()
		// All zeroes are any router of the link (RFC 4291 section 2.6.1).
		if n := binary.BigEndian.Uint64(raw[8:]); n != 0 && binary.BigEndian.Uint64(raw[:8]) == 0 {
			*i = InterfaceID(n)
			return nil
		}
	}
	return diag.Advise(fmt.Errorf("%q is no interface identifier", b), "write the last half of an IPv6 address after two colons, as in ::1")
}

func (i InterfaceID) String() string {
	var raw [16]byte
	binary.BigEndian.PutUint64(raw[8:], uint64(i))
	return netip.AddrFrom16(raw).String()
}

// Describe is what the type is in the schema.
func (InterfaceID) Describe() string { return "last half of an IPv6 address, as in ::1" }

// Delegated is an IPv6 address in a network of 64 bits of a delegated prefix.
type Delegated struct {
	Prefix conf.Ref[*Prefix]
	Subnet Subnet
	ID     InterfaceID
}

func (Delegated) address() {}

func (d Delegated) String() string {
	return fmt.Sprintf("as %s in network %d of %s", d.ID, d.Subnet, d.Prefix.Addr)
}

// In is the address, with the network's length, when this is the prefix; false if the
// prefix is too small.
func (d Delegated) In(p netip.Prefix) (netip.Prefix, bool) {
	if !p.Addr().Is6() || p.Bits() > 64 || uint64(d.Subnet) >= 1<<(64-p.Bits()) {
		return netip.Prefix{}, false
	}
	raw := p.Masked().Addr().As16()
	binary.BigEndian.PutUint64(raw[:8], binary.BigEndian.Uint64(raw[:8])|uint64(d.Subnet))
	binary.BigEndian.PutUint64(raw[8:], uint64(d.ID))
	return netip.PrefixFrom(netip.AddrFrom16(raw), 64), true
}

// Delegated is the router's address in the network of a delegated prefix; false without
// one.
func (n *Network) Delegated() (Delegated, bool) {
	return Delegated{n.Prefix, n.Subnet.V, n.InterfaceID.V}, n.Prefix.Set
}

// DelegatedOf are the networks that are in a prefix.
func (r *Router) DelegatedOf(p *Prefix) []*Network {
	var out []*Network
	for _, n := range r.Networks {
		if n.Prefix.Target == p {
			out = append(out, n)
		}
	}
	return out
}

// TranslatedTo are the translations of addresses to networks of a prefix.
func (r *Router) TranslatedTo(p *Prefix) []*PrefixNAT {
	var out []*PrefixNAT
	for _, t := range r.PrefixNATs {
		if t.Prefix.Target == p {
			out = append(out, t)
		}
	}
	return out
}

// rulePrefixes judges prefixes and the networks in them.
func rulePrefixes(r *Router) hcl.Diagnostics {
	var diags hcl.Diagnostics
	for _, p := range r.Prefixes {
		if n := p.Network.Target; !n.TakesAdvertisements() && !n.Gateway6.Set {
			diags = append(diags, diag.With(diag.Help(diag.Error("prefix-without-upstream", p.Network.Range, "Prefix of a network without IPv6",
				"Hosts with addresses of %s would reach nothing: %s has no way to the Internet for IPv6.", p.Addr, n.Addr),
				"Give it ipv6 = \"auto\", or a fixed address and gateway6."),
				n.Def, "%s", n.Addr.String()))
		}
	}
	type network struct {
		of     *Prefix
		subnet Subnet
	}
	first := map[network]*Network{}
	for _, n := range r.Networks {
		d, ok := n.Delegated()
		if !ok {
			if n.Subnet.Set {
				diags = append(diags, diag.Help(diag.Error("subnet-without-prefix", n.Subnet.Range, "subnet without a prefix",
					"%s does not say which prefix it is a network of.", n.Addr),
					"Write prefix = prefix.NAME, or remove subnet."))
			} else if n.InterfaceID.Set {
				diags = append(diags, diag.Help(diag.Error("subnet-without-prefix", n.InterfaceID.Range, "interface_id without a prefix",
					"interface_id is the last half of the router's address in a delegated prefix, and %s is in none.", n.Addr),
					"Write prefix = prefix.NAME, or the whole address in ipv6 instead."))
			}
			continue
		}
		of := n.Prefix.Target
		key := network{of, d.Subnet}
		switch before := first[key]; {
		case !n.Subnet.Set:
			diags = append(diags, diag.Help(diag.Error("subnet-without-prefix", n.Prefix.Range, "Which network of the prefix?",
				"%s has %d networks.", n.Prefix.Addr, of.Subnets()),
				"Say which one %s is: subnet = 0, or another number.", n.Addr))
			continue
		case uint64(d.Subnet) >= of.Subnets():
			diags = append(diags, diag.With(diag.Help(diag.Error("subnet-outside-prefix", n.Subnet.Range, "Network outside its prefix",
				"%s is a /%d, which has the networks 0 to %d.", n.Prefix.Addr, of.Length.V, of.Subnets()-1),
				"Write a number from 0 to %d, or ask the provider for a shorter prefix.", of.Subnets()-1), of.Length.Range, "%s", of.Addr.String()))
		case n.Link.Target == of.Network.Target.Link.Target:
			diags = append(diags, diag.With(diag.Help(diag.Error("prefix-of-itself", n.Prefix.Range, "Prefix on the link that delegates it",
				"What %s delegates is for other links (RFC 8415 section 6.3).", of.Network.Addr),
				"Put the network on another link, or give it an address of its own in place of prefix."), of.Network.Range, "%s", of.Addr.String()))
		case before != nil:
			diags = append(diags, diag.With(diag.Help(diag.Error("subnet-twice", n.Subnet.Range, "One network of a prefix twice",
				"%s is network %d of %s already.", before.Addr, d.Subnet, n.Prefix.Addr),
				"Give one of them another number."), before.Subnet.Range, "%s", before.Addr.String()))
		}
		first[key] = n
	}
	return diags
}

// ruleUnusedPrefixes finds prefixes that no network is in and no addresses are translated to.
func ruleUnusedPrefixes(r *Router) hcl.Diagnostics {
	var diags hcl.Diagnostics
	for _, p := range r.Prefixes {
		if len(r.DelegatedOf(p))+len(r.TranslatedTo(p)) == 0 {
			diags = append(diags, diag.Help(diag.Error("prefix-unused", p.Def, "Prefix without a network",
				"No network takes its addresses from %s.", p.Addr),
				"Write prefix = %s and subnet = 0 in one, or in a prefix_nat; or remove it.", p.Addr))
		}
	}
	return diags
}
