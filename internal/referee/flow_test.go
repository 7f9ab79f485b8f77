package referee_test

import (
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"os"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/nbr-dev/nbr/internal/nstest"
)

// A flow is a connection attempt, and what should become of it: the answer, in the
// words of [listen], or one of
//
//	drop     nothing comes back
//	refuse   an error comes back: a reset, or ICMP's port unreachable
type flow struct {
	name  string
	from  *nstest.NS
	src   string // the address to send from, when it is not the host's own
	proto string // tcp, udp
	to    string // address and port
	want  string
}

// check tries all flows, many at a time.
func check(t *testing.T, flows []flow) {
	t.Helper()
	var mark func() error
	if slices.ContainsFunc(flows, func(f flow) bool { return f.want == "drop" }) {
		mark = marker(t)
	}
	var wg sync.WaitGroup
	room := make(chan bool, 64)
	for _, f := range flows {
		wg.Add(1)
		room <- true
		go func() {
			defer func() { <-room; wg.Done() }()
			got, err := f.try(mark)
			if got != f.want {
				t.Errorf("%s: %s %s: got %s (%v), want %s", f.name, f.proto, f.to, got, err, f.want)
			}
		}()
	}
	wg.Wait()
}

// marker makes a router without rules between two hosts, and returns what sends a packet
// through it and waits for its answer. That takes as long as the answer to one that was sent
// before would take, however much this machine has to do.
func marker(t *testing.T) func() error {
	t.Helper()
	near, between, far := nstest.New(t, "near"), nstest.New(t, "between"), nstest.New(t, "far")
	nstest.Link(t, near, "eth0", between, "near")
	nstest.Link(t, between, "far", far, "eth0")
	ip(t, near, "addr add 10.255.1.2/24 dev eth0\nroute add default via 10.255.1.1\n")
	ip(t, between, "addr add 10.255.1.1/24 dev near\naddr add 10.255.2.1/24 dev far\n")
	ip(t, far, "addr add 10.255.2.2/24 dev eth0\nroute add default via 10.255.2.1\n")
	between.Run(t, "sh", "-c", "echo 1 >/proc/sys/net/ipv4/ip_forward")
	listen(t, far, "udp", 9)
	listen(t, far, "tcp", 9)
	return func() error {
		for _, proto := range []string{"udp", "tcp"} { // the first one asks for MACs as well
			if _, err := (flow{from: near, proto: proto, to: "10.255.2.2:9"}).exchange([]byte("mark")); err != nil {
				return fmt.Errorf("the marker: %w", err)
			}
		}
		return nil
	}
}

// try returns the answer, drop, refuse or error.
func (f flow) try(mark func() error) (string, error) {
	if f.want == "drop" {
		return f.silence([]byte("hello"), mark)
	}
	b, err := f.exchange([]byte("hello"))
	return outcome(b, err), err
}

func outcome(answer []byte, err error) string {
	switch {
	case err == nil:
		return string(answer)
	case errors.Is(err, syscall.ECONNREFUSED):
		return "refuse"
	case errors.Is(err, syscall.EAGAIN), errors.Is(err, syscall.EINPROGRESS), errors.Is(err, os.ErrDeadlineExceeded), isTimeout(err):
		return "drop"
	default:
		return "error"
	}
}

// exchange connects, sends a question if it is UDP, and returns the answer.
func (f flow) exchange(question []byte) ([]byte, error) {
	var conn net.Conn
	dialer := net.Dialer{Timeout: nstest.Patience}
	if f.src != "" {
		a := net.ParseIP(f.src)
		dialer.LocalAddr = &net.TCPAddr{IP: a}
		if f.proto == "udp" {
			dialer.LocalAddr = &net.UDPAddr{IP: a}
		}
	}
	err := within(f.from, func() (err error) {
		conn, err = dialer.Dial(f.proto, f.to)
		return err
	})
	if err != nil {
		return nil, err
	}
	defer conn.Close()
	if err := conn.SetDeadline(time.Now().Add(nstest.Patience)); err != nil {
		return nil, err
	}
	if f.proto == "udp" {
		// The kernel says of what a rule of the sender's own keeps in that it may not be sent; an
		// error that the rule sends comes after that.
		if _, err := conn.Write(question); err != nil && !errors.Is(err, syscall.EPERM) {
			return nil, err
		}
	}
	return read(conn)
}

