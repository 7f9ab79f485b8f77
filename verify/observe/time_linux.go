package observe

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"time"

	"github.com/beevik/ntp"

	"github.com/nbr-dev/nbr/verify/state"
)

func (l *looker) times(ctx context.Context) error {
	l.st.Times = ask(ctx, l, state.NeedTime, askTime, func(why string) state.NTP { return state.NTP{Error: why} })
	return nil
}

// askTime asks twice, since the library sends each question once.
func askTime(ctx context.Context, n state.Need) (state.NTP, error) {
	server, err := netip.ParseAddr(n.Name)
	if err != nil {
		return state.NTP{}, errors.New("not the address of a time server")
	}
	for _, timeout := range []time.Duration{repeat, wait - repeat} {
		var r *ntp.Response
		if r, err = queryTime(ctx, server, timeout); err == nil {
			return parseTime(r), nil
		}
	}
	// What it could not read is what is not an answer: the library does not wait for
	// another datagram.
	var op *net.OpError
	if silent(err) || !errors.As(err, &op) {
		return state.NTP{}, nil
	}
	return state.NTP{}, err
}

func queryTime(ctx context.Context, server netip.Addr, timeout time.Duration) (*ntp.Response, error) {
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	stop := func() bool { return false }
	defer func() { stop() }()
	return ntp.QueryWithOptions(netip.AddrPortFrom(server, 123).String(), ntp.QueryOptions{
		Timeout: timeout,
		Dialer: func(_, remote string) (net.Conn, error) {
			var d net.Dialer
			c, err := d.DialContext(ctx, "udp", remote)
			if err == nil {
				stop = closeWith(ctx, c)
			}
			return c, err
		},
	})
}

// parseTime is an answer's stratum. One who answers and does not know the time
// himself has none, whichever way he says so (RFC 5905 sections 7.3 and 7.4).
func parseTime(r *ntp.Response) state.NTP {
	if r.Leap == ntp.LeapNotInSync || r.Stratum > 15 {
		return state.NTP{Answered: true}
	}
	return state.NTP{Answered: true, Stratum: int(r.Stratum)}
}
