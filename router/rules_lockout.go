package router

import (
	"fmt"
	"slices"

	"github.com/hashicorp/hcl/v2"

	"github.com/nbr-dev/nbr/hcl/diag"
)

// Severed says that no host gets to the router through a network, whatever its zone allows.
type Severed struct {
	By
	Network *Network
	Why     string // as in "has no address"
}

// ruleLockOut wants one zone from which a login is possible.
func ruleLockOut(r *Router) hcl.Diagnostics {
	if r.ConsoleOnly.V {
		return nil
	}
	allowed := func(z *Zone) bool { return slices.Contains(z.Allow.All(), "ssh") }
	way := slices.ContainsFunc(r.Zones, func(z *Zone) bool { return allowed(z) && len(r.ListeningIn(z, "ssh")) > 0 })
	if i := slices.IndexFunc(r.Zones, allowed); !way && i >= 0 {
		return one(diag.With(diag.Help(diag.Error("lock-out", r.Def, "You would be locked out",
			"%s allows ssh, and no ssh block serves its networks.", r.Zones[i].Addr),
			"Write ssh { networks = [%s] }, or say console_only = true.", networkList(r.Zones[i])), r.Zones[i].Allow.Range, "%s", r.Zones[i].Addr.String()))
	}
	if !way {
		return one(diag.Help(diag.Error("lock-out", r.Def, "You would be locked out",
			"No zone allows ssh, so the router could be reached over its serial console only."),
			"Add \"ssh\" to the allow of your own zone and an ssh block for its networks, or say console_only = true."))
	}
	if d := r.noWayIn(); d != nil {
		return one(d)
	}
	if len(Claimed[Login](r)) == 0 {
		return one(diag.Help(diag.Error("lock-out", r.Def, "You would be locked out",
			"No login over ssh is possible: no user has authorized_keys."),
			"Put your key into a user block, or say console_only = true."))
	}
	if !slices.ContainsFunc(Claimed[Login](r), func(l *Login) bool { return l.Root }) {
		l := Claimed[Login](r)[0]
		return one(diag.With(diag.Help(diag.Error("lock-out", r.Def, "The router could not be administered",
			"Users can log in, and none of them is root or may become it."),
			"Say admin = true for one of them."), l.From, "%s", l.Addr.String()))
	}
	return nil
}

// noWayIn says why all networks that ssh is to be had in lead nowhere; nil if one may do.
func (r *Router) noWayIn() *hcl.Diagnostic {
	var first *hcl.Diagnostic
	for _, z := range r.Zones {
		if !slices.Contains(z.Allow.All(), "ssh") {
			continue
		}
		for _, n := range r.NetworksOf(z) {
			if !slices.ContainsFunc(r.Listening("ssh"), func(l *Listen) bool { return l.Serves(n) }) {
				continue
			}
			why, help, by := r.severed(n)
			if why == "" {
				return nil
			}
			if first == nil {
				first = diag.With(diag.Help(diag.Error("lock-out", r.Def, "You would be locked out",
					"The way in is ssh in %s, and %s.", n.Addr, why),
					"%s, allow ssh in another zone, or say console_only = true.", help), by.From, "%s", by.Addr.String())
			}
		}
	}
	return first
}

// severed is why no host gets to the router through a network, what to do about it and
// what says it; empty if one may.
func (r *Router) severed(n *Network) (why, help string, by By) {
	for _, s := range Claimed[Severed](r) {
		if s.Network == n {
			return s.Why, "Remove that", s.By
		}
	}
	return r.dead(n.Link.Target, map[Link]bool{})
}

