package sockets

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"strings"
	"syscall"
)

var errNotOwn = errors.New("no address of this machine")

// dialOwn connects to a service of this machine at one of its own addresses. The connection
// is bound to that address, which the kernel refuses where it is another machine's: a
// neighbour that has the router's address would answer for it over the wire.
func dialOwn(ctx context.Context, d net.Dialer, network, address string) (net.Conn, error) {
	to, err := netip.ParseAddrPort(address)
	if err != nil {
		return nil, err
	}
	own := net.IPAddr{IP: to.Addr().AsSlice(), Zone: to.Addr().Zone()}
	if d.LocalAddr = net.Addr(&net.TCPAddr{IP: own.IP, Zone: own.Zone}); strings.HasPrefix(network, "udp") {
		d.LocalAddr = &net.UDPAddr{IP: own.IP, Zone: own.Zone}
	}
	c, err := d.DialContext(ctx, network, address)
	if errors.Is(err, syscall.EADDRNOTAVAIL) {
		return nil, &net.OpError{Op: "dial", Net: network, Addr: net.TCPAddrFromAddrPort(to), Err: errNotOwn}
	}
	return c, err
}
