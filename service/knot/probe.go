package knot

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"regexp"
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/zclconf/go-cty/cty"

	"github.com/nbr-dev/nbr/router"
	"github.com/nbr-dev/nbr/service"
	"github.com/nbr-dev/nbr/verify"
	"github.com/nbr-dev/nbr/verify/probe"
	"github.com/nbr-dev/nbr/verify/state"
)

// running is how Knot Resolver runs: its processes, and what its manager has told them.
type running struct {
	Workers int      `json:"workers"`           // processes that answer
	Forward []string `json:"forward,omitempty"` // the servers that are asked for every name
	// Zones are the servers that are asked for a zone alone, as in "corp.example.org: 10.1.2.3".
	Zones     []string `json:"zones,omitempty"`
	Rebinding bool     `json:"rebinding"`       // private addresses from outside are refused
	Inner     []string `json:"inner,omitempty"` // the domains that may have them all the same
}

// settingsOf asks how the resolver of a systemd unit runs.
var settingsOf = &probe.Probe[string, running]{Name: "knot.settings", Look: lookSettings}

// unit is that of the manager, which starts the workers.
const unit = "knot-resolver.service"

// firstWorker is what the manager tells the first worker, in Lua; the others are told the
// same (knot_resolver/datamodel/templates).
const firstWorker = "/run/knot-resolver/kresd0.conf"

var (
	workerRE    = regexp.MustCompile(`\x00kresd\d+\.conf\x00`)
	forwardRE   = regexp.MustCompile(`(?m)^policy\.rule_forward_add\('([^']*)',\{dnssec=(true|false),auth=(true|false)\},\{(.*)\}\)$`)
	serverRE    = regexp.MustCompile(`\{'([^']+)'([^}]*)\}`)
	hostnameRE  = regexp.MustCompile(`\btls=true,hostname='([^']*)'`)
	rebindingRE = regexp.MustCompile(`(?m)^modules\.load\('rebinding\b`)
	innerRE     = regexp.MustCompile(`(?m)^policy\.add\(policy\.suffix\(policy\.FLAGS\(\{'ALLOW_LOCAL'\}\), \{(.*)\}\)\)$`)
	nameRE      = regexp.MustCompile(`todname\('([^']*)'\)`)
)

func lookSettings(_ context.Context, h probe.Host, unit string) (running, error) {
	lua, err := h.ReadFile(firstWorker)
	if err != nil {
		return running{}, err
	}
	r := parseSettings(string(lua))
	pids, err := h.ReadFile("/sys/fs/cgroup/system.slice/" + unit + "/cgroup.procs")
	if err != nil {
		return running{}, err
	}
	for _, pid := range strings.Fields(string(pids)) {
		cmdline, err := h.ReadFile("/proc/" + pid + "/cmdline")
		switch {
		case errors.Is(err, fs.ErrNotExist): // it has ended since
		case err != nil:
			return running{}, err
		case workerRE.Match(cmdline):
			r.Workers++
		}
	}
	return r, nil
}

func parseSettings(lua string) running {
	r := running{Rebinding: rebindingRE.MatchString(lua)}
	for _, forward := range forwardRE.FindAllStringSubmatch(lua, -1) {
		var servers []string
		for _, server := range serverRE.FindAllStringSubmatch(forward[4], -1) {
			s := server[1]
			if name := hostnameRE.FindStringSubmatch(server[2]); name != nil {
				s += "#" + name[1]
			}
			servers = append(servers, s)
		}
		slices.Sort(servers)
		if forward[1] == "." {
			r.Forward = append(r.Forward, servers...)
			continue
		}
		r.Zones = append(r.Zones, zoneText(strings.TrimSuffix(forward[1], "."), servers, forward[3] == "true", forward[2] == "true"))
	}
	slices.Sort(r.Zones)
	for _, inner := range innerRE.FindAllStringSubmatch(lua, -1) {
		for _, name := range nameRE.FindAllStringSubmatch(inner[1], -1) {
			r.Inner = append(r.Inner, name[1])
		}
	}
	slices.Sort(r.Forward)
	slices.Sort(r.Inner)
	return r
}

