package radvd

import (
	_ "embed"
	"fmt"
	"slices"
	"strings"

	"github.com/nbr-dev/nbr/nixgen"
	"github.com/nbr-dev/nbr/router"
	"github.com/nbr-dev/nbr/service"
	"github.com/nbr-dev/nbr/verify"
)

// daemon is radvd, which all router_advert blocks share.
type daemon struct{}

func (daemon) File() string { return "router-advert" }

// confFile is where radvd reads its configuration. NixOS's module has it at a path of the
// store, which is another one after each change: then radvd would have to be stopped, and
// its last word takes the default route of every host.
const confFile = "/etc/radvd.conf"

// Some of what is advertised changes while the router runs: whether it has a default route, and
// which prefix it had before the present one. A unit writes that into a copy of what the spec says,
// which radvd reads in its place. radvd's own unit is the same with it and without, so that a spec
// that changes it stops nothing.
const (
	currentUnit = "nbr-advertisements"
	currentFile = "/run/" + currentUnit + "/radvd.conf"
	declared    = "/etc/nbr/radvd.conf"
)

//go:embed advertise.sh
var currentScript string

// Lower sets services.radvd, and has systemd reload radvd when its configuration changes.
func (daemon) Lower(r *router.Router, blocks []service.Block, m *nixgen.Module) {
	none := nixgen.Origin{}
	m.Set(none, nixgen.Bool(true), "services", "radvd", "enable")
	config := nixgen.List{}
	for _, a := range service.Of[*Advert](blocks) {
		config = append(config, nixgen.At{From: service.From(a), Expr: nixgen.Lines(a.section(r))})
	}
	m.Set(none, nixgen.Call{Fn: nixgen.Var("lib.mkMerge"), Args: []nixgen.Expr{config}}, "services", "radvd", "config")

	all := nixgen.Var("config.services.radvd.config")
	etc := func(v nixgen.Expr, file, how string) {
		m.Set(none, v, "environment", "etc", strings.TrimPrefix(file, "/etc/"), how)
	}
	unit := func(v nixgen.Expr, path ...string) {
		m.Set(none, v, append([]string{"systemd", "services", "radvd"}, path...)...)
	}
	if changing := changing(r, blocks); len(changing) > 0 {
		etc(all, declared, "text")
		etc(nixgen.Str(currentFile), confFile, "source")
		lowerCurrent(changing, r, all, m)
	} else {
		etc(all, confFile, "text")
		unit(nixgen.List{all}, "reloadTriggers")
	}
	radvd := func(args ...nixgen.Expr) nixgen.Concat {
		return append(nixgen.Concat{nixgen.Var("config.services.radvd.package"), nixgen.Str("/bin/radvd")}, args...)
	}
	// radvd ends if it cannot read what it is to read anew.
	unit(nixgen.List{
		radvd(nixgen.Str(" -c -C " + confFile)),
		nixgen.Concat{nixgen.Var("pkgs.coreutils"), nixgen.Str("/bin/kill -HUP $MAINPID")},
	}, "serviceConfig", "ExecReload")
	level := nixgen.Call{Fn: nixgen.Var("toString"), Args: []nixgen.Expr{nixgen.Var("config.services.radvd.debugLevel")}}
	start := radvd(nixgen.Str(" -n -u radvd -d "), level, nixgen.Str(" -C "+confFile))
	unit(nixgen.Call{Fn: nixgen.Var("lib.mkForce"), Args: []nixgen.Expr{start}}, "serviceConfig", "ExecStart")
}

// changing are the blocks of whose advertisements something changes while the router runs.
func changing(r *router.Router, blocks []service.Block) []*Advert {
	return slices.DeleteFunc(service.Of[*Advert](blocks), func(a *Advert) bool {
		_, delegated := a.delegated()
		return !delegated && !a.learnt(r)
	})
}

// lowerCurrent makes the unit that keeps radvd's configuration true.
func lowerCurrent(as []*Advert, r *router.Router, config nixgen.Expr, m *nixgen.Module) {
	set := service.OnNews(m, service.From(as[0]), currentUnit, "What router advertisements say at present", currentText(as, r))
	set(nixgen.List{config}, "restartTriggers")
	set(nixgen.List{nixgen.Str("radvd.service")}, "before")
	m.Add(service.From(as[0]), []string{"systemd", "services", currentUnit, "wantedBy"}, nixgen.Str("radvd.service"))
	set(nixgen.Str(currentUnit), "serviceConfig", "StateDirectory")
	set(nixgen.Str(currentUnit), "serviceConfig", "RuntimeDirectory")
	set(nixgen.Str("yes"), "serviceConfig", "RuntimeDirectoryPreserve") // radvd reads it again
}

