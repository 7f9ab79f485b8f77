package nftables

import (
	"fmt"

	"github.com/hashicorp/hcl/v2"

	"github.com/nbr-dev/nbr/hcl/diag"
	"github.com/nbr-dev/nbr/router"
)

// A side is one end of a policy: the interfaces of its zones, or a host by one of the things
// that it is known by.
type side struct {
	devs   []router.IfName
	family router.Family
	addr   string // what an address of the packet has to be: "192.168.1.10", "& ::ffff:ffff:ffff:ffff == ::10"
	mac    string // what the source of the frame has to be
}

// text matches a packet that comes from there (i, saddr) or goes there (o, daddr).
func (s side) text(direction, field string) string {
	out := direction + "ifname " + set(s.devs)
	switch {
	case s.mac != "":
		return out + " ether saddr " + s.mac
	case s.family == router.IPv4:
		return out + " ip " + field + " " + s.addr
	case s.family == router.IPv6:
		return out + " ip6 " + field + " " + s.addr
	}
	return out
}

// A way leads from one end of a policy to the other.
type way struct{ from, to side }

func (w way) text() string { return w.from.text("i", "saddr") + " " + w.to.text("o", "daddr") }

// back is the way of the answers.
func (w way) back() way { return way{w.to, w.from} }

// family is the version of IP of all packets on the way.
func (w way) family() router.Family { return max(w.from.family, w.to.family) }

// ways are all ways between the ends of a policy.
func ways(p *router.Policy) []way {
	var out []way
	for _, from := range sides(p.From.All(), true) {
		for _, to := range sides(p.To.All(), false) {
			if fits(from.family, to.family) {
				out = append(out, way{from, to})
			}
		}
	}
	return out
}

// sides are the ends that zones and hosts are: the zones together, then each host. As a source
// a host is known by its MAC address where the spec has it: of IPv6 it makes itself addresses
// that no spec can know (RFC 8981).
func sides(ends []router.Endpoint, source bool) []side {
	var zones, out []side
	var networks []*router.Network
	for _, e := range ends {
		switch e := e.(type) {
		case *router.Zone:
			networks = append(networks, e.Networks.All()...)
		case *router.Host:
			devs := router.Devices([]*router.Network{e.Network.Target})
			if source && e.MAC.Set {
				out = append(out, side{devs: devs, mac: string(e.MAC.V)})
				continue
			}
			if e.IPv4.Set {
				out = append(out, side{devs: devs, family: router.IPv4, addr: e.IPv4.V.String()})
			}
			if e.IPv6.Set {
				out = append(out, side{devs: devs, family: router.IPv6, addr: fmt.Sprintf("& ::ffff:ffff:ffff:ffff == %s", e.IPv6.V)})
			}
		}
	}
	if devs := router.Devices(networks); len(devs) > 0 {
		zones = append(zones, side{devs: devs})
	}
	return append(zones, out...)
}

// judgeInspected refuses inspection where a policy up to the last inspected one knows a host
// by its MAC address: an answer to the host does not have it, so only half of a connection
// would be seen.
func judgeInspected(r *router.Router) hcl.Diagnostics {
	var diags hcl.Diagnostics
	claims := inspected(r)
	left := len(claims)
	for _, p := range r.Policies {
		if left == 0 {
			break
		}
		if claims[p] != nil {
			left--
		}
		for _, e := range p.From.Items {
			if h, ok := e.Target.(*router.Host); ok && h.MAC.Set && p.Action.V == "accept" {
				diags = append(diags, diag.With(diag.Help(diag.Error("inspected-host", e.Range, "Inspection of a host by its MAC address",
					"Answers to %s do not have its MAC address, so only half of its connections could be inspected.", h.Addr),
					"Use its zone here."),
					h.MAC.Range, "%s", h.Addr.String()))
			}
		}
	}
	return diags
}
