package kea

import (
	"cmp"
	"context"
	_ "embed"
	"fmt"
	"io/fs"
	"net/netip"
	"slices"
	"strings"
	"time"

	"github.com/hashicorp/hcl/v2"
	"github.com/miekg/dns"

	"github.com/nbr-dev/nbr/hcl/diag"
	"github.com/nbr-dev/nbr/nixgen"
	"github.com/nbr-dev/nbr/router"
	"github.com/nbr-dev/nbr/service"
	"github.com/nbr-dev/nbr/verify"
	"github.com/nbr-dev/nbr/verify/dnsask"
	"github.com/nbr-dev/nbr/verify/probe"
	"github.com/nbr-dev/nbr/verify/state"
)

// Names of leases are records of a zone that the router has. Kea's own way to them, dynamic
// updates (RFC 2136) by its daemon D2, is made once a lease: one that is lost while the DNS server
// restarts does not come again before the host's data change, and a DNS server whose zone is a
// file forgets it with the next file. So a unit reads what is leased, and the zone includes it.
const namesUnit = "nbr-lease-names"

//go:embed names.sh
var namesScript string

// A registrar is a block the hosts of whose leases have names.
type registrar struct {
	router.By
	network *router.Network
	prefix  netip.Prefix // whose addresses are leased
	subnet  uint32       // Kea's number of the leases
}

func (d *DHCP4) registrar() registrar {
	return registrar{router.By{Addr: d.Addr, From: d.Register.Range}, d.Network.Target, d.prefix().Masked(), uint32(d.subnetID())}
}

func (d *DHCP6) registrar() registrar {
	return registrar{router.By{Addr: d.Addr, From: d.Register.Range}, d.Network.Target, d.prefix().Masked(), d.subnetID()}
}

// domain is where the names of the network's hosts are.
func (g *registrar) domain() router.ZoneName {
	return router.ZoneName(strings.ToLower(string(g.network.Domain.V)))
}

// claim claims what zones of the router need to know of the names.
func (g registrar) claim(s *router.Scope, leases []router.AddrRange) {
	if g.network.Domain.Set {
		router.Claim(s, g.From, router.LeaseNames{Domain: g.domain(), Ranges: leases})
		router.Claim(s, g.From, g)
	}
}

// registrars are all of them, those of IPv4 first.
func registrars(r *router.Router) []*registrar {
	return slices.SortedStableFunc(slices.Values(router.Claimed[registrar](r)), func(a, b *registrar) int {
		return cmp.Compare(a.prefix.Addr().BitLen(), b.prefix.Addr().BitLen())
	})
}

// judge finds names that would be in no zone.
func (g *registrar) judge(r *router.Router) hcl.Diagnostics {
	n := g.network
	if !n.Domain.Set {
		return hcl.Diagnostics{diag.With(diag.Help(diag.Error("names-without-zone", g.From, "Names of leases without a domain",
			"%s has no domain for the names of its hosts to be in.", n.Addr), "Write domain = \"home.arpa\" into the network, and a dns_zone block with it."), n.Def, "%s", n.Addr.String())}
	}
	switch z := r.ZoneHolding(string(g.domain())); {
	case z == nil:
		return hcl.Diagnostics{diag.With(diag.Absent(diag.Help(diag.Error("names-without-zone", g.From, "Names of leases without a zone",
			"No dns_zone has the names in %s, and a resolver is told of none while it runs.", g.domain()),
			"Write a dns_zone block with domain = %q, and one with reverse = %q for the way back.", g.domain(), g.prefix), "dns_zone"), n.Domain.Range, "%s", n.Addr.String())}
	case z.Reload == "":
		return hcl.Diagnostics{diag.With(diag.Help(diag.Error("names-without-zone", g.From, "Names of leases in another server's zone",
			"%s is what its primaries say, so no name can be added here.", z.Addr),
			"Give the network a domain of this router, or remove register_names."), z.From, "%s", z.Addr.String())}
	}
	return nil
}

