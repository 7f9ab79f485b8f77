package openssh

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net/netip"
	"slices"
	"strings"
	"time"

	"github.com/hashicorp/hcl/v2"

	"github.com/nbr-dev/nbr/verify"
	"github.com/nbr-dev/nbr/verify/probe"
	"github.com/nbr-dev/nbr/verify/state"
)

// A banner is the first line that a server on TCP says by itself.
type banner struct {
	Connected bool   `json:"connected"`
	Line      string `json:"line,omitempty"`
}

// bannerOf connects to an address and a port.
var bannerOf = &probe.Probe[netip.AddrPort, banner]{Name: "openssh.banner", Active: true, Look: readBanner}

const (
	// bannerLimit is the longest line that a server of SSH may say (RFC 4253 section 4.2).
	bannerLimit = 255
	// bannerTime is how long it may take. A daemon of this machine has it in milliseconds.
	bannerTime = 2 * time.Second
)

// readBanner connects and listens: a server that waits for its client to begin is
// connected and has no line.
func readBanner(ctx context.Context, h probe.Host, to netip.AddrPort) (banner, error) {
	until := time.Now().Add(bannerTime)
	soon, cancel := context.WithDeadline(ctx, until)
	defer cancel()
	c, err := h.Dial(soon, "tcp", to.String())
	switch {
	case probe.Silent(err):
		return banner{}, nil
	case err != nil:
		return banner{}, err
	}
	defer c.Close()
	// All waiting on the connection ends with the context.
	defer context.AfterFunc(ctx, func() { _ = c.SetDeadline(time.Unix(1, 0)) })()
	if err := c.SetReadDeadline(until); err != nil {
		return banner{}, err
	}
	// What comes before the line's end, the limit, the time's or the server's is what
	// it says.
	line, err := bufio.NewReader(io.LimitReader(c, bannerLimit)).ReadString('\n')
	if err != nil && !errors.Is(err, io.EOF) && !probe.Silent(err) {
		return banner{}, err
	}
	return banner{Connected: true, Line: probe.Printable(strings.TrimRight(line, "\r\n"))}, nil
}

// tooOften is what sshd says to a host that comes and goes without a login more than once
// a second, and while too many others are at it (sshd_config(5), PerSourcePenalties and
// MaxStartups): that says nothing of whether it answers.
var tooOften = []string{"Not allowed at this time", "Exceeded MaxStartups"}

// greets adds the check that sshd answers on an address.
func (b *SSH) greets(p *verify.Plan, a netip.Addr, from hcl.Range) {
	to := netip.AddrPortFrom(a, uint16(b.Port.V))
	const prefix = "SSH-2.0-" // RFC 4253 section 4.2
	want, hint := prefix+"…", fmt.Sprintf("nc %s %d", a, b.Port.V)
	c := verify.Check{ID: fmt.Sprintf("%s/greets/%s", b.Addr, to), Title: "sshd answers on " + to.String(), From: from}
	verify.Asked(p, c, bannerOf, to, want, hint, func(st *state.State, g banner) verify.Verdict {
		switch {
		case slices.Contains(tooOften, g.Line):
			return verify.NotAsked(want, g.Line, hint)
		case !g.Connected && verify.Tentative(st, a.String()):
			return verify.Skipped(want, a.String()+" is tentative until there is a cable", hint)
		case !g.Connected:
			return verify.Verdict{Status: verify.Fail, Want: want, Got: "no connection", Hint: hint}
		}
		return verify.Judge(strings.HasPrefix(g.Line, prefix), want, g.Line, hint)
	})
}
