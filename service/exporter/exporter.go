// Package exporter serves how the router's programs are to Prometheus, by an exporter for each
// (https://prometheus.io/docs/instrumenting/exporters/): node_exporter for the machine and its kernel,
// frr_exporter for FRR, and knot-exporter for Knot DNS.
package exporter

import (
	"net/netip"
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"

	"github.com/nbr-dev/nbr/hcl/conf"
	"github.com/nbr-dev/nbr/hcl/diag"
	"github.com/nbr-dev/nbr/router"
	"github.com/nbr-dev/nbr/service"
	"github.com/nbr-dev/nbr/verify/probe"
)

// Kind is the exporter block.
func Kind() service.Kind {
	return service.Kind{
		Type: "exporter", Doc: "Serves how the machine, FRR or Knot DNS is to Prometheus in some networks. The zones of these networks allow metrics.",
		Software: "Prometheus exporters",
		Example: `exporter "node" {
  networks = [network.lan]
}

zone "lan" {
  networks = [network.lan]
  allow    = ["ssh", "dns", "dhcp", "metrics"]
}
`,
		Program: service.Alone("exporters", (*Exporter).lower),
		Probes:  []probe.Any{scrapeOf}, New: func() service.Block { return &Exporter{} },
	}
}

// Exporter is the exporter block.
type Exporter struct {
	conf.Header
	Of       conf.Value[Subject]        `hcl:"of,label" doc:"What it tells of: node for the machine and its kernel, frr for bgp and ospf, knot for DNS zones."`
	Networks conf.Refs[*router.Network] `hcl:"networks,required" empty:"error: no host could ask. Name a network, or remove the block." doc:"The networks at whose fixed addresses it answers. Never an upstream. That of knot answers at one address alone: in one network, over IPv4 if the router has an address of it there."`
	Port     conf.Value[Port]           `hcl:"port,optional" doc:"TCP port. Without it the exporter's own: 9100 for node, 9342 for frr, 9433 for knot."`
}

// Subject is what an exporter tells of, by the name that it has below services.prometheus.exporters.
type Subject string

// UnmarshalText wants one of the exporters.
func (s *Subject) UnmarshalText(b []byte) error {
	return conf.OneOf(s, b, "exporter", node, frr, knot)
}

// Describe is what the type is in the schema.
func (Subject) Describe() string { return "node, frr or knot" }

const (
	node Subject = "node"
	frr  Subject = "frr"
	knot Subject = "knot"
)

// Port is one that a program without privileges can listen on.
type Port int

// UnmarshalText wants a port that is not privileged (net.ipv4.ip_unprivileged_port_start).
func (p *Port) UnmarshalText(b []byte) error {
	return conf.Between(p, b, "port of an exporter", 1024, 65535, "")
}

// Describe is what the type is in the schema.
func (Port) Describe() string { return "port from 1024" }

// A measure is how an exporter is known by what it serves.
type measure struct {
	port   Port
	prefix string // of the names of its metrics
	// metric has a sample for each part that the exporter tells of, with the part as the value of label.
	// The sample of a part that it cannot tell of is not there or, of one that says it, not 1.
	metric, label string
	says          bool
}

var measures = map[Subject]measure{
	node: {9100, "node_", "node_scrape_collector_success", "collector", true},
	frr:  {9342, "frr_", "frr_collector_up", "collector", true},
	knot: {9433, "knot_", "knot_zone_serial", "zone", false},
}

func (b *Exporter) measure() measure { return measures[b.Of.V] }

func (b *Exporter) unit() string { return "prometheus-" + string(b.Of.V) + "-exporter" }

func (b *Exporter) port() Port {
	if b.Port.Set {
		return b.Port.V
	}
	return b.measure().port
}

// An end is an address that it listens on, with the line that has the network.
type end struct {
	netip.AddrPort
	from hcl.Range
}

