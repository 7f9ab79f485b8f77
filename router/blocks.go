package router

import (
	"net/netip"
	"strings"

	"github.com/hashicorp/hcl/v2"

	"github.com/nbr-dev/nbr/hcl/conf"
)

// System is the router block: what the machine is.
type System struct {
	conf.Header
	Name         conf.Value[Hostname]     `hcl:"name,label"`
	BoardID      conf.Value[string]       `hcl:"board,required" doc:"The board, as nbr boards lists it: bananapi-bpir4."`
	Memory       conf.Value[Size]         `hcl:"memory,optional" doc:"The memory of the board. 8GiB switches on DDR4_4BG_MODE on a BPI-R4."`
	Release      conf.Value[Release]      `hcl:"release,optional" default:"26.05" doc:"The NixOS release of kernel and userland. nbr check says when it has no security fixes any more."`
	StateVersion conf.Value[FirstRelease] `hcl:"state_version,required" doc:"The release the router was first installed with (system.stateVersion). Never changed later."`
	TimeZone     conf.Value[TimeZone]     `hcl:"time_zone,optional" default:"UTC" doc:"The time zone of logs and the console."`
	NameServers  conf.List[Addr]          `hcl:"name_servers,optional" empty:"that is as if it were not there. Name a server, or remove it." doc:"Name servers that the router itself asks. Without them it asks its resolver block or, when there is none, what its upstream's DHCP server names."`
	ConsoleOnly  conf.Value[bool]         `hcl:"console_only,optional" default:"false" doc:"Accept a router that can be reached over its serial console only."`
	Import       conf.List[File]          `hcl:"import,optional" doc:"NixOS modules in the spec's folder that are part of the system."`
	Description  conf.Value[string]       `hcl:"description,optional" doc:"What the router is for; becomes the description of the flake."`
}

// A Bridge joins links to one broadcast domain.
type Bridge struct {
	conf.Header
	Label  conf.Value[Name]   `hcl:"name,label"`
	Name   conf.Value[IfName] `hcl:"name,optional" doc:"The interface's name, when the label is not it."`
	Ports  conf.Refs[Link]    `hcl:"ports,optional" doc:"Ports and other links that the bridge joins, whatever tags their frames have."`
	STP    conf.Value[bool]   `hcl:"stp,optional" default:"false" doc:"Run the spanning tree protocol of the kernel (IEEE 802.1D)."`
	MAC    conf.Value[MAC]    `hcl:"mac,optional" doc:"The bridge's MAC address. Without it IfState derives a stable one."`
	MTU    conf.Value[MTU]    `hcl:"mtu,optional" doc:"Largest packet in bytes."`
	Alias  conf.Value[Alias]  `hcl:"alias,optional" doc:"What it is for, in words of your own, as ip link and SNMP (ifAlias) show them."`
	VLANs  []*PortVLANs       `hcl:"vlans,block" doc:"Ports with the VLANs that they are in, instead of ports: the bridge keeps VLANs apart then, as a switch does. The router itself is in those VLANs that have a vlan block on the bridge."`
	PVID   conf.Value[VLANID] `hcl:"pvid,optional" doc:"Of a bridge with vlans blocks: the VLAN of networks that are on the bridge itself."`
	ifname IfName
}

// LinkName is the interface's name.
func (b *Bridge) LinkName() IfName { return b.ifname }

// SetName names the interface.
func (b *Bridge) SetName(key string) hcl.Diagnostics { return ifName(&b.ifname, b, key, b.Name) }

// A VLAN is an IEEE 802.1Q interface on another link.
type VLAN struct {
	conf.Header
	Label    conf.Value[Name]         `hcl:"name,label"`
	Name     conf.Value[IfName]       `hcl:"name,optional" doc:"The interface's name, when neither the label nor the key of for_each is it."`
	Link     conf.Ref[Link]           `hcl:"link,required" doc:"The link that carries the tagged frames."`
	ID       conf.Value[VLANID]       `hcl:"id,required" doc:"The VLAN identifier."`
	Protocol conf.Value[VLANProtocol] `hcl:"protocol,optional" default:"802.1q" doc:"The tag: 802.1q, or 802.1ad for the outer one of two (QinQ). The inner one is a vlan block on this one."`
	MAC      conf.Value[MAC]          `hcl:"mac,optional" doc:"Its MAC address, where it is to be another one than that which IfState derives, as a provider may want it."`
	MTU      conf.Value[MTU]          `hcl:"mtu,optional" doc:"Largest packet in bytes."`
	Alias    conf.Value[Alias]        `hcl:"alias,optional" doc:"What it is for, in words of your own, as ip link and SNMP (ifAlias) show them."`
	ifname   IfName
}

