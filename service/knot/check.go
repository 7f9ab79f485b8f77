package knot

import (
	"net/netip"

	"github.com/nbr-dev/nbr/router"
	"github.com/nbr-dev/nbr/verify"
)

// bogus is a domain whose signatures are wrong on purpose.
const bogus = "dnssec-failed.org."

// loopback is where the resolver answers the router itself.
var loopback = netip.AddrFrom4([4]byte{127, 0, 0, 1})

// Checks look at the unit and at the addresses that it listens on, and ask: a name
// that it knows by itself, the root of all names, and one that must not validate.
func (b *Resolver) Checks(r *router.Router, p *verify.Plan) {
	id := b.Addr.String() + "/"
	p.UnitActive(id+"unit", b.Def, unit)
	b.checkSettings(r, p)
	listens := []string{loopback.String(), "::1"}
	for _, n := range b.Networks.Items {
		for _, addr := range addrs(n.Target) {
			a := addr.String()
			listens = append(listens, a)
			promise{
				id: id + "answers/" + a, title: "the resolver answers on " + a, from: n.Range,
				// RFC 6761 section 6.3: every resolver knows localhost by itself.
				query: query{Server: addr, Name: "localhost.", Type: "A"}, code: "NOERROR",
			}.add(p)
		}
	}
	var others []string
	for _, z := range router.Claimed[router.ServesZone](r) {
		others = append(others, z.Server.String())
	}
	for _, l := range router.Claimed[router.Listen](r) {
		if l.Addr != b.Addr && l.Port == 53 {
			for _, n := range l.Networks {
				others = append(others, addresses(n)...)
			}
		}
	}
	for _, proto := range []string{"udp", "tcp"} {
		if b.added("network") {
			break // the user says more of where it listens
		}
		p.Listens(id+"listen/"+proto, b.Networks.Range, proto, 53, listens, others...)
	}
	b.checkHosts(r, p)
	b.checkRecords(p)
	b.checkForwarders(r, p)
	b.checkBlocklists(r, p)
	b.checkDNS64(p)
	b.TLS.check(b, p)
	from := b.Def
	if b.Forward.Set {
		from = b.Forward.Range
	}
	root := promise{
		id: id + "resolves", title: "the resolver finds the root of all names", from: from,
		query: query{Server: loopback, Name: ".", Type: "SOA"}, code: "NOERROR",
	}
	root.add(p)
	if !b.validates() {
		return
	}
	signed := root
	signed.id, signed.title, signed.from, signed.ad, signed.given = id+"dnssec", "what is signed is validated", b.Def, true, &root.query
	signed.add(p)
	// A resolver that does not find the name fails, too: it has to find it for a client that
	// wants no validation. What else becomes of a domain of others is no fault of it.
	promise{
		id: id + "bogus", title: "what is signed wrongly is refused", from: b.Def,
		query: query{Server: loopback, Name: bogus, Type: "A"}, code: "SERVFAIL", wrong: "NOERROR",
		given: &query{Server: loopback, Name: bogus, Type: "A", CD: true},
	}.add(p)
}

// validates tells whether the user's additions leave DNSSEC on.
func (b *Resolver) validates() bool {
	if !b.Extra.Set || !b.Extra.V.Type().HasAttribute("dnssec") {
		return true
	}
	v := b.Extra.V.GetAttr("dnssec")
	if v.Type().IsObjectType() && v.Type().HasAttribute("enable") {
		v = v.GetAttr("enable")
	}
	return v.Type().FriendlyName() != "bool" || v.True()
}
