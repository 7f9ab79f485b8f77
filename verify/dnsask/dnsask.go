// Package dnsask carries questions of DNS (RFC 1035) to the servers of the router and brings the
// answers, for the probes of the services that answer them. What an answer means is theirs to say.
package dnsask

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"strings"
	"time"

	"github.com/miekg/dns"

	"github.com/nbr-dev/nbr/verify/probe"
)

// A Transport is how a question gets to a server, if not over UDP, and over TCP what does not fit.
type Transport string

// The transports.
const (
	OverTCP   Transport = "over TCP"   // RFC 7766
	OverTLS   Transport = "over TLS"   // RFC 7858
	OverHTTPS Transport = "over HTTPS" // RFC 8484
)

// UDPSize is what fits into every path of an IPv6 network (RFC 9715 section 3).
const UDPSize = 1232

const (
	// patience is longer than for other questions: a resolver that knows nothing yet
	// asks server after server, and of what is signed wrongly all of them. It is shorter
	// than a program's (resolv.conf(5), timeout) and costs nothing where no program
	// listens: then the kernel answers.
	patience = 4 * time.Second
	// repeatAfter is when a datagram that may have got lost is sent once more.
	repeatAfter = 700 * time.Millisecond
)

// Ask asks a DNS server as a stub resolver of its network would, and over TCP what did not fit
// (RFC 7766 section 5). The answer is nil if none came; an error says why nothing could be asked.
func Ask(ctx context.Context, h probe.Host, server netip.Addr, via Transport, m *dns.Msg) (*dns.Msg, error) {
	packed, err := m.Pack()
	if err != nil {
		return nil, err
	}
	until := time.Now().Add(patience)
	to := netip.AddrPortFrom(server, 53).String()
	var a *dns.Msg
	switch via {
	case OverTLS:
		a, err = askTLS(ctx, h, server, until, m, packed)
	case OverHTTPS:
		a, err = askHTTPS(ctx, h, server, until, m, packed)
	case OverTCP:
		a, err = askTCP(ctx, h, to, until, m, packed)
	default:
		a, err = askUDP(ctx, h, to, until, m, packed)
		if err == nil && a.Truncated {
			a, err = askTCP(ctx, h, to, until, m, packed)
		}
	}
	if probe.Silent(err) {
		return nil, nil
	}
	return a, err
}

// Dial connects to a server whose answer is waited for as long as to a question, or to the end of
// the context.
func Dial(ctx context.Context, h probe.Host, network, to string) (c net.Conn, end func(), err error) {
	return dial(ctx, h, network, to, time.Now().Add(patience))
}

func dial(ctx context.Context, h probe.Host, network, to string, until time.Time) (c net.Conn, end func(), err error) {
	soon, cancel := context.WithDeadline(ctx, until)
	defer cancel()
	if c, err = h.Dial(soon, network, to); err != nil {
		return nil, nil, err
	}
	stop := context.AfterFunc(ctx, func() { _ = c.SetDeadline(time.Unix(1, 0)) })
	end = func() { stop(); _ = c.Close() }
	if err := c.SetReadDeadline(until); err != nil {
		end()
		return nil, nil, err
	}
	return c, end, nil
}

// askUDP takes the first datagram that answers the message, and ignores all others: any
// host may have sent them.
func askUDP(ctx context.Context, h probe.Host, to string, until time.Time, m *dns.Msg, packed []byte) (*dns.Msg, error) {
	c, end, err := dial(ctx, h, "udp", to, until)
	if err != nil {
		return nil, err
	}
	defer end()
	if _, err := c.Write(packed); err != nil {
		return nil, err
	}
	defer time.AfterFunc(repeatAfter, func() { _, _ = c.Write(packed) }).Stop()
	buf := make([]byte, dns.MaxMsgSize)
	for {
		n, err := c.Read(buf)
		if err != nil {
			return nil, err
		}
		if a := Read(m, buf[:n]); a != nil {
			return a, nil
		}
	}
}

