// Package openssh is for logins of administrators: sshd on the networks that the spec
// names, with keys.
package openssh

import (
	"net/netip"
	"slices"

	"github.com/hashicorp/hcl/v2"

	"github.com/nbr-dev/nbr/hcl/conf"
	"github.com/nbr-dev/nbr/hcl/diag"
	"github.com/nbr-dev/nbr/nixgen"
	"github.com/nbr-dev/nbr/router"
	"github.com/nbr-dev/nbr/service"
	"github.com/nbr-dev/nbr/verify"
	"github.com/nbr-dev/nbr/verify/probe"
)

// Kind is the ssh block.
func Kind() service.Kind {
	return service.Kind{
		Type: "ssh", Doc: "Logins over the network.",
		Software: "OpenSSH",
		Example: `ssh {
  networks = [network.lan]
}
`,
		Single: true, Program: service.Alone("ssh", (*SSH).lower),
		Probes: []probe.Any{bannerOf, probe.Settings}, New: func() service.Block { return &SSH{} },
	}
}

// SSH is the ssh block.
type SSH struct {
	conf.Header
	Networks  conf.Refs[*router.Network] `hcl:"networks,required" empty:"error: sshd would listen in no network. Name the networks that users log in from, or remove the block." doc:"The networks that sshd listens in."`
	Port      conf.Value[router.Port]    `hcl:"port,optional" default:"22" doc:"TCP port."`
	Passwords conf.Value[bool]           `hcl:"passwords,optional" default:"false" doc:"Accept passwords, not only keys."`
	Extra     service.Extra              `hcl:"extra,optional" doc:"Merged into services.openssh.settings."`
}

// Claim claims the socket.
func (b *SSH) Claim(s *router.Scope) {
	s.Listen(b.Networks.Range, router.Listen{Service: "ssh", Protocol: router.TCP, Port: int(b.Port.V), Networks: b.Networks.All(), Unit: "sshd"})
	for _, n := range b.Networks.Items {
		if _, ok := n.Target.FixedIn(router.IPv6); ok {
			// Without a cable the address stays tentative, and sshd does not bind to it
			// (RFC 4862 section 5.4) or try again.
			s.Sysctl(n.Range, "net.ipv6.ip_nonlocal_bind", "1")
		}
	}
}

// Judge finds an sshd that lets no administrator in, and warns of passwords and of what extra says
// otherwise.
func (b *SSH) Judge(r *router.Router) hcl.Diagnostics {
	diags := append(b.judgeLogins(r), b.judgeExtra()...)
	if !b.Passwords.V {
		return diags
	}
	return append(diags, diag.Help(diag.Warning("ssh-passwords", b.Passwords.Range, "Passwords over ssh",
		"Every host that reaches the router may try passwords without end. Keys cannot be guessed."),
		"Put them into authorized_keys and remove this."))
}

// dynamic tells whether sshd must listen on every address because one of the router's
// comes later in its networks. The firewall decides then.
func (b *SSH) dynamic() bool {
	return slices.ContainsFunc(b.Networks.All(), func(n *router.Network) bool {
		_, later := n.Split()
		return len(later) > 0
	})
}

// lower sets services.openssh.
func (b *SSH) lower(r *router.Router, m *nixgen.Module) {
	from := service.From(b)
	set := func(v nixgen.Expr, path ...string) {
		m.Set(from, v, append([]string{"services", "openssh"}, path...)...)
	}
	set(nixgen.Bool(true), "enable")
	// The module would open the port on every interface of NixOS's own firewall.
	set(nixgen.Bool(false), "openFirewall")
	set(nixgen.List{nixgen.Int(b.Port.V)}, "ports")
	if !b.dynamic() {
		for _, n := range b.Networks.Items {
			fixed, _ := n.Target.Split()
			for _, p := range fixed {
				m.Add(service.Origin(b.Addr, n.Range), []string{"services", "openssh", "listenAddresses"}, nixgen.Attrs{
					nixgen.Bind(nixgen.Str(literal(p.Addr())), "addr"),
					nixgen.Bind(nixgen.Int(b.Port.V), "port"),
				})
			}
		}
	}
	root := "prohibit-password"
	if b.Passwords.V {
		root = "yes"
	}
	set(nixgen.Bool(b.Passwords.V), "settings", "KbdInteractiveAuthentication")
	set(nixgen.Bool(b.Passwords.V), "settings", "PasswordAuthentication")
	set(nixgen.Str(root), "settings", "PermitRootLogin")
	service.AddExtra(m, b, b.Extra, "services", "openssh", "settings")
}

// literal is an address as sshd_config(5) wants it with a port.
func literal(a netip.Addr) string {
	if a.Is6() {
		return "[" + a.String() + "]"
	}
	return a.String()
}

// Checks look at the unit, at the ways of logging in that sshd takes and at the addresses
// that it listens on, and connect to it there.
func (b *SSH) Checks(_ *router.Router, p *verify.Plan) {
	p.UnitActive(b.Addr.String()+"/unit", b.Def, "sshd.service")
	var addrs []string
	for _, n := range b.Networks.Items {
		fixed, _ := n.Target.Split()
		for _, f := range fixed {
			b.greets(p, f.Addr(), n.Range)
			if !b.dynamic() {
				addrs = append(addrs, f.Addr().String())
			}
		}
	}
	if b.dynamic() {
		b.greets(p, netip.AddrFrom4([4]byte{127, 0, 0, 1}), b.Networks.Range)
	}
	b.checkPasswords(p)
	p.Listens(b.Addr.String()+"/listen", b.Networks.Range, "tcp", int(b.Port.V), addrs)
}
