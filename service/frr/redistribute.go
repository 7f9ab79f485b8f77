package frr

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"

	"github.com/nbr-dev/nbr/hcl/conf"
	"github.com/nbr-dev/nbr/hcl/diag"
	"github.com/nbr-dev/nbr/router"
	"github.com/nbr-dev/nbr/verify"
	"github.com/nbr-dev/nbr/verify/probe"
	"github.com/nbr-dev/nbr/verify/state"
)

// A Redistribution is what a protocol tells its neighbours of routes that the router has from elsewhere.
type Redistribution struct {
	conf.Header
	From     conf.Value[Source]     `hcl:"from,label"`
	Prefixes conf.Ref[*PrefixList]  `hcl:"prefixes,required" doc:"Which of these routes are told: all of them would be what another protocol says of the Internet, or what came from here and goes back."`
	Metric   conf.Value[TellMetric] `hcl:"metric,optional" doc:"How far the destinations are, as the neighbours are told. RIP's greatest is 15. Without it as the protocol has it: 20 for OSPF, 1 for RIP, and the metric of the other protocol for BGP."`
}

// A Source is where the router has routes from.
type Source string

// UnmarshalText wants one of the protocols of this package, or static.
func (s *Source) UnmarshalText(b []byte) error {
	return conf.OneOf(s, b, "source of routes", "static", "bgp", "ospf", "rip")
}

// Describe is what the type is in the schema.
func (Source) Describe() string { return "static, bgp, ospf or rip" }

// TellMetric is a metric of OSPF or RIP, or a multi-exit discriminator of BGP.
type TellMetric int

// UnmarshalText wants what all three take but for RIP, whose greatest is 15 (RFC 2453 section 3.4).
func (m *TellMetric) UnmarshalText(b []byte) error {
	return conf.Between(m, b, "metric", 1, 16777214, "")
}

// Describe is what the type is in the schema.
func (TellMetric) Describe() string { return "metric, 1 to 16777214" }

// speaks is a claim of a protocol that the router has routes by.
type speaks struct {
	router.By
	protocol Source
}

// name is that of the route map by which a protocol takes routes. No label has a colon in it.
func (d *Redistribution) name(into Source) string { return fmt.Sprintf("%s:%s", into, d.From.V) }

// permitted are the spec's own routes that the list permits; of other sources none is known.
func (d *Redistribution) permitted(r *router.Router, v6 bool) (out []*router.Route) {
	for _, rt := range r.Routes {
		p := rt.To.V.Prefix
		if d.From.V == "static" && !rt.Table.Set && p.Bits() > 0 && p.Addr().Is6() == v6 && d.Prefixes.Target.permits(p) {
			out = append(out, rt)
		}
	}
	return out
}

// of are the destinations of these routes.
func (d *Redistribution) of(r *router.Router, v6 bool) (out []netip.Prefix) {
	for _, rt := range d.permitted(r, v6) {
		if p := rt.To.V.Prefix; !slices.Contains(out, p) {
			out = append(out, p)
		}
	}
	return out
}

// judgeRedistributed finds routes that are not there, or that are the protocol's own.
func judgeRedistributed(r *router.Router, into Source, list []*Redistribution) hcl.Diagnostics {
	var diags hcl.Diagnostics
	for _, d := range list {
		from := d.From.V
		there := slices.ContainsFunc(router.Claimed[speaks](r), func(s *speaks) bool { return s.protocol == from })
		switch {
		case from == into:
			diags = append(diags, diag.Help(diag.Error("redistributes-itself", d.Def, "Routes of the protocol itself",
				"The neighbours are told what %s knows from others without this block.", into),
				"Remove it, or name another source."))
		case from != "static" && !there:
			diags = append(diags, diag.Absent(diag.Help(diag.Error("redistributes-nothing", d.Def, "Routes of a protocol that is not spoken",
				"There is no %s block, so there are no routes of %[1]s to tell.", from),
				"Write a %s block, or remove this one.", from), string(from)))
		case from == "static" && len(d.versions(r, into)) == 0 && len(d.permitted(r, true)) > 0:
			diags = append(diags, diag.With(diag.Absent(diag.Help(diag.Error("redistributes-nothing", d.Def, "Routes of IPv6 in a protocol of IPv4",
				"Of the route blocks %s permits those of IPv6 only, and %s tells routes of IPv4.", d.Prefixes.Addr, strings.ToUpper(string(into))),
				"Permit a route of IPv4 in the list, tell this one by BGP, or remove the block."), "route"), d.permitted(r, true)[0].To.Range, "%s", d.permitted(r, true)[0].Addr.String()))
		case from == "static" && len(d.versions(r, into)) == 0:
			diags = append(diags, diag.With(diag.Absent(diag.Help(diag.Error("redistributes-nothing", d.Def, "No route to tell",
				"%s permits no destination of a route block without a table, but for default routes.", d.Prefixes.Addr),
				"Permit one in the list, write a route, or remove the block."), "route"), d.Prefixes.Target.Def, "the list"))
		}
		if into == "rip" && d.Metric.V > 15 {
			diags = append(diags, diag.Help(diag.Error("bad-value", d.Metric.Range, "Metric beyond RIP",
				"To RIP %d is out of reach: 16 is infinite.", d.Metric.V),
				"Write 1 to 15."))
		}
	}
	return diags
}

