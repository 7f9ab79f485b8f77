package router

import (
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"

	"github.com/nbr-dev/nbr/hcl/conf"
	"github.com/nbr-dev/nbr/hcl/diag"
)

// A Host is a machine in one of the router's networks.
type Host struct {
	conf.Header
	Name    conf.Value[Hostname]    `hcl:"name,key"`
	Network conf.Ref[*Network]      `hcl:"network,required" doc:"The network that the host is in."`
	MAC     conf.Value[MAC]         `hcl:"mac,optional" doc:"Its MAC address. By it a DHCP server gives the host its ipv4 and ipv6, and policies know what comes from it."`
	DUID    conf.Value[DUID]        `hcl:"duid,optional" doc:"What it calls itself in DHCPv6 (RFC 8415 section 11), as in 00:03:00:01:02:11:22:33:44:55. By it a DHCPv6 server gives the host its ipv6, in place of the MAC address, which not all hosts show there: a phone does not, nor does a virtual machine."`
	IPv4    conf.Value[Addr]        `hcl:"ipv4,optional" doc:"Its IPv4 address."`
	IPv6    conf.Value[InterfaceID] `hcl:"ipv6,optional" doc:"The last half of its IPv6 address, as in ::10. The first half is the network's prefix, which may change."`
	Aliases conf.List[Hostname]     `hcl:"aliases,optional" doc:"Other names of the host in the domain of its network."`
}

// A DUID is what a host calls itself in DHCPv6 (RFC 8415 section 11): bytes in hexadecimal,
// with colons between them.
type DUID string

// UnmarshalText wants a type of two bytes, and 1 to 128 bytes after it.
func (d *DUID) UnmarshalText(b []byte) error {
	parts := strings.Split(strings.ToLower(string(b)), ":")
	for _, p := range parts {
		if raw, err := hex.DecodeString(p); err != nil || len(raw) != 1 {
			return diag.Advise(fmt.Errorf("%q is no DUID", b), "write its bytes with colons between them, as in 00:03:00:01:02:11:22:33:44:55")
		}
	}
	if len(parts) < 3 || len(parts) > 130 {
		return diag.Advise(fmt.Errorf("%q has %d bytes, and a DUID has 3 to 130", b, len(parts)), "write all of it, as the host's DHCPv6 client shows it")
	}
	*d = DUID(strings.Join(parts, ":"))
	return nil
}

// Describe is what the type is in the schema.
func (DUID) Describe() string { return "DUID of DHCPv6" }

// An Endpoint is what a policy is from or to.
//
//sumtype:decl
type Endpoint interface {
	conf.Block
	endpoint()
	// within are the networks that packets of the endpoint are in, or may be in.
	within(r *Router) []*Network
}

func (*Zone) endpoint()   {}
func (*Host) endpoint()   {}
func (*System) endpoint() {}

// Within are the networks that the packets of an endpoint are in, or may be in; none for the router
// itself, which is in all of them.
func (r *Router) Within(e Endpoint) []*Network { return e.within(r) }

// within are the zone's networks.
func (z *Zone) within(r *Router) []*Network { return r.NetworksOf(z) }

// within is the host's network.
func (h *Host) within(*Router) []*Network { return []*Network{h.Network.Target} }

// within is no network.
func (*System) within(*Router) []*Network { return nil }

// within are the networks that hold all of the set, or all networks if there are none.
func (s *AddressSet) within(r *Router) []*Network {
	if in, elsewhere := r.Holding(s, AnyFamily); !elsewhere {
		return in
	}
	return r.Networks
}

// FixedIPv6 is the host's address of the network's fixed prefix; false if it has none.
func (h *Host) FixedIPv6() (netip.Addr, bool) {
	p, ok := h.Network.Target.FixedIn(IPv6)
	if !ok || !h.IPv6.Set || p.Bits() > 64 {
		return netip.Addr{}, false
	}
	raw := p.Masked().Addr().As16()
	binary.BigEndian.PutUint64(raw[8:], uint64(h.IPv6.V))
	return netip.AddrFrom16(raw), true
}

// Fixed are the addresses of the host that are known before the router runs, IPv4 first.
func (h *Host) Fixed() []netip.Addr {
	var out []netip.Addr
	if h.IPv4.Set {
		out = append(out, h.IPv4.V.Addr)
	}
	if a, ok := h.FixedIPv6(); ok {
		out = append(out, a)
	}
	return out
}