// LinkName is the interface's name.
func (v *VLAN) LinkName() IfName { return v.ifname }

// VLANProtocol is the tag of a VLAN.
type VLANProtocol string

// The tags of VLANs: of customers and of providers (IEEE 802.1Q and 802.1ad; 0x8100 and 0x88a8).
const (
	CTag VLANProtocol = "802.1q"
	STag VLANProtocol = "802.1ad"
)

// UnmarshalText wants one of the two.
func (p *VLANProtocol) UnmarshalText(b []byte) error {
	return conf.OneOf(p, b, "tag of a VLAN", CTag, STag)
}

// Describe is what the type is in the schema.
func (VLANProtocol) Describe() string { return "802.1q or 802.1ad" }

// SetName names the interface.
func (v *VLAN) SetName(key string) hcl.Diagnostics { return ifName(&v.ifname, v, key, v.Name) }

// A Network is an IP network that the router is part of.
type Network struct {
	conf.Header
	Name        conf.Value[Name]        `hcl:"name,label"`
	Link        conf.Ref[Link]          `hcl:"link,required" doc:"The link that the network is on."`
	IPv4        conf.Value[Address4]    `hcl:"ipv4,optional" doc:"The router's own IPv4 address and the network in one, \"dhcp\", or \"ppp\" on a pppoe link."`
	IPv6        conf.Value[Address6]    `hcl:"ipv6,optional" doc:"The router's own IPv6 address and the network in one, \"auto\" (by router advertisements) or \"dhcp\" (by DHCPv6, with the default route by router advertisements). Hosts get addresses of it by a router_advert block."`
	Prefix      conf.Ref[*Prefix]       `hcl:"prefix,optional" doc:"The delegated prefix that the network is in, beside ipv6 or without."`
	Subnet      conf.Value[Subnet]      `hcl:"subnet,optional" doc:"Which network of 64 bits of the prefix it is, from 0."`
	InterfaceID conf.Value[InterfaceID] `hcl:"interface_id,optional" default:"::1" doc:"The last half of the router's own address in the prefix."`
	Gateway     conf.Value[Addr]        `hcl:"gateway,optional" doc:"The IPv4 default gateway; makes this network an upstream."`
	Gateway6    conf.Value[Addr]        `hcl:"gateway6,optional" doc:"The IPv6 default gateway; makes this network an upstream."`
	Domain      conf.Value[Domain]      `hcl:"domain,optional" doc:"The domain name of the network's hosts."`
	upstream    *Reason                 // what other block makes it one; nil when none does
}

// Device is the interface of the network.
func (n *Network) Device() IfName { return n.Link.Target.LinkName() }

// A Zone is a group of networks that the firewall treats alike.
type Zone struct {
	conf.Header
	Name     conf.Value[Name]       `hcl:"name,label"`
	Networks conf.Refs[*Network]    `hcl:"networks,required" empty:"no packet belongs to the zone. Name its networks, or remove the zone." doc:"The networks of the zone. The firewall tells zones apart by interface: other networks on the same links are in it, too, and a link is in one zone at most."`
	Allow    conf.List[ServiceName] `hcl:"allow,optional" doc:"Services of the router that the zone may use, as in [\"ssh\", \"dns\"]: those of other blocks, of service blocks and of docs/services.md. Everything else towards the router is dropped."`
}

// ServiceName is the name of a service, as a zone allows it or a policy is about it.
type ServiceName string

func (s *ServiceName) UnmarshalText(b []byte) error {
	if !nameRE.Match(b) {
		return errNotService(b)
	}
	*s = ServiceName(b)
	return nil
}

// Describe is what the type is in the schema.
func (ServiceName) Describe() string { return "service name" }

// Names says that a service block may have the name.
func (ServiceName) Names() string { return "service" }

// Action is what a policy does with a packet.
type Action string

func (a *Action) UnmarshalText(b []byte) error {
	return conf.OneOf(a, b, "action", "accept", "drop", "reject")
}

