package sockets

import (
	"context"
	"crypto/rand"
	"errors"
	"net"
	"net/netip"
	"strings"
	"syscall"
	"time"

	"github.com/nbr-dev/nbr/verify/observe/root"
)

// Dial connects to this machine as a [net.Dialer] does, until a time. A program that gets no
// processor, and
// so does not take the connection or answers later than the reader has set, is waited for.
// If that takes too long, the error says what it waits for, and is none that
// [probe.Silent] takes for silence. The context is of the whole look.
func Dial(ctx context.Context, r root.Root, network, address string, until time.Time) (net.Conn, error) {
	if strings.HasPrefix(network, "unix") {
		return dialUnix(ctx, network, r.Path(address))
	}
	c, err := dialOwn(ctx, net.Dialer{Deadline: until}, network, address)
	protocol := strings.TrimRight(network, "46")
	to, err2 := netip.ParseAddrPort(address)
	if err2 != nil || protocol != "tcp" && protocol != "udp" {
		return c, err
	}
	a := newAudience(r, protocol, plain(to))
	if timedOut(err) && ctx.Err() == nil {
		late := a.attend(ctx, func(d time.Duration) (bool, error) {
			c, err = dialOwn(ctx, net.Dialer{Timeout: d}, network, address)
			return !timedOut(err), nil
		})
		if late != nil {
			return nil, &net.OpError{Op: "dial", Net: network, Err: late}
		}
	}
	if err != nil {
		return nil, err
	}
	if own, ok := c.LocalAddr().(*net.TCPAddr); ok {
		a.from = plain(own.AddrPort())
	}
	return &attended{c, ctx, a}, nil
}

// plain is an address as the kernel lists it.
func plain(a netip.AddrPort) netip.AddrPort {
	return netip.AddrPortFrom(a.Addr().Unmap().WithZone(""), a.Port())
}

// dialUnix connects to a socket of this machine. Where there is no room for one more
// connection, the kernel says so at once to who does not want to sleep
// (unix_stream_connect in net/unix/af_unix.c), and Go takes its EAGAIN for a time-out.
func dialUnix(ctx context.Context, network, path string) (net.Conn, error) {
	for deadline := time.Now().Add(attention); ; {
		var from net.Dialer
		if network == "unixgram" { // which is answered at an address only; an abstract one is no file
			from.LocalAddr = &net.UnixAddr{Net: network, Name: "@nbr-" + rand.Text()}
		}
		c, err := from.DialContext(ctx, network, path)
		if !errors.Is(err, syscall.EAGAIN) {
			return c, err
		}
		if time.Now().After(deadline) {
			return nil, &net.OpError{Op: "dial", Net: network, Err: errors.New(path + " has no room for a connection: those before wait to be accepted")}
		}
		select {
		case <-time.After(glance):
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
}

// An attended connection gives its other end the time to answer.
type attended struct {
	net.Conn
	ctx      context.Context // of the look
	audience *audience
}

// Read reads, and goes on after the deadline as long as the other end has not had the time
// to answer. See [Dial] for the error.
func (c *attended) Read(b []byte) (int, error) {
	n, err := c.Conn.Read(b)
	if n > 0 || !timedOut(err) || c.ctx.Err() != nil {
		return n, err
	}
	late := c.audience.attend(c.ctx, func(d time.Duration) (bool, error) {
		if err := c.SetReadDeadline(time.Now().Add(d)); err != nil {
			return false, err
		}
		n, err = c.Conn.Read(b)
		return !timedOut(err), nil
	})
	if late != nil {
		return 0, &net.OpError{Op: "read", Net: c.RemoteAddr().Network(), Err: late}
	}
	return n, err
}

func timedOut(err error) bool {
	var timeout net.Error
	return errors.As(err, &timeout) && timeout.Timeout()
}
