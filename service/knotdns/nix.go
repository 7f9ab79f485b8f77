package knotdns

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"strings"

	"github.com/hashicorp/hcl/v2"

	"github.com/nbr-dev/nbr/nixgen"
	"github.com/nbr-dev/nbr/router"
	"github.com/nbr-dev/nbr/service"
	"github.com/nbr-dev/nbr/verify"
)

// program is Knot DNS, with all zones.
type program struct{}

func (program) File() string { return "knotdns" }

// The names of sections.
const (
	inside  = "inside"  // who may ask for what is not public
	outside = "outside" // how many answers others get
)

// Lower sets services.knot, and the zones as files below /etc.
func (program) Lower(r *router.Router, blocks []service.Block, m *nixgen.Module) {
	none := nixgen.Origin{}
	set := func(from nixgen.Origin, v nixgen.Expr, path ...string) {
		m.Set(from, v, append([]string{"services", "knot", "settings"}, path...)...)
	}
	m.Set(none, nixgen.Bool(true), "services", "knot", "enable")
	b := server(r)
	m.Add(none, []string{"services", "knot", "settings", "server", "listen"}, nixgen.Str(loopback.String()))
	askersFrom := none
	if b != nil {
		for _, n := range b.Networks.Items {
			for _, a := range fixed(n.Target) {
				m.Add(service.Origin(b.Addr, n.Range), []string{"services", "knot", "settings", "server", "listen"}, nixgen.Str(a.String()))
			}
		}
		askersFrom = service.From(b)
		if b.public() {
			set(service.Origin(b.Addr, cmp.Or(b.RateLimit.Range, b.Def)), nixgen.Int(b.RateLimit.V), "mod-rrl", outside, "rate-limit")
			set(askersFrom, service.Strs(askers(b)), "mod-rrl", outside, "whitelist")
			set(askersFrom, nixgen.List{nixgen.Str("mod-rrl/" + outside)}, "template", "default", "global-module")
		}
	}
	set(none, nixgen.List{nixgen.Attrs{nixgen.Bind(nixgen.Str("info"), "any"), nixgen.Bind(nixgen.Str("syslog"), "target")}}, "log")
	// The file is the spec's, and the server adds signatures: it keeps the zone in its journal,
	// counts its serial number, and takes of a new file what is otherwise.
	set(none, nixgen.Str("all"), "template", "default", "journal-content")
	set(none, nixgen.Str("unixtime"), "template", "default", "serial-policy")
	set(none, nixgen.Str("difference-no-serial"), "template", "default", "zonefile-load")
	set(none, nixgen.Int(-1), "template", "default", "zonefile-sync")
	set(askersFrom, service.Strs(askers(b)), "mod-queryacl", inside, "address")
	texts := sha256.New()
	for _, z := range service.Of[*DNSZone](blocks) {
		name, from := string(z.domain()), service.From(z)
		zone := func(from nixgen.Origin, v nixgen.Expr, path ...string) {
			set(from, v, append([]string{"zone", name}, path...)...)
		}
		if !z.secondary() {
			text := z.text(r)
			texts.Write([]byte(text))
			m.Set(from, nixgen.Lines(text), "environment", "etc", z.file(), "text")
			zone(from, nixgen.Str("/etc/"+z.file()), "file")
			if l := z.leased(r); l != nil {
				// Without it the zone would not load.
				m.Add(from, []string{"systemd", "tmpfiles", "rules"}, nixgen.Str("f "+l.Leased()+" 0640 root "+group+" -"))
			}
		}
		z.shared(r).lower(b, "zone-"+string(z.Name.V), set, zone)
		if c := z.catalog(r); c != nil {
			zone(service.Origin(c.Addr, c.Zones.Range), nixgen.Str(c.Domain.V), "catalog-zone")
			zone(service.Origin(c.Addr, c.Zones.Range), nixgen.Str("member"), "catalog-role")
		}
		z.DNSSEC.lower(z, set, zone)
		service.AddExtra(m, z, z.Extra, "services", "knot", "settings", "zone", name)
	}
	for _, c := range service.Of[*Catalog](blocks) {
		c.lower(b, set)
	}
	texts.Write([]byte(lowerPeers(r, m, set)))
	// The files have fixed names: a switch has to see that they have changed.
	m.Set(none, nixgen.List{nixgen.Str(hex.EncodeToString(texts.Sum(nil)))}, "systemd", "services", unit, "restartTriggers")
	if b != nil {
		service.AddExtra(m, b, b.Extra, "services", "knot", "settings")
	}
}

// file is where the zone is, below /etc.
func (z *DNSZone) file() string { return "knot/zones/" + string(z.domain()) + ".zone" }

// lower sets the policy by which the zone is signed.
func (d *DNSSEC) lower(z *DNSZone, set, zone func(nixgen.Origin, nixgen.Expr, ...string)) {
	if d == nil {
		return
	}
	from, name := service.From(d), string(z.Name.V)
	policy := func(at nixgen.Origin, v nixgen.Expr, key string) { set(at, v, "policy", name, key) }
	zone(from, nixgen.Bool(true), "dnssec-signing")
	zone(from, nixgen.Str(name), "dnssec-policy")
	policy(d.origin(d.Algorithm.Range), nixgen.Str(d.Algorithm.V), "algorithm")
	policy(d.origin(d.NSEC3.Range), nixgen.Bool(d.NSEC3.V), "nsec3")
	if d.NSEC3.V {
		policy(from, nixgen.Int(0), "nsec3-iterations")
		policy(from, nixgen.Int(0), "nsec3-salt-length")
	}
	if len(d.Parents.Items) == 0 {
		return
	}
	at := d.origin(d.Parents.Range)
	var remotes []string
	for _, p := range d.Parents.Items {
		id := parent(z, p.V)
		remotes = append(remotes, id)
		set(d.origin(p.Range), nixgen.Str(p.V.String()), "remote", id, "address")
	}
	set(at, service.Strs(remotes), "submission", name, "parent")
	policy(at, nixgen.Str(name), "ksk-submission")
	if d.KSKLifetime.Set {
		policy(d.origin(d.KSKLifetime.Range), nixgen.Int(d.KSKLifetime.V), "ksk-lifetime")
	}
}

// origin is a line of the block, or the block.
func (d *DNSSEC) origin(at hcl.Range) nixgen.Origin {
	if at == (hcl.Range{}) {
		at = d.Def
	}
	return service.Origin(d.Addr, at)
}

// Checks ask systemd for the unit, and look where it listens and whom it answers.
func (program) Checks(r *router.Router, blocks []service.Block, p *verify.Plan) {
	h := blocks[0].Head()
	if all := zones(r); len(all) > 0 {
		h = &all[0].Header
	}
	b := server(r)
	if b != nil {
		h = &b.Header
	}
	p.UnitActive(h.Addr.String()+"/server", h.Def, unit+".service")
	checkListens(r, h, p)
	from := h.Def
	if b != nil {
		from = cmp.Or(b.Clients.Range, b.Networks.Range)
	}
	runs(p, h.Addr, "clients", "who may ask for what is not public", from, "mod-queryacl", inside, "address", strings.Join(askers(b), " "))
	if b.public() {
		runs(p, h.Addr, "rate_limit", "answers a second to an address outside", cmp.Or(b.RateLimit.Range, b.Def), "mod-rrl", outside, "rate-limit", fmt.Sprint(int(b.RateLimit.V)))
	}
}
