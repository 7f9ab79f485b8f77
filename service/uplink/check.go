package uplink

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"net/netip"
	"strings"
	"time"

	"github.com/nbr-dev/nbr/failover"
	"github.com/nbr-dev/nbr/router"
	"github.com/nbr-dev/nbr/service"
	"github.com/nbr-dev/nbr/verify"
	"github.com/nbr-dev/nbr/verify/probe"
	"github.com/nbr-dev/nbr/verify/state"
)

// statusFile is where the watcher writes after each round.
const statusFile = "/run/" + unit + "/status.json"

// A told is what the watcher has written, and how long ago.
type told struct {
	Found  bool            `json:"found"`
	Age    int64           `json:"age"` // seconds
	Status failover.Status `json:"status"`
}

var statusOf = &probe.Probe[struct{}, told]{Name: "uplink.status", Look: readStatus}

func readStatus(_ context.Context, h probe.Host, _ struct{}) (told, error) {
	b, err := h.ReadFile(statusFile)
	if errors.Is(err, fs.ErrNotExist) {
		return told{}, nil
	}
	if err != nil {
		return told{}, err
	}
	t := told{Found: true}
	if err := json.Unmarshal(b, &t.Status); err != nil {
		return told{}, fmt.Errorf("%s: %w", statusFile, err)
	}
	t.Age = max(0, time.Now().Unix()-t.Status.Written)
	return t, nil
}

// late is how many seconds after the longest interval the watcher has certainly written.
const late = 15

// fresh is the verdict on a line that cannot be judged by what the watcher has written, or false.
func fresh(t told, name string, f failover.Family, longest int) (failover.LineStatus, verify.Verdict, bool) {
	if !t.Found {
		return failover.LineStatus{}, verify.Verdict{Got: "the watcher has written nothing"}, false
	}
	if t.Age > int64(longest+late) {
		return failover.LineStatus{}, verify.Verdict{Got: fmt.Sprintf("the watcher wrote the last time %d seconds ago", t.Age)}, false
	}
	l, ok := t.Status.Of(name, f)
	if !ok || t.Status.Format != 1 {
		return l, verify.Verdict{Got: "the watcher has another configuration"}, false
	}
	return l, verify.Verdict{}, true
}

// Checks look at whether the uplink works, as the watcher has found, and at whether the kernel has
// its routes and rules.
func (u *Uplink) Checks(r *router.Router, p *verify.Plan) {
	w := u.watched(r)
	u.checkSettings(p, w)
	for _, f := range w.Families {
		u.checkWorks(p, w, f)
		u.checkTable(p, w, f)
		u.checkRules(p, w, f)
	}
}

// settings are what the watcher is told of an uplink, apart from what the kernel shows.
func settings(w failover.Uplink) string {
	var words []string
	for _, p := range w.Probes {
		words = append(words, p.String())
	}
	return fmt.Sprintf("%s on %s every %ds, fails after %d, works after %d", strings.Join(words, " "), w.Link, w.Interval, w.Failures, w.Successes)
}

// checkSettings adds the check that the watcher does as the spec says.
func (u *Uplink) checkSettings(p *verify.Plan, w failover.Uplink) {
	c := verify.Check{ID: u.Addr.String() + "/settings", Title: "how " + w.Name + " is watched", From: u.Def}
	want := settings(w)
	verify.Asked(p, c, statusOf, struct{}{}, want, hintOf(), func(_ *state.State, t told) verify.Verdict {
		if !t.Found {
			return verify.Verdict{Got: "the watcher has written nothing"}
		}
		for _, got := range t.Status.Uplinks {
			if got.Name == w.Name {
				return verify.Compare(want, settings(got), hintOf())
			}
		}
		return verify.Missing(want, hintOf())
	})
}

func hintOf() string { return "journalctl -u " + unit + " -n 20; cat " + statusFile }

func (u *Uplink) checkWorks(p *verify.Plan, w failover.Uplink, f failover.Family) {
	c := verify.Check{ID: fmt.Sprintf("%s/works/%s", u.Addr, f), Title: fmt.Sprintf("%s of %s works", version(f), w.Name), From: u.Probes.Range}
	verify.Asked(p, c, statusOf, struct{}{}, "an answer to a probe", hintOf(), func(_ *state.State, t told) verify.Verdict {
		l, v, ok := fresh(t, w.Name, f, w.Interval)
		switch {
		case !ok:
			return v
		case !l.Known:
			return verify.Verdict{Got: strings.TrimSuffix("not judged yet: "+l.Why, ": ")}
		case l.Up:
			return verify.Verdict{Status: verify.Pass, Got: "since " + at(l.Since)}
		}
		return verify.Verdict{Status: verify.Fail, Got: fmt.Sprintf("failed at %s: %s", at(l.Since), l.Why)}
	})
}

func at(unix int64) string { return time.Unix(unix, 0).UTC().Format(time.RFC3339) }

func version(f failover.Family) string {
	if f == failover.IPv4 {
		return router.IPv4.String()
	}
	return router.IPv6.String()
}

// ipCommand is ip(8) for a version of IP.
func ipCommand(f failover.Family) string {
	if f == failover.IPv6 {
		return "ip -6"
	}
	return "ip"
}

// protocol is that of the watcher's routes and rules, as it is listed.
var protocol = state.RouteProtocolName(failover.Protocol)

// route is the watcher's default route in a table, empty for main.
func route(st *state.State, f failover.Family, table string) (state.Route, bool) {
	for _, rt := range st.Routes {
		if rt.To == f.Default().String() && rt.Table == table && rt.Type == "" && rt.Proto == protocol {
			return rt, true
		}
	}
	return state.Route{}, false
}

