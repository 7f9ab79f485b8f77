// Package lldpd tells the machines at the other ends of the router's cables who it is, and hears who
// they are (LLDP, IEEE 802.1AB), with lldpd.
package lldpd

import (
	"fmt"
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"

	"github.com/nbr-dev/nbr/hcl/conf"
	"github.com/nbr-dev/nbr/hcl/diag"
	"github.com/nbr-dev/nbr/nixgen"
	"github.com/nbr-dev/nbr/router"
	"github.com/nbr-dev/nbr/service"
	"github.com/nbr-dev/nbr/verify/probe"
)

// Kind is the lldp block.
func Kind() service.Kind {
	return service.Kind{
		Type: "lldp", Doc: "Tells neighbours on cables who the router is, and hears who they are (LLDP).",
		Software: "lldpd",
		Example: `lldp {
  links      = [port.lan1, port.lan2]
  listen     = [port.wan]
  management = network.lan

  neighbor "switch" {
    link   = port.lan1
    system = "core-switch"
    port   = "gi24"
  }
}
`,
		Single: true, Program: service.Alone("lldp", (*LLDP).lower),
		Probes: []probe.Any{heard}, New: func() service.Block { return &LLDP{} },
	}
}

// LLDP is the lldp block.
type LLDP struct {
	conf.Header
	Links       conf.Refs[router.Link]    `hcl:"links,optional" doc:"Ports on which the router says who it is, and hears who others are."`
	Listen      conf.Refs[router.Link]    `hcl:"listen,optional" doc:"Ports on which it hears alone."`
	Management  conf.Ref[*router.Network] `hcl:"management,optional" doc:"The network at whose addresses the router is managed, which neighbours are told. Without it they are told none."`
	Description conf.Value[Text]          `hcl:"description,optional" default:"NixOS" doc:"What the router says that it is. No release of any program is told unless it is written here."`
	Interval    conf.Value[Interval]      `hcl:"interval,optional" default:"30s" doc:"How often the router says so. Neighbours forget it after four times that."`
	Neighbors   []*Neighbor               `hcl:"neighbor,block" doc:"A machine that is to be at the other end of a cable."`
}

// Neighbor is a machine that nbr verify expects.
type Neighbor struct {
	conf.Header
	Name   conf.Value[router.Name] `hcl:"name,label"`
	Link   conf.Ref[router.Link]   `hcl:"link,required" doc:"The port that leads to it, one of links or listen."`
	System conf.Value[Text]        `hcl:"system,required" doc:"The name that it says (system name)."`
	Port   conf.Value[Text]        `hcl:"port,optional" doc:"The port of it that the cable is in, by the identifier or the description that it says."`
}

// Text is what a TLV of a name or a description holds (IEEE 802.1AB-2016 section 8.5.6).
type Text string

// UnmarshalText wants 1 to 255 printable ASCII characters without those that lldpcli reads as its own.
func (t *Text) UnmarshalText(b []byte) error {
	foreign := strings.IndexFunc(string(b), func(c rune) bool { return c < ' ' || c > '~' || strings.ContainsRune("\"'\\", c) })
	if len(b) == 0 || len(b) > 255 || foreign >= 0 || strings.TrimSpace(string(b)) != string(b) {
		return diag.Advise(fmt.Errorf("%q is no text of LLDP", b), "write 1 to 255 printable ASCII characters, no quotes or backslashes, and no blanks around them")
	}
	*t = Text(b)
	return nil
}

// Describe is what the type is in the schema.
func (Text) Describe() string { return "text of at most 255 characters" }

// Interval is between two frames, in seconds.
type Interval router.Seconds

// UnmarshalText wants a duration that IEEE 802.1AB-2016 has (msgTxInterval, section 9.2.5.7).
func (i *Interval) UnmarshalText(b []byte) error {
	var s router.Seconds
	if err := s.UnmarshalText(b); err != nil {
		return err
	}
	if s > 3600 {
		return diag.Advise(fmt.Errorf("%q is longer than LLDP waits between two frames", b), "write 1h or less")
	}
	*i = Interval(s)
	return nil
}

// Describe is what the type is in the schema.
func (Interval) Describe() string { return "duration of at most 1h" }

// hold is how many intervals a neighbour remembers the router for: lldpd's default, and that of IEEE
// 802.1AB-2016 (msgTxHold, section 9.2.5.6).
const hold = 4

// ports are those of both lists.
func (b *LLDP) ports() []conf.Ref[router.Link] { return slices.Concat(b.Links.Items, b.Listen.Items) }

// Claim says that the daemon starts after the links, and that the ports are to be up.
func (b *LLDP) Claim(s *router.Scope) {
	s.AfterLinks(hcl.Range{}, unit)
	for _, p := range b.ports() {
		router.Claim(s, p.Range, router.UsesLink{Link: p.Target})
	}
}

