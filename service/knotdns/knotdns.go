// Package knotdns runs Knot DNS, the authoritative server of CZ.NIC: it has zones of its own, and
// says of them alone what is in them (RFC 1034 section 4.3.1). Names of others are the resolver's
// business, and who is on the router asks it by the resolver.
package knotdns

import (
	"net/netip"
	"slices"

	"github.com/hashicorp/hcl/v2"

	"github.com/nbr-dev/nbr/hcl/conf"
	"github.com/nbr-dev/nbr/hcl/diag"
	"github.com/nbr-dev/nbr/router"
	"github.com/nbr-dev/nbr/service"
	"github.com/nbr-dev/nbr/verify/probe"
)

// unit is Knot DNS's, without .service.
const unit = "knot"

// group is of those who may ask the server by its socket.
const group = "knot"

// serviceName opens the server in zone.allow. The resolver is "dns": who may ask the one is not
// who may ask the other.
const serviceName = "dns-zones"

// loopback is where the server answers the router itself: 127.0.0.1 is the resolver's.
var loopback = netip.AddrFrom4([4]byte{127, 0, 0, 2})

// example is of all kinds.
const example = `network "dmz" {
  link = port.end1
  ipv4 = "192.0.2.1/24"
}

zone "dmz" {
  networks = [network.dmz]
  allow    = ["dns-zones"]
}

dns_server {
  networks = [network.dmz]
}

secret "ns2" {
  path = "/var/lib/secrets/ns2"
}

dns_peer "ns2" {
  addresses = ["192.0.2.53"]
  key       = secret.ns2
}

dns_catalog "dmz" {
  domain      = "catalog.invalid"
  zones       = [dns_zone.lab]
  secondaries = [dns_peer.ns2]
}

dns_zone "lab" {
  domain       = "lab.example.org"
  name_servers = ["ns.lab.example.org"]
  records = [
    "ns.lab.example.org A 192.0.2.1",
    "www.lab.example.org CNAME web.lab.example.org",
    "web.lab.example.org 300 A 192.0.2.10",
  ]

  dnssec {}
}
`

// ServerKind is the dns_server block.
func ServerKind() service.Kind {
	return service.Kind{
		Type: "dns_server", Doc: "Where the router answers for its own DNS zones, and to whom. Without it the router itself and its resolver ask.",
		Software: "Knot DNS", Example: example,
		Single: true, Program: program{}, Probes: probes, New: func() service.Block { return &Server{} },
	}
}

// ZoneKind is the dns_zone block.
func ZoneKind() service.Kind {
	return service.Kind{
		Type: "dns_zone", Doc: "A DNS zone that the router has itself: names of hosts and other records, signed if that is said.",
		Software: "Knot DNS", Example: example,
		Program: program{}, Probes: probes, New: func() service.Block { return &DNSZone{} },
	}
}

var probes = []probe.Any{answerTo, settingsOf, keyOf, serialOf, serialsOf}

// Server is the dns_server block.
type Server struct {
	conf.Header
	Networks  conf.Refs[*router.Network] `hcl:"networks,required" empty:"error: no host could ask. Name the networks that may, or remove the block." doc:"Where it answers, on the router's fixed address. Networks whose resolver is the router need not be here. An upstream is for zones with public = true alone."`
	Clients   conf.List[router.Block]    `hcl:"clients,optional" doc:"Other addresses that may ask, as those of another site, for zones that are not public. The hosts of networks may."`
	RateLimit conf.Value[RateLimit]      `hcl:"rate_limit,optional" default:"20" doc:"Answers a second to an address, and to its neighbours, where an upstream is among networks: what comes over UDP may come from another one than it says, which gets the answers."`
	Extra     service.Extra              `hcl:"extra,optional" doc:"Merged into services.knot.settings."`
}

// RateLimit is a number of answers a second.
type RateLimit int

// UnmarshalText wants a number that mod-rrl takes: 1000 times its instant-limit, which is 125 unless it is
// set, is the most (Knot DNS, src/knot/modules/rrl/rrl.c).
func (l *RateLimit) UnmarshalText(b []byte) error {
	return conf.Between(l, b, "limit of answers", 1, 125_000, " a second")
}