// Describe is what the type is in the schema.
func (Action) Describe() string { return "accept, drop or reject" }

// Protocol is a transport protocol of a policy.
type Protocol string

func (p *Protocol) UnmarshalText(b []byte) error {
	return conf.OneOf(p, b, "protocol of a policy", "tcp", "udp", "icmp")
}

// Describe is what the type is in the schema.
func (Protocol) Describe() string { return "tcp, udp or icmp" }

// A Policy says what may go from zones to other zones, or from the router itself. The first one
// that fits decides; what none allows is dropped, but for what the router itself sends.
type Policy struct {
	conf.Header
	Name       conf.Value[Name]       `hcl:"name,label"`
	From       conf.Refs[Endpoint]    `hcl:"from,required" empty:"no packet comes from there, and the policy decides about none. Name zones, hosts or sets, or remove the policy." doc:"Where new connections come from: zones, hosts, sets of addresses, and the router itself, by the name of its block, as in router.home."`
	To         conf.Refs[Endpoint]    `hcl:"to,required" empty:"no packet goes there, and the policy decides about none. Name zones, hosts or sets, or remove the policy." doc:"Where they go: zones, hosts, and sets of addresses."`
	Action     conf.Value[Action]     `hcl:"action,required" doc:"What happens with them: the first policy that fits decides, in the order of the files' names and then of the lines. What none decides about is dropped, and passes if the router itself sends it. Answers to allowed connections always pass."`
	Services   conf.List[ServiceName] `hcl:"services,optional" empty:"the policy is for all packets, as it is without the list. Name some, or remove it." doc:"Only these services, as in [\"https\", \"dns\"]: those of service blocks and of docs/services.md."`
	Protocols  conf.List[Protocol]    `hcl:"protocols,optional" empty:"the policy is for all protocols, as it is without the list. Name some, or remove it." doc:"Only these protocols."`
	Ports      conf.List[PortRange]   `hcl:"ports,optional" empty:"the policy is for all ports, as it is without the list. Name some, or remove it." doc:"Only these destination ports, of tcp and udp."`
	Family     conf.Value[Family]     `hcl:"family,optional" doc:"Only packets of this version of IP."`
	Schedule   conf.Ref[*Schedule]    `hcl:"schedule,optional" doc:"Only at these times. A connection that the policy lets pass ends with the schedule, and one that it drops or refuses ends when the schedule begins. While the router does not know the time, it lets nothing pass by the policy, or drops and refuses as it says."`
	Limit      conf.Value[Rate]       `hcl:"limit,optional" doc:"Let pass so many new connections, as in \"10/minute\", from all sources together, and drop those beyond. As many as the number pass at once; then each makes room for another as the time goes by."`
	Masquerade conf.Value[bool]       `hcl:"masquerade,optional" default:"false" doc:"Give IPv4 packets the router's own address on the way out (NAT)."`
	SourceNAT  conf.Value[Addr]       `hcl:"source_nat,optional" doc:"Give IPv4 packets this address on the way out: one of the router's in the network that they leave by, or one that is routed to it. In place of masquerade, where another one than that is to be seen."`
	Log        conf.Value[bool]       `hcl:"log,optional" default:"false" doc:"Log new connections, with a limit."`
}

// NAT is the argument by which the policy gives packets another source; false if none does.
func (p *Policy) NAT() (hcl.Range, bool) {
	if p.SourceNAT.Set {
		return p.SourceNAT.Range, true
	}
	return p.Masquerade.Range, p.Masquerade.V
}

// A PortForward leads connections that arrive at the router on to a host behind
// it (destination NAT, IPv4).
type PortForward struct {
	conf.Header
	Name     conf.Value[Name]        `hcl:"name,label"`
	From     conf.Ref[*Zone]         `hcl:"from,required" doc:"The zone that the connections come from. When the host is in it, too, its neighbours get there by the router's address (hairpin NAT), and the host takes the router for the client."`
	Sources  conf.Refs[*AddressSet]  `hcl:"sources,optional" empty:"the forward is for all clients, as it is without the list. Name sets, or remove it." doc:"Only for clients with addresses of these sets."`
	Protocol conf.Value[Transport]   `hcl:"protocol,optional" default:"tcp" doc:"tcp or udp."`
	Port     conf.Value[PortRange]   `hcl:"port,required" doc:"The port, or range of ports, that clients connect to."`
	To       conf.RefOr[*Host, Addr] `hcl:"to,required" doc:"The host that gets the connections: host.nas, or its address."`
	ToPort   conf.Value[Port]        `hcl:"to_port,optional" doc:"The port there, when it is another one."`
	Schedule conf.Ref[*Schedule]     `hcl:"schedule,optional" doc:"Only at these times. Connections to the host end with the schedule. While the router does not know the time, none gets there."`
}

