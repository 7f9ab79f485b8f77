package knot

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"github.com/miekg/dns"

	"github.com/nbr-dev/nbr/router/records"
	"github.com/nbr-dev/nbr/verify/dnsask"
)

// A query is a question to a DNS server.
type query struct {
	Server netip.Addr
	Name   string // a domain name
	Type   string // of a record: A, AAAA, SOA, …
	CD     bool   // checking disabled: the server need not validate (RFC 4035 section 3.2.2)
	Via    dnsask.Transport
}

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
	m.SetEdns0(dnsask.UDPSize, true)
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

// answerOf reads the answer to a message.
func answerOf(asked, m *dns.Msg) answer {
	code, known := dns.RcodeToString[m.Rcode]
	if !known {
		code = fmt.Sprintf("RCODE%d", m.Rcode)
	}
	a := answer{Answered: true, Code: code, Authenticated: m.AuthenticatedData, Records: len(m.Answer)}
	var data []string
	for _, rr := range m.Answer {
		if rr.Header().Rrtype != asked.Question[0].Qtype {
			continue
		}
		switch rr.Header().Rrtype {
		case dns.TypeSOA, dns.TypeDNSKEY:
		default:
			data = append(data, records.Data(rr))
		}
	}
	slices.Sort(data)
	a.Data = strings.Join(data, ", ")
	return a
}