// Describe is what the type is in the schema.
func (RateLimit) Describe() string { return "number of answers a second" }

// Claim claims the sockets.
func (b *Server) Claim(s *router.Scope) {
	for _, proto := range []router.IPProtocol{router.UDP, router.TCP} {
		s.Listen(b.Networks.Range, router.Listen{Service: serviceName, Protocol: proto, Port: 53, Networks: b.Networks.All(), Unit: unit})
	}
	router.Claim(s, hcl.Range{}, serves{b: b})
	router.Claim(s, hcl.Range{}, router.LookGroup{Group: group})
}

// serves is the claim by which zones know the server.
type serves struct {
	router.By
	b *Server
}

// has is the claim by which the server, and zones, know a zone.
type has struct {
	router.By
	z *DNSZone
}

// server is the dns_server block, or nil.
func server(r *router.Router) *Server {
	for _, c := range router.Claimed[serves](r) {
		return c.b
	}
	return nil
}

// zones are the dns_zone blocks.
func zones(r *router.Router) []*DNSZone {
	var out []*DNSZone
	for _, c := range router.Claimed[has](r) {
		out = append(out, c.z)
	}
	return out
}

// Judge finds networks in which no zone is answered, or in which there is no address.
func (b *Server) Judge(r *router.Router) hcl.Diagnostics {
	var diags hcl.Diagnostics
	const why = "The server listens on the router's address in the network."
	none := len(zones(r))+len(catalogs(r)) == 0
	// Other servers get zones that are not public, too.
	public := len(peers(r)) > 0 || slices.ContainsFunc(zones(r), func(z *DNSZone) bool { return z.Public.V })
	for _, n := range b.Networks.Items {
		fixed, _ := n.Target.Split()
		switch {
		case len(fixed) == 0:
			diags = append(diags, router.NoFixedAddress(n, why))
		case n.Target.Upstream() && !public && !none:
			diags = append(diags, router.OnUpstream(diag.Absent(diag.Help(diag.Error("zone-not-public", n.Range, "Server on an upstream without a public zone",
				"%s is an upstream, and no zone is for all the world to ask.", n.Addr),
				"Take it out of networks, or write public = true in the dns_zone that is meant, or name its secondaries."), "dns_zone", "dns_peer"), n.Target))
		}
	}
	if none {
		diags = append(diags, diag.Absent(diag.Help(diag.Error("no-dns-zone", b.Def, "Server without a zone",
			"%s has no zone to answer for.", b.Addr), "Write a dns_zone block, or remove this one; names of others are a resolver's."), "dns_zone", "dns_catalog"))
	}
	return diags
}

// public tells whether the server answers in an upstream.
func (b *Server) public() bool {
	return b != nil && slices.ContainsFunc(b.Networks.All(), (*router.Network).Upstream)
}

// addresses are where the server answers.
func addresses(b *Server) []netip.Addr {
	out := []netip.Addr{loopback}
	if b != nil {
		for _, n := range b.Networks.All() {
			out = append(out, fixed(n)...)
		}
	}
	return out
}

// fixed are the router's fixed addresses in a network.
func fixed(n *router.Network) []netip.Addr {
	var out []netip.Addr
	prefixes, _ := n.Split()
	for _, p := range prefixes {
		out = append(out, p.Addr())
	}
	return out
}

// askers are the addresses that may ask for what is not public.
func askers(b *Server) []string {
	out := []string{"127.0.0.0/8"}
	if b == nil {
		return out
	}
	for _, n := range b.Networks.All() {
		if n.Upstream() {
			continue
		}
		prefixes, _ := n.Split()
		for _, p := range prefixes {
			out = append(out, p.Masked().String())
			if p.Addr().Is6() && !slices.Contains(out, "fe80::/10") {
				out = append(out, "fe80::/10")
			}
		}
	}
	for _, c := range b.Clients.All() {
		if text := c.Prefix.String(); !slices.Contains(out, text) {
			out = append(out, text)
		}
	}
	return out
}
