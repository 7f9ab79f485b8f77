package knot

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"github.com/miekg/dns"
)

// A query is a question to a DNS server.
type query struct {
	Server netip.Addr
	Name   string // a domain name
	Type   string // of a record: A, AAAA, SOA, …
	CD     bool   // checking disabled: the server need not validate (RFC 4035 section 3.2.2)
	Via    transport
}

// A transport is how a question gets to a server, if not over UDP, and over TCP what does not fit.
type transport string

const (
	overTLS   transport = "over TLS"   // RFC 7858
	overHTTPS transport = "over HTTPS" // RFC 8484
)

// MarshalText writes it as in "192.0.2.1 . SOA" and "192.0.2.1 example.org. A CD".
func (q query) MarshalText() ([]byte, error) {
	text := fmt.Sprintf("%s %s %s", q.Server, q.Name, q.Type)
	if q.CD {
		text += " CD"
	}
	if q.Via != "" {
		text += " " + string(q.Via)
	}
	return []byte(text), nil
}

// udpSize is what fits into every path of an IPv6 network (RFC 9715 section 3).
const udpSize = 1232

// message is what is sent.
func (q query) message() (*dns.Msg, error) {
	if _, ok := dns.IsDomainName(q.Name); !ok {
		return nil, fmt.Errorf("%q is no domain name", q.Name)
	}
	kind, ok := dns.StringToType[q.Type]
	if !ok {
		return nil, fmt.Errorf("%q is no type of a DNS record", q.Type)
	}
	m := new(dns.Msg).SetQuestion(dns.Fqdn(q.Name), kind)
	// RFC 6840 section 5.7: a client that sets AD wants to know whether the answer is
	// authenticated, and DO asks for the proof (RFC 3225).
	m.AuthenticatedData = true
	// RFC 4035 section 3.2.2: a client that sets CD judges by itself.
	m.CheckingDisabled = q.CD
	m.SetEdns0(udpSize, true)
	return m, nil
}

// An answer is what a DNS server answered (RFC 1035 section 4.1).
type answer struct {
	Answered      bool   `json:"answered"`
	Code          string `json:"code,omitempty"`          // NOERROR, SERVFAIL, REFUSED, …
	Authenticated bool   `json:"authenticated,omitempty"` // the AD bit (RFC 4035 section 3.2.3)
	Records       int    `json:"records,omitempty"`       // in the answer section
	// Data is what the records of the type that was asked for say, sorted, as in
	// "192.0.2.1, 192.0.2.2"; without what a zone says of itself, which changes.
	Data string `json:"data,omitempty"`
}

// parseAnswer reads the answer to a message. What is none has ok false.
func parseAnswer(asked *dns.Msg, b []byte) (a answer, truncated, ok bool) {
	m := new(dns.Msg)
	err := m.Unpack(b)
	if !m.Response || m.Id != asked.Id || m.Opcode != asked.Opcode || !hasQuestion(asked.Question[0], m) {
		return a, false, false
	}
	// RFC 2181 section 9: of a truncated one, only the bit counts.
	if err != nil && !m.Truncated {
		return a, false, false
	}
	code, known := dns.RcodeToString[m.Rcode]
	if !known {
		code = fmt.Sprintf("RCODE%d", m.Rcode)
	}
	a = answer{Answered: true, Code: code, Authenticated: m.AuthenticatedData, Records: len(m.Answer)}
	var data []string
	for _, rr := range m.Answer {
		if rr.Header().Rrtype != asked.Question[0].Qtype {
			continue
		}
		switch rr.Header().Rrtype {
		case dns.TypeSOA, dns.TypeDNSKEY:
		default:
			data = append(data, rdata(rr))
		}
	}
	slices.Sort(data)
	a.Data = strings.Join(data, ", ")
	return a, m.Truncated, true
}

// hasQuestion tells whether a message has the question that was asked. Servers that
// refuse may leave it out.
func hasQuestion(q dns.Question, m *dns.Msg) bool {
	if len(m.Question) == 0 {
		return m.Rcode != dns.RcodeSuccess && len(m.Answer) == 0
	}
	got := m.Question[0]
	return len(m.Question) == 1 && strings.EqualFold(got.Name, q.Name) && got.Qtype == q.Qtype && got.Qclass == q.Qclass
}