func askTCP(ctx context.Context, h probe.Host, to string, until time.Time, m *dns.Msg, packed []byte) (*dns.Msg, error) {
	c, end, err := dial(ctx, h, "tcp", to, until)
	if err != nil {
		return nil, err
	}
	defer end()
	return askStream(c, m, packed)
}

// askTLS takes any certificate: it is asked for by other questions.
func askTLS(ctx context.Context, h probe.Host, server netip.Addr, until time.Time, m *dns.Msg, packed []byte) (*dns.Msg, error) {
	c, end, err := dial(ctx, h, "tcp", netip.AddrPortFrom(server, 853).String(), until)
	if err != nil {
		return nil, err
	}
	defer end()
	return askStream(tls.Client(c, TLSConfig("")), m, packed)
}

// askHTTPS posts the message (RFC 8484 section 4.1).
func askHTTPS(ctx context.Context, h probe.Host, server netip.Addr, until time.Time, m *dns.Msg, packed []byte) (*dns.Msg, error) {
	var failed error
	client := &http.Client{Transport: &http.Transport{
		ForceAttemptHTTP2: true, TLSClientConfig: TLSConfig(""), DisableKeepAlives: true,
		DialContext: func(ctx context.Context, network, to string) (net.Conn, error) {
			c, _, err := dial(ctx, h, network, to, until)
			failed = err
			return c, err
		},
	}}
	defer client.CloseIdleConnections()
	ctx, cancel := context.WithDeadline(ctx, until)
	defer cancel()
	to := &url.URL{Scheme: "https", Host: netip.AddrPortFrom(server, 443).String(), Path: "/dns-query"}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, to.String(), bytes.NewReader(packed))
	if err != nil {
		return nil, err
	}
	req.Header.Set("Content-Type", "application/dns-message")
	res, err := client.Do(req)
	if failed != nil {
		return nil, failed
	}
	if err != nil {
		return nil, nil // it took the connection and gave no answer
	}
	defer res.Body.Close()
	body, err := io.ReadAll(io.LimitReader(res.Body, dns.MaxMsgSize))
	if err != nil || res.StatusCode != http.StatusOK {
		return nil, nil // what is there is no DNS server
	}
	return Read(m, body), nil
}

func askStream(c net.Conn, m *dns.Msg, packed []byte) (*dns.Msg, error) {
	stream := &dns.Conn{Conn: c} // which puts the length in front
	if _, err := stream.Write(packed); err != nil {
		return nil, err
	}
	buf := make([]byte, dns.MaxMsgSize)
	n, err := stream.Read(buf)
	var alert tls.AlertError
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) || errors.As(err, &alert) {
		return nil, nil // it took the question and closed the connection
	}
	if err != nil {
		return nil, err
	}
	// One that is still truncated says so, with what did fit.
	return Read(m, buf[:n]), nil
}

// TLSConfig takes any certificate: which authorities a client trusts is its own affair.
func TLSConfig(name string) *tls.Config {
	return &tls.Config{ServerName: name, InsecureSkipVerify: true, MinVersion: tls.VersionTLS12}
}

// Read reads the answer to a message; nil if it is none. Of a truncated one only the bit counts
// (RFC 2181 section 9).
func Read(asked *dns.Msg, b []byte) *dns.Msg {
	m := new(dns.Msg)
	err := m.Unpack(b)
	if !m.Response || m.Id != asked.Id || m.Opcode != asked.Opcode || !hasQuestion(asked.Question[0], m) || err != nil && !m.Truncated {
		return nil
	}
	return m
}

// hasQuestion tells whether a message has the question that was asked. Servers that
// refuse may leave it out.
func hasQuestion(q dns.Question, m *dns.Msg) bool {
	if len(m.Question) == 0 {
		return m.Rcode != dns.RcodeSuccess && len(m.Answer) == 0
	}
	got := m.Question[0]
	return len(m.Question) == 1 && strings.EqualFold(got.Name, q.Name) && got.Qtype == q.Qtype && got.Qclass == q.Qclass
}
