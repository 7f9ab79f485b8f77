package knotdns

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/miekg/dns"

	"github.com/nbr-dev/nbr/hcl/conf"
	"github.com/nbr-dev/nbr/hcl/diag"
	"github.com/nbr-dev/nbr/router"
	"github.com/nbr-dev/nbr/router/records"
	"github.com/nbr-dev/nbr/service"
)

// DNSZone is the dns_zone block.
type DNSZone struct {
	conf.Header
	Name        conf.Value[router.Name]     `hcl:"name,label"`
	Domain      conf.Value[router.ZoneName] `hcl:"domain,optional" doc:"The zone's name, as in home.example.org. The hosts of networks with this domain, or one below it, are in it, and so is the router."`
	Reverse     conf.Value[Reverse]         `hcl:"reverse,optional" doc:"The block whose addresses lead back to names in this zone, in place of domain, as in 192.168.178.0/24 or fd00:1::/64. The addresses of hosts are in it."`
	NameServers conf.List[router.ZoneName]  `hcl:"name_servers,optional" empty:"error: a zone has a name server. Name it, or remove the list." doc:"The names of its servers (NS). Without it the router, by its name in the domain of one of the networks."`
	Contact     conf.Value[Mailbox]         `hcl:"contact,optional" doc:"Who is responsible, as in hostmaster@example.org. Without it hostmaster in the domain."`
	TTL         conf.Value[router.Seconds]  `hcl:"ttl,optional" default:"1h" doc:"How long others may keep what they were told, of records that do not say it themselves."`
	Records     conf.List[Record]           `hcl:"records,optional" doc:"What else is in the zone, a line each with whole names, as in \"_sip._udp.example.org SRV 0 0 5060 pbx.example.org\"."`
	Public      conf.Value[bool]            `hcl:"public,optional" default:"false" doc:"All the world may ask for its names. Otherwise the router, its networks and the clients of dns_server may."`
	Secondaries conf.Refs[*DNSPeer]         `hcl:"secondaries,optional" empty:"that is as if it were not there. Name a server, or remove it." doc:"The servers that get the whole zone, and are told when it changes."`
	Primaries   conf.Refs[*DNSPeer]         `hcl:"primaries,optional" empty:"error: a zone of another server comes from there. Name the server, or remove the list." doc:"The servers whose zone it is, in place of records: the router gets what they have."`
	DNSSEC      *DNSSEC                     `hcl:"dnssec,block" doc:"The server signs the zone."`
	Extra       service.Extra               `hcl:"extra,optional" doc:"Merged into the zone's entry of services.knot.settings.zone."`
}

// DNSSEC is the dnssec block: signatures (RFC 4035) with keys that the server makes, keeps below
// /var/lib/knot/keys, and replaces.
type DNSSEC struct {
	conf.Header
	Algorithm   conf.Value[Algorithm]      `hcl:"algorithm,optional" default:"ecdsap256sha256" doc:"How it signs: ecdsap256sha256, ecdsap384sha384 or ed25519 (RFC 8624)."`
	NSEC3       conf.Value[bool]           `hcl:"nsec3,optional" default:"false" doc:"Hide the names of the zone from those who would list it (NSEC3), without iterations and salt (RFC 9276)."`
	Parents     conf.List[router.Addr]     `hcl:"parents,optional" empty:"error: no server is asked. Name one, or remove the list." doc:"Servers of the zone above. The server asks them whether they have the DS record of a new key that signs keys, and only then removes the old one."`
	KSKLifetime conf.Value[router.Seconds] `hcl:"ksk_lifetime,optional" doc:"How long a key that signs keys is in use, as in 365d. Without it for ever. The zone above has to get the DS record of each new one, so parents are needed."`
}

// Algorithm is one of DNSSEC by its name in Knot DNS.
type Algorithm string

// UnmarshalText wants one that RFC 8624 recommends for signing, or does not advise against.
func (a *Algorithm) UnmarshalText(b []byte) error {
	return conf.OneOf(a, b, "algorithm", "ecdsap256sha256", "ecdsap384sha384", "ed25519")
}

