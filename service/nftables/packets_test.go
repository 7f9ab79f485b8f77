package nftables

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"testing"

	"github.com/nbr-dev/nbr/router"
	"github.com/nbr-dev/nbr/verify/packet"
	"github.com/nbr-dev/nbr/verify/probe"
)

// probes are of ports 22, 53 and 123.
func probes() (ssh, dns, time portProbe) { return probesOf("198.51.100.7", "100.64.0.2") }

// probes6 are those over IPv6.
func probes6() (ssh, dns, time portProbe) { return probesOf("3fff::7", "2001:db8:f::2") }

func probesOf(from, to string) (ssh, dns, time portProbe) {
	of := func(proto byte, port uint16) portProbe {
		return portProbe{proto, netip.AddrPortFrom(netip.MustParseAddr(from), 50000), netip.AddrPortFrom(netip.MustParseAddr(to), port), 1000, 0x6e62}
	}
	return of(packet.TCP, 22), of(packet.UDP, 53), of(packet.UDP, 123)
}

// segment is a TCP segment with a number that it acknowledges.
func segment(src, dst netip.AddrPort, flags byte, ack uint32) []byte {
	b := packet.Segment(src, dst, 5, flags)
	binary.BigEndian.PutUint32(b[len(b)-20+8:], ack)
	return b
}

// icmp is an error about a packet, of which it has the beginning.
func icmp(k portProbe, kind, code byte, about []byte) []byte {
	text := append([]byte{kind, code, 0, 0, 0, 0, 0, 0}, about...)
	if k.to.Addr().Is6() {
		return packet.IPv6(k.to.Addr(), k.from.Addr(), packet.ICMPv6, text)
	}
	return packet.IPv4(k.to.Addr(), k.from.Addr(), packet.ICMP, text)
}

