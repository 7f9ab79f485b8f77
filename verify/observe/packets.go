package observe

import (
	"encoding/binary"
	"errors"
	"net"
	"net/netip"
)

// Protocol numbers of IPv4 and a type of Ethernet (IANA).
const (
	protoICMP = 1
	protoTCP  = 6
	protoUDP  = 17

	etherIPv4 = 0x0800
)

// Flags of a TCP segment (RFC 9293 section 3.1).
const (
	tcpSYN = 0x02
	tcpRST = 0x04
	tcpACK = 0x10
)

// frame puts an IPv4 packet into an Ethernet frame.
func frame(dst, src net.HardwareAddr, packet []byte) []byte {
	b := make([]byte, 14, 14+len(packet))
	copy(b, dst)
	copy(b[6:], src)
	binary.BigEndian.PutUint16(b[12:], etherIPv4)
	return append(b, packet...)
}

// ipv4 puts a payload into an IPv4 packet (RFC 791 section 3.1).
func ipv4(src, dst netip.Addr, proto byte, payload []byte) []byte {
	b := make([]byte, 20, 20+len(payload))
	b[0] = 0x45
	binary.BigEndian.PutUint16(b[2:], uint16(20+len(payload)))
	b[8], b[9] = 64, proto
	copy(b[12:], src.AsSlice())
	copy(b[16:], dst.AsSlice())
	binary.BigEndian.PutUint16(b[10:], checksum(b))
	return append(b, payload...)
}

// udp is a datagram in its packet (RFC 768).
func udp(src, dst netip.AddrPort, payload []byte) []byte {
	b := make([]byte, 8, 8+len(payload))
	binary.BigEndian.PutUint16(b, src.Port())
	binary.BigEndian.PutUint16(b[2:], dst.Port())
	binary.BigEndian.PutUint16(b[4:], uint16(8+len(payload)))
	b = append(b, payload...)
	sum := checksum(pseudo(src, dst, protoUDP, len(b)), b)
	if sum == 0 { // which would say that there is none
		sum = 0xffff
	}
	binary.BigEndian.PutUint16(b[6:], sum)
	return ipv4(src.Addr(), dst.Addr(), protoUDP, b)
}

// tcp is a segment without data in its packet (RFC 9293 section 3.1).
func tcp(src, dst netip.AddrPort, seq uint32, flags byte) []byte {
	b := make([]byte, 20)
	binary.BigEndian.PutUint16(b, src.Port())
	binary.BigEndian.PutUint16(b[2:], dst.Port())
	binary.BigEndian.PutUint32(b[4:], seq)
	b[12], b[13] = 5<<4, flags
	binary.BigEndian.PutUint16(b[14:], 0xffff)
	binary.BigEndian.PutUint16(b[16:], checksum(pseudo(src, dst, protoTCP, len(b)), b))
	return ipv4(src.Addr(), dst.Addr(), protoTCP, b)
}

// pseudo is what the checksums of UDP and TCP have in front.
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

// An ipPacket is the whole packet of a protocol, or the beginning of one where an
// ICMP error tells which packet it is about.
type ipPacket struct {
	src, dst netip.Addr
	proto    byte
	payload  []byte
}

// parseIPv4 reads a packet. Checksums do not count: on its way out, a packet may not
// have its own yet.
func parseIPv4(b []byte) (ipPacket, error) {
	if len(b) < 20 || b[0]>>4 != 4 {
		return ipPacket{}, errors.New("no IPv4 packet")
	}
	head, total := int(b[0]&0x0f)*4, int(binary.BigEndian.Uint16(b[2:]))
	if head < 20 || total < head || len(b) < head {
		return ipPacket{}, errors.New("false lengths")
	}
	if binary.BigEndian.Uint16(b[6:])&0x3fff != 0 { // more fragments, or not the first
		return ipPacket{}, errors.New("a fragment")
	}
	// Ethernet pads, and an ICMP error cuts.
	p := ipPacket{proto: b[9], payload: b[head:min(total, len(b))]}
	p.src, _ = netip.AddrFromSlice(b[12:16])
	p.dst, _ = netip.AddrFromSlice(b[16:20])
	return p, nil
}

// ports are the first four bytes of UDP and TCP.
func (p ipPacket) ports() (src, dst netip.AddrPort, ok bool) {
	if len(p.payload) < 8 {
		return src, dst, false
	}
	return netip.AddrPortFrom(p.src, binary.BigEndian.Uint16(p.payload)),
		netip.AddrPortFrom(p.dst, binary.BigEndian.Uint16(p.payload[2:])), true
}
