package referee_test

import (
	"fmt"
	"net"
	"testing"
	"time"

	"github.com/nbr-dev/nbr/internal/nstest"
)

// Sources of the house do not come from outside, and no others from inside (RFC 6092, REC-5 and
// REC-6), also where the policies would let the packet pass.
func TestSpoofedIPv6SourcesAreDropped(t *testing.T) {
	t.Parallel()
	h, dmz := staticHouse(t)
	ip(t, h.internet, "addr add 2001:db8:1::99/128 dev lo\naddr add 2001:db8:d::99/128 dev lo\n")
	listen(t, h.internet, "udp", 80)
	listen(t, dmz, "tcp", 80)
	const published = "[2001:db8:d::5]:80"
	check(t, []flow{
		{"honest, out", h.client, "", "udp", "[" + somewhere6 + "]:80", "2001:db8:1::50 at internet"},
		{"honest, in", h.internet, "", "tcp", published, "2001:db8:f::1 at dmz"},
	})
	for _, f := range []flow{
		{"from nowhere, out", h.client, "2001:db8:77::1", "udp", "[" + somewhere6 + "]:80", "drop"},
		{"from the LAN, in", h.internet, "2001:db8:1::99", "tcp", published, "drop"},
		{"from the network itself, in", h.internet, "2001:db8:d::99", "tcp", published, "drop"},
	} {
		before := counted(t, h.router, "anti_spoof", "firewall")
		check(t, []flow{f})
		if counted(t, h.router, "anti_spoof", "firewall") == before {
			t.Errorf("%s: the rule has counted no packet", f.name)
		}
	}
}

// An error of ICMPv6 about a flow reaches the host, and the flow goes on (RFC 6092, REC-18, REC-19,
// REC-36 and REC-37).
func TestErrorsEndNoFlow(t *testing.T) {
	t.Parallel()
	h, _ := staticHouse(t)
	raw, err := rawICMP6(h.client, "eth0", 64)
	if err != nil {
		t.Fatal(err)
	}
	defer raw.Close()
	for !ping(t, h.client, somewhere6) {
	}
	for _, proto := range []string{"tcp", "udp"} {
		f := connect(t, h.client, h.internet, proto, "["+somewhere6+"]:9000")
		f.alive(t, proto+" before the error")
		_, port, _ := net.SplitHostPort(f.client.LocalAddr().String())
		var from uint16
		if _, err := fmt.Sscan(port, &from); err != nil {
			t.Fatal(err)
		}
		packet := quoted("2001:db8:1::50", somewhere6, from, 9000)
		if proto == "tcp" {
			packet[6] = 6                                  // the protocol
			packet = append(packet, make([]byte, 20-8)...) // a header of TCP, of which the ports count
		}
		const unreachable = 1
		sendICMP6(t, h.internet, "eth0", "2001:db8:1::50", 64, unreachable, 0, append(make([]byte, 4), packet...))
		if !receive(t, raw, unreachable, nstest.Patience) {
			t.Errorf("%s: the error does not come through", proto)
		}
		f.alive(t, proto+" after the error")
	}
}

// ESP and IKE pass out and back, and in where a policy says so; their state is by addresses alone
// (RFC 6092, REC-22, REC-24 and REC-25).
func TestESPPassesByPolicy(t *testing.T) {
	t.Parallel()
	h, dmz := staticHouse(t)
	load(t, h.router, ruleset(t, fromText(t, inline["static"]+`
policy "ipsec" {
  from     = [zone.wan]
  to       = [zone.dmz]
  action   = "accept"
  services = ["ipsec"]
}
`)))
	open := func(ns *nstest.NS, addr string) net.PacketConn {
		t.Helper()
		var c net.PacketConn
		err := within(ns, func() (err error) { c, err = net.ListenPacket("ip6:50", addr); return err })
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { c.Close() })
		return c
	}
	const client, server, remote = "2001:db8:1::50", "2001:db8:d::5", somewhere6
	a, b, far := open(h.client, client), open(dmz, server), open(h.internet, remote)
	send := func(c net.PacketConn, to, spi string) {
		t.Helper()
		if _, err := c.WriteTo([]byte(spi+"1234 and what is encrypted"), &net.IPAddr{IP: net.ParseIP(to)}); err != nil {
			t.Fatal(err)
		}
	}
	// next is the SPI of the next packet that arrives.
	next := func(c net.PacketConn) string {
		t.Helper()
		buf := make([]byte, 100)
		err := c.SetReadDeadline(time.Now().Add(nstest.Patience))
		if err == nil {
			_, _, err = c.ReadFrom(buf)
		}
		if err != nil {
			t.Fatal(err)
		}
		return string(buf[:4])
	}
	send(far, client, "in-1") // dropped: it would arrive before the answer
	send(a, remote, "outA")
	if got := next(far); got != "outA" {
		t.Errorf("to the Internet comes %s", got)
	}
	send(far, client, "back")
	if got := next(a); got != "back" {
		t.Errorf("to the LAN comes %s", got)
	}
	send(far, client, "rekd") // another SPI of the same two
	if got := next(a); got != "rekd" {
		t.Errorf("to the LAN comes %s", got)
	}
	send(far, server, "in-2")
	if got := next(b); got != "in-2" {
		t.Errorf("to the DMZ comes %s", got)
	}
	listen(t, dmz, "udp", 500)
	listen(t, h.client, "udp", 500)
	listen(t, h.internet, "udp", 500)
	check(t, []flow{
		{"IKE, out", h.client, "", "udp", "[" + remote + "]:500", client + " at internet"},
		{"IKE, in by the policy", h.internet, "", "udp", "[" + server + "]:500", "2001:db8:f::1 at dmz"},
		{"IKE, in without", h.internet, "", "udp", "[" + client + "]:500", "drop"},
	})
}
