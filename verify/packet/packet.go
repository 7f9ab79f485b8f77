// Package packet writes and reads the few packets that probes send and hear: Ethernet frames,
// UDP datagrams, TCP segments without data, and ICMPv6. It sends nothing itself.
package packet

import (
	"crypto/rand"
	"encoding/binary"
	"errors"
	"net"
	"net/netip"
)

// Protocol numbers of IP and types of Ethernet (IANA).
const (
	ICMP   = 1
	TCP    = 6
	UDP    = 17
	ICMPv6 = 58

	EtherIPv4 = 0x0800
	EtherIPv6 = 0x86dd
)

// Flags of a TCP segment (RFC 9293 section 3.1).
const (
	SYN = 0x02
	RST = 0x04
	ACK = 0x10
)

// Frame puts an IP packet into an Ethernet frame.
func Frame(dst, src net.HardwareAddr, packet []byte) []byte {
	b := make([]byte, 14, 14+len(packet))
	copy(b, dst)
	copy(b[6:], src)
	binary.BigEndian.PutUint16(b[12:], EtherIPv4)
	if packet[0]>>4 == 6 {
		binary.BigEndian.PutUint16(b[12:], EtherIPv6)
	}
	return append(b, packet...)
}

// IPv4 puts a payload into an IPv4 packet (RFC 791 section 3.1).
func IPv4(src, dst netip.Addr, proto byte, payload []byte) []byte {
	b := make([]byte, 20, 20+len(payload))
	b[0] = 0x45
	binary.BigEndian.PutUint16(b[2:], uint16(20+len(payload)))
	b[8], b[9] = 64, proto
	copy(b[12:], src.AsSlice())
	copy(b[16:], dst.AsSlice())
	binary.BigEndian.PutUint16(b[10:], checksum(b))
	return append(b, payload...)
}

// IPv6 puts a payload into an IPv6 packet (RFC 8200 section 3). One of ICMPv6 gets its checksum
// (RFC 4443 section 2.3), and the hop limit of neighbour discovery, which others may have as
// well (RFC 4861 section 7.1.1).
func IPv6(src, dst netip.Addr, proto byte, payload []byte) []byte {
	if proto == ICMPv6 {
		payload = append([]byte{}, payload...)
		sum := checksum(pseudo(netip.AddrPortFrom(src, 0), netip.AddrPortFrom(dst, 0), ICMPv6, len(payload)), payload)
		binary.BigEndian.PutUint16(payload[2:], sum)
	}
	b := make([]byte, 40, 40+len(payload))
	b[0] = 0x60
	binary.BigEndian.PutUint16(b[4:], uint16(len(payload)))
	b[6], b[7] = proto, 255
	copy(b[8:], src.AsSlice())
	copy(b[24:], dst.AsSlice())
	return append(b, payload...)
}

// Datagram is a UDP datagram in its packet (RFC 768).
func Datagram(src, dst netip.AddrPort, payload []byte) []byte {
	b := make([]byte, 8, 8+len(payload))
	binary.BigEndian.PutUint16(b, src.Port())
	binary.BigEndian.PutUint16(b[2:], dst.Port())
	binary.BigEndian.PutUint16(b[4:], uint16(8+len(payload)))
	b = append(b, payload...)
	sum := checksum(pseudo(src, dst, UDP, len(b)), b)
	if sum == 0 { // which would say that there is none
		sum = 0xffff
	}
	binary.BigEndian.PutUint16(b[6:], sum)
	return between(src.Addr(), dst.Addr(), UDP, b)
}

// Segment is a TCP segment without data in its packet (RFC 9293 section 3.1).
func Segment(src, dst netip.AddrPort, seq uint32, flags byte) []byte {
	b := make([]byte, 20)
	binary.BigEndian.PutUint16(b, src.Port())
	binary.BigEndian.PutUint16(b[2:], dst.Port())
	binary.BigEndian.PutUint32(b[4:], seq)
	b[12], b[13] = 5<<4, flags
	binary.BigEndian.PutUint16(b[14:], 0xffff)
	binary.BigEndian.PutUint16(b[16:], checksum(pseudo(src, dst, TCP, len(b)), b))
	return between(src.Addr(), dst.Addr(), TCP, b)
}

