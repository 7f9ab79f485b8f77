package nftables

import (
	"fmt"
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"

	"github.com/nbr-dev/nbr/hcl/diag"
	"github.com/nbr-dev/nbr/router"
)

// A side is one end of a policy: the interfaces of its zones, or a host or a set of addresses by
// one of the things that it is known by.
type side struct {
	devs   []router.IfName // none is any
	family router.Family
	addr   string // what an address of the packet has to be: "192.168.1.10", "& ::ffff:ffff:ffff:ffff == ::10", "@admins_ipv4"; empty is any of the family
	ports  bool   // the interfaces are in VRFs
	mac    string // what the source of the frame has to be
}

// text matches a packet that comes from there (i, saddr) or goes there (o, daddr).
func (s side) text(direction, field string) string {
	var out []string
	switch {
	case s.ports && direction == "i":
		out = append(out, sdif(s.devs))
	case len(s.devs) > 0:
		out = append(out, direction+"ifname "+set(s.devs))
	}
	switch {
	case s.mac != "":
		out = append(out, "ether saddr "+s.mac)
	case s.addr == "" && s.family == router.IPv6:
		out = append(out, "meta nfproto ipv6")
	case s.family == router.IPv4:
		out = append(out, "ip "+field+" "+s.addr)
	case s.family == router.IPv6:
		out = append(out, "ip6 "+field+" "+s.addr)
	}
	return strings.Join(out, " ")
}

// A way leads from one end of a policy to the other.
type way struct{ from, to side }

func (w way) text() string {
	return strings.TrimSpace(w.from.text("i", "saddr") + " " + w.to.text("o", "daddr"))
}

// back is the way of the answers.
func (w way) back() way { return way{w.to, w.from} }

// family is the version of IP of all packets on the way.
func (w way) family() router.Family { return max(w.from.family, w.to.family) }

// ways are all ways between the ends of a policy through the router.
func ways(r *router.Router, p *router.Policy) []way {
	return between(r, sides(r, p.From.All(), true), p)
}

// ownWays are those of what the router itself sends.
func ownWays(r *router.Router, p *router.Policy) []way {
	if !p.Own() {
		return nil
	}
	return between(r, []side{{}}, p)
}

func between(r *router.Router, sources []side, p *router.Policy) []way {
	var out []way
	for _, from := range sources {
		for _, to := range sides(r, p.To.All(), false) {
			if fits(from.family, to.family) {
				out = append(out, way{from, to})
			}
		}
	}
	return out
}

// sides are the ends that zones, hosts and sets are: the zones together, then each of the others.
func sides(r *router.Router, ends []router.Endpoint, source bool) []side {
	var zones, out []side
	var networks []*router.Network
	for _, e := range ends {
		switch e := e.(type) {
		case *router.Zone:
			networks = append(networks, e.Networks.All()...)
		case *router.Host:
			out = append(out, hostSides(e, source)...)
		case *router.AddressSet:
			out = append(out, setSides(r, e, source)...)
		case *router.System: // see ownWays
		}
	}
	if devs := router.Devices(networks); len(devs) > 0 {
		zones = append(zones, side{devs: devs})
	}
	return split(r, append(zones, out...))
}

// hostSides are the ends that a host is. As a source it is known by its MAC address where the
// spec has it: of IPv6 it makes itself addresses that no spec can know (RFC 8981).
func hostSides(h *router.Host, source bool) []side {
	devs := router.Devices([]*router.Network{h.Network.Target})
	if source && h.MAC.Set {
		return []side{{devs: devs, mac: string(h.MAC.V)}}
	}
	var out []side
	if h.IPv4.Set {
		out = append(out, side{devs: devs, family: router.IPv4, addr: h.IPv4.V.String()})
	}
	if h.IPv6.Set {
		out = append(out, side{devs: devs, family: router.IPv6, addr: fmt.Sprintf("& ::ffff:ffff:ffff:ffff == %s", h.IPv6.V)})
	}
	return out
}

// setSides are the ends that a set is: the firewall's sets of its addresses, and what no such set
// can hold. That is a MAC address, the last half of an address, and what a network gets later.
func setSides(r *router.Router, s *router.AddressSet, source bool) []side {
	var out []side
	for _, f := range families {
		if len(r.Elements(s, f)) > 0 {
			in, elsewhere := r.Holding(s, f)
			if elsewhere {
				in = nil
			}
			out = append(out, side{devs: router.Devices(in), family: f, addr: "@" + s.SetName(f)})
		}
	}
	for _, h := range s.Hosts.All() {
		for _, known := range hostSides(h, source) {
			_, fixed := h.FixedIPv6()
			if known.mac != "" || known.family == router.IPv6 && (!fixed || h.Network.Target.Prefix.Set) {
				out = append(out, known)
			}
		}
	}
	for _, n := range s.Networks.All() {
		if n.Prefix.Set {
			out = append(out, side{devs: router.Devices([]*router.Network{n}), family: router.IPv6})
		}
	}
	return out
}

var families = []router.Family{router.IPv4, router.IPv6}

// judgeInspected refuses inspection where a policy up to the last inspected one knows a host
// by its MAC address: an answer to the host does not have it, so only half of a connection
// would be seen.
func judgeInspected(r *router.Router) hcl.Diagnostics {
	var diags hcl.Diagnostics
	claims := inspected(r)
	for i, p := range r.Policies {
		at := slices.IndexFunc(r.Policies[i:], func(p *router.Policy) bool { return claims[p] != nil })
		if at < 0 {
			break
		}
		by := claims[r.Policies[i+at]]
		for _, e := range p.From.Items {
			for _, h := range router.Hosts(e.Target) {
				if !h.MAC.Set || p.Action.V != "accept" {
					continue
				}
				diags = append(diags, diag.With(diag.With(diag.Help(diag.Error("inspected-host", e.Range, "Inspection of a host by its MAC address",
					"Answers to %s do not have its MAC address, so only half of its connections could be inspected.", h.Addr),
					"Use its zone here."),
					h.MAC.Range, "%s", h.Addr.String()),
					by.From, "%s inspects %s", by.Addr.String(), r.Policies[i+at].Addr.String()))
			}
		}
	}
	return diags
}

// judgeSpoofed warns of policies that let pass what any host could pretend to be: sources that
// no link stands for.
func (f *Firewall) judgeSpoofed(r *router.Router) hcl.Diagnostics {
	var diags hcl.Diagnostics
	for _, p := range r.Policies {
		for _, e := range p.From.Items {
			s, ok := e.Target.(*router.AddressSet)
			if !ok || p.Action.V != "accept" {
				continue
			}
			if _, elsewhere := r.Holding(s, router.AnyFamily); elsewhere {
				diags = append(diags, diag.With(diag.Help(diag.Warning("set-without-anti-spoof", e.Range, "Sources that any host could have",
					"%s lets pass what has an address of %s, wherever it arrives: some of them are in no network of the router, and anti_spoof is off.", p.Addr, s.Addr),
					"Remove anti_spoof, or take addresses of the router's networks alone."), f.AntiSpoof.Range, "%s", f.Addr.String()))
			}
		}
	}
	return diags
}
