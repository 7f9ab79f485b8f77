package chrony

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"time"

	"github.com/beevik/ntp"

	"github.com/nbr-dev/nbr/verify/probe"
)

// answer is what a time server answered (RFC 5905).
type answer struct {
	Answered bool `json:"answered"`
	Stratum  int  `json:"stratum,omitempty"` // 0: it does not know the time itself
}

// timeOf asks an NTP server by its address for the time.
var timeOf = &probe.Probe[netip.Addr, answer]{Name: "chrony.time", Active: true, Look: askTime}

// patience is how long the two tries of a question may take. A daemon of this machine
// answers in milliseconds; a datagram may be lost.
var patience = []time.Duration{700 * time.Millisecond, 1300 * time.Millisecond}

// askTime asks twice, since the library sends each question once.
func askTime(ctx context.Context, h probe.Host, server netip.Addr) (answer, error) {
	for _, timeout := range patience {
		r, err := query(ctx, h, server, timeout)
		if err == nil {
			return parse(r), nil
		}
		if errors.As(err, new(*net.OpError)) && !probe.Silent(err) {
			return answer{}, err
		}
	}
	// What it could not read is what is not an answer: the library does not wait for
	// another datagram.
	return answer{}, nil
}

func query(ctx context.Context, h probe.Host, server netip.Addr, timeout time.Duration) (*ntp.Response, error) {
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	stop := func() bool { return false }
	defer func() { stop() }()
	return ntp.QueryWithOptions(netip.AddrPortFrom(server, 123).String(), ntp.QueryOptions{
		Timeout: timeout,
		Dialer: func(_, remote string) (net.Conn, error) {
			c, err := h.Dial(ctx, "udp", remote)
			if err == nil {
				// All waiting on the connection ends with the context.
				stop = context.AfterFunc(ctx, func() { _ = c.SetDeadline(time.Unix(1, 0)) })
			}
			return c, err
		},
	})
}

// parse is an answer's stratum. A server that does not know the time has none,
// whichever way it says so (RFC 5905 sections 7.3 and 7.4).
func parse(r *ntp.Response) answer {
	if r.Leap == ntp.LeapNotInSync || r.Stratum > 15 {
		return answer{Answered: true}
	}
	return answer{Answered: true, Stratum: int(r.Stratum)}
}
