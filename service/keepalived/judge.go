package keepalived

import (
	"net/netip"

	"github.com/hashicorp/hcl/v2"

	"github.com/nbr-dev/nbr/hcl/conf"
	"github.com/nbr-dev/nbr/hcl/diag"
	"github.com/nbr-dev/nbr/router"
)

// mostAddresses is how many a block may have: all of a version of IP are in one advertisement.
const mostAddresses = 32

// Judge judges the network, the addresses and what is tracked.
func (b *VRRP) Judge(r *router.Router) hcl.Diagnostics {
	n := b.Network.Target
	fixed, _ := n.Split()
	switch {
	case n.Upstream():
		return hcl.Diagnostics{router.OnUpstream(diag.Help(diag.Error("vrrp-outside", b.Network.Range, "VRRP with the Internet",
			"%s is an upstream: VRRP has no authentication, and any host there could say that it is the router.", n.Addr),
			"Name a network of the router's own hosts."), n)}
	case len(fixed) == 0:
		return hcl.Diagnostics{router.NoFixedAddress(b.Network, "The addresses of VRRP are beside the router's own.")}
	case n.Link.Target.Spec().IPOnly:
		return hcl.Diagnostics{diag.With(diag.Help(diag.Error("no-multicast", b.Network.Range, "No VRRP in a tunnel",
			"%s is on %s, which leads from one host to another: there are no hosts that could use another router.", n.Addr, n.Link.Target.Head().Addr),
			"Name another network."), n.Link.Range, "%s", n.Link.Addr.String())}
	}
	diags := append(b.judgeAddresses(r, fixed), b.judgeTrack()...)
	return append(diags, b.judgeOthers(r)...)
}

// judgeAddresses wants addresses of the network that are no machine's own.
func (b *VRRP) judgeAddresses(r *router.Router, fixed []netip.Prefix) hcl.Diagnostics {
	var diags hcl.Diagnostics
	n := b.Network.Target
	if len(b.Addresses.Items) > mostAddresses {
		diags = append(diags, diag.Help(diag.Error("vrrp-addresses", b.Addresses.Range, "Too many virtual addresses",
			"%s has %d addresses, and an advertisement has room for %d at most.", b.Addr, len(b.Addresses.Items), mostAddresses),
			"Put some into another vrrp block with an id of its own."))
	}
	var linkLocal *conf.Value[router.Addr]
	for i := range b.Addresses.Items {
		a := &b.Addresses.Items[i]
		family := familyOf(a.V.Addr)
		switch own := r.Owner(a.V.Addr); {
		case own != nil:
			diags = append(diags, diag.With(diag.Help(diag.Error("vrrp-address-taken", a.Range, "Virtual address that is the router's own",
				"%s is always on this router, by %s: no other one could have it.", a.V, own.Addr),
				"Give each router an address of its own in the network, and hosts another one."), own.Def, "%s", own.Addr.String()))
			continue
		case a.V.IsLinkLocalUnicast() && family == router.IPv6:
			if linkLocal != nil {
				diags = append(diags, diag.With(diag.Help(diag.Error("vrrp-addresses", a.Range, "Two link-local addresses",
					"%s has %s already, and a virtual router has one (RFC 9568 section 5.2.9).", b.Addr, linkLocal.V),
					"Remove one of the two."), linkLocal.Range, "the first one"))
			}
			linkLocal = a
			if !n.Has(router.IPv6) {
				diags = append(diags, outside(a, b))
			}
			continue
		}
		inside := false
		for _, p := range fixed {
			inside = inside || p.Contains(a.V.Addr)
			if p.Contains(a.V.Addr) && p.Bits() < p.Addr().BitLen()-1 && (a.V.Addr == p.Masked().Addr() || p.Addr().Is4() && a.V.Addr == router.Broadcast(p)) {
				diags = append(diags, diag.With(diag.Help(diag.Error("vrrp-address-outside", a.Range, "Virtual address of no host",
					"%s is the address of the network %s itself, or of all its hosts.", a.V, p.Masked()),
					"Write one between them."), n.Def, "%s", n.Addr.String()))
			}
		}
		if !inside {
			diags = append(diags, outside(a, b))
		}
		for _, h := range r.HostsIn(n) {
			for _, taken := range h.Fixed() {
				if taken == a.V.Addr {
					diags = append(diags, diag.With(diag.Help(diag.Error("vrrp-address-taken", a.Range, "Virtual address that is a host's",
						"%s is the address of %s.", a.V, h.Addr), "Give one of them another address."), h.Def, "%s", h.Addr.String()))
				}
			}
		}
	}
	return diags
}

func familyOf(a netip.Addr) router.Family {
	if a.Is4() {
		return router.IPv4
	}
	return router.IPv6
}

// outside is of an address that hosts of the network cannot reach.
func outside(a *conf.Value[router.Addr], b *VRRP) *hcl.Diagnostic {
	n := b.Network.Target
	return diag.With(diag.Help(diag.Error("vrrp-address-outside", a.Range, "Virtual address outside the network",
		"%s has no fixed prefix with %s in it, and its hosts would not look for that on their link.", n.Addr, a.V),
		"Write an address of a prefix that %s has.", n.Addr), n.Def, "%s", n.Addr.String())
}

// judgeTrack refuses what says nothing of the router as a gateway: while the link of the network itself
// is down, the router cannot have the addresses anyway.
func (b *VRRP) judgeTrack() hcl.Diagnostics {
	var diags hcl.Diagnostics
	for _, t := range b.Track.Items {
		if t.Target.Device() == b.Network.Target.Device() {
			diags = append(diags, diag.With(diag.Help(diag.Error("vrrp-track", t.Range, "Network that is tracked in any case",
				"%s is on %s, on which the addresses are.", t.Addr, t.Target.Device()),
				"Take it out of track."), b.Network.Range, "%s", b.Addr.String()))
		}
	}
	return diags
}

// judgeOthers finds virtual routers that are taken for each other, and addresses that two have.
func (b *VRRP) judgeOthers(r *router.Router) hcl.Diagnostics {
	var diags hcl.Diagnostics
	for _, other := range router.Claimed[router.VirtualRouter](r) {
		if other.Addr == b.Addr {
			return diags // what comes after it is judged there
		}
		if other.Network.Device() != b.Network.Target.Device() {
			continue
		}
		for _, i := range b.instances() {
			if familyOf(other.Addresses[0]) != i.family {
				continue
			}
			if other.ID == int(b.ID.V) {
				diags = append(diags, diag.With(diag.Help(diag.Error("vrrp-id-twice", b.ID.Range, "One virtual router twice",
					"%s is the virtual router %d of %s on %s already.", other.Addr, other.ID, i.family, b.Network.Target.Device()),
					"Give one of them another id, on all its routers."), other.From, "%s", other.Addr.String()))
				continue
			}
			for _, a := range b.Addresses.Items {
				for _, taken := range other.Addresses {
					if taken == a.V.Addr {
						diags = append(diags, diag.With(diag.Help(diag.Error("vrrp-address-taken", a.Range, "Virtual address of two virtual routers",
							"%s is an address of %s already.", a.V, other.Addr),
							"Take it out of one of them."), other.From, "%s", other.Addr.String()))
					}
				}
			}
		}
	}
	return diags
}
