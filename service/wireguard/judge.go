package wireguard

import (
	"cmp"
	"net/netip"
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"

	"github.com/nbr-dev/nbr/hcl/conf"
	"github.com/nbr-dev/nbr/hcl/diag"
	"github.com/nbr-dev/nbr/router"
)

// Judge finds peers that would take each other's packets.
func (t *Tunnel) Judge(r *router.Router) hcl.Diagnostics {
	var diags hcl.Diagnostics
	keys := map[router.WireGuardKey]*Peer{}
	routes := map[netip.Prefix]*Peer{}
	for _, p := range t.Peers {
		if before := keys[p.PublicKey.V]; before != nil {
			diags = append(diags, diag.With(diag.Help(diag.Error("same-peer-twice", p.PublicKey.Range, "Same key for two peers",
				"%s has this key already; a key is one peer.", before.Addr),
				"Remove one of the two, or write the key that wg pubkey prints on the other machine."), before.PublicKey.Range, "%s", before.Addr.String()))
		}
		keys[p.PublicKey.V] = p
		diags = append(diags, t.keyOfPeer(p)...)
		if end, ok := p.Endpoint.V.address(); ok {
			own := r.Owner(end.Addr().Unmap())
			i := slices.IndexFunc(router.Claimed[router.Listen](r), func(l *router.Listen) bool {
				return l.Service == "wireguard" && l.Port == int(end.Port())
			})
			if own != nil && i >= 0 { // another port may be that of a program that carries the packets on
				l := router.Claimed[router.Listen](r)[i]
				diags = append(diags, diag.With(diag.Help(diag.Error("peer-is-router", p.Endpoint.Range, "Address of the router itself",
					"%s is the router's own address in %s, and %s listens on that port.", end.Addr(), own.Addr, l.Addr),
					"Write where the other end is, or remove endpoint if it connects to this router."), l.From, "%s", l.Addr.String()))
			}
		}
		for _, ip := range p.AllowedIPs.Items {
			// The kernel gives a prefix to the last peer that asks for it and takes it
			// from the others without a word (drivers/net/wireguard/allowedips.c).
			if before := routes[ip.V.Prefix]; before != nil {
				diags = append(diags, diag.With(diag.Help(diag.Error("allowed-ips-clash", ip.Range, "Allowed IPs of two peers",
					"%s is %s's already. A packet goes to one peer.", ip.V.Prefix, before.Addr),
					"Remove it from one of the two."), before.AllowedIPs.Range, "%s", before.Addr.String()))
				continue
			}
			routes[ip.V.Prefix] = p
			if n := t.own(r, ip.V.Prefix); n != nil {
				diags = append(diags, diag.With(diag.Help(diag.Error("peer-is-router", ip.Range, "Address of the router itself",
					"%s is the router's own address in %s, so nothing would reach %s.", ip.V.Addr(), n.Addr, p.Addr),
					"Write the peer's own address in the tunnel."), n.IPv4.Range, "%s", n.Addr.String()))
			}
		}
	}
	diags = append(diags, t.within(routes)...)
	return slices.Concat(diags, t.outside(r), t.unrouted(r), t.idle(r))
}

// noPublicKey is what a peer has until its key is known: no machine can have its private key, since
// with the point zero every shared secret is zero, and the kernel refuses those
// (noise_precompute_static_static in drivers/net/wireguard/noise.c).
const noPublicKey = "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="

// keyOfPeer finds keys that are no other machine's.
func (t *Tunnel) keyOfPeer(p *Peer) hcl.Diagnostics {
	switch {
	case p.PublicKey.V == noPublicKey:
		return hcl.Diagnostics{diag.Help(diag.Warning("peer-without-key", p.PublicKey.Range, "Peer without a key",
			"This is the key of no machine, so %s cannot connect yet.", p.Addr),
			"`nbr wg client -generate %s` makes a key and prints the configuration of the client with it.", p.Name.V)}
	case t.PublicKey.Set && p.PublicKey.V == t.PublicKey.V:
		return hcl.Diagnostics{diag.With(diag.Help(diag.Error("peer-is-router", p.PublicKey.Range, "Key of the router itself",
			"%s has the public key of %s itself, and the kernel makes no peer of it.", p.Addr, t.Addr),
			"Write the key that wg pubkey prints on the other machine."), t.PublicKey.Range, "%s", t.Addr.String())}
	}
	return nil
}

