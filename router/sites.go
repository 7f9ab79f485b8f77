package router

import (
	"cmp"
	"fmt"
	"net"
	"net/netip"
	"slices"

	"github.com/hashicorp/hcl/v2"

	"github.com/nbr-dev/nbr/hcl/diag"
)

// A Site is another router of the same flake, and the folder of its spec. Its places have other
// files than those of the router that is judged, so they are told in words.
type Site struct {
	*Router
	Dir string
}

// at is where the spec of a site says something.
func (s Site) at(by By) string {
	return fmt.Sprintf("%s (%s/%s:%d)", by.Addr, s.Dir, by.From.Filename, by.From.Start.Line)
}

// A tunnel is a WireGuard tunnel and its link.
type tunnel struct {
	Link
	*WireGuard
}

func (r *Router) tunnels() []tunnel {
	var out []tunnel
	for _, l := range r.Made {
		if w := l.Spec().WireGuard; w != nil {
			out = append(out, tunnel{l, w})
		}
	}
	return out
}

// peer is the peer of the tunnel with a key, or nil.
func (t tunnel) peer(key WireGuardKey) *WireGuardPeer {
	i := slices.IndexFunc(t.Peers, func(p WireGuardPeer) bool { return p.PublicKey == key })
	if i < 0 {
		return nil
	}
	return &t.Peers[i]
}

// JudgeSites finds tunnels between routers of one flake whose two ends contradict each other:
// a peer is another router's tunnel if its key is the public_key there.
func JudgeSites(r *Router, others []Site) hcl.Diagnostics {
	var diags hcl.Diagnostics
	for _, t := range r.tunnels() {
		for _, p := range t.Peers {
			for _, s := range others {
				for _, far := range s.tunnels() {
					if far.PublicKey.Set && far.PublicKey.V == p.PublicKey {
						diags = append(diags, ends(r, t, p, s, far)...)
					}
				}
			}
		}
	}
	return diags
}

// ends judges a tunnel, by one of its peers and that one's own tunnel.
func ends(r *Router, t tunnel, p WireGuardPeer, s Site, far tunnel) hcl.Diagnostics {
	var diags hcl.Diagnostics
	farAt := s.at(By{far.Head().Addr, far.Head().Def})
	say := func(summary, help string, detail string, args ...any) {
		diags = append(diags, diag.Help(diag.Error("sites-disagree", p.From, summary, detail, args...), "%s", help))
	}
	var back *WireGuardPeer
	if t.PublicKey.Set {
		if back = far.peer(t.PublicKey.V); back == nil {
			say("The other router does not know this one", "Write a peer block with the public_key of "+t.Head().Addr.String()+" there.",
				"%s is %s, and none of the peers there has the key of %s.", p.Addr, farAt, t.Head().Addr)
			return diags
		}
	}
	if back != nil {
		switch {
		case (p.PresharedKey == nil) != (back.PresharedKey == nil):
			with, without := p.Addr.String(), s.at(back.By)
			if p.PresharedKey == nil {
				with, without = without, with
			}
			say("Preshared key of one end alone", "Give both ends the same key, or none.", "%s has one, and %s has none: no packet would get through.", with, without)
		case p.Endpoint == "" && back.Endpoint == "":
			say("Neither end can begin", "Give one of the two an endpoint.", "Neither %s nor %s has an endpoint.", p.Addr, s.at(back.By))
		}
	}
	if d := wrongEnd(p, s, far); d != "" {
		say("Endpoint that is not the other router's", "Write where it is reached.", "%s", d)
	}
	for _, n := range s.On(far.Link) {
		owns, _ := n.Split()
		for _, own := range owns {
			if !slices.ContainsFunc(p.AllowedIPs, func(b Block) bool { return b.Contains(own.Addr()) }) {
				say("Address of the other router is not allowed", "Add it to allowed_ips.",
					"%s has %s in the tunnel, which is not among the allowed_ips of %s: what comes from there is dropped.", farAt, own.Addr(), p.Addr)
			}
		}
	}
	if back != nil {
		for _, from := range r.sends(t.Link) {
			if !slices.ContainsFunc(back.AllowedIPs, func(b Block) bool { return b.Overlaps(from.p.Masked()) }) {
				say("Network of this router is not allowed", "Add it to allowed_ips there, or take its zone out of the policy.",
					"A policy lets what comes from %s into the tunnel, and %s is not among the allowed_ips of %s: it is dropped there.",
					from.n.Addr, from.p.Masked(), s.at(back.By))
			}
		}
	}
	for _, to := range p.AllowedIPs {
		if to.Bits() > 0 && !to.Addr().IsMulticast() && !to.Addr().IsLinkLocalUnicast() && !s.knows(to.Prefix) {
			say("Network that the other router does not have", "Correct allowed_ips, or the network of the other router.",
				"%s is among the allowed_ips of %s, and %s has no network and no route there.", to.Prefix, p.Addr, s.Name.V)
		}
	}
	here, _ := r.MTU(t.Link)
	if there, _ := s.MTU(far.Link); here > there {
		say("Two MTUs of one tunnel", "Give both ends the same mtu.", "Packets are up to %d bytes long here, and %s takes %d.", here, farAt, there)
	}
	return diags
}

