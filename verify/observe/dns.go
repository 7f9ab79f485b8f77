package observe

import (
	"errors"
	"fmt"
	"net/netip"
	"strings"

	"github.com/miekg/dns"

	"github.com/nbr-dev/nbr/verify/state"
)

// udpSize is what fits into every path of an IPv6 network (RFC 9715 section 3).
const udpSize = 1232

// parseQuery reads the name of a [state.NeedAnswer]: the bare address of a server, a
// domain name, a type and, perhaps, CD (checking disabled), with spaces between them.
func parseQuery(name string) (netip.Addr, *dns.Msg, error) {
	f := strings.Split(name, " ")
	unchecked := len(f) == 4 && f[3] == "CD"
	if len(f) != 3 && !unchecked {
		return netip.Addr{}, nil, errors.New("not a DNS server, a name and a type")
	}
	server, err := netip.ParseAddr(f[0])
	if err != nil {
		return netip.Addr{}, nil, fmt.Errorf("%q is no address of a DNS server", f[0])
	}
	if _, ok := dns.IsDomainName(f[1]); !ok {
		return netip.Addr{}, nil, fmt.Errorf("%q is no domain name", f[1])
	}
	kind, ok := dns.StringToType[f[2]]
	if !ok {
		return netip.Addr{}, nil, fmt.Errorf("%q is no type of a DNS record", f[2])
	}
	query := new(dns.Msg).SetQuestion(dns.Fqdn(f[1]), kind)
	// RFC 6840 section 5.7: who sets AD wants to know whether the answer is
	// authenticated, and DO asks for the proof (RFC 3225).
	query.AuthenticatedData = true
	// RFC 4035 section 3.2.2: who sets CD judges for himself.
	query.CheckingDisabled = unchecked
	query.SetEdns0(udpSize, true)
	return server, query, nil
}

// parseAnswer reads the answer to a query. What is none has ok false.
func parseAnswer(query *dns.Msg, b []byte) (a state.Answer, truncated, ok bool) {
	m := new(dns.Msg)
	err := m.Unpack(b)
	if !m.Response || m.Id != query.Id || m.Opcode != query.Opcode || !answersQuestion(query.Question[0], m) {
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
	return state.Answer{Answered: true, Code: code, Authenticated: m.AuthenticatedData, Records: len(m.Answer)}, m.Truncated, true
}

// answersQuestion tells whether a message has the question that was asked. Servers
// that refuse may leave it out.
func answersQuestion(q dns.Question, m *dns.Msg) bool {
	if len(m.Question) == 0 {
		return m.Rcode != dns.RcodeSuccess && len(m.Answer) == 0
	}
	got := m.Question[0]
	return len(m.Question) == 1 && strings.EqualFold(got.Name, q.Name) && got.Qtype == q.Qtype && got.Qclass == q.Qclass
}
