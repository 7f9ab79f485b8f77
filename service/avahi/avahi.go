// Package avahi lets hosts of some networks find what other ones of them offer (Multicast DNS, RFC 6762,
// and DNS-SD, RFC 6763), and the router itself by its name, with Avahi.
package avahi

import (
	"fmt"
	"strings"

	"github.com/hashicorp/hcl/v2"

	"github.com/nbr-dev/nbr/hcl/conf"
	"github.com/nbr-dev/nbr/hcl/diag"
	"github.com/nbr-dev/nbr/nixgen"
	"github.com/nbr-dev/nbr/router"
	"github.com/nbr-dev/nbr/service"
	"github.com/nbr-dev/nbr/verify/probe"
)

// Kind is the mdns block.
func Kind() service.Kind {
	return service.Kind{
		Type: "mdns", Doc: "Lets hosts of some networks find printers, speakers and the like in others of them (Multicast DNS, RFC 6762). The zones of these networks allow mdns. To find is not to reach: policies say who may connect.",
		Software: "Avahi",
		Example: `mdns {
  networks = [network.lan, network.guest]
  types    = ["_ipp._tcp", "_googlecast._tcp"]
}

vlan "guest" {
  link = bridge.br-lan
  id   = 20
}

network "guest" {
  link = vlan.guest
  ipv4 = "192.168.20.1/24"
}

zone "guest" {
  networks = [network.guest]
  allow    = ["mdns"]
}

zone "lan" {
  networks = [network.lan]
  allow    = ["ssh", "dns", "dhcp", "mdns"]
}

policy "lan-guest" {
  from   = [zone.lan]
  to     = [zone.guest]
  action = "accept"
}
`,
		Single: true, Program: service.Alone("mdns", (*MDNS).lower),
		Probes: []probe.Any{passedOn, namedAs}, New: func() service.Block { return &MDNS{} },
	}
}

// MDNS is the mdns block.
type MDNS struct {
	conf.Header
	Networks conf.Refs[*router.Network] `hcl:"networks,required" empty:"error: no host could find anything. Name networks, or remove the block." doc:"The networks between which questions and answers are passed on. In one alone the router only says its own name."`
	Types    conf.List[ServiceType]     `hcl:"types,optional" empty:"error: no service could be found. Name types, or remove the list to pass on all." doc:"What is passed on of the services, with capital letters where the devices have them. Without it all. That keeps lists of printers short and is no boundary of security: names and addresses of hosts are passed on whatever the list says."`
	Publish  conf.Value[bool]           `hcl:"publish,optional" default:"true" doc:"Answer for the router's own name below .local, with its addresses in the network that asks."`
}

// A ServiceType is a kind of service with its transport, as "_ipp._tcp".
type ServiceType string

// UnmarshalText wants a type of DNS-SD (RFC 6763 section 7, RFC 6335 section 5.1).
func (s *ServiceType) UnmarshalText(b []byte) error {
	name, transport, _ := strings.Cut(string(b), ".")
	label, ok := strings.CutPrefix(name, "_")
	letter, bad := false, false
	for i, c := range []byte(label) {
		switch {
		case 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z':
			letter = true
		case c == '-':
			bad = bad || i == 0 || i == len(label)-1 || label[i-1] == '-'
		default:
			bad = bad || c < '0' || c > '9'
		}
	}
	if !ok || bad || !letter || len(label) > 15 || transport != "_tcp" && transport != "_udp" {
		return diag.Advise(fmt.Errorf("%q is no type of a service", b),
			"write a name of at most 15 letters, digits and single hyphens, and the transport, as in \"_ipp._tcp\"; all that is not TCP is _udp")
	}
	*s = ServiceType(b)
	return nil
}

// Describe is what the type is in the schema.
func (ServiceType) Describe() string { return "type of a service, such as _ipp._tcp" }

const (
	unit = "avahi-daemon"
	port = 5353 // RFC 6762 section 2
)