// lowerNames makes the unit that writes the names: one for both of Kea's servers, as a host with
// leases of both has one name. It is in the module of the first of them.
func lowerNames(r *router.Router, family router.Family, m *nixgen.Module) {
	zones, all := r.LeaseZones(), registrars(r)
	if len(all) == 0 || len(zones) == 0 || all[0].prefix.Addr().Is4() != (family == router.IPv4) {
		return
	}
	from := service.Origin(all[0].Addr, all[0].From)
	set := func(v nixgen.Expr, path ...string) {
		m.Set(from, v, append([]string{"systemd", "services", namesUnit}, path...)...)
	}
	set(nixgen.Str("Names of hosts with a DHCP lease"), "description")
	set(nixgen.List{nixgen.Str("multi-user.target")}, "wantedBy")
	set(nixgen.List{nixgen.Var("pkgs.gawk"), nixgen.Var("pkgs.knot-dns")}, "path")
	set(nixgen.Lines(namesText(zones, all)), "script")
	set(nixgen.Str("always"), "serviceConfig", "Restart")
	set(nixgen.Int(5), "serviceConfig", "RestartSec")
	set(nixgen.Str("nbr-names"), "serviceConfig", "StateDirectory")
	set(nixgen.Str("strict"), "serviceConfig", "ProtectSystem")
	set(nixgen.List{nixgen.Str("CAP_DAC_OVERRIDE")}, "serviceConfig", "CapabilityBoundingSet")
}

// namesText is the script of the unit: what the spec says, and what it does with that.
func namesText(zones []*router.ServesZone, all []*registrar) string {
	var names, files, subnets []string
	var reload strings.Builder
	for _, z := range zones {
		names, files = append(names, string(z.Zone)), append(files, z.File)
		fmt.Fprintf(&reload, "  %s) %s ;;\n", z.Zone, z.Reload)
	}
	for _, g := range all {
		subnets = append(subnets, fmt.Sprintf("%s:%d=%s", recordType(g.prefix), g.subnet, g.domain()))
	}
	return fmt.Sprintf("zones='%s'\nfiles='%s'\nsubnets='%s'\nspecial='%s'\nreload() {\n  case $1 in\n%s  esac\n}\n%s",
		strings.Join(names, " "), strings.Join(files, " "), strings.Join(subnets, " "), strings.Join(special, " "), reload.String(), namesScript)
}

// recordType is the type of the record that leads to an address of the prefix.
func recordType(p netip.Prefix) string {
	if p.Addr().Is4() {
		return "A"
	}
	return "AAAA"
}

// A namesQuestion is a subnet of Kea's whose hosts have names.
type namesQuestion struct {
	Type   string     `json:"type"` // of records that lead to its addresses: A or AAAA
	Subnet uint32     `json:"subnet"`
	Domain string     `json:"domain"`
	Server netip.Addr `json:"server"` // which has the zone
	Zone   string     `json:"zone"`   // the file of what the spec has in it
}

// A leasedName is a name that a host with a lease says, and what the server has for it.
type leasedName struct {
	Name  string   `json:"name"`
	Hosts []string `json:"hosts"` // the addresses of the leases in force
	Until int64    `json:"until"` // when the last of them ends, Unix time
	Ended []string `json:"ended,omitempty"`
	// Others are addresses that the same hosts have by leases of the other version of IP.
	Others []string `json:"others,omitempty"`
	Found  []string `json:"found"` // the addresses that the server has, of both versions
}

// namesOf asks for the name of each lease, but those that the spec has.
var namesOf = &probe.Probe[namesQuestion, []leasedName]{Name: "kea.names", Active: true, Look: lookNames}

// special are names by which hosts look for who configures them; names.sh gives them to none.
var special = []string{"wpad", "isatap", "autodiscover", "autoconfig", "localhost"}

// settles is how long a name may take from a lease to the zone.
const settles = 8 * time.Second

func lookNames(ctx context.Context, h probe.Host, q namesQuestion) ([]leasedName, error) {
	for until := time.Now().Add(settles); ; {
		all, err := readNames(ctx, h, q)
		if err != nil || wrongName(q.Type, all, 0) == "" || time.Now().After(until) {
			return all, err
		}
		select {
		case <-ctx.Done():
			return all, nil
		case <-time.After(time.Second):
		}
	}
}

