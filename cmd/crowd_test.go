package cmd

import (
	"io"
	"net"
	"testing"
)

// dial connects from an address of the loopback.
func dial(t *testing.T, from string, to net.Addr) net.Conn {
	t.Helper()
	conn, err := (&net.Dialer{LocalAddr: &net.TCPAddr{IP: net.ParseIP(from)}}).DialContext(t.Context(), "tcp", to.String())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	return conn
}

// Clients that connect and say nothing take places from themselves, and not from those who
// ask once.
func TestTheCrowdMakesRoom(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	c := newCrowd(l)
	t.Cleanup(func() { c.Close() })
	scrape := dial(t, "127.0.0.2", l.Addr())
	accept := func() net.Conn {
		t.Helper()
		conn, err := c.Accept()
		if err != nil {
			t.Fatal(err)
		}
		return conn
	}
	first := accept()
	var silent []net.Conn
	for range 3 * mostConnections {
		silent = append(silent, dial(t, "127.0.0.3", l.Addr()))
		accept()
	}
	// The one that came first of all is still there, and the oldest of the others are not.
	if _, err := first.Write([]byte("x")); err != nil {
		t.Errorf("the scrape's connection: %v", err)
	}
	b := make([]byte, 1)
	if _, err := io.ReadFull(scrape, b); err != nil || b[0] != 'x' {
		t.Errorf("the scrape got %q, %v", b, err)
	}
	for i, conn := range silent[:2*mostConnections] {
		if _, err := conn.Read(b); err != io.EOF {
			t.Fatalf("silent connection %d: %v", i, err)
		}
	}
	if len(c.conns) != 2 || c.n != mostConnections || len(c.conns[network(scrape.LocalAddr())]) != 1 {
		t.Errorf("%d connections of %d networks", c.n, len(c.conns))
	}
	// Places are given back.
	if err := first.Close(); err != nil {
		t.Error(err)
	}
	_ = first.Close() // the server does not know that the crowd was first
	if len(c.conns) != 1 || c.n != mostConnections-1 {
		t.Errorf("after the scrape %d connections of %d networks", c.n, len(c.conns))
	}
}

func TestNetworksOfTheCrowd(t *testing.T) {
	for addr, want := range map[string]string{
		"192.0.2.7:1":              "192.0.2.7/32",
		"[::ffff:192.0.2.7]:1":     "192.0.2.7/32",
		"[2001:db8:1:2:3::4]:1":    "2001:db8:1:2::/64",
		"[fe80::1%lo]:1":           "fe80::/64",
		"[2001:db8:1:2:ffff::1]:9": "2001:db8:1:2::/64",
	} {
		a, err := net.ResolveTCPAddr("tcp", addr)
		if err != nil {
			t.Fatal(err)
		}
		if got := network(a).String(); got != want {
			t.Errorf("%s counts for %s, want %s", addr, got, want)
		}
	}
	if network(&net.UnixAddr{}).IsValid() {
		t.Error("users of a socket are of a network")
	}
}
