package referee_test

import (
	"fmt"
	"math/rand/v2"
	"net"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/nbr-dev/nbr/firmware"
	"github.com/nbr-dev/nbr/hcl/diag"
	"github.com/nbr-dev/nbr/internal/nstest"
	"github.com/nbr-dev/nbr/service"
	"github.com/nbr-dev/nbr/service/all"
)

// The networks of a small router: one host each, and beyond the last one the Internet.
var nets = []struct{ name, port, v4, v6 string }{
	{"one", "lan1", "10.0.1.", "2001:db8:1::"},
	{"two", "lan2", "10.0.2.", "2001:db8:2::"},
	{"three", "lan3", "10.0.3.", "2001:db8:3::"},
	{"wan", "wan", "198.51.100.", "2001:db8:f::"},
}

const (
	upstream = 3 // of nets
	liar     = 66
)

// addr is an address of a network: 1 is the router's, 5 the host's, and liar is one that
// hosts of other networks send with.
func addr(n, host int, six bool) string {
	if six {
		return fmt.Sprint(nets[n].v6, host)
	}
	return fmt.Sprint(nets[n].v4, host)
}

// A small is a spec in the words of the language and no others.
type small struct {
	zones    [][]int // networks
	allow    []bool  // ssh, by zone
	policies []smallPolicy
	forwards []smallForward
}

type smallPolicy struct {
	from, to   []int // zones
	own        bool  // also from the router itself
	action     string
	protocols  []string
	ports      []span
	masquerade bool
	family     string // ipv4, ipv6, or either if it is empty
}

type smallForward struct {
	zone     int
	protocol string
	port     span
	to       int // network
	toPort   int // or 0
}

type span struct{ first, last int }

func (s span) String() string {
	if s.first == s.last {
		return fmt.Sprint(s.first)
	}
	return fmt.Sprintf("%d-%d", s.first, s.last)
}

func (s span) has(port int) bool { return s.first <= port && port <= s.last }

// Hosts and the router listen on all of them.
const firstPort, lastPort, sshPort = 1000, 1007, 22

func randomSpan(r *rand.Rand) span {
	first := firstPort + r.IntN(lastPort-firstPort+1)
	return span{first, min(first+r.IntN(4), lastPort)}
}

// some are one or two of the numbers below n.
func some(r *rand.Rand, n int) []int {
	list := r.Perm(n)[:1+r.IntN(2)]
	slices.Sort(list)
	return list
}

func randomSmall(r *rand.Rand) small {
	s := small{zones: make([][]int, 2+r.IntN(3))}
	last := len(s.zones) - 1
	for n := range upstream {
		z := n
		if n >= last {
			z = r.IntN(last)
		}
		s.zones[z] = append(s.zones[z], n)
	}
	s.zones[last] = []int{upstream}
	for z := range s.zones {
		s.allow = append(s.allow, z != last && r.IntN(2) == 0)
	}
	for range 1 + r.IntN(6) {
		p := smallPolicy{from: some(r, len(s.zones)), to: some(r, len(s.zones)), action: []string{"accept", "accept", "drop", "reject"}[r.IntN(4)]}
		p.protocols = [][]string{nil, nil, {"tcp"}, {"udp"}, {"tcp", "udp"}, {"icmp"}, {"icmp", "udp"}}[r.IntN(7)]
		for range r.IntN(3) {
			if !slices.Contains(p.protocols, "icmp") { // which has none
				p.ports = append(p.ports, randomSpan(r))
			}
		}
		// A policy that lets the router alone send has to stand before one that does not.
		if p.own = r.IntN(3) == 0; p.own && p.action != "accept" && r.IntN(2) == 0 {
			p.from = nil
		}
		p.masquerade = p.from != nil && p.action == "accept" && slices.Contains(p.to, last) && r.IntN(2) == 0
		if !p.masquerade {
			p.family = []string{"", "", "ipv4", "ipv6"}[r.IntN(4)]
		}
		s.policies = append(s.policies, p)
	}
	for range r.IntN(3) {
		f := smallForward{zone: r.IntN(len(s.zones)), protocol: []string{"tcp", "udp"}[r.IntN(2)], port: randomSpan(r), to: r.IntN(upstream)}
		if r.IntN(2) == 0 {
			f.port.last, f.toPort = f.port.first, firstPort+r.IntN(lastPort-firstPort+1)
		}
		s.forwards = append(s.forwards, f)
	}
	return s
}