// Names are the host's names in the domain of its network, its own first; none where the
// network has no domain.
func (h *Host) Names() []string {
	domain := h.Network.Target.Domain
	if !domain.Set {
		return nil
	}
	out := []string{string(h.Name.V) + "." + string(domain.V)}
	for _, a := range h.Aliases.All() {
		out = append(out, string(a)+"."+string(domain.V))
	}
	return out
}

// HostsIn are the hosts of a network.
func (r *Router) HostsIn(n *Network) []*Host { return slices.Clone(r.lookUp().hosts[n]) }

// ruleHosts judges each host against its network.
func ruleHosts(r *Router) hcl.Diagnostics {
	var diags hcl.Diagnostics
	for _, h := range r.Hosts {
		if !h.MAC.Set && !h.IPv4.Set && !h.IPv6.Set {
			diags = append(diags, diag.Help(diag.Error("host-without-address", h.Def, "Host without an address",
				"Nothing tells %s from other hosts.", h.Addr),
				"Write its mac, ipv4 or ipv6."))
		}
		if h.IPv4.Set {
			diags = append(diags, h.judgeIPv4()...)
		}
		if h.IPv6.Set {
			diags = append(diags, h.judgeIPv6()...)
		}
	}
	return diags
}

// outside says that an address of a host is none that it could have in its network, and what
// to do.
func (h *Host) outside(at hcl.Range, help, detail string, args ...any) hcl.Diagnostics {
	n := h.Network.Target
	return one(diag.With(diag.Help(diag.Error("host-outside-network", at, "Address outside the host's network", detail, args...), "%s", help), n.Def, "%s", n.Addr.String()))
}

func (h *Host) judgeIPv4() hcl.Diagnostics {
	n, a := h.Network.Target, h.IPv4.V
	p, fixed := n.FixedIn(IPv4)
	another := fmt.Sprintf("Write another address of %s.", p.Masked())
	switch {
	case !a.Is4():
		return one(diag.Help(diag.Error("bad-value", h.IPv4.Range, "Not an IPv4 address",
			"%s is an IPv6 address, and %s has those of its network.", a, h.Addr),
			"Write the last half of it in ipv6, as in ipv6 = \"::10\"."))
	case !n.Has(IPv4):
		return h.outside(h.IPv4.Range, "Remove ipv4, or give the network an IPv4 address.", "%s has no IPv4 address.", n.Addr)
	case !fixed:
		return nil // what the upstream's network is comes later
	case !p.Contains(a.Addr):
		return h.outside(h.IPv4.Range, "Write an address of that network.", "%s is not in %s.", a, p.Masked())
	case a.Addr == p.Addr():
		return h.outside(h.IPv4.Range, another, "%s is the router's own address.", a)
	case notHost(p, a.Addr):
		return h.outside(h.IPv4.Range, another, "%s is %s.", a, noHostOf(p, a.Addr))
	}
	return nil
}

func (h *Host) judgeIPv6() hcl.Diagnostics {
	n := h.Network.Target
	p, fixed := n.FixedIn(IPv6)
	a, _ := h.FixedIPv6()
	delegated, ok := n.Delegated()
	switch {
	case !n.Has(IPv6):
		return h.outside(h.IPv6.Range, "Remove ipv6, or give the network an IPv6 address.", "%s has no IPv6 address.", n.Addr)
	case fixed && p.Bits() > 64:
		return h.outside(h.IPv6.Range, "Remove ipv6, or give the network a prefix of 64 bits.", "%s has no room for the last half of an address: hosts have 64 bits of their own in networks of 64 bits (RFC 4291 section 2.5.1).", p.Masked())
	case fixed && a == p.Addr(), ok && delegated.ID == h.IPv6.V:
		return h.outside(h.IPv6.Range, "Write another last half.", "%s is the router's own address there.", h.IPv6.V)
	}
	return nil
}