func TestAnswersToPortProbes(t *testing.T) {
	ssh, dns, ntp := probes()
	other := netip.MustParseAddrPort("100.64.0.9:22")
	syn := packet.Segment(ssh.from, ssh.to, ssh.seq, packet.SYN)
	query, err := dns.packet()
	if err != nil {
		t.Fatal(err)
	}
	dnsAnswer := slices.Clone(query[28:])
	dnsAnswer[2] |= 0x80
	fragment := segment(ssh.to, ssh.from, packet.RST, 0)
	fragment[6] = 0x20
	ssh6, dns6, _ := probes6()
	syn6 := packet.Segment(ssh6.from, ssh6.to, ssh6.seq, packet.SYN)
	behind := segment(ssh6.to, ssh6.from, packet.RST, 0) // a header of options, of which nothing is read
	behind[6] = 0
	for _, tt := range []struct {
		name string
		k    portProbe
		b    []byte
		want string // or nothing
	}{
		{"open", ssh, segment(ssh.to, ssh.from, packet.SYN|packet.ACK, 1001), "SYN-ACK"},
		{"closed", ssh, segment(ssh.to, ssh.from, packet.RST|packet.ACK, 1001), "RST"},
		{"closed, in short", ssh, segment(ssh.to, ssh.from, packet.RST, 0), "RST"},
		{"rejected", ssh, icmp(ssh, 3, 13, syn), "ICMP administratively prohibited"},
		{"rejected with as little as RFC 792 wants", ssh, icmp(ssh, 3, 3, syn[:28]), "ICMP port unreachable"},
		{"rejected somehow", ssh, icmp(ssh, 3, 99, syn), "ICMP unreachable, code 99"},
		{"DNS", dns, packet.Datagram(dns.to, dns.from, dnsAnswer), "DNS answer"},
		{"something of port 53", dns, packet.Datagram(dns.to, dns.from, []byte("hello")), "UDP answer"},
		{"an echo of port 53", dns, packet.Datagram(dns.to, dns.from, query[28:]), "UDP answer"},
		{"NTP", ntp, packet.Datagram(ntp.to, ntp.from, append([]byte{0x24}, make([]byte, 47)...)), "NTP answer"},
		{"an echo of port 123", ntp, packet.Datagram(ntp.to, ntp.from, append([]byte{0x23}, make([]byte, 47)...)), "UDP answer"},
		{"nothing in it", ntp, packet.Datagram(ntp.to, ntp.from, nil), "UDP answer"},

		{"the question", ssh, syn, ""},
		{"of another SYN", ssh, segment(ssh.to, ssh.from, packet.SYN|packet.ACK, 1002), ""},
		{"of a connection", ssh, segment(ssh.to, ssh.from, packet.ACK, 1001), ""},
		{"of another host", ssh, segment(other, ssh.from, packet.RST, 0), ""},
		{"of another port", ssh, segment(netip.AddrPortFrom(ssh.to.Addr(), 23), ssh.from, packet.RST, 0), ""},
		{"to another port", ssh, segment(ssh.to, netip.AddrPortFrom(ssh.from.Addr(), 50001), packet.RST, 0), ""},
		{"to another host", ssh, segment(ssh.to, other, packet.RST, 0), ""},
		{"of another protocol", ssh, packet.Datagram(ssh.to, ssh.from, make([]byte, 12)), ""},
		{"a fragment", ssh, fragment, ""},
		{"half a segment", ssh, segment(ssh.to, ssh.from, packet.RST, 0)[:32], ""},
		{"a ping's answer", ssh, icmp(ssh, 0, 0, syn), ""},
		{"too old", ssh, icmp(ssh, 11, 0, syn), ""},
		{"about another packet", ssh, icmp(ssh, 3, 3, packet.Segment(ssh.from, other, 1000, packet.SYN)), ""},
		{"about another protocol", ssh, icmp(ssh, 3, 3, query), ""},
		{"about nothing", ssh, icmp(ssh, 3, 3, nil), ""},
		{"about too little", ssh, icmp(ssh, 3, 3, syn[:27]), ""},
		{"IPv6", ssh, append([]byte{0x60}, syn[1:]...), ""},

		{"open over IPv6", ssh6, segment(ssh6.to, ssh6.from, packet.SYN|packet.ACK, 1001), "SYN-ACK"},
		{"closed over IPv6", ssh6, segment(ssh6.to, ssh6.from, packet.RST|packet.ACK, 1001), "RST"},
		{"rejected over IPv6", ssh6, icmp(ssh6, 1, 1, syn6), "ICMPv6 administratively prohibited"},
		{"rejected over IPv6, port by port", ssh6, icmp(ssh6, 1, 4, syn6[:48]), "ICMPv6 port unreachable"},
		{"rejected over IPv6 somehow", ssh6, icmp(ssh6, 1, 99, syn6), "ICMPv6 unreachable, code 99"},
		{"something of port 53 over IPv6", dns6, packet.Datagram(dns6.to, dns6.from, []byte("hello")), "UDP answer"},
		{"the question over IPv6", ssh6, syn6, ""},
		{"too big over IPv6", ssh6, icmp(ssh6, 2, 0, syn6), ""},
		{"too old over IPv6", ssh6, icmp(ssh6, 3, 0, syn6), ""},
		{"IPv4's number of unreachable over IPv6", ssh6, icmp(ssh6, 3, 3, syn6), ""},
		{"about another packet over IPv6", ssh6, icmp(ssh6, 1, 4, packet.Segment(ssh6.from, dns6.to, 1000, packet.SYN)), ""},
		{"about too little over IPv6", ssh6, icmp(ssh6, 1, 4, syn6[:47]), ""},
		{"about IPv4 over IPv6", ssh6, icmp(ssh6, 1, 4, syn), ""},
		{"behind another header", ssh6, behind, ""},
		{"nothing", ssh, nil, ""},
	} {
		got, ok := tt.k.answer(tt.b)
		if got != tt.want || ok != (tt.want != "") {
			t.Errorf("%s: %q, %t, want %q", tt.name, got, ok, tt.want)
		}
	}
}

// What a remote host sends reads back as what it is.
func TestPacketsOfPortProbes(t *testing.T) {
	for _, all := range []func() (ssh, dns, time portProbe){probes, probes6} {
		ssh, dns, ntp := all()
		pcp := dns
		pcp.to = netip.AddrPortFrom(pcp.to.Addr(), 5351)
		packets := [][]byte{ssh.reset()}
		for _, k := range []portProbe{ssh, dns, ntp, pcp} {
			b, err := k.packet()
			if err != nil {
				t.Fatal(err)
			}
			packets = append(packets, b)
		}
		for _, b := range packets {
			p, err := packet.Parse(b)
			if err != nil {
				t.Fatal(err)
			}
			if src, dst, ok := p.Ports(); !ok || src != ssh.from || dst.Addr() != ssh.to.Addr() {
				t.Errorf("%s to %s", src, dst)
			}
			// By this the kernel picks the answer out.
			for _, o := range sentTo(p.Dst).Bytes {
				if b[o.Offset] != o.Value {
					t.Errorf("byte %d of a packet to %s is %#x, want %#x", o.Offset, p.Dst, b[o.Offset], o.Value)
				}
			}
		}
	}
}

