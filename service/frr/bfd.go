package frr

import (
	"cmp"
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"

	"github.com/nbr-dev/nbr/hcl/conf"
	"github.com/nbr-dev/nbr/hcl/diag"
	"github.com/nbr-dev/nbr/router"
	"github.com/nbr-dev/nbr/service"
	"github.com/nbr-dev/nbr/verify"
	"github.com/nbr-dev/nbr/verify/state"
)

// BFDKind is the bfd block.
func BFDKind() service.Kind {
	return service.Kind{
		Type: "bfd", Doc: "How fast a neighbour of BGP or OSPF that is gone is noticed (BFD).",
		Software: "FRR",
		Example: `bfd "fast" {
  receive    = 200
  transmit   = 200
  multiplier = 4
}

network "core" {
  link = port.end1
  ipv4 = "10.255.0.1/24"
}

zone "core" {
  networks = [network.core]
}

ospf {
  router_id = "10.255.0.1"

  area "0" {
    networks = [network.core]
    bfd      = bfd.fast
  }
}
`,
		Program: program{}, Probes: probes, New: func() service.Block { return &BFD{} },
	}
}

// BFD is the bfd block: how sessions of bidirectional forwarding detection are (RFC 5880), which
// bgp and ospf ask for with their neighbours (RFC 5882). They are asynchronous and of one hop
// (RFC 5881).
type BFD struct {
	conf.Header
	Name       conf.Value[router.Name]  `hcl:"name,label"`
	Receive    conf.Value[Milliseconds] `hcl:"receive,optional" default:"300" doc:"How often the neighbour may send at most: milliseconds between two packets."`
	Transmit   conf.Value[Milliseconds] `hcl:"transmit,optional" default:"300" doc:"How often the router sends, if the neighbour takes that many: milliseconds between two packets."`
	Multiplier conf.Value[Multiplier]   `hcl:"multiplier,optional" default:"3" doc:"How many packets of the router's have to be lost one after the other until the neighbour takes it for gone."`
	Passive    conf.Value[bool]         `hcl:"passive,optional" default:"false" doc:"The router says nothing before the neighbour does. One of the two has to begin."`
}

// Milliseconds are between two packets of BFD.
type Milliseconds int

// UnmarshalText wants what bfdd takes (bfdd/bfdd_vty.c).
func (m *Milliseconds) UnmarshalText(b []byte) error {
	return conf.Between(m, b, "interval of BFD", 10, 60000, " milliseconds")
}

// Describe is what the type is in the schema.
func (Milliseconds) Describe() string { return "milliseconds, 10 to 60000" }

// Multiplier is how many packets of BFD make a detection time (RFC 5880 section 6.8.4).
type Multiplier int

// UnmarshalText wants more than one packet: with 1, one that is lost on the way would end what is
// watched.
func (m *Multiplier) UnmarshalText(b []byte) error {
	return conf.Between(m, b, "detection multiplier", 2, 255, "")
}

// Describe is what the type is in the schema.
func (Multiplier) Describe() string { return "number of packets, 2 to 255" }

// NamedBy says where the block is named.
func (*BFD) NamedBy() string { return "bfd of a neighbor of bgp or of an area of ospf" }

const (
	// portBFD is where packets of a single hop are sent to (RFC 5881 section 4).
	portBFD = 3784
	// onLink is the TTL, or hop limit, of a packet that no router has forwarded (RFC 5881 section 5).
	onLink = 255
)

// sources are the ports that bfdd sends from (BFD_SRCPORTINIT and BFD_SRCPORTMAX of bfdd/bfd.h).
var sources = router.PortRange{First: 49142, Last: 65535}

// A watched is a claim of a neighbour, or of all in a network, that BFD watches.
type watched struct {
	router.By
	id      string // of the check that asks for the sessions
	profile *BFD
	peer    netip.Addr // the zero address where there is none
	byLink  bool       // the neighbour of BGP at the other end of the network's link
	network *router.Network
}

// ospf tells whether the claim is about the neighbours of OSPF in the network.
func (w *watched) ospf() bool { return !w.peer.IsValid() && !w.byLink }

