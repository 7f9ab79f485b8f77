package router

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"sync"

	"github.com/hashicorp/hcl/v2"

	"github.com/nbr-dev/nbr/hcl/conf"
	"github.com/nbr-dev/nbr/hcl/diag"
)

// A Service is something that hosts offer, or a program of the router that nbr does not run,
// by a name for allow and for policies.
type Service struct {
	conf.Header
	Name  conf.Value[ServiceName] `hcl:"name,key"`
	Ports conf.List[Packets]      `hcl:"ports,required" empty:"error: no packet is the service's. Name its ports, as in ports = [\"tcp/8123\"], or remove it." doc:"What its clients send to: protocol and port, as in tcp/8123 or udp/10000-20000; a type of ICMP messages, as in icmp/8; or a protocol without ports, as gre."`
}

// Packets are what a service is known by in a packet. The zero Packets are all.
type Packets struct {
	Protocol IPProtocol // 0 is any
	Ports    PortRange  // destinations, of protocols with ports; the zero range is any
	ICMP     uint16     // one more than the type of ICMP or ICMPv6 messages; 0 is any
	Family   Family     // of a policy for one version of IP
}

// MessageType is a type of messages of ICMP or ICMPv6, as Packets have it.
func MessageType(n uint8) uint16 { return uint16(n) + 1 }

// protocols are the protocols of a service by their names, which for ICMPv6 is not nft's.
var protocols = map[string]IPProtocol{
	"icmp": ICMP, "igmp": 2, "tcp": TCP, "udp": UDP, "gre": 47, "esp": 50, "ah": 51,
	"icmpv6": ICMPv6, "ospf": OSPF, "pim": 103, "vrrp": VRRP, "sctp": SCTP,
}

func (p *Packets) UnmarshalText(b []byte) error {
	name, value, valued := strings.Cut(string(b), "/")
	proto, known := protocols[name]
	var first, ports PortRange
	switch {
	case first.UnmarshalText([]byte(name)) == nil && protocols[value] != 0:
		return diag.Advise(fmt.Errorf("%q begins with the port", b), "write %s/%s", value, name)
	case first.UnmarshalText([]byte(name)) == nil:
		return diag.Advise(fmt.Errorf("%q does not say of which protocol the port is", b), "write tcp/%s or udp/%[1]s", name)
	case !known:
		return diag.Advise(fmt.Errorf("%q is no protocol of a service", name), "write one of %s", strings.Join(slices.Sorted(maps.Keys(protocols)), ", "))
	case proto.HasPorts():
		if err := ports.UnmarshalText([]byte(value)); err != nil {
			return diag.Advise(fmt.Errorf("%q has no port or range of ports of %s", b, name), "write them after a slash, as in %s/8123 or %[1]s/1-65535", name)
		}
		*p = Packets{Protocol: proto, Ports: ports}
		return nil
	case !valued:
		*p = Packets{Protocol: proto}
		return nil
	case proto == ICMP || proto == ICMPv6:
		n, err := strconv.ParseUint(value, 10, 8)
		if err != nil {
			return diag.Advise(fmt.Errorf("%q is no type of a message of ICMP", value), "write its number, 0 to 255: icmp/8 and icmpv6/128 are pings")
		}
		*p = Packets{Protocol: proto, ICMP: MessageType(uint8(n))}
		return nil
	}
	return diag.Advise(fmt.Errorf("%s has no ports", name), "write %q", name)
}

// String is as the spec writes it.
func (p Packets) String() string {
	name := p.Protocol.String()
	for n, proto := range protocols {
		if proto == p.Protocol {
			name = n
		}
	}
	switch {
	case p.Ports != PortRange{}:
		return name + "/" + p.Ports.String()
	case p.ICMP != 0:
		return fmt.Sprintf("%s/%d", name, p.ICMP-1)
	}
	return name
}

// Describe is what the type is in the schema.
func (Packets) Describe() string { return "protocol, or protocol, a slash and a port" }