// Target is the address of the host that gets the connections.
func (f *PortForward) Target() netip.Addr {
	if f.To.Ref.Set {
		return f.To.Ref.Target.IPv4.V.Addr
	}
	return f.To.Value.V.Addr
}

// A StaticNAT gives a host an address of its own towards a zone, both ways (IPv4).
type StaticNAT struct {
	conf.Header
	Name    conf.Value[Name] `hcl:"name,label"`
	From    conf.Ref[*Zone]  `hcl:"from,required" doc:"The zone towards which the host has the address."`
	Address conf.Value[Addr] `hcl:"address,required" doc:"An IPv4 address that is routed to the router, and that no network of it has."`
	To      conf.Ref[*Host]  `hcl:"to,required" doc:"The host. What may pass to it and from it is for policies."`
}

// Transport is a protocol with ports.
type Transport string

func (t *Transport) UnmarshalText(b []byte) error {
	return conf.OneOf(t, b, "protocol with ports", "tcp", "udp")
}

// Describe is what the type is in the schema.
func (Transport) Describe() string { return "tcp or udp" }

// A Route is a static route.
type Route struct {
	conf.Header
	Name     conf.Value[Name]      `hcl:"name,label"`
	To       conf.Value[Block]     `hcl:"to,required" doc:"The destination."`
	Type     conf.Value[RouteType] `hcl:"type,optional" default:"unicast" doc:"What becomes of packets to it: the next hop gets them (unicast), or they are dropped and the sender is told nothing (blackhole), that nothing is there (unreachable), or that it may not (prohibit). A route to a part of it leads there all the same."`
	Via      conf.Value[Addr]      `hcl:"via,optional" doc:"The next hop, in one of the router's networks. A unicast route needs one, unless network is that of a tunnel."`
	Network  conf.Ref[*Network]    `hcl:"network,optional" doc:"The network of the next hop, when its address does not tell (link-local). That of a tunnel is enough without a next hop."`
	Metric   conf.Value[Metric]    `hcl:"metric,optional" doc:"Preference among routes to the same destination; the lowest wins."`
	Table    conf.Value[TableID]   `hcl:"table,optional" doc:"The routing table that it is in, instead of the one for all packets. A rule block says which packets the table is for."`
	NextHops []*NextHop            `hcl:"next_hop,block" doc:"One of several routers that share the packets, in place of via (multipath). All packets of a connection take the same."`
}

// A RouteType is what becomes of the packets that a route is for (rtm_type in rtnetlink(7)).
type RouteType string

// Unicast is the type of a route with a next hop. The others have none.
const Unicast RouteType = "unicast"

// UnmarshalText wants one of the types that a route of a spec can have.
func (t *RouteType) UnmarshalText(b []byte) error {
	return conf.OneOf(t, b, "type of route", Unicast, "blackhole", "unreachable", "prohibit")
}

// Describe is what the type is in the schema.
func (RouteType) Describe() string { return "unicast, blackhole, unreachable or prohibit" }

// A Secret is a file on the router that holds a secret. The spec knows its path,
// never its content.
type Secret struct {
	conf.Header
	Name   conf.Value[Name]   `hcl:"name,key"`
	Source conf.Value[Source] `hcl:"source,optional" default:"file" doc:"Who puts the file there: you (file), sops-nix (sops) or agenix."`
	Path   conf.Value[Path]   `hcl:"path,optional" doc:"Where the file is. Required for source = \"file\"; the others have their own place."`
	File   conf.Value[File]   `hcl:"file,optional" doc:"The encrypted file in the spec's folder, for sops and agenix."`
	Key    conf.Value[string] `hcl:"key,optional" doc:"The key inside the sops file, when the label is not it."`
	// forAccounts tells that an account's password is in it.
	forAccounts bool
}

