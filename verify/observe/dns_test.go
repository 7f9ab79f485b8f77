package observe

import (
	"net/netip"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/miekg/dns"

	"github.com/nbr-dev/nbr/verify/state"
)

// answerTo is a query as its answer, without records and authenticated, after a
// change.
func answerTo(query []byte, change func([]byte)) []byte {
	b := append([]byte(nil), query...)
	b[2] |= 0x80
	b[3] |= 0x20
	change(b)
	return b
}

// loop is an answer whose record's name points to itself (RFC 1035 section 4.1.4).
func loop(query []byte) []byte {
	b := answerTo(query[:17], func(b []byte) { b[7], b[11] = 1, 0 }) // the header and ". SOA"
	return append(b, 0xc0, 17, 0, 6, 0, 1, 0, 0, 0, 0, 0, 0)
}

func TestParseAnswer(t *testing.T) {
	_, query, err := parseQuery("192.0.2.1 . SOA")
	if err != nil {
		t.Fatal(err)
	}
	pack := func(change func(*dns.Msg)) []byte {
		m := new(dns.Msg).SetReply(query)
		change(m)
		b, err := m.Pack()
		if err != nil {
			t.Fatal(err)
		}
		return b
	}
	soa, err := dns.NewRR(". SOA a. b. 1 2 3 4 5")
	if err != nil {
		t.Fatal(err)
	}
	whole := pack(func(m *dns.Msg) { m.Answer = []dns.RR{soa, soa} })
	tc := func(b []byte) []byte { return answerTo(b, func(b []byte) { b[2] |= 2; b[3] &^= 0x20 }) }
	for _, tt := range []struct {
		name      string
		b         []byte
		want      state.Answer
		truncated bool
		ok        bool
	}{
		{"two records", whole, state.Answer{Answered: true, Code: "NOERROR", Records: 2}, false, true},
		{"authenticated", pack(func(m *dns.Msg) { m.AuthenticatedData = true }), state.Answer{Answered: true, Code: "NOERROR", Authenticated: true}, false, true},
		{"refused", pack(func(m *dns.Msg) { m.Rcode = dns.RcodeRefused }), state.Answer{Answered: true, Code: "REFUSED"}, false, true},
		{"refused without the question", pack(func(m *dns.Msg) { m.Rcode, m.Question = dns.RcodeRefused, nil }), state.Answer{Answered: true, Code: "REFUSED"}, false, true},
		{"a code of EDNS", pack(func(m *dns.Msg) { m.SetEdns0(512, false); m.Rcode = dns.RcodeBadCookie }), state.Answer{Answered: true, Code: "BADCOOKIE"}, false, true},
		{"a code that nobody knows", pack(func(m *dns.Msg) { m.SetEdns0(512, false); m.Rcode = 3000 }), state.Answer{Answered: true, Code: "RCODE3000"}, false, true},
		{"the name as somebody writes it", pack(func(m *dns.Msg) { m.Question[0].Name = "." }), state.Answer{Answered: true, Code: "NOERROR"}, false, true},
		{"truncated", tc(whole), state.Answer{Answered: true, Code: "NOERROR", Records: 2}, true, true},
		{"truncated within a record", tc(whole)[:len(whole)-3], state.Answer{Answered: true, Code: "NOERROR"}, true, true},

		{"nothing", nil, state.Answer{}, false, false},
		{"no header", whole[:11], state.Answer{}, false, false},
		{"a header alone", whole[:12], state.Answer{}, false, false},
		{"cut within a record", whole[:len(whole)-3], state.Answer{}, false, false},
		{"the question itself", pack(func(m *dns.Msg) { m.Response = false }), state.Answer{}, false, false},
		{"another number", pack(func(m *dns.Msg) { m.Id++ }), state.Answer{}, false, false},
		{"another name", pack(func(m *dns.Msg) { m.Question[0].Name = "com." }), state.Answer{}, false, false},
		{"another type", pack(func(m *dns.Msg) { m.Question[0].Qtype = dns.TypeNS }), state.Answer{}, false, false},
		{"another class", pack(func(m *dns.Msg) { m.Question[0].Qclass = dns.ClassCHAOS }), state.Answer{}, false, false},
		{"two questions", pack(func(m *dns.Msg) { m.Question = append(m.Question, m.Question[0]) }), state.Answer{}, false, false},
		{"no question, and all is well", pack(func(m *dns.Msg) { m.Question = nil }), state.Answer{}, false, false},
		{"no question, and records", pack(func(m *dns.Msg) { m.Question, m.Rcode, m.Answer = nil, dns.RcodeRefused, []dns.RR{soa} }), state.Answer{}, false, false},
		{"another operation", pack(func(m *dns.Msg) { m.Opcode = dns.OpcodeNotify }), state.Answer{}, false, false},
		{"a loop", loop(pack(func(*dns.Msg) {})), state.Answer{}, false, false},
	} {
		got, truncated, ok := parseAnswer(query, tt.b)
		if d := cmp.Diff(tt.want, got); d != "" || truncated != tt.truncated || ok != tt.ok {
			t.Errorf("%s: truncated %t, ok %t\n%s", tt.name, truncated, ok, d)
		}
	}
}

// The question is one of which a validating resolver shows what it knows.
func TestParseQuery(t *testing.T) {
	server, q, err := parseQuery("2001:db8::1 example.org AAAA")
	if err != nil || server != netip.MustParseAddr("2001:db8::1") {
		t.Fatal(server, err)
	}
	opt := q.IsEdns0()
	if q.Question[0] != (dns.Question{Name: "example.org.", Qtype: dns.TypeAAAA, Qclass: dns.ClassINET}) ||
		!q.RecursionDesired || !q.AuthenticatedData || q.CheckingDisabled || opt == nil || !opt.Do() {
		t.Error(q)
	}
}

// Whatever a server sends, it is an answer to the question or none.
func FuzzAnswer(f *testing.F) {
	_, query, err := parseQuery("192.0.2.1 . SOA")
	if err != nil {
		f.Fatal(err)
	}
	query.Id = 0x6e62
	b, err := query.Pack()
	if err != nil {
		f.Fatal(err)
	}
	f.Add(b)
	f.Add(answerTo(b, func([]byte) {}))
	f.Add(answerTo(b, func(b []byte) { b[2] |= 2 }))
	f.Add(loop(b))
	f.Add(answerTo(b, func(b []byte) { b[6], b[7] = 0xff, 0xff }))
	f.Fuzz(func(t *testing.T, b []byte) {
		a, truncated, ok := parseAnswer(query, b)
		if !ok {
			if a != (state.Answer{}) || truncated {
				t.Errorf("no answer, and %+v", a)
			}
			return
		}
		if !a.Answered || a.Error != "" || a.Code == "" || a.Records < 0 || a.Records > len(b) || strings.ContainsAny(a.Code, " \n") {
			t.Errorf("%+v", a)
		}
		if b[0] != 0x6e || b[1] != 0x62 || b[2]&0x80 == 0 {
			t.Errorf("% x answers nothing", b[:3])
		}
	})
}
