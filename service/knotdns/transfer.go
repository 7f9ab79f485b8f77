package knotdns

import (
	"cmp"
	"context"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"time"

	"github.com/hashicorp/hcl/v2"
	"github.com/miekg/dns"

	"github.com/nbr-dev/nbr/hcl/conf"
	"github.com/nbr-dev/nbr/hcl/diag"
	"github.com/nbr-dev/nbr/nixgen"
	"github.com/nbr-dev/nbr/router"
	"github.com/nbr-dev/nbr/service"
	"github.com/nbr-dev/nbr/verify"
	"github.com/nbr-dev/nbr/verify/dnsask"
	"github.com/nbr-dev/nbr/verify/probe"
	"github.com/nbr-dev/nbr/verify/state"
)

// A shared zone is one of other servers too: AXFR (RFC 5936), IXFR (RFC 1995), and NOTIFY
// (RFC 1996) when it changes.
type shared struct {
	of                     conf.Addr
	def                    hcl.Range
	domain                 router.ZoneName
	public                 bool
	primaries, secondaries []conf.Ref[*DNSPeer]
}

// shared is the zone, with those that get it by a catalog.
func (z *DNSZone) shared(r *router.Router) shared {
	s := shared{z.Addr, z.Def, z.domain(), z.Public.V, z.Primaries.Items, slices.Clone(z.Secondaries.Items)}
	for _, c := range catalogs(r) {
		if !conf.Has(c.Zones, z) {
			continue
		}
		for _, p := range c.Secondaries.Items {
			if !slices.ContainsFunc(s.secondaries, func(o conf.Ref[*DNSPeer]) bool { return o.Target == p.Target }) {
				s.secondaries = append(s.secondaries, p)
			}
		}
	}
	return s
}

// acls are who may get the zone and who may say that it has changed, by their names in Knot DNS's
// configuration.
func (s shared) acls() []string {
	var out []string
	for _, p := range s.secondaries {
		out = append(out, p.Target.acl(gets))
	}
	for _, p := range s.primaries {
		out = append(out, p.Target.acl(tells))
	}
	return out
}

func ids(of []conf.Ref[*DNSPeer]) []string {
	var out []string
	for _, p := range of {
		out = append(out, p.Target.id())
	}
	return out
}

// lower sets who gets the zone, who it is got from, and who may ask for names in it. A server
// that has the zone asks for its SOA record and for what has changed (IXFR), which mod-queryacl
// takes for questions like others.
func (s shared) lower(b *Server, name string, set, zone func(nixgen.Origin, nixgen.Expr, ...string)) {
	from := service.Origin(s.of, s.def)
	at := func(of []conf.Ref[*DNSPeer]) nixgen.Origin { return service.Origin(s.of, of[0].Range) }
	if len(s.secondaries) > 0 {
		zone(at(s.secondaries), service.Strs(ids(s.secondaries)), "notify")
	}
	if len(s.primaries) > 0 {
		zone(at(s.primaries), service.Strs(ids(s.primaries)), "master")
		zone(at(s.primaries), nixgen.Str("none"), "zonefile-load")
	}
	if acls := s.acls(); len(acls) > 0 {
		zone(from, service.Strs(acls), "acl")
	}
	allow := func(action string, of []conf.Ref[*DNSPeer]) {
		for _, p := range of {
			set(service.From(p.Target), nixgen.Str(action), "acl", p.Target.acl(action), "action")
			set(service.From(p.Target), nixgen.Str(p.Target.id()), "acl", p.Target.acl(action), "remote")
		}
	}
	allow(gets, s.secondaries)
	allow(tells, s.primaries)
	if s.public {
		return
	}
	who := inside
	if len(s.acls()) > 0 {
		who = name
		set(from, service.Strs(s.askers(b)), "mod-queryacl", who, "address")
	}
	zone(from, nixgen.List{nixgen.Str("mod-queryacl/" + who)}, "module")
}

// askers are the addresses that may ask for names in the zone.
func (s shared) askers(b *Server) []string {
	out := askers(b)
	for _, p := range slices.Concat(s.secondaries, s.primaries) {
		for _, a := range p.Target.texts() {
			if !slices.Contains(out, a) {
				out = append(out, a)
			}
		}
	}
	return out
}

