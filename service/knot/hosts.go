package knot

import (
	"fmt"
	"net/netip"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/miekg/dns"

	"github.com/nbr-dev/nbr/nixgen"
	"github.com/nbr-dev/nbr/router"
	"github.com/nbr-dev/nbr/service"
	"github.com/nbr-dev/nbr/verify"
)

// A name is one that the resolver knows of a host, and the addresses of the host.
type name struct {
	of    *router.Host
	from  hcl.Range
	name  string
	addrs []netip.Addr
	first bool // the host's own, which its addresses lead back to
}

// names are those of all hosts in networks with a domain. An address of a prefix that comes
// later is not among their addresses.
func names(r *router.Router) []name {
	var out []name
	for _, h := range r.Hosts {
		addrs := h.Fixed()
		if len(addrs) == 0 {
			continue
		}
		for i, n := range h.Names() {
			from := h.Def
			if i > 0 {
				from = h.Aliases.Items[i-1].Range
			}
			out = append(out, name{h, from, n, addrs, i == 0})
		}
	}
	return out
}

// lowerHosts sets local-data.rules. Of a name with addresses Knot Resolver makes PTR records too,
// so other names than the host's own are written as records. Names in zones that the router has
// are not among them: they would hide all else that a zone has of the name.
func lowerHosts(r *router.Router, m *nixgen.Module, settings func(...string) []string) {
	for _, n := range names(r) {
		elsewhere := r.ZoneHolding(n.name) != nil
		whole := n.first && !elsewhere
		var addrs []string
		var forward, backward strings.Builder
		for _, a := range n.addrs {
			addrs = append(addrs, a.String())
			if !elsewhere {
				fmt.Fprintf(&forward, "%s. %s %s\n", n.name, recordType(a), a)
			}
			reverse, err := dns.ReverseAddr(a.String())
			switch {
			case err != nil || !n.first:
			case r.ZoneHolding(reverse) != nil:
				whole = false
			default:
				fmt.Fprintf(&backward, "%s PTR %s.\n", reverse, n.name)
			}
		}
		text := forward.String() + backward.String()
		if text == "" {
			continue
		}
		rule := nixgen.Attrs{nixgen.Bind(nixgen.Lines(text), "records")}
		if whole {
			rule = nixgen.Attrs{
				nixgen.Bind(service.Strs(addrs), "address"),
				nixgen.Bind(nixgen.List{nixgen.Str(n.name)}, "name"),
			}
		}
		m.Add(service.Origin(n.of.Addr, n.from), settings("local-data", "rules"), rule)
	}
}

// recordType is the type of the record that holds the address.
func recordType(a netip.Addr) string {
	if a.Is4() {
		return "A"
	}
	return "AAAA"
}

// checkHosts asks for each host by name, and for the name of each address.
func (b *Resolver) checkHosts(r *router.Router, p *verify.Plan) {
	if b.added("local-data", "rules") {
		return // the user's additions take the place of the rules
	}
	for _, n := range names(r) {
		for _, a := range n.addrs {
			b.known(p, fmt.Sprintf("%s/%s/%s/%s", b.Addr, n.of.Addr, n.name, recordType(a)), n.from, n.name, recordType(a), a.String())
			if reverse, err := dns.ReverseAddr(a.String()); err == nil && n.first {
				b.known(p, fmt.Sprintf("%s/%s/%s/PTR", b.Addr, n.of.Addr, reverse), n.from, reverse, "PTR", n.name+".")
			}
		}
	}
}

// known adds the check that the resolver knows by itself what a name has.
func (b *Resolver) known(p *verify.Plan, id string, from hcl.Range, name, kind, want string) {
	promise{
		id: id, title: fmt.Sprintf("the %s record of %s", kind, strings.TrimSuffix(name, ".")), from: from,
		query: query{Server: loopback, Name: dns.Fqdn(name), Type: kind}, code: "NOERROR", data: want,
	}.add(p)
}
