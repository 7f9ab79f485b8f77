package referee_test

import (
	"crypto"
	"fmt"
	"maps"
	"net"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/miekg/dns"

	"github.com/nbr-dev/nbr/internal/nstest"
)

// A dnsZone is a signed zone and the only server that there is for it (RFC 4034, 4035). Names
// that do not exist are denied with NSEC.
type dnsZone struct {
	apex  string
	key   *dns.DNSKEY
	sets  map[string]map[uint16][]dns.RR // by owner and type, signatures among them
	names []string                       // all owners in canonical order
}

// newZone signs the records of a master file. A record below a delegation is its glue.
func newZone(t *testing.T, apex, records string) *dnsZone {
	t.Helper()
	z := &dnsZone{apex: apex, sets: map[string]map[uint16][]dns.RR{}}
	z.key = &dns.DNSKEY{
		Hdr:   dns.RR_Header{Name: apex, Rrtype: dns.TypeDNSKEY, Class: dns.ClassINET, Ttl: 3600},
		Flags: dns.ZONE | dns.SEP, Protocol: 3, Algorithm: dns.ECDSAP256SHA256,
	}
	private, err := z.key.Generate(256)
	if err != nil {
		t.Fatal(err)
	}
	z.add(z.key)
	parser := dns.NewZoneParser(strings.NewReader("$TTL 3600\n"+records), apex, "")
	for rr, ok := parser.Next(); ok; rr, ok = parser.Next() {
		z.add(rr)
	}
	if err := parser.Err(); err != nil {
		t.Fatal(err)
	}
	z.chain()
	for _, name := range z.names {
		for _, set := range z.sets[name] {
			z.sign(t, private.(crypto.Signer), set)
		}
	}
	return z
}

func (z *dnsZone) add(rr dns.RR) {
	h := rr.Header()
	if z.sets[h.Name] == nil {
		z.sets[h.Name] = map[uint16][]dns.RR{}
	}
	z.sets[h.Name][h.Rrtype] = append(z.sets[h.Name][h.Rrtype], rr)
}

// chain adds an NSEC record to each name that the zone is the authority for.
func (z *dnsZone) chain() {
	for name := range z.sets {
		if cut := z.cut(name); cut == "" || cut == name {
			z.names = append(z.names, name)
		}
	}
	slices.SortFunc(z.names, canonicalOrder)
	for i, name := range z.names {
		types := []uint16{dns.TypeRRSIG, dns.TypeNSEC}
		for kind := range z.sets[name] {
			types = append(types, kind)
		}
		slices.Sort(types)
		z.add(&dns.NSEC{
			Hdr:        dns.RR_Header{Name: name, Rrtype: dns.TypeNSEC, Class: dns.ClassINET, Ttl: 60},
			NextDomain: z.names[(i+1)%len(z.names)], TypeBitMap: types,
		})
	}
}

func (z *dnsZone) sign(t *testing.T, private crypto.Signer, set []dns.RR) {
	t.Helper()
	h := set[0].Header()
	if h.Rrtype == dns.TypeRRSIG || h.Rrtype == dns.TypeNS && h.Name != z.apex {
		return // the child's, if at all (RFC 4035 section 2.2)
	}
	now := time.Now()
	sig := &dns.RRSIG{
		Hdr:       dns.RR_Header{Name: h.Name, Rrtype: dns.TypeRRSIG, Class: dns.ClassINET, Ttl: h.Ttl},
		Algorithm: z.key.Algorithm, SignerName: z.apex, KeyTag: z.key.KeyTag(),
		Inception: uint32(now.Add(-time.Hour).Unix()), Expiration: uint32(now.Add(24 * time.Hour).Unix()),
	}
	if err := sig.Sign(private, set); err != nil {
		t.Fatal(err)
	}
	z.add(sig)
}

// canonicalOrder is RFC 4034 section 6.1: by labels, the last one first.
func canonicalOrder(a, b string) int {
	x, y := dns.SplitDomainName(strings.ToLower(a)), dns.SplitDomainName(strings.ToLower(b))
	slices.Reverse(x)
	slices.Reverse(y)
	return slices.Compare(x, y)
}

// cut is the delegation that a name is at or below, if any.
func (z *dnsZone) cut(name string) string {
	for i, end := 0, false; !end; i, end = dns.NextLabel(name, i) {
		if at := name[i:]; at != z.apex && z.sets[at][dns.TypeNS] != nil {
			return at
		}
	}
	return ""
}

// get is a set of records with its signatures.
func (z *dnsZone) get(name string, kind uint16) []dns.RR {
	out := slices.Clone(z.sets[name][kind])
	for _, rr := range z.sets[name][dns.TypeRRSIG] {
		if rr.(*dns.RRSIG).TypeCovered == kind {
			out = append(out, rr)
		}
	}
	return out
}

// exists tells whether there is anything at or below a name.
func (z *dnsZone) exists(name string) bool {
	return slices.ContainsFunc(z.names, func(n string) bool { return dns.IsSubDomain(name, n) })
}

// nsec is the record that says what is at a name, or that nothing is.
func (z *dnsZone) nsec(name string) []dns.RR {
	i, found := slices.BinarySearchFunc(z.names, name, canonicalOrder)
	if !found {
		i--
	}
	return z.get(z.names[i], dns.TypeNSEC)
}

