//go:build guest

package referee_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"slices"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/nbr-dev/nbr/internal/nstest"
)

// loadNamed loads one of the rulesets that TestBenchC has generated.
func loadNamed(t *testing.T, ns *nstest.NS, name string) {
	t.Helper()
	ns.Run(t, "nft", "-f", "/rules/"+name)
}

// forwards makes a router of a namespace.
func forwards(t *testing.T, ns *nstest.NS) {
	t.Helper()
	ns.Run(t, "sh", "-c", "echo 1 >/proc/sys/net/ipv4/conf/all/forwarding")
}

// echo serves TCP and sends back what it gets. The connections that it takes are handed on.
func echo(t *testing.T, ns *nstest.NS, port int) <-chan net.Conn {
	t.Helper()
	var l net.Listener
	err := within(ns, func() (err error) {
		l, err = net.Listen("tcp", fmt.Sprintf(":%d", port))
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	taken := make(chan net.Conn, 1)
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			taken <- c
			go func() {
				defer c.Close()
				io.Copy(c, c)
			}()
		}
	}()
	return taken
}

// unacknowledged is how many bytes of a connection would be sent again (tcp(7), SIOCOUTQ).
func unacknowledged(t *testing.T, c net.Conn) int { return waiting(t, c, unix.SIOCOUTQ) }

