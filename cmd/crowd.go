package cmd

import (
	"net"
	"net/netip"
	"sync"
)

// mostConnections is more than those who may ask, and bounds what they cost.
const mostConnections = 64

// A crowd is a listener with a bounded number of connections. When there are too many, the
// oldest of the network that has the most of them is closed: clients that connect and say
// nothing must not keep the others out. A scrape is over before its turn comes.
type crowd struct {
	net.Listener

	mu    sync.Mutex
	n     int
	conns map[netip.Prefix][]*guest // the oldest first
}

// A guest is a connection of a crowd.
type guest struct {
	net.Conn
	from  netip.Prefix
	leave func(*guest)
}

func newCrowd(l net.Listener) *crowd {
	return &crowd{Listener: l, conns: map[netip.Prefix][]*guest{}}
}

// Accept makes room for the next connection.
func (c *crowd) Accept() (net.Conn, error) {
	conn, err := c.Listener.Accept()
	if err != nil {
		return nil, err
	}
	g := &guest{Conn: conn, from: network(conn.RemoteAddr()), leave: c.leave}
	if last := c.enter(g); last != nil {
		_ = last.Close() // it is gone either way
	}
	return g, nil
}

// enter adds a connection, and returns the one that has to go for it.
func (c *crowd) enter(g *guest) (last *guest) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.conns[g.from] = append(c.conns[g.from], g)
	c.n++
	if c.n <= mostConnections {
		return nil
	}
	for _, list := range c.conns {
		if last == nil || len(list) > len(c.conns[last.from]) {
			last = list[0]
		}
	}
	return last
}

func (c *crowd) leave(g *guest) {
	c.mu.Lock()
	defer c.mu.Unlock()
	list := c.conns[g.from]
	for i, o := range list {
		if o == g {
			c.n--
			if c.conns[g.from] = append(list[:i:i], list[i+1:]...); len(list) == 1 {
				delete(c.conns, g.from)
			}
			return
		}
	}
}

// Close is for the server and for the crowd, whichever comes first.
func (g *guest) Close() error {
	g.leave(g)
	return g.Conn.Close()
}

// network is whom a connection counts for: an IPv4 address, or the 64 bits of an IPv6
// address below which a host may choose (RFC 4291 section 2.5.1). All users of a Unix
// socket are one.
func network(a net.Addr) netip.Prefix {
	tcp, ok := a.(*net.TCPAddr)
	if !ok {
		return netip.Prefix{}
	}
	ip := tcp.AddrPort().Addr().Unmap()
	bits := 64
	if ip.Is4() {
		bits = 32
	}
	p, _ := ip.WithZone("").Prefix(bits) // which fits both families
	return p
}
