package nixos

import (
	"fmt"
	"slices"
	"strconv"

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

// secret adds the check of a secret's file: it is there, its owner can read it and is
// whoever has to, and not everybody can.
func secret(r *router.Router, p *verify.Plan, s *router.Secret) {
	path := s.Location()
	owner := "root"
	if readers := users(r, s); len(readers) > 0 {
		owner = readers[0].Owner
	}
	want, hint := fmt.Sprintf("a file of %s that others cannot read", owner), "stat "+path
	p.Add(verify.Check{
		ID: s.Addr.String() + "/file", Title: path, From: s.Def,
		Needs: []state.Need{{Kind: state.NeedFile, Name: path}},
		Eval: func(st *state.State) verify.Verdict {
			if st.Files == nil {
				return verify.NotSeen(want, hint)
			}
			f, ok := st.Files[path]
			if !ok {
				return verify.Missing(want, hint)
			}
			if f.Kind != "" {
				return verify.Compare(want, "a "+f.Kind, hint)
			}
			got := fmt.Sprintf("owner %s, group %s, mode %s", f.Owner, f.Group, f.Mode)
			mode, err := strconv.ParseUint(f.Mode, 8, 32)
			private := mode&0o007 == 0 && (mode&0o070 == 0 || slices.Contains([]string{owner, "root", "keys", "wheel"}, f.Group))
			return verify.Judge(err == nil && private && f.Owner == owner, want, got, hint)
		},
	})
}