// NamedBy says where a secret is of use. One that is encrypted in the tree is put on the router
// in any case: what the user's own modules do may need it.
func (s *Secret) NamedBy() string {
	if s.Source.V != SourceFile {
		return ""
	}
	return "the block that needs it, as in password_file = " + s.Addr.String()
}

// Source is who puts a secret on the router.
type Source string

// The sources of secrets.
const (
	SourceFile   Source = "file"
	SourceSOPS   Source = "sops"
	SourceAgenix Source = "agenix"
)

func (s *Source) UnmarshalText(b []byte) error {
	return conf.OneOf(s, b, "source of a secret", "file", "sops", "agenix")
}

// Describe is what the type is in the schema.
func (Source) Describe() string { return "file, sops or agenix" }

// ForAccounts tells whether the accounts are made with the secret, which is before any
// unit starts and before its owner has a number. It is to be called after all blocks
// are resolved.
func (s *Secret) ForAccounts() bool { return s.forAccounts }

// Location is where the secret is on the router. sops-nix puts those for accounts into a
// folder of their own, before it makes the accounts (sops.secrets.<name>.neededForUsers).
func (s *Secret) Location() string {
	switch s.Source.V {
	case SourceSOPS:
		if s.forAccounts {
			return "/run/secrets-for-users/" + string(s.Name.V)
		}
		return "/run/secrets/" + string(s.Name.V)
	case SourceAgenix:
		return "/run/agenix/" + string(s.Name.V)
	default:
		return string(s.Path.V)
	}
}

// Staged is where a program finds a secret that it cannot start without: a copy
// of the secret, or a stand-in when there is none.
func (s *Secret) Staged() string { return "/run/nbr/secrets/" + string(s.Name.V) }

// Installer is the unit that puts the secret in place, empty where you do.
func (s *Secret) Installer() string {
	return map[Source]string{SourceSOPS: "sops-install-secrets.service", SourceAgenix: "agenix-install-secrets.service"}[s.Source.V]
}

// An Input changes where an input of the flake comes from, or adds one.
type Input struct {
	conf.Header
	Name   conf.Value[Name]     `hcl:"name,key"`
	URL    conf.Value[FlakeURL] `hcl:"url,required" doc:"The flake reference, as in github:nakato/nixos-sbc/main."`
	Follow conf.List[Name]      `hcl:"follows,optional" doc:"Inputs of that flake that are to be ours of the same name."`
	Flake  conf.Value[bool]     `hcl:"flake,optional" default:"true" doc:"It is a flake. false for files alone, as a repository of lists."`
}

// Types are the core's block types, in the order of the documentation.
func Types() []conf.BlockType {
	return []conf.BlockType{
		{Type: "router", Doc: "What the machine is. Each spec has one.", Example: routerExample, New: func() conf.Block { return &System{} }},
		{Type: "port", Doc: "A network port that the board does not have by itself: each of a PC, a card in a slot, an adapter. With the name of one of the board's own: what is to be otherwise with that.", Example: portExample, New: func() conf.Block { return &BoardPort{Kind: PortCard} }},
		{Type: "bridge", Doc: "Joins ports and other links to one broadcast domain.", Example: bridgeExample, New: func() conf.Block { return &Bridge{} }},
		{Type: "link", Doc: "An interface that another program makes, such as a modem's wwan0: nbr neither makes nor removes it.", Example: linkExample, New: func() conf.Block { return &External{} }},
		{Type: "vlan", Doc: "An IEEE 802.1Q interface on another link.", Example: vlanExample, New: func() conf.Block { return &VLAN{} }},
		{Type: "network", Doc: "An IP network that the router is part of.", Example: networkExample, New: func() conf.Block { return &Network{} }},
		{Type: "host", Doc: "A machine in one of the networks: its name, its addresses, and what policies and port forwards call it.", Example: hostExample, New: func() conf.Block { return &Host{} }},
		{Type: "prefix", Doc: "An IPv6 prefix that an upstream delegates to the router (DHCPv6-PD); networks are in it.", Example: prefixExample, New: func() conf.Block { return &Prefix{} }},
		{Type: "route", Doc: "A static route.", Example: routeExample, New: func() conf.Block { return &Route{} }},
		{Type: "rule", Doc: "Which packets another routing table than the main one decides about.", Example: ruleExample, New: func() conf.Block { return &RoutingRule{} }},
		{Type: "zone", Doc: "A group of networks that the firewall treats alike.", Example: zoneExample, New: func() conf.Block { return &Zone{} }},
		{Type: "address_set", Doc: "A group of hosts, networks, addresses and lists in files, for policies and port forwards.", Example: addressSetExample, New: func() conf.Block { return &AddressSet{} }},
		{Type: "service", Doc: "A service that nbr does not run, by a name for zones and policies.", Example: serviceExample, New: func() conf.Block { return &Service{} }},
		{Type: "schedule", Doc: "Times of the week at which policies and port forwards count.", Example: scheduleExample, New: func() conf.Block { return &Schedule{} }},
		{Type: "policy", Doc: "What may go from zones to other zones, and whether it is masqueraded.", Example: policyExample, New: func() conf.Block { return &Policy{} }},
		{Type: "port_forward", Doc: "Leads connections from outside to a host behind the router.", Example: portForwardExample, New: func() conf.Block { return &PortForward{} }},
		{Type: "static_nat", Doc: "Gives a host an IPv4 address of its own towards outside, both ways (1:1 NAT).", Example: staticNATExample, New: func() conf.Block { return &StaticNAT{} }},
		{Type: "prefix_nat", Doc: "Gives a prefix of unique local IPv6 addresses another one outside, both ways (NPTv6).", Example: prefixNATExample, New: func() conf.Block { return &PrefixNAT{} }},
		{Type: "secret", Doc: "A file on the router that holds a secret, by its path.", Example: secretExample, New: func() conf.Block { return &Secret{} }},
		{Type: "input", Doc: "Changes or adds an input of the flake.", Example: inputExample, New: func() conf.Block { return &Input{} }},
	}
}

