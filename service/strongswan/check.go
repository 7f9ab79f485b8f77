package strongswan

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"

	"github.com/nbr-dev/nbr/hcl/conf"
	"github.com/nbr-dev/nbr/router"
	"github.com/nbr-dev/nbr/verify"
	"github.com/nbr-dev/nbr/verify/state"
)

// hint is how to see by hand how the tunnel fares.
func (b *IPsec) hint() string {
	return fmt.Sprintf("swanctl --list-sas --ike %s; journalctl -u %s -n 30", b.Name.V, unit)
}

func (b *IPsec) question() question { return question{Name: string(b.Name.V), Begins: b.begins()} }

// Checks follow the two routers from the first packet on: the other one answers, they agree, they prove who
// they are, packets have a way through the interface, and some have come and gone. Where one fails, those
// after it have nothing to judge.
func (b *IPsec) Checks(_ *router.Router, p *verify.Plan) {
	b.checkLoaded(p)
	b.checkCertificates(p)
	b.checkSteps(p)
	b.checkIdentity(p)
	b.checkChild(p)
}

// asked adds a check of what charon has.
func (b *IPsec) asked(p *verify.Plan, what, title string, from hcl.Range, want string, judge func(associated) verify.Verdict) {
	c := verify.Check{ID: b.Addr.String() + "/" + what, Title: title, From: from}
	verify.Asked(p, c, associations, string(b.Name.V), want, b.hint(), func(_ *state.State, a associated) verify.Verdict { return judge(a) })
}

// checkLoaded adds the checks that charon has read the connection and the PSK.
func (b *IPsec) checkLoaded(p *verify.Plan) {
	want := fmt.Sprintf("from %s to %s", b.LocalID.V, b.RemoteID.V)
	b.asked(p, "connection", "connection of IKE", b.Def, want, func(a associated) verify.Verdict {
		if len(a.Loaded) != 2 {
			return verify.Missing(want, "systemctl reload "+unit)
		}
		return verify.Compare(want, fmt.Sprintf("from %s to %s", a.Loaded[0], a.Loaded[1]), "systemctl reload "+unit)
	})
	dpd := fmt.Sprintf("asked after %d s", b.DPD.V)
	b.asked(p, "dpd", "a silent router is asked whether it is there", cmp.Or(b.DPD.Range, b.Def), dpd, func(a associated) verify.Verdict {
		if len(a.Loaded) == 0 {
			return verify.Skipped(dpd, "no connection of IKE", "systemctl reload "+unit)
		}
		return verify.Compare(dpd, fmt.Sprintf("asked after %d s", a.DPD), "systemctl reload "+unit)
	})
	if b.PSK.Set {
		b.checkPSK(p)
		const want = "a PSK"
		hint := fmt.Sprintf("ls -l %s; journalctl -u %s -n 30", b.PSK.Target.Location(), unit)
		b.asked(p, "psk", "the secret of both routers", b.PSK.Range, want, func(a associated) verify.Verdict {
			if !a.Shared {
				return verify.Missing(want, hint)
			}
			return verify.Compare(want, want, hint)
		})
	}
}

// checkSteps adds the checks of what has to be so for an IKE SA, each with its own line.
func (b *IPsec) checkSteps(p *verify.Plan) {
	way := cmp.Or(b.PSK.Range, b.Certificate.Range)
	for i, s := range []struct {
		what, title, want string
		from              hcl.Range
		fails             []cause
		agreed            func(a associated) (proposal string, ok bool) // what the tunnel that is there is of
	}{
		{"remote", "the other router answers", "an answer", cmp.Or(b.Remote.Range, b.Def), []cause{silent}, nil},
		{"ike_proposals", "the two routers agree on IKE", "one of " + join(b.ikeProposals()), cmp.Or(b.IKEProposals.Range, b.Def), []cause{proposals}, func(a associated) (string, bool) {
			return a.IKE, slices.ContainsFunc(b.ikeProposals(), func(p IKEProposal) bool { return agrees(a.IKE, string(p)) })
		}},
		{"authentication", "the other router takes local_id and what proves it", "authenticated", way, []cause{authentication}, nil},
		{"esp_proposals", "the two routers agree on ESP", "one of " + join(b.espProposals()), cmp.Or(b.ESPProposals.Range, b.Def), []cause{childProposals}, func(a associated) (string, bool) {
			if a.Child == nil {
				return "", false
			}
			return a.Child.ESP, slices.ContainsFunc(b.espProposals(), func(p ESPProposal) bool { return agrees(a.Child.ESP, string(p)) })
		}},
	} {
		q := b.question()
		c := verify.Check{ID: b.Addr.String() + "/" + s.what, Title: s.title, From: s.from}
		if s.agreed != nil {
			c.Asks = append(c.Asks, associations.Ask(q.Name))
		}
		verify.Asked(p, c, attempt, q, s.want, b.hint(), func(st *state.State, a beginning) verify.Verdict {
			at := slices.Index(steps, a.Cause)
			switch {
			case a.Up && s.agreed != nil:
				// One that is there may be of what the spec had before, until its keys are renewed.
				got, err := associations.Answer(st, q.Name)
				if proposal, ok := s.agreed(got); err == nil && proposal != "" {
					return verify.Judge(ok, s.want, proposal, b.hint())
				}
				return verify.NotSeen(s.want, b.hint())
			case a.Up:
				return verify.Compare(s.want, s.want, b.hint())
			case a.Stopped && i == 0:
				return verify.NotAsked(s.want, unit+" does not run", b.hint())
			case a.Cause == unknown && i == 0 && !q.Begins:
				return verify.Judge(false, s.want, "none: it has to begin, and has not", b.hint())
			case a.Cause == unknown && i == 0 && a.Said == "":
				return verify.Verdict{Got: "the two routers are still speaking"}
			case a.Cause == unknown && i == 0:
				return verify.Verdict{Got: a.Said}
			case slices.Contains(s.fails, a.Cause):
				return verify.Judge(false, s.want, a.Said, b.hint())
			case at > slices.Index(steps, s.fails[0]):
				return verify.Compare(s.want, s.want, b.hint())
			}
			return verify.Skipped(s.want, "the two routers do not get so far", b.hint())
		})
	}
}

