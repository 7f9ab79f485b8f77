package observe

import (
	"encoding/binary"
	"errors"
	"fmt"
	"net/netip"
	"strconv"
	"strings"

	"github.com/miekg/dns"
)

// A knock is what a stranger sends to a port, and how its answers are known.
type knock struct {
	proto    byte
	from, to netip.AddrPort
	seq      uint32 // of TCP
	id       uint16 // of DNS
}

// parseKnock reads the name of a [state.NeedReach]: a link, a protocol and a port of the
// router.
func parseKnock(name string) (link string, k knock, err error) {
	link, text, has := strings.Cut(name, " ")
	proto, number, slash := strings.Cut(text, "/")
	port, err := strconv.ParseUint(number, 10, 16)
	if !has || !slash || link == "" || len(link) >= 16 || err != nil || port == 0 {
		return "", k, errors.New("not a link and a port, as in wan tcp/22")
	}
	switch {
	case proto == "tcp":
		k.proto = protoTCP
	case proto == "udp" && (port == 53 || port == 123):
		k.proto = protoUDP
	case proto == "udp":
		// UDP itself does not answer: silence would say nothing.
		return "", k, fmt.Errorf("no question is known for udp/%d", port)
	default:
		return "", k, fmt.Errorf("%q is neither tcp nor udp", proto)
	}
	k.to = netip.AddrPortFrom(netip.Addr{}, uint16(port))
	return link, k, nil
}

// packet is what the stranger sends.
func (k knock) packet() ([]byte, error) {
	if k.proto == protoTCP {
		return tcp(k.from, k.to, k.seq, tcpSYN), nil
	}
	if k.to.Port() == 123 {
		b := make([]byte, 48)
		b[0] = 4<<3 | 3                           // version and client (RFC 5905 section 7.3)
		binary.BigEndian.PutUint32(b[40:], k.seq) // the time, which nobody reads
		return udp(k.from, k.to, b), nil
	}
	// Every server knows that one without asking another (RFC 6761 section 6.3).
	m := new(dns.Msg).SetQuestion("localhost.", dns.TypeA)
	m.Id = k.id
	b, err := m.Pack()
	return udp(k.from, k.to, b), err
}

// reset takes back a SYN that was answered.
func (k knock) reset() []byte { return tcp(k.from, k.to, k.seq+1, tcpRST) }

// answer says what a packet is if it answers the knock.
func (k knock) answer(b []byte) (string, bool) {
	p, err := parseIPv4(b)
	if err != nil || p.dst != k.from.Addr() {
		return "", false
	}
	if p.proto == protoICMP {
		return k.unreachable(p.payload)
	}
	src, dst, ok := p.ports()
	if !ok || p.proto != k.proto || src != k.to || dst != k.from {
		return "", false
	}
	if k.proto == protoUDP {
		return k.udpAnswer(p.payload[8:]), true
	}
	if len(p.payload) < 20 {
		return "", false
	}
	switch flags := p.payload[13]; {
	case flags&tcpRST != 0:
		return "RST", true
	case flags&(tcpSYN|tcpACK) == tcpSYN|tcpACK && binary.BigEndian.Uint32(p.payload[8:]) == k.seq+1:
		return "SYN-ACK", true
	}
	return "", false
}

// udpAnswer names what came back: that something did is what matters.
func (k knock) udpAnswer(b []byte) string {
	switch {
	case k.to.Port() == 53 && len(b) >= 12 && binary.BigEndian.Uint16(b) == k.id && b[2]&0x80 != 0:
		return "DNS answer"
	case k.to.Port() == 123 && len(b) >= 48 && b[0]&7 == 4:
		return "NTP answer"
	}
	return "UDP answer"
}

// unreachables are the codes that a firewall's or a host's refusal has (RFC 1812
// section 5.2.7.1).
var unreachables = map[byte]string{
	0: "ICMP network unreachable", 1: "ICMP host unreachable", 2: "ICMP protocol unreachable",
	3: "ICMP port unreachable", 9: "ICMP network prohibited", 10: "ICMP host prohibited",
	13: "ICMP administratively prohibited",
}

// unreachable reads an ICMP error that is about the knock (RFC 792). It has the
// beginning of the packet that it answers.
func (k knock) unreachable(b []byte) (string, bool) {
	if len(b) < 8 || b[0] != 3 {
		return "", false
	}
	p, err := parseIPv4(b[8:])
	if err != nil || p.proto != k.proto {
		return "", false
	}
	if src, dst, ok := p.ports(); !ok || src != k.from || dst != k.to {
		return "", false
	}
	if word, ok := unreachables[b[1]]; ok {
		return word, true
	}
	return fmt.Sprintf("ICMP unreachable, code %d", b[1]), true
}
