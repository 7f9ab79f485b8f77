package bond

import (
	"cmp"
	"fmt"
	"strings"

	"github.com/hashicorp/hcl/v2"

	"github.com/nbr-dev/nbr/router"
	"github.com/nbr-dev/nbr/verify"
	"github.com/nbr-dev/nbr/verify/state"
)

// Checks look at how the kernel uses the ports. That these are ports of the bond, and up, is
// checked of every link.
func (b *Bond) Checks(_ *router.Router, p *verify.Plan) {
	b.add(p, "mode", "mode", b.Mode.Range, string(b.Mode.V), func(s *state.Bond) string { return s.Mode })
	b.add(p, "miimon", "interval of looks at the ports", cmp.Or(b.MIIMon.Range, b.Def), fmt.Sprint(b.MIIMon.V), func(s *state.Bond) string { return fmt.Sprint(s.MIIMon) })
	if hashes(b.Mode.V) {
		b.add(p, "hash", "transmit hash", cmp.Or(b.Hash.Range, b.Def), string(b.hash()), func(s *state.Bond) string { return s.Hash })
	}
	if b.Mode.V != lacp {
		return
	}
	b.add(p, "lacp_rate", "rate of LACP", cmp.Or(b.LACPRate.Range, b.Def), string(b.rate()), func(s *state.Bond) string { return cmp.Or(s.LACPRate, "none") })
	b.add(p, "min_links", "least number of ports", cmp.Or(b.MinLinks.Range, b.Def), fmt.Sprint(b.minLinks()), func(s *state.Bond) string { return fmt.Sprint(s.MinLinks) })
	b.partner(p)
}

// hint is how to look at the bond by hand.
func (b *Bond) hint() string { return "cat /proc/net/bonding/" + string(b.Name.V) }

// seen is what the kernel says of the bond, or the verdict that there is nothing to judge.
func (b *Bond) seen(st *state.State, want string) (*state.Bond, verify.Verdict) {
	l, ok := st.Links[string(b.Name.V)]
	switch {
	case st.Links == nil:
		return nil, verify.NotSeen(want, b.hint())
	case !ok:
		return nil, verify.Missing(want, b.hint())
	case l.Kind != "bond":
		return nil, verify.Compare(want, "no bond", b.hint())
	case l.Bond == nil: // a state that an earlier nbr recorded
		return nil, verify.NotSeen(want, b.hint())
	}
	return l.Bond, verify.Verdict{}
}

// add adds a check of a property of the bond.
func (b *Bond) add(p *verify.Plan, what, title string, from hcl.Range, want string, get func(*state.Bond) string) {
	p.Add(verify.Check{
		ID: b.Addr.String() + "/" + what, Title: title + " of " + string(b.Name.V), From: from,
		Eval: func(st *state.State) verify.Verdict {
			s, v := b.seen(st, want)
			if s == nil {
				return v
			}
			return verify.Compare(want, get(s), b.hint())
		},
	})
}

// partner adds the check that the other end speaks LACP on each port that has a cable, and
// counts them all as one link. What is connected to another machine, or has another speed, is
// in a group of its own, which the kernel does not use.
func (b *Bond) partner(p *verify.Plan) {
	const want, silent = "one, on all of them", "00:00:00:00:00:00"
	p.Add(verify.Check{
		ID: b.Addr.String() + "/partner", Title: "the other end of the ports of " + string(b.Name.V), From: cmp.Or(b.Ports.Range, b.Def),
		Eval: func(st *state.State) verify.Verdict {
			s, v := b.seen(st, want)
			if s == nil {
				return v
			}
			var dark, apart []string
			for _, port := range b.Ports.All() {
				name := string(port.LinkName())
				switch l, there := st.Links[name]; {
				case there && !l.Carrier:
					dark = append(dark, name)
				case l.BondPort == nil || l.BondPort.Aggregator != s.Aggregator:
					apart = append(apart, name)
				}
			}
			switch {
			case len(dark) == len(b.Ports.Items):
				return verify.Skipped(want, "no port has a cable", b.hint())
			case cmp.Or(s.Partner, silent) == silent:
				return verify.Compare(want, "it does not speak LACP", b.hint())
			case len(apart) > 0:
				return verify.Compare(want, fmt.Sprintf("%s on others than %s", s.Partner, strings.Join(apart, ", ")), b.hint())
			}
			v = verify.Verdict{Status: verify.Pass, Want: want, Got: s.Partner, Hint: b.hint()}
			if len(dark) > 0 {
				v.Note = "no cable at " + strings.Join(dark, ", ")
			}
			return v
		},
	})
}