// Add puts a sound block into the router: one of the core's, or one of a service that
// is a link.
func (r *Router) Add(b conf.Block) {
	r.index = nil
	switch b := b.(type) {
	case *Network:
		r.Networks = append(r.Networks, b)
	case *Host:
		r.Hosts = append(r.Hosts, b)
	case *AddressSet:
		r.Sets = append(r.Sets, b)
	case *Service:
		r.Services = append(r.Services, b)
	case *Prefix:
		r.Prefixes = append(r.Prefixes, b)
	case *Route:
		r.Routes = append(r.Routes, b)
	case *RoutingRule:
		r.RoutingRules = append(r.RoutingRules, b)
	case *Zone:
		r.Zones = append(r.Zones, b)
	case *Schedule:
		r.Schedules = append(r.Schedules, b)
	case *Policy:
		r.Policies = append(r.Policies, b)
	case *PortForward:
		r.PortForwards = append(r.PortForwards, b)
	case *StaticNAT:
		r.StaticNATs = append(r.StaticNATs, b)
	case *PrefixNAT:
		r.PrefixNATs = append(r.PrefixNATs, b)
	case *Secret:
		r.Secrets = append(r.Secrets, b)
	case *Input:
		r.Inputs = append(r.Inputs, b)
	case *BoardPort:
		r.addPort(b)
	case Link:
		r.Made, r.masters, r.vrfPorts = append(r.Made, b), nil, nil
	}
}

// LaterTexts are those attributes that a service's expressions cannot use, since they come
// later, each with how.
func LaterTexts(b conf.Block) map[string]string {
	out := map[string]string{}
	if n, ok := b.(*Network); ok {
		_, later := n.Split()
		for _, a := range later {
			out[strings.ToLower(a.Family.String())] = a.How.String()
		}
	}
	return out
}

// Texts are the attributes of a core block that a service's expressions may use,
// as in network.lan.ipv4.
func Texts(b conf.Block) map[string]string {
	out := map[string]string{}
	switch b := b.(type) {
	case *Network:
		if p, ok := b.FixedIn(IPv4); ok {
			out["ipv4"] = p.String()
		}
		if p, ok := b.FixedIn(IPv6); ok {
			out["ipv6"] = p.String()
		}
		if b.Domain.Set {
			out["domain"] = string(b.Domain.V)
		}
	case *Host:
		out["name"] = string(b.Name.V)
		if b.IPv4.Set {
			out["ipv4"] = b.IPv4.V.String()
		}
		if b.MAC.Set {
			out["mac"] = string(b.MAC.V)
		}
	case Link:
		out["name"] = string(b.LinkName())
	}
	return out
}
