// Package chrony keeps the router's clock right (NTP, RFC 5905) and serves time
// to the networks that ask for it, with chrony.
package chrony

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"

	"github.com/nbr-dev/nbr/hcl/conf"
	"github.com/nbr-dev/nbr/hcl/diag"
	"github.com/nbr-dev/nbr/nixgen"
	"github.com/nbr-dev/nbr/router"
	"github.com/nbr-dev/nbr/service"
	"github.com/nbr-dev/nbr/verify"
	"github.com/nbr-dev/nbr/verify/probe"
	"github.com/nbr-dev/nbr/verify/state"
)

// Kind is the time block. It is there without being written: without the time
// neither DNSSEC nor TLS works, and most boards have no clock of their own.
func Kind() service.Kind {
	return service.Kind{
		Type: "time", Doc: "The router's clock, and time for the networks.",
		Software: "chrony",
		Example: `time {
  servers = ["ptbtime1.ptb.de", "ptbtime2.ptb.de"]
}
`,
		Single: true, Implicit: true, Program: service.Alone("time", (*Time).lower),
		Probes: []probe.Any{timeOf, sourcesOf}, New: func() service.Block { return &Time{} },
	}
}

// Time is the time block.
type Time struct {
	conf.Header
	Servers  conf.List[Server]          `hcl:"servers,optional" empty:"error: no server would be asked for the time. Name one, or remove the list to ask NixOS's pool." doc:"NTP servers. Without it NixOS's pool."`
	NTS      conf.Value[bool]           `hcl:"nts,optional" default:"false" doc:"Ask the servers for authenticated time (NTS, RFC 8915). On a board without clock_battery the first answer after a boot is taken whatever the dates of the server's certificate."`
	Networks conf.Refs[*router.Network] `hcl:"networks,optional" doc:"The networks that get time from the router."`
}

// Server is a host name or an address.
type Server string

// UnmarshalText wants a domain name or an IP address.
func (s *Server) UnmarshalText(b []byte) error {
	var d router.Domain
	var a router.Addr
	if d.UnmarshalText(b) != nil && a.UnmarshalText(b) != nil {
		return fmt.Errorf("%q is neither a host name nor an address", b)
	}
	*s = Server(b)
	return nil
}

// Describe is what the type is in the schema.
func (Server) Describe() string { return "host name or address" }

// Claim claims the server's socket, and says which servers are asked.
func (t *Time) Claim(s *router.Scope) {
	for _, h := range t.hosts() {
		router.Claim(s, h.Range, router.ResolveUnsigned{Host: string(h.V)})
		router.Claim(s, h.Range, router.Asks{Packets: t.packets()})
	}
	for _, a := range t.addresses() {
		router.Claim(s, a.Range, router.Asks{Server: a.V.Addr, Packets: t.packets()})
	}
	if len(t.Networks.Items) > 0 {
		s.Listen(t.Networks.Range, router.Listen{Service: "ntp", Protocol: router.UDP, Port: 123, Networks: t.Networks.All(), Unit: "chronyd"})
	}
}

// packets are what a server is sent: of NTS first to where keys are agreed on (RFC 8915 section 4).
func (t *Time) packets() []router.Packets {
	out := []router.Packets{{Protocol: router.UDP, Ports: router.OnePort(123)}}
	if t.NTS.V {
		out = append(out, router.Packets{Protocol: router.TCP, Ports: router.OnePort(4460)})
	}
	return out
}

// Judge refuses to serve an upstream, NTS without servers that speak it, and a clock that is
// set by itself.
func (t *Time) Judge(r *router.Router) hcl.Diagnostics {
	diags := router.JudgeServed(t.Networks, "Only the addresses of the networks may ask for the time.", func(n conf.Ref[*router.Network]) *hcl.Diagnostic {
		return diag.Help(diag.Error("open-time-server", n.Range, "Time server open to the Internet",
			"%s is an upstream. A time server that answers there is a weapon for others (RFC 8633 section 5.1).", n.Addr),
			"Take it out of networks.")
	})
	for _, a := range t.addresses() {
		if d := r.Own(a, "A clock cannot be set by itself.", "Name another server, or remove this one."); d != nil {
			diags = append(diags, d)
		}
	}
	for _, h := range t.hosts() {
		if slices.Contains(append(r.OwnNames(), "localhost"), strings.ToLower(strings.TrimSuffix(string(h.V), "."))) {
			diags = append(diags, diag.With(diag.Help(diag.Error("asks-itself", h.Range, "Server is the router itself",
				"%s is a name of the router itself. A clock cannot be set by itself.", h.V),
				"Name another server, or remove this one."), r.System.Def, "%s", r.System.Addr.String()))
		}
	}
	if t.NTS.V && !t.Servers.Set {
		diags = append(diags, diag.Help(diag.Error("nts-without-servers", t.NTS.Range, "NTS needs servers that speak it",
			"The servers of NixOS's pool do not."),
			"Name servers that do, as in servers = [\"time.cloudflare.com\"]."))
	}
	return diags
}

