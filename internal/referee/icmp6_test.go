package referee_test

import (
	"errors"
	"fmt"
	"net"
	"os"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/nbr-dev/nbr/internal/nstest"
)

// Types of ICMPv6 (RFC 4443, RFC 4861).
const (
	packetTooBig = 2
	neighborSol  = 135
	redirect     = 137
)

// rawICMP6 opens a raw socket on a device. The kernel adds the checksum.
func rawICMP6(ns *nstest.NS, device string, hops int) (*os.File, error) {
	fd := -1
	err := within(ns, func() (err error) {
		fd, err = unix.Socket(unix.AF_INET6, unix.SOCK_RAW|unix.SOCK_CLOEXEC, unix.IPPROTO_ICMPV6)
		return err
	})
	for _, set := range []func() error{
		func() error { return unix.BindToDevice(fd, device) },
		func() error { return unix.SetsockoptInt(fd, unix.IPPROTO_IPV6, unix.IPV6_UNICAST_HOPS, hops) },
		func() error { return unix.SetsockoptInt(fd, unix.IPPROTO_IPV6, unix.IPV6_MULTICAST_HOPS, hops) },
	} {
		if err == nil {
			err = set()
		}
	}
	return os.NewFile(uintptr(fd), "raw"), err
}

// sendICMP6 sends a message of a type and code with what follows its checksum.
func sendICMP6(t *testing.T, ns *nstest.NS, device, to string, hops int, typ, code byte, body []byte) {
	t.Helper()
	f, err := rawICMP6(ns, device, hops)
	if err == nil {
		defer f.Close()
		err = unix.Sendto(int(f.Fd()), append([]byte{typ, code, 0, 0}, body...), 0, &unix.SockaddrInet6{Addr: [16]byte(net.ParseIP(to).To16())})
	}
	if err != nil {
		t.Fatalf("ICMPv6 type %d to %s: %v", typ, to, err)
	}
}

// quoted is the beginning of a UDP packet, as an error about it quotes it.
func quoted(src, dst string, sport, dport uint16) []byte {
	b := []byte{0x60, 0, 0, 0, 0, 8, unix.IPPROTO_UDP, 64}
	b = append(b, net.ParseIP(src).To16()...)
	b = append(b, net.ParseIP(dst).To16()...)
	return append(b, byte(sport>>8), byte(sport), byte(dport>>8), byte(dport), 0, 8, 0, 0)
}

// watch counts in a chain behind nbr's what that one lets pass.
const watch = `
table inet watch {
  chain input {
    type filter hook input priority filter + 10
    icmpv6 type %d ip6 hoplimit %d counter
  }
}
`

// The messages that IPv6 does not work without, and those that only an attacker sends (RFC 4890
// section 4.4).
func TestICMPv6ToTheRouter(t *testing.T) {
	t.Parallel()
	h, _ := staticHouse(t)
	for !ping(t, h.internet, "2001:db8:f::2") || !ping(t, h.client, "2001:db8:1::1") {
	}
	const wan = "2001:db8:f::2"
	target := net.ParseIP(wan).To16()
	unknown := append([]byte{0, 0, 5, 0}, quoted(wan, somewhere6, 1, 2)...)
	for name, c := range map[string]struct {
		to         string
		hops       int
		typ        byte
		body       []byte
		pass       bool
		fromTheLAN bool
	}{
		"neighbour solicitation":              {to: wan, hops: 255, typ: neighborSol, body: append(make([]byte, 4), target...), pass: true},
		"neighbour solicitation from far off": {to: wan, hops: 254, typ: neighborSol, body: append(make([]byte, 4), target...)},
		"router advertisement":                {to: "ff02::1", hops: 255, typ: 134, body: make([]byte, 12), pass: true},
		"router advertisement from far off":   {to: "ff02::1", hops: 64, typ: 134, body: make([]byte, 12)},
		"router solicitation":                 {to: "ff02::2", hops: 255, typ: 133, body: make([]byte, 4), pass: true, fromTheLAN: true},
		"redirect":                            {to: wan, hops: 255, typ: redirect, body: make([]byte, 36)},
		"redirect from the lan":               {to: "2001:db8:1::1", hops: 255, typ: redirect, body: make([]byte, 36), fromTheLAN: true},
		"router renumbering":                  {to: wan, hops: 255, typ: 138, body: make([]byte, 12)},
		"node information query":              {to: wan, hops: 255, typ: 139, body: make([]byte, 12)},
		"multicast listener query":            {to: "ff02::1", hops: 1, typ: 130, body: make([]byte, 20), pass: true},
		"an error about nothing":              {to: wan, hops: 64, typ: packetTooBig, body: unknown},
	} {
		load(t, h.router, fmt.Sprintf(watch, c.typ, c.hops))
		from := h.internet
		if c.fromTheLAN {
			from = h.client
		}
		sendICMP6(t, from, "eth0", c.to, c.hops, c.typ, 0, c.body)
		// One that passes is counted at some time, and one that does not before what is sent after it.
		nstest.Wait(t, func() error {
			if !c.pass && !ping(t, from, map[bool]string{false: wan, true: "2001:db8:1::1"}[c.fromTheLAN]) {
				return errors.New(name + ": no ping is answered")
			}
			listing := h.router.Run(t, "nft", "list", "table", "inet", "watch")
			if got := !strings.Contains(listing, "packets 0"); got && !c.pass {
				t.Errorf("%s: it passes", name)
			} else if !got && c.pass {
				return errors.New(name + ": it does not pass")
			}
			return nil
		})
		h.router.Run(t, "nft", "delete", "table", "inet", "watch")
	}
}

