// Package knot runs the Knot programs of CZ.NIC: Knot Resolver 6, the router's
// recursive resolver. It validates DNSSEC (its default, with the root's built-in
// trust anchor) and answers only the networks that the spec names.
package knot

import (
	"cmp"
	"net/netip"
	"slices"

	"github.com/hashicorp/hcl/v2"
	"github.com/zclconf/go-cty/cty"

	"github.com/nbr-dev/nbr/hcl/conf"
	"github.com/nbr-dev/nbr/hcl/diag"
	"github.com/nbr-dev/nbr/nixgen"
	"github.com/nbr-dev/nbr/router"
	"github.com/nbr-dev/nbr/service"
)

// ResolverKind is the resolver block.
func ResolverKind() service.Kind {
	return service.Kind{
		Type: "resolver", Doc: "A recursive, validating DNS resolver for the networks.",
		Software: "Knot Resolver",
		Example: `resolver {
  networks = [network.lan]
  forward  = ["9.9.9.9", "149.112.112.112"]

  forwarder "office" {
    zones   = ["corp.example.org"]
    servers = ["10.20.0.53"]
  }
}
`,
		Single: true, Program: service.Alone("resolver", (*Resolver).lower),
		Probes: append(certificates.Probes(), settingsOf, answerTo), New: func() service.Block { return &Resolver{} },
	}
}

// Resolver is the resolver block.
type Resolver struct {
	conf.Header
	Networks   conf.Refs[*router.Network] `hcl:"networks,required" empty:"error: no host could ask. Name the networks that may, or remove the block." doc:"The networks that may ask. Never an upstream."`
	Forward    conf.List[Server]          `hcl:"forward,optional" doc:"Ask these servers instead of the root's, as in 9.9.9.9, or over TLS with the name in their certificate, as in 9.9.9.9#dns.quad9.net. Their answers are validated all the same."`
	Workers    conf.Value[int]            `hcl:"workers,optional" default:"2" doc:"Processes that answer; at most one a processor core is of use."`
	Rebinding  conf.Value[bool]           `hcl:"rebinding_protection,optional" default:"true" doc:"Refuse answers from outside in which a name has a private address: a web page could make a browser talk to the house by it (DNS rebinding)."`
	Private    conf.List[router.Domain]   `hcl:"private_domains,optional" doc:"Domains whose names may have private addresses, as a company's. Those of forwarders are among them."`
	Records    conf.List[Record]          `hcl:"records,optional" doc:"Records that the resolver knows by itself, as in \"_sip._udp.home.arpa SRV 0 0 5060 pbx.home.arpa\". Names and addresses of hosts are in host blocks."`
	Forwarders []*Forwarder               `hcl:"forwarder,block" doc:"Servers that are asked for a part of the names."`
	Blocklists []*Blocklist               `hcl:"blocklist,block" doc:"Names that do not exist for hosts: of advertisements, of malware."`
	DNS64      *DNS64                     `hcl:"dns64,block" doc:"IPv6 addresses for names that have IPv4 addresses alone, for hosts behind NAT64."`
	TLS        *TLS                       `hcl:"tls,block" doc:"Answers over TLS and HTTPS."`
	Extra      service.Extra              `hcl:"extra,optional" doc:"Merged into services.knot-resolver.settings."`
}

// Claim claims the sockets, and says which servers are asked.
func (b *Resolver) Claim(s *router.Scope) {
	for _, proto := range []router.IPProtocol{router.UDP, router.TCP} {
		s.Listen(b.Networks.Range, router.Listen{Service: "dns", Protocol: proto, Port: 53, Networks: b.Networks.All(), Unit: "knot-resolver"})
	}
	b.TLS.claim(b, s)
	for _, server := range slices.Concat(b.forwarded(), b.zones()) {
		router.Claim(s, server.Range, router.Asks{Server: server.V.Addr, Packets: server.V.packets()})
	}
	if len(b.Forward.Items) == 0 {
		router.Claim(s, hcl.Range{}, router.Asks{All: true, Packets: Server{}.packets()})
	}
}

// forwarded are the servers that are asked in place of the root's, some of them for a part of the
// names only.
func (b *Resolver) forwarded() []conf.Value[Server] {
	out := slices.Clone(b.Forward.Items)
	for _, f := range b.Forwarders {
		out = append(out, f.Servers.Items...)
	}
	return out
}

// Judge refuses to be an open resolver (RFC 5358), and one that asks itself.
func (b *Resolver) Judge(r *router.Router) hcl.Diagnostics {
	diags := router.JudgeServed(b.Networks, "The resolver listens on the router's address in the network.", func(n conf.Ref[*router.Network]) *hcl.Diagnostic {
		return diag.Help(diag.Error("open-resolver", n.Range, "Resolver open to the Internet",
			"%s is an upstream. A resolver that answers there is a weapon for others (RFC 5358).", n.Addr),
			"Take it out of networks.")
	})
	diags = append(diags, b.asksItself(r, b.Forward)...)
	diags = append(diags, b.asksItself(r, conf.List[Server]{Items: b.zones()})...)
	diags = append(diags, mixed(b.Forward)...)
	diags = append(diags, b.zonesTwice()...)
	diags = append(diags, b.judgeRecords(r)...)
	for _, f := range b.Forwarders {
		diags = append(diags, f.judge(b, r)...)
		diags = append(diags, mixed(f.Servers)...)
	}
	for _, l := range b.Blocklists {
		diags = append(diags, l.judge(b, r)...)
	}
	if b.DNS64 != nil {
		diags = append(diags, b.DNS64.judge(b, r)...)
	}
	// workers_max_count in knot_resolver/datamodel/config_schema.py.
	if most := 10 * r.Board.CPUs; b.Workers.V < 1 || b.Workers.V > most {
		diags = append(diags, diag.Help(diag.Error("bad-value", b.Workers.Range, "Bad number of workers",
			"Knot Resolver starts with 1 to %d workers: ten for each of the %d processor cores of the %s.", most, r.Board.CPUs, r.Board.Name),
			"Write a number from 1 to %d, or remove workers.", most))
	}
	return diags
}

