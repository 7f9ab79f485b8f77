package knotdns

import (
	"context"
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/miekg/dns"

	"github.com/nbr-dev/nbr/hcl/conf"
	"github.com/nbr-dev/nbr/router"
	"github.com/nbr-dev/nbr/router/records"
	"github.com/nbr-dev/nbr/verify"
	"github.com/nbr-dev/nbr/verify/dnsask"
	"github.com/nbr-dev/nbr/verify/probe"
	"github.com/nbr-dev/nbr/verify/state"
)

// A query is a question to the server for what it has itself.
type query struct {
	Server netip.Addr
	Name   string // a domain name
	Type   string // of a record: A, AAAA, SOA, …
	Via    dnsask.Transport
}

// MarshalText writes it as in "127.0.0.2 example.org. SOA over TCP".
func (q query) MarshalText() ([]byte, error) {
	text := fmt.Sprintf("%s %s %s", q.Server, q.Name, q.Type)
	if q.Via != "" {
		text += " " + string(q.Via)
	}
	return []byte(text), nil
}

// An answer is what the server answered.
type answer struct {
	Answered      bool   `json:"answered"`
	Code          string `json:"code,omitempty"`          // NOERROR, REFUSED, …
	Authoritative bool   `json:"authoritative,omitempty"` // the AA bit (RFC 1035 section 4.1.1)
	Serial        uint32 `json:"serial,omitempty"`        // of a SOA record
	// Data is what the records of the type that was asked for say, sorted; of a SOA record without
	// its serial number.
	Data string `json:"data,omitempty"`
	TTL  uint32 `json:"ttl,omitempty"` // of these records, in seconds
	// Until is when the first signature of them ends, in seconds since 1970; 0 without one.
	Until     int64 `json:"until,omitempty"`
	Algorithm uint8 `json:"algorithm,omitempty"` // of the signatures (RFC 8624)
}

// answerTo asks the server. It is not asked to find what it has not (RFC 1034 section 4.3.1).
var answerTo = &probe.Probe[query, answer]{Name: "knotdns.answer", Active: true, Look: lookUp}

func lookUp(ctx context.Context, h probe.Host, q query) (answer, error) {
	m := new(dns.Msg).SetQuestion(q.Name, dns.StringToType[q.Type])
	m.RecursionDesired = false
	m.SetEdns0(dnsask.UDPSize, true)
	a, err := dnsask.Ask(ctx, h, q.Server, q.Via, m)
	if err != nil || a == nil {
		return answer{}, err
	}
	return answerOf(m.Question[0].Qtype, a), nil
}

func answerOf(kind uint16, m *dns.Msg) answer {
	code, known := dns.RcodeToString[m.Rcode]
	if !known {
		code = fmt.Sprintf("RCODE%d", m.Rcode)
	}
	a := answer{Answered: true, Code: code, Authoritative: m.Authoritative}
	var data []string
	for _, rr := range m.Answer {
		switch rr := rr.(type) {
		case *dns.SOA:
			a.Serial, a.TTL = rr.Serial, rr.Hdr.Ttl
			data = append(data, start(rr))
		case *dns.RRSIG:
			// Times of signatures are 32 bits wide, and this century's.
			if until := int64(rr.Expiration); rr.TypeCovered == kind && (a.Until == 0 || until < a.Until) {
				a.Until, a.Algorithm = until, rr.Algorithm
			}
		default:
			if rr.Header().Rrtype == kind {
				a.TTL = rr.Header().Ttl
				data = append(data, records.Data(rr))
			}
		}
	}
	slices.Sort(data)
	a.Data = strings.Join(data, ", ")
	return a
}

// start is what a zone begins with, but for its serial number.
func start(soa *dns.SOA) string {
	return fmt.Sprintf("%s %s %d %d %d %d", soa.Ns, soa.Mbox, soa.Refresh, soa.Retry, soa.Expire, soa.Minttl)
}

// kept is what records say, and for how long others may keep it.
func kept(data string, ttl uint32) string { return fmt.Sprintf("%s, kept for %d s", data, ttl) }

// asks adds the check of an answer.
func asks(p *verify.Plan, c verify.Check, q query, want string, got func(*state.State, answer) string) {
	hint := fmt.Sprintf("dig +norec @%s %s %s", q.Server, q.Name, q.Type)
	if q.Via == dnsask.OverTCP {
		hint += " +tcp"
	}
	verify.Asked(p, c, answerTo, q, want, hint, func(st *state.State, a answer) verify.Verdict {
		switch {
		case !a.Answered && verify.Tentative(st, q.Server.String()):
			return verify.Skipped(want, q.Server.String()+" is tentative until there is a cable", hint)
		case !a.Answered:
			return verify.Judge(false, want, "no answer", hint)
		case a.Code != "NOERROR":
			return verify.Judge(false, want, a.Code, hint)
		case !a.Authoritative:
			return verify.Judge(false, want, a.Code+" of a server that has not the zone", hint)
		}
		return verify.Compare(want, got(st, a), hint)
	})
}

// Checks asks the server for its zones, where it is said to answer.
func (b *Server) Checks(r *router.Router, p *verify.Plan) {
	for _, n := range b.Networks.Items {
		for _, a := range fixed(n.Target) {
			for _, z := range zones(r) {
				c := verify.Check{ID: fmt.Sprintf("%s/answers/%s/%s", b.Addr, a, z.domain()), Title: fmt.Sprintf("the server has %s on %s", z.domain(), a), From: n.Range}
				if n.Target.Upstream() && !z.Public.V {
					c.Title = fmt.Sprintf("the server keeps %s to itself on %s", z.domain(), a)
					z.refused(p, c, a)
					continue
				}
				z.answers(p, c, a, "")
			}
		}
	}
}