// steps are the causes in the order in which two routers get to know each other.
var steps = []cause{unknown, silent, proposals, authentication, identity, childProposals, subnets, kernel}

// checkIdentity adds the check that the other router is who the spec says.
func (b *IPsec) checkIdentity(p *verify.Plan) {
	want := string(b.RemoteID.V)
	q := b.question()
	c := verify.Check{ID: b.Addr.String() + "/remote_id", Title: "who the other router is", From: b.RemoteID.Range}
	c.Asks = append(c.Asks, associations.Ask(string(b.Name.V)))
	verify.Asked(p, c, attempt, q, want, b.hint(), func(st *state.State, a beginning) verify.Verdict {
		if a.Cause == identity {
			return verify.Judge(false, want, a.Said, b.hint())
		}
		got, err := associations.Answer(st, string(b.Name.V))
		switch {
		case err != nil:
			return verify.NotSeen(want, b.hint())
		case got.State != established:
			return verify.Skipped(want, "the two routers do not get so far", b.hint())
		}
		return verify.Judge(strings.EqualFold(got.Remote, want), want, got.Remote, b.hint()) // charon has no case in names
	})
}

// checkChild adds the checks of the CHILD SA.
func (b *IPsec) checkChild(p *verify.Plan) {
	join := func(of []string) string {
		of = slices.Clone(of)
		slices.Sort(of)
		return strings.Join(of, ", ")
	}
	blocks := func(l conf.List[router.Block]) string {
		var out []string
		for _, s := range l.All() {
			out = append(out, s.Masked().String())
		}
		return join(out)
	}
	there := func(a associated, want string) *verify.Verdict {
		v := verify.Missing(want, b.hint())
		switch {
		case a.State != established:
			v.Got = "no IKE SA with the other router"
		case a.Child == nil:
			v.Got = "no CHILD SA"
		case !a.Child.installed():
			v.Got = "a CHILD SA that is " + a.Child.State
		default:
			return nil
		}
		return &v
	}
	want := fmt.Sprintf("from %s to %s", blocks(b.LocalSubnets), blocks(b.RemoteSubnets))
	c := verify.Check{ID: b.Addr.String() + "/subnets", Title: "what goes through the tunnel", From: b.RemoteSubnets.Range}
	c.Asks = append(c.Asks, attempt.Ask(b.question()))
	verify.Asked(p, c, associations, string(b.Name.V), want, b.hint(), func(st *state.State, a associated) verify.Verdict {
		tried, err := attempt.Answer(st, b.question())
		switch v := there(a, want); {
		case err == nil && (tried.Cause == subnets || tried.Cause == kernel):
			return verify.Judge(false, want, tried.Said, b.hint())
		case v != nil && err == nil && !tried.Up:
			return verify.Skipped(want, "the two routers do not get so far", b.hint())
		case v != nil:
			return *v
		}
		return verify.Compare(want, fmt.Sprintf("from %s to %s", join(a.Child.Local), join(a.Child.Remote)), b.hint())
	})
	id := "if_id " + fmt.Sprint(b.Link.Target.(*XFRM).ID.V)
	b.asked(p, "if_id", "the interface of the tunnel", b.Link.Range, id, func(a associated) verify.Verdict {
		if v := there(a, id); v != nil {
			return verify.Skipped(id, v.Got, b.hint())
		}
		got := "if_id " + a.Child.In
		if a.Child.In != a.Child.Out {
			got += " of what arrives, and " + a.Child.Out + " of what leaves"
		}
		return verify.Compare(id, got, b.hint())
	})
	const both = "packets both ways"
	b.asked(p, "traffic", "packets through the tunnel", b.Def, both, func(a associated) verify.Verdict {
		if v := there(a, both); v != nil {
			return verify.Skipped(both, v.Got, b.hint())
		}
		got := fmt.Sprintf("%d bytes in and %d out", a.Child.BytesIn, a.Child.Bytes)
		switch {
		case a.Child.BytesIn > 0 && a.Child.Bytes > 0:
			return verify.Verdict{Status: verify.Pass, Got: got}
		case a.Child.Bytes > 0 && a.Child.Seconds >= settled:
			return verify.Verdict{Status: verify.Fail, Got: got}
		}
		return verify.Verdict{Got: got}
	})
}

// settled is after how many seconds what was sent should have had an answer. Before, an answer may be on its way.
const settled = 60
