package observe

import (
	"encoding/binary"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"testing"
)

// knocks are a stranger's at 22, 53 and 123.
func knocks(t testing.TB) (ssh, dns, time knock) {
	t.Helper()
	list := []*knock{&ssh, &dns, &time}
	for i, name := range []string{"wan tcp/22", "wan udp/53", "wan udp/123"} {
		link, k, err := parseKnock(name)
		if err != nil || link != "wan" {
			t.Fatal(link, err)
		}
		k.from = netip.MustParseAddrPort("198.51.100.7:50000")
		k.to = netip.AddrPortFrom(netip.MustParseAddr("100.64.0.2"), k.to.Port())
		k.seq, k.id = 1000, 0x6e62
		*list[i] = k
	}
	return ssh, dns, time
}

// segment is a TCP segment with a number that it acknowledges.
func segment(src, dst netip.AddrPort, flags byte, ack uint32) []byte {
	b := tcp(src, dst, 5, flags)
	binary.BigEndian.PutUint32(b[28:], ack)
	return b
}

// icmp is an error about a packet, of which it has the beginning.
func icmp(k knock, kind, code byte, about []byte) []byte {
	return ipv4(k.to.Addr(), k.from.Addr(), protoICMP, append([]byte{kind, code, 0, 0, 0, 0, 0, 0}, about...))
}

func TestKnockAnswers(t *testing.T) {
	ssh, dns, ntp := knocks(t)
	other := netip.MustParseAddrPort("100.64.0.9:22")
	syn := tcp(ssh.from, ssh.to, ssh.seq, tcpSYN)
	query, err := dns.packet()
	if err != nil {
		t.Fatal(err)
	}
	dnsAnswer := slices.Clone(query[28:])
	dnsAnswer[2] |= 0x80
	fragment := segment(ssh.to, ssh.from, tcpRST, 0)
	fragment[6] = 0x20
	for _, tt := range []struct {
		name string
		k    knock
		b    []byte
		want string // or nothing
	}{
		{"open", ssh, segment(ssh.to, ssh.from, tcpSYN|tcpACK, 1001), "SYN-ACK"},
		{"closed", ssh, segment(ssh.to, ssh.from, tcpRST|tcpACK, 1001), "RST"},
		{"closed, in short", ssh, segment(ssh.to, ssh.from, tcpRST, 0), "RST"},
		{"rejected", ssh, icmp(ssh, 3, 13, syn), "ICMP administratively prohibited"},
		{"rejected with as little as RFC 792 wants", ssh, icmp(ssh, 3, 3, syn[:28]), "ICMP port unreachable"},
		{"rejected somehow", ssh, icmp(ssh, 3, 99, syn), "ICMP unreachable, code 99"},
		{"DNS", dns, udp(dns.to, dns.from, dnsAnswer), "DNS answer"},
		{"something of port 53", dns, udp(dns.to, dns.from, []byte("hello")), "UDP answer"},
		{"an echo of port 53", dns, udp(dns.to, dns.from, query[28:]), "UDP answer"},
		{"NTP", ntp, udp(ntp.to, ntp.from, append([]byte{0x24}, make([]byte, 47)...)), "NTP answer"},
		{"an echo of port 123", ntp, udp(ntp.to, ntp.from, append([]byte{0x23}, make([]byte, 47)...)), "UDP answer"},
		{"nothing in it", ntp, udp(ntp.to, ntp.from, nil), "UDP answer"},

		{"the question", ssh, syn, ""},
		{"of another SYN", ssh, segment(ssh.to, ssh.from, tcpSYN|tcpACK, 1002), ""},
		{"of a connection", ssh, segment(ssh.to, ssh.from, tcpACK, 1001), ""},
		{"of another host", ssh, segment(other, ssh.from, tcpRST, 0), ""},
		{"of another port", ssh, segment(netip.AddrPortFrom(ssh.to.Addr(), 23), ssh.from, tcpRST, 0), ""},
		{"to another port", ssh, segment(ssh.to, netip.AddrPortFrom(ssh.from.Addr(), 50001), tcpRST, 0), ""},
		{"to somebody else", ssh, segment(ssh.to, other, tcpRST, 0), ""},
		{"of another protocol", ssh, udp(ssh.to, ssh.from, make([]byte, 12)), ""},
		{"a fragment", ssh, fragment, ""},
		{"half a segment", ssh, segment(ssh.to, ssh.from, tcpRST, 0)[:32], ""},
		{"a ping's answer", ssh, icmp(ssh, 0, 0, syn), ""},
		{"too old", ssh, icmp(ssh, 11, 0, syn), ""},
		{"about another packet", ssh, icmp(ssh, 3, 3, tcp(ssh.from, other, 1000, tcpSYN)), ""},
		{"about another protocol", ssh, icmp(ssh, 3, 3, query), ""},
		{"about nothing", ssh, icmp(ssh, 3, 3, nil), ""},
		{"about too little", ssh, icmp(ssh, 3, 3, syn[:27]), ""},
		{"IPv6", ssh, append([]byte{0x60}, syn[1:]...), ""},
		{"nothing", ssh, nil, ""},
	} {
		got, ok := tt.k.answer(tt.b)
		if got != tt.want || ok != (tt.want != "") {
			t.Errorf("%s: %q, %t, want %q", tt.name, got, ok, tt.want)
		}
	}
}

