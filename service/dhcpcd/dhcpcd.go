// Package dhcpcd gets addresses for the networks that say ipv4 = "dhcp" (RFC 2131) or
// ipv6 = "dhcp", and IPv6 prefixes that upstreams delegate (RFC 8415), with dhcpcd
// (networking.dhcpcd), beside IfState: what dhcpcd adds has a lifetime and routing protocol 16, which IfState
// leaves alone.
package dhcpcd

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
	"github.com/nbr-dev/nbr/verify"
	"github.com/nbr-dev/nbr/verify/state"
)

// Kind is the dhcp_client block. It is there without being written.
func Kind() service.Kind {
	return service.Kind{
		Type: "dhcp_client", Doc: "How networks with ipv4 = \"dhcp\" or ipv6 = \"dhcp\" get their address, and how prefixes are got.",
		Software: "dhcpcd",
		Example: `dhcp_client {
  static_routes = ["10.64.0.0/16"] # that the provider's server may route
}
`,
		Single: true, Implicit: true, Program: service.Alone("dhcp-client", (*Client).lower),
		New: func() service.Block { return &Client{} },
	}
}

// Client is the dhcp_client block.
type Client struct {
	conf.Header
	Routes conf.List[router.Block] `hcl:"static_routes,optional" doc:"IPv4 prefixes that the upstream's DHCP server may route (option 121, RFC 3442). Without it the option is neither asked for nor taken, and the default route is that of option 3. An empty list takes the default route of option 121 alone, for upstreams that send it nowhere else."`
	Extra  conf.List[Option]       `hcl:"extra,optional" repeat:"yes" doc:"Lines of dhcpcd.conf(5), put after those for all interfaces."`
}

// Option is a line of dhcpcd.conf.
type Option string

// UnmarshalText refuses what would be more than one line.
func (o *Option) UnmarshalText(b []byte) error {
	if strings.ContainsFunc(string(b), func(r rune) bool { return r < ' ' && r != '\t' }) || len(b) == 0 {
		return diag.Advise(fmt.Errorf("%q is not one line of dhcpcd.conf(5)", b), "write each line as a text of its own, without a line end")
	}
	*o = Option(b)
	return nil
}

// Describe is what the type is in the schema.
func (Option) Describe() string { return "line of dhcpcd.conf(5)" }

// networks are those whose upstream dhcpcd asks for something.
func networks(r *router.Router) []*router.Network {
	return slices.DeleteFunc(slices.Clone(r.Networks), func(n *router.Network) bool {
		return !n.ByDHCP() && !n.ByDHCPv6() && len(delegates(r, n)) == 0
	})
}

// leased are the networks whose IPv4 address is leased.
func leased(r *router.Router) []*router.Network {
	return slices.DeleteFunc(networks(r), func(n *router.Network) bool { return !n.ByDHCP() })
}

// line is where the spec asks for what dhcpcd gets in a network.
func line(r *router.Router, n *router.Network) hcl.Range {
	if n.ByDHCP() {
		return n.IPv4.Range
	}
	if n.ByDHCPv6() {
		return n.IPv6.Range
	}
	return delegates(r, n)[0].Def
}

// Claim claims the way of the client's questions and of the server's answers: renewals leave by an
// ordinary UDP socket, and arrive at it (RFC 2131 section 4.1).
func (c *Client) Claim(s *router.Scope) {
	for _, p := range s.Prefixes {
		claimPrefix(s, p)
	}
	if len(c.Extra.Items) > 0 {
		router.Claim(s, c.Extra.Range, router.AddedRoutes{})
	}
	for _, n := range s.Networks {
		if n.ByDHCPv6() {
			claimDHCPv6(s, n, n.IPv6.Range)
			router.Claim(s, n.IPv6.Range, router.OwnAddresses{On: []router.Link{n.Link.Target}, Expiring: true})
		}
	}
	for _, n := range leased(s.Router) {
		router.Claim(s, n.IPv4.Range, router.Accept{Networks: []*router.Network{n}, Match: router.Match{
			Family: router.IPv4, Protocol: router.UDP, SourcePorts: router.OnePort(67), Ports: router.OnePort(68),
		}})
		router.Claim(s, n.IPv4.Range, router.Emit{Networks: []*router.Network{n}, Match: router.Match{
			Family: router.IPv4, Protocol: router.UDP, SourcePorts: router.OnePort(68), Ports: router.OnePort(67),
		}})
		s.AfterLinks(n.IPv4.Range, "dhcpcd")
		on := []router.Link{n.Link.Target}
		router.Claim(s, n.IPv4.Range, router.OwnRoutes{Protocol: protocolDHCP, On: on})
		router.Claim(s, n.IPv4.Range, router.OwnAddresses{On: on, Expiring: true})
	}
}

// protocolDHCP is RTPROT_DHCP of linux/rtnetlink.h, which dhcpcd gives its routes.
const protocolDHCP = 16

