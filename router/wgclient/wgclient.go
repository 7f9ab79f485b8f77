// Package wgclient is what the other end of a tunnel is told: a peer of the spec as the
// configuration that wg-quick(8) and WireGuard's apps read. It knows no private key: the
// caller puts one in.
package wgclient

import (
	"fmt"
	"net/netip"
	"slices"
	"strconv"
	"strings"

	"github.com/nbr-dev/nbr/router"
)

// A Peer is a peer of one of the router's tunnels.
type Peer struct {
	router.WireGuardPeer
	Tunnel router.Link
}

// Name is the peer's as a command takes it, where another tunnel has a peer of the same name.
func (p Peer) Name() string {
	return string(p.Tunnel.LinkName()) + "/" + string(p.WireGuardPeer.Name)
}

// Peers are all peers of a router, in the order of the spec.
func Peers(r *router.Router) []Peer {
	var out []Peer
	for _, l := range r.Made {
		if w := l.Spec().WireGuard; w != nil {
			for _, p := range w.Peers {
				out = append(out, Peer{p, l})
			}
		}
	}
	return out
}

// Find are the peers of a name: NAME, or TUNNEL/NAME.
func Find(r *router.Router, name string) []Peer {
	return slices.DeleteFunc(Peers(r), func(p Peer) bool { return string(p.WireGuardPeer.Name) != name && p.Name() != name })
}

// A Config is a configuration of wg-quick(8).
type Config struct {
	Comment      string // empty for none
	PrivateKey   string // of the client, in base64, or a word in its place
	Addresses    []netip.Prefix
	ListenPort   int // 0 for any
	DNS          []netip.Addr
	Search       []string
	MTU          int
	PublicKey    router.WireGuardKey // of the router
	PresharedKey string              // empty without one
	Endpoint     string              // of the router; empty if that begins
	AllowedIPs   []netip.Prefix
	Keepalive    int // seconds; 0 is off
}

// A Lack is what the spec does not say and the client has to know.
type Lack struct {
	router.By
	What, Help string
}

func (l *Lack) Error() string { return l.What + " " + l.Help }

// New is the configuration of a peer, with nothing in the place of keys. All sends everything
// through the tunnel; else it is what the router's policies let the tunnel's networks reach.
// The notes are for the user who hands it out.
func New(r *router.Router, p Peer, all bool) (c *Config, notes []string, err error) {
	t := p.Tunnel.Head()
	w := p.Tunnel.Spec().WireGuard
	if !w.PublicKey.Set {
		return nil, nil, &Lack{
			router.By{Addr: t.Addr, From: t.Def},
			fmt.Sprintf("%s does not say its public key, which the other end has to know.", t.Addr),
			fmt.Sprintf("Run wg pubkey <%s on the router, and write what it prints as public_key.", w.PrivateKey.Target.Location()),
		}
	}
	if w.Endpoint == "" && p.Endpoint == "" {
		return nil, nil, &Lack{
			router.By{Addr: t.Addr, From: t.Def},
			fmt.Sprintf("%s does not say where it is reached from outside.", t.Addr),
			"Write endpoint = a name or an address of this router and the port, as in \"home.example.org:51820\".",
		}
	}
	mtu, _ := r.MTU(p.Tunnel)
	c = &Config{
		Comment: fmt.Sprintf("%s of %s, at %s", p.WireGuardPeer.Name, t.Addr, r.Name.V), MTU: mtu,
		PublicKey: w.PublicKey.V, Endpoint: w.Endpoint,
	}
	for _, ip := range p.AllowedIPs {
		if ip.IsSingleIP() && !ip.Addr().IsMulticast() {
			c.Addresses = append(c.Addresses, ip.Prefix)
		}
	}
	if len(c.Addresses) == 0 {
		return nil, nil, &Lack{p.By, fmt.Sprintf("%s has no address of its own among its allowed_ips.", p.By.Addr), "Write the one that it has in the tunnel's network, as in 10.8.0.2/32."}
	}
	if end, err := netip.ParseAddrPort(p.Endpoint); err == nil {
		c.ListenPort = int(end.Port())
	} else if _, port, ok := strings.Cut(p.Endpoint, ":"); ok {
		c.ListenPort, _ = strconv.Atoi(port)
	}
	reached, zone := reach(r, p.Tunnel)
	if all {
		c.AllowedIPs = []netip.Prefix{netip.PrefixFrom(netip.IPv4Unspecified(), 0), netip.PrefixFrom(netip.IPv6Unspecified(), 0)}
		if !slices.ContainsFunc(reached, (*router.Network).Upstream) {
			notes = append(notes, fmt.Sprintf("no policy lets what comes from %s to an upstream, so the client would not reach the Internet", zone))
		}
	} else {
		var more []string
		c.AllowedIPs, more = inside(r, p, reached)
		notes = append(notes, more...)
	}
	c.names(r, p.Tunnel, reached)
	if len(c.DNS) == 0 && all {
		notes = append(notes, fmt.Sprintf("no resolver block serves a network of %s, so the client asks the name servers that it had", t.Addr))
	}
	return c, notes, nil
}

