package verify

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"

	"github.com/nbr-dev/nbr/verify/probe"
	"github.com/nbr-dev/nbr/verify/state"
)

// NotAsked is the verdict where a question could not be asked, with the reason.
func NotAsked(want, why, hint string) Verdict {
	return Verdict{Want: want, Got: "nobody could be asked: " + why, Hint: hint}
}

// Skipped is the verdict where there is nothing to judge, with the reason.
func Skipped(want, why, hint string) Verdict {
	return Verdict{Status: Skip, Want: want, Got: why, Hint: hint}
}

// A Query is a question to a DNS server and the answer that is promised.
type Query struct {
	ID, Title          string
	From               hcl.Range
	Server, Name, Type string
	Code               string // NOERROR, SERVFAIL, …
	AD                 bool   // the data is authenticated (RFC 4035 section 3.2.3)
	CD                 bool   // the server need not validate (RFC 4035 section 3.2.2)
	// Wrong is the one code that breaks the promise; others then tell nothing. Without
	// it every other code does.
	Wrong string
	// Given is another question that has to be answered well for this one's answer to
	// tell anything, if there is one.
	Given *Query
}

func (q *Query) need() state.Need {
	name := fmt.Sprintf("%s %s %s", q.Server, q.Name, q.Type)
	if q.CD {
		name += " CD"
	}
	return state.Need{Kind: state.NeedAnswer, Name: name}
}

// Resolves promises the answer to a question.
func (p *Plan) Resolves(q Query) {
	need := q.need()
	want, hint := q.Code, fmt.Sprintf("dig @%s %s %s", q.Server, q.Name, q.Type)
	if q.AD {
		want, hint = want+" with the AD flag", hint+" +dnssec"
	}
	needs := []state.Need{need}
	if q.Given != nil {
		needs = append(needs, q.Given.need())
	}
	p.Add(Check{ID: q.ID, Title: q.Title, From: q.From, Needs: needs, Eval: func(st *state.State) Verdict {
		a, ok := st.Answers[need.Name]
		switch {
		case !ok:
			return NotSeen(want, hint)
		case a.Error != "":
			return NotAsked(want, a.Error, hint)
		case !a.Answered && Tentative(st, q.Server):
			return Skipped(want, q.Server+" is tentative until there is a cable", hint)
		case q.Given != nil && st.Answers[q.Given.need().Name].Code != q.Given.Code:
			return NotSeen(want, hint)
		case !a.Answered:
			return Verdict{Status: Fail, Want: want, Got: "no answer", Hint: hint}
		}
		got := a.Code
		if q.AD && a.Authenticated {
			got += " with the AD flag"
		}
		v := Compare(want, got, hint)
		if v.Status == Fail && q.Wrong != "" && a.Code != q.Wrong {
			v.Status = Unknown
		}
		return v
	}})
}

// Greets promises that a server on TCP answers with a line that begins like this. What it
// says instead to who has asked too often is away: that tells nothing.
func (p *Plan) Greets(id, title string, from hcl.Range, addr, prefix string, away ...string) {
	need := state.Need{Kind: state.NeedBanner, Name: addr}
	want := prefix + "…"
	host, port := addr[:strings.LastIndexByte(addr, ':')], addr[strings.LastIndexByte(addr, ':')+1:]
	hint := fmt.Sprintf("nc %s %s", strings.Trim(host, "[]"), port)
	p.Add(Check{ID: id, Title: title, From: from, Needs: []state.Need{need}, Eval: func(st *state.State) Verdict {
		b, ok := st.Banners[need.Name]
		v := Verdict{Status: Fail, Want: want, Got: b.Line, Hint: hint}
		switch {
		case !ok:
			return NotSeen(want, hint)
		case b.Error != "":
			return NotAsked(want, b.Error, hint)
		case slices.Contains(away, b.Line):
			return NotAsked(want, b.Line, hint)
		case !b.Connected && Tentative(st, strings.Trim(host, "[]")):
			return Skipped(want, host+" is tentative until there is a cable", hint)
		case !b.Connected:
			v.Got = "no connection"
		case strings.HasPrefix(b.Line, prefix):
			v.Status = Pass
		}
		return v
	}})
}

