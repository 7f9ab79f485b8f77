package pppoe

import (
	"cmp"
	"fmt"
	"strconv"

	"github.com/nbr-dev/nbr/router"
	"github.com/nbr-dev/nbr/verify"
	"github.com/nbr-dev/nbr/verify/state"
)

// Checks look at the session, the login, and the default route that comes with the address. That
// the link is there, its MTU as both ends have agreed on it, and its addresses are checked of
// every link and network.
func (p *PPPoE) Checks(r *router.Router, plan *verify.Plan) {
	id := p.Addr.String()
	plan.UnitActive(id+"/unit", p.Def, p.unit()+".service")
	p.checkSession(plan)
	p.checkLogin(plan)
	p.checkPassword(plan)
	if n := p.network(r, (*router.Network).ByPPP); n != nil {
		p.defaultRoute(plan, n)
	}
}

func (p *PPPoE) line() line {
	return line{Link: string(p.Link.Target.LinkName()), Unit: p.unit()}
}

// hint is how to see by hand how the session fares.
func (p *PPPoE) hint() string { return "cat /proc/net/pppoe; journalctl -u " + p.unit() + " -n 20" }

// checkSession adds the check that the provider's end has taken up a session.
func (p *PPPoE) checkSession(plan *verify.Plan) {
	on := string(p.Link.Target.LinkName())
	c := verify.Check{ID: p.Addr.String() + "/session", Title: "a session of PPPoE on " + on, From: p.Link.Range}
	want, hint := "a session", p.hint()
	verify.Asked(plan, c, sessionOn, p.line(), want, hint, func(st *state.State, s session) verify.Verdict {
		switch {
		case s.Peer != "":
			return verify.Verdict{Status: verify.Pass, Got: "with " + s.Peer}
		case verify.NoCarrier(st, on):
			return verify.Skipped(want, "nothing is connected to "+on, hint)
		case says(s.Said, refused):
			return verify.Skipped(want, "the provider ends each, for it refuses the login", hint)
		case s.Said == "":
			return verify.Verdict{Status: verify.Fail, Got: "none"}
		}
		return verify.Verdict{Status: verify.Fail, Got: "none: " + s.Said}
	})
}

// checkLogin adds the check that the provider takes the user and the password: only then do the
// two ends speak of addresses, and only then is the link up (network_phase in pppd/auth.c).
func (p *PPPoE) checkLogin(plan *verify.Plan) {
	c := verify.Check{ID: p.Addr.String() + "/login", Title: "login of " + string(p.Name.V), From: p.Password.Range}
	want, hint := string(p.User.V)+" is let in", p.hint()
	verify.Asked(plan, c, sessionOn, p.line(), want, hint, func(st *state.State, s session) verify.Verdict {
		l := st.Links[string(p.Name.V)]
		switch {
		case s.Peer != "" && st.Links == nil:
			return verify.NotSeen(want, hint)
		case s.Peer != "" && l.Up:
			return verify.Compare(want, want, hint)
		case says(s.Said, refused):
			return verify.Verdict{Status: verify.Fail, Got: s.Said}
		case s.Peer != "":
			return verify.Verdict{Got: "the two ends are still speaking about it"}
		}
		return verify.Skipped(want, "there is no session", hint)
	})
}

// checkPassword adds the checks that pppd has the password of the secret, whose file may have been
// replaced since, and that no other user can read what it has.
func (p *PPPoE) checkPassword(plan *verify.Plan) {
	q := passwordUse{File: p.Password.Target.Location(), Staged: p.staged()}
	hint := "systemctl status " + p.unit() + "; ls -l " + q.File + " " + q.Staged
	c := verify.Check{ID: p.Addr.String() + "/password", Title: "the password of " + string(p.Name.V), From: p.Password.Range}
	verify.Asked(plan, c, passwordOf, q, samePassword, hint, func(_ *state.State, got string) verify.Verdict {
		return verify.Compare(samePassword, got, hint)
	})
	const want = "a file of root that no other user can read"
	plan.Add(verify.Check{
		ID: p.Addr.String() + "/file", Title: q.Staged, From: p.Password.Range,
		Needs: []state.Need{{Kind: state.NeedFile, Name: q.Staged}},
		Eval: func(st *state.State) verify.Verdict {
			if st.Files == nil {
				return verify.NotSeen(want, hint)
			}
			f, ok := st.Files[q.Staged]
			if !ok {
				return verify.Missing(want, hint)
			}
			mode, err := strconv.ParseUint(f.Mode, 8, 32)
			return verify.Judge(err == nil && f.Kind == "" && mode&0o077 == 0 && f.Owner == "root", want,
				fmt.Sprintf("owner %s, mode %s", f.Owner, f.Mode), hint)
		},
	})
}

// defaultRoute adds the check of the default route that pppd sets with the address.
func (p *PPPoE) defaultRoute(plan *verify.Plan, n *router.Network) {
	dev := string(p.Name.V)
	want, hint := "a default route on "+dev, "ip route show default"
	plan.Add(verify.Check{
		ID: p.Addr.String() + "/default", Title: "default route of " + dev, From: cmp.Or(n.IPv4.Range, p.Def),
		Eval: func(st *state.State) verify.Verdict {
			if st.Routes == nil {
				return verify.NotSeen(want, hint)
			}
			for _, rt := range st.Routes {
				if rt.To == "0.0.0.0/0" && rt.Link == dev && rt.Type == "" && rt.Table == "" {
					return verify.Compare(want, want, hint)
				}
			}
			return verify.Missing(want, hint)
		},
	})
}
