// Package nftables makes the router's firewall and NAT: one table, inet nbr,
// loaded atomically (networking.nftables). Everything that no zone and no policy
// allows is dropped, and every rule names the line of the spec that made it.
package nftables

import (
	"fmt"
	"slices"

	"github.com/hashicorp/hcl/v2"

	"github.com/nbr-dev/nbr/hcl/conf"
	"github.com/nbr-dev/nbr/hcl/diag"
	"github.com/nbr-dev/nbr/nixgen"
	"github.com/nbr-dev/nbr/router"
	"github.com/nbr-dev/nbr/service"
	"github.com/nbr-dev/nbr/verify/probe"
)

// Kind is the firewall block. It is there without being written.
func Kind() service.Kind {
	return service.Kind{
		Type: "firewall", Doc: "How the firewall behaves beyond zones and policies.",
		Software: "nftables",
		Example: `firewall {
  log_drops    = false
  flow_offload = true

  timeout "voice" {
    services = ["sip"]
    idle     = "3h"
  }
}
`,
		Single: true, Implicit: true, Program: service.Alone("firewall", (*Firewall).lower),
		Probes: []probe.Any{replyOf, scheduleOf, prefixNATOf},
		New:    func() service.Block { return &Firewall{} },
	}
}

// The names of nbr's tables, which are of the family inet; others' tables are left alone.
const (
	Table       = "nbr"
	flowTable   = "nbr-flow"
	guardTable  = "nbr-guard"
	reloadTable = "nbr-reload"
)

// Firewall is the firewall block.
type Firewall struct {
	conf.Header
	LogDrops    conf.Value[bool] `hcl:"log_drops,optional" default:"true" doc:"Log what is dropped, at most five packets a second."`
	AntiSpoof   conf.Value[bool] `hcl:"anti_spoof,optional" default:"true" doc:"Drop packets whose source does not belong behind the interface they arrive on (RFC 3704, strict)."`
	Ping        conf.Value[bool] `hcl:"ping,optional" default:"true" doc:"Answer pings, at most ten a second."`
	PingHosts   conf.Value[bool] `hcl:"ping_hosts,optional" default:"true" doc:"Let IPv6 pings from an upstream through to the hosts of all networks, at most ten a second (RFC 4890 section 4.3.1)."`
	FlowOffload conf.Value[bool] `hcl:"flow_offload,optional" default:"false" doc:"Lead established connections past the rules (nf_flow_table, in software). Counters and later rules do not see them."`
	Timeouts    []*Timeout       `hcl:"timeout,block" doc:"How long connections of some services are remembered."`
}

// Claim claims the kernel's parts that the rules use.
func (f *Firewall) Claim(s *router.Scope) {
	s.Kernel(hcl.Range{}, "the firewall", "NF_TABLES", "NF_TABLES_INET", "NF_CONNTRACK", "NFT_CT", "NFT_LIMIT", "NFT_REJECT_INET")
	if f.LogDrops.V {
		s.Kernel(f.LogDrops.Range, "logging of drops", "NFT_LOG", "NF_LOG_SYSLOG")
	}
	if f.AntiSpoof.V {
		s.Kernel(f.AntiSpoof.Range, "anti-spoofing", "NFT_FIB_INET")
	}
	router.Claim(s, f.Def, router.Panel{
		Job: router.AgentJob, Title: "Dropped packets", Unit: "pps", Doc: "Packets that each chain of the firewall has dropped.",
		Queries: []router.Query{{Expr: `rate(nbr_firewall_dropped_packets_total{host="$host"}[$__rate_interval])`, Legend: "{{chain}}"}},
	})
	for _, p := range s.Policies {
		if p.Masquerade.V {
			s.Kernel(p.Masquerade.Range, "masquerading", "NFT_MASQ", "NFT_NAT")
		}
		if p.SourceNAT.Set {
			s.Kernel(p.SourceNAT.Range, "source NAT", "NFT_NAT")
		}
	}
	for _, t := range s.Scheduled() {
		s.Kernel(t.From, "rules at certain times", "NF_CONNTRACK_MARK")
	}
	for _, p := range s.PortForwards {
		s.Kernel(p.Def, "port forwards", "NFT_NAT", "NFT_FIB_INET")
		if _, ok := hairpin(s.Router, p); ok {
			s.Kernel(p.From.Range, "port forwards for the host's own network", "NFT_MASQ")
		}
	}
	for _, n := range s.StaticNATs {
		s.Kernel(n.Def, "addresses of hosts outside", "NFT_NAT", "NFT_MASQ")
	}
	for _, p := range s.PrefixNATs {
		s.Kernel(p.Def, "other prefixes outside", "NFT_NAT")
		if p.Prefix.Set {
			s.Kernel(p.Prefix.Range, "forgetting connections of an earlier prefix", "NF_CT_NETLINK")
		}
	}
	if f.FlowOffload.V {
		s.Kernel(f.FlowOffload.Range, "flow offload", "NF_FLOW_TABLE", "NF_FLOW_TABLE_INET", "NFT_FLOW_OFFLOAD")
	}
	neighbours(s)
	f.claimTimeouts(s)
}