// Messages are the types of ICMP or ICMPv6 messages; none are all.
func (p Packets) Messages() []uint8 {
	if p.ICMP == 0 {
		return nil
	}
	return []uint8{uint8(p.ICMP - 1)}
}

// covers tells whether all packets of o are of p.
func (p Packets) covers(o Packets) bool {
	return (p.Protocol == 0 || p.Protocol == o.Protocol) && (p.Family == AnyFamily || p.Family == o.Family) &&
		(p.Ports == PortRange{} || o.Ports != PortRange{} && p.Ports.First <= o.Ports.First && o.Ports.Last <= p.Ports.Last) &&
		(p.ICMP == 0 || p.ICMP == o.ICMP)
}

// A WellKnown is a service that needs no block.
type WellKnown struct {
	Name  string
	IANA  string // its name there, where that is another one
	Ports string // as a block's, with blanks between them
	Block string // the type of block by which the router offers it itself; empty if none does
}

// WellKnowns are the services that need no block, by name: ports of the Service Name and
// Transport Protocol Port Number Registry (IANA), of protocols that are in use.
var WellKnowns = []WellKnown{
	{Name: "bgp", Ports: "tcp/179"},
	{Name: "dhcp", IANA: "bootps", Ports: "udp/67", Block: "dhcp4"},
	{Name: "dhcp6", IANA: "dhcpv6-server", Ports: "udp/547", Block: "dhcp6"},
	{Name: "dns", IANA: "domain", Ports: "tcp/53 udp/53", Block: "resolver"},
	{Name: "dns-tls", IANA: "domain-s", Ports: "tcp/853 udp/853", Block: "resolver"}, // RFC 7858, RFC 9250
	{Name: "ftp", Ports: "tcp/21"},
	{Name: "git", Ports: "tcp/9418"},
	{Name: "http", Ports: "tcp/80"},
	{Name: "https", Ports: "tcp/443 udp/443"}, // RFC 9114
	{Name: "imap", Ports: "tcp/143"},
	{Name: "imaps", Ports: "tcp/993"},
	{Name: "ipp", Ports: "tcp/631"},
	{Name: "ipsec", IANA: "isakmp, ipsec-nat-t", Ports: "udp/500 udp/4500 esp", Block: "ipsec"},
	{Name: "jetdirect", IANA: "pdl-datastream", Ports: "tcp/9100"},
	{Name: "kerberos", Ports: "tcp/88 udp/88"},
	{Name: "l2tp", IANA: "l2f", Ports: "udp/1701"},
	{Name: "ldap", Ports: "tcp/389"},
	{Name: "ldaps", Ports: "tcp/636"},
	{Name: "mdns", Ports: "udp/5353", Block: "mdns"},
	{Name: "mqtt", Ports: "tcp/1883", Block: "mqtt"},
	{Name: "mqtts", IANA: "secure-mqtt", Ports: "tcp/8883", Block: "mqtt"},
	{Name: "mysql", Ports: "tcp/3306"},
	{Name: "nfs", Ports: "tcp/2049"},
	{Name: "ntp", Ports: "udp/123", Block: "time"},
	{Name: "openvpn", Ports: "tcp/1194 udp/1194"},
	{Name: "ping", Ports: "icmp/8 icmpv6/128"},
	{Name: "pop3s", Ports: "tcp/995"},
	{Name: "postgresql", Ports: "tcp/5432"},
	{Name: "radius", Ports: "udp/1812", Block: "radius"},
	{Name: "rdp", IANA: "ms-wbt-server", Ports: "tcp/3389 udp/3389"},
	{Name: "rsync", Ports: "tcp/873"},
	{Name: "sip", Ports: "tcp/5060 udp/5060"},
	{Name: "sips", Ports: "tcp/5061"},
	{Name: "smb", IANA: "microsoft-ds", Ports: "tcp/445"},
	{Name: "smtp", Ports: "tcp/25"},
	{Name: "snmp", Ports: "udp/161", Block: "snmp"},
	{Name: "ssh", Ports: "tcp/22", Block: "ssh"},
	{Name: "stun", Ports: "tcp/3478 udp/3478"},
	{Name: "submission", Ports: "tcp/587"},
	{Name: "submissions", Ports: "tcp/465"},
	{Name: "syslog", Ports: "udp/514"},
	{Name: "telnet", Ports: "tcp/23"},
	{Name: "tftp", Ports: "udp/69"},
	{Name: "vnc", IANA: "rfb", Ports: "tcp/5900"},
	{Name: "wireguard", Ports: "udp/51820", Block: "wireguard"}, // the port is a custom
	{Name: "xmpp", IANA: "xmpp-client", Ports: "tcp/5222"},
}