// What a stranger sends has checksums that a kernel takes, and reads back as what it
// is.
func TestKnockPackets(t *testing.T) {
	ssh, dns, ntp := knocks(t)
	packets := [][]byte{ssh.reset(), udp(ntp.from, ntp.to, []byte("odd"))}
	for _, k := range []knock{ssh, dns, ntp} {
		b, err := k.packet()
		if err != nil {
			t.Fatal(err)
		}
		packets = append(packets, b)
	}
	for _, b := range packets {
		p, err := parseIPv4(b)
		if err != nil {
			t.Fatal(err)
		}
		src, dst, ok := p.ports()
		if !ok || src != ssh.from || dst.Addr() != ssh.to.Addr() {
			t.Errorf("%s to %s", src, dst)
		}
		if checksum(b[:20]) != 0 || checksum(pseudo(src, dst, p.proto, len(p.payload)), p.payload) != 0 {
			t.Errorf("false checksums: % x", b)
		}
	}
}

// A datagram whose checksum would be zero says that it has one (RFC 768).
func TestChecksumOfZero(t *testing.T) {
	src, dst := netip.MustParseAddrPort("198.51.100.7:50000"), netip.MustParseAddrPort("100.64.0.2:53")
	b := udp(src, dst, []byte{0, 0})
	sum := binary.BigEndian.Uint16(b[26:])
	b = udp(src, dst, binary.BigEndian.AppendUint16(nil, sum))
	if got := binary.BigEndian.Uint16(b[26:]); got != 0xffff {
		t.Errorf("%#04x", got)
	}
}

func TestParseKnock(t *testing.T) {
	for name, want := range map[string]string{
		"wan tcp/22": "", "wan tcp/65535": "", "wan udp/53": "", "wan udp/123": "", "ppp0.7 tcp/1": "",
		"wan udp/51820": "no question is known for udp/51820",
		"wan sctp/22":   `"sctp" is neither tcp nor udp`,
		"wan tcp/0":     "not a link and a port", "wan tcp/65536": "not a link and a port", "wan tcp/": "not a link and a port",
		"wan 22": "not a link and a port", "wan": "not a link and a port", "": "not a link and a port", " tcp/22": "not a link and a port",
		"a-link-of-sixteen tcp/22": "not a link and a port", "wan tcp/22 x": "not a link and a port", "wan  tcp/22": "neither tcp nor udp",
	} {
		_, _, err := parseKnock(name)
		if (err == nil) != (want == "") || err != nil && !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v, want %q", name, err, want)
		}
	}
}

// Strangers differ, and all are of the networks for documentation.
func TestStrangers(t *testing.T) {
	seen := map[netip.AddrPort]bool{}
	for i := range 300 {
		var k knock
		network := strangers[i%len(strangers)]
		k.fill(network, nil)
		if last := k.from.Addr().As4()[3]; !netip.PrefixFrom(network, 24).Contains(k.from.Addr()) || last == 0 || last == 255 || k.from.Port() < 49152 {
			t.Fatal(k.from)
		}
		seen[k.from] = true
		if mac := stranger(); mac[0]&3 != 2 {
			t.Fatal(mac)
		}
	}
	if len(seen) < 290 {
		t.Errorf("%d strangers of 300", len(seen))
	}
}

