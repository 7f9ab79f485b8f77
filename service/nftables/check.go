package nftables

import (
	"cmp"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"sync"

	"github.com/hashicorp/hcl/v2"

	"github.com/nbr-dev/nbr/hcl/conf"
	"github.com/nbr-dev/nbr/router"
	"github.com/nbr-dev/nbr/verify"
	"github.com/nbr-dev/nbr/verify/state"
)

// Checks compare the kernel's rules with the generated ones after nft has read and
// listed both, block by block: each rule names its own in a comment. What belongs to
// no block, and the order of everything, is the table's check.
func (f *Firewall) Checks(r *router.Router, p *verify.Plan) {
	table := "inet " + Table
	need := state.Need{Kind: state.NeedRuleset, Name: table, Text: fmt.Sprintf("table %s {\n%s}\n", table, f.Content(r))}
	p.Add(verify.Check{
		ID: f.Addr.String() + "/table", Title: "the firewall is loaded", From: f.Def, Needs: []state.Need{need},
		Eval: func(st *state.State) verify.Verdict {
			hint := "nft list table " + table
			switch {
			case st.Tables == nil:
				return verify.NotSeen("table "+table, hint)
			case !slices.Contains(st.Tables, table):
				return verify.Missing("table "+table, hint)
			}
			v := verify.Compare(table, table, hint)
			v.Note = otherTables(st.Tables)
			return v
		},
	})
	f.guarded(p)
	f.checkSchedules(r, p)
	f.checkPrefixNATs(r, p)
	checkOpened(r, p)
	for _, z := range r.Zones {
		opened(r, p, z)
	}
	asked := map[remotePort]bool{} // networks may share a link
	for _, n := range r.Networks {
		for _, family := range families {
			f.closed(r, p, n, family, asked)
		}
	}
	authors, comments := f.authors(r)
	split := &splitter{table: table, comments: comments}
	// A state that was recorded for another spec has not listed these rules.
	foreign := func(st *state.State) bool { of := st.Rulesets[table].Of; return of != "" && of != need.Hash() }
	for _, by := range authors {
		p.Add(verify.Check{
			ID: by.Addr.String() + "/rules", Title: "firewall rules of " + by.Addr.String(), From: by.From, Needs: []state.Need{need},
			Eval: func(st *state.State) verify.Verdict {
				if foreign(st) {
					return otherSpec(table)
				}
				of := split.of(st)
				return sameRules(st, table, of.want[by.Addr], of.got[by.Addr])
			},
		})
	}
	p.Add(verify.Check{
		ID: f.Addr.String() + "/ruleset", Title: "nothing else is in the table, and the order is right", From: f.Def, Needs: []state.Need{need},
		Eval: func(st *state.State) verify.Verdict {
			if foreign(st) {
				return otherSpec(table)
			}
			rs := st.Rulesets[table]
			v := sameRules(st, table, rs.Want, rs.Got)
			v.Note = dropped(rs)
			return v
		},
	})
}

// otherTables names the tables of other programs. Docker and libvirt have theirs, and what they do
// is not for this spec to judge.
func otherTables(tables []string) string {
	own := []string{"inet " + Table, "inet " + flowTable, "inet " + guardTable, "inet " + reloadTable}
	others := slices.DeleteFunc(slices.Clone(tables), func(t string) bool { return slices.Contains(own, t) })
	if len(others) == 0 {
		return ""
	}
	return "also loaded: " + strings.Join(others, ", ")
}

// opened adds the checks that a program listens for what zones may use of the router and nbr
// does not run: the spec says so.
func opened(r *router.Router, p *verify.Plan, z *router.Zone) {
	for _, allow := range z.Allow.Items {
		var ports []router.Packets
		var words []string
		for _, o := range r.Opened(allow.V) {
			if o.Protocol == router.TCP || o.Protocol == router.UDP {
				ports, words = append(ports, o), append(words, o.String())
			}
		}
		if len(ports) == 0 {
			continue
		}
		want, hint := "a program on "+strings.Join(words, " or "), "ss -lntup"
		p.Add(verify.Check{
			ID: fmt.Sprintf("%s/allow/%s", z.Addr, allow.V), Title: fmt.Sprintf("a program listens for %s", allow.V), From: allow.Range,
			Eval: func(st *state.State) verify.Verdict {
				if st.Listeners == nil {
					return verify.NotSeen(want, hint)
				}
				got := "none"
				for _, l := range st.Listeners {
					if !slices.ContainsFunc(ports, func(o router.Packets) bool { return o.Protocol.String() == l.Protocol && o.Ports.Contains(l.Port) }) {
						continue
					}
					if a, err := netip.ParseAddr(l.Address); err == nil && a.IsLoopback() {
						got = fmt.Sprintf("%s, which only the router itself reaches", l.Address)
						continue
					}
					v := verify.Compare(want, want, hint)
					v.Note = strings.TrimSpace(fmt.Sprintf("%s/%d %s", l.Protocol, l.Port, l.Program))
					return v
				}
				return verify.Compare(want, got, hint)
			},
		})
	}
}

