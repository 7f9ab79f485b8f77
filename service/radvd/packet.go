package radvd

import (
	"encoding/binary"
	"errors"
	"net"
	"net/netip"
	"strings"

	"github.com/nbr-dev/nbr/verify/packet"
)

// Numbers of RFC 4861 and of those that add options to it.
const (
	hopLimit = 255 // of neighbour discovery: the packet was not forwarded

	typeSolicitation  = 133
	typeAdvertisement = 134

	optionSourceLink = 1
	optionPrefix     = 3
	optionMTU        = 5
	optionRoute      = 24 // RFC 4191
	optionRDNSS      = 25 // RFC 8106
	optionDNSSL      = 31
	optionPREF64     = 38 // RFC 8781
)

// routers is the group of all routers on a link, and its MAC address (RFC 2464 section 7).
var (
	routers    = netip.MustParseAddr("ff02::2")
	routersMAC = net.HardwareAddr{0x33, 0x33, 0, 0, 0, 2}
)

// solicitation is a Router Solicitation (RFC 4861 section 4.1) in an Ethernet frame. A host
// without an address has the unspecified one, and does not say its MAC address then.
func solicitation(mac net.HardwareAddr, from netip.Addr) []byte {
	message := []byte{typeSolicitation, 0, 0, 0, 0, 0, 0, 0}
	if !from.IsUnspecified() {
		message = append(append(message, optionSourceLink, 1), mac...)
	}
	return packet.Frame(routersMAC, mac, packet.IPv6(from, routers, packet.ICMPv6, message))
}

// A received is an advertisement and where it is from and to.
type received struct {
	from, to netip.Addr
	advert   advert
}

var errNotAdvert = errors.New("no router advertisement")

// parse reads an IPv6 packet that is a Router Advertisement which a host would take (RFC 4861
// section 6.1.2). Of its checksum nothing is said: on its way out, a packet may not have its
// own yet. An option that is not as long as it has to be makes the whole of it void.
func parse(b []byte) (received, error) {
	if len(b) < 40+16 || b[0]>>4 != 6 || b[6] != packet.ICMPv6 || b[7] != hopLimit || b[40] != typeAdvertisement || b[41] != 0 {
		return received{}, errNotAdvert
	}
	end := 40 + int(binary.BigEndian.Uint16(b[4:]))
	if end < 40+16 || end > len(b) {
		return received{}, errNotAdvert
	}
	from, to := netip.AddrFrom16([16]byte(b[8:])), netip.AddrFrom16([16]byte(b[24:]))
	if !from.IsLinkLocalUnicast() {
		return received{}, errNotAdvert
	}
	m := b[40:end]
	a := advert{
		Answered:   true,
		Lifetime:   int64(binary.BigEndian.Uint16(m[6:])),
		Managed:    m[5]&0x80 != 0,
		Other:      m[5]&0x40 != 0,
		Preference: [...]string{"medium", "high", "medium", "low"}[m[5]>>3&3], // RFC 4191 section 2.2
	}
	for o := m[16:]; len(o) > 0; {
		if len(o) < 8 || o[1] == 0 || int(o[1])*8 > len(o) {
			return received{}, errNotAdvert
		}
		if !a.option(o[:int(o[1])*8]) {
			return received{}, errNotAdvert
		}
		o = o[int(o[1])*8:]
	}
	return received{from, to, a}, nil
}

// option reads one option, whose length is a multiple of eight bytes, and tells whether it
// may be. Unknown ones are left out (RFC 4861 section 6.1.2).
func (a *advert) option(o []byte) bool {
	long := func(b []byte) int64 { return int64(binary.BigEndian.Uint32(b)) }
	switch o[0] {
	case optionPrefix: // RFC 4861 section 4.6.2
		if len(o) != 32 || o[2] > 128 {
			return false
		}
		a.Prefixes = append(a.Prefixes, prefix{
			Prefix: netip.PrefixFrom(netip.AddrFrom16([16]byte(o[16:])), int(o[2])).Masked().String(),
			OnLink: o[3]&0x80 != 0, Autonomous: o[3]&0x40 != 0, Valid: long(o[4:]), Preferred: long(o[8:]),
		})
	case optionMTU: // section 4.6.4
		if len(o) != 8 {
			return false
		}
		a.MTU = long(o[4:])
	case optionRoute: // RFC 4191 section 2.3: the prefix is as long as it has to be
		if bits := int(o[2]); len(o) > 24 || bits > 128 || bits > (len(o)-8)*8 {
			return false
		}
		var raw [16]byte
		copy(raw[:], o[8:])
		a.Routes = append(a.Routes, named{netip.PrefixFrom(netip.AddrFrom16(raw), int(o[2])).Masked().String(), long(o[4:])})
	case optionRDNSS: // RFC 8106 section 5.1
		if len(o) < 24 || len(o)%16 != 8 {
			return false
		}
		for s := o[8:]; len(s) > 0; s = s[16:] {
			a.DNS = append(a.DNS, named{netip.AddrFrom16([16]byte(s)).String(), long(o[4:])})
		}
	case optionDNSSL: // section 5.2
		names, ok := domainNames(o[8:])
		if !ok {
			return false
		}
		for _, n := range names {
			a.Domains = append(a.Domains, named{n, long(o[4:])})
		}
	case optionPREF64: // RFC 8781 section 4
		code := binary.BigEndian.Uint16(o[2:]) & 7
		if len(o) != 16 || int(code) >= len(lengths64) {
			return false
		}
		var raw [16]byte
		copy(raw[:], o[4:])
		prefix := netip.PrefixFrom(netip.AddrFrom16(raw), lengths64[code]).Masked()
		a.PREF64 = append(a.PREF64, named{prefix.String(), int64(binary.BigEndian.Uint16(o[2:]) &^ 7)})
	}
	return true
}

// lengths64 are the lengths of prefixes of NAT64 by their codes (RFC 8781 section 4).
var lengths64 = []int{96, 64, 56, 48, 40, 32}

// domainNames reads names in the form of RFC 1035 section 3.1, without compression, until
// zeros fill the rest.
func domainNames(b []byte) (names []string, ok bool) {
	var labels []string
	for len(b) > 0 {
		n := int(b[0])
		b = b[1:]
		switch {
		case n > 63 || n > len(b):
			return nil, false
		case n > 0:
			labels = append(labels, printable(b[:n]))
			b = b[n:]
		case len(labels) > 0:
			names = append(names, strings.Join(labels, "."))
			labels = nil
		}
	}
	return names, len(labels) == 0
}

// printable replaces what has no place in a label of a report.
func printable(label []byte) string {
	return strings.Map(func(r rune) rune {
		if r <= ' ' || r >= 0x7f || r == '.' {
			return '?'
		}
		return r
	}, string(label))
}
