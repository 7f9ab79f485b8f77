// Package verify judges what was seen of a router against what its spec
// promises. A check is a pure function over a state; this package never looks
// at a machine itself.
package verify

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"

	"github.com/nbr-dev/nbr/verify/probe"
	"github.com/nbr-dev/nbr/verify/state"
)

// A Status is the outcome of a check. The zero value is Unknown: not being able
// to look is neither right nor wrong.
type Status int

// The outcomes.
const (
	Unknown Status = iota
	Pass
	Fail
	Skip
)

func (s Status) String() string {
	return [...]string{"unknown", "pass", "fail", "skip"}[s]
}

// A Verdict is what a check found.
type Verdict struct {
	Status Status
	Want   string // what the spec promises
	Got    string // what was seen
	Hint   string // the command that shows it by hand
	Note   string // what else was seen, not judged: the age of a handshake
}

// A Check is one promise of a spec.
type Check struct {
	ID    string       // stable and unique: "network.lan/address"
	Title string       // for people
	From  hcl.Range    // the line that promised it
	Needs []state.Need // what has to be looked at for it, beyond what always is
	// Asks are the questions of probes that it reads the answers of.
	Asks []probe.Question
	Eval func(*state.State) Verdict
}

// Active tells whether it reads the answer of an active probe.
func (c Check) Active() bool {
	return slices.ContainsFunc(c.Asks, func(q probe.Question) bool { return q.Active })
}

// Block is the address of the block that the check is of. The key of an instance
// may hold anything: vlan.v["a/b"]/up.
func (c Check) Block() string {
	if i := strings.Index(c.ID, `"]`); i >= 0 {
		rest, _, _ := strings.Cut(c.ID[i:], "/")
		return c.ID[:i] + rest
	}
	block, _, _ := strings.Cut(c.ID, "/")
	return block
}

// A Plan is all checks of a router, in the order of its blocks.
type Plan struct {
	Checks []Check
	ids    map[string]bool
}

// Add adds a check. Two checks with one ID are a bug of the caller.
func (p *Plan) Add(c Check) {
	if p.ids == nil {
		p.ids = map[string]bool{}
	}
	if p.ids[c.ID] {
		panic("verify: two checks called " + c.ID)
	}
	p.ids[c.ID] = true
	p.Checks = append(p.Checks, c)
}

// Needs are what all checks ask for, each once, in the order of the checks.
func (p *Plan) Needs() []state.Need {
	var out []state.Need
	for _, c := range p.Checks {
		for _, n := range c.Needs {
			if !slices.ContainsFunc(out, n.Same) {
				out = append(out, n)
			}
		}
	}
	return out
}

// Questions are what all checks ask by probes, each once, in the order of the checks.
func (p *Plan) Questions() []probe.Question {
	var out []probe.Question
	seen := map[[2]string]bool{}
	for _, c := range p.Checks {
		for _, q := range c.Asks {
			if id := [2]string{q.Probe, q.Key}; !seen[id] {
				seen[id] = true
				out = append(out, q)
			}
		}
	}
	return out
}

// A Result is a check and its verdict.
type Result struct {
	Check
	Verdict
}

// Eval judges every check. An empty plan is an error: a router that promises
// nothing has not been verified.
func Eval(p *Plan, st *state.State) ([]Result, error) {
	if len(p.Checks) == 0 {
		return nil, fmt.Errorf("the plan has no checks")
	}
	out := make([]Result, len(p.Checks))
	for i, c := range p.Checks {
		if st.Passive && c.Active() {
			out[i] = Result{c, Verdict{Status: Skip, Got: "not asked: -passive"}}
			continue
		}
		out[i] = Result{c, c.Eval(st)}
	}
	return out, nil
}

// List is how a verdict names several things: "none" when there are none.
func List(items []string) string { return cmp.Or(strings.Join(items, ", "), "none") }

// OnOff is how a verdict says whether something is switched on, and many a configuration.
func OnOff(on bool) string {
	if on {
		return "on"
	}
	return "off"
}

// Compare passes when got is want.
func Compare(want, got, hint string) Verdict {
	return Judge(want == got, want, got, hint)
}

// Judge passes when ok is true.
func Judge(ok bool, want, got, hint string) Verdict {
	v := Verdict{Status: Fail, Want: want, Got: got, Hint: hint}
	if ok {
		v.Status = Pass
	}
	return v
}

// Missing fails because what was promised is not there.
func Missing(want, hint string) Verdict {
	return Verdict{Status: Fail, Want: want, Got: "not there", Hint: hint}
}

// NotSeen is the verdict over something that was not looked at.
func NotSeen(want, hint string) Verdict {
	return Verdict{Want: want, Got: "could not be seen", Hint: hint}
}

// UnitActive promises that a unit runs. One that systemd starts again and again is not
// active while it waits for the next time.
func (p *Plan) UnitActive(id string, from hcl.Range, unit string) {
	p.Add(Check{ID: id, Title: unit + " runs", From: from, Eval: func(st *state.State) Verdict {
		hint := "systemctl status " + unit
		if st.Units == nil {
			return NotSeen("active", hint)
		}
		u, ok := st.Units[unit]
		if !ok {
			return Missing("active", hint)
		}
		v := Judge(u.Active == "active" || u.Active == "reloading", "active", u.Active, hint)
		if v.Status == Fail && u.Result != "" && u.Result != "success" {
			v.Got += " (" + u.Result + ")"
		}
		if u.Restarts > 0 {
			v.Note = fmt.Sprintf("systemd has restarted it %d times", u.Restarts)
		}
		return v
	}})
}