// guarded adds the checks of the tables that are loaded beside the rules: the minimal one is
// in force when those could not be loaded, and comes back with its unit before they go.
func (f *Firewall) guarded(p *verify.Plan) {
	id := f.Addr.String()
	loaded(p, id+"/guard", "the minimal firewall, which drops all but ssh, is not in force", f.Def, guardTable, false, "nbr-guard-lifted")
	p.UnitActive(id+"/guard/unit", f.Def, "nbr-guard-lifted.service")
	at := f.Def
	if f.FlowOffload.Set {
		at = f.FlowOffload.Range
	}
	loaded(p, id+"/flowtable", "flow offload is as the spec says", at, flowTable, f.FlowOffload.V, "nbr-flowtable")
}

// loaded adds the check that a table is loaded, or that it is not.
func loaded(p *verify.Plan, id, title string, from hcl.Range, table string, wanted bool, unit string) {
	words := map[bool]string{true: "table inet " + table, false: "no table inet " + table}
	p.Add(verify.Check{ID: id, Title: title, From: from, Eval: func(st *state.State) verify.Verdict {
		hint := fmt.Sprintf("nft list table inet %s; systemctl status nftables %s", table, unit)
		if st.Tables == nil {
			return verify.NotSeen(words[wanted], hint)
		}
		return verify.Compare(words[wanted], words[slices.Contains(st.Tables, "inet "+table)], hint)
	}})
}

// closed adds the checks that remote hosts get no answer over a version of IP from what the router
// serves elsewhere. Of UDP only what canProbe names can be asked in a way that would be answered.
func (f *Firewall) closed(r *router.Router, p *verify.Plan, n *router.Network, family router.Family, asked map[remotePort]bool) {
	zone := r.ZoneOf(n)
	if !n.Upstream() || !n.Has(family) || zone == nil {
		return
	}
	var mark uint32
	if u := r.UplinkOf(n); u != nil {
		mark = u.Mark
	}
	promised := slices.ContainsFunc(r.On(n.Link.Target), func(n *router.Network) bool { return defaultRoute(r, n, family) })
	for _, l := range router.Claimed[router.Listen](r) {
		q := remotePort{string(n.Device()), l.Protocol, uint16(l.Port), family, mark}
		if asked[q] || !canProbe(l.Protocol, l.Port) || f.reachable(r, zone, n, l, family) {
			continue
		}
		asked[q] = true
		const want = "no answer"
		hint := fmt.Sprintf("ss -lnp '( sport = :%d )'; nft list ruleset", q.Port)
		c := verify.Check{
			ID:    fmt.Sprintf("%s/closed/%s/%s", zone.Addr, q.Link, q.port()),
			Title: fmt.Sprintf("%s is closed to remote hosts on %s (%s)", q.port(), q.Link, family), From: zone.Def,
		}
		if family == router.IPv6 {
			c.ID += "/ipv6"
		}
		verify.AskedOn(p, c, q.Link, replyOf, q, want, hint, func(_ *state.State, a reply) verify.Verdict {
			switch {
			case a.Leaves != "":
				return verify.Skipped(want, "answers to remote hosts leave on "+a.Leaves, hint)
			case a.NoWay != "" && promised:
				return verify.NotAsked(want, a.NoWay, hint)
			case a.NoWay != "":
				return verify.Skipped(want, a.NoWay, hint)
			}
			return verify.Judge(!a.Answered, want, cmp.Or(a.Answer, want), hint)
		})
	}
}

// defaultRoute tells whether the spec says that a default route of a version of IP leads to a
// network. Without one, as where a modem has addresses of its own beside a session's, the router is
// well although it answers no remote host.
func defaultRoute(r *router.Router, n *router.Network, family router.Family) bool {
	if slices.ContainsFunc(r.Routes, func(rt *router.Route) bool {
		return rt.To.V.Bits() == 0 && rt.To.V.Addr().Is6() == (family == router.IPv6) && slices.Contains(r.NextHops(rt), n)
	}) {
		return true
	}
	if family == router.IPv6 {
		return n.TakesAdvertisements() || n.Gateway6.Set
	}
	return n.ByDHCP() || n.ByPPP() || n.Gateway.Set
}

// reachable tells whether the spec lets remote hosts in a network get to the port of a
// socket, or to another host by it, over a version of IP. Ports are forwarded of IPv4 alone.
func (f *Firewall) reachable(r *router.Router, zone *router.Zone, n *router.Network, l *router.Listen, family router.Family) bool {
	return slices.ContainsFunc(router.Claimed[router.Listen](r), func(o *router.Listen) bool {
		return o.Protocol == l.Protocol && o.Ports().Contains(l.Port) && slices.ContainsFunc(r.On(n.Link.Target), o.Serves) && slices.Contains(zone.Allow.All(), router.ServiceName(o.Service))
	}) || family == router.IPv4 && slices.ContainsFunc(r.PortForwards, func(pf *router.PortForward) bool {
		return pf.From.Target == zone && string(pf.Protocol.V) == l.Protocol.String() && pf.Port.V.Contains(l.Port)
	})
}

