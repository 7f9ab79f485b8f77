package observe

import (
	"context"
	"errors"
	"io"
	"net/netip"
	"time"

	"github.com/miekg/dns"

	"github.com/nbr-dev/nbr/verify/state"
)

func (l *looker) answers(ctx context.Context) error {
	l.st.Answers = ask(ctx, l, state.NeedAnswer, lookUp, func(why string) state.Answer { return state.Answer{Error: why} })
	return nil
}

// patienceDNS is longer than for others: a resolver that knows nothing yet asks server
// after server, and of what is signed wrongly all of them. It is shorter than a
// program's (resolv.conf(5), timeout) and costs nothing where nobody listens: then
// the kernel answers.
const patienceDNS = 4 * time.Second

// lookUp asks a DNS server as a stub resolver of its network would, and over TCP what
// did not fit (RFC 7766 section 5).
func lookUp(ctx context.Context, n state.Need) (state.Answer, error) {
	server, query, err := parseQuery(n.Name)
	if err != nil {
		return state.Answer{}, err
	}
	packed, err := query.Pack()
	if err != nil {
		return state.Answer{}, err
	}
	to := netip.AddrPortFrom(server, 53).String()
	soon, cancel := context.WithTimeout(ctx, patienceDNS)
	defer cancel()
	a, truncated, err := lookUpUDP(soon, to, query, packed)
	if err == nil && truncated {
		a, err = lookUpTCP(soon, to, query, packed)
	}
	if err != nil && silent(err) {
		return state.Answer{}, nil
	}
	return a, err
}

// lookUpUDP takes the first datagram that answers the query, and lets all others be:
// they may be anybody's.
func lookUpUDP(ctx context.Context, to string, query *dns.Msg, packed []byte) (state.Answer, bool, error) {
	c, err := dialOwn(ctx, "udp", to)
	if err != nil {
		return state.Answer{}, false, err
	}
	defer c.Close()
	defer closeWith(ctx, c)()
	if _, err := c.Write(packed); err != nil {
		return state.Answer{}, false, err
	}
	defer time.AfterFunc(repeat, func() { _, _ = c.Write(packed) }).Stop()
	buf := make([]byte, dns.MaxMsgSize)
	for {
		n, err := c.Read(buf)
		if err != nil {
			return state.Answer{}, false, err
		}
		if a, truncated, ok := parseAnswer(query, buf[:n]); ok {
			return a, truncated, nil
		}
	}
}

func lookUpTCP(ctx context.Context, to string, query *dns.Msg, packed []byte) (state.Answer, error) {
	c, err := dialOwn(ctx, "tcp", to)
	if err != nil {
		return state.Answer{}, err
	}
	defer c.Close()
	defer closeWith(ctx, c)()
	stream := &dns.Conn{Conn: c} // which puts the length in front
	if _, err := stream.Write(packed); err != nil {
		return state.Answer{}, err
	}
	buf := make([]byte, dns.MaxMsgSize)
	n, err := stream.Read(buf)
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return state.Answer{}, nil // it took the question and hung up
	}
	if err != nil {
		return state.Answer{}, err
	}
	// One that is still truncated says so, with what did fit.
	a, _, _ := parseAnswer(query, buf[:n])
	return a, nil
}
