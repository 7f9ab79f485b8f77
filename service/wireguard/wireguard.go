// Package wireguard makes WireGuard tunnels of the kernel's own implementation,
// through IfState. The private key stays on the router: the spec names the file.
package wireguard

import (
	"fmt"
	"net/netip"
	"slices"

	"github.com/hashicorp/hcl/v2"

	"github.com/nbr-dev/nbr/hcl/conf"
	"github.com/nbr-dev/nbr/router"
	"github.com/nbr-dev/nbr/service"
	"github.com/nbr-dev/nbr/verify/probe"
)

// Kind is the wireguard block.
func Kind() service.Kind {
	return service.Kind{
		Type: "wireguard", Doc: "A WireGuard tunnel; networks can be on it.",
		Software: "Linux", Program: service.Alone("wireguard", (*Tunnel).lower),
		Example: `wireguard "wg0" {
  listen      = 51820
  private_key = secret.wg0 # a path on the router, never a value

  # What peers are told: nbr wg client prints a configuration for each.
  public_key = "sPJrZKjVRSfQxDNyOVtKP1ZQ1vSWrZIDM3wGlwkrCRY="
  endpoint   = "home.example.org:51820"

  peer "laptop" {
    public_key  = "X1mxaVVMdYnMoVDy7WmYyFFzRVkuZYJXRcnU0mSNzzk="
    allowed_ips = ["10.8.0.2/32"]
  }
}
`,
		Probes: []probe.Any{keyOf, publicKeyOf, keepaliveOf, addressesOf},
		New:    func() service.Block { return &Tunnel{} },
	}
}

// Tunnel is the wireguard block. Its label is the interface's name.
type Tunnel struct {
	conf.Header
	Name       conf.Value[router.IfName]       `hcl:"name,key"`
	Listen     conf.Value[router.Port]         `hcl:"listen,optional" doc:"UDP port that peers connect to. Zones open it with allow = [\"wireguard\"]."`
	PrivateKey conf.Ref[*router.Secret]        `hcl:"private_key,required" doc:"The secret that holds the private key, as wg genkey prints it."`
	PublicKey  conf.Value[router.WireGuardKey] `hcl:"public_key,optional" doc:"The public key of private_key, as wg pubkey prints it. Peers are told it: nbr wg client has to know it, and nbr verify compares it with the tunnel's."`
	Endpoint   conf.Value[Endpoint]            `hcl:"endpoint,optional" doc:"Where peers reach this router, as in home.example.org:51820: nbr wg client tells them. The port is another one than listen where a router in front forwards it."`
	MTU        conf.Value[router.MTU]          `hcl:"mtu,optional" default:"1420" doc:"Largest packet in bytes. 1420 fits every upstream of 1500."`
	Alias      conf.Value[router.Alias]        `hcl:"alias,optional" doc:"What it is for, in words of your own, as ip link and SNMP (ifAlias) show them."`
	Peers      []*Peer                         `hcl:"peer,block" doc:"Another end of the tunnel."`
}

// Peer is the other end of a tunnel.
type Peer struct {
	conf.Header
	Name         conf.Value[router.Name]         `hcl:"name,label"`
	PublicKey    conf.Value[router.WireGuardKey] `hcl:"public_key,required" doc:"The peer's public key."`
	PresharedKey conf.Ref[*router.Secret]        `hcl:"preshared_key,optional" doc:"The secret that holds a preshared key."`
	AllowedIPs   conf.List[router.Block]         `hcl:"allowed_ips,required" empty:"nothing is routed to the peer, and all that comes from it is dropped. Give it the addresses that the peer has." doc:"What is routed to the peer and accepted from it. All but a default route and what has a meaning on a link only becomes a route, unless a network of the tunnel holds it."`
	Endpoint     conf.Value[Endpoint]            `hcl:"endpoint,optional" doc:"Where the peer is, as in vpn.example.org:51820. Without it the peer connects. A name is resolved again while the peer is not heard from, and without DNSSEC: the tunnel knows the peer by its key."`
	Keepalive    conf.Value[Keepalive]           `hcl:"keepalive,optional" doc:"Seconds between packets that keep NAT on the way open; 25 is usual."`
}

// LinkName is the interface's name.
func (t *Tunnel) LinkName() router.IfName { return t.Name.V }