// ruleHostsTwice finds two hosts with one address or one name.
func ruleHostsTwice(r *Router) hcl.Diagnostics {
	var diags hcl.Diagnostics
	first := map[string]By{} // by what is the host's alone
	take := func(h *Host, at hcl.Range, code, summary, help, what, scope string) {
		key := code + " " + scope + " " + strings.ToLower(what)
		if before, dup := first[key]; dup {
			diags = append(diags, diag.With(diag.Help(diag.Error(code, at, summary, "%s has %s already.", before.Addr, what), "%s", help), before.From, "%s", before.Addr.String()))
			return
		}
		first[key] = By{h.Addr, at}
	}
	const another = "Give one of them another address."
	for _, h := range r.Hosts {
		link := string(h.Network.Target.Device())
		if h.MAC.Set {
			take(h, h.MAC.Range, "host-twice", "Two hosts with one MAC address", "Make them one host, or correct one of the two.", fmt.Sprint(h.MAC.V), link)
		}
		if h.DUID.Set {
			take(h, h.DUID.Range, "host-twice", "Two hosts with one DUID", "Make them one host, or correct one of the two.", fmt.Sprint(h.DUID.V), link)
		}
		if h.IPv4.Set && h.IPv4.V.Is4() {
			take(h, h.IPv4.Range, "host-twice", "Two hosts with one address", another, fmt.Sprint(h.IPv4.V), link)
		}
		if h.IPv6.Set {
			take(h, h.IPv6.Range, "host-twice", "Two hosts with one address", another, fmt.Sprint(h.IPv6.V), link)
		}
		for i, name := range h.Names() {
			at := h.Def
			if i > 0 {
				at = h.Aliases.Items[i-1].Range
			}
			take(h, at, "host-name-twice", "Two hosts with one name", "Give one of them another name.", name, "")
		}
	}
	return diags
}

// ruleHostEndpoints judges the hosts that policies and port forwards are about.
func ruleHostEndpoints(r *Router) hcl.Diagnostics {
	var diags hcl.Diagnostics
	unknown := func(at hcl.Range, h *Host, summary, help, detail string, args ...any) {
		diags = append(diags, diag.With(diag.Help(diag.Error("host-without-address", at, summary, detail, args...), "%s", help), h.Def, "%s", h.Addr.String()))
	}
	zoneless := map[*Host]bool{}
	for _, p := range r.Policies {
		for _, e := range slices.Concat(p.From.Items, p.To.Items) {
			for _, h := range Hosts(e.Target) {
				if !zoneless[h] && r.ZoneOf(h.Network.Target) == nil {
					zoneless[h] = true
					diags = append(diags, diag.With(diag.Help(diag.Error("host-without-zone", h.Network.Range, "Host in no zone",
						"%s is about %s, and %s is in no zone: the firewall drops everything that comes from there or goes there.", p.Addr, h.Addr, h.Network.Addr),
						"Put the network into a zone."),
						e.Range, "%s", p.Addr.String()))
				}
			}
		}
		for _, e := range p.From.Items {
			for _, h := range Hosts(e.Target) {
				if !h.MAC.Set && p.Action.V != "accept" && h.Network.Target.Has(IPv6) {
					diags = append(diags, diag.With(diag.Help(diag.Warning("host-other-addresses", e.Range, "Policy does not match all addresses of a host",
						"%s matches the addresses of %s in the spec. A host also makes temporary IPv6 addresses (RFC 8981), which it does not match.", p.Addr, h.Addr),
						"Write the mac of %s.", h.Addr),
						h.Def, "%s", h.Addr.String()))
				}
			}
		}
		for _, e := range p.To.Items {
			for _, h := range Hosts(e.Target) {
				if !h.IPv4.Set && !h.IPv6.Set {
					unknown(e.Range, h, "Host without an address", "Write ipv4, ipv6 or both in its block.",
						"%s leads to %s, of which no address is known.", p.Addr, h.Addr)
				}
			}
		}
	}
	for _, f := range r.PortForwards {
		if h := f.To.Ref.Target; f.To.Ref.Set && !h.IPv4.Set {
			unknown(f.To.Range(), h, "Host without an IPv4 address", "Write ipv4 in its block.",
				"%s leads to an IPv4 address, and %s has none.", f.Addr, h.Addr)
		}
	}
	for _, n := range r.StaticNATs {
		if h := n.To.Target; !h.IPv4.Set {
			unknown(n.To.Range, h, "Host without an IPv4 address", "Write ipv4 in its block.",
				"%s is for IPv4, and %s has no address of it.", n.Addr, h.Addr)
		}
	}
	return diags
}
