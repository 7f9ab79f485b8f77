package kea

import (
	"cmp"
	"context"
	_ "embed"
	"errors"
	"fmt"
	"io/fs"
	"net/netip"
	"regexp"
	"slices"
	"strconv"
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

// domain is where the names of the network's hosts are.
func (d *DHCP4) domain() router.ZoneName {
	return router.ZoneName(strings.ToLower(string(d.Network.Target.Domain.V)))
}

// judgeNames finds names that would be in no zone.
func (d *DHCP4) judgeNames(r *router.Router) hcl.Diagnostics {
	if !d.Register.V {
		return nil
	}
	n := d.Network.Target
	if !n.Domain.Set {
		return hcl.Diagnostics{diag.With(diag.Help(diag.Error("names-without-zone", d.Register.Range, "Names of leases without a domain",
			"%s has no domain for the names of its hosts to be in.", n.Addr), "Write domain = \"home.arpa\" into the network, and a dns_zone block with it."), n.Def, "%s", n.Addr.String())}
	}
	switch z := r.ZoneHolding(string(d.domain())); {
	case z == nil && !r.Unsound["dns_zone"]:
		return hcl.Diagnostics{diag.With(diag.Help(diag.Error("names-without-zone", d.Register.Range, "Names of leases without a zone",
			"No dns_zone has the names in %s, and a resolver is told of none while it runs.", d.domain()),
			"Write a dns_zone block with domain = %q, and one with reverse = %q for the way back.", d.domain(), d.prefix().Masked()), n.Domain.Range, "%s", n.Addr.String())}
	case z != nil && z.Reload == "":
		return hcl.Diagnostics{diag.With(diag.Help(diag.Error("names-without-zone", d.Register.Range, "Names of leases in another server's zone",
			"%s is what its primaries say, so no name can be added here.", z.Addr),
			"Give the network a domain of this router, or remove register_names."), z.From, "%s", z.Addr.String())}
	}
	return nil
}

// lowerNames makes the unit that writes the names.
func lowerNames(r *router.Router, all []*DHCP4, m *nixgen.Module) {
	zones := r.LeaseZones()
	i := slices.IndexFunc(all, func(d *DHCP4) bool { return d.Register.V })
	if i < 0 || len(zones) == 0 {
		return
	}
	from := service.Origin(all[i].Addr, all[i].Register.Range)
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
func namesText(zones []*router.ServesZone, all []*DHCP4) string {
	var names, files, subnets []string
	var reload strings.Builder
	for _, z := range zones {
		names, files = append(names, string(z.Zone)), append(files, z.File)
		fmt.Fprintf(&reload, "  %s) %s ;;\n", z.Zone, z.Reload)
	}
	for _, d := range all {
		if d.Register.V {
			subnets = append(subnets, fmt.Sprintf("%d=%s", d.subnetID(), d.domain()))
		}
	}
	return fmt.Sprintf("zones='%s'\nfiles='%s'\nsubnets='%s'\nspecial='%s'\nreload() {\n  case $1 in\n%s  esac\n}\n%s",
		strings.Join(names, " "), strings.Join(files, " "), strings.Join(subnets, " "), strings.Join(special, " "), reload.String(), namesScript)
}

// A namesQuestion is a subnet of Kea's whose hosts have names.
type namesQuestion struct {
	Subnet int        `json:"subnet"`
	Domain string     `json:"domain"`
	Server netip.Addr `json:"server"` // which has the zone
}

// A leasedName is a name that a host with a lease says, and what the server has for it.
type leasedName struct {
	Name  string   `json:"name"`
	Hosts []string `json:"hosts"` // the addresses of the leases in force
	Until int64    `json:"until"` // when the last of them ends, Unix time
	Ended []string `json:"ended,omitempty"`
	Found []string `json:"found"` // the addresses that the server has
}

// namesOf asks for the name of each lease.
var namesOf = &probe.Probe[namesQuestion, []leasedName]{Name: "kea.names", Active: true, Look: lookNames}

var hostLabel = regexp.MustCompile(`^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$`)

// special are names by which hosts look for who configures them; names.sh gives them to none.
var special = []string{"wpad", "isatap", "autodiscover", "autoconfig", "localhost"}

// settles is how long a name may take from a lease to the zone.
const settles = 8 * time.Second

func lookNames(ctx context.Context, h probe.Host, q namesQuestion) ([]leasedName, error) {
	for until := time.Now().Add(settles); ; {
		all, err := readNames(ctx, h, q)
		if err != nil || wrongName(all, 0) == "" || time.Now().After(until) {
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
	last := map[string][]string{} // by address
	var column map[string]int
	for i, suffix := range []string{".completed", ".2", ".1", ""} {
		b, err := h.ReadFile("/var/lib/kea/dhcp4.leases" + suffix)
		if errors.Is(err, fs.ErrNotExist) && i < 3 {
			continue
		}
		if err != nil {
			return nil, err
		}
		head, rows, _ := strings.Cut(string(b), "\n")
		column = map[string]int{}
		for i, name := range strings.Split(head, ",") {
			column[name] = i
		}
		for row := range strings.Lines(rows) {
			if f := strings.Split(strings.TrimSuffix(row, "\n"), ","); len(f) >= len(column) {
				last[f[0]] = f
			}
		}
	}
	names := map[string]*leasedName{}
	for addr, f := range last {
		label, _, _ := strings.Cut(strings.ToLower(f[column["hostname"]]), ".")
		if f[column["subnet_id"]] != strconv.Itoa(q.Subnet) || !hostLabel.MatchString(label) || slices.Contains(special, label) {
			continue
		}
		n := names[label]
		if n == nil {
			n = &leasedName{Name: label + "." + q.Domain}
			names[label] = n
		}
		if f[column["state"]] == "0" && f[column["valid_lifetime"]] != "0" {
			n.Hosts = append(n.Hosts, addr)
			end, _ := strconv.ParseInt(f[column["expire"]], 10, 64)
			n.Until = max(n.Until, end)
		} else {
			n.Ended = append(n.Ended, addr)
		}
	}
	out := []leasedName{}
	for _, n := range names {
		m := new(dns.Msg).SetQuestion(dns.Fqdn(n.Name), dns.TypeA)
		a, err := dnsask.Ask(ctx, h, q.Server, "", m)
		if err != nil {
			return nil, err
		}
		if a == nil {
			return nil, fmt.Errorf("%s does not answer", q.Server)
		}
		for _, rr := range a.Answer {
			if rr, ok := rr.(*dns.A); ok {
				n.Found = append(n.Found, rr.A.String())
			}
		}
		slices.Sort(n.Hosts)
		slices.Sort(n.Ended)
		slices.Sort(n.Found)
		out = append(out, *n)
	}
	slices.SortFunc(out, func(a, b leasedName) int { return cmp.Compare(a.Name, b.Name) })
	return out, nil
}

// checkNames adds the check that the name of each lease is found, and none of a lease that ended.
func (d *DHCP4) checkNames(r *router.Router, p *verify.Plan) {
	if !d.Register.V {
		return
	}
	z := r.ZoneHolding(string(d.domain()))
	p.UnitActive(d.Addr.String()+"/names/unit", d.Register.Range, namesUnit+".service")
	c := verify.Check{ID: d.Addr.String() + "/names", Title: "hosts with a lease are found by their names", From: d.Register.Range}
	const want = "the name of each lease"
	hint := "cat " + z.Leased()
	verify.Asked(p, c, namesOf, namesQuestion{d.subnetID(), string(d.domain()), z.Server}, want, hint, func(st *state.State, all []leasedName) verify.Verdict {
		return verify.Compare(want, cmp.Or(wrongName(all, st.Time), want), hint)
	})
}

// wrongName says what is wrong with a name at a time.
func wrongName(all []leasedName, now int64) string {
	for _, n := range all {
		held := func(a string) bool { return slices.Contains(n.Found, a) }
		switch {
		case n.Until > now && len(n.Found) == 0:
			return n.Name + " is not found"
		case slices.ContainsFunc(n.Ended, held):
			return n.Name + " is found, and its lease has ended"
		}
	}
	return ""
}