// currentText is the script of the unit. What is in it are numbers and names of interfaces, which
// no shell has to quote.
func currentText(as []*Advert, r *router.Router) string {
	var b strings.Builder
	fmt.Fprintf(&b, "news='link address route' spec=%s run=/run/%[2]s state=/var/lib/%[2]s\n", declared, currentUnit)
	b.WriteString("declare -A valid autonomous learnt\n")
	for _, a := range as {
		if _, ok := a.delegated(); ok {
			fmt.Fprintf(&b, "valid[%[1]s]=%[2]d autonomous[%[1]s]=%[3]s\n", a.device(), a.Valid.V, verify.OnOff(a.Autonomous.V))
		}
		if a.learnt(r) {
			fmt.Fprintf(&b, "learnt[%s]=1\n", a.device())
		}
	}
	return b.String() + currentScript
}

// Checks looks at the units: each block asks for its own advertisement.
func (daemon) Checks(r *router.Router, blocks []service.Block, p *verify.Plan) {
	p.UnitActive(blocks[0].Head().Addr.String()+"/unit", blocks[0].Head().Def, "radvd.service")
	if as := changing(r, blocks); len(as) > 0 {
		p.UnitActive(as[0].Addr.String()+"/current", as[0].Def, currentUnit+".service")
	}
}

// section is the network's part of radvd.conf(5). Whatever the checks look at is written
// out, so that no default of a release of radvd decides.
func (a *Advert) section(r *router.Router) string {
	var b strings.Builder
	line := func(depth int, format string, args ...any) {
		fmt.Fprintf(&b, strings.Repeat("  ", depth)+format+"\n", args...)
	}
	line(0, "interface %s {", a.device())
	line(1, "AdvSendAdvert on;")
	line(1, "IgnoreIfMissing on;") // it may come later, as a tunnel does
	line(1, "MaxRtrAdvInterval %d;", a.Interval.V)
	line(1, "MinRtrAdvInterval %d;", max(3, a.Interval.V/3)) // RFC 4861 section 6.2.1
	line(1, "AdvDefaultLifetime %d;", a.lifetime())
	line(1, "AdvDefaultPreference %s;", a.Preference.V)
	managed, other := a.flags(r)
	line(1, "AdvManagedFlag %s;", verify.OnOff(managed))
	line(1, "AdvOtherConfigFlag %s;", verify.OnOff(other))
	if a.MTU.Set {
		line(1, "AdvLinkMTU %d;", a.MTU.V)
	}
	for _, to := range a.sites(r) {
		line(1, "route %s {", to)
		line(2, "AdvRouteLifetime %d;", a.lifetime())
		line(1, "};")
	}
	advertise := func(prefix string) {
		line(1, "prefix %s {", prefix)
		line(2, "AdvOnLink on;")
		line(2, "AdvAutonomous %s;", verify.OnOff(a.Autonomous.V))
		line(2, "AdvValidLifetime %d;", a.Valid.V)
		line(2, "AdvPreferredLifetime %d;", a.Preferred.V)
		line(1, "};")
	}
	fixed := a.prefix()
	if fixed.IsValid() {
		advertise(fixed.Masked().String())
	}
	if _, ok := a.delegated(); ok {
		var others []string // fixed ones, which would be advertised a second time, or without a word of the spec
		for _, n := range r.On(a.Network.Target.Link.Target) {
			if p, ok := n.FixedIn(router.IPv6); ok {
				others = append(others, p.Masked().String())
			}
		}
		if len(others) > 0 {
			line(1, "AutoIgnorePrefixes {")
			for _, p := range others {
				line(2, "%s;", p)
			}
			line(1, "};")
		}
		advertise("::/64") // of all other addresses of the link
	}
	list := func(what string, values []string) {
		line(1, "%s %s {", what, strings.Join(values, " "))
		line(2, "Adv%sLifetime %d;", what, a.lifetimeDNS())
		line(1, "};")
	}
	for some := range slices.Chunk(texts(a.servers(r)), mostServers) {
		list("RDNSS", some)
	}
	var domains []string
	for _, d := range a.domains() {
		domains = append(domains, string(d.V))
	}
	if len(domains) > 0 {
		list("DNSSL", domains)
	}
	if p, ok := a.pref64(r); ok {
		line(1, "nat64prefix %s {", p)
		line(2, "AdvValidLifetime %d;", a.lifetimePREF64())
		line(1, "};")
	}
	line(0, "};")
	return b.String()
}

// mostServers is how many addresses radvd reads in one section (rdnssaddr in gram.y).
const mostServers = 3

func texts[T fmt.Stringer](in []T) []string {
	var out []string
	for _, v := range in {
		out = append(out, v.String())
	}
	return out
}