// dead is why no packet arrives on a link from elsewhere. asked are the links that are being
// asked about: those of a loop have an error of their own.
func (r *Router) dead(l Link, asked map[Link]bool) (why, help string, by By) {
	by = By{l.Head().Addr, l.Head().Def}
	if asked[l] {
		return "", "", by
	}
	asked[l] = true
	defer delete(asked, l)
	s := l.Spec()
	switch {
	case s.External:
		return "", "", by
	case s.WireGuard != nil:
		why, help = r.deadTunnel(l, s.WireGuard, asked)
		return why, help, by
	case s.Kind == "dummy":
		return fmt.Sprintf("%s leads to no host", l.Head().Addr), "Allow ssh in a zone that has hosts", by
	case s.Peer.Set:
		return r.deadPair(l, s.Peer.Target, asked)
	case s.Kind == "bridge" || len(s.Ports.Items) > 0:
		if r.joined(l) {
			return "", "", by
		}
		if len(s.Ports.Items) == 0 {
			return fmt.Sprintf("%s has no ports", l.Head().Addr), "Give it ports = [port.NAME]", by
		}
		for _, p := range s.Ports.All() {
			if why, help, by = r.dead(p, asked); why == "" {
				break
			}
		}
		return why, help, by
	case s.On.Set:
		if b := s.On.Target.Spec().Bridge; b.VLANAware() && s.VLAN != nil {
			return r.deadVLAN(VLANLink{l, s.VLAN}, s.On.Target, asked)
		}
		return r.dead(s.On.Target, asked)
	case s.Via.Set:
		return r.dead(s.Via.Target, asked)
	}
	return "", "", by
}

// deadPair is why no packet comes out of an end of a pair: the other one is no port of a bridge
// with ports that lead elsewhere, and has no network that packets could be routed from.
func (r *Router) deadPair(l, peer Link, asked map[Link]bool) (why, help string, by By) {
	by = By{l.Head().Addr, l.Head().Def}
	if len(r.On(peer)) > 0 {
		return "", "", by
	}
	if m := r.MasterOf(peer); m != nil {
		for _, p := range m.Spec().Ports.All() {
			if p == peer {
				continue
			}
			if why, _, _ := r.dead(p, asked); why == "" {
				return "", "", by
			}
		}
	}
	return fmt.Sprintf("%s leads to %s, and from there to no host", l.Head().Addr, peer.Head().Addr), fmt.Sprintf("Put %s into a bridge with ports", peer.Head().Addr), by
}

// deadVLAN is why no packet arrives on a VLAN of a bridge that keeps VLANs apart.
func (r *Router) deadVLAN(v VLANLink, bridge Link, asked map[Link]bool) (why, help string, by By) {
	ports := bridge.Spec().Bridge.with(v.ID.V)
	if len(ports) == 0 {
		return fmt.Sprintf("no port of %s is in VLAN %d", bridge.Head().Addr, v.ID.V), "Put a port into the VLAN", By{v.Head().Addr, v.ID.Range}
	}
	for _, p := range ports {
		if why, help, by = r.dead(p, asked); why == "" {
			break
		}
	}
	return why, help, by
}

// deadTunnel is why no peer of a tunnel gets through to the router. With an endpoint the
// router begins, and keeps the way open if it has a keepalive; the others begin themselves.
func (r *Router) deadTunnel(l Link, w *WireGuard, asked map[Link]bool) (why, help string) {
	addr := l.Head().Addr
	if len(w.Peers) == 0 {
		return fmt.Sprintf("%s has no peers", addr), "Add a peer block"
	}
	if slices.ContainsFunc(w.Peers, func(p WireGuardPeer) bool { return p.Endpoint != "" && p.Keepalive > 0 }) {
		return "", ""
	}
	if !w.Listen.Set {
		return fmt.Sprintf("%s has no listen, and no peer with an endpoint and a keepalive", addr), "Give it listen = 51820 and allow \"wireguard\" in a zone"
	}
	for _, z := range r.Zones {
		if !slices.Contains(z.Allow.All(), "wireguard") {
			continue
		}
		for _, n := range r.NetworksOf(z) {
			if on := n.Link.Target; asked[on] {
				continue
			} else if why, _, _ := r.dead(on, asked); why == "" {
				return "", ""
			}
		}
	}
	return fmt.Sprintf("no zone lets the packets of %s in", addr), "Allow \"wireguard\" in the zone that its peers connect from"
}
