package observe

import (
	"bufio"
	"context"
	"errors"
	"io"
	"net/netip"
	"strings"

	"github.com/nbr-dev/nbr/verify/state"
)

func (l *looker) banners(ctx context.Context) error {
	l.st.Banners = ask(ctx, l, state.NeedBanner, readBanner, func(why string) state.Banner { return state.Banner{Error: why} })
	return nil
}

// bannerLimit is the longest line that a server of SSH may say (RFC 4253 section 4.2).
const bannerLimit = 255

// readBanner connects and listens: a server that waits to be talked to is connected
// and has no line.
func readBanner(ctx context.Context, n state.Need) (state.Banner, error) {
	to, err := netip.ParseAddrPort(n.Name)
	if err != nil || to.Port() == 0 {
		return state.Banner{}, errors.New("not an address and a port")
	}
	soon, cancel := context.WithTimeout(ctx, wait)
	defer cancel()
	c, err := dialOwn(soon, "tcp", to.String())
	switch {
	case err != nil && silent(err):
		return state.Banner{}, nil
	case err != nil:
		return state.Banner{}, err
	}
	defer c.Close()
	defer closeWith(soon, c)()
	// What comes before the line's end, the limit, the time's or the server's is what
	// it says.
	line, _ := bufio.NewReader(io.LimitReader(c, bannerLimit)).ReadString('\n')
	return state.Banner{Connected: true, Line: printable(strings.TrimRight(line, "\r\n"))}, nil
}
