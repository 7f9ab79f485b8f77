package knot

import (
	"github.com/nbr-dev/nbr/router"
	"github.com/nbr-dev/nbr/verify"
)

const (
	// bogus is a domain whose signatures are wrong on purpose.
	bogus = "dnssec-failed.org."
	// loopback is where the resolver answers the router itself.
	loopback = "127.0.0.1"
)

// Checks look at the unit and at the addresses that it listens on, and ask: a name
// that needs nobody else, the root of all names, and one that must not validate.
func (b *Resolver) Checks(_ *router.Router, p *verify.Plan) {
	id := b.Addr.String() + "/"
	p.UnitActive(id+"unit", b.Def, unit)
	b.checkSettings(p)
	addrs := []string{loopback, "::1"}
	for _, n := range b.Networks.Items {
		for _, a := range addresses(n.Target) {
			addrs = append(addrs, a)
			// RFC 6761 section 6.3: every resolver knows localhost by itself.
			p.Resolves(verify.Query{
				ID: id + "answers/" + a, Title: "the resolver answers on " + a, From: n.Range,
				Server: a, Name: "localhost.", Type: "A", Code: "NOERROR",
			})
		}
	}
	for _, proto := range []string{"udp", "tcp"} {
		if b.Extra.Set && b.Extra.V.Type().HasAttribute("network") {
			break // the user says more of where it listens
		}
		p.Listens(id+"listen/"+proto, b.Networks.Range, proto, 53, addrs)
	}
	from := b.Def
	if b.Forward.Set {
		from = b.Forward.Range
	}
	root := verify.Query{
		ID: id + "resolves", Title: "the resolver finds the root of all names", From: from,
		Server: loopback, Name: ".", Type: "SOA", Code: "NOERROR",
	}
	p.Resolves(root)
	if !b.validates() {
		return
	}
	signed := root
	signed.ID, signed.Title, signed.From, signed.AD, signed.Given = id+"dnssec", "what is signed is validated", b.Def, true, &root
	p.Resolves(signed)
	// A resolver that does not find the name fails, too: it has to find it for those who
	// want no validation. What else becomes of somebody else's domain is no fault of it.
	unchecked := verify.Query{Server: loopback, Name: bogus, Type: "A", Code: "NOERROR", CD: true}
	p.Resolves(verify.Query{
		ID: id + "bogus", Title: "what is signed wrongly is refused", From: b.Def,
		Server: loopback, Name: bogus, Type: "A", Code: "SERVFAIL", Wrong: "NOERROR", Given: &unchecked,
	})
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
