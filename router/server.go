package router

import (
	"github.com/hashicorp/hcl/v2"

	"github.com/nbr-dev/nbr/hcl/conf"
	"github.com/nbr-dev/nbr/hcl/diag"
)

// HasModules tells whether modules of the spec's own belong to the system. What they serve, route
// and make is not known, so no rule concludes then that something is missing.
func (r *Router) HasModules() bool { return len(r.Import.Items) > 0 }

// JudgeServer judges a server that hosts of a network are told of: where its address is the router's
// own, a program of the spec has to answer there. what is the kind of server, service the word in
// allow that its programs go by, and block the type that would serve.
func JudgeServer(r *Router, of *Network, server conf.Value[Addr], what, service, block string) hcl.Diagnostics {
	own := r.Owner(server.V.Addr)
	if own == nil || r.HasModules() {
		return nil
	}
	for _, l := range r.Listening(service) {
		if l.Serves(own) && l.Serves(of) {
			return nil
		}
	}
	at := own.IPv4.Range
	if server.V.Is6() {
		at = own.IPv6.Range
	}
	err := diag.Help(diag.Error("server-not-there", server.Range, "Router serves nothing there",
		"Hosts of %s would ask %s, the router's own address in %s, and no %s answers them there.", of.Addr, server.V, own.Addr, what),
		"Put %s into the networks of the %s block, or name another server.", of.Addr, block)
	return hcl.Diagnostics{diag.Absent(diag.With(err, at, "%s", own.Addr.String()), block)}
}