// Judge judges the ports and the neighbours.
func (b *LLDP) Judge(r *router.Router) hcl.Diagnostics {
	if len(b.ports()) == 0 {
		return hcl.Diagnostics{diag.Help(diag.Error("lldp-nowhere", b.Def, "LLDP on no port",
			"Neither links nor listen names a port, so nothing is told or heard."), "Name ports in links.")}
	}
	var diags hcl.Diagnostics
	first := map[router.Link]hcl.Range{}
	for _, p := range b.ports() {
		if at, twice := first[p.Target]; twice {
			diags = append(diags, diag.With(diag.Help(diag.Error("lldp-twice", p.Range, "Port that is there already",
				"%s is in links and in listen.", p.Addr), "Take it out of one of them."), at, "the first time"))
			continue
		}
		first[p.Target] = p.Range
		if d := cable(p); d != nil {
			diags = append(diags, d)
		}
	}
	for _, p := range b.Links.Items {
		diags = append(diags, outside(r, p)...)
	}
	return append(diags, b.judgeNeighbors(first)...)
}

// cable refuses a link that has no cable: neighbours are at the ends of cables, and a bridge passes
// no frame of theirs (IEEE 802.1AB-2016 section 7.1).
func cable(p conf.Ref[router.Link]) *hcl.Diagnostic {
	if p.Target.Spec().Cable {
		return nil
	}
	help := "Name ports of the board."
	var below []string
	for _, l := range router.Below(p.Target) {
		for _, ref := range l.Spec().Ports.Items {
			below = append(below, ref.Addr.String())
		}
		if l != p.Target && l.Spec().Hardware() {
			below = append(below, l.Head().Addr.String())
		}
	}
	if len(below) > 0 {
		help = "Name what is below it: " + strings.Join(below, ", ") + "."
	}
	return diag.Help(diag.Error("lldp-without-cable", p.Range, "LLDP on a link without a cable",
		"%s is no port that a cable leads from to a neighbour.", p.Addr), "%s", help)
}

// outside warns of a port whose other end is the provider's.
func outside(r *router.Router, p conf.Ref[router.Link]) hcl.Diagnostics {
	for _, n := range r.Networks {
		if !n.Upstream() || !slices.ContainsFunc(router.Below(n.Link.Target), func(l router.Link) bool {
			return l == p.Target || slices.ContainsFunc(l.Spec().Ports.Items, func(of conf.Ref[router.Link]) bool { return of.Target == p.Target })
		}) {
			continue
		}
		return hcl.Diagnostics{router.OnUpstream(diag.Help(diag.Warning("lldp-outside", p.Range, "Provider that is told who the router is",
			"%s carries %s, which leads to the Internet: its name and what it is are told there.", p.Addr, n.Addr),
			"Put it into listen."), n)}
	}
	return nil
}

// judgeNeighbors wants a port that is listened on, and each neighbour once.
func (b *LLDP) judgeNeighbors(ports map[router.Link]hcl.Range) hcl.Diagnostics {
	var diags hcl.Diagnostics
	type end struct {
		link         router.Link
		system, port Text
	}
	first := map[end]*Neighbor{}
	for _, n := range b.Neighbors {
		e := end{n.Link.Target, n.System.V, n.Port.V}
		switch before := first[e]; {
		case ports[n.Link.Target] == hcl.Range{}:
			diags = append(diags, diag.Help(diag.Error("lldp-unheard", n.Link.Range, "Neighbour on a port that is not listened on",
				"%s is neither in links nor in listen, so nothing is heard of the neighbour.", n.Link.Addr), "Add it to one of them."))
		case before != nil:
			diags = append(diags, diag.With(diag.Help(diag.Error("lldp-neighbor-twice", n.Def, "Neighbour that is there already",
				"%q is expected on %s already.", string(n.System.V), n.Link.Addr), "Remove one of the two."), before.Def, "the first time"))
		}
		first[e] = n
	}
	return diags
}

const unit = "lldpd"

// lower sets services.lldpd. Until lldpd has read the file it tells nothing. Without -O it reads
// lldpd.d of its own package, which on NixOS is in the store.
func (b *LLDP) lower(r *router.Router, m *nixgen.Module) {
	from := service.From(b)
	m.Set(from, nixgen.Bool(true), "services", "lldpd", "enable")
	file := nixgen.Apply("pkgs.writeText", nixgen.Str("lldpd.conf"), nixgen.Lines(b.text(r)))
	m.Set(from, nixgen.List{nixgen.Str("-O"), nixgen.Concat{file}}, "services", "lldpd", "extraArgs")
}

// text is the configuration. A port that comes anew has what all of them have, so that is to hear
// alone.
func (b *LLDP) text(r *router.Router) string {
	var out strings.Builder
	line := func(format string, args ...any) { fmt.Fprintf(&out, "configure "+format+"\n", args...) }
	names := func(links []conf.Ref[router.Link]) string {
		var all []string
		for _, l := range links {
			all = append(all, string(l.Target.LinkName()))
		}
		return strings.Join(all, ",")
	}
	line("system hostname %s", r.System.Name.V)
	line(`system description "%s"`, b.Description.V)
	management := "!*"
	if b.Management.Target != nil {
		management = string(b.Management.Target.Device())
	}
	line("system ip management pattern %s", management)
	line("lldp tx-interval %d", b.Interval.V)
	line("lldp status rx-only")
	line("system interface pattern %s", names(b.ports()))
	if len(b.Links.Items) > 0 {
		line("ports %s lldp status rx-and-tx", names(b.Links.Items))
	}
	return out.String()
}
