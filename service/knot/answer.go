package knot

import (
	"context"
	"fmt"

	"github.com/hashicorp/hcl/v2"

	"github.com/nbr-dev/nbr/verify"
	"github.com/nbr-dev/nbr/verify/dnsask"
	"github.com/nbr-dev/nbr/verify/probe"
	"github.com/nbr-dev/nbr/verify/state"
)

// answerTo asks a DNS server.
var answerTo = &probe.Probe[query, answer]{Name: "knot.answer", Active: true, Look: lookUp}

func lookUp(ctx context.Context, h probe.Host, q query) (answer, error) {
	m, err := q.message()
	if err != nil {
		return answer{}, err
	}
	a, err := dnsask.Ask(ctx, h, q.Server, q.Via, m)
	if err != nil || a == nil {
		return answer{}, err
	}
	return answerOf(m, a), nil
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
	case dnsask.OverTCP:
		hint += " +tcp"
	case dnsask.OverTLS:
		hint += " +tls"
	case dnsask.OverHTTPS:
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