func readNames(ctx context.Context, h probe.Host, q namesQuestion) ([]leasedName, error) {
	zone, err := h.ReadFile(q.Zone)
	if err != nil {
		return nil, err
	}
	taken := map[string]bool{}
	for line := range strings.Lines(string(zone)) {
		owner, _, _ := strings.Cut(line, " ")
		taken[strings.TrimSuffix(strings.ToLower(owner), ".")] = true
	}
	own, err := readHosts(h, q.Type)
	if err == nil && own == nil {
		err = fmt.Errorf("no leases: %w", fs.ErrNotExist)
	}
	if err != nil {
		return nil, err
	}
	other := "A"
	if q.Type == "A" {
		other = "AAAA"
	}
	others, err := readHosts(h, other)
	if err != nil {
		return nil, err
	}
	names := map[string]*leasedName{}
	for addr, l := range own {
		name := l.label + "." + q.Domain
		if l.subnet != q.Subnet || l.label == "" || taken[name] {
			continue
		}
		n := names[name]
		if n == nil {
			n = &leasedName{Name: name}
			names[name] = n
		}
		if l.until == 0 {
			n.Ended = append(n.Ended, addr)
			continue
		}
		n.Hosts = append(n.Hosts, addr)
		n.Until = max(n.Until, l.until)
		for addr, o := range others {
			if o.label == l.label && o.until > 0 && o.same(l) {
				n.Others = append(n.Others, addr)
			}
		}
	}
	out := []leasedName{}
	for _, n := range names {
		for _, rrtype := range []uint16{dns.TypeA, dns.TypeAAAA} {
			a, err := dnsask.Ask(ctx, h, q.Server, "", new(dns.Msg).SetQuestion(dns.Fqdn(n.Name), rrtype))
			if err != nil {
				return nil, err
			}
			if a == nil {
				return nil, fmt.Errorf("%s does not answer", q.Server)
			}
			for _, rr := range a.Answer {
				switch rr := rr.(type) {
				case *dns.A:
					n.Found = append(n.Found, rr.A.String())
				case *dns.AAAA:
					n.Found = append(n.Found, rr.AAAA.String())
				}
			}
		}
		for _, list := range []*[]string{&n.Hosts, &n.Ended, &n.Others, &n.Found} {
			slices.Sort(*list)
			*list = slices.Compact(*list)
		}
		out = append(out, *n)
	}
	slices.SortFunc(out, func(a, b leasedName) int { return cmp.Compare(a.Name, b.Name) })
	return out, nil
}

// check adds the check that the name of each lease is found, and none of a lease that ended.
func (g registrar) check(r *router.Router, p *verify.Plan) {
	z := r.ZoneHolding(string(g.domain()))
	p.UnitActive(g.Addr.String()+"/names/unit", g.From, namesUnit+".service")
	c := verify.Check{ID: g.Addr.String() + "/names", Title: "hosts with a lease are found by their names", From: g.From}
	const want = "the name of each lease"
	hint := "cat " + z.Leased()
	q := namesQuestion{recordType(g.prefix), g.subnet, string(g.domain()), z.Server, z.File}
	verify.Asked(p, c, namesOf, q, want, hint, func(st *state.State, all []leasedName) verify.Verdict {
		return verify.Compare(want, cmp.Or(wrongName(q.Type, all, st.Time), want), hint)
	})
}

// wrongName says what is wrong with a name at a time, of which there are to be records of a type.
// That another host has it is right.
func wrongName(rrtype string, all []leasedName, now int64) string {
	for _, n := range all {
		found := func(a string) bool { return slices.Contains(n.Found, a) }
		switch {
		case n.Until > now && len(n.Found) == 0:
			return n.Name + " is not found"
		case n.Until > now && slices.ContainsFunc(n.Others, found) && !slices.ContainsFunc(n.Hosts, found):
			return n.Name + " has no record of type " + rrtype
		case slices.ContainsFunc(n.Ended, found):
			return n.Name + " is found, and its lease has ended"
		}
	}
	return ""
}
