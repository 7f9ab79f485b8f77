package graph

import (
	"cmp"
	"fmt"
	"net/netip"
	"slices"
	"strconv"
	"strings"

	"github.com/nbr-dev/nbr/hcl/conf"
	"github.com/nbr-dev/nbr/router"
)

// New is the graph of a sound router. blocks are all blocks of its spec: those of services
// that name a network are seen there, whatever their kind. mask hides what is confidential in
// a text.
func New(r *router.Router, blocks []conf.Block, mask func(string) string) *Graph {
	b := &builder{
		r: r, Graph: &Graph{Name: string(r.Name.V), Text: r.Description.V},
		groups: map[*router.Zone]*Group{}, networks: map[*router.Network]*Node{},
		links: map[router.Link]*Node{}, hosts: map[*router.Host]*Node{},
		known: map[netip.Addr]*Node{}, listens: map[presence]bool{}, accepts: map[presence]bool{},
	}
	if r.Board != nil {
		b.Facts = append(b.Facts, r.Board.Name)
	}
	if r.Memory.V != 0 {
		b.Facts = append(b.Facts, r.Memory.V.String())
	}
	b.Facts = append(b.Facts, "NixOS "+string(r.Release.V))
	b.addZones()
	b.addLinks(blocks)
	b.addNetworks()
	b.addHosts()
	b.addServices(blocks)
	b.addWays()
	slices.SortStableFunc(b.Groups, func(x, y *Group) int { return cmp.Compare(rank(x), rank(y)) })
	for _, text := range b.texts() {
		*text = clean(mask(*text))
	}
	return b.Graph
}

// rank puts the way to the Internet at the top, and what nothing may pass at the end.
func rank(g *Group) int {
	switch {
	case g.Addr == "":
		return 2
	case g.Upstream:
		return 0
	}
	return 1
}

type builder struct {
	*Graph
	r        *router.Router
	groups   map[*router.Zone]*Group
	networks map[*router.Network]*Node
	links    map[router.Link]*Node
	hosts    map[*router.Host]*Node
	known    map[netip.Addr]*Node // hosts, by their addresses
	listens  map[presence]bool    // what listens where
	accepts  map[presence]bool    // what lets packets in where
}

// A presence is a block in a network.
type presence struct {
	block   conf.Addr
	network *router.Network
}

// name is what a block is called among those of its type: the label, and the key of an
// instance in brackets.
func name(a conf.Addr) string {
	label, key, instance := strings.Cut(a.Name, "[")
	if !instance {
		return cmp.Or(a.Name, a.Type)
	}
	if text, err := strconv.Unquote(strings.TrimSuffix(key, "]")); err == nil {
		key = text
	}
	return label + "[" + key + "]"
}

func (b *builder) node(n *Node) *Node {
	b.Nodes = append(b.Nodes, n)
	return n
}

func (b *builder) edge(k EdgeKind, from, to End) {
	b.Edges = append(b.Edges, Edge{k, from, to})
}

func (b *builder) addZones() {
	for _, z := range b.r.Zones {
		g := &Group{Addr: z.Addr.String(), Name: name(z.Addr)}
		b.groups[z] = g
		b.Groups = append(b.Groups, g)
	}
}

// addLinks adds the ports of the board and the links on them. A conduit is no port for users.
func (b *builder) addLinks(blocks []conf.Block) {
	for _, l := range b.r.Links() {
		port, base := l.(*router.BoardPort)
		if base && port.Kind == router.PortConduit {
			continue
		}
		n := &Node{Kind: Link, Addr: l.Head().Addr.String(), Name: string(l.LinkName()), Base: base, Idle: true}
		if base {
			n.Addr, n.Aside = "port."+string(port.Name), sortOf(port)
		} else {
			n.describe(l)
		}
		n.Notes = append(n.Notes, b.vlans(l)...)
		b.links[l] = b.node(n)
	}
	for _, l := range b.r.Made {
		s := l.Spec()
		below := s.Ports.All()
		for _, ref := range []conf.Ref[router.Link]{s.On, s.Via} {
			if ref.Set {
				below = append([]router.Link{ref.Target}, below...)
			}
		}
		for _, on := range below {
			if n := b.links[on]; n != nil {
				n.Idle = false
				b.edge(Carries, n, b.links[l])
			}
		}
	}
}

