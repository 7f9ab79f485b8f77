package nixos

import (
	"cmp"
	"net/netip"
	"slices"
	"strings"

	"github.com/nbr-dev/nbr/router"
	"github.com/nbr-dev/nbr/verify"
	"github.com/nbr-dev/nbr/verify/state"
)

// Checks look for the Nix daemon and its settings, the host's name and local time, the kernel of the current system,
// and the secrets' files. Their content is never read.
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
	checkTimeZone(r, p)
	b.checkFlakes(p)
	b.checkGenerations(r, p)
	nameServers(r, p)
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

// nameServers adds the check of whom the router asks for names (resolv.conf(5)).
func nameServers(r *router.Router, p *verify.Plan) {
	want, hint := "one that the DHCP server names", "cat /etc/resolv.conf"
	var fits func(servers []string) bool
	switch {
	case r.NameServers.Set:
		var list []string
		for _, a := range r.NameServers.All() {
			list = append(list, a.String())
		}
		want, fits = strings.Join(list, ", "), func(servers []string) bool { return slices.Equal(servers, list) }
	case r.Resolves():
		want, fits = "the router's own resolver", func(servers []string) bool {
			return len(servers) > 0 && !slices.ContainsFunc(servers, func(s string) bool {
				a, err := netip.ParseAddr(s)
				return err != nil || !a.IsLoopback()
			})
		}
	case slices.ContainsFunc(r.Networks, (*router.Network).ByDHCP):
		fits = func(servers []string) bool { return len(servers) > 0 }
	default:
		return
	}
	p.Add(verify.Check{ID: r.Addr.String() + "/name-servers", Title: "whom the router asks for names", From: cmp.Or(r.NameServers.Range, r.Def), Eval: func(st *state.State) verify.Verdict {
		if st.NameServers == nil {
			return verify.NotSeen(want, hint)
		}
		return verify.Judge(fits(st.NameServers), want, cmp.Or(strings.Join(st.NameServers, ", "), "none"), hint)
	}})
}