// wellKnown is the service of this name that needs no block; false if there is none.
func wellKnown(name ServiceName) (WellKnown, bool) {
	i, ok := slices.BinarySearchFunc(WellKnowns, string(name), func(w WellKnown, n string) int { return strings.Compare(w.Name, n) })
	if !ok {
		return WellKnown{}, false
	}
	return WellKnowns[i], true
}

// wellKnownPackets are the ports of the well-known services, by name.
var wellKnownPackets = sync.OnceValue(func() map[string][]Packets {
	out := map[string][]Packets{}
	for _, w := range WellKnowns {
		for text := range strings.FieldsSeq(w.Ports) {
			var p Packets
			if err := p.UnmarshalText([]byte(text)); err != nil {
				panic("router: " + w.Name + ": " + err.Error())
			}
			out[w.Name] = append(out[w.Name], p)
		}
	}
	return out
})

// service is the block of this name, or nil.
func (r *Router) service(name ServiceName) *Service { return r.lookUp().services[name] }

// PacketsOf are those that a service has on any host; none if there is no such service.
func (r *Router) PacketsOf(name ServiceName) []Packets {
	if s := r.service(name); s != nil {
		return s.Ports.All()
	}
	return slices.Clone(wellKnownPackets()[string(name)])
}

// Opened are the packets that allow opens by a name of a service that nbr does not run: that a
// program listens is the spec's word. There are none for what nbr runs.
func (r *Router) Opened(name ServiceName) []Packets {
	if w, ok := wellKnown(name); ok && w.Block != "" {
		return nil
	}
	return r.PacketsOf(name)
}

// listenOpened claims the sockets of the services that zones allow and nbr does not run.
func (r *Router) listenOpened(scope func(conf.Block) *Scope) {
	claimed := map[ServiceName]bool{}
	for _, z := range r.Zones {
		for _, a := range z.Allow.Items {
			if claimed[a.V] {
				continue
			}
			claimed[a.V] = true
			s, from := scope(z), a.Range
			if by := r.service(a.V); by != nil {
				s, from = scope(by), by.Ports.Range
			}
			for _, p := range r.Opened(a.V) {
				if p.Protocol.HasPorts() {
					s.Listen(from, Listen{Service: string(a.V), Protocol: p.Protocol, Port: int(p.Ports.First), Last: int(p.Ports.Last), Said: true})
				}
			}
		}
	}
}

// ruleServices judges each service by itself and beside the names that are taken.
func ruleServices(r *Router) hcl.Diagnostics {
	var diags hcl.Diagnostics
	for _, s := range r.Services {
		for i, p := range s.Ports.Items {
			for _, before := range s.Ports.Items[:i] {
				if before.V.Protocol == p.V.Protocol && (before.V.Ports.Overlaps(p.V.Ports) || before.V.covers(p.V) || p.V.covers(before.V)) {
					diags = append(diags, diag.With(diag.Help(diag.Error("ports-twice", p.Range, "Ports that are there already",
						"%s and %s of %s have ports or messages in common.", before.V, p.V, s.Addr),
						"Write each once."), before.Range, "the first time"))
					break
				}
			}
		}
		if w, ok := wellKnown(s.Name.V); ok {
			diags = append(diags, diag.Help(diag.Error("service-name-taken", s.Def, "Name of a well-known service",
				"%q is %s in the table of services that need no block (docs/services.md).", w.Name, strings.ReplaceAll(w.Ports, " ", ", ")),
				"Use that one without a block, or give this one another name."))
			continue
		}
		for _, l := range r.Listening(string(s.Name.V)) {
			if !l.Said {
				diags = append(diags, diag.Help(clash("service-name-taken", "Name of a service of the router", l.By, By{s.Addr, s.Def},
					"%s has the service %q already.", l.Addr, l.Service),
					"Give this one another name."))
				break
			}
		}
	}
	return diags
}