// Describe is what the type is in the schema.
func (Algorithm) Describe() string { return "algorithm of DNSSEC" }

// Reverse is a block of addresses whose names are one zone of in-addr.arpa or ip6.arpa.
type Reverse struct{ netip.Prefix }

// UnmarshalText wants a length at which a zone may end (RFC 1035 section 3.5, RFC 3596 section 2.5).
func (p *Reverse) UnmarshalText(b []byte) error {
	var block router.Block
	if err := block.UnmarshalText(b); err != nil {
		return err
	}
	step, example := 8, "/8, /16 or /24"
	if block.Addr().Is6() {
		step, example = 4, "a multiple of 4, as in /64"
	}
	if block.Bits() == 0 || block.Bits()%step != 0 || block.Bits() == block.Addr().BitLen() {
		return diag.Advise(fmt.Errorf("the names of the addresses of %s are no zone", block.Prefix), "the length is %s", example)
	}
	p.Prefix = block.Prefix
	return nil
}

// Describe is what the type is in the schema.
func (Reverse) Describe() string { return "address block" }

// zone is the name of the zone.
func (p Reverse) zone() router.ZoneName {
	name, _ := dns.ReverseAddr(p.Addr().String()) // of an address there is no error
	bits := 8
	if p.Addr().Is6() {
		bits = 4
	}
	labels := strings.Split(strings.TrimSuffix(name, "."), ".")
	return router.ZoneName(strings.Join(labels[(p.Addr().BitLen()-p.Bits())/bits:], "."))
}

// domain is the zone's name; empty if none or two are said, which is an error.
func (z *DNSZone) domain() router.ZoneName {
	switch {
	case z.Domain.Set == z.Reverse.Set:
		return ""
	case z.Domain.Set:
		return z.Domain.V
	}
	return z.Reverse.V.zone()
}

// at is the line with the zone's name.
func (z *DNSZone) at() hcl.Range {
	if z.Reverse.Set {
		return z.Reverse.Range
	}
	return z.Domain.Range
}

// Claim says that the router has the zone.
func (z *DNSZone) Claim(s *router.Scope) {
	s.AfterLinks(hcl.Range{}, unit)
	router.Claim(s, hcl.Range{}, router.LookGroup{Group: group})
	router.Claim(s, hcl.Range{}, has{z: z})
	measured := router.Measured{Exporter: "knot", Group: group}
	if !z.secondary() { // that of another server has no serial number until it comes
		measured.Part = string(z.domain()) + "."
	}
	router.Claim(s, hcl.Range{}, measured)
	if name := z.domain(); name != "" {
		serves := router.ServesZone{Zone: name, Server: loopback}
		if !z.secondary() {
			serves.File, serves.Reload = "/etc/"+z.file(), "knotc -s /run/knot/knot.sock zone-reload "+string(name)
		}
		router.Claim(s, z.at(), serves)
	}
	if z.DNSSEC != nil {
		for _, p := range z.DNSSEC.Parents.Items {
			router.Claim(s, p.Range, router.Asks{Server: p.V.Addr, Packets: asked})
		}
	}
}

// Timers of a zone's SOA record, in seconds: how often secondaries ask whether it has changed, how
// long they wait after they could not, and when they forget it (RFC 1912 section 2.2).
const (
	refresh = 3600
	retry   = 900
	expire  = 1209600
	// negative is how long it is remembered at most that there is no such name (RFC 2308).
	negative = 300
	// leased is that of a zone to which names come with leases, as long as they are kept.
	leased = 10
)

// An entry is a record of a zone and where the spec says it.
type entry struct {
	dns.RR
	by   router.By
	host *router.Host // whose name or address it is; nil for other records
	said bool         // it is in records
}

// kind is the name of the record's type.
func (e entry) kind() string { return records.Type(e.RR) }

// name is the owner, without a dot at its end.
func (e entry) name() string { return strings.TrimSuffix(e.Header().Name, ".") }

