package nat64

import (
	"net/netip"

	"github.com/nbr-dev/nbr/router"
	"github.com/nbr-dev/nbr/verify"
	"github.com/nbr-dev/nbr/verify/state"
)

// ipv4only is an address of ipv4only.arpa (RFC 7050 section 8.1), which no host has: nothing
// leaves the router for it, and the well-known prefix stands for it.
var ipv4only = netip.AddrFrom4([4]byte{192, 0, 0, 170})

// Checks send a packet through the translator. That the link is there, and the route to the
// prefix, is checked of every link and route.
func (n *NAT64) Checks(r *router.Router, p *verify.Plan) {
	id := n.Addr.String()
	p.UnitActive(id+"/unit", n.Def, unit+".service")
	a := n.addresses(r)
	q := way{From: a.link6, To: embed(n.Prefix.V.Prefix, ipv4only)}
	// The router's IPv4 address on the link is translated to this one alone: who answers by it
	// has had the packet as one of IPv4.
	want := "an answer of the router's IPv4, " + a.router6.String()
	hint := "ping -t " + hops + " -I " + q.From.String() + " " + q.To.String() + "; journalctl -u " + unit + " -n 20"
	c := verify.Check{ID: id + "/translates", Title: "translation of " + n.Prefix.V.String(), From: n.at()}
	verify.Asked(p, c, translated, q, want, hint, func(_ *state.State, s said) verify.Verdict {
		switch s.By {
		case a.router6.String():
			return verify.Compare(want, want, hint)
		case "":
			return verify.Verdict{Status: verify.Fail, Got: "no answer"}
		}
		return verify.Verdict{Status: verify.Fail, Got: s.By + " says: " + s.What}
	})
}