// Claim claims the socket, and those of changing ports from which Avahi asks for hosts that ask from
// another port than 5353 (RFC 6762 section 6.7).
func (m *MDNS) Claim(s *router.Scope) {
	at := m.Networks.Range
	s.Listen(at, router.Listen{Service: "mdns", Protocol: router.UDP, Port: port, Networks: m.Networks.All(), Unit: unit})
	for _, match := range []router.Match{{Ports: router.OnePort(port)}, {SourcePorts: router.OnePort(port)}} {
		match.Protocol = router.UDP
		router.Claim(s, at, router.Emit{Match: match, Networks: m.Networks.All()})
	}
	router.Claim(s, hcl.Range{}, router.OwnSockets{Program: unit})
	for _, n := range m.Networks.Items {
		router.Claim(s, n.Range, router.UsesLink{Link: n.Target.Link.Target})
	}
}

// reflects tells whether there are links to pass something on between.
func (m *MDNS) reflects() bool { return len(m.devices()) > 1 }

// devices are the networks' links, each once.
func (m *MDNS) devices() []router.IfName { return router.Devices(m.Networks.All()) }

// Judge judges the networks and what becomes of what is found.
func (m *MDNS) Judge(r *router.Router) hcl.Diagnostics {
	diags := router.JudgeServed(m.Networks, "Only hosts of the router's own networks are to be found.", func(n conf.Ref[*router.Network]) *hcl.Diagnostic {
		return diag.Help(diag.Error("mdns-outside", n.Range, "Hosts inside that the Internet is told of",
			"%s is an upstream: what your devices are and offer would be sent there.", n.Target.Addr),
			"Take it out of networks.")
	})
	for _, n := range m.Networks.Items {
		if n.Target.Upstream() || !n.Target.Link.Target.Spec().IPOnly {
			continue
		}
		diags = append(diags, diag.With(diag.Help(diag.Error("no-multicast", n.Range, "No mDNS in a tunnel",
			"%s is on %s, which leads from one host to another: mDNS is sent to all hosts of a link, and Avahi leaves such a one out.", n.Target.Addr, n.Target.Link.Addr),
			"Take %s out of networks.", n.Target.Addr), n.Target.Link.Range, "%s", n.Target.Link.Addr.String()))
	}
	if !m.reflects() {
		switch {
		case m.Types.Set:
			diags = append(diags, m.alone(m.Types.Range, "Types of services that are not passed on"))
		case !m.Publish.V:
			diags = append(diags, m.alone(m.Networks.Range, "Nothing that mDNS could do"))
		}
	}
	return diags
}

// alone is of what only does something between several links.
func (m *MDNS) alone(at hcl.Range, summary string) *hcl.Diagnostic {
	return diag.Help(diag.Error("mdns-alone", at, summary,
		"All the networks are on one link, where hosts find each other without the router."),
		"Name a network on another link, or remove this.")
}

// lower sets services.avahi. The firewall's own option would open the port on all links.
func (m *MDNS) lower(_ *router.Router, to *nixgen.Module) {
	from := service.From(m)
	set := func(v nixgen.Expr, path ...string) {
		to.Set(from, v, append([]string{"services", "avahi"}, path...)...)
	}
	set(nixgen.Bool(true), "enable")
	set(nixgen.Bool(false), "openFirewall")
	set(nixgen.Bool(true), "ipv4")
	set(nixgen.Bool(true), "ipv6")
	set(nixgen.Bool(false), "wideArea")
	to.Set(service.Origin(m.Addr, m.Networks.Range), service.Strs(m.devices()), "services", "avahi", "allowInterfaces")
	set(nixgen.Bool(m.reflects()), "reflector")
	if m.Types.Set {
		var all []string
		for _, t := range m.Types.All() {
			all = append(all, string(t)+".local")
		}
		// The module's last section is [reflector].
		to.Set(service.Origin(m.Addr, m.Types.Range), nixgen.Lines("reflect-filters="+strings.Join(all, ",")+"\n"), "services", "avahi", "extraConfig")
	}
	if m.Publish.V {
		set(nixgen.Bool(true), "publish", "enable")
		set(nixgen.Bool(true), "publish", "addresses")
	}
}