// vlans are the VLANs that a port of a bridge is in, or a bridge of its own accord.
func (b *builder) vlans(l router.Link) (notes []string) {
	var untagged, tagged []router.VLANID
	for _, v := range b.r.BridgeVLANs(l) {
		if v.Untagged {
			untagged = append(untagged, v.ID)
		} else {
			tagged = append(tagged, v.ID)
		}
	}
	if len(untagged) > 0 {
		notes = append(notes, "untagged VLAN "+router.VLANNumbers(untagged))
	}
	if len(tagged) > 0 && l.Spec().Bridge == nil { // its own are drawn as links
		notes = append(notes, "tagged VLAN "+router.VLANNumbers(tagged))
	}
	return notes
}

// sortOf is what a port of the board is.
func sortOf(p *router.BoardPort) string {
	kind := map[router.PortKind]string{
		router.PortDSA: "switch port", router.PortNIC: "port", router.PortCard: "port", router.PortSFP: "SFP cage", router.PortWiFi: "radio",
	}[p.Kind]
	if p.Label != "" && !strings.EqualFold(p.Label, string(p.Name)) {
		kind = p.Label + ", " + kind
	}
	switch {
	case p.Speed >= 1000 && p.Speed%100 == 0:
		kind += fmt.Sprintf(", %s Gbit/s", strconv.FormatFloat(float64(p.Speed)/1000, 'f', -1, 64))
	case p.Speed > 0:
		kind += fmt.Sprintf(", %d Mbit/s", p.Speed)
	}
	return kind
}

// describe says what a link is.
func (n *Node) describe(l router.Link) {
	s := l.Spec()
	n.Aside = s.Kind
	if s.External && s.Kind == "" {
		n.Aside = "made by another program"
	}
	for _, a := range s.Kernel() {
		if a.Name == s.Kind+"_id" {
			n.Aside += fmt.Sprintf(" %v", a.Value)
		}
	}
	if w := s.WireGuard; w != nil && w.Listen.Set {
		n.Notes = append(n.Notes, fmt.Sprintf("listens on udp/%d", w.Listen.V))
	}
	if s.MTU.V != 0 && s.MTU.V != 1500 {
		n.Notes = append(n.Notes, fmt.Sprintf("MTU %d", s.MTU.V))
	}
}

func (b *builder) addNetworks() {
	var zoneless *Group
	for _, n := range b.r.Networks {
		g := b.groups[b.r.ZoneOf(n)]
		if g == nil {
			if zoneless == nil {
				zoneless = &Group{Name: "in no zone"}
				b.Groups = append(b.Groups, zoneless)
			}
			g = zoneless
		}
		node := b.node(&Node{Kind: Network, Addr: n.Addr.String(), Name: name(n.Addr), Group: g})
		g.Upstream = g.Upstream || n.Upstream()
		for _, a := range n.Addresses() {
			text := fmt.Sprintf("%s %s", a.Family, a.How)
			if fixed, ok := a.How.(router.Fixed); ok {
				text = fixed.String()
			}
			node.Notes = append(node.Notes, text)
		}
		node.Aside = string(n.Domain.V)
		b.networks[n] = node
		if l := b.links[n.Link.Target]; l != nil {
			l.Idle = false
			b.edge(Carries, l, node)
		}
	}
	for _, p := range b.r.Prefixes {
		n := b.networks[p.Network.Target]
		n.Notes = append(n.Notes, fmt.Sprintf("delegates %s, a /%d", p.Addr, p.Length.V))
	}
}

