package wireguard

import (
	"cmp"
	"net/netip"
	"slices"

	"github.com/hashicorp/hcl/v2"

	"github.com/nbr-dev/nbr/hcl/diag"
	"github.com/nbr-dev/nbr/router"
)

// What a packet in the tunnel is longer outside of it, in bytes: the headers of IPv4 or IPv6,
// of UDP and of WireGuard.
const (
	around4 = 20 + 8 + 32
	around6 = 40 + 8 + 32
)

// idle finds tunnels that nothing comes through.
func (t *Tunnel) idle(r *router.Router) hcl.Diagnostics {
	var diags hcl.Diagnostics
	if len(t.Peers) == 0 {
		diags = append(diags, diag.Help(diag.Warning("tunnel-without-peers", t.Def, "Tunnel without peers",
			"%s has no other end.", t.Addr),
			"Write a peer block for each other end, or remove the tunnel."))
	}
	return append(append(diags, t.silent(r)...), t.oversized(r)...)
}

// silent finds peers with which neither end can begin.
func (t *Tunnel) silent(r *router.Router) hcl.Diagnostics {
	var diags hcl.Diagnostics
	allowed := slices.ContainsFunc(r.Zones, func(z *router.Zone) bool { return slices.Contains(z.Allow.All(), "wireguard") })
	for _, p := range t.Peers {
		switch {
		case p.Endpoint.Set:
			continue
		case !t.Listen.Set:
			diags = append(diags, diag.Help(diag.Warning("peer-silent", p.Def, "Neither end can begin",
				"%s has no endpoint, so it has to connect, and %s listens on no port that it could know.", p.Addr, t.Addr),
				"Give the peer an endpoint, or the tunnel listen = 51820."))
		case !allowed:
			d := diag.With(diag.Absent(diag.Help(diag.Warning("peer-silent", t.Listen.Range, "No zone lets peers in",
				"%s has no endpoint, so it has to connect, and the firewall drops what arrives at udp/%d.", p.Addr, t.Listen.V),
				"Write \"wireguard\" into the allow of the zone that peers come from, such as that of the upstream."), "zone", "network"),
				p.Def, "%s", p.Addr.String())
			for _, z := range r.Zones {
				if slices.ContainsFunc(r.NetworksOf(z), (*router.Network).Upstream) {
					diag.With(d, cmp.Or(z.Allow.Range, z.Def), "%s", z.Addr.String())
				}
			}
			return append(diags, d)
		}
	}
	return diags
}

// oversized finds tunnels whose packets do not fit into those of the link that they leave by:
// each would be sent in two parts, which many firewalls drop.
func (t *Tunnel) oversized(r *router.Router) hcl.Diagnostics {
	for _, n := range r.Networks {
		l := n.Link.Target
		around := 0
		for _, p := range t.Peers {
			around = max(around, t.around(n, p))
		}
		if around == 0 || l == router.Link(t) {
			continue
		}
		most, from := router.MTUOf(l)
		if int(t.MTU.V)+around <= most {
			continue
		}
		d := diag.Help(diag.Warning("tunnel-mtu", cmp.Or(t.MTU.Range, t.Def), "MTU larger than what carries it",
			"A packet of %d bytes is %d bytes long outside the tunnel, and %s carries %d.", t.MTU.V, int(t.MTU.V)+around, n.Link.Addr, most),
			"Write mtu = %d or less.", most-around)
		if n.Upstream() {
			router.OnUpstream(d, n)
		} else {
			diag.With(d, n.Link.Range, "%s", n.Addr.String())
		}
		if from != (hcl.Range{}) {
			diag.With(d, from, "%s", n.Link.Addr.String())
		}
		return hcl.Diagnostics{d}
	}
	return nil
}

// around is what a packet is longer on the way to a peer through a network; 0 where the way is
// another one. Without an address of the peer's the way is that to the Internet.
func (t *Tunnel) around(n *router.Network, p *Peer) int {
	host, _ := netip.ParseAddrPort(string(p.Endpoint.V))
	fixed, _ := n.Split()
	here := slices.ContainsFunc(fixed, func(own netip.Prefix) bool { return own.Contains(host.Addr()) })
	switch {
	case !here && !n.Upstream():
		return 0
	case host.Addr().Is6() || !n.Has(router.IPv4):
		return around6
	}
	return around4
}