// judge finds servers that cannot get the zone, or that it would go to in a circle.
func (s shared) judge(r *router.Router) hcl.Diagnostics {
	var diags hcl.Diagnostics
	for _, p := range s.secondaries {
		if i := slices.IndexFunc(s.primaries, func(o conf.Ref[*DNSPeer]) bool { return o.Target == p.Target }); i >= 0 {
			diags = append(diags, diag.With(diag.Help(diag.Error("transfer-loop", p.Range, "Zone that goes back to where it came from",
				"%s has the zone of %s already: it is among its primaries.", p.Addr, s.of), "Remove it from one of the two."), s.primaries[i].Range, "primaries"))
		}
	}
	if len(s.secondaries) > 0 && server(r) == nil {
		diags = append(diags, diag.Absent(diag.Help(diag.Error("transfer-without-server", s.secondaries[0].Range, "Zone that cannot be fetched",
			"No dns_server block says where the router answers, so %s gets nothing of %s.", s.secondaries[0].Addr, s.of),
			"Write a dns_server block with the network to which the other server's questions come."), "dns_server"))
	}
	return diags
}

// judgeSecondary refuses what the primary says, and warns of names that it does not know of.
func (z *DNSZone) judgeSecondary(r *router.Router) hcl.Diagnostics {
	if !z.secondary() {
		return nil
	}
	var diags hcl.Diagnostics
	own := func(at hcl.Range, set bool, what string) {
		if set {
			diags = append(diags, diag.With(diag.Help(diag.Error("secondary-with-contents", at, "Contents of another server's zone",
				"%s is what its primary says, and %s here is no part of that.", z.Addr, what),
				"Remove it, or remove primaries if the zone is this router's."), z.Primaries.Range, "primaries"))
		}
	}
	own(z.Records.Range, z.Records.Set, "records")
	own(z.NameServers.Range, z.NameServers.Set, "name_servers")
	own(z.Contact.Range, z.Contact.Set, "contact")
	own(z.TTL.Range, z.TTL.Range != (hcl.Range{}), "ttl")
	if z.DNSSEC != nil {
		own(z.DNSSEC.Def, true, "dnssec")
	}
	for _, rec := range r.AddressRecords(z.domain()) {
		if h := rec.Host; h != nil && rec.Back == "" {
			return append(diags, diag.With(diag.Help(diag.Warning("secondary-without-host", h.Def, "Host that the primary has to know",
				"%s is in %s, whose records are the primary's: what this block says of names is found nowhere.", rec.Name, z.Addr),
				"Add the names to the zone on the primary, or give the network another domain."), z.Primaries.Range, "%s", z.Addr.String()))
		}
	}
	return diags
}

// secondary tells whether another server says what is in the zone.
func (z *DNSZone) secondary() bool { return z.Primaries.Set }

// A serialQuestion is a zone that two servers have.
type serialQuestion struct {
	Zone        string
	Here, There netip.Addr
}

// MarshalText writes it as in "example.org. 127.0.0.2 192.0.2.53".
func (q serialQuestion) MarshalText() ([]byte, error) {
	return fmt.Appendf(nil, "%s %s %s", q.Zone, q.Here, q.There), nil
}

// serials are what two servers answer for the SOA record of a zone.
type serials struct {
	Here  answer `json:"here"`
	There answer `json:"there"`
}

// serialsOf asks both servers. A change is on its way for a moment.
var serialsOf = &probe.Probe[serialQuestion, serials]{Name: "knotdns.serials", Active: true, Look: lookSerials}

// onItsWay is how long a change may take from one server to the other.
const onItsWay = 5 * time.Second

func lookSerials(ctx context.Context, h probe.Host, q serialQuestion) (serials, error) {
	for until := time.Now().Add(onItsWay); ; {
		here, err := lookUp(ctx, h, query{Server: q.Here, Name: q.Zone, Type: "SOA"})
		if err != nil {
			return serials{}, err
		}
		there, err := lookThere(ctx, h, q)
		if err != nil || here.Serial == there.Serial || there.Serial == 0 || time.Now().After(until) {
			return serials{here, there}, err
		}
		select {
		case <-ctx.Done():
			return serials{here, there}, nil
		case <-time.After(time.Second):
		}
	}
}