// ends are where it listens. Where addresses come later, it does not listen on these.
func (b *Exporter) ends() []end {
	var out []end
	for _, n := range b.Networks.Items {
		fixed, _ := n.Target.Split()
		for _, p := range fixed {
			out = append(out, end{netip.AddrPortFrom(p.Addr(), uint16(b.port())), n.Range})
		}
	}
	if b.Of.V == knot { // knot-exporter(1) --web-listen-addr
		slices.SortStableFunc(out, func(a, b end) int { return a.Addr().BitLen() - b.Addr().BitLen() })
		return out[:min(1, len(out))]
	}
	return out
}

// Claim claims the socket.
func (b *Exporter) Claim(s *router.Scope) {
	s.Listen(b.Networks.Range, router.Listen{Service: "metrics", Protocol: router.TCP, Port: int(b.port()), Networks: b.Networks.All(), Unit: b.unit()})
	if b.Of.V == node {
		s.Kernel(b.Def, "metrics of connections", "NF_CONNTRACK_PROCFS") // off where the configuration does not say so
	}
	ends := b.ends()
	if len(ends) > 0 {
		router.Claim(s, b.Networks.Range, router.Scraped{Job: string(b.Of.V), At: ends[0].AddrPort})
		for _, p := range panels[b.Of.V] {
			router.Claim(s, b.Def, p)
		}
	}
	for _, e := range ends {
		switch {
		case e.Addr().Is6():
			// Without a cable the address stays tentative, and the exporter could not bind to it (RFC 4862
			// section 5.4).
			s.Sysctl(e.from, "net.ipv6.ip_nonlocal_bind", "1")
		case len(ends) > 1:
			// It ends if one of its addresses is not there, and would be away from all other networks.
			s.Sysctl(e.from, "net.ipv4.ip_nonlocal_bind", "1")
		}
	}
}

// parts are those that the exporter tells of.
func (b *Exporter) parts(r *router.Router) []string {
	if b.Of.V == node {
		return collectors
	}
	var out []string
	for _, m := range b.measured(r) {
		if m.Part != "" && !slices.Contains(out, m.Part) {
			out = append(out, m.Part)
		}
	}
	slices.Sort(out)
	return out
}

// measured are the claims of the program that it tells of.
func (b *Exporter) measured(r *router.Router) []*router.Measured {
	return slices.DeleteFunc(slices.Clone(router.Claimed[router.Measured](r)), func(m *router.Measured) bool {
		return m.Exporter != string(b.Of.V)
	})
}

// kinds are the types of blocks that have an exporter tell of something.
var kinds = map[Subject][]string{frr: {"bgp", "ospf"}, knot: {"dns_zone"}}

// Judge refuses upstreams, and exporters of what the router does not run.
func (b *Exporter) Judge(r *router.Router) hcl.Diagnostics {
	diags := router.JudgeServed(b.Networks, "The exporter listens on the router's addresses in the network.", func(n conf.Ref[*router.Network]) *hcl.Diagnostic {
		return diag.Help(diag.Error("open-metrics", n.Range, "Metrics open to the Internet",
			"%s is an upstream, and metrics say what the router runs and what is wrong with it.", n.Addr),
			"Take it out of networks.")
	})
	if b.Of.V == knot && len(b.Networks.Items) > 1 {
		diags = append(diags, diag.With(diag.Help(diag.Error("exporter-one-network", b.Networks.Items[1].Range, "Exporter that listens on one address",
			"knot-exporter listens on one address, which is that of %s.", b.Networks.Items[0].Addr),
			"Leave one network in the list, and allow that of Prometheus to get there."), b.Networks.Items[0].Range, "the first network"))
	}
	known := kinds[b.Of.V]
	if len(known) > 0 && len(b.measured(r)) == 0 {
		diags = append(diags, diag.Absent(diag.Help(diag.Error("exporter-of-nothing", b.Of.Range, "Exporter of what the router does not run",
			"There is no %s block that it would tell of.", strings.Join(known, " or ")),
			"Add one, or remove this block."), known...))
	}
	return diags
}