// between puts a payload into a packet of the addresses' family.
func between(src, dst netip.Addr, proto byte, payload []byte) []byte {
	if dst.Is6() {
		return IPv6(src, dst, proto, payload)
	}
	return IPv4(src, dst, proto, payload)
}

// pseudo is what the checksums of UDP, TCP and ICMPv6 have in front: that of IPv6 (RFC 8200
// section 8.1) has the same sum.
func pseudo(src, dst netip.AddrPort, proto byte, length int) []byte {
	b := append(src.Addr().AsSlice(), dst.Addr().AsSlice()...)
	return append(b, 0, proto, byte(length>>8), byte(length))
}

// checksum is the Internet's (RFC 1071). All parts but the last are of even length.
func checksum(parts ...[]byte) uint16 {
	var sum uint32
	for _, p := range parts {
		for ; len(p) > 1; p = p[2:] {
			sum += uint32(binary.BigEndian.Uint16(p))
		}
		if len(p) == 1 {
			sum += uint32(p[0]) << 8
		}
	}
	for sum > 0xffff {
		sum = sum>>16 + sum&0xffff
	}
	return ^uint16(sum)
}

// A Packet is the whole packet of a protocol, or the beginning of one where an
// ICMP error tells which packet it is about.
type Packet struct {
	Src, Dst netip.Addr
	Protocol byte
	Payload  []byte
}

// Parse reads a packet; one of IPv6 is that of its first header. Checksums do not count: on its way out, a packet may not
// have its own yet.
func Parse(b []byte) (Packet, error) {
	if len(b) >= 40 && b[0]>>4 == 6 {
		p := Packet{Protocol: b[6], Payload: b[40:min(40+int(binary.BigEndian.Uint16(b[4:])), len(b))]}
		p.Src, _ = netip.AddrFromSlice(b[8:24])
		p.Dst, _ = netip.AddrFromSlice(b[24:40])
		return p, nil
	}
	if len(b) < 20 || b[0]>>4 != 4 {
		return Packet{}, errors.New("no IP packet")
	}
	head, total := int(b[0]&0x0f)*4, int(binary.BigEndian.Uint16(b[2:]))
	if head < 20 || total < head || len(b) < head {
		return Packet{}, errors.New("false lengths")
	}
	if binary.BigEndian.Uint16(b[6:])&0x3fff != 0 { // more fragments, or not the first
		return Packet{}, errors.New("a fragment")
	}
	// Ethernet pads, and an ICMP error cuts.
	p := Packet{Protocol: b[9], Payload: b[head:min(total, len(b))]}
	p.Src, _ = netip.AddrFromSlice(b[12:16])
	p.Dst, _ = netip.AddrFromSlice(b[16:20])
	return p, nil
}

// Ports are the first four bytes of UDP and TCP.
func (p Packet) Ports() (src, dst netip.AddrPort, ok bool) {
	if len(p.Payload) < 8 {
		return src, dst, false
	}
	return netip.AddrPortFrom(p.Src, binary.BigEndian.Uint16(p.Payload)),
		netip.AddrPortFrom(p.Dst, binary.BigEndian.Uint16(p.Payload[2:])), true
}

// LinkLocal is the address that a host makes of its MAC address (RFC 4291 appendix A).
func LinkLocal(mac net.HardwareAddr) netip.Addr {
	return netip.AddrFrom16([16]byte{0: 0xfe, 1: 0x80, 8: mac[0] ^ 2, 9: mac[1], 10: mac[2], 11: 0xff, 12: 0xfe, 13: mac[3], 14: mac[4], 15: mac[5]})
}

// RandomMAC is a MAC address of one host that no vendor has given to a device (IEEE 802c).
func RandomMAC() net.HardwareAddr {
	mac := make(net.HardwareAddr, 6)
	_, _ = rand.Read(mac) // which does not fail
	mac[0] = mac[0]&^1 | 2
	return mac
}