// The clock is stepped when it is more than threshold seconds off, in the first updates
// only: after that a server must not make it jump.
const (
	threshold = 1.0
	steps     = 3
)

// pool is where NixOS gets the time by default
// (networking.timeServers).
const pool = "nixos.pool.ntp.org"

// hosts are the servers that are known by name.
func (t *Time) hosts() []conf.Value[Server] {
	if !t.Servers.Set {
		return []conf.Value[Server]{{V: pool, Range: t.Def}}
	}
	return slices.DeleteFunc(slices.Clone(t.Servers.Items), func(s conf.Value[Server]) bool {
		_, err := netip.ParseAddr(string(s.V))
		return err == nil
	})
}

// addresses are the servers that are named by their addresses.
func (t *Time) addresses() []conf.Value[router.Addr] {
	var out []conf.Value[router.Addr]
	for _, s := range t.Servers.Items {
		if a, err := netip.ParseAddr(string(s.V)); err == nil {
			out = append(out, conf.Value[router.Addr]{V: router.Addr{Addr: a}, Range: s.Range, Set: true})
		}
	}
	return out
}

// lower sets services.chrony.
func (t *Time) lower(r *router.Router, m *nixgen.Module) {
	from := service.From(t)
	m.Set(from, nixgen.Bool(true), "services", "chrony", "enable")
	if t.Servers.Set {
		m.Set(service.Origin(t.Addr, t.Servers.Range), service.Strs(t.Servers.All()), "services", "chrony", "servers")
	}
	if t.NTS.V {
		m.Set(service.Origin(t.Addr, t.NTS.Range), nixgen.Bool(true), "services", "chrony", "enableNTS")
	}
	// The clock of a board without a battery is months off. The module's own
	// initstepslew asks once, before there is an upstream, and then never steps.
	m.Set(from, nixgen.Bool(false), "services", "chrony", "initstepslew", "enabled")
	var lines strings.Builder
	if r.Release.V < "26.05" {
		fmt.Fprintf(&lines, "makestep %.1f %d\n", threshold, steps)
	} else {
		// The module writes the line, and chronyd would take the last of two.
		m.Set(from, nixgen.Bool(true), "services", "chrony", "makestep", "enable")
		m.Set(from, nixgen.Float(threshold), "services", "chrony", "makestep", "threshold")
		m.Set(from, nixgen.Int(steps), "services", "chrony", "makestep", "limit")
	}
	if t.NTS.V && len(router.Claimed[router.Battery](r)) == 0 {
		// At boot the time may be before that of every certificate: they are taken as valid
		// until the clock is set for the first time (chrony.conf(5)).
		lines.WriteString("nocerttimecheck 1\n")
	}
	for _, n := range t.Networks.All() {
		for _, p := range r.Sources(n) {
			fmt.Fprintf(&lines, "allow %s\n", p)
		}
	}
	m.Set(from, nixgen.Lines(lines.String()), "services", "chrony", "extraConfig")
}

// Checks look at the unit and at whom it asks, ask the kernel whether its clock is synchronised, and ask
// the time in each network that gets it from the router.
func (t *Time) Checks(_ *router.Router, p *verify.Plan) {
	p.UnitActive(t.Addr.String()+"/unit", t.Def, "chronyd.service")
	t.checkSources(p)
	for _, n := range t.Networks.Items {
		fixed, _ := n.Target.Split()
		for _, f := range fixed {
			t.serves(p, f.Addr(), n.Range)
		}
	}
	p.Add(verify.Check{
		ID: t.Addr.String() + "/synchronised", Title: "the clock is synchronised", From: t.Def,
		Eval: func(st *state.State) verify.Verdict {
			want, hint := "synchronised", "chronyc tracking"
			switch {
			case st.Clock == nil:
				return verify.NotSeen(want, hint)
			case !st.Clock.Synchronised:
				return verify.Verdict{Status: verify.Fail, Want: want, Got: "running free", Hint: hint}
			}
			return verify.Compare(want, want, hint)
		},
	})
}

// serves adds the check that the router tells the time on an address. Strata from 16
// on are of servers that do not know it themselves (RFC 5905 section 7.3).
func (t *Time) serves(p *verify.Plan, addr netip.Addr, from hcl.Range) {
	want, hint := "a time of stratum 1 to 15", "chronyd -Q 'server "+addr.String()+" iburst'"
	c := verify.Check{ID: t.Addr.String() + "/serves/" + addr.String(), Title: "time is served on " + addr.String(), From: from}
	verify.Asked(p, c, timeOf, addr, want, hint, func(st *state.State, a answer) verify.Verdict {
		switch {
		case !a.Answered && verify.Tentative(st, addr.String()):
			return verify.Skipped(want, addr.String()+" is tentative until there is a cable", hint)
		case !a.Answered:
			return verify.Judge(false, want, "no answer", hint)
		}
		return verify.Judge(a.Stratum >= 1 && a.Stratum <= 15, want, fmt.Sprintf("stratum %d", a.Stratum), hint)
	})
}