// Judge judges what is inspected, and what only anti_spoof keeps: the core's rules judge zones
// and policies.
func (f *Firewall) Judge(r *router.Router) hcl.Diagnostics {
	diags := judgeInspected(r)
	if f.AntiSpoof.V {
		diags = append(diags, f.judgeAnswers(r)...)
	} else {
		diags = append(diags, f.judgeSpoofed(r)...)
	}
	diags = append(diags, f.judgeTimeouts(r)...)
	return append(diags, f.judgeOffload(r)...)
}

// judgeOffload finds a flow table that no connection with the Internet gets into.
func (f *Firewall) judgeOffload(r *router.Router) hcl.Diagnostics {
	kept := router.Claimed[router.KeepOffOffload](r)
	var by *router.KeepOffOffload
	for _, n := range r.Upstreams() {
		i := slices.IndexFunc(kept, func(k *router.KeepOffOffload) bool { return slices.Contains(k.Networks, n) })
		if i < 0 {
			return nil
		}
		by = kept[i]
	}
	if !f.FlowOffload.V || by == nil {
		return nil
	}
	return hcl.Diagnostics{diag.With(diag.Help(diag.Warning("nothing-to-offload", f.FlowOffload.Range, "No connection with the Internet is offloaded",
		"What passes the upstreams is kept out of the flow table, for %s has to see every packet of it.", by.Addr),
		"Remove flow_offload, or that block."), by.From, "%s", by.Addr.String())}
}

// neighbours gives the tables of neighbours, which are the kernel's and not a link's, room for
// a client that calls thousands of addresses that no host has (RFC 6583 section 7.1). While the
// kernel asks for one of them, its entry holds up to 212992 bytes of packets (unres_qlen_bytes
// of Documentation/networking/ip-sysctl.rst; with one small packet an entry takes 1.2 KiB,
// measured with Linux 7.2): one entry for each MiB of memory is a fifth of that at the very
// worst. The kernel's own 1024 is the least.
func neighbours(s *router.Scope) {
	most := max(int64(s.Memory.V)>>20, 1024)
	for _, family := range []string{"ipv4", "ipv6"} {
		for i, n := range []int64{most / 8, most / 2, most} { // the kernel's proportions
			s.Sysctl(s.Memory.Range, fmt.Sprintf("net.%s.neigh.default.gc_thresh%d", family, i+1), fmt.Sprint(n))
		}
	}
}

// lower sets networking.nftables.
func (f *Firewall) lower(r *router.Router, m *nixgen.Module) {
	from := service.From(f)
	m.Set(from, nixgen.Bool(true), "networking", "nftables", "enable")
	// Others' tables are left alone. Before 23.11 a system was to flush them at each
	// reload, and a state_version of then still asks for it.
	m.Set(from, nixgen.Bool(false), "networking", "nftables", "flushRuleset")
	m.Set(from, nixgen.Bool(false), "networking", "firewall", "enable")
	m.Set(from, nixgen.Str("inet"), "networking", "nftables", "tables", Table, "family")
	m.Set(from, nixgen.Lines(f.Content(r)), "networking", "nftables", "tables", Table, "content")
	f.lowerForwarding(r, m)
	f.lowerGuard(r, m)
	f.lowerReload(r, m)
	if f.FlowOffload.V {
		f.lowerFlowtable(r, m)
	}
	if len(r.Schedules) > 0 {
		lowerSchedules(r, m)
	}
	if ps := delegatedNATs(r); len(ps) > 0 {
		lowerPrefixNAT(ps, m)
	}
	lowerOpened(r, m)
}
