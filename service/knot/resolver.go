// Package knot runs the Knot programs of CZ.NIC: Knot Resolver 6, the router's
// recursive resolver. It validates DNSSEC (its default, with the root's built-in
// trust anchor) and answers only the networks that the spec names.
package knot

import (
	"cmp"
	"slices"

	"github.com/hashicorp/hcl/v2"

	"github.com/nbr-dev/nbr/hcl/conf"
	"github.com/nbr-dev/nbr/hcl/diag"
	"github.com/nbr-dev/nbr/nixgen"
	"github.com/nbr-dev/nbr/router"
	"github.com/nbr-dev/nbr/service"
	"github.com/nbr-dev/nbr/verify/probe"
)

// ResolverKind is the resolver block.
func ResolverKind() service.Kind {
	return service.Kind{
		Type: "resolver", Doc: "A recursive, validating DNS resolver for the networks.",
		Software: "Knot Resolver",
		Example: `resolver {
  networks = [network.lan]
  forward  = ["9.9.9.9", "149.112.112.112"]
}
`,
		Single: true, Program: service.Alone("resolver", (*Resolver).lower),
		Probes: []probe.Any{settingsOf, answerTo}, New: func() service.Block { return &Resolver{} },
	}
}

// Resolver is the resolver block.
type Resolver struct {
	conf.Header
	Networks  conf.Refs[*router.Network] `hcl:"networks,required" empty:"error: no host could ask. Name the networks that may, or remove the block." doc:"The networks that may ask. Never an upstream."`
	Forward   conf.List[router.Addr]     `hcl:"forward,optional" doc:"Ask these servers instead of the root's. Their answers are validated all the same."`
	Workers   conf.Value[int]            `hcl:"workers,optional" default:"2" doc:"Processes that answer; at most one a processor core is of use."`
	Rebinding conf.Value[bool]           `hcl:"rebinding_protection,optional" default:"true" doc:"Refuse answers from outside in which a name has a private address: a web page could make a browser talk to the house by it (DNS rebinding)."`
	Private   conf.List[router.Domain]   `hcl:"private_domains,optional" doc:"Domains whose names may have private addresses, as a company's. Those that extra forwards to servers of their own are among them."`
	Extra     service.Extra              `hcl:"extra,optional" doc:"Merged into services.knot-resolver.settings."`
}

// Claim claims the sockets, and says which servers are asked.
func (b *Resolver) Claim(s *router.Scope) {
	for _, proto := range []router.IPProtocol{router.UDP, router.TCP} {
		s.Listen(b.Networks.Range, router.Listen{Service: "dns", Protocol: proto, Port: 53, Networks: b.Networks.All(), Unit: "knot-resolver"})
	}
	for _, server := range b.servers() {
		router.Claim(s, server.Range, router.Asks{Server: server.V.Addr})
	}
}

// servers are those that the resolver asks in place of the root's, some of them for a zone only.
func (b *Resolver) servers() []conf.Value[router.Addr] {
	return slices.Concat(b.Forward.Items, b.zones())
}

// Judge refuses to be an open resolver (RFC 5358), and one that asks itself.
func (b *Resolver) Judge(r *router.Router) hcl.Diagnostics {
	diags := router.JudgeServed(b.Networks, "The resolver listens on the router's address in the network.", func(n conf.Ref[*router.Network]) *hcl.Diagnostic {
		return diag.Help(diag.Error("open-resolver", n.Range, "Resolver open to the Internet",
			"%s is an upstream. A resolver that answers there is a weapon for others (RFC 5358).", n.Addr),
			"Take it out of networks.")
	})
	for _, s := range b.servers() {
		if d := r.Own(s, "The resolver would ask itself without end.", "Name another server, or remove this one: a resolver that forwards nothing asks the servers of the root zone."); d != nil {
			diags = append(diags, d)
		}
	}
	// workers_max_count in knot_resolver/datamodel/config_schema.py.
	if most := 10 * r.Board.CPUs; b.Workers.V < 1 || b.Workers.V > most {
		diags = append(diags, diag.Help(diag.Error("bad-value", b.Workers.Range, "Bad number of workers",
			"Knot Resolver starts with 1 to %d workers: ten for each of the %d processor cores of the %s.", most, r.Board.CPUs, r.Board.Name),
			"Write a number from 1 to %d, or remove workers.", most))
	}
	return diags
}

// addresses are the router's fixed addresses in the network, of which there is one. Where
// others come later, nothing listens on these: clients are told the fixed ones.
func addresses(n *router.Network) []string {
	var out []string
	fixed, _ := n.Split()
	for _, p := range fixed {
		out = append(out, p.Addr().String())
	}
	return out
}

// blocks are the address blocks that may ask in the network.
func blocks(n *router.Network) []string {
	var out []string
	fixed, _ := n.Split()
	for _, p := range fixed {
		out = append(out, p.Masked().String())
	}
	if _, ok := n.FixedIn(router.IPv6); ok {
		out = append(out, "fe80::/10")
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
	m.Add(from, listen, listener([]string{"127.0.0.1", "::1"}))
	views := settings("views")
	// The most specific block decides, so no other host may ask even if the firewall
	// were open.
	m.Add(from, views, view([]string{"0.0.0.0/0", "::/0"}, "refused"), view([]string{"127.0.0.0/8", "::1/128"}, "allow"))
	for _, n := range b.Networks.Items {
		at := service.Origin(b.Addr, n.Range)
		m.Add(at, listen, listener(addresses(n.Target)))
		m.Add(at, views, view(blocks(n.Target), "allow"))
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
	if servers := b.Forward.All(); len(servers) > 0 {
		list := nixgen.List{}
		for _, s := range servers {
			list = append(list, nixgen.Str(s.String()))
		}
		m.Add(service.Origin(b.Addr, b.Forward.Range), settings("forward"), nixgen.Attrs{
			nixgen.Bind(list, "servers"),
			nixgen.Bind(nixgen.Str("."), "subtree"),
		})
	}
	if b.Rebinding.V {
		b.rebinding(m, settings)
	}
	lowerHosts(r, m, settings)
	service.AddExtra(m, b, b.Extra, settings()...)
}

// listener is an entry of network.listen. freebind lets it start before the
// address is there and keep it when the link goes.
func listener(addrs []string) nixgen.Attrs {
	return nixgen.Attrs{
		nixgen.Bind(nixgen.Bool(true), "freebind"),
		nixgen.Bind(service.Strs(addrs), "interface"),
		nixgen.Bind(nixgen.Str("dns"), "kind"),
		nixgen.Bind(nixgen.Int(53), "port"),
	}
}

func view(subnets []string, answer string) nixgen.Attrs {
	return nixgen.Attrs{
		nixgen.Bind(nixgen.Str(answer), "answer"),
		nixgen.Bind(service.Strs(subnets), "subnets"),
	}
}
