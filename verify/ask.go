package verify

import (
	"cmp"
	"errors"
	"slices"
	"strings"

	"github.com/nbr-dev/nbr/verify/probe"
	"github.com/nbr-dev/nbr/verify/state"
)

// NotAsked is the verdict where a question could not be asked, with the reason.
func NotAsked(want, why, hint string) Verdict {
	return Verdict{Want: want, Got: "could not ask: " + why, Hint: hint}
}

// Skipped is the verdict where there is nothing to judge, with the reason.
func Skipped(want, why, hint string) Verdict {
	return Verdict{Status: Skip, Want: want, Got: why, Hint: hint}
}

// Tentative tells whether an address of the router cannot be used yet: IPv6 first asks
// the link whether another host has it (RFC 4862 section 5.4).
func Tentative(st *state.State, addr string) bool {
	return slices.ContainsFunc(st.Addrs, func(a state.Addr) bool {
		own, _, _ := strings.Cut(a.Prefix, "/")
		return own == addr && a.Tentative
	})
}

// NoCarrier tells whether a link is known to have no peer at its other end.
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

// AskedOn is Asked of a question on a link. That it could not be asked because nothing is
// connected to the link is no promise broken.
func AskedOn[Q comparable, A any](p *Plan, c Check, link string, pr *probe.Probe[Q, A], q Q, want, hint string, judge func(*state.State, A) Verdict) {
	c.Asks = append(c.Asks, pr.Ask(q))
	c.Eval = func(st *state.State) Verdict {
		if _, err := pr.Answer(st, q); err != nil && !errors.Is(err, probe.ErrNotAsked) && NoCarrier(st, link) {
			return Skipped(want, "nothing is connected to "+link, hint)
		}
		return judgeAnswer(st, pr, q, want, hint, judge)
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
