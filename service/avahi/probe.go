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
	Of   netip.Addr `json:"of"` // the router's own on the link
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

// addresses are those of a name, in their order.
type addresses struct {
	Addresses []string `json:"addresses"`
}

// passedOn asks what of a host's services is passed on, and to which links. Hosts there are told that
// services with a random name are gone (RFC 6762 section 10.1), which is nothing to them.
var passedOn = &probe.Probe[announcing, heard]{Name: "avahi.passed_on", Active: true, Look: lookPassed}

// namedAs asks for the addresses of a name as a host on a link does.
var namedAs = &probe.Probe[naming, addresses]{Name: "avahi.name", Active: true, Look: lookName}

// How long is waited, and when it is sent once more: what several hosts may answer is sent after up to
// 120 ms (RFC 6762 section 6), and what is sent again within a second may be left out.
const (
	wait   = 2500 * time.Millisecond
	repeat = 1100 * time.Millisecond
)

var group4MAC = net.HardwareAddr{0x01, 0x00, 0x5e, 0x00, 0x00, 0xfb} // RFC 1112 section 6.4

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
func lookName(ctx context.Context, h probe.Host, q naming) (addresses, error) {
	name := dns.Fqdn(q.Name)
	out := addresses{Addresses: []string{}}
	m := new(dns.Msg)
	m.SetQuestion(name, dns.TypeA)
	m.Id, m.RecursionDesired = 0, false // RFC 6762 section 18
	_, err := exchange(ctx, h, q.asking, packet.RandomMAC(), m, func(from netip.Addr, m *dns.Msg) bool {
		if !m.Response || from != q.Of {
			return false
		}
		for _, rr := range m.Answer {
			if a, ok := rr.(*dns.A); ok && strings.EqualFold(a.Hdr.Name, name) {
				out.Addresses = append(out.Addresses, a.A.String())
			}
		}
		return len(out.Addresses) > 0
	})
	slices.Sort(out.Addresses)
	return out, err
}

// exchange has a host's message arrive, and gives what the router sends of mDNS on any link.
func exchange(ctx context.Context, h probe.Host, q asking, mac net.HardwareAddr, m *dns.Msg, answers func(netip.Addr, *dns.Msg) bool) (bool, error) {
	if !q.From.Is4() || !q.Of.Is4() {
		return false, fmt.Errorf("%s is no IPv4 address of a host", q.From)
	}
	text, err := m.Pack()
	if err != nil {
		return false, err
	}
	to := netip.AddrPortFrom(group4, port)
	only := append([]probe.Byte{{Offset: 9, Value: packet.UDP}}, probe.Bytes(16, group4.AsSlice())...)
	return h.Exchange(ctx, probe.Exchange{
		Link: q.Link, Remote: true, Wait: wait, Repeat: repeat,
		To:   probe.Socket{Protocol: "udp", Addr: to},
		Only: probe.Filter{EtherType: packet.EtherIPv4, Bytes: only},
		Frame: func(probe.Endpoint) ([]byte, error) {
			return packet.Frame(group4MAC, mac, packet.Datagram(netip.AddrPortFrom(q.From, port), to, text)), nil
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