// waiting is how many bytes wait in a queue of a connection (tcp(7)).
func waiting(t *testing.T, c net.Conn, queue uint) (n int) {
	t.Helper()
	raw, err := c.(*net.TCPConn).SyscallConn()
	if err == nil {
		var ioctlErr error
		err = raw.Control(func(fd uintptr) { n, ioctlErr = unix.IoctlGetInt(int(fd), queue) })
		err = errors.Join(err, ioctlErr)
	}
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// A talk is a connection that stays.
type talk struct{ net.Conn }

func dial(t *testing.T, ns *nstest.NS, to string) talk {
	t.Helper()
	var c net.Conn
	err := within(ns, func() (err error) {
		c, err = net.DialTimeout("tcp", to, nstest.Patience)
		return err
	})
	if err != nil {
		t.Fatalf("%s: %v", to, err)
	}
	t.Cleanup(func() { c.Close() })
	return talk{c}
}

// says sends a text and wants it back.
func (c talk) says(t *testing.T, text string) {
	t.Helper()
	c.SetDeadline(time.Now().Add(nstest.Patience))
	c.Write([]byte(text))
	c.hears(t, text)
}

// closes ends its half of the connection, and wants the other end to hear of it and to do as much.
func (c talk) closes(t *testing.T) {
	t.Helper()
	c.SetDeadline(time.Now().Add(nstest.Patience))
	if err := c.Conn.(*net.TCPConn).CloseWrite(); err != nil {
		t.Fatal(err)
	}
	if n, err := c.Read(make([]byte, 1)); err != io.EOF {
		t.Errorf("a connection does not end: %d bytes, %v", n, err)
	}
}

func (c talk) hears(t *testing.T, text string) {
	t.Helper()
	got := make([]byte, len(text))
	if _, err := io.ReadFull(c, got); err != nil || !bytes.Equal(got, []byte(text)) {
		t.Fatalf("heard %q, not %q: %v", got, text, err)
	}
}

// queued is how many packets the rules of the inspector have queued, out and back.
func queued(t *testing.T, ns *nstest.NS) (out, back int) {
	t.Helper()
	for _, r := range loadedRules(t, ns) {
		if r.Chain != "inspect" || !r.has("queue") {
			continue
		}
		reply := slices.ContainsFunc(r.Expr, func(e map[string]json.RawMessage) bool { return bytes.Contains(e["match"], []byte(`"reply"`)) })
		if reply {
			back += r.packets(t)
		} else {
			out += r.packets(t)
		}
	}
	return out, back
}

// TestGuestInspection loads the rules under connections that exist: packets of the inspected
// policy go to a queue that no program reads, those of another policy do not. Without the
// program what is inspected stands still or, with fail_open, goes on.
func TestGuestInspection(t *testing.T) {
	r, client, internet := nstest.New(t, "router"), nstest.New(t, "client"), nstest.New(t, "internet")
	forwards(t, r)
	loadNamed(t, r, "open")
	nstest.Link(t, r, "lan1", client, "eth0")
	nstest.Link(t, r, "wan", internet, "eth0")
	ip(t, r, "addr add 10.1.0.1/24 dev lan1\naddr add 198.51.100.2/24 dev wan\n")
	ip(t, client, "addr add 10.1.0.5/24 dev eth0\nroute add default via 10.1.0.1\n")
	ip(t, internet, "addr add 198.51.100.1/24 dev eth0\nroute add 10.1.0.0/24 via 198.51.100.2\n")
	served := echo(t, internet, 80)
	echo(t, internet, 81)

	plain := dial(t, client, "198.51.100.1:81")
	plain.says(t, "one")
	web := dial(t, client, "198.51.100.1:80")
	out, back := queued(t, r)
	web.says(t, "one")
	// On a slow machine packets are sent again. When all has been acknowledged and nothing more
	// is counted while others pass, the connection is at rest.
	server := <-served
	nstest.Wait(t, func() error {
		if n, m := unacknowledged(t, web.Conn), unacknowledged(t, server); n+m > 0 {
			return fmt.Errorf("%d and %d bytes are not acknowledged", n, m)
		}
		out, back := queued(t, r)
		plain.says(t, "two")
		if o, b := queued(t, r); o != out || b != back {
			return fmt.Errorf("the other policy's packets go to the queue: %d and %d, before %d and %d", o, b, out, back)
		}
		return nil
	})
	if o, b := queued(t, r); o == out || b == back {
		t.Fatalf("%d packets out and %d back went to the queue of an established connection", o-out, b-back)
	}

	// Fail-closed: what is sent is queued and dropped, and the connection goes on when the
	// rules let it.
	loadNamed(t, r, "closed")
	web.SetDeadline(time.Now().Add(nstest.Patience))
	if _, err := web.Write([]byte("three")); err != nil {
		t.Fatal(err)
	}
	nstest.Wait(t, func() error {
		if o, _ := queued(t, r); o < 2 { // it was sent a second time, for want of an answer
			return fmt.Errorf("%d packets were queued", o)
		}
		return nil
	})
	plain.says(t, "four")
	if n := waiting(t, web.Conn, unix.SIOCINQ); n != 0 {
		t.Errorf("%d bytes of an answer came to what no rule let pass", n)
	}
	loadNamed(t, r, "open")
	web.hears(t, "three")

	check(t, []flow{{"a drop before the inspected policy", client, "", "tcp", "198.51.100.1:82", "drop"}})
}

// TestGuestInspectionOfForward has a connection led to another port: its answers go to the queue as
// what it sends does.
func TestGuestInspectionOfForward(t *testing.T) {
	r, server, internet := nstest.New(t, "router"), nstest.New(t, "server"), nstest.New(t, "internet")
	forwards(t, r)
	loadNamed(t, r, "dnat")
	nstest.Link(t, r, "lan1", server, "eth0")
	nstest.Link(t, r, "wan", internet, "eth0")
	ip(t, r, "addr add 10.1.0.1/24 dev lan1\naddr add 198.51.100.2/24 dev wan\n")
	ip(t, server, "addr add 10.1.0.5/24 dev eth0\nroute add default via 10.1.0.1\n")
	ip(t, internet, "addr add 198.51.100.1/24 dev eth0\n")
	echo(t, server, 8443)
	dial(t, internet, "198.51.100.2:443").says(t, "one")
	if out, back := queued(t, r); out == 0 || back == 0 {
		t.Errorf("%d packets went to the queue, and %d answers", out, back)
	}
}

// TestGuestClaimedForward lets pass what a service claims and no policy says, and nothing else.
func TestGuestClaimedForward(t *testing.T) {
	r, host, internet := nstest.New(t, "router"), nstest.New(t, "host"), nstest.New(t, "internet")
	forwards(t, r)
	loadNamed(t, r, "forward")
	nstest.Link(t, r, "lan1", host, "eth0")
	nstest.Link(t, r, "wan", internet, "eth0")
	ip(t, r, "addr add 10.1.0.1/24 dev lan1\naddr add 198.51.100.2/24 dev wan\n")
	ip(t, host, "addr add 10.1.0.5/24 dev eth0\nroute add default via 10.1.0.1\n")
	ip(t, internet, "addr add 198.51.100.1/24 dev eth0\nroute add 10.1.0.0/24 via 198.51.100.2\n")
	listen(t, host, "udp", 5000)
	listen(t, host, "udp", 5001)
	listen(t, host, "tcp", 5000)
	check(t, []flow{
		{"what is claimed", internet, "", "udp", "10.1.0.5:5000", "198.51.100.1 at host"},
		{"another port", internet, "", "udp", "10.1.0.5:5001", "drop"},
		{"another protocol", internet, "", "tcp", "10.1.0.5:5000", "drop"},
	})
}