// silence sends a SYN or a question and then a mark. What has not been answered when the mark
// has arrived counts as dropped.
func (f flow) silence(question []byte, mark func() error) (string, error) {
	var fd int
	err := within(f.from, func() (err error) {
		fd, err = f.send(question)
		return err
	})
	if err != nil {
		return outcome(nil, err), err
	}
	defer unix.Close(fd)
	if err := mark(); err != nil {
		return "error", err
	}
	if f.proto == "tcp" {
		ready := []unix.PollFd{{Fd: int32(fd), Events: unix.POLLOUT}}
		n, err := unix.Poll(ready, 0)
		if err == nil && n == 0 {
			return "drop", nil
		}
		if code, err2 := unix.GetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_ERROR); err == nil && err2 == nil && code != 0 {
			err = syscall.Errno(code)
		}
		return outcome([]byte("connected"), err), err
	}
	buf := make([]byte, 256)
	n, _, err := unix.Recvfrom(fd, buf, unix.MSG_DONTWAIT)
	return outcome(buf[:max(n, 0)], err), err
}

// send returns a socket from which a SYN or a question has been sent.
func (f flow) send(question []byte) (int, error) {
	to, err := netip.ParseAddrPort(f.to)
	if err != nil {
		return 0, err
	}
	family, kind := unix.AF_INET, unix.SOCK_DGRAM
	if to.Addr().Is6() {
		family = unix.AF_INET6
	}
	if f.proto == "tcp" {
		kind = unix.SOCK_STREAM
	}
	fd, err := unix.Socket(family, kind|unix.SOCK_CLOEXEC|unix.SOCK_NONBLOCK, 0)
	if err != nil {
		return 0, err
	}
	if f.src != "" {
		err = unix.Bind(fd, socketAddress(netip.AddrPortFrom(netip.MustParseAddr(f.src), 0)))
	}
	if err == nil {
		err = unix.Connect(fd, socketAddress(to))
	}
	if f.proto == "tcp" && errors.Is(err, unix.EINPROGRESS) {
		err = nil
	}
	if f.proto == "udp" && err == nil {
		if _, err = unix.Write(fd, question); errors.Is(err, unix.EPERM) { // see exchange
			err = nil
		}
	}
	if err != nil {
		return 0, errors.Join(err, unix.Close(fd))
	}
	return fd, nil
}

func socketAddress(a netip.AddrPort) unix.Sockaddr {
	if a.Addr().Is4() {
		return &unix.SockaddrInet4{Addr: a.Addr().As4(), Port: int(a.Port())}
	}
	return &unix.SockaddrInet6{Addr: a.Addr().As16(), Port: int(a.Port())}
}

func isTimeout(err error) bool {
	var ne net.Error
	return errors.As(err, &ne) && ne.Timeout()
}

func read(c net.Conn) ([]byte, error) {
	buf := make([]byte, 256)
	n, err := c.Read(buf)
	if errors.Is(err, io.EOF) && n == 0 {
		return nil, fmt.Errorf("closed without a word")
	}
	return buf[:n], err
}

// ports are flows that differ in the port only.
func ports(f flow, list ...int) []flow {
	out := make([]flow, 0, len(list))
	for _, p := range list {
		g := f
		g.to = net.JoinHostPort(strings.Trim(f.to, "[]"), fmt.Sprint(p))
		out = append(out, g)
	}
	return out
}

// ping sends one echo request and tells whether it was answered.
func ping(t *testing.T, from *nstest.NS, args ...string) bool {
	t.Helper()
	_, err := from.Try(t, "ping", append([]string{"-n", "-q", "-c1", "-W5"}, args...)...)
	return err == nil
}