// addrs are the router's fixed addresses in the network, of which there is one. Where
// others come later, nothing listens on these: clients are told the fixed ones.
func addrs(n *router.Network) []netip.Addr {
	var out []netip.Addr
	fixed, _ := n.Split()
	for _, p := range fixed {
		out = append(out, p.Addr())
	}
	return out
}

// addresses are these as texts.
func addresses(n *router.Network) []string {
	var out []string
	for _, a := range addrs(n) {
		out = append(out, a.String())
	}
	return out
}

// A view is what becomes of the questions of some addresses (knot_resolver/datamodel/view_schema.py).
type view struct {
	subnets []string
	to      string // only of those that ask this address of the router
	refuse  bool
	tags    []string // the blocklists that are for them
	no64    bool     // they get no addresses of DNS64
}

const linkLocal = "fe80::/10"

// views are those of a network. Link-local addresses are of every network, so what is not the same
// for all of them is told by the address that is asked.
func (b *Resolver) views(r *router.Router, n *router.Network) []view {
	v := view{tags: b.tags(n), no64: b.DNS64 != nil && !b.DNS64.isFor(n)}
	for _, p := range r.Sources(n) {
		v.subnets = append(v.subnets, p.String())
	}
	six, ok := n.FixedIn(router.IPv6)
	switch {
	case !ok:
		return []view{v}
	case len(b.Blocklists) == 0 && b.DNS64 == nil:
		v.subnets = append(v.subnets, linkLocal)
		return []view{v}
	}
	local := v
	local.subnets, local.to = []string{linkLocal}, netip.PrefixFrom(six.Addr(), 128).String()
	return []view{v, local}
}

func (v view) expr() nixgen.Expr {
	var out nixgen.Attrs
	switch {
	case v.refuse:
		out = append(out, nixgen.Bind(nixgen.Str("refused"), "answer"))
	case len(v.tags) == 0: // with tags, they may ask
		out = append(out, nixgen.Bind(nixgen.Str("allow"), "answer"))
	}
	if v.to != "" {
		out = append(out, nixgen.Bind(nixgen.Str(v.to), "dst-subnet"))
	}
	if v.no64 {
		out = append(out, nixgen.Bind(nixgen.Bool(false), "options", "dns64"))
	}
	out = append(out, nixgen.Bind(service.Strs(v.subnets), "subnets"))
	if len(v.tags) > 0 {
		out = append(out, nixgen.Bind(service.Strs(v.tags), "tags"))
	}
	return out
}

// lower sets services.knot-resolver.
func (b *Resolver) lower(r *router.Router, m *nixgen.Module) {
	from := service.From(b)
	settings := func(path ...string) []string {
		return append([]string{"services", "knot-resolver", "settings"}, path...)
	}
	m.Set(from, nixgen.Bool(true), "services", "knot-resolver", "enable")
	m.Set(service.Origin(b.Addr, cmp.Or(b.Workers.Range, b.Def)), nixgen.Int(b.Workers.V), settings("workers")...)
	listen := settings("network", "listen")
	m.Add(from, listen, listener([]string{"127.0.0.1", "::1"}, "dns", 53))
	views := settings("views")
	// The most specific block decides, so no other host may ask even if the firewall
	// were open.
	m.Add(from, views, view{subnets: []string{"0.0.0.0/0", "::/0"}, refuse: true}.expr(), view{subnets: []string{"127.0.0.0/8", "::1/128"}, no64: b.DNS64 != nil}.expr())
	for _, n := range b.Networks.Items {
		at := service.Origin(b.Addr, n.Range)
		m.Add(at, listen, listener(addresses(n.Target), "dns", 53))
		for _, v := range b.views(r, n.Target) {
			m.Add(at, views, v.expr())
		}
	}
	unsigned := map[string]bool{}
	for _, n := range router.Claimed[router.ResolveUnsigned](r) {
		if unsigned[n.Host] {
			continue
		}
		unsigned[n.Host] = true
		// Signatures have a time too: a router that comes up in the past could not
		// resolve the servers that tell it the time.
		m.Add(service.By(n.By), settings("dnssec", "negative-trust-anchors"), nixgen.Str(n.Host))
	}
	b.lowerForward(r, m, settings)
	b.lowerRecords(m, settings)
	b.lowerBlocklists(r, m, settings)
	b.lowerDNS64(m, settings)
	b.TLS.lower(b, m, settings)
	if b.Rebinding.V {
		b.rebinding(r, m, settings)
	}
	lowerHosts(r, m, settings)
	service.AddExtra(m, b, b.Extra, settings()...)
}

// listener is an entry of network.listen. freebind lets it start before the
// address is there and keep it when the link goes.
func listener(addrs []string, kind string, port int) nixgen.Attrs {
	return nixgen.Attrs{
		nixgen.Bind(nixgen.Bool(true), "freebind"),
		nixgen.Bind(service.Strs(addrs), "interface"),
		nixgen.Bind(nixgen.Str(kind), "kind"),
		nixgen.Bind(nixgen.Int(port), "port"),
	}
}

// added tells whether the user's additions take the place of a setting.
func (b *Resolver) added(path ...string) bool {
	if !b.Extra.Set {
		return false
	}
	v := b.Extra.V.Value
	for _, name := range path {
		if v = service.Attribute(v, name); v == cty.NilVal {
			return false
		}
	}
	return true
}