// text is the spec as a person would write it.
func (s small) text() string {
	var b strings.Builder
	b.WriteString(strings.Replace(template, "  console_only", "  name_servers  = [\"192.0.2.53\"]\n  console_only", 1))
	for i, n := range nets {
		fmt.Fprintf(&b, "network %q {\n  link = port.%s\n  ipv4 = \"%s1/24\"\n  ipv6 = \"%s1/64\"\n", n.name, n.port, n.v4, n.v6)
		if i == upstream {
			fmt.Fprintf(&b, "  gateway  = %q\n  gateway6 = %q\n", addr(i, 5, false), addr(i, 5, true))
		}
		b.WriteString("}\n")
	}
	zones := func(list []int) string {
		var out []string
		for _, z := range list {
			out = append(out, fmt.Sprintf("zone.z%d", z))
		}
		return strings.Join(out, ", ")
	}
	for z, networks := range s.zones {
		var list []string
		for _, n := range networks {
			list = append(list, "network."+nets[n].name)
		}
		fmt.Fprintf(&b, "zone \"z%d\" {\n  networks = [%s]\n", z, strings.Join(list, ", "))
		if s.allow[z] {
			b.WriteString("  allow = [\"ssh\"]\n")
		}
		b.WriteString("}\n")
	}
	for i, p := range s.policies {
		from := zones(p.from)
		if p.own {
			from = strings.TrimSuffix("router.r, "+from, ", ")
		}
		fmt.Fprintf(&b, "policy \"p%d\" {\n  from = [%s]\n  to = [%s]\n  action = %q\n", i, from, zones(p.to), p.action)
		if p.protocols != nil {
			fmt.Fprintf(&b, "  protocols = [\"%s\"]\n", strings.Join(p.protocols, `", "`))
		}
		if p.ports != nil {
			fmt.Fprintf(&b, "  ports = [\"%s\"]\n", strings.Trim(strings.ReplaceAll(fmt.Sprint(p.ports), " ", `", "`), "[]"))
		}
		if p.masquerade {
			b.WriteString("  masquerade = true\n")
		}
		if p.family != "" {
			fmt.Fprintf(&b, "  family = %q\n", p.family)
		}
		b.WriteString("}\n")
	}
	for i, f := range s.forwards {
		fmt.Fprintf(&b, "port_forward \"f%d\" {\n  from = zone.z%d\n  protocol = %q\n  port = %q\n  to = %q\n", i, f.zone, f.protocol, f.port, addr(f.to, 5, false))
		if f.toPort != 0 {
			fmt.Fprintf(&b, "  to_port = %d\n", f.toPort)
		}
		b.WriteString("}\n")
	}
	b.WriteString("ssh { networks = [network.one, network.two, network.three] }\nuser \"root\" {\n  authorized_keys = [\"ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIEbHw8WiDglSz3F98qaKqHuX3Zw9+D/kdO9wVQxdMwkl me@desk\"]\n}\n")
	return b.String()
}

func (s small) zone(network int) int {
	return slices.IndexFunc(s.zones, func(z []int) bool { return slices.Contains(z, network) })
}

// fromRouter is where the router's own packets come from.
const fromRouter = -1

// A packet opens a connection.
type packet struct {
	from, source int // networks: where it comes in, and of which its source is
	to, host     int
	proto        string
	port         int
	six          bool
}

// fate is what the language's words say of the packet (docs/firewall.md, and the descriptions
// of the attributes): the words of [flow], or nothing where two hosts of one network would
// talk past the router.
func (s small) fate(p packet) string {
	if p.from == fromRouter {
		for _, q := range s.policies { // "The first one that fits decides"
			if q.own && s.fits(q, p) {
				if q.action != "accept" {
					return map[string]string{"drop": "drop", "reject": "refuse"}[q.action]
				}
				break
			}
		}
		return addr(p.to, 1, p.six) + " at " + nets[p.to].name // "passes if the router itself sends it"
	}
	src := addr(p.from, 5, p.six)
	// "Drop packets whose source does not belong behind the interface they arrive on."
	if p.source != p.from {
		return "drop"
	}
	if p.host == 1 { // the router
		for _, f := range s.forwards {
			// "The zone that the connections come from." "The port, or range of ports, that
			// clients connect to." IPv4 only.
			if f.zone == s.zone(p.from) && f.protocol == p.proto && f.port.has(p.port) && !p.six {
				if f.to == p.from {
					return ""
				}
				return src + " at " + nets[f.to].name
			}
		}
		// "Services of the router that the zone may use. Everything else towards the router is
		// dropped."
		if p.proto == "tcp" && p.port == sshPort && s.allow[s.zone(p.from)] {
			return src + " at router"
		}
		return "drop"
	}
	for _, q := range s.policies { // "The first one that fits decides"
		switch {
		case !slices.Contains(q.from, s.zone(p.from)), !s.fits(q, p):
		case q.action == "drop":
			return "drop"
		case q.action == "reject":
			return "refuse"
		case q.masquerade && !p.six: // "Give IPv4 packets the router's own address on the way out."
			return addr(p.to, 1, false) + " at " + nets[p.to].name
		default:
			return src + " at " + nets[p.to].name
		}
	}
	return "drop" // "what none allows is dropped"
}

// fits tells whether a packet is of a policy by all but where it comes from.
func (s small) fits(q smallPolicy, p packet) bool {
	switch {
	case !slices.Contains(q.to, s.zone(p.to)):
	case q.family == "ipv4" && p.six, q.family == "ipv6" && !p.six: // "Only packets of this version of IP."
	case q.protocols != nil && !slices.Contains(q.protocols, p.proto): // "Only these protocols."
	case q.ports != nil && !slices.ContainsFunc(q.ports, func(r span) bool { return r.has(p.port) }):
	default:
		return true
	}
	return false
}

