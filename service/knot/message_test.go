package knot

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/miekg/dns"

	"github.com/nbr-dev/nbr/verify/dnsask"
)

// answered is a query as its answer, without records and authenticated, after a
// change.
func answered(query []byte, change func([]byte)) []byte {
	b := append([]byte(nil), query...)
	b[2] |= 0x80
	b[3] |= 0x20
	change(b)
	return b
}

// loop is an answer whose record's name points to itself (RFC 1035 section 4.1.4).
func loop(query []byte) []byte {
	b := answered(query[:17], func(b []byte) { b[7], b[11] = 1, 0 }) // the header and ". SOA"
	return append(b, 0xc0, 17, 0, 6, 0, 1, 0, 0, 0, 0, 0, 0)
}

func TestParseAnswer(t *testing.T) {
	asked := message(t, query{Name: ".", Type: "SOA"})
	pack := func(change func(*dns.Msg)) []byte {
		m := new(dns.Msg).SetReply(asked)
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
	tc := func(b []byte) []byte { return answered(b, func(b []byte) { b[2] |= 2; b[3] &^= 0x20 }) }
	for _, tt := range []struct {
		name      string
		b         []byte
		want      answer
		truncated bool
		ok        bool
	}{
		{"two records", whole, answer{Answered: true, Code: "NOERROR", Records: 2}, false, true},
		{"authenticated", pack(func(m *dns.Msg) { m.AuthenticatedData = true }), answer{Answered: true, Code: "NOERROR", Authenticated: true}, false, true},
		{"refused", pack(func(m *dns.Msg) { m.Rcode = dns.RcodeRefused }), answer{Answered: true, Code: "REFUSED"}, false, true},
		{"refused without the question", pack(func(m *dns.Msg) { m.Rcode, m.Question = dns.RcodeRefused, nil }), answer{Answered: true, Code: "REFUSED"}, false, true},
		{"a code of EDNS", pack(func(m *dns.Msg) { m.SetEdns0(512, false); m.Rcode = dns.RcodeBadCookie }), answer{Answered: true, Code: "BADCOOKIE"}, false, true},
		{"a code that is not registered", pack(func(m *dns.Msg) { m.SetEdns0(512, false); m.Rcode = 3000 }), answer{Answered: true, Code: "RCODE3000"}, false, true},
		{"the name in other letters", pack(func(m *dns.Msg) { m.Question[0].Name = "." }), answer{Answered: true, Code: "NOERROR"}, false, true},
		{"truncated", tc(whole), answer{Answered: true, Code: "NOERROR", Records: 2}, true, true},
		{"truncated within a record", tc(whole)[:len(whole)-3], answer{Answered: true, Code: "NOERROR"}, true, true},

		{"nothing", nil, answer{}, false, false},
		{"no header", whole[:11], answer{}, false, false},
		{"a header alone", whole[:12], answer{}, false, false},
		{"cut within a record", whole[:len(whole)-3], answer{}, false, false},
		{"the question itself", pack(func(m *dns.Msg) { m.Response = false }), answer{}, false, false},
		{"another number", pack(func(m *dns.Msg) { m.Id++ }), answer{}, false, false},
		{"another name", pack(func(m *dns.Msg) { m.Question[0].Name = "com." }), answer{}, false, false},
		{"another type", pack(func(m *dns.Msg) { m.Question[0].Qtype = dns.TypeNS }), answer{}, false, false},
		{"another class", pack(func(m *dns.Msg) { m.Question[0].Qclass = dns.ClassCHAOS }), answer{}, false, false},
		{"two questions", pack(func(m *dns.Msg) { m.Question = append(m.Question, m.Question[0]) }), answer{}, false, false},
		{"no question, and all is well", pack(func(m *dns.Msg) { m.Question = nil }), answer{}, false, false},
		{"no question, and records", pack(func(m *dns.Msg) { m.Question, m.Rcode, m.Answer = nil, dns.RcodeRefused, []dns.RR{soa} }), answer{}, false, false},
		{"another operation", pack(func(m *dns.Msg) { m.Opcode = dns.OpcodeNotify }), answer{}, false, false},
		{"a loop", loop(pack(func(*dns.Msg) {})), answer{}, false, false},
	} {
		got, truncated, ok := read(asked, tt.b)
		if d := cmp.Diff(tt.want, got); d != "" || truncated != tt.truncated || ok != tt.ok {
			t.Errorf("%s: truncated %t, ok %t\n%s", tt.name, truncated, ok, d)
		}
	}
}

// read is what an answer to a message says.
func read(asked *dns.Msg, b []byte) (a answer, truncated, ok bool) {
	m := dnsask.Read(asked, b)
	if m == nil {
		return answer{}, false, false
	}
	return answerOf(asked, m), m.Truncated, true
}

// message is what is sent for a query.
func message(t testing.TB, q query) *dns.Msg {
	t.Helper()
	m, err := q.message()
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// The question is one of which a validating resolver shows what it knows.
func TestMessage(t *testing.T) {
	q := message(t, query{Name: "example.org", Type: "AAAA"})
	opt := q.IsEdns0()
	if q.Question[0] != (dns.Question{Name: "example.org.", Qtype: dns.TypeAAAA, Qclass: dns.ClassINET}) ||
		!q.RecursionDesired || !q.AuthenticatedData || q.CheckingDisabled || opt == nil || !opt.Do() {
		t.Error(q)
	}
	if !message(t, query{Name: ".", Type: "A", CD: true}).CheckingDisabled {
		t.Error("checking is not disabled")
	}
	for want, q := range map[string]query{
		`"NONSENSE" is no type of a DNS record`: {Name: ".", Type: "NONSENSE"},
		`"a..b" is no domain name`:              {Name: "a..b", Type: "A"},
		`"" is no domain name`:                  {Type: "SOA"},
	} {
		if _, err := q.message(); err == nil || err.Error() != want {
			t.Errorf("%v, want %s", err, want)
		}
	}
}

// Whatever a server sends, it is an answer to the question or none.
func FuzzAnswer(f *testing.F) {
	asked := message(f, query{Name: ".", Type: "SOA"})
	asked.Id = 0x6e62
	b, err := asked.Pack()
	if err != nil {
		f.Fatal(err)
	}
	f.Add(b)
	f.Add(answered(b, func([]byte) {}))
	f.Add(answered(b, func(b []byte) { b[2] |= 2 }))
	f.Add(loop(b))
	f.Add(answered(b, func(b []byte) { b[6], b[7] = 0xff, 0xff }))
	f.Fuzz(func(t *testing.T, b []byte) {
		a, truncated, ok := read(asked, b)
		if !ok {
			if a != (answer{}) || truncated {
				t.Errorf("no answer, and %+v", a)
			}
			return
		}
		if !a.Answered || a.Code == "" || a.Records < 0 || a.Records > len(b) || strings.ContainsAny(a.Code, " \n") {
			t.Errorf("%+v", a)
		}
		if b[0] != 0x6e || b[1] != 0x62 || b[2]&0x80 == 0 {
			t.Errorf("% x answers nothing", b[:3])
		}
	})
}