// authors are the blocks that made sets and rules, each once and at its first rule, and whose
// set or rule has which comment.
func (f *Firewall) authors(r *router.Router) ([]router.By, map[string]conf.Addr) {
	var out []router.By
	seen := map[conf.Addr]bool{}
	comments := map[string]conf.Addr{}
	for _, s := range r.Sets {
		if len(r.Elements(s, router.IPv4))+len(r.Elements(s, router.IPv6)) > 0 {
			out = append(out, blockLine(s))
			comments[quote(comment(blockLine(s)))] = s.Addr
		}
	}
	for _, s := range r.Schedules {
		out = append(out, blockLine(s))
		comments[quote(comment(blockLine(s)))] = s.Addr
	}
	// Sets of translations have the comment of their rules.
	for _, c := range f.chains(r) {
		for _, rule := range c.rules {
			comments[quote(comment(rule.by))] = rule.by.Addr
			if !seen[rule.by.Addr] {
				seen[rule.by.Addr] = true
				out = append(out, rule.by)
			}
		}
	}
	return out, comments
}

// A splitter sorts the lines of a listing by the block that made the rule. Each block
// has a check, and going through thousands of rules for each would take long: it keeps what
// it made of the state that it saw last.
type splitter struct {
	table    string
	comments map[string]conf.Addr // of rules, quoted

	mu   sync.Mutex
	last *string // the first line of what should be, by which a listing is known
	lines
}

// lines are those of each block, as they should be and as they are.
type lines struct{ want, got map[conf.Addr][]string }

func (s *splitter) of(st *state.State) lines {
	s.mu.Lock()
	defer s.mu.Unlock()
	rs := st.Rulesets[s.table]
	if len(rs.Want) == 0 {
		return lines{}
	}
	if s.last != &rs.Want[0] {
		s.last, s.lines = &rs.Want[0], lines{s.split(rs.Want), s.split(rs.Got)}
	}
	return s.lines
}

func (s *splitter) split(lines []string) map[conf.Addr][]string {
	out := map[conf.Addr][]string{}
	for _, l := range lines {
		_, text, ok := strings.Cut(l, `"comment":"`)
		if end := strings.IndexByte(text, '"'); ok && end >= 0 {
			// A comment holds no quote, and of what JSON escapes only the backslash.
			if by, ok := s.comments[`"`+strings.ReplaceAll(text[:end], `\\`, `\`)+`"`]; ok {
				out[by] = append(out[by], l)
			}
		}
	}
	return out
}

// otherSpec is the verdict over rules that were listed for another spec.
func otherSpec(table string) verify.Verdict {
	v := verify.NotSeen("the generated rules", "nft list table "+table)
	v.Got = "the state was recorded for another spec: run nbr observe with this one"
	return v
}

// sameRules compares lines of a table's listing.
func sameRules(st *state.State, table string, want, got []string) verify.Verdict {
	hint := "nft list table " + table
	if st.Tables != nil && !slices.Contains(st.Tables, table) {
		return verify.Missing("the generated rules", hint)
	}
	if len(want) == 0 { // the spec has rules, so they could not be listed
		return verify.NotSeen("the generated rules", hint)
	}
	if slices.Equal(want, got) {
		rules := fmt.Sprintf("%d lines of its listing", len(want))
		return verify.Compare(rules, rules, hint)
	}
	v := verify.Verdict{Status: verify.Fail, Want: "the generated rules in their order", Got: "another order", Hint: hint}
	if missing := without(want, got); len(missing) > 0 {
		v.Want, v.Got = strings.TrimSpace(missing[0]), fmt.Sprintf("missing (%d in all)", len(missing))
	} else if extra := without(got, want); len(extra) > 0 {
		v.Want, v.Got = "nothing more", strings.TrimSpace(extra[0])
	}
	return v
}

// dropped is what the chains have dropped since they were loaded.
func dropped(rs state.Ruleset) string {
	var parts []string
	for _, d := range rs.Drops {
		parts = append(parts, fmt.Sprintf("%d packets in %s", d.Packets, d.Chain))
	}
	if len(parts) == 0 {
		return ""
	}
	return "dropped: " + strings.Join(parts, ", ")
}

// without are the lines of a that b lacks, counting those that are there twice.
func without(a, b []string) []string {
	n := map[string]int{}
	for _, l := range b {
		n[l]++
	}
	return slices.DeleteFunc(slices.Clone(a), func(l string) bool {
		n[l]--
		return n[l] >= 0
	})
}