func randomPacket(r *rand.Rand) packet {
	p := packet{from: r.IntN(len(nets)), to: r.IntN(len(nets)), host: []int{1, 5, 5}[r.IntN(3)], proto: []string{"tcp", "udp"}[r.IntN(2)], six: r.IntN(4) == 0}
	p.port = firstPort + r.IntN(lastPort-firstPort+1)
	if p.host == 1 && r.IntN(3) == 0 {
		p.port = sshPort
	}
	p.source = p.from
	if r.IntN(10) == 0 {
		p.source = r.IntN(upstream) // of the Internet's, none is wrong on the upstream
	}
	if p.from == p.to && p.host == 5 {
		p.host = 1
	}
	if r.IntN(4) == 0 {
		p.from, p.source, p.host = fromRouter, fromRouter, 5
	}
	return p
}

// randomSpec is the first of the seed's specs that nbr takes, and its modules.
func randomSpec(t *testing.T, r *rand.Rand) (small, *generated) {
	t.Helper()
	reg := &service.Registry{Kinds: all.Kinds(), Boards: firmware.Boards()}
	var refused []string
	for range 100 {
		s := randomSmall(r)
		_, diags := reg.Load(fstest.MapFS{"router.hcl": {Data: []byte(s.text())}}, nil)
		refused = refused[:0]
		for _, d := range diags {
			if code := diag.Code(d); code != "not-allowed" && code != "no-name-server" {
				refused = append(refused, code+": "+diag.Text(d))
			}
		}
		if len(refused) == 0 {
			return s, fromText(t, s.text())
		}
	}
	t.Fatalf("no spec is taken: %s", refused)
	return small{}, nil
}

// Of small random specs and random packets, each packet meets the fate that the language's
// words promise it. A seed is tried again by the test's name.
func TestPacketsOfRandomSpecs(t *testing.T) {
	t.Parallel()
	for seed := range uint64(8) {
		t.Run(fmt.Sprintf("seed %d", seed), func(t *testing.T) {
			r := rand.New(rand.NewPCG(seed, 11))
			s, g := randomSpec(t, r)
			router, rooms := smallHouse(t, g)
			var flows []flow
			fates := map[string]int{}
			for range 90 {
				p := randomPacket(r)
				want := s.fate(p)
				if want == "" {
					continue
				}
				name, _, _ := strings.Cut(want, " ")
				fates[name]++
				to := net.JoinHostPort(addr(p.to, p.host, p.six), fmt.Sprint(p.port))
				if p.from == fromRouter {
					flows = append(flows, flow{"router", router, "", p.proto, to, want})
					continue
				}
				src := addr(p.from, 5, p.six)
				if p.source != p.from {
					src = addr(p.source, liar, p.six)
				}
				flows = append(flows, flow{nets[p.from].name, rooms[p.from], src, p.proto, to, want})
			}
			check(t, flows)
			if len(fates) < 2 {
				t.Errorf("all packets have one fate: %v", fates)
			}
			if t.Failed() {
				t.Logf("seed %d:\n%s", seed, s.text())
			}
		})
	}
}

// smallHouse has a host in each network that can also send with an address of the others, and
// listens on all ports, as the router does.
func smallHouse(t *testing.T, g *generated) (router *nstest.NS, rooms []*nstest.NS) {
	t.Helper()
	router = nstest.New(t, "router")
	sysctls(t, router, g)
	load(t, router, ruleset(t, g))
	for i, n := range nets {
		room := nstest.New(t, n.name)
		rooms = append(rooms, room)
		nstest.Link(t, router, n.port, room, "eth0")
		ip(t, router, fmt.Sprintf("addr add %s1/24 dev %s\naddr add %s1/64 dev %[2]s\n", n.v4, n.port, n.v6))
		ip(t, room, fmt.Sprintf("addr add %s5/24 dev eth0\naddr add %s5/64 dev eth0\nroute add default via %[1]s1\nroute add default via %[2]s1\n", n.v4, n.v6))
		for j := range nets {
			if j != i {
				ip(t, room, fmt.Sprintf("addr add %s/32 dev lo\naddr add %s/128 dev lo\n", addr(j, liar, false), addr(j, liar, true)))
			}
		}
	}
	ip(t, router, fmt.Sprintf("route add default via %s\nroute add default via %s\n", addr(upstream, 5, false), addr(upstream, 5, true)))
	for _, ns := range append(slices.Clone(rooms), router) {
		for port := firstPort; port <= lastPort; port++ {
			listen(t, ns, "tcp", port)
			listen(t, ns, "udp", port)
		}
		listen(t, ns, "tcp", sshPort)
		listen(t, ns, "udp", sshPort)
	}
	return router, rooms
}
