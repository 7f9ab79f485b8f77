package knot

import (
	"fmt"
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/miekg/dns"

	"github.com/nbr-dev/nbr/hcl/conf"
	"github.com/nbr-dev/nbr/hcl/diag"
	"github.com/nbr-dev/nbr/nixgen"
	"github.com/nbr-dev/nbr/router"
	"github.com/nbr-dev/nbr/router/records"
	"github.com/nbr-dev/nbr/service"
	"github.com/nbr-dev/nbr/verify"
)

// A Record is a record of a zone in one line (RFC 1035 section 5), with whole names.
type Record string

// recordTTL is the time to live of a record that gives none, in seconds: as Knot Resolver's own.
const recordTTL = 300

// localTypes are the types that a resolver can add to what it finds. Others make zones, or sign
// them, which is for a server that has the zone.
var localTypes = []uint16{
	dns.TypeA, dns.TypeAAAA, dns.TypeCAA, dns.TypeCNAME, dns.TypeHTTPS, dns.TypeMX, dns.TypeNAPTR,
	dns.TypePTR, dns.TypeSRV, dns.TypeSSHFP, dns.TypeSVCB, dns.TypeTLSA, dns.TypeTXT, dns.TypeURI,
}

// UnmarshalText reads a line as in "_sip._udp.example.org SRV 0 0 5060 pbx.example.org".
func (r *Record) UnmarshalText(b []byte) error {
	const how = "write the whole name, the type and the data, as in \"_sip._udp.example.org SRV 0 0 5060 pbx.example.org\""
	rr, err := records.Parse(string(b), recordTTL)
	if err != nil {
		return diag.Advise(fmt.Errorf("%q is no DNS record: %w", b, err), how)
	}
	h := rr.Header()
	switch {
	case h.Class != dns.ClassINET:
		return diag.Advise(fmt.Errorf("%q is a record of another class than the Internet's", b), how)
	case !slices.Contains(localTypes, h.Rrtype):
		var names []string
		for _, t := range localTypes {
			names = append(names, dns.TypeToString[t])
		}
		return diag.Advise(fmt.Errorf("%q is a record of type %s, which a resolver cannot add", b, dns.TypeToString[h.Rrtype]), "it can add %s", strings.Join(names, ", "))
	case strings.HasPrefix(h.Name, "*."):
		return diag.Advise(fmt.Errorf("%q is a wildcard, which Knot Resolver knows only in zones of others", b), "write a record for each name")
	case h.Name == ".":
		return diag.Advise(fmt.Errorf("%q is a record of the root", b), how)
	}
	*r = Record(strings.ReplaceAll(rr.String(), "\t", " "))
	return nil
}

// Describe is what the type is in the schema.
func (Record) Describe() string { return "DNS record" }

// rr is the record; what was decoded can be read again.
func (r Record) rr() dns.RR {
	rr, err := records.Parse(string(r), recordTTL)
	if err != nil {
		panic("knot: " + err.Error())
	}
	return rr
}

// data is what stands behind the type.
func (r Record) data() string { return records.Data(r.rr()) }

// judgeRecords finds records that others contradict: beside a CNAME there is no other record
// (RFC 1034 section 3.6.2), and what hosts are called and have is in their blocks.
func (b *Resolver) judgeRecords(r *router.Router) hcl.Diagnostics {
	var diags hcl.Diagnostics
	clash := func(at hcl.Range, before router.By, detail, help string, args ...any) {
		diags = append(diags, diag.With(diag.Help(diag.Error("record-clash", at, "Record that another one contradicts", detail, args...), "%s", help), before.From, "%s", before.Addr.String()))
	}
	hosts := map[string]*router.Host{} // by name, and by the name of an address
	for _, n := range names(r) {
		hosts[strings.ToLower(dns.Fqdn(n.name))] = n.of
		for _, a := range n.addrs {
			if reverse, err := dns.ReverseAddr(a.String()); err == nil {
				hosts[reverse] = n.of
			}
		}
	}
	first := map[string]conf.Value[Record]{}
	alias := map[string]bool{}
	for _, it := range b.Records.Items {
		h := it.V.rr().Header()
		cname := h.Rrtype == dns.TypeCNAME
		address := h.Rrtype == dns.TypeA || h.Rrtype == dns.TypeAAAA || h.Rrtype == dns.TypePTR
		if host := hosts[h.Name]; host != nil && (cname || address) {
			clash(it.Range, router.By{Addr: host.Addr, From: host.Def}, "%s is a name of %s, whose block says what it has.",
				"Remove the record; an address of the host is in ipv4 or ipv6 of its block, and another name in aliases.", strings.TrimSuffix(h.Name, "."), host.Addr)
			continue
		}
		if z := r.ZoneHolding(h.Name); z != nil {
			diags = append(diags, diag.With(diag.Help(diag.Error("zone-clash", it.Range, "Record in a zone that the router has itself",
				"%s is in the zone of %s, whose records of the name would not be found beside this one.", strings.TrimSuffix(h.Name, "."), z.Addr),
				"Move the record into the records of %s.", z.Addr), z.From, "%s", z.Addr.String()))
			continue
		}
		before, dup := first[h.Name]
		if dup && (cname || alias[h.Name]) {
			clash(it.Range, router.By{Addr: b.Addr, From: before.Range}, "%s is another name of something else (CNAME), and has no records of its own beside that.",
				"Remove one of the two.", strings.TrimSuffix(h.Name, "."))
			continue
		}
		first[h.Name] = it
		alias[h.Name] = cname
	}
	return diags
}

// lowerRecords sets local-data.records. In the text of zones \093 is a closing bracket; two of
// them would end the text that Knot Resolver's manager makes of it (local_data_macros.lua.j2).
func (b *Resolver) lowerRecords(m *nixgen.Module, settings func(...string) []string) {
	var text strings.Builder
	for _, r := range b.Records.All() {
		text.WriteString(strings.ReplaceAll(string(r), "]", `\093`) + "\n")
	}
	if text.Len() > 0 {
		m.Set(service.Origin(b.Addr, b.Records.Range), nixgen.Lines(text.String()), settings("local-data", "records")...)
	}
}

// checkRecords asks for the records, those of one name and type at once.
func (b *Resolver) checkRecords(p *verify.Plan) {
	if b.added("local-data", "records") {
		return
	}
	type set struct{ name, kind string }
	var order []set
	data, from := map[set][]string{}, map[set]hcl.Range{}
	for _, it := range b.Records.Items {
		h := it.V.rr().Header()
		s := set{h.Name, dns.TypeToString[h.Rrtype]}
		if _, there := from[s]; !there {
			order, from[s] = append(order, s), it.Range
		}
		data[s] = append(data[s], it.V.data())
	}
	for _, s := range order {
		slices.Sort(data[s])
		b.known(p, b.Addr.String()+"/record/"+strings.TrimSuffix(s.name, ".")+"/"+s.kind, from[s], s.name, s.kind, strings.Join(slices.Compact(data[s]), ", "))
	}
}