// Closed promises that nothing of the router answers to a stranger on a link. What is
// written as "tcp/22" is asked for, and the set of the firewall is told beforehand.
func (p *Plan) Closed(id string, from hcl.Range, link, port, set string) {
	need := state.Need{Kind: state.NeedReach, Name: link + " " + port, Text: set}
	want := "no answer"
	hint := fmt.Sprintf("ss -lnp '( sport = :%s )'; nft list ruleset", port[strings.IndexByte(port, '/')+1:])
	title := fmt.Sprintf("%s is closed to strangers on %s (IPv4)", port, link)
	p.Add(Check{ID: id, Title: title, From: from, Needs: []state.Need{need}, Eval: func(st *state.State) Verdict {
		r, ok := st.Reaches[need.Name]
		switch {
		case !ok:
			return NotSeen(want, hint)
		case r.Error != "" && NoCarrier(st, link):
			return Skipped(want, "no cable in "+link, hint)
		case r.Error != "":
			return NotAsked(want, r.Error, hint)
		case r.Leaves != "":
			return Skipped(want, "answers to strangers leave on "+r.Leaves, hint)
		case r.Answered:
			return Verdict{Status: Fail, Want: want, Got: r.Answer, Hint: hint}
		}
		return Compare(want, want, hint)
	}})
}

// Tentative tells whether an address of the router cannot be used yet: IPv6 first asks
// the link whether somebody else has it (RFC 4862 section 5.4).
func Tentative(st *state.State, addr string) bool {
	return slices.ContainsFunc(st.Addrs, func(a state.Addr) bool {
		own, _, _ := strings.Cut(a.Prefix, "/")
		return own == addr && a.Tentative
	})
}

// NoCarrier tells whether a link is known to have nobody at its other end.
func NoCarrier(st *state.State, link string) bool {
	l, ok := st.Links[link]
	return ok && l.Up && !l.Carrier
}

// Asked promises something of the answer to a question. Where there is no answer the
// verdict is Unknown, with the reason.
func Asked[Q comparable, A any](p *Plan, c Check, pr *probe.Probe[Q, A], q Q, want, hint string, judge func(*state.State, A) Verdict) {
	c.Asks = append(c.Asks, pr.Ask(q))
	c.Eval = func(st *state.State) Verdict { return judgeAnswer(st, pr, q, want, hint, judge) }
	p.Add(c)
}

// AskedOn is Asked of a question about a link, by its name: where nothing is connected to it
// there is nothing to judge.
func AskedOn[A any](p *Plan, c Check, pr *probe.Probe[string, A], link, want, hint string, judge func(*state.State, A) Verdict) {
	c.Asks = append(c.Asks, pr.Ask(link))
	c.Eval = func(st *state.State) Verdict {
		if _, err := pr.Answer(st, link); !errors.Is(err, probe.ErrNotAsked) && NoCarrier(st, link) {
			return Skipped(want, "no cable in "+link, hint)
		}
		return judgeAnswer(st, pr, link, want, hint, judge)
	}
	p.Add(c)
}

func judgeAnswer[Q comparable, A any](st *state.State, pr *probe.Probe[Q, A], q Q, want, hint string, judge func(*state.State, A) Verdict) Verdict {
	a, err := pr.Answer(st, q)
	switch {
	case errors.Is(err, probe.ErrNotAsked):
		return NotSeen(want, hint)
	case err != nil:
		return NotAsked(want, err.Error(), hint)
	}
	v := judge(st, a)
	v.Want, v.Hint = cmp.Or(v.Want, want), cmp.Or(v.Hint, hint)
	return v
}
