package knot

import (
	"cmp"
	"fmt"
	"net/netip"
	"slices"
	"strconv"
	"strings"

	"github.com/hashicorp/hcl/v2"

	"github.com/nbr-dev/nbr/hcl/conf"
	"github.com/nbr-dev/nbr/hcl/diag"
	"github.com/nbr-dev/nbr/nixgen"
	"github.com/nbr-dev/nbr/router"
	"github.com/nbr-dev/nbr/service"
)

// A Server is a DNS server to ask, as resolvers write it: an address, the port after @, and
// after # the name in its certificate, which makes it one that is asked over TLS (RFC 7858).
type Server struct {
	Addr netip.Addr
	Port router.Port // 0 is the usual one of the transport
	TLS  router.Domain
}

// UnmarshalText reads 9.9.9.9, 9.9.9.9@5353 and 9.9.9.9#dns.quad9.net.
func (s *Server) UnmarshalText(b []byte) error {
	rest, name, tls := strings.Cut(string(b), "#")
	address, port, other := strings.Cut(rest, "@")
	var out Server
	var a router.Addr
	err := a.UnmarshalText([]byte(address))
	if err == nil && other {
		err = out.Port.UnmarshalText([]byte(port))
	}
	if err == nil && tls {
		err = out.TLS.UnmarshalText([]byte(name))
	}
	switch {
	case err != nil:
		return diag.Advise(fmt.Errorf("%q is no DNS server", b), "write an address, as in 9.9.9.9; with a port, as in 192.0.2.1@5353; or, to ask over TLS, with the name in the server's certificate, as in 9.9.9.9#dns.quad9.net")
	case tls && net4in6(name):
		return diag.Advise(fmt.Errorf("%q has an address where the name in the certificate belongs", b), "write the name, as in 9.9.9.9#dns.quad9.net")
	}
	out.Addr = a.Addr
	if usual := out.usual(); out.Port == usual {
		out.Port = 0
	}
	*s = out
	return nil
}

// net4in6 tells whether a name is an address.
func net4in6(name string) bool { _, err := netip.ParseAddr(name); return err == nil }

// packets are what it is sent: of an answer that is too long it is asked again over TCP (RFC 7766).
func (s Server) packets() []router.Packets {
	port := router.OnePort(cmp.Or(s.Port, s.usual()))
	out := []router.Packets{{Protocol: router.TCP, Ports: port}}
	if s.TLS == "" {
		out = append(out, router.Packets{Protocol: router.UDP, Ports: port})
	}
	return out
}

// usual is the port that the server has without one.
func (s Server) usual() router.Port {
	if s.TLS != "" {
		return 853 // RFC 7858 section 3.1
	}
	return 53
}

// endpoint is the address, with the port if it is not the usual one, as Knot Resolver takes it.
func (s Server) endpoint() string {
	if s.Port == 0 {
		return s.Addr.String()
	}
	return s.Addr.String() + "@" + strconv.Itoa(int(s.Port))
}

// name is that of the certificate as Knot Resolver compares it: without a dot at the end.
func (s Server) name() string { return strings.ToLower(strings.TrimSuffix(string(s.TLS), ".")) }

// String is as the spec writes it.
func (s Server) String() string {
	if s.TLS == "" {
		return s.endpoint()
	}
	return s.endpoint() + "#" + s.name()
}

// Describe is what the type is in the schema.
func (Server) Describe() string { return "DNS server" }

// expr is the server in forward.servers. Knot Resolver judges the certificate by the name and the
// authorities that the system trusts, and asks the server nothing if it does not fit.
func (s Server) expr() nixgen.Expr {
	if s.TLS == "" {
		return nixgen.Str(s.endpoint())
	}
	return nixgen.Attrs{
		nixgen.Bind(nixgen.List{nixgen.Str(s.endpoint())}, "address"),
		nixgen.Bind(nixgen.Str(s.name()), "hostname"),
		nixgen.Bind(nixgen.Str("tls"), "transport"),
	}
}

// Forwarder is the forwarder block: servers for a part of the names.
type Forwarder struct {
	conf.Header
	Name    conf.Value[router.Name]    `hcl:"name,label"`
	Zones   conf.List[router.ZoneName] `hcl:"zones,required" empty:"error: no name is asked there. Name the zones, or remove the block." doc:"The zones whose names these servers know, with all below: corp.example.org, 10.in-addr.arpa for names of addresses. Their names may have private addresses."`
	Servers conf.List[Server]          `hcl:"servers,required" empty:"error: nothing is asked. Name a server, or remove the block." doc:"Who is asked for them, as in forward."`
	// Authoritative servers answer what they have, and lead on to others by delegations.
	Authoritative conf.Value[bool] `hcl:"authoritative,optional" default:"false" doc:"The servers have the zones themselves, and do not resolve: what they delegate is asked elsewhere."`
	DNSSEC        conf.Value[bool] `hcl:"dnssec,optional" default:"true" doc:"Validate the answers. A zone that exists inside only, as corp.internal, must be without: the root says, signed, that there is none."`
}

// notDelegated are top-level domains of which the root says, signed, that they do not exist,
// and that are in use inside of networks: RFC 6761, RFC 6762 appendix G and ICANN's .internal.
var notDelegated = []string{"corp", "example", "home", "internal", "intranet", "invalid", "lan", "local", "localdomain", "localhost", "mail", "private", "test"}