// watch claims what BFD with a neighbour, or with all of a network, needs: its packets from there,
// if no router has forwarded them, and the way out.
func watch(s *router.Scope, from hcl.Range, w watched) {
	router.Claim(s, from, w)
	in := router.Match{Family: router.IPv4, Protocol: router.UDP, Ports: router.OnePort(portBFD), HopLimit: onLink}
	out := router.Match{Family: router.IPv4, Protocol: router.UDP, Ports: router.OnePort(portBFD)}
	switch {
	case w.byLink:
		in.Family, out.Family = router.IPv6, router.IPv6
		in.LinkLocal, out.LinkLocal = true, true
	case w.peer.IsValid():
		in.Family, out.Family = version(w.peer), version(w.peer)
		in.Sources, out.Groups = []netip.Prefix{netip.PrefixFrom(w.peer, w.peer.BitLen())}, []netip.Addr{w.peer}
	default:
		if p, ok := w.network.FixedIn(router.IPv4); ok {
			in.Sources = []netip.Prefix{p.Masked()}
		}
	}
	router.Claim(s, from, router.Accept{Match: in, Networks: []*router.Network{w.network}})
	router.Claim(s, from, router.Emit{Match: out, Networks: []*router.Network{w.network}})
}

// Claim says what bfdd needs. It has sockets for what the router does not use: echo (3785), several hops
// (4784) and seamless BFD (7784), which the firewall keeps shut.
func (b *BFD) Claim(s *router.Scope) {
	needs(s)
	measured(s, "bfd")
	for _, ports := range []router.PortRange{router.OnePort(portBFD), router.OnePort(3785), router.OnePort(4784), router.OnePort(7784), sources} {
		router.Claim(s, b.Def, router.OwnPorts{Program: "bfdd", Protocol: router.UDP, Ports: ports})
	}
}

// Judge has nothing to say: every profile is one.
func (*BFD) Judge(*router.Router) hcl.Diagnostics { return nil }

// oneProfile finds a neighbour of BGP that OSPF has watched otherwise: between two addresses there
// is one session (RFC 5882 section 2), and bfdd would take the profile that comes last.
func (b *BGP) oneProfile(r *router.Router, n *Neighbor) hcl.Diagnostics {
	at, bfd := n.place(r), n.has().BFD
	for _, w := range router.Claimed[watched](r) {
		if bfd.Set && at != nil && w.ospf() && w.about(at.Device(), n.Address.V.Addr) && w.profile != bfd.Target {
			return hcl.Diagnostics{diag.With(diag.Help(diag.Error("bfd-two-profiles", bfd.Range, "Two profiles for one session",
				"%s and %s would watch the neighbours in %s, and between two routers BFD has one session.", bfd.Addr, w.profile.Addr, w.network.Addr),
				"Name the same bfd block in both."), w.From, "%s", w.Addr.String())}
		}
	}
	return nil
}

// config is the profile in bfdd.
func (b *BFD) config(say func(string, ...any)) {
	say(" profile %s", named(b.Addr))
	say("  detect-multiplier %d", b.Multiplier.V)
	say("  transmit-interval %d", b.Transmit.V)
	say("  receive-interval %d", b.Receive.V)
	if b.Passive.V {
		say("  passive-mode")
	}
	say(" exit")
	say(" !")
}

// about tells whether an address on a link is the neighbour of the claim, or can be one of them.
func (w *watched) about(link router.IfName, a netip.Addr) bool {
	switch {
	case w.peer.IsValid():
		return a == w.peer
	case w.byLink:
		return link == w.network.Device() && a.Is6() && a.IsLinkLocalUnicast()
	}
	p, ok := w.network.FixedIn(router.IPv4)
	return ok && link == w.network.Device() && p.Contains(a)
}

// of are the sessions that a claim is about, and the neighbours of OSPF that have none. Of the sessions
// in its networks some may be of BGP alone.
func (w *watched) of(a bfdAnswer) (out []bfdSession, without []netip.Addr) {
	switch {
	case w.peer.IsValid():
		a.Neighbours = []netip.Addr{w.peer}
	case w.byLink:
		a.Neighbours = nil
		for _, s := range a.Sessions {
			if w.about(router.IfName(s.Link), s.Peer) {
				a.Neighbours = append(a.Neighbours, s.Peer)
			}
		}
	}
	for _, peer := range a.Neighbours {
		i := slices.IndexFunc(a.Sessions, func(s bfdSession) bool { return s.Peer == peer && w.about(router.IfName(s.Link), peer) })
		switch {
		case i >= 0:
			out = append(out, a.Sessions[i])
		case w.about(w.network.Device(), peer):
			without = append(without, peer)
		}
	}
	return out, without
}