// Spec is the tunnel as the kernel has it.
func (t *Tunnel) Spec() router.LinkSpec {
	w := &router.WireGuard{PrivateKey: t.PrivateKey, Listen: t.Listen, PublicKey: t.PublicKey, Endpoint: string(t.Endpoint.V)}
	for _, p := range t.Peers {
		w.Peers = append(w.Peers, router.WireGuardPeer{
			By: router.By{Addr: p.Addr, From: p.Def}, Name: p.Name.V, PublicKey: p.PublicKey.V, PresharedKey: p.PresharedKey.Target,
			AllowedIPs: p.AllowedIPs.All(), Endpoint: string(p.Endpoint.V), Keepalive: int(p.Keepalive.V),
		})
	}
	return router.LinkSpec{Kind: "wireguard", Alias: t.Alias, MTU: t.MTU, IPOnly: true, WireGuard: w}
}

// Keepalive is a number of seconds.
type Keepalive int

// UnmarshalText wants 1 to 65535, as the kernel has it (uapi/linux/wireguard.h).
func (k *Keepalive) UnmarshalText(b []byte) error {
	return conf.Between(k, b, "keepalive", 1, 65535, " seconds")
}

// Describe is what the type is in the schema.
func (Keepalive) Describe() string { return "seconds" }

// Claim claims the kernel's WireGuard, the socket, the keys, and a route to what a
// peer has.
func (t *Tunnel) Claim(s *router.Scope) {
	s.Kernel(hcl.Range{}, "WireGuard", "WIREGUARD")
	s.Package(hcl.Range{}, "wireguard-tools")
	if t.Listen.Set {
		s.Listen(t.Listen.Range, router.Listen{Service: "wireguard", Protocol: router.UDP, Port: int(t.Listen.V)})
		// To a peer without an endpoint, or one that has moved, it is no answer when none came for a while.
		router.Claim(s, t.Listen.Range, router.Emit{Match: router.Match{Protocol: router.UDP, SourcePorts: router.OnePort(t.Listen.V)}})
	}
	router.Claim(s, t.Def, router.Panel{
		Job: router.AgentJob, Title: fmt.Sprintf("Peers of %s", t.Name.V), Unit: "s", Doc: "Time since the last handshake with each. In use a tunnel has one every two minutes.",
		Queries: []router.Query{{
			Expr:   fmt.Sprintf(`time() - (nbr_wireguard_peer_last_handshake_timestamp_seconds{host="$host",interface=%q} > 0)`, t.Name.V),
			Legend: "{{peer}}",
		}},
	})
	router.Claim(s, t.PrivateKey.Range, key(t.PrivateKey.Target, router.PrivateKey, "wg genkey"))
	seen := map[netip.Prefix]bool{}
	for _, p := range t.Peers {
		if p.PresharedKey.Set {
			router.Claim(s, p.PresharedKey.Range, key(p.PresharedKey.Target, router.PresharedKey, "wg genpsk"))
		}
		if p.Endpoint.Set && !t.Listen.Set {
			router.Claim(s, p.Endpoint.Range, router.Emit{Match: p.Endpoint.V.match()})
		}
		if end, ok := p.Endpoint.V.address(); ok {
			router.Claim(s, p.Endpoint.Range, router.Asks{Server: end.Addr()})
		} else if p.Endpoint.Set {
			// The time may come through the tunnel, and with a wrong clock no signature is valid. A
			// false answer leads to a host without the peer's key, which gets no handshake.
			router.Claim(s, p.Endpoint.Range, router.ResolveUnsigned{Host: p.Endpoint.V.host()})
			s.AfterLinks(p.Endpoint.Range, t.unit())
		}
		for _, ip := range p.AllowedIPs.Items {
			if to := ip.V.Prefix; !seen[to] && to.Bits() > 0 && !ofLink(to) && !t.holds(s.Router, to) {
				router.Claim(s, ip.Range, router.DeviceRoute{To: to, Link: t})
			}
			seen[ip.V.Prefix] = true
		}
	}
}

// ofLink tells whether a prefix is a link's own, which needs no route: routing protocols
// speak through a tunnel by such addresses (RFC 5340 section 2.5, RFC 2328 section A.1).
func ofLink(to netip.Prefix) bool {
	return to.Addr().IsMulticast() || to.Addr().IsLinkLocalUnicast()
}

// holds tells whether a network of the tunnel leads there already.
func (t *Tunnel) holds(r *router.Router, to netip.Prefix) bool {
	return slices.ContainsFunc(r.Networks, func(n *router.Network) bool {
		fixed, _ := n.Split()
		return n.Link.Target == router.Link(t) && slices.ContainsFunc(fixed, func(p netip.Prefix) bool {
			return p.Bits() <= to.Bits() && p.Contains(to.Addr())
		})
	})
}

// key is the use of a key by IfState, which refuses a configuration with a file
// that is not there.
func key(s *router.Secret, what router.Purpose, standIn string) router.SecretUse {
	return router.SecretUse{Secret: s, For: what, Owner: "root", Unit: "ifstate", StandIn: standIn, StandInPackage: "wireguard-tools"}
}
