package knot

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"time"

	"github.com/hashicorp/hcl/v2"
	"github.com/miekg/dns"

	"github.com/nbr-dev/nbr/verify"
	"github.com/nbr-dev/nbr/verify/probe"
	"github.com/nbr-dev/nbr/verify/state"
)

// answerTo asks a DNS server.
var answerTo = &probe.Probe[query, answer]{Name: "knot.answer", Active: true, Look: lookUp}

const (
	// answerTime is longer than for other questions: a resolver that knows nothing yet
	// asks server after server, and of what is signed wrongly all of them. It is shorter
	// than a program's (resolv.conf(5), timeout) and costs nothing where no program
	// listens: then the kernel answers.
	answerTime = 4 * time.Second
	// repeatAfter is when a datagram that may have got lost is sent once more.
	repeatAfter = 700 * time.Millisecond
)

// lookUp asks a DNS server as a stub resolver of its network would, and over TCP what
// did not fit (RFC 7766 section 5).
func lookUp(ctx context.Context, h probe.Host, q query) (answer, error) {
	m, err := q.message()
	if err != nil {
		return answer{}, err
	}
	packed, err := m.Pack()
	if err != nil {
		return answer{}, err
	}
	until := time.Now().Add(answerTime)
	var a answer
	switch q.Via {
	case overTLS:
		a, err = lookUpTLS(ctx, h, q.Server, until, m, packed)
	case overHTTPS:
		a, err = lookUpHTTPS(ctx, h, q.Server, until, m, packed)
	default:
		var truncated bool
		to := netip.AddrPortFrom(q.Server, 53).String()
		a, truncated, err = lookUpUDP(ctx, h, to, until, m, packed)
		if err == nil && truncated {
			a, err = lookUpTCP(ctx, h, to, until, m, packed)
		}
	}
	if probe.Silent(err) {
		return answer{}, nil
	}
	return a, err
}

// dial connects to a server whose answer is waited for until a time, or the end of the
// context.
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

// lookUpUDP takes the first datagram that answers the message, and ignores all others: any
// host may have sent them.
func lookUpUDP(ctx context.Context, h probe.Host, to string, until time.Time, m *dns.Msg, packed []byte) (answer, bool, error) {
	c, end, err := dial(ctx, h, "udp", to, until)
	if err != nil {
		return answer{}, false, err
	}
	defer end()
	if _, err := c.Write(packed); err != nil {
		return answer{}, false, err
	}
	defer time.AfterFunc(repeatAfter, func() { _, _ = c.Write(packed) }).Stop()
	buf := make([]byte, dns.MaxMsgSize)
	for {
		n, err := c.Read(buf)
		if err != nil {
			return answer{}, false, err
		}
		if a, truncated, ok := parseAnswer(m, buf[:n]); ok {
			return a, truncated, nil
		}
	}
}

func lookUpTCP(ctx context.Context, h probe.Host, to string, until time.Time, m *dns.Msg, packed []byte) (answer, error) {
	c, end, err := dial(ctx, h, "tcp", to, until)
	if err != nil {
		return answer{}, err
	}
	defer end()
	return lookUpStream(c, m, packed)
}

// lookUpTLS takes any certificate, which another check is about.
func lookUpTLS(ctx context.Context, h probe.Host, server netip.Addr, until time.Time, m *dns.Msg, packed []byte) (answer, error) {
	c, end, err := dial(ctx, h, "tcp", netip.AddrPortFrom(server, 853).String(), until)
	if err != nil {
		return answer{}, err
	}
	defer end()
	return lookUpStream(tls.Client(c, tlsConfig("")), m, packed)
}

// lookUpHTTPS posts the message (RFC 8484 section 4.1).
func lookUpHTTPS(ctx context.Context, h probe.Host, server netip.Addr, until time.Time, m *dns.Msg, packed []byte) (answer, error) {
	var failed error
	client := &http.Client{Transport: &http.Transport{
		ForceAttemptHTTP2: true, TLSClientConfig: tlsConfig(""), DisableKeepAlives: true,
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
		return answer{}, err
	}
	req.Header.Set("Content-Type", "application/dns-message")
	res, err := client.Do(req)
	if failed != nil {
		return answer{}, failed
	}
	if err != nil {
		return answer{}, nil // it took the connection and gave no answer
	}
	defer res.Body.Close()
	body, err := io.ReadAll(io.LimitReader(res.Body, dns.MaxMsgSize))
	if err != nil || res.StatusCode != http.StatusOK {
		return answer{}, nil // what is there is no DNS server
	}
	a, _, _ := parseAnswer(m, body)
	return a, nil
}

func lookUpStream(c net.Conn, m *dns.Msg, packed []byte) (answer, error) {
	stream := &dns.Conn{Conn: c} // which puts the length in front
	if _, err := stream.Write(packed); err != nil {
		return answer{}, err
	}
	buf := make([]byte, dns.MaxMsgSize)
	n, err := stream.Read(buf)
	var alert tls.AlertError
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) || errors.As(err, &alert) {
		return answer{}, nil // it took the question and closed the connection
	}
	if err != nil {
		return answer{}, err
	}
	// One that is still truncated says so, with what did fit.
	a, _, _ := parseAnswer(m, buf[:n])
	return a, nil
}

// A promise is of the answer to a query.
type promise struct {
	id, title string
	from      hcl.Range
	query     query
	code      string // NOERROR, SERVFAIL, …
	ad        bool   // the data is authenticated (RFC 4035 section 3.2.3)
	data      string // what the records of the answer say, if that is part of the promise
	exact     bool   // it is so without data, too: the answer then has none
	// wrong is the one code that breaks the promise; others then say nothing of it. Without
	// it every other code breaks it.
	wrong string
	// given is another query that has to be answered with NOERROR for this one's answer to
	// say anything, if there is one.
	given *query
}

// add adds the check of a promise.
func (pr promise) add(p *verify.Plan) {
	q := pr.query
	want, hint := pr.code, fmt.Sprintf("dig @%s %s %s", q.Server, q.Name, q.Type)
	switch q.Via {
	case overTLS:
		hint += " +tls"
	case overHTTPS:
		hint += " +https"
	}
	if pr.ad {
		want, hint = want+" with the AD flag", hint+" +dnssec"
	}
	if pr.data != "" {
		want += " " + pr.data
	}
	c := verify.Check{ID: pr.id, Title: pr.title, From: pr.from}
	if pr.given != nil {
		c.Asks = []probe.Question{answerTo.Ask(*pr.given)}
	}
	verify.Asked(p, c, answerTo, q, want, hint, func(st *state.State, a answer) verify.Verdict {
		if !a.Answered && verify.Tentative(st, q.Server.String()) {
			return verify.Skipped(want, q.Server.String()+" is tentative until there is a cable", hint)
		}
		if pr.given != nil {
			if before, err := answerTo.Answer(st, *pr.given); err != nil || before.Code != "NOERROR" {
				return verify.NotSeen(want, hint)
			}
		}
		if !a.Answered {
			return verify.Verdict{Status: verify.Fail, Want: want, Got: "no answer", Hint: hint}
		}
		got := a.Code
		if pr.ad && a.Authenticated {
			got += " with the AD flag"
		}
		if (pr.data != "" || pr.exact) && a.Data != "" {
			got += " " + a.Data
		}
		v := verify.Compare(want, got, hint)
		if v.Status == verify.Fail && pr.wrong != "" && a.Code != pr.wrong {
			v.Status = verify.Unknown
		}
		return v
	})
}