func TestRemotePortText(t *testing.T) {
	for want, q := range map[string]remotePort{"wan tcp/22": {"wan", router.TCP, 22, router.IPv4, 0}, "ppp0.7 udp/53": {"ppp0.7", router.UDP, 53, router.IPv4, 0}, "wan tcp/22 ipv6": {"wan", router.TCP, 22, router.IPv6, 0}} {
		if got, err := q.MarshalText(); err != nil || string(got) != want {
			t.Errorf("%s, %v, want %s", got, err, want)
		}
	}
}

// wayHost is a machine with ways to remote hosts and nothing else.
type wayHost struct {
	probe.Host
	way func(to netip.Addr) (probe.Way, error)
}

func (h wayHost) Way(_ context.Context, _ string, _ uint32, to netip.Addr) (probe.Way, error) {
	return h.way(to)
}

// Remote hosts differ, and all are of the networks for documentation.
func TestRemoteHosts(t *testing.T) {
	seen := map[netip.AddrPort]bool{}
	h := wayHost{way: func(netip.Addr) (probe.Way, error) { return probe.Way{Gateway: true}, nil }}
	for i := range 300 {
		networks := slices.Concat(documentation[router.IPv4], documentation[router.IPv6])
		network := networks[i%len(networks)]
		a, _, err := remoteIn(t.Context(), h, remotePort{Link: "wan"}, network)
		k := newPortProbe(packet.TCP, a, netip.AddrPort{})
		if last := a.AsSlice()[a.BitLen()/8-1]; err != nil || !network.Contains(a) || last == 0 || last == 255 || k.from.Port() < 49152 {
			t.Fatal(k.from, err)
		}
		seen[k.from] = true
	}
	if len(seen) < 290 {
		t.Errorf("%d remote hosts of 300", len(seen))
	}
}

// A remote host is never the router itself, whose uplink may be of the same network.
func TestRemoteHostsAreNotTheRouter(t *testing.T) {
	h := wayHost{way: func(to netip.Addr) (probe.Way, error) {
		return probe.Way{Own: to.AsSlice()[to.BitLen()/8-1] != 77}, nil
	}}
	for range 300 {
		if a, _, err := remoteIn(t.Context(), h, remotePort{Link: "wan"}, documentation[router.IPv4][1]); err != nil || a != netip.AddrFrom4([4]byte{203, 0, 113, 77}) {
			t.Fatal(a, err)
		}
		if a, _, err := remoteIn(t.Context(), h, remotePort{Link: "wan"}, documentation[router.IPv6][0]); err != nil || a.As16()[15] != 77 {
			t.Fatal(a, err)
		}
	}
	all := wayHost{way: func(netip.Addr) (probe.Way, error) { return probe.Way{Own: true}, nil }}
	for _, networks := range documentation {
		if a, _, err := findRemote(t.Context(), all, remotePort{Link: "wan"}, networks); !errors.As(err, new(probe.NoWay)) || a.IsValid() {
			t.Errorf("%s, %v of a router that has all addresses", a, err)
		}
	}
}

// What leaves may be anything; an answer is about the probe.
func FuzzPortAnswers(f *testing.F) {
	ssh, dns, ntp := probes()
	syn := packet.Segment(ssh.from, ssh.to, ssh.seq, packet.SYN)
	f.Add(segment(ssh.to, ssh.from, packet.SYN|packet.ACK, 1001))
	f.Add(segment(ssh.to, ssh.from, packet.RST, 0))
	f.Add(icmp(ssh, 3, 13, syn))
	f.Add(packet.Datagram(dns.to, dns.from, []byte("hello")))
	f.Add(packet.Datagram(ntp.to, ntp.from, append([]byte{0x24}, make([]byte, 47)...)))
	ssh6, _, _ := probes6()
	f.Add(segment(ssh6.to, ssh6.from, packet.SYN|packet.ACK, 1001))
	f.Add(icmp(ssh6, 1, 4, packet.Segment(ssh6.from, ssh6.to, ssh6.seq, packet.SYN)))
	f.Fuzz(func(t *testing.T, b []byte) {
		for _, k := range []portProbe{ssh, dns, ntp, ssh6} {
			word, ok := k.answer(b)
			if ok != (word != "") {
				t.Errorf("%q, %t", word, ok)
			}
			to := map[bool][2]int{false: {16, 20}, true: {24, 40}}[k.from.Addr().Is6()]
			if ok && string(b[to[0]:to[1]]) != string(k.from.Addr().AsSlice()) {
				t.Errorf("%q to another host: %s", word, fmt.Sprintf("% x", b))
			}
		}
	})
}