// A stranger is never the router itself, whose uplink may be of the same network.
func TestStrangersAreNotTheRouter(t *testing.T) {
	own := map[netip.Addr]bool{}
	for i := range 256 {
		own[netip.AddrFrom4([4]byte{203, 0, 113, byte(i)})] = i != 77
	}
	for range 300 {
		var k knock
		if k.fill(netip.AddrFrom4([4]byte{203, 0, 113, 0}), own); k.from.Addr() != netip.AddrFrom4([4]byte{203, 0, 113, 77}) {
			t.Fatal(k.from)
		}
	}
}

// What leaves may be anything; an answer is about the knock.
func FuzzReach(f *testing.F) {
	ssh, dns, ntp := knocks(f)
	syn := tcp(ssh.from, ssh.to, ssh.seq, tcpSYN)
	f.Add(segment(ssh.to, ssh.from, tcpSYN|tcpACK, 1001))
	f.Add(segment(ssh.to, ssh.from, tcpRST, 0))
	f.Add(icmp(ssh, 3, 13, syn))
	f.Add(udp(dns.to, dns.from, []byte("hello")))
	f.Add(udp(ntp.to, ntp.from, append([]byte{0x24}, make([]byte, 47)...)))
	f.Fuzz(func(t *testing.T, b []byte) {
		for _, k := range []knock{ssh, dns, ntp} {
			word, ok := k.answer(b)
			if ok != (word != "") {
				t.Errorf("%q, %t", word, ok)
			}
			if ok && string(b[16:20]) != string(k.from.Addr().AsSlice()) {
				t.Errorf("%q to somebody else: %s", word, fmt.Sprintf("% x", b))
			}
		}
	})
}

// Who sleeps has nothing left to say, nor who has run for long enough; a thread that is
// stopped, waits for a disk or for a processor may have.
func TestThreadsThatAreDone(t *testing.T) {
	for _, tt := range []struct {
		stat  string
		since uint64
		done  bool
		err   string
	}{
		{"7 (kresd) S 1 7 7 0 -1 4194560 900 0 0 0 30 12 0 0 20 0 1 0 5", 42, true, ""},
		{"7 (kresd) R 1 7 7 0 -1 4194560 900 0 0 0 30 12 0 0 20 0 1 0 5", 33, false, ""},
		{"7 (kresd) R 1 7 7 0 -1 4194560 900 0 0 0 30 12 0 0 20 0 1 0 5", 32, true, ""},
		{"7 (kresd) T 1 7 7 0 -1 4194560 900 0 0 0 30 12 0 0 20 0 1 0 5", 42, false, ""},
		{"7 (kresd) D 1 7 7 0 -1 4194560 900 0 0 0 30 12 0 0 20 0 1 0 5", 42, false, ""},
		{"7 (kresd) Z 1 7 7 0 -1 4194560 900 0 0 0 30 12 0 0 20 0 1 0 5", 42, true, ""},
		{"7 (a) S (b) R 1 7 7 0 -1 4194560 900 0 0 0 30 12 0 0 20 0 1 0 5", 42, false, ""},
		{"7 (kresd) S 1 7 7 0 -1 4194560 900 0 0 0 30", 42, false, "too short"},
		{"7 (kresd) S 1 7 7 0 -1 4194560 900 0 0 0 30 -1", 42, false, "time"},
		{"", 0, false, "too short"},
	} {
		th, err := parseThread([]byte(tt.stat))
		if tt.err != "" {
			if err == nil || !strings.Contains(err.Error(), tt.err) {
				t.Errorf("%s: %v, want %s", tt.stat, err, tt.err)
			}
		} else if err != nil || th.done(tt.since) != tt.done {
			t.Errorf("%s, since %d: done is %t (%v)", tt.stat, tt.since, th.done(tt.since), err)
		}
	}
}