// lookThere asks the other server, by Knot DNS's own program: a probe itself talks to its router alone.
func lookThere(ctx context.Context, h probe.Host, q serialQuestion) (answer, error) {
	out, err := h.Run(ctx, "kdig", "+norec", "+time=2", "+retry=0", "@"+q.There.String(), q.Zone, "SOA")
	if err != nil {
		return answer{}, err
	}
	var a answer
	for line := range strings.Lines(string(out.Stdout)) {
		if _, rest, ok := strings.Cut(line, "; status: "); ok {
			a.Answered = true
			a.Code, _, _ = strings.Cut(rest, ";")
		}
		if rr, err := dns.NewRR(line); err == nil && rr != nil {
			if soa, ok := rr.(*dns.SOA); ok {
				a.Serial = soa.Serial
			}
		}
	}
	return a, nil
}

// check asks the server who gets the zone, and that a question without a key does not get it.
func (s shared) check(p *verify.Plan) {
	name := dns.Fqdn(string(s.domain))
	acls := s.acls()
	if len(acls) == 0 {
		return
	}
	at := slices.Concat(s.secondaries, s.primaries)[0].Range
	runs(p, s.of, "transfers", "who gets "+string(s.domain)+" or says that it has changed", at, "zone", name, "acl", strings.Join(acls, " "))
	const want = "refused"
	q := query{Server: loopback, Name: name, Type: "AXFR", Via: dnsask.OverTCP}
	hint := fmt.Sprintf("dig @%s %s AXFR", loopback, name)
	c := verify.Check{ID: s.of.String() + "/without-key", Title: "the whole of " + string(s.domain) + " is not given without a key", From: at}
	verify.Asked(p, c, answerTo, q, want, hint, func(_ *state.State, a answer) verify.Verdict {
		switch {
		case !a.Answered:
			return verify.NotSeen(want, hint)
		case a.Code == "NOERROR":
			return verify.Judge(false, want, "given", hint)
		}
		return verify.Judge(true, want, want, hint)
	})
}

// checkSerials asks whether the others have the zone as it is here, or this server as it is there.
func (s shared) checkSerials(p *verify.Plan) {
	name := dns.Fqdn(string(s.domain))
	same := func(what string, of []conf.Ref[*DNSPeer]) {
		for _, peer := range of {
			for _, a := range peer.Target.Addresses.All() {
				id, label := s.of.String()+"/"+what+"/"+string(peer.Target.Name.V), string(peer.Target.Name.V)
				if len(peer.Target.Addresses.Items) > 1 {
					id, label = id+"/"+a.String(), label+" ("+a.String()+")"
				}
				c := verify.Check{ID: id, Title: label + " has " + string(s.domain) + " as it is here", From: peer.Range}
				const want = "the same serial number"
				hint := fmt.Sprintf("knotc zone-status %s; kdig +norec @%s %s SOA", name, a, name)
				verify.Asked(p, c, serialsOf, serialQuestion{name, loopback, a.Addr}, want, hint, func(_ *state.State, got serials) verify.Verdict {
					switch {
					case got.Here.Serial == 0:
						return verify.Judge(false, want, "no zone here: "+cmp.Or(got.Here.Code, "no answer"), hint)
					case !got.There.Answered:
						return verify.NotAsked(want, a.String()+" does not answer", hint)
					case got.There.Code == "REFUSED" || got.There.Code == "NOTAUTH":
						return verify.NotAsked(want, a.String()+" says "+got.There.Code, hint)
					case got.There.Serial == 0:
						return verify.Judge(false, want, "no zone there: "+got.There.Code, hint)
					case got.There.Serial != got.Here.Serial:
						return verify.Judge(false, want, fmt.Sprintf("%d there, %d here", got.There.Serial, got.Here.Serial), hint)
					}
					return verify.Judge(true, want, want, hint)
				})
			}
		}
	}
	same("secondary", s.secondaries)
	same("primary", s.primaries)
}
