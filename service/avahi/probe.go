package avahi

import (
	"context"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"strings"
	"time"

	"github.com/miekg/dns"

	"github.com/nbr-dev/nbr/verify/packet"
	"github.com/nbr-dev/nbr/verify/probe"
)

// asking is a host that asks on a link, from an address of its network.
type asking struct {
	Link string     `json:"link"`
	From netip.Addr `json:"from"`
}

// An announcing is a host that takes back services that it never had.
type announcing struct {
	asking
	Types string `json:"types"` // of them, with blanks between them
}

// A naming is a question for the addresses of a name.
type naming struct {
	asking
	Name string `json:"name"`
}

// heard is what of it was sent on other links.
type heard struct {
	On []onLink `json:"on"`
}

// onLink is what was sent from an address of the router.
type onLink struct {
	From  netip.Addr `json:"from"`
	Types []string   `json:"types"`
}

// An answer has the addresses of a name, in their order.
type answer struct {
	Addresses []string `json:"addresses"`
}

// passedOn asks what of a host's services is passed on, and to which links. Hosts there are told that
// services with a random name are gone (RFC 6762 section 10.1), which is nothing to them.
var passedOn = &probe.Probe[announcing, heard]{Name: "avahi.passed_on", Active: true, Look: lookPassed}

// namedAs asks for the addresses of a name as a host on a link does.
var namedAs = &probe.Probe[naming, answer]{Name: "avahi.name", Active: true, Look: lookName}

// How long is waited, and when it is sent once more: what several hosts may answer is sent after up to
// 120 ms (RFC 6762 section 6), and what is sent again within a second may be left out.
const (
	wait   = 2500 * time.Millisecond
	repeat = 1100 * time.Millisecond
)

// lookPassed sends all types in one message, and hears those that carry this look's own name.
func lookPassed(ctx context.Context, h probe.Host, q announcing) (heard, error) {
	mac := packet.RandomMAC()
	name := fmt.Sprintf("%x", []byte(mac))
	m := &dns.Msg{MsgHdr: dns.MsgHdr{Response: true, Authoritative: true}}
	for typ := range strings.FieldsSeq(q.Types) {
		m.Answer = append(m.Answer, &dns.SRV{
			Hdr:  dns.RR_Header{Name: name + "." + typ + ".local.", Rrtype: dns.TypeSRV, Class: dns.ClassINET},
			Port: port, Target: name + ".local.",
		})
	}
	types := map[netip.Addr][]string{}
	_, err := exchange(ctx, h, q.asking, mac, m, func(from netip.Addr, m *dns.Msg) bool {
		for _, rr := range m.Answer {
			typ, mine := strings.CutPrefix(strings.TrimSuffix(rr.Header().Name, ".local."), name+".")
			if mine && m.Response && from != q.From && !slices.Contains(types[from], typ) {
				types[from] = append(types[from], typ)
			}
		}
		return false
	})
	out := heard{On: []onLink{}}
	for from, of := range types {
		slices.Sort(of)
		out.On = append(out.On, onLink{from, of})
	}
	slices.SortFunc(out.On, func(a, b onLink) int { return a.From.Compare(b.From) })
	return out, err
}

// lookName takes the answer that is sent on the link itself.
func lookName(ctx context.Context, h probe.Host, q naming) (answer, error) {
	name := dns.Fqdn(q.Name)
	out := answer{Addresses: []string{}}
	m := new(dns.Msg)
	m.SetQuestion(name, dns.TypeA)
	if q.From.Is6() {
		m.Question[0].Qtype = dns.TypeAAAA
	}
	m.Id, m.RecursionDesired = 0, false // RFC 6762 section 18
	_, err := exchange(ctx, h, q.asking, packet.RandomMAC(), m, func(from netip.Addr, m *dns.Msg) bool {
		if !m.Response || from == q.From {
			return false
		}
		for _, rr := range m.Answer {
			if !strings.EqualFold(rr.Header().Name, name) {
				continue
			}
			switch a := rr.(type) {
			case *dns.A:
				out.Addresses = append(out.Addresses, a.A.String())
			case *dns.AAAA:
				out.Addresses = append(out.Addresses, a.AAAA.String())
			}
		}
		return len(out.Addresses) > 0
	})
	slices.Sort(out.Addresses)
	out.Addresses = slices.Compact(out.Addresses)
	return out, err
}

// A group is where all of mDNS is sent to (RFC 6762 section 3).
type group struct {
	addr netip.Addr
	mac  net.HardwareAddr // RFC 1112 section 6.4, RFC 2464 section 7
	only probe.Filter     // what is sent to it by UDP
}

var (
	group4 = group{
		netip.MustParseAddr("224.0.0.251"),
		net.HardwareAddr{0x01, 0x00, 0x5e, 0x00, 0x00, 0xfb},
		probe.Filter{EtherType: packet.EtherIPv4, Bytes: append([]probe.Byte{{Offset: 9, Value: packet.UDP}}, probe.Bytes(16, []byte{224, 0, 0, 251})...)},
	}
	group6 = group{
		netip.MustParseAddr("ff02::fb"),
		net.HardwareAddr{0x33, 0x33, 0x00, 0x00, 0x00, 0xfb},
		probe.Filter{EtherType: packet.EtherIPv6, Bytes: append([]probe.Byte{{Offset: 6, Value: packet.UDP}}, probe.Bytes(24, netip.MustParseAddr("ff02::fb").AsSlice())...)},
	}
)

// exchange has a host's message arrive, and gives what the router sends of mDNS on any link.
func exchange(ctx context.Context, h probe.Host, q asking, mac net.HardwareAddr, m *dns.Msg, answers func(netip.Addr, *dns.Msg) bool) (bool, error) {
	g := group4
	if q.From.Is6() {
		g = group6
	}
	text, err := m.Pack()
	if err != nil {
		return false, err
	}
	to := netip.AddrPortFrom(g.addr, port)
	return h.Exchange(ctx, probe.Exchange{
		Link: q.Link, Remote: true, Wait: wait, Repeat: repeat,
		To: probe.Socket{Protocol: "udp", Addr: to}, Only: g.only,
		Frame: func(probe.Endpoint) ([]byte, error) {
			return packet.Frame(g.mac, mac, packet.Datagram(netip.AddrPortFrom(q.From, port), to, text)), nil
		},
		Answers: func(b []byte) bool {
			p, err := packet.Parse(b)
			if err != nil || len(p.Payload) < 8 {
				return false
			}
			var m dns.Msg
			return m.Unpack(p.Payload[8:]) == nil && answers(p.Src, &m)
		},
	})
}