// A NamesService is a line of a service's own that names a service, as policies do.
type NamesService struct {
	By
	Service ServiceName
}

// rulePolicyServices judges the names of services in policies, and in what claims to name them.
func rulePolicyServices(r *Router) hcl.Diagnostics {
	var diags hcl.Diagnostics
	judge := func(name ServiceName, at hcl.Range) {
		if len(r.PacketsOf(name)) == 0 {
			hint := diag.Suggest(string(name), r.serviceNames())
			diags = append(diags, diag.Respell(diag.Help(diag.Error("no-such-service", at, "No such service",
				"No service block is called %q, and none of those that need no block is (docs/services.md).", name),
				"%s Add one, as in service %q { ports = [\"tcp/8123\"] }.", hint, name), at, hint))
		}
	}
	for _, p := range r.Policies {
		for _, s := range p.Services.Items {
			judge(s.V, s.Range)
		}
	}
	for _, n := range Claimed[NamesService](r) {
		judge(n.Service, n.From)
	}
	return diags
}

// ruleServicesAndPorts finds policies that are about services, and about ports beside them.
func ruleServicesAndPorts(r *Router) hcl.Diagnostics {
	var diags hcl.Diagnostics
	for _, p := range r.Policies {
		if p.Services.Set && (p.Protocols.Set || p.Ports.Set) {
			d := diag.Help(diag.Error("services-and-ports", p.Services.Range, "Services beside protocols or ports",
				"A service says its protocols and ports itself, and %s says others.", p.Addr),
				"Leave one of the two out; ports of your own get a name by a service block.")
			if p.Protocols.Set {
				diag.With(d, p.Protocols.Range, "protocols")
			}
			if p.Ports.Set {
				diag.With(d, p.Ports.Range, "ports")
			}
			diags = append(diags, d)
		}
	}
	return diags
}

// serviceNames are the names of all services that policies may name.
func (r *Router) serviceNames() []string {
	var out []string
	for _, w := range WellKnowns {
		out = append(out, w.Name)
	}
	for _, s := range r.Services {
		out = append(out, string(s.Name.V))
	}
	return out
}

// ServiceNames are the names that a zone may allow, sorted: of what the router serves, of service blocks and of
// those that need none.
func (r *Router) ServiceNames() []string {
	names := r.serviceNames()
	for _, l := range Claimed[Listen](r) {
		names = append(names, l.Service)
	}
	slices.Sort(names)
	return slices.Compact(names)
}

// ruleUnusedServices finds services that no zone, no policy and nothing else names.
func ruleUnusedServices(r *Router) hcl.Diagnostics {
	used := map[ServiceName]bool{}
	for _, z := range r.Zones {
		for _, name := range z.Allow.All() {
			used[name] = true
		}
	}
	for _, p := range r.Policies {
		for _, name := range p.Services.All() {
			used[name] = true
		}
	}
	for _, n := range Claimed[NamesService](r) {
		used[n.Service] = true
	}
	var diags hcl.Diagnostics
	for _, s := range r.Services {
		if !used[s.Name.V] {
			diags = append(diags, diag.Help(diag.Warning("service-unused", s.Def, "Service that no rule uses",
				"No zone allows %s and no policy names it.", s.Addr),
				"Add %q to allow of a zone or to services of a policy, or remove it.", s.Name.V))
		}
	}
	return diags
}