// zoneText is who is asked for a zone, and how.
func zoneText(zone string, servers []string, authoritative, dnssec bool) string {
	text := zone + ": " + strings.Join(servers, " ")
	if authoritative {
		text += ", authoritative"
	}
	if !dnssec {
		text += ", not validated"
	}
	return text
}

// checkForwarders asks for each zone, whose servers know it, the router's own among them.
func (b *Resolver) checkForwarders(r *router.Router, p *verify.Plan) {
	if b.added("forward") {
		return
	}
	for _, f := range b.Forwarders {
		for _, z := range f.Zones.Items {
			promise{
				id: f.Addr.String() + "/finds/" + string(z.V), title: "the resolver finds " + string(z.V), from: z.Range,
				query: query{Server: loopback, Name: string(z.V) + ".", Type: "SOA"}, code: "NOERROR",
			}.add(p)
		}
	}
	for _, z := range router.Claimed[router.ServesZone](r) {
		promise{
			id: b.Addr.String() + "/finds/" + string(z.Zone), title: "the resolver finds " + string(z.Zone), from: z.From,
			query: query{Server: loopback, Name: string(z.Zone) + ".", Type: "SOA"}, code: "NOERROR",
		}.add(p)
	}
}

// checkSettings adds the checks of how the resolver runs. What the user's additions say
// is left out.
func (b *Resolver) checkSettings(r *router.Router, p *verify.Plan) {
	const hint = "systemctl status " + unit + "; less " + firstWorker
	add := func(what, title string, from hcl.Range, want string, get func(running) string, additions ...string) {
		if b.Extra.Set && slices.ContainsFunc(additions, func(name string) bool { return service.Attribute(b.Extra.V.Value, name) != cty.NilVal }) {
			return
		}
		c := verify.Check{ID: b.Addr.String() + "/" + what, Title: title, From: cmp.Or(from, b.Def)}
		verify.Asked(p, c, settingsOf, unit, want, hint, func(_ *state.State, r running) verify.Verdict {
			return verify.Compare(want, get(r), hint)
		})
	}
	add("workers", "processes that answer", b.Workers.Range, fmt.Sprint(b.Workers.V), func(r running) string { return fmt.Sprint(r.Workers) }, "workers")
	var forward []string
	for _, s := range b.Forward.All() {
		forward = append(forward, s.String())
	}
	slices.Sort(forward)
	add("forward", "the servers that are asked", b.Forward.Range, verify.List(forward), func(r running) string { return verify.List(r.Forward) }, "forward")
	own := router.Claimed[router.ServesZone](r)
	if len(b.Forwarders)+len(own) > 0 {
		var zones []string
		from := b.Def
		for _, f := range slices.Backward(b.Forwarders) {
			from = f.Def
			var servers []string
			for _, s := range f.Servers.All() {
				servers = append(servers, s.String())
			}
			slices.Sort(servers)
			for _, z := range f.Zones.All() {
				zones = append(zones, zoneText(string(z), servers, f.Authoritative.V, f.DNSSEC.V))
			}
		}
		for _, z := range own {
			zones = append(zones, zoneText(string(z.Zone), []string{z.Server.String()}, true, false))
		}
		slices.Sort(zones)
		add("zones", "the servers of zones", from, strings.Join(zones, "; "), func(r running) string { return strings.Join(r.Zones, "; ") }, "forward")
	}
	inner := "nothing is refused"
	if b.Rebinding.V {
		inner = refused(b.inner(r))
	}
	add("rebinding", "private addresses from outside", cmp.Or(b.Private.Range, b.Rebinding.Range), inner, func(r running) string {
		if !r.Rebinding {
			return "nothing is refused"
		}
		return refused(r.Inner)
	}, "options", "lua")
}

func refused(inner []string) string {
	if len(inner) == 0 {
		return "all are refused"
	}
	return "refused but in " + verify.List(slices.Sorted(slices.Values(inner)))
}