// name is the neighbour, or the network of several.
func (w *watched) name() string {
	switch {
	case w.peer.IsValid():
		return w.peer.String()
	case w.byLink:
		return string(w.network.Device())
	}
	return w.network.Addr.String()
}

const bfdHint = "vtysh -c 'show bfd peers'"

// sessions adds a check of the sessions that a claim is about, if bfdd runs. There may be none.
func (w *watched) sessions(p *verify.Plan, c verify.Check, want string, judge func(of []bfdSession, without []netip.Addr) verify.Verdict) {
	var q bfdQuestion
	if w.ospf() {
		q.OSPF = string(w.network.Device())
	}
	verify.Asked(p, c, bfdSessions, q, want, bfdHint, func(_ *state.State, s bfdAnswer) verify.Verdict {
		if !s.Running {
			return verify.Judge(false, want, "bfdd does not run", "systemctl status frr")
		}
		return judge(w.of(s))
	})
}

// up adds the check that the sessions are up: the protocol goes on without them.
func (w *watched) up(p *verify.Plan) {
	const want = "up"
	c := verify.Check{ID: w.id, Title: "BFD towards " + w.name() + " is up", From: w.From}
	w.sessions(p, c, want, func(of []bfdSession, without []netip.Addr) verify.Verdict {
		if len(of) == 0 {
			return verify.Judge(false, want, "no session", bfdHint)
		}
		var got []string
		ok := len(without) == 0
		for _, s := range of {
			text := s.Status
			if w.ospf() {
				text = s.Peer.String() + " is " + text
			}
			if s.Status != want {
				ok = false
				text += " (" + s.Diagnostic + ")"
			}
			got = append(got, text)
		}
		for _, peer := range without {
			got = append(got, peer.String()+" has no session")
		}
		return verify.Judge(ok, want, strings.Join(got, ", "), bfdHint)
	})
}

// checkWatched adds the checks of the sessions that a block asks for.
func checkWatched(r *router.Router, p *verify.Plan, by conf.Addr) {
	for _, w := range router.Claimed[watched](r) {
		if w.Addr == by {
			w.up(p)
		}
	}
}

// Checks compare the profile with each of its sessions.
func (b *BFD) Checks(r *router.Router, p *verify.Plan) {
	for _, v := range []struct {
		what string
		want string
		from hcl.Range
		got  func(bfdSession) string
	}{
		{"receive", fmt.Sprintf("%d ms", b.Receive.V), b.Receive.Range, func(s bfdSession) string { return fmt.Sprintf("%d ms", s.Receive) }},
		{"transmit", fmt.Sprintf("%d ms", b.Transmit.V), b.Transmit.Range, func(s bfdSession) string { return fmt.Sprintf("%d ms", s.Transmit) }},
		{"multiplier", fmt.Sprint(b.Multiplier.V), b.Multiplier.Range, func(s bfdSession) string { return fmt.Sprint(s.Multiplier) }},
		{"passive", begins(b.Passive.V), b.Passive.Range, func(s bfdSession) string { return begins(s.Passive) }},
	} {
		for _, w := range router.Claimed[watched](r) {
			if w.profile != b {
				continue
			}
			c := verify.Check{ID: b.Addr.String() + "/" + v.what + "/" + w.name(), Title: v.what + " of BFD towards " + w.name(), From: cmp.Or(v.from, b.Def)}
			w.sessions(p, c, v.want, func(of []bfdSession, _ []netip.Addr) verify.Verdict {
				if len(of) == 0 { // which is another check's affair
					return verify.Skipped(v.want, "no session", bfdHint)
				}
				i := slices.IndexFunc(of, func(s bfdSession) bool { return v.got(s) != v.want })
				return verify.Compare(v.want, v.got(of[max(i, 0)]), bfdHint)
			})
		}
	}
}

// begins says who sends first.
func begins(passive bool) string {
	if passive {
		return "passive"
	}
	return "active"
}