// reach are the networks to which policies let packets from a tunnel, and what the tunnel's zone
// is called.
func reach(r *router.Router, tunnel router.Link) (out []*router.Network, from string) {
	from = tunnel.Head().Addr.String()
	within := func(e router.Endpoint) bool {
		return slices.ContainsFunc(r.Within(e), func(n *router.Network) bool { return n.Link.Target == tunnel })
	}
	for _, n := range r.On(tunnel) {
		if z := r.ZoneOf(n); z != nil {
			from = z.Addr.String()
		}
	}
	for _, p := range r.Policies {
		if p.Action.V != "accept" || !slices.ContainsFunc(p.From.All(), within) {
			continue
		}
		for _, to := range p.To.All() {
			for _, n := range r.Within(to) {
				if !slices.Contains(out, n) {
					out = append(out, n)
				}
			}
		}
	}
	return out, from
}

// inside are the prefixes of the tunnel's networks and of those that are reached from there,
// with what is behind other tunnels.
func inside(r *router.Router, p Peer, reached []*router.Network) (out []netip.Prefix, notes []string) {
	add := func(to netip.Prefix) {
		if !slices.Contains(out, to) && !slices.ContainsFunc(p.AllowedIPs, func(own router.Block) bool { return own.Prefix == to }) {
			out = append(out, to)
		}
	}
	for _, n := range r.On(p.Tunnel) {
		fixed, _ := n.Split()
		for _, f := range fixed {
			add(f.Masked())
		}
	}
	for _, n := range reached {
		if n.Upstream() {
			continue
		}
		fixed, later := n.Split()
		for _, f := range fixed {
			add(f.Masked())
		}
		if len(later) > 0 {
			notes = append(notes, fmt.Sprintf("the addresses of %s come later, and those are not in AllowedIPs", n.Addr))
		}
		for _, d := range router.Claimed[router.DeviceRoute](r) {
			if d.Link == n.Link.Target {
				add(d.To)
			}
		}
	}
	return out, notes
}

// names sets the name servers: the router's own addresses in the tunnel's networks, where a
// resolver of it answers, and the domains of all networks that the client reaches.
func (c *Config) names(r *router.Router, tunnel router.Link, reached []*router.Network) {
	for _, n := range r.On(tunnel) {
		serves := slices.ContainsFunc(r.Listening("dns"), func(l *router.Listen) bool {
			return !l.Said && l.Serves(n)
		})
		if fixed, _ := n.Split(); serves {
			for _, f := range fixed {
				c.DNS = append(c.DNS, f.Addr())
			}
		}
	}
	if len(c.DNS) == 0 {
		return
	}
	for _, n := range slices.Concat(r.On(tunnel), reached) {
		if d := string(n.Domain.V); d != "" && !slices.Contains(c.Search, d) {
			c.Search = append(c.Search, d)
		}
	}
}

// String is the text of the configuration.
func (c *Config) String() string {
	var b strings.Builder
	line := func(key, value string) {
		if value != "" {
			fmt.Fprintf(&b, "%s = %s\n", key, value)
		}
	}
	number := func(n int) string {
		if n == 0 {
			return ""
		}
		return strconv.Itoa(n)
	}
	if c.Comment != "" {
		fmt.Fprintf(&b, "# %s\n", c.Comment)
	}
	b.WriteString("[Interface]\n")
	line("PrivateKey", c.PrivateKey)
	line("Address", list(c.Addresses))
	line("ListenPort", number(c.ListenPort))
	var dns []string
	for _, a := range c.DNS {
		dns = append(dns, a.String())
	}
	line("DNS", strings.Join(append(dns, c.Search...), ", "))
	line("MTU", number(c.MTU))
	b.WriteString("\n[Peer]\n")
	line("PublicKey", string(c.PublicKey))
	line("PresharedKey", c.PresharedKey)
	line("Endpoint", c.Endpoint)
	line("AllowedIPs", list(c.AllowedIPs))
	line("PersistentKeepalive", number(c.Keepalive))
	return b.String()
}

func list(in []netip.Prefix) string {
	var out []string
	for _, p := range in {
		out = append(out, p.String())
	}
	return strings.Join(out, ", ")
}