// behind adds who or what is in a network.
func (b *builder) behind(n *router.Network, h *Node) *Node {
	in := b.networks[n]
	h.Kind, h.Network, h.Group = Host, in, in.Group
	b.edge(Holds, in, b.node(h))
	return h
}

// addHosts adds the Internet, hosts, what programs claim of hosts, the peers of tunnels and
// what routes lead to.
func (b *builder) addHosts() {
	b.addInternet()
	for _, h := range b.r.Hosts {
		n := b.behind(h.Network.Target, &Node{Addr: h.Addr.String(), Name: string(h.Name.V), Notes: addresses(h)})
		b.hosts[h] = n
		for _, a := range h.Fixed() {
			b.known[a] = n
		}
	}
	b.addClaimed()
	b.addPeers()
	for _, rt := range b.r.Routes {
		for _, h := range rt.Hops() {
			if n := b.r.NetworkOf(h); n != nil && rt.To.V.Bits() > 0 {
				b.behind(n, &Node{Addr: h.Addr.String(), Name: rt.To.V.String(), Notes: []string{"by way of " + h.Via.V.String()}})
			}
		}
	}
}

// addresses are a host's addresses; without any it is known by its hardware.
func addresses(h *router.Host) []string {
	var out []string
	if h.IPv4.Set {
		out = append(out, h.IPv4.V.String())
	}
	if a, ok := h.FixedIPv6(); ok {
		out = append(out, a.String())
	} else if h.IPv6.Set {
		out = append(out, "IPv6 "+h.IPv6.V.String())
	}
	if len(out) == 0 && h.MAC.Set {
		out = append(out, string(h.MAC.V))
	}
	return out
}

func (b *builder) addInternet() {
	ways := map[*router.Network][]string{}
	for _, rt := range b.r.Routes {
		for _, h := range rt.Hops() {
			if n := b.r.NetworkOf(h); n != nil && rt.To.V.Bits() == 0 {
				ways[n] = append(ways[n], "by way of "+h.Via.V.String())
			}
		}
	}
	// Other networks on the link of an upstream are upstreams, too: the Internet is behind the
	// one with the way there.
	leads := func(n *router.Network) bool {
		return n.ByDHCP() || n.ByPPP() || n.TakesAdvertisements() || n.Gateway.Set || n.Gateway6.Set || len(ways[n]) > 0
	}
	known := map[router.Link]bool{}
	for _, n := range b.r.Networks {
		known[n.Link.Target] = known[n.Link.Target] || leads(n)
	}
	for _, n := range b.r.Networks {
		if !n.Upstream() || known[n.Link.Target] && !leads(n) {
			continue
		}
		var notes []string
		for _, g := range []conf.Value[router.Addr]{n.Gateway, n.Gateway6} {
			if g.Set {
				notes = append(notes, "by way of "+g.V.String())
			}
		}
		b.behind(n, &Node{Addr: n.Addr.String(), Name: "Internet", Notes: append(notes, ways[n]...), Outside: true})
	}
}

// addClaimed adds the addresses that programs claim of hosts, as a DHCP server does of its
// pool; those of hosts that the spec names are known.
func (b *builder) addClaimed() {
	for _, c := range router.Claimed[router.HostAddr](b.r) {
		n := b.r.NetworkAt(c.Range.First)
		if n == nil || b.known[c.Range.First] != nil {
			continue
		}
		text := c.Range.First.String()
		if c.Range.First != c.Range.Last {
			text = c.Range.String()
		}
		h := b.behind(n, &Node{Addr: c.Addr.String(), Name: text, Notes: []string{strings.TrimPrefix(c.Why, "is ")}})
		if c.Range.First == c.Range.Last {
			b.known[c.Range.First] = h
		}
	}
}

