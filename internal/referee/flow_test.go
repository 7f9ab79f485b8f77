package referee_test

import (
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/nbr-dev/nbr/internal/nstest"
)

// How long a flow has until it counts as dropped. On one machine an answer takes less than a
// millisecond; where one is wanted, busy cores have more time for it.
func (f flow) patience() time.Duration {
	if f.want == "drop" {
		return 300 * time.Millisecond
	}
	return nstest.Patience
}

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
	var wg sync.WaitGroup
	room := make(chan bool, 64)
	for _, f := range flows {
		wg.Add(1)
		room <- true
		go func() {
			defer func() { <-room; wg.Done() }()
			got, err := f.try()
			if got != f.want {
				t.Errorf("%s: %s %s: got %s (%v), want %s", f.name, f.proto, f.to, got, err, f.want)
			}
		}()
	}
	wg.Wait()
}

// try returns the answer, drop, refuse or error.
func (f flow) try() (string, error) {
	b, err := f.exchange([]byte("hello"))
	switch {
	case err == nil:
		return string(b), nil
	case errors.Is(err, syscall.ECONNREFUSED):
		return "refuse", err
	case errors.Is(err, os.ErrDeadlineExceeded), isTimeout(err):
		return "drop", err
	default:
		return "error", err
	}
}

// exchange connects, sends a question if it is UDP, and returns the answer.
func (f flow) exchange(question []byte) ([]byte, error) {
	var conn net.Conn
	dialer := net.Dialer{Timeout: f.patience()}
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
	if err := conn.SetDeadline(time.Now().Add(f.patience())); err != nil {
		return nil, err
	}
	if f.proto == "udp" {
		if _, err := conn.Write(question); err != nil {
			return nil, err
		}
	}
	return read(conn)
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
