// Package dhcpcd gets IPv4 addresses for the networks that say ipv4 = "dhcp",
// with dhcpcd (networking.dhcpcd), beside IfState: what dhcpcd adds has a
// lifetime and routing protocol 16, which IfState leaves alone.
package dhcpcd

import (
	"fmt"
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"

	"github.com/nbr-dev/nbr/hcl/conf"
	"github.com/nbr-dev/nbr/nixgen"
	"github.com/nbr-dev/nbr/router"
	"github.com/nbr-dev/nbr/service"
	"github.com/nbr-dev/nbr/verify"
	"github.com/nbr-dev/nbr/verify/state"
)

// Kind is the dhcp_client block. It is there without being written.
func Kind() service.Kind {
	return service.Kind{
		Type: "dhcp_client", Doc: "How networks with ipv4 = \"dhcp\" get their address (dhcpcd).",
		Single: true, Implicit: true, File: "dhcp-client",
		New: func() service.Block { return &Client{} },
	}
}

// Client is the dhcp_client block.
type Client struct {
	conf.Header
	Extra conf.List[Option] `hcl:"extra,optional" doc:"Lines of dhcpcd.conf(5), put at its end."`
}

// Option is a line of dhcpcd.conf.
type Option string

// UnmarshalText refuses what would be more than one line.
func (o *Option) UnmarshalText(b []byte) error {
	if strings.ContainsFunc(string(b), func(r rune) bool { return r < ' ' && r != '\t' }) || len(b) == 0 {
		return fmt.Errorf("%q is not one line of dhcpcd.conf(5)", b)
	}
	*o = Option(b)
	return nil
}

// Describe is what the type is in the schema.
func (Option) Describe() string { return "line of dhcpcd.conf(5)" }

func networks(r *router.Router) []*router.Network {
	var out []*router.Network
	for _, n := range r.Networks {
		if n.IPv4.V.DHCP {
			out = append(out, n)
		}
	}
	return out
}

// Resolve claims the way of the server's answers to the client: renewals arrive
// at an ordinary UDP socket (RFC 2131 section 4.1).
func (c *Client) Resolve(s *router.Scope) hcl.Diagnostics {
	for _, n := range networks(s.Router) {
		s.Open(n.IPv4.Range, router.Open{Networks: []*router.Network{n}, Protocol: "udp", Source: 67, Port: 68})
		s.AfterLinks(n.IPv4.Range, "dhcpcd")
	}
	return nil
}

// Lower sets networking.dhcpcd.
func (c *Client) Lower(r *router.Router, m *nixgen.Module) {
	ns := networks(r)
	if len(ns) == 0 {
		return
	}
	for _, n := range ns {
		at := service.Origin(n.Addr, n.IPv4.Range)
		m.Add(at, []string{"networking", "dhcpcd", "allowInterfaces"}, nixgen.Str(n.Device()))
		m.Set(at, nixgen.Bool(true), "networking", "interfaces", string(n.Device()), "useDHCP")
	}
	from := service.From(c)
	// A router without an upstream is still the house's router: boot goes on.
	m.Set(from, nixgen.Str("background"), "networking", "dhcpcd", "wait")
	m.Set(from, nixgen.Bool(false), "networking", "dhcpcd", "setHostname")
	m.Set(from, nixgen.Bool(true), "networking", "dhcpcd", "persistent")
	m.Set(from, nixgen.Lines(config(r, c)), "networking", "dhcpcd", "extraConfig")
}

// config is the part of dhcpcd.conf(5) that NixOS has no options for.
func config(r *router.Router, c *Client) string {
	lines := []string{
		"ipv4only", // router advertisements are the kernel's
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
	for _, o := range c.Extra.All() {
		lines = append(lines, string(o))
	}
	return strings.Join(lines, "\n") + "\n"
}

// Checks look at the unit; the address itself is the network's promise.
func (c *Client) Checks(r *router.Router, p *verify.Plan) {
	if ns := networks(r); len(ns) > 0 {
		p.UnitActive(c.Addr.String()+"/unit", ns[0].IPv4.Range, "dhcpcd.service")
	}
	// Of several, or with lines of the user, nobody knows which leads to the world.
	if ns := networks(r); len(ns) == 1 && len(c.Extra.Items) == 0 && !slices.ContainsFunc(r.Networks, func(n *router.Network) bool { return n.Gateway.Set }) {
		leased(p, ns[0])
	}
}

// leased adds the check of the default route that comes with a lease (RFC 2132 section
// 3.5).
func leased(p *verify.Plan, n *router.Network) {
	want, hint := "a default route by DHCP on "+string(n.Device()), "ip route show default"
	p.Add(verify.Check{ID: n.Addr.String() + "/default", Title: "default route of " + string(n.Device()), From: n.IPv4.Range, Eval: func(st *state.State) verify.Verdict {
		if st.Routes == nil {
			return verify.NotSeen(want, hint)
		}
		for _, rt := range st.Routes {
			if rt.To == "0.0.0.0/0" && rt.Link == string(n.Device()) && rt.Proto == "dhcp" && rt.Table == "" {
				return verify.Verdict{Status: verify.Pass, Want: want, Got: "via " + rt.Via, Hint: hint}
			}
		}
		return verify.Missing(want, hint)
	}})
}