// checkTable compares the default route of the uplink's own table with the one that its link has.
func (u *Uplink) checkTable(p *verify.Plan, w failover.Uplink, f failover.Family) {
	table := fmt.Sprint(w.Table())
	want, hint := "the default route of "+w.Link, fmt.Sprintf("%s route show default; %s route show table %s", ipCommand(f), ipCommand(f), table)
	p.Add(verify.Check{
		ID: fmt.Sprintf("%s/table/%s", u.Addr, f), Title: fmt.Sprintf("table %s leads by %s", table, w.Name), From: u.Network.Range,
		Eval: func(st *state.State) verify.Verdict {
			if st.Routes == nil {
				return verify.NotSeen(want, hint)
			}
			var ways []string
			for _, rt := range st.Routes {
				if rt.To == f.Default().String() && rt.Table == "" && rt.Type == "" && rt.Link == w.Link && rt.Proto != protocol {
					ways = append(ways, rt.Via)
				}
			}
			got, ok := route(st, f, table)
			switch {
			case verify.NoCarrier(st, w.Link):
				return verify.Skipped(want, "nothing is connected to "+w.Link, hint)
			case len(ways) == 0:
				return verify.Skipped(want, "there is none", hint)
			case !ok:
				return verify.Missing(want, hint)
			}
			for _, via := range ways {
				if got.Link == w.Link && got.Via == via {
					return verify.Verdict{Status: verify.Pass, Want: want, Got: strings.TrimSpace("via " + via), Hint: hint}
				}
			}
			return verify.Judge(false, want, fmt.Sprintf("via %s dev %s", got.Via, got.Link), hint)
		},
	})
}

// checkRules looks for the rule of the uplink's mark, and those of its addresses.
func (u *Uplink) checkRules(p *verify.Plan, w failover.Uplink, f failover.Family) {
	hint := ipCommand(f) + " rule"
	p.Add(verify.Check{
		ID: fmt.Sprintf("%s/rules/%s", u.Addr, f), Title: fmt.Sprintf("flows and addresses of %s leave by it", w.Name), From: u.Priority.Range,
		Eval: func(st *state.State) verify.Verdict {
			rules := []failover.Rule{{Family: f, Priority: failover.MainPriority}, w.MarkRule(f)}
			for _, prefix := range w.Prefixes {
				if u.family(prefix.Addr()) == f {
					rules = append(rules, w.FromRule(prefix))
				}
			}
			for _, a := range st.Addrs {
				q, err := netip.ParsePrefix(a.Prefix)
				if err == nil && a.Link == w.Link && q.Addr().IsGlobalUnicast() && u.family(q.Addr()) == f {
					rules = append(rules, w.FromRule(netip.PrefixFrom(q.Addr(), q.Addr().BitLen())))
				}
			}
			want := fmt.Sprintf("%d rules", len(rules))
			if st.Rules == nil || st.Addrs == nil {
				return verify.NotSeen("rules", hint)
			}
			var missing []string
			for _, rule := range rules {
				if !has(st.Rules, rule) {
					missing = append(missing, fmt.Sprintf("%d: %s", rule.Priority, rule))
				}
			}
			got := want
			if len(missing) > 0 {
				got = "missing: " + strings.Join(missing, ", ")
			}
			return verify.Compare(want, got, hint)
		},
	})
}

func has(rules []state.Rule, want failover.Rule) bool {
	for _, r := range rules {
		if r.Family == string(want.Family) && r.Priority == want.Priority && r.Text == want.String() && r.Proto == protocol {
			return true
		}
	}
	return false
}

// Checks look at the watcher itself, and at whether new connections take the uplink that it has
// chosen and should have.
func (program) Checks(r *router.Router, blocks []service.Block, p *verify.Plan) {
	us := sorted(blocks)
	first := us[0]
	p.UnitActive("uplink/unit", first.Def, unit+".service")
	longest := 0
	for _, u := range us {
		longest = max(longest, int(u.Interval.V))
	}
	for _, f := range failover.Families() {
		var of []failover.Uplink
		for _, u := range us {
			if w := u.watched(r); w.Has(f) {
				of = append(of, w)
			}
		}
		if len(of) == 0 {
			continue
		}
		c := verify.Check{ID: "uplink/chosen/" + string(f), Title: "new connections of " + version(f) + " take the first uplink that works", From: first.Priority.Range}
		verify.Asked(p, c, statusOf, struct{}{}, "a default route by it", ipCommand(f)+" route show default", func(st *state.State, t told) verify.Verdict {
			return judgeChosen(st, t, of, f, longest)
		})
	}
}

// judgeChosen compares the default route with the first uplink that works. Where none does, any
// will do.
func judgeChosen(st *state.State, t told, of []failover.Uplink, f failover.Family, longest int) verify.Verdict {
	if st.Routes == nil {
		return verify.Verdict{Got: "not looked at"}
	}
	works := ""
	links := map[string]string{}
	for _, w := range of {
		links[w.Name] = w.Link
		l, v, ok := fresh(t, w.Name, f, longest)
		if !ok {
			return v
		}
		if works == "" && l.Known && l.Up {
			works = w.Name
		}
	}
	rt, ok := route(st, f, "")
	got := "by none"
	if ok {
		got = "by " + rt.Link
	}
	switch {
	case works == "":
		return verify.Verdict{Status: verify.Skip, Got: "no uplink works; new connections leave " + got}
	case ok && rt.Link == links[works] && rt.Metric == failover.ChosenMetric:
		return verify.Verdict{Status: verify.Pass, Want: "by " + links[works], Got: got}
	}
	return verify.Verdict{Status: verify.Fail, Want: "by " + links[works], Got: got}
}
