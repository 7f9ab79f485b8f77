package nftables

import (
	"encoding/binary"
	"fmt"
	"net/netip"

	"github.com/miekg/dns"

	"github.com/nbr-dev/nbr/verify/packet"
)

// A portProbe is what a remote host sends to a port, and how its answers are known.
type portProbe struct {
	proto    byte
	from, to netip.AddrPort
	seq      uint32 // of TCP
	id       uint16 // of DNS
}

// packet is what the remote host sends.
func (k portProbe) packet() ([]byte, error) {
	if k.proto == packet.TCP {
		return packet.Segment(k.from, k.to, k.seq, packet.SYN), nil
	}
	switch k.to.Port() {
	case 123:
		b := make([]byte, 48)
		b[0] = 4<<3 | 3                           // version and client (RFC 5905 section 7.3)
		binary.BigEndian.PutUint32(b[40:], k.seq) // the time, which servers send back
		return packet.Datagram(k.from, k.to, b), nil
	case 1900: // of all devices, also by one address (UPnP Device Architecture 2.0 section 1.3.2)
		return packet.Datagram(k.from, k.to, []byte("M-SEARCH * HTTP/1.1\r\nHOST: "+k.to.String()+"\r\nMAN: \"ssdp:discover\"\r\nMX: 1\r\nST: ssdp:all\r\n\r\n")), nil
	case 5351:
		if k.to.Addr().Is6() { // whether the server has lost what it knew, by PCP (RFC 6887 section 14.1)
			return packet.Datagram(k.from, k.to, append([]byte{0: 2, 7: 0}, k.from.Addr().AsSlice()...)), nil
		}
		// Of the external address, by NAT-PMP (RFC 6886 section 3.2), which IPv6 does not have.
		return packet.Datagram(k.from, k.to, []byte{0, 0}), nil
	}
	// Every server knows that one without asking another (RFC 6761 section 6.3).
	m := new(dns.Msg).SetQuestion("localhost.", dns.TypeA)
	m.Id = k.id
	b, err := m.Pack()
	return packet.Datagram(k.from, k.to, b), err
}

// reset takes back a SYN that was answered.
func (k portProbe) reset() []byte { return packet.Segment(k.from, k.to, k.seq+1, packet.RST) }

// answer says what a packet is if it answers the probe.
func (k portProbe) answer(b []byte) (string, bool) {
	p, err := packet.Parse(b)
	if err != nil || p.Dst != k.from.Addr() {
		return "", false
	}
	if p.Protocol == packet.ICMP || p.Protocol == packet.ICMPv6 {
		return k.unreachable(p.Protocol, p.Payload)
	}
	src, dst, ok := p.Ports()
	if !ok || p.Protocol != k.proto || src != k.to || dst != k.from {
		return "", false
	}
	if k.proto == packet.UDP {
		return k.udpAnswer(p.Payload[8:]), true
	}
	if len(p.Payload) < 20 {
		return "", false
	}
	switch flags := p.Payload[13]; {
	case flags&packet.RST != 0:
		return "RST", true
	case flags&(packet.SYN|packet.ACK) == packet.SYN|packet.ACK && binary.BigEndian.Uint32(p.Payload[8:]) == k.seq+1:
		return "SYN-ACK", true
	}
	return "", false
}

// udpAnswer names what came back: that something did is what matters.
func (k portProbe) udpAnswer(b []byte) string {
	switch {
	case k.to.Port() == 53 && len(b) >= 12 && binary.BigEndian.Uint16(b) == k.id && b[2]&0x80 != 0:
		return "DNS answer"
	case k.to.Port() == 123 && len(b) >= 48 && b[0]&7 == 4:
		return "NTP answer"
	}
	return "UDP answer"
}

// unreachables are how ICMP says that a destination is unreachable, and the codes that a
// firewall's or a host's refusal has (RFC 1812 section 5.2.7.1, RFC 4443 section 3.1).
var unreachables = map[byte]struct {
	name  string
	kind  byte
	words map[byte]string
}{
	packet.ICMP: {"ICMP", 3, map[byte]string{
		0: "network unreachable", 1: "host unreachable", 2: "protocol unreachable", 3: "port unreachable",
		9: "network prohibited", 10: "host prohibited", 13: "administratively prohibited",
	}},
	packet.ICMPv6: {"ICMPv6", 1, map[byte]string{
		0: "no route", 1: "administratively prohibited", 2: "beyond scope of source", 3: "address unreachable",
		4: "port unreachable", 5: "source address failed policy", 6: "reject route",
	}},
}

// unreachable reads an ICMP error that is about the probe (RFC 792, RFC 4443). It has the
// beginning of the packet that it answers.
func (k portProbe) unreachable(proto byte, b []byte) (string, bool) {
	icmp := unreachables[proto]
	if len(b) < 8 || b[0] != icmp.kind {
		return "", false
	}
	p, err := packet.Parse(b[8:])
	if err != nil || p.Protocol != k.proto {
		return "", false
	}
	if src, dst, ok := p.Ports(); !ok || src != k.from || dst != k.to {
		return "", false
	}
	if word, ok := icmp.words[b[1]]; ok {
		return icmp.name + " " + word, true
	}
	return fmt.Sprintf("%s unreachable, code %d", icmp.name, b[1]), true
}
