package nixos

import (
	"github.com/nbr-dev/nbr/router"
	"github.com/nbr-dev/nbr/verify"
	"github.com/nbr-dev/nbr/verify/state"
)

// Checks look for the Nix daemon, the host's name, the kernel of the current system,
// and the secrets' files. Their content is nobody's business.
func (b *Nix) Checks(r *router.Router, p *verify.Plan) {
	p.UnitActive(b.Addr.String()+"/unit", b.Def, "nix-daemon.socket")
	p.Add(verify.Check{ID: r.Addr.String() + "/hostname", Title: "the router's name", From: r.Def, Eval: func(st *state.State) verify.Verdict {
		want, hint := string(r.Name.V), "hostname"
		if st.System == nil {
			return verify.NotSeen(want, hint)
		}
		return verify.Compare(want, st.System.Hostname, hint)
	}})
	p.Add(verify.Check{ID: r.Addr.String() + "/booted", Title: "the kernel is the current system's", From: r.Def, Eval: booted})
	for _, s := range r.Secrets {
		secret(r, p, s)
	}
	b.hostKey(r, p)
}

// booted tells a router that was switched to a system with another kernel and not
// restarted since.
func booted(st *state.State) verify.Verdict {
	hint := "readlink /run/booted-system/kernel /run/current-system/kernel"
	if st.System == nil || st.System.BootedKernel == "" || st.System.CurrentKernel == "" {
		return verify.NotSeen("the kernel of the current system", hint)
	}
	v := verify.Compare(st.System.CurrentKernel, st.System.BootedKernel, hint)
	if v.Status == verify.Fail {
		v.Got += " since the last boot; restart the router"
	}
	return v
}