// within finds single addresses that are one peer's inside of what another one has. The kernel
// sends to the longer prefix, which may be meant; a prefix that was to be the client's own
// address in its network is the usual mistake.
func (t *Tunnel) within(routes map[netip.Prefix]*Peer) hcl.Diagnostics {
	var diags hcl.Diagnostics
	for _, p := range t.Peers {
		for _, ip := range p.AllowedIPs.Items {
			if !ip.V.IsSingleIP() || routes[ip.V.Prefix] != p {
				continue
			}
			for _, o := range t.Peers {
				i := slices.IndexFunc(o.AllowedIPs.Items, func(wide conf.Value[router.Block]) bool {
					return wide.V.Bits() > 0 && !wide.V.IsSingleIP() && wide.V.Contains(ip.V.Addr())
				})
				if o == p || i < 0 {
					continue
				}
				wide := o.AllowedIPs.Items[i]
				diags = append(diags, diag.With(diag.Help(diag.Warning("allowed-ips-within", wide.Range, "Allowed IPs around those of another peer",
					"%s holds %s, which is %s's. Packets to it go there, and all others of %s to %s.", wide.V, ip.V.Addr(), p.Addr, wide.V, o.Addr),
					"If %s is one machine, write its own address alone, as in 10.8.0.3/32.", o.Addr), ip.Range, "%s", p.Addr.String()))
				break
			}
		}
	}
	return diags
}

// outside finds peers with addresses of no network of the tunnel: hosts there could not send
// to them, for what comes back would come from elsewhere.
func (t *Tunnel) outside(r *router.Router) hcl.Diagnostics {
	var diags hcl.Diagnostics
	for _, of := range []router.Family{router.IPv4, router.IPv6} {
		var own []netip.Prefix
		var at *router.Network
		for _, n := range r.On(t) {
			fixed, later := n.Split()
			if len(later) > 0 {
				return nil // known later
			}
			for _, p := range fixed {
				if p.Addr().Is4() == (of == router.IPv4) && !p.IsSingleIP() {
					own, at = append(own, p), cmp.Or(at, n)
				}
			}
		}
		for _, p := range t.Peers {
			var hosts []string
			fits := len(own) == 0
			for _, ip := range p.AllowedIPs.All() {
				if ip.Addr().Is4() == (of == router.IPv4) && !ofLink(ip.Prefix) {
					fits = fits || !ip.IsSingleIP() || slices.ContainsFunc(own, func(n netip.Prefix) bool { return n.Contains(ip.Addr()) })
					hosts = append(hosts, ip.Addr().String())
				}
			}
			if !fits && len(hosts) > 0 {
				diags = append(diags, diag.With(diag.Help(diag.Warning("peer-outside-network", p.AllowedIPs.Range, "Peer outside the tunnel's network",
					"%s has %s, which is not in %s.", p.Addr, strings.Join(hosts, " and "), own[0].Masked()),
					"Give the peer an address of that network, and its own machine the same one."), at.Def, "%s", at.Addr.String()))
			}
		}
	}
	return diags
}

// unrouted finds default routes of peers that nothing leads to. In the main table they would take
// the tunnel's own packets, too.
func (t *Tunnel) unrouted(r *router.Router) hcl.Diagnostics {
	elsewhere := len(router.Claimed[router.AddedRoutes](r)) > 0 || r.HasModules() ||
		slices.ContainsFunc(router.Claimed[router.OwnRoutes](r), func(o *router.OwnRoutes) bool { return len(o.On) == 0 }) ||
		slices.ContainsFunc(r.Routes, func(rt *router.Route) bool {
			return slices.ContainsFunc(r.NextHops(rt), func(n *router.Network) bool { return n.Link.Target == router.Link(t) })
		})
	if elsewhere {
		return nil
	}
	var diags hcl.Diagnostics
	for _, p := range t.Peers {
		for _, ip := range p.AllowedIPs.Items {
			if ip.V.Bits() == 0 {
				diags = append(diags, diag.Absent(diag.Help(diag.Warning("default-not-routed", ip.Range, "Nothing is routed there",
					"%s may send from all addresses, and nbr makes no default route through a tunnel: the tunnel's own packets would take it, too.", p.Addr),
					"Write the networks that are behind %s, or a route block with a table of its own and network = the tunnel's, and rule blocks for the hosts whose packets take it. A client that sends all through this router needs its own address here only.", p.Addr), "route", "network"))
				break
			}
		}
	}
	return diags
}

// own is the network in which a single address is the router's own, or nil. Addresses that
// come later are compared with what tunnels route by nbr verify.
func (t *Tunnel) own(r *router.Router, ip netip.Prefix) *router.Network {
	if !ip.IsSingleIP() {
		return nil
	}
	return r.Owner(ip.Addr())
}