// judge finds forwarders that no answer comes from.
func (f *Forwarder) judge(b *Resolver, r *router.Router) hcl.Diagnostics {
	var diags hcl.Diagnostics
	for _, s := range f.Servers.Items {
		if f.Authoritative.V && (s.V.Port != 0 || s.V.TLS != "") {
			diags = append(diags, diag.With(diag.Help(diag.Error("bad-value", s.Range, "Way that authoritative servers are not asked by",
				"Knot Resolver asks authoritative servers on port 53 and without TLS, and this is %s.", s.V),
				"Remove authoritative, or write the address alone."), f.Authoritative.Range, "authoritative"))
		}
	}
	for _, z := range f.Zones.Items {
		top := string(z.V)[strings.LastIndexByte(string(z.V), '.')+1:]
		if f.DNSSEC.V && slices.Contains(notDelegated, top) && b.validates() {
			diags = append(diags, diag.Help(diag.Warning("zone-not-delegated", z.Range, "Zone that validation refuses",
				"The root of the Internet's names says, signed, that there is no .%s, so every answer about %s counts as forged.", top, z.V),
				"Write dnssec = false in %s.", f.Addr))
		}
	}
	diags = append(diags, f.own(r)...)
	return append(diags, b.asksItself(r, f.Servers)...)
}

// asksItself finds servers that are the resolver.
func (b *Resolver) asksItself(r *router.Router, servers conf.List[Server]) hcl.Diagnostics {
	var diags hcl.Diagnostics
	for _, s := range servers.Items {
		if s.V.Port != 0 {
			continue // another program's
		}
		if d := r.Own(conf.Value[router.Addr]{V: router.Addr{Addr: s.V.Addr}, Range: s.Range}, "The resolver would ask itself without end.", "Name another server, or remove this one: a resolver that forwards nothing asks the servers of the root zone."); d != nil {
			diags = append(diags, d)
		}
	}
	return diags
}

// mixed warns of servers of which some are asked over TLS: what goes to the others is read by all
// on the way, and who stops the one makes the resolver ask the other.
func mixed(servers conf.List[Server]) hcl.Diagnostics {
	plain := slices.IndexFunc(servers.Items, func(s conf.Value[Server]) bool { return s.V.TLS == "" })
	tls := slices.IndexFunc(servers.Items, func(s conf.Value[Server]) bool { return s.V.TLS != "" })
	if plain < 0 || tls < 0 {
		return nil
	}
	return hcl.Diagnostics{diag.With(diag.Help(diag.Warning("mixed-transports", servers.Items[plain].Range, "Server that is asked without TLS beside one with it",
		"The resolver asks %s as well as %s, without TLS: all on the way read the question, and may change the answer.", servers.Items[plain].V, servers.Items[tls].V),
		"Write the name in its certificate after #, or take it out."), servers.Items[tls].Range, "with TLS")}
}

// zonesTwice finds zones of two forwarders.
func (b *Resolver) zonesTwice() hcl.Diagnostics {
	var diags hcl.Diagnostics
	first := map[router.ZoneName]router.By{}
	for _, f := range b.Forwarders {
		for _, z := range f.Zones.Items {
			if before, dup := first[z.V]; dup {
				if before.Addr != f.Addr { // within one list it has been told
					diags = append(diags, diag.With(diag.Help(diag.Error("named-twice", z.Range, "Zone of two forwarders",
						"The names of %s are asked for by %s already.", z.V, before.Addr),
						"Take it out of one of them, or put all servers into one."), before.From, "%s", before.Addr.String()))
				}
				continue
			}
			first[z.V] = router.By{Addr: f.Addr, From: z.Range}
		}
	}
	return diags
}

// own finds forwarders for zones that the router has itself.
func (f *Forwarder) own(r *router.Router) hcl.Diagnostics {
	var diags hcl.Diagnostics
	for _, z := range f.Zones.Items {
		if own := r.ZoneHolding(string(z.V)); own != nil && own.Zone == z.V {
			diags = append(diags, diag.With(diag.Help(diag.Error("zone-clash", z.Range, "Zone that the router has itself",
				"%s has the zone %s, and here others are asked for its names.", own.Addr, z.V),
				"Remove one of the two."), own.From, "%s", own.Addr.String()))
		}
	}
	return diags
}

// lowerForward sets forward.
func (b *Resolver) lowerForward(r *router.Router, m *nixgen.Module, settings func(...string) []string) {
	add := func(from nixgen.Origin, servers conf.List[Server], subtree nixgen.Expr, options ...nixgen.Attr) {
		list := nixgen.List{}
		for _, s := range servers.All() {
			list = append(list, s.expr())
		}
		forward := nixgen.Attrs{}
		if len(options) > 0 {
			forward = append(forward, nixgen.Bind(nixgen.Attrs(options), "options"))
		}
		m.Add(from, settings("forward"), append(forward, nixgen.Bind(list, "servers"), nixgen.Bind(subtree, "subtree")))
	}
	if len(b.Forward.Items) > 0 {
		add(service.Origin(b.Addr, b.Forward.Range), b.Forward, nixgen.Str("."))
	}
	for _, f := range b.Forwarders {
		add(service.From(f), f.Servers, service.Strs(f.Zones.All()),
			nixgen.Bind(nixgen.Bool(f.Authoritative.V), "authoritative"), nixgen.Bind(nixgen.Bool(f.DNSSEC.V), "dnssec"))
	}
	for _, z := range router.Claimed[router.ServesZone](r) {
		// What comes over the loopback cannot be forged, and a zone that exists inside only would
		// not validate.
		add(service.By(z.By), conf.List[Server]{Items: []conf.Value[Server]{{V: Server{Addr: z.Server}}}}, service.Strs([]router.ZoneName{z.Zone}),
			nixgen.Bind(nixgen.Bool(true), "authoritative"), nixgen.Bind(nixgen.Bool(false), "dnssec"))
	}
}
