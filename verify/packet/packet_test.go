package packet

import (
	"encoding/binary"
	"net/netip"
	"testing"
)

// Packets have checksums that a kernel takes, and read back as what they are.
func TestPackets(t *testing.T) {
	for from, to := range map[string]string{"198.51.100.7:50000": "100.64.0.2:53", "[2001:db8::7]:50000": "[2001:db8:1::2]:53"} {
		src, dst := netip.MustParseAddrPort(from), netip.MustParseAddrPort(to)
		for _, b := range [][]byte{Segment(src, dst, 1001, RST), Segment(src, dst, 1000, SYN), Datagram(src, dst, nil), Datagram(src, dst, []byte("odd"))} {
			p, err := Parse(b)
			if err != nil {
				t.Fatal(err)
			}
			if gotSrc, gotDst, ok := p.Ports(); !ok || gotSrc != src || gotDst != dst {
				t.Errorf("%s to %s", gotSrc, gotDst)
			}
			if dst.Addr().Is4() && checksum(b[:20]) != 0 || checksum(pseudo(src, dst, p.Protocol, len(p.Payload)), p.Payload) != 0 {
				t.Errorf("false checksums: % x", b)
			}
		}
	}
}

// A datagram whose checksum would be zero says that it has one (RFC 768).
func TestChecksumOfZero(t *testing.T) {
	src, dst := netip.MustParseAddrPort("198.51.100.7:50000"), netip.MustParseAddrPort("100.64.0.2:53")
	b := Datagram(src, dst, []byte{0, 0})
	sum := binary.BigEndian.Uint16(b[26:])
	b = Datagram(src, dst, binary.BigEndian.AppendUint16(nil, sum))
	if got := binary.BigEndian.Uint16(b[26:]); got != 0xffff {
		t.Errorf("%#04x", got)
	}
}

func TestRandomMAC(t *testing.T) {
	for range 300 {
		if mac := RandomMAC(); len(mac) != 6 || mac[0]&3 != 2 {
			t.Fatal(mac)
		}
	}
}

func FuzzParse(f *testing.F) {
	f.Add(Datagram(netip.MustParseAddrPort("198.51.100.7:50000"), netip.MustParseAddrPort("100.64.0.2:53"), []byte("hello")))
	f.Add(append([]byte{0: 0x60, 5: 5, 6: 17, 7: 64, 39: 1}, "hello"...))
	f.Fuzz(func(t *testing.T, b []byte) {
		p, err := Parse(b)
		head := 20
		if p.Src.Is6() {
			head = 40
		}
		if err == nil && (!p.Src.IsValid() || p.Src.Is4() != p.Dst.Is4() || len(p.Payload) > len(b)-head) {
			t.Errorf("%+v", p)
		}
	})
}