// contents are the records of the zone but for SOA. What another server says is not known here.
func (z *DNSZone) contents(r *router.Router) []entry {
	if z.secondary() {
		return nil
	}
	var out []entry
	add := func(by router.By, host *router.Host, name string, kind uint16, data dns.RR) {
		*data.Header() = dns.RR_Header{Name: dns.Fqdn(strings.ToLower(name)), Rrtype: kind, Class: dns.ClassINET, Ttl: uint32(z.TTL.V)}
		out = append(out, entry{RR: data, by: by, host: host})
	}
	by := router.By{Addr: z.Addr, From: z.Def}
	if z.NameServers.Set {
		by.From = z.NameServers.Range
	}
	for _, ns := range z.servers(r) {
		add(by, nil, string(z.domain()), dns.TypeNS, &dns.NS{Ns: dns.Fqdn(string(ns))})
	}
	for _, rec := range r.AddressRecords(z.domain()) {
		switch {
		case rec.Back != "":
			add(rec.By, rec.Host, rec.Back, dns.TypePTR, &dns.PTR{Ptr: dns.Fqdn(strings.ToLower(rec.Name))})
		case rec.Addr.Is4():
			add(rec.By, rec.Host, rec.Name, dns.TypeA, &dns.A{A: rec.Addr.AsSlice()})
		default:
			add(rec.By, rec.Host, rec.Name, dns.TypeAAAA, &dns.AAAA{AAAA: rec.Addr.AsSlice()})
		}
	}
	for _, rec := range z.Records.Items {
		out = append(out, entry{RR: rec.V.rr(z.TTL.V), by: router.By{Addr: z.Addr, From: rec.Range}, said: true})
	}
	return out
}

// servers are the names of the zone's servers: those that it says, or the router by its name in a
// network whose names or addresses the zone has.
func (z *DNSZone) servers(r *router.Router) []router.ZoneName {
	if z.NameServers.Set {
		return z.NameServers.All()
	}
	for _, rec := range r.AddressRecords(z.domain()) {
		if rec.Host == nil {
			return []router.ZoneName{router.ZoneName(strings.ToLower(rec.Name))}
		}
	}
	return nil
}

// soa is the zone's first record. Its number is the server's to count.
func (z *DNSZone) soa(r *router.Router) *dns.SOA {
	contact := z.Contact.V
	if !z.Contact.Set {
		contact = Mailbox("hostmaster@" + string(z.domain()))
	}
	none := min(negative, uint32(z.TTL.V))
	if z.leased(r) != nil {
		none = min(none, leased)
	}
	return &dns.SOA{
		Hdr:    dns.RR_Header{Name: dns.Fqdn(string(z.domain())), Rrtype: dns.TypeSOA, Class: dns.ClassINET, Ttl: uint32(z.TTL.V)},
		Ns:     dns.Fqdn(string(z.servers(r)[0])),
		Mbox:   contact.name(),
		Serial: 1, Refresh: refresh, Retry: retry, Expire: expire, Minttl: none,
	}
}

// text is the zone as a file.
func (z *DNSZone) text(r *router.Router) string {
	var b strings.Builder
	write := func(rr dns.RR) { b.WriteString(strings.ReplaceAll(rr.String(), "\t", " ") + "\n") }
	write(z.soa(r))
	for _, e := range z.contents(r) {
		write(e.RR)
	}
	if l := z.leased(r); l != nil {
		fmt.Fprintf(&b, "$INCLUDE %s\n", l.Leased())
	}
	return b.String()
}

// leased is the zone if names of leases are in it, or nil.
func (z *DNSZone) leased(r *router.Router) *router.ServesZone {
	for _, l := range r.LeaseZones() {
		if l.Zone == z.domain() {
			return l
		}
	}
	return nil
}

// delegations are the names from which on other servers have the names, of a zone's records.
func (z *DNSZone) delegations(all []entry) []entry {
	return slices.DeleteFunc(slices.Clone(all), func(e entry) bool {
		return e.Header().Rrtype != dns.TypeNS || e.name() == string(z.domain())
	})
}