// word is FRR's for routes that another program has put into the kernel, as IfState does.
func (s Source) word() string {
	if s == "static" {
		return "kernel"
	}
	return string(s)
}

// versions are those of IP that a protocol takes from a source.
func (d *Redistribution) versions(r *router.Router, into Source) (out []bool) {
	for _, v6 := range []bool{false, true} {
		if d.From.V == "static" && len(d.of(r, v6)) > 0 && (into == "bgp" || !v6) || d.From.V != "static" && !v6 {
			out = append(out, v6)
		}
	}
	return out
}

// maps says the route maps of a protocol. Of the kernel's routes only those of the spec are told: others are
// a lease's, or of a program that the spec does not know.
func (d *Redistribution) maps(r *router.Router, into Source, say func(string, ...any)) {
	for i, v6 := range d.versions(r, into) {
		list := d.list(into)
		if d.From.V == "static" {
			sayList(say, list, v6, d.rules(r, v6))
			say("!")
		}
		say("route-map %s permit %d", d.name(into), 10*(i+1))
		say(" match %s address prefix-list %s", word(v6), list)
		if d.Metric.Set {
			say(" set metric %d", d.Metric.V)
		}
		say("exit")
		say("!")
	}
}

// rules are those of the prefix list that decides, for one version of IP.
func (d *Redistribution) rules(r *router.Router, v6 bool) (out []string) {
	if d.From.V != "static" {
		return d.Prefixes.Target.rules(v6)
	}
	for _, p := range d.of(r, v6) {
		out = append(out, "permit "+p.String())
	}
	return append(out, "deny any")
}

// list is the name of the prefix list that decides.
func (d *Redistribution) list(into Source) string {
	if d.From.V == "static" {
		return d.name(into)
	}
	return d.Prefixes.Target.name()
}

// line is what the protocol is told.
func (d *Redistribution) line(into Source) string {
	return fmt.Sprintf("redistribute %s route-map %s", d.From.V.word(), d.name(into))
}

// checkRedistributed adds the checks that a daemon takes the routes, and by which map.
func checkRedistributed(r *router.Router, p *verify.Plan, daemon string, into Source, list []*Redistribution) {
	for _, d := range list {
		add := func(what, title, section, prefix string, from hcl.Range, want ...string) {
			q := linesQuestion{Daemon: daemon, Section: section, Prefix: prefix}
			text := strings.Join(want, ", ")
			hint := "vtysh -c 'show running-config'"
			verify.Asked(p, verify.Check{ID: d.Addr.String() + "/" + what, Title: title, From: from}, linesOf, q, text, hint, func(_ *state.State, s linesAnswer) verify.Verdict {
				if !s.Running {
					return verify.Judge(false, text, daemon+" does not run", "systemctl status frr")
				}
				if len(s.Lines) == 0 {
					return verify.Judge(false, text, "no such line", hint)
				}
				return verify.Compare(text, strings.Join(s.Lines, ", "), hint)
			})
		}
		section := "router " + string(into)
		var told, match, metric []string
		for _, v6 := range d.versions(r, into) {
			told = append(told, d.line(into)) // once for each version of IP
			match = append(match, fmt.Sprintf("match %s address prefix-list %s", word(v6), d.list(into)))
			if d.Metric.Set {
				metric = append(metric, fmt.Sprintf("set metric %d", d.Metric.V))
			}
		}
		add("told", fmt.Sprintf("%s tells routes of %s", into, d.From.V), section, "redistribute "+d.From.V.word()+" ", d.Def, told...)
		add("prefixes", fmt.Sprintf("which routes of %s %s tells", d.From.V, into), "route-map "+d.name(into), "match ", d.Prefixes.Range, match...)
		for _, v6 := range d.versions(r, into) {
			checkList(p, verify.Check{
				ID:    d.Addr.String() + "/list/" + family(v6),
				Title: fmt.Sprintf("%s has the list of %s for routes of %s", daemon, family(v6), d.From.V),
				From:  d.Prefixes.Range,
			}, listQuestion{daemon, d.list(into), v6}, d.rules(r, v6))
		}
		if d.Metric.Set {
			add("metric", fmt.Sprintf("the metric of routes of %s in %s", d.From.V, into), "route-map "+d.name(into), "set metric ", d.Metric.Range, metric...)
		}
	}
}

// A linesQuestion is for the lines of a daemon's configuration in a section that begin with words. None with
// a secret is asked for.
type linesQuestion struct {
	Daemon  string `json:"daemon"`
	Section string `json:"section"`
	Prefix  string `json:"prefix"`
}

// A linesAnswer has them.
type linesAnswer struct {
	Running bool     `json:"running"`
	Lines   []string `json:"lines,omitempty"`
}

// linesOf asks the daemon, or mgmtd, which has the configuration of some.
var linesOf = &probe.Probe[linesQuestion, linesAnswer]{Name: "frr.lines", Look: func(ctx context.Context, h probe.Host, q linesQuestion) (linesAnswer, error) {
	lines, running, err := configured(ctx, h, q.Daemon, q.Section+" ", q.Prefix)
	if err == nil && running && len(lines) == 0 {
		lines, running, err = configured(ctx, h, "mgmtd", q.Section+" ", q.Prefix)
		if err == nil && !running {
			err = errors.New("mgmtd does not run") // so what it would say is not known
		}
		lines = slices.Compact(lines) // it writes route maps once for each daemon that has them
	}
	return linesAnswer{running, lines}, err
}}
