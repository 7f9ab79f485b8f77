package watch

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"net/netip"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/miekg/dns"
	"golang.org/x/sys/unix"

	"github.com/nbr-dev/nbr/failover"
)

// patience is how long an answer is waited for, if the interval is not shorter. A satellite takes
// less than a second.
const patience = 3 * time.Second

// ask asks all probes of an uplink at once.
func ask(ctx context.Context, u *failover.Uplink) map[failover.Family]failover.Round {
	ctx, cancel := context.WithTimeout(ctx, min(patience, time.Duration(u.Interval)*time.Second))
	defer cancel()
	errs := make([]error, len(u.Probes))
	var all sync.WaitGroup
	for i, p := range u.Probes {
		all.Go(func() { errs[i] = askOne(ctx, u, p) })
	}
	all.Wait()
	became := map[failover.Probe]error{}
	for i, p := range u.Probes {
		became[p] = errs[i]
	}
	out := map[failover.Family]failover.Round{}
	for _, f := range u.Families {
		var why []string
		ok := false
		for _, p := range u.ProbesOf(f) {
			err := became[p]
			ok = ok || err == nil
			if err != nil {
				why = append(why, fmt.Sprintf("%s: %s", p, reason(err)))
			}
		}
		out[f] = failover.Round{OK: ok}
		if !ok {
			out[f] = failover.Round{Why: strings.Join(why, ", ")}
		}
	}
	return out
}

// reason is an error in few words.
func reason(err error) string {
	var ne net.Error
	var errno syscall.Errno
	switch {
	case errors.As(err, &ne) && ne.Timeout(), errors.Is(err, context.DeadlineExceeded):
		return "no answer"
	case errors.As(err, &errno):
		return errno.Error()
	}
	return err.Error()
}

func askOne(ctx context.Context, u *failover.Uplink, p failover.Probe) error {
	switch p.Kind {
	case "tcp":
		c, err := (&net.Dialer{Control: bound(u)}).DialContext(ctx, "tcp", p.Target.String())
		if err == nil {
			c.Close()
		}
		return err
	case "dns":
		return askDNS(ctx, u, p.Target)
	}
	return echo(ctx, u, p.Target.Addr())
}

// bound has a socket's packets leave by the uplink alone: by its routing table, which gives them
// their source address, and by no other link whatever that table says.
func bound(u *failover.Uplink) func(string, string, syscall.RawConn) error {
	return func(_, _ string, c syscall.RawConn) error {
		var err error
		cerr := c.Control(func(fd uintptr) {
			err = errors.Join(
				unix.SetsockoptInt(int(fd), unix.SOL_SOCKET, unix.SO_MARK, int(u.Mark())),
				unix.BindToDevice(int(fd), u.Link))
		})
		return errors.Join(cerr, err)
	}
}

// askDNS asks for the servers of the root, which each resolver knows. Any answer has come by the
// uplink; one that says that the server itself gets none says that the uplink is of no use.
func askDNS(ctx context.Context, u *failover.Uplink, server netip.AddrPort) error {
	conn, err := (&net.Dialer{Control: bound(u)}).DialContext(ctx, "udp", server.String())
	if err != nil {
		return err
	}
	defer conn.Close()
	q := new(dns.Msg).SetQuestion(".", dns.TypeNS)
	deadline, _ := ctx.Deadline()
	if err := conn.SetDeadline(deadline); err != nil {
		return err
	}
	c := &dns.Conn{Conn: conn}
	if err := c.WriteMsg(q); err != nil {
		return err
	}
	for {
		a, err := c.ReadMsg()
		switch {
		case a != nil && a.Id == q.Id && a.Response && a.Rcode == dns.RcodeServerFailure:
			return errors.New("SERVFAIL")
		case a != nil && a.Id == q.Id && a.Response:
			return nil
		case err != nil && a == nil:
			return err
		}
	}
}

// Types of ICMP and of ICMPv6 (RFC 792, RFC 4443).
const (
	echoRequest4, echoReply4 = 8, 0
	echoRequest6, echoReply6 = 128, 129
)

// echo sends an echo request and waits for its reply.
func echo(ctx context.Context, u *failover.Uplink, to netip.Addr) error {
	network, request, reply := "ip4:icmp", byte(echoRequest4), byte(echoReply4)
	if to.Is6() {
		network, request, reply = "ip6:ipv6-icmp", echoRequest6, echoReply6
	}
	conn, err := (&net.ListenConfig{Control: bound(u)}).ListenPacket(ctx, network, "")
	if err != nil {
		return err
	}
	defer conn.Close()
	deadline, _ := ctx.Deadline()
	if err := conn.SetDeadline(deadline); err != nil {
		return err
	}
	msg := make([]byte, 16)
	msg[0] = request
	binary.BigEndian.PutUint32(msg[4:], rand.Uint32()) // identifier and sequence number
	binary.BigEndian.PutUint64(msg[8:], rand.Uint64())
	if to.Is4() { // of ICMPv6 the kernel adds it
		binary.BigEndian.PutUint16(msg[2:], checksum(msg))
	}
	if _, err := conn.WriteTo(msg, &net.IPAddr{IP: to.AsSlice()}); err != nil {
		return err
	}
	buf := make([]byte, 1500)
	for {
		n, from, err := conn.ReadFrom(buf)
		if err != nil {
			return err
		}
		ip, _ := from.(*net.IPAddr)
		if a, ok := netip.AddrFromSlice(ip.IP); ok && a.Unmap() == to && n == len(msg) && buf[0] == reply && string(buf[4:n]) == string(msg[4:]) {
			return nil
		}
	}
}

// checksum is the Internet checksum (RFC 1071).
func checksum(b []byte) uint16 {
	var sum uint32
	for i := 0; i < len(b); i += 2 {
		sum += uint32(b[i])<<8 | uint32(b[i+1])
	}
	for sum>>16 != 0 {
		sum = sum&0xffff + sum>>16
	}
	return ^uint16(sum)
}
