package verify

import (
	"fmt"

	"github.com/hashicorp/hcl/v2"

	"github.com/nbr-dev/nbr/verify/state"
)

// Link promises a property of a link.
func (p *Plan) Link(id, title string, from hcl.Range, name, want string, get func(state.Link) string) {
	p.Add(Check{ID: id, Title: title, From: from, Eval: func(st *state.State) Verdict { return judgeLink(st, name, want, get) }})
}

// LinkUp promises that a link is switched on. A cable is no promise of the spec, but worth a
// note.
func (p *Plan) LinkUp(id string, from hcl.Range, name string) {
	p.Add(Check{ID: id, Title: name + " is up", From: from, Eval: func(st *state.State) Verdict {
		v := judgeLink(st, name, "up", func(l state.Link) string {
			if l.Up {
				return "up"
			}
			return "down"
		})
		switch l := st.Links[name]; {
		case l.Speed > 0:
			v.Note = fmt.Sprintf("%d Mbit/s", l.Speed)
		case l.Up && !l.Carrier:
			v.Note = "no cable"
		}
		return v
	}})
}

func judgeLink(st *state.State, name, want string, get func(state.Link) string) Verdict {
	hint := "ip -d link show " + name
	if st.Links == nil {
		return NotSeen(want, hint)
	}
	l, ok := st.Links[name]
	if !ok {
		return Missing(want, hint)
	}
	return Compare(want, get(l), hint)
}