// addPeers adds the other ends of tunnels, to the first network of the tunnel or, where it has
// none, to the tunnel itself.
func (b *builder) addPeers() {
	first := map[router.Link]*router.Network{}
	for _, n := range b.r.Networks {
		if first[n.Link.Target] == nil {
			first[n.Link.Target] = n
		}
	}
	for _, l := range b.r.Made {
		w, n := l.Spec().WireGuard, first[l]
		if w == nil {
			continue
		}
		for _, p := range w.Peers {
			_, label, _ := strings.Cut(name(p.Addr), "/peer.")
			h := &Node{Addr: p.Addr.String(), Name: cmp.Or(label, name(p.Addr))}
			if n == nil {
				b.links[l].Notes = append(b.links[l].Notes, "peer "+h.Name)
				continue
			}
			for _, ip := range p.AllowedIPs {
				h.Notes = append(h.Notes, ip.String())
			}
			if p.Endpoint != "" {
				h.Notes = append(h.Notes, "at "+p.Endpoint)
			}
			b.behind(n, h)
		}
	}
}

// addServices adds to each network the programs of the router that it sees: what listens and
// is allowed there, what lets packets in, and blocks of services that name the network.
func (b *builder) addServices(blocks []conf.Block) {
	for _, l := range router.Claimed[router.Listen](b.r) {
		port := fmt.Sprintf("%s/%s", l.Protocol, l.Ports())
		networks := l.Networks
		if len(networks) == 0 {
			networks = b.r.Networks
		}
		for _, n := range networks {
			z := b.r.ZoneOf(n)
			closed := z == nil || !slices.Contains(z.Allow.All(), router.ServiceName(l.Service))
			if closed && len(l.Networks) == 0 {
				continue // no line of the spec says that it is for this network
			}
			b.listens[presence{l.Addr, n}] = true
			b.serve(n, Service{Name: l.Service, Ports: []string{port}, Closed: closed})
		}
	}
	for _, a := range router.Claimed[router.Accept](b.r) {
		var ports []string
		if a.Protocol.HasPorts() && a.Ports != (router.PortRange{}) {
			ports = []string{fmt.Sprintf("%s/%s", a.Protocol, a.Ports)}
		}
		for _, n := range a.Networks {
			b.accepts[presence{a.Addr, n}] = true
			b.serve(n, Service{Name: a.Addr.Type, Ports: ports})
		}
	}
	b.addUsers(blocks)
}

// serve adds a service to a network, or a port to one that is there.
func (b *builder) serve(n *router.Network, s Service) {
	node := b.networks[n]
	if node == nil {
		return
	}
	for i, have := range node.Services {
		if have.Name != s.Name || have.Closed != s.Closed {
			continue
		}
		for _, p := range s.Ports {
			if !slices.Contains(have.Ports, p) {
				node.Services[i].Ports = append(node.Services[i].Ports, p)
			}
		}
		return
	}
	node.Services = append(node.Services, s)
}

// addUsers adds the blocks of services that name a network and claim nothing there. The frames
// of a link that names one pass through it.
func (b *builder) addUsers(blocks []conf.Block) {
	core := map[string]bool{}
	for _, t := range router.Types() {
		core[t.Type] = true
	}
	byAddr := map[conf.Addr]*router.Network{}
	for _, n := range b.r.Networks {
		byAddr[n.Addr] = n
	}
	for _, block := range blocks {
		a := block.Head().Addr
		if core[a.Type] {
			continue
		}
		link, _ := block.(router.Link)
		for _, to := range conf.References(block) {
			n := byAddr[to]
			at := presence{a, n}
			switch {
			case n == nil || b.listens[at]:
			case link != nil && b.links[link] != nil:
				b.edge(Over, b.links[link], b.networks[n])
				b.links[link].Notes = append(b.links[link].Notes, "over "+n.Addr.String())
			case !b.accepts[at]:
				b.serve(n, Service{Name: a.Type})
			}
		}
	}
}
