package knotdns

import (
	"fmt"
	"reflect"
	"regexp"
	"slices"
	"strings"

	"github.com/miekg/dns"

	"github.com/nbr-dev/nbr/hcl/diag"
	"github.com/nbr-dev/nbr/router"
	"github.com/nbr-dev/nbr/router/records"
)

// A Record is a record of a zone in one line, with whole names. The zone's own ttl is that of
// a record that gives none.
type Record struct {
	line string // as miekg/dns writes it, with the time to live
	own  bool   // the record gives its time to live
}

// noTTL stands for a time to live that a record does not give: the largest (RFC 2181 section 8),
// which is of no use in a zone.
const noTTL = 1<<31 - 1

// recordTypes are the types that a zone is written with. SOA and the zone's own NS are nbr's to
// write, and what signatures need is the server's.
var recordTypes = []uint16{
	dns.TypeA, dns.TypeAAAA, dns.TypeCAA, dns.TypeCNAME, dns.TypeDS, dns.TypeHTTPS, dns.TypeMX, dns.TypeNAPTR, dns.TypeNS,
	dns.TypeOPENPGPKEY, dns.TypePTR, dns.TypeSMIMEA, dns.TypeSRV, dns.TypeSSHFP, dns.TypeSVCB, dns.TypeTLSA, dns.TypeTXT, dns.TypeURI,
}

// UnmarshalText reads a line as in "_sip._udp.example.org SRV 0 0 5060 pbx.example.org".
func (r *Record) UnmarshalText(b []byte) error {
	const how = "write the whole name, the type and the data, as in \"www.example.org CNAME web.example.org\""
	rr, err := records.Parse(string(b), noTTL)
	switch {
	case err != nil:
		return diag.Advise(fmt.Errorf("%q is no DNS record: %w", b, err), how)
	case rr.Header().Class != dns.ClassINET:
		return diag.Advise(fmt.Errorf("%q is a record of another class than the Internet's", b), how)
	case !slices.Contains(recordTypes, rr.Header().Rrtype):
		var names []string
		for _, t := range recordTypes {
			names = append(names, dns.TypeToString[t])
		}
		return diag.Advise(fmt.Errorf("%q is a record of type %s, which is not written into a zone by hand", b, records.Type(rr)), "types are %s", strings.Join(names, ", "))
	}
	for _, name := range namesIn(rr) {
		if !nameRE.MatchString(name) {
			return diag.Advise(fmt.Errorf("%q has the name %q, with a character that Knot DNS does not read in names", b, name), "use letters, digits, -, _, / and *")
		}
	}
	*r = Record{strings.ReplaceAll(rr.String(), "\t", " "), rr.Header().Ttl != noTTL}
	return nil
}

// MarshalText is the line, with a time to live if the record gives one.
func (r Record) MarshalText() ([]byte, error) {
	line := r.line
	if !r.own {
		line = strings.Replace(line, fmt.Sprintf(" %d ", noTTL), " ", 1)
	}
	return []byte(line), nil
}

// nameRE are the names that zscanner of Knot DNS reads as miekg/dns writes them.
var nameRE = regexp.MustCompile(`^([A-Za-z0-9*/_.-]|\\[^0-9A-Za-z])+$`)

// namesIn are the owner of a record and the names in its data.
func namesIn(rr dns.RR) []string {
	out := []string{rr.Header().Name}
	v := reflect.ValueOf(rr).Elem()
	for i := range v.NumField() {
		if tag := v.Type().Field(i).Tag.Get("dns"); tag == "domain-name" || tag == "cdomain-name" {
			out = append(out, v.Field(i).String())
		}
	}
	return out
}

// Describe is what the type is in the schema.
func (Record) Describe() string { return "DNS record" }

// rr is the record; what was decoded can be read again.
func (r Record) rr(ttl router.Seconds) dns.RR {
	rr, err := records.Parse(r.line, noTTL)
	if err != nil {
		panic("knotdns: " + err.Error())
	}
	if !r.own {
		rr.Header().Ttl = uint32(ttl)
	}
	return rr
}

// localRE are local parts that can be the first label of a name everywhere (RFC 1035 section 8).
var localRE = regexp.MustCompile(`^[A-Za-z0-9_-]+(\.[A-Za-z0-9_-]+)*$`)

// A Mailbox is who is responsible for a zone, as in hostmaster@example.org.
type Mailbox string

// UnmarshalText wants a local part and a domain.
func (m *Mailbox) UnmarshalText(b []byte) error {
	local, domain, ok := strings.Cut(string(b), "@")
	var d router.Domain
	if !ok || len(local) > 63 || !localRE.MatchString(local) || d.UnmarshalText([]byte(domain)) != nil {
		return diag.Advise(fmt.Errorf("%q is no mailbox", b), "write one such as hostmaster@example.org; the part before @ has letters, digits, -, _ and .")
	}
	*m = Mailbox(local + "@" + strings.ToLower(string(d)))
	return nil
}

// Describe is what the type is in the schema.
func (Mailbox) Describe() string { return "mailbox" }

// name is the mailbox as a name of DNS (RFC 1035 section 8).
func (m Mailbox) name() string {
	local, domain, _ := strings.Cut(string(m), "@")
	return strings.ReplaceAll(local, ".", `\.`) + "." + domain + "."
}