// answers adds the check that the server has the zone.
func (z *DNSZone) answers(p *verify.Plan, c verify.Check, server netip.Addr, via dnsask.Transport) {
	const want = "the zone"
	asks(p, c, query{Server: server, Name: dns.Fqdn(string(z.domain())), Type: "SOA", Via: via}, want, func(_ *state.State, a answer) string {
		if a.Serial == 0 {
			return "no SOA record"
		}
		return want
	})
}

// refused adds the check that the zone is not told in an upstream. What the router asks there comes
// from its own address in it, which may ask no more than its neighbours.
func (z *DNSZone) refused(p *verify.Plan, c verify.Check, server netip.Addr) {
	q := query{Server: server, Name: dns.Fqdn(string(z.domain())), Type: "SOA"}
	const want = "refused"
	hint := fmt.Sprintf("dig +norec @%s %s SOA", server, q.Name)
	verify.Asked(p, c, answerTo, q, want, hint, func(st *state.State, a answer) verify.Verdict {
		switch {
		case !a.Answered && verify.Tentative(st, server.String()):
			return verify.Skipped(want, server.String()+" is tentative until there is a cable", hint)
		case !a.Answered:
			return verify.NotSeen(want, hint)
		}
		// mod-queryacl says NOTAUTH.
		return verify.Judge(a.Code == "NOTAUTH" || a.Code == "REFUSED", want, a.Code, hint)
	})
}

// Checks asks for the zone, over UDP and TCP, and for all that is in it.
func (z *DNSZone) Checks(r *router.Router, p *verify.Plan) {
	id := z.Addr.String() + "/"
	for _, via := range []dnsask.Transport{"", dnsask.OverTCP} {
		what := "udp"
		if via == dnsask.OverTCP {
			what = "tcp"
		}
		z.answers(p, verify.Check{ID: id + "answers/" + what, Title: "the server has " + string(z.domain()) + " (" + what + ")", From: z.at()}, loopback, via)
	}
	z.shared(r).check(p)
	z.shared(r).checkSerials(p)
	if z.secondary() {
		return
	}
	z.checkContents(r, p)
	z.DNSSEC.check(z, p)
}

// checkContents asks for the records, those of one name and type at once. Of names that others
// have there is no answer but who has them.
func (z *DNSZone) checkContents(r *router.Router, p *verify.Plan) {
	type set struct{ name, kind string }
	var order []set
	data, from, ttl := map[set][]string{}, map[set]hcl.Range{}, map[set]uint32{}
	all := z.contents(r)
	cuts := z.delegations(all)
	for _, e := range all {
		if slices.ContainsFunc(cuts, func(c entry) bool { return router.ZoneName(c.name()).Holds(e.name()) }) {
			continue
		}
		s := set{e.name(), e.kind()}
		if _, there := from[s]; !there {
			order, from[s], ttl[s] = append(order, s), e.by.From, e.Header().Ttl
		}
		data[s] = append(data[s], records.Data(e.RR))
	}
	for _, s := range order {
		slices.Sort(data[s])
		name := s.name
		if strings.HasPrefix(name, "*.") {
			name = "nbr" + name[1:]
		}
		c := verify.Check{ID: fmt.Sprintf("%s/record/%s/%s", z.Addr, s.name, s.kind), Title: fmt.Sprintf("the %s record of %s", s.kind, s.name), From: from[s]}
		asks(p, c, query{Server: loopback, Name: dns.Fqdn(name), Type: s.kind}, kept(strings.Join(data[s], ", "), ttl[s]), func(_ *state.State, a answer) string { return kept(a.Data, a.TTL) })
	}
	soa := z.soa(r)
	at := z.Def
	if z.Contact.Set {
		at = z.Contact.Range
	}
	c := verify.Check{ID: z.Addr.String() + "/record/" + string(z.domain()) + "/SOA", Title: "the SOA record of " + string(z.domain()), From: at}
	asks(p, c, query{Server: loopback, Name: soa.Hdr.Name, Type: "SOA"}, kept(start(soa), soa.Hdr.Ttl), func(_ *state.State, a answer) string { return kept(a.Data, a.TTL) })
}

// checkListens adds the check that the server listens where it is to, and nowhere else.
func checkListens(r *router.Router, h *conf.Header, p *verify.Plan) {
	var addrs []string
	for _, a := range addresses(server(r)) {
		addrs = append(addrs, a.String())
	}
	slices.Sort(addrs)
	want, hint := strings.Join(addrs, " "), "ss -lnp '( sport = :53 )'"
	for _, proto := range []string{"udp", "tcp"} {
		p.Add(verify.Check{
			ID: h.Addr.String() + "/listen/" + proto, Title: "Knot DNS listens on " + proto + "/53", From: h.Def,
			Eval: func(st *state.State) verify.Verdict {
				if st.Listeners == nil {
					return verify.NotSeen(want, hint)
				}
				var got []string
				for _, l := range st.Listeners {
					// Whose socket it is may not be seen.
					ours := l.Program == "knotd" || l.Program == "" && slices.Contains(addrs, l.Address)
					if l.Protocol == proto && l.Port == 53 && ours && !slices.Contains(got, l.Address) {
						got = append(got, l.Address)
					}
				}
				if len(got) == 0 {
					return verify.Missing(want, hint)
				}
				slices.Sort(got)
				return verify.Compare(want, strings.Join(got, " "), hint)
			},
		})
	}
}