// A packet that is too big for a link behind the router: the error comes back, and no host can
// send errors about connections that there are not.
func TestICMPv6ErrorsPass(t *testing.T) {
	t.Parallel()
	h, _ := staticHouse(t)
	// Beyond the upstream the way is narrow.
	narrow := nstest.New(t, "narrow")
	nstest.Link(t, h.internet, "eth1", narrow, "eth0")
	h.internet.Run(t, "sysctl", "-qw", "net.ipv6.conf.all.forwarding=1")
	ip(t, h.internet, "link set eth1 mtu 1300\naddr add 2001:db8:99::1/64 dev eth1\n")
	ip(t, narrow, "addr add 2001:db8:99::2/64 dev eth0\nroute add default via 2001:db8:99::1\n")
	out, err := h.client.Try(t, "ping", "-n", "-c2", "-i0.2", "-W5", "-s1400", "-Mdo", "2001:db8:99::2")
	if err == nil || !strings.Contains(err.Error(), "mtu=1300") && !strings.Contains(err.Error(), "mtu: 1300") {
		t.Errorf("the client does not learn of the narrow link: %s %v", out, err)
	}

	raw, err := rawICMP6(h.client, "eth0", 64)
	if err != nil {
		t.Fatal(err)
	}
	defer raw.Close()
	for !ping(t, h.client, somewhere6) {
	}
	body := append([]byte{0, 0, 5, 0}, quoted("2001:db8:1::50", somewhere6, 40000, 53)...)
	sendICMP6(t, h.internet, "eth0", "2001:db8:1::50", 64, packetTooBig, 0, body)
	if got := receive(t, raw, packetTooBig, 200*time.Millisecond); got {
		t.Error("an error about a connection that there is not comes through")
	}
	// The same error about a connection that there is.
	err = within(h.client, func() error {
		c, err := net.DialUDP("udp", &net.UDPAddr{IP: net.ParseIP("2001:db8:1::50"), Port: 40000}, &net.UDPAddr{IP: net.ParseIP(somewhere6), Port: 53})
		if err != nil {
			return err
		}
		defer c.Close()
		_, err = fmt.Fprint(c, "x")
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	sendICMP6(t, h.internet, "eth0", "2001:db8:1::50", 64, packetTooBig, 0, body)
	if got := receive(t, raw, packetTooBig, nstest.Patience); !got {
		t.Error("an error about a connection does not come through")
	}
}

// receive tells whether a message of a type arrives within a time.
func receive(t *testing.T, raw *os.File, typ byte, within time.Duration) bool {
	t.Helper()
	fd := int(raw.Fd())
	tv := unix.NsecToTimeval(int64(within))
	if err := unix.SetsockoptTimeval(fd, unix.SOL_SOCKET, unix.SO_RCVTIMEO, &tv); err != nil {
		t.Fatal(err)
	}
	buf := make([]byte, 2048)
	for {
		n, _, err := unix.Recvfrom(fd, buf, 0)
		if err != nil {
			return false
		}
		if n > 0 && buf[0] == typ {
			return true
		}
	}
}