// Judge refuses prefixes that are the router's own already: what is there is not for an
// upstream to say.
func (c *Client) Judge(r *router.Router) hcl.Diagnostics {
	var diags hcl.Diagnostics
	for _, p := range c.Routes.Items {
		switch {
		case !p.V.Addr().Is4():
			diags = append(diags, diag.Help(diag.Error("bad-value", p.Range, "Not an IPv4 prefix", "A DHCPv4 server has no routes to %s.", p.V),
				"Remove it."))
		case p.V.Bits() == 0:
			diags = append(diags, diag.Help(diag.Error("bad-value", p.Range, "The default route", "The default route is taken anyway."),
				"Remove it; an empty list takes the default route and nothing else."))
		}
		for _, o := range owned(r) {
			if inside(p.V.Prefix, o.prefix) {
				diags = append(diags, diag.With(diag.Help(diag.Error("static-route-clash", p.Range, "Prefix of the router itself",
					"%s is in %s of %s, which an upstream must not take over.", p.V, o.prefix, o.Addr),
					"Remove it, or write a prefix that this router does not have itself."), o.From, "%s", o.Addr.String()))
			}
		}
	}
	return append(diags, c.judgeExtra()...)
}

// lower sets networking.dhcpcd.
func (c *Client) lower(r *router.Router, m *nixgen.Module) {
	ns := networks(r)
	if len(ns) == 0 {
		return
	}
	seen, asked := map[router.IfName]bool{}, map[router.IfName]bool{}
	for _, n := range ns {
		if seen[n.Device()] {
			continue
		}
		seen[n.Device()] = true
		at := service.Origin(n.Addr, line(r, n))
		m.Add(at, []string{"networking", "dhcpcd", "allowInterfaces"}, nixgen.Str(n.Device()))
		// The module starts dhcpcd for the sake of an interface. NixOS would have the boot wait
		// for one that another program makes; dhcpcd itself does not wait.
		device := n.Device()
		if n.Link.Target.Spec().External {
			device = "lo"
		}
		if !asked[device] {
			asked[device] = true
			m.Set(at, nixgen.Bool(true), "networking", "interfaces", string(device), "useDHCP")
		}
	}
	from := service.From(c)
	// A router without an upstream is still the house's router: boot goes on.
	m.Set(from, nixgen.Str("background"), "networking", "dhcpcd", "wait")
	m.Set(from, nixgen.Bool(false), "networking", "dhcpcd", "setHostname")
	m.Set(from, nixgen.Bool(true), "networking", "dhcpcd", "persistent")
	m.Set(from, nixgen.Lines(config(r, c)), "networking", "dhcpcd", "extraConfig")
	m.Set(from, nixgen.Lines(c.hook(r)), "networking", "dhcpcd", "runHook")
	m.Add(from, []string{"systemd", "services", "dhcpcd", "path"}, nixgen.Var("pkgs.iproute2"))
}

// config is the part of dhcpcd.conf(5) that NixOS has no options for.
func config(r *router.Router, c *Client) string {
	advertisements := "ipv4only" // router advertisements are the kernel's
	if asksDHCPv6(r) {
		advertisements = "noipv6rs"
	}
	lines := []string{
		advertisements,
		// NixOS sends the router's name, and dhcpcd its own version, the kernel's and the
		// processor's: the provider needs none of them.
		`hostname ""`,
		`vendorclassid ""`,
		"noipv4ll", // a made-up address is no upstream, and without a lifetime IfState removes it
	}
	if r.Resolves() || r.NameServers.Set {
		lines = append(lines, "nohook resolv.conf") // the router asks its own resolver, or whom the spec says
	}
	lines = append(lines, "nohook ntp.conf")
	if !c.Routes.Set {
		// With routes of its own an upstream could take any prefix, also a tunnel's, out of
		// it: 121, Microsoft's 249 and the 33 of old. A server that is not asked for 121 says
		// the default route in option 3 (RFC 3442).
		lines = append(lines, "nooption classless_static_routes, ms_classless_static_routes, static_routes")
	}
	for _, o := range c.Extra.All() {
		lines = append(lines, string(o))
	}
	return strings.Join(append(lines, interfaces(r)...), "\n") + "\n"
}

// Checks look at the unit; the address itself is the network's promise.
func (c *Client) Checks(r *router.Router, p *verify.Plan) {
	if ns := networks(r); len(ns) > 0 {
		p.UnitActive(c.Addr.String()+"/unit", line(r, ns[0]), "dhcpcd.service")
	}
	// Of several, or with lines of the user, which one leads to the Internet is unknown.
	if ns := leased(r); len(ns) == 1 && len(c.Extra.Items) == 0 && !slices.ContainsFunc(r.Networks, func(n *router.Network) bool { return n.Gateway.Set }) {
		defaultRoute(p, ns[0])
	}
	for _, n := range leased(r) {
		c.routes(p, n)
	}
	for _, prefix := range r.Prefixes {
		delegated(p, prefix)
	}
	for _, n := range r.Networks {
		if _, later := n.Split(); len(later) > 0 {
			overlap(r, p, n, later[0].From)
		}
	}
}

// defaultRoute adds the check of the default route that comes with a lease (RFC 2132
// section 3.5).
func defaultRoute(p *verify.Plan, n *router.Network) {
	want, hint := "a default route by DHCP on "+string(n.Device()), "ip route show default"
	p.Add(verify.Check{ID: n.Addr.String() + "/default", Title: "default route of " + string(n.Device()), From: n.IPv4.Range, Eval: func(st *state.State) verify.Verdict {
		if st.Routes == nil {
			return verify.NotSeen(want, hint)
		}
		for _, rt := range st.Routes {
			if rt.To == "0.0.0.0/0" && rt.Link == string(n.Device()) && rt.Proto == "dhcp" && rt.Type == "" && rt.Table == "" {
				return verify.Verdict{Status: verify.Pass, Want: want, Got: "via " + rt.Via, Hint: hint}
			}
		}
		return verify.Missing(want, hint)
	}})
}
