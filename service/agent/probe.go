package agent

import (
	"bufio"
	"cmp"
	"context"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"time"

	"github.com/hashicorp/hcl/v2"

	"github.com/nbr-dev/nbr/verify"
	"github.com/nbr-dev/nbr/verify/probe"
	"github.com/nbr-dev/nbr/verify/state"
)

// A visit is a client that comes to an address and calls the router by a name.
type visit struct {
	Address netip.AddrPort `json:"address"`
	Name    string         `json:"name"`
}

// statusOf asks the agent for its pages and has the status of its answer (RFC 9112
// section 4), or nothing if there is none.
var statusOf = &probe.Probe[visit, string]{Name: "agent.status", Active: true, Look: lookStatus}

// misdirected is the status for a name that is not one of the router's (RFC 9110 section
// 15.5.20). Others, as of a router that is not well, come from a page.
const misdirected = "421"

func lookStatus(ctx context.Context, h probe.Host, q visit) (string, error) {
	c, err := h.Dial(ctx, "tcp", q.Address.String())
	if probe.Silent(err) {
		return "", nil
	}
	if err != nil {
		return "", err
	}
	defer c.Close()
	defer context.AfterFunc(ctx, func() { _ = c.SetDeadline(time.Unix(1, 0)) })()
	_, err = fmt.Fprintf(c, "GET /health HTTP/1.1\r\nHost: %s\r\nConnection: close\r\n\r\n", q.Name)
	if err != nil {
		return "", err
	}
	line, err := bufio.NewReaderSize(c, 256).ReadSlice('\n')
	if err != nil {
		return "", err
	}
	if w := strings.Fields(string(line)); len(w) > 1 && strings.HasPrefix(w[0], "HTTP/1.") {
		return w[1], nil
	}
	return "", fmt.Errorf("it does not speak HTTP: %q", line)
}

// checkNames adds the checks that clients get an answer by the names of the spec.
func (b *Agent) checkNames(p *verify.Plan) {
	at := b.Metrics.V.AddrPort
	if own := b.addresses(); len(own) > 0 {
		at = netip.AddrPortFrom(own[0], uint16(b.Port.V))
	}
	if !at.IsValid() {
		return // to the socket no name is told
	}
	for _, n := range b.Names.Items {
		want, hint := "an answer", fmt.Sprintf("curl -H 'Host: %s' http://%s/health", n.V, at)
		c := verify.Check{ID: b.Addr.String() + "/answers/" + string(n.V), Title: "metrics by the name " + string(n.V), From: n.Range}
		verify.Asked(p, c, statusOf, visit{at, string(n.V)}, want, hint, func(st *state.State, status string) verify.Verdict {
			switch {
			case status == "" && verify.Tentative(st, at.Addr().String()):
				return verify.Skipped(want, at.Addr().String()+" is tentative until there is a cable", hint)
			case status == "" || status == misdirected:
				return verify.Judge(false, want, cmp.Or(status, "no answer"), hint)
			}
			return verify.Compare(want, want, hint)
		})
	}
}

// checkCommand adds the checks of how systemd starts the agent and the looks of it.
func (b *Agent) checkCommand(p *verify.Plan) {
	add := func(what, title string, from hcl.Range, unit, want string, get func(args []string) string) {
		hint := "systemctl cat " + unit
		c := verify.Check{ID: b.Addr.String() + "/" + what, Title: title, From: cmp.Or(from, b.Def)}
		q := probe.Setting{File: "/etc/systemd/system/" + unit, Keyword: "ExecStart"}
		verify.Asked(p, c, probe.Settings, q, want, hint, func(_ *state.State, values []string) verify.Verdict {
			if len(values) == 0 {
				return verify.Missing(want, hint)
			}
			return verify.Compare(want, get(strings.Fields(values[len(values)-1])), hint)
		})
	}
	add("interval", "time between two looks", b.Interval.Range, unit+".service", fmt.Sprintf("%ds", b.Interval.V), func(args []string) string {
		if i := slices.Index(args, "-interval"); i >= 0 && i+1 < len(args) {
			return args[i+1]
		}
		return "nbr's own"
	})
	asks := map[bool]string{false: "asks", true: "only looks"}
	add("passive", "whether a look asks", b.Passive.Range, "nbr-look@.service", asks[b.Passive.V], func(args []string) string {
		return asks[slices.Contains(args, "-passive")]
	})
}