// answer is what an authoritative server says (RFC 4035 section 3.1).
func (z *dnsZone) answer(question *dns.Msg) *dns.Msg {
	m := new(dns.Msg).SetReply(question)
	m.SetEdns0(1232, true)
	name, kind := strings.ToLower(question.Question[0].Name), question.Question[0].Qtype
	if !dns.IsSubDomain(z.apex, name) {
		m.Rcode = dns.RcodeRefused
		return m
	}
	if cut := z.cut(name); cut != "" && (kind != dns.TypeDS || cut != name) {
		m.Ns = append(z.get(cut, dns.TypeNS), z.get(cut, dns.TypeDS)...)
		if z.sets[cut][dns.TypeDS] == nil {
			m.Ns = append(m.Ns, z.nsec(cut)...)
		}
		for _, ns := range z.sets[cut][dns.TypeNS] {
			m.Extra = append(m.Extra, z.sets[ns.(*dns.NS).Ns][dns.TypeA]...)
		}
		return m
	}
	m.Authoritative = true
	if m.Answer = z.get(name, kind); len(m.Answer) > 0 {
		return m
	}
	m.Ns = append(z.get(z.apex, dns.TypeSOA), z.nsec(name)...)
	if z.exists(name) {
		return m
	}
	m.Rcode = dns.RcodeNameError
	encloser := name
	for !z.exists(encloser) {
		i, _ := dns.NextLabel(encloser, 0)
		encloser = dns.Fqdn(encloser[i:])
	}
	m.Ns = append(m.Ns, z.nsec("*."+strings.TrimPrefix(encloser, "."))...)
	return m
}

// delegate is a delegation to a zone's server: with a DS record that fits its key or with one
// of another.
func (z *dnsZone) delegate(server, addr string, fits bool) string {
	ds := z.key.ToDS(dns.SHA256)
	if !fits {
		ds.Digest = strings.Repeat("ab", 32)
	}
	return fmt.Sprintf("%s NS %s\n%s A %s\n%s\n", z.apex, server, server, addr, ds)
}

// The servers of the Internet's names, as far as tests ask for them. The root's are where a
// resolver looks for them.
const (
	orgServer    = "203.0.113.53"
	failedServer = "203.0.113.54"
	arpaServer   = "203.0.113.55"
)

// dnsTree serves a tree of signed zones in a namespace, the root by the addresses that a
// resolver's file of hints gives, and returns the root's key, which a resolver has to trust.
func dnsTree(t *testing.T, ns *nstest.NS, hints string) (anchor string) {
	t.Helper()
	const soa = "@ SOA ns.nbr. hostmaster.nbr. 1 3600 600 86400 60\n"
	failed := newZone(t, "dnssec-failed.org.", soa+"@ NS ns.dnssec-failed.org.\nns A "+failedServer+"\n@ A 203.0.113.9\n")
	org := newZone(t, "org.", soa+"@ NS ns.org.\nns A "+orgServer+"\nwww.example A 203.0.113.7\nv4only.example A "+onlyIPv4+"\n"+
		failed.delegate("ns.dnssec-failed.org.", failedServer, false))
	arpa := newZone(t, "arpa.", soa+"@ NS ns.arpa.\nns A "+arpaServer+"\nipv4only A 192.0.0.170\nipv4only A 192.0.0.171\n") // RFC 7050
	zones := map[string]*dnsZone{orgServer: org, failedServer: failed, arpaServer: arpa}

	records := soa + org.delegate("ns.org.", orgServer, true) + arpa.delegate("ns.arpa.", arpaServer, true)
	var servers []string
	parser := dns.NewZoneParser(strings.NewReader(hints), ".", "")
	for rr, ok := parser.Next(); ok; rr, ok = parser.Next() {
		records += rr.String() + "\n"
		if a, ok := rr.(*dns.A); ok {
			servers = append(servers, a.A.String())
		}
	}
	if err := parser.Err(); err != nil || len(servers) == 0 {
		t.Fatalf("hints: %v\n%s", err, hints)
	}
	root := newZone(t, ".", records)
	for _, s := range servers {
		zones[s] = root
	}
	for _, addr := range slices.Sorted(maps.Keys(zones)) {
		ip(t, ns, "addr add "+addr+"/32 dev lo\n")
		serveZone(t, ns, addr, zones[addr])
	}
	return root.key.String() + "\n"
}

func serveZone(t *testing.T, ns *nstest.NS, addr string, z *dnsZone) {
	t.Helper()
	var udp net.PacketConn
	var tcp net.Listener
	err := within(ns, func() (err error) {
		if udp, err = net.ListenPacket("udp", addr+":53"); err == nil {
			tcp, err = net.Listen("tcp", addr+":53")
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	handler := dns.HandlerFunc(func(w dns.ResponseWriter, q *dns.Msg) {
		_ = w.WriteMsg(z.answer(q)) // the client has gone
	})
	for _, s := range []*dns.Server{{PacketConn: udp, Handler: handler}, {Listener: tcp, Handler: handler}} {
		started := make(chan bool)
		s.NotifyStartedFunc = func() { close(started) }
		go func() { _ = s.ActivateAndServe() }()
		<-started
		t.Cleanup(func() {
			if err := s.Shutdown(); err != nil {
				t.Errorf("the server of %s: %v", z.apex, err)
			}
		})
	}
}
