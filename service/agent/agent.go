// Package agent verifies the router for as long as it runs, with nbr's own agent: it
// looks every interval and when something changes, logs what is new and serves it to
// Prometheus.
package agent

import (
	"fmt"
	"net/netip"
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

// Kind is the agent block.
func Kind() service.Kind {
	return service.Kind{
		Type: "agent", Doc: "Verifies the router for as long as it runs, and serves metrics of it (nbr agent).",
		Software: "nbr",
		Example: `agent {
  interval = "5m"
  networks = [network.lan] # who gets the metrics
}

zone "lan" {
  networks = [network.lan]
  allow    = ["ssh", "dns", "dhcp", "metrics"]
}
`,
		Single: true, Program: service.Alone("agent", (*Agent).lower),
		Probes: []probe.Any{statusOf, probe.Settings}, New: func() service.Block { return &Agent{} },
	}
}

// unit is nbr's own, from its NixOS module, without .service; its user has the same
// name.
const unit = "nbr-agent"

// socket is where the pages always are, for the router's own administrators.
const socket = "/run/nbr-agent/metrics.sock"

// Agent is the agent block.
type Agent struct {
	conf.Header
	Interval conf.Value[router.Seconds] `hcl:"interval,optional" default:"60s" doc:"Time between two looks when nothing happens; at least 5s. Changes of links, addresses, routes and units are looked at within seconds."`
	Metrics  conf.Value[Metrics]        `hcl:"metrics,optional" default:"unix" doc:"Where programs of the router itself get the metrics: unix (only the socket) or an address and a port of the loopback, as in 127.0.0.1:9842."`
	Networks conf.Refs[*router.Network] `hcl:"networks,optional" doc:"The networks that get the metrics from the router. Never an upstream."`
	Port     conf.Value[router.Port]    `hcl:"port,optional" default:"9842" doc:"TCP port for the networks."`
	Names    conf.List[router.Domain]   `hcl:"names,optional" doc:"Further host names by which clients ask for the metrics. The router's own, alone and in the domains of networks, are always answered, and so are addresses and localhost; others are not (DNS rebinding)."`
	Passive  conf.Value[bool]           `hcl:"passive,optional" default:"false" doc:"Only look: no packet is sent and no command of a check block is run."`
}

// Metrics is where the metrics are served on the router itself: the zero value is
// the socket alone.
type Metrics struct{ netip.AddrPort }

// UnmarshalText wants unix, or a loopback address and a port.
func (m *Metrics) UnmarshalText(b []byte) error {
	if string(b) == "unix" {
		*m = Metrics{}
		return nil
	}
	a, err := netip.ParseAddrPort(string(b))
	switch {
	case err != nil || a.Port() == 0:
		return diag.Advise(fmt.Errorf("%q is no place for metrics", b), "write unix, or an address and a port such as 127.0.0.1:9842")
	case !a.Addr().IsLoopback():
		return diag.Advise(fmt.Errorf("%s is no loopback address, and metrics are served on the router itself", a.Addr()), "write 127.0.0.1:%d, or name the networks that may ask, as in networks = [network.lan]", a.Port())
	}
	*m = Metrics{a}
	return nil
}

// Describe is what the type is in the schema.
func (Metrics) Describe() string { return "unix, or address and port" }

// Claim claims the agent and its socket for the networks.
func (b *Agent) Claim(s *router.Scope) {
	if len(b.Networks.Items) > 0 {
		s.Listen(b.Networks.Range, router.Listen{Service: "metrics", Protocol: router.TCP, Port: int(b.Port.V), Networks: b.Networks.All(), Unit: unit})
	}
	if at := b.addresses(); len(at) > 0 {
		router.Claim(s, b.Networks.Range, router.Scraped{Job: router.AgentJob, At: netip.AddrPortFrom(at[0], uint16(b.Port.V))})
		router.Claim(s, b.Networks.Range, router.Panel{
			Job: router.AgentJob, Title: "Checks", Doc: "The promises of the spec by what the last look has found.",
			Queries: []router.Query{{Expr: `nbr_checks{host="$host"}`, Legend: "{{status}}"}},
		})
	}
	router.Claim(s, hcl.Range{}, router.Agent{Interval: b.Interval.V, Listen: b.listen(), Names: b.names(s.Router), Passive: b.Passive.V})
}

// Judge refuses upstreams: what the agent serves tells much of a router.
func (b *Agent) Judge(*router.Router) hcl.Diagnostics {
	var diags hcl.Diagnostics
	if b.Interval.V < 5 {
		diags = append(diags, diag.Help(diag.Error("bad-value", b.Interval.Range, "Bad interval",
			"The router is looked at every interval, and each look takes it a part of a second."),
			"Write \"5s\" or more."))
	}
	return append(diags, router.JudgeServed(b.Networks, "The agent listens on the router's address in the network.", func(n conf.Ref[*router.Network]) *hcl.Diagnostic {
		return diag.Help(diag.Error("open-metrics", n.Range, "Metrics open to the Internet",
			"%s is an upstream, and metrics say what the router runs and what is wrong with it.", n.Addr),
			"Take it out of networks.")
	})...)
}

// names are the host names by which the pages may be asked for.
func (b *Agent) names(r *router.Router) []string {
	out := r.OwnNames()
	for _, n := range b.Names.All() {
		out = append(out, strings.ToLower(string(n)))
	}
	return out
}

// addresses are the router's own in the networks, of which each has one that is fixed. Where
// others come later, nothing listens on these.
func (b *Agent) addresses() []netip.Addr {
	var out []netip.Addr
	for _, n := range b.Networks.All() {
		fixed, _ := n.Split()
		for _, p := range fixed {
			out = append(out, p.Addr())
		}
	}
	return out
}

// listen are the places as nbr agent takes them.
func (b *Agent) listen() []string {
	out := []string{"unix:" + socket}
	if b.Metrics.V.IsValid() {
		out = append(out, b.Metrics.V.String())
	}
	for _, a := range b.addresses() {
		out = append(out, netip.AddrPortFrom(a, uint16(b.Port.V)).String())
	}
	return out
}

// lower sets the options of nbr's own module, which the system has anyway.
func (b *Agent) lower(_ *router.Router, m *nixgen.Module) {
	set := func(at hcl.Range, v nixgen.Expr, name string) {
		if at == (hcl.Range{}) {
			at = b.Def
		}
		m.Set(service.Origin(b.Addr, at), v, "services", "nbr-agent", name)
	}
	set(b.Def, nixgen.Bool(true), "enable")
	set(b.Interval.Range, nixgen.Str(fmt.Sprintf("%ds", b.Interval.V)), "interval")
	set(b.Networks.Range, service.Strs(b.listen()), "listen")
	set(b.Passive.Range, nixgen.Bool(b.Passive.V), "passive")
}

// Checks look at the unit and at the sockets. Who reads this on the router's own
// metrics page knows already; the others ask by nbr verify.
func (b *Agent) Checks(_ *router.Router, p *verify.Plan) {
	id := b.Addr.String()
	p.UnitActive(id+"/unit", b.Def, unit+".service")
	b.checkCommand(p)
	b.checkNames(p)
	p.Add(verify.Check{
		ID: id + "/socket", Title: "a socket for the router's own administrators", From: b.Def,
		Needs: []state.Need{{Kind: state.NeedFile, Name: socket}},
		Eval: func(st *state.State) verify.Verdict {
			want, hint := unit+" 0660", "ls -l "+socket
			if st.Files == nil {
				return verify.NotSeen(want, hint)
			}
			f, ok := st.Files[socket]
			if !ok {
				return verify.Missing(want, hint)
			}
			return verify.Compare(want, f.Owner+" "+f.Mode, hint)
		},
	})
	if b.Metrics.V.IsValid() && (len(b.Networks.Items) == 0 || b.Metrics.V.Port() != uint16(b.Port.V)) {
		p.Listens(id+"/listen/local", b.Metrics.Range, "tcp", int(b.Metrics.V.Port()), []string{b.Metrics.V.Addr().String()})
	}
	if len(b.Networks.Items) == 0 {
		return
	}
	var addrs []string
	for _, a := range b.addresses() {
		addrs = append(addrs, a.String())
	}
	if b.Metrics.V.Port() == uint16(b.Port.V) {
		addrs = append(addrs, b.Metrics.V.Addr().String())
	}
	p.Listens(id+"/listen", b.Networks.Range, "tcp", int(b.Port.V), addrs)
}