// sends are the fixed addresses of networks whose hosts policies let into a link with addresses
// of their own.
func (r *Router) sends(l Link) []fixed {
	within := func(e Endpoint, fits func(*Network) bool) bool { return slices.ContainsFunc(r.Within(e), fits) }
	var out []fixed
	for _, f := range r.fixed() {
		if f.n.Upstream() || f.n.Link.Target == l {
			continue
		}
		if slices.ContainsFunc(r.Policies, func(p *Policy) bool {
			return p.Action.V == "accept" && !(p.Masquerade.V && f.p.Addr().Is4()) &&
				slices.ContainsFunc(p.From.All(), func(e Endpoint) bool { return within(e, func(n *Network) bool { return n == f.n }) }) &&
				slices.ContainsFunc(p.To.All(), func(e Endpoint) bool { return within(e, func(n *Network) bool { return n.Link.Target == l }) })
		}) {
			out = append(out, f)
		}
	}
	return out
}

// wrongEnd says why a peer's endpoint is not where its tunnel is, or is empty.
func wrongEnd(p WireGuardPeer, s Site, far tunnel) string {
	at := s.at(By{far.Head().Addr, cmp.Or(far.Listen.Range, far.Head().Def)})
	host, port, err := net.SplitHostPort(p.Endpoint)
	if err != nil {
		return "" // none
	}
	a, _ := netip.ParseAddr(host)
	_, outside, _ := net.SplitHostPort(far.Endpoint)
	switch {
	case !far.Listen.Set:
		return fmt.Sprintf("%s has the endpoint %s, and %s listens on no port that could be known.", p.Addr, p.Endpoint, at)
	case port == fmt.Sprint(far.Listen.V), port == outside:
		return ""
	case far.Endpoint == "" && s.Owner(a) == nil:
		return "" // a router in front may forward it
	}
	return fmt.Sprintf("%s has the endpoint %s, and %s listens on udp/%d.", p.Addr, p.Endpoint, at, far.Listen.V)
}

// knows tells whether a router has a network or a route that holds a part of a prefix, or may
// have one that its spec does not say.
func (s Site) knows(to netip.Prefix) bool {
	for _, n := range s.Networks {
		if _, later := n.Split(); len(later) > 0 && !n.Upstream() {
			return true
		}
	}
	return s.routesElsewhere() ||
		slices.ContainsFunc(s.fixed(), func(f fixed) bool { return f.p.Overlaps(to) }) ||
		slices.ContainsFunc(s.destinations(), func(d destination) bool { return d.to.Bits() > 0 && d.to.Overlaps(to) })
}
