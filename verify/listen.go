package verify

import (
	"fmt"
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"

	"github.com/nbr-dev/nbr/verify/state"
)

// Listens promises that a socket is bound to these addresses and to no others.
// No addresses mean every address. At others another program may listen.
func (p *Plan) Listens(id string, from hcl.Range, protocol string, port int, addrs []string, others ...string) {
	want := "every address"
	if len(addrs) > 0 {
		want = strings.Join(slices.Sorted(slices.Values(addrs)), " ")
	}
	p.Add(Check{
		ID: id, Title: fmt.Sprintf("listens on %s/%d", protocol, port), From: from,
		Eval: func(st *state.State) Verdict {
			hint := fmt.Sprintf("ss -lnp '( sport = :%d )'", port)
			if st.Listeners == nil {
				return NotSeen(want, hint)
			}
			var got []string
			for _, l := range st.Listeners {
				if l.Protocol != protocol || l.Port != port || slices.Contains(got, l.Address) || slices.Contains(others, l.Address) {
					continue
				}
				got = append(got, l.Address)
			}
			switch {
			case len(got) == 0:
				return Missing(want, hint)
			case len(addrs) == 0 && (slices.Contains(got, "::") || slices.Contains(got, "0.0.0.0")):
				return Compare(want, want, hint)
			}
			slices.Sort(got)
			return Compare(want, strings.Join(got, " "), hint)
		},
	})
}
