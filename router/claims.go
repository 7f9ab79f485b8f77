package router

import (
	"cmp"
	"net/netip"
	"reflect"
	"slices"

	"github.com/hashicorp/hcl/v2"

	"github.com/nbr-dev/nbr/hcl/conf"
	"github.com/nbr-dev/nbr/hcl/diag"
)

// By says who claims something and where the spec says so.
type By struct {
	Addr conf.Addr
	From hcl.Range
}

// A Listen is a socket on which a program of the router waits. The firewall
// opens it to the zones that allow its service.
type Listen struct {
	By
	Service  string // its name in zone.allow
	Protocol IPProtocol
	Port     int
	Last     int        // the last one of several ports
	Networks []*Network // where it is served; empty is every network
	Unit     string     // the systemd unit that opens it, without .service; empty for the kernel
	// Shared sockets are one for all blocks whose program has the unit.
	Shared bool
	// Said says that a program which nbr does not run listens: the spec allows its service.
	Said bool
}

// Ports are the port or ports of the socket.
func (l *Listen) Ports() PortRange { return PortRange{Port(l.Port), Port(max(l.Port, l.Last))} }

// Serves tells whether the socket is served on the network.
func (l *Listen) Serves(n *Network) bool {
	return len(l.Networks) == 0 || slices.Contains(l.Networks, n)
}

// A Kernel is an option that the kernel must have been built with.
type Kernel struct {
	By
	Symbol string // without CONFIG_
	Why    string // what needs it, for people: "WireGuard"
}

// A Sysctl is a kernel parameter, with dots.
type Sysctl struct {
	By
	Key   string
	Value string
	// WhileFirewallUp parameters have their value only while the firewall is loaded,
	// and 0 before and after.
	WhileFirewallUp bool
}

// A Purpose is what a secret is for. Who has a secret for one purpose could do with it what
// it is for by another, so a secret has one.
type Purpose string

// The purposes of secrets.
const (
	PrivateKey      Purpose = "a private key"
	PresharedKey    Purpose = "a preshared key"
	AccountPassword Purpose = "the password of an account"
	RoutingPassword Purpose = "a password of routers"
	CertificateKey  Purpose = "the key of a certificate"
	DialInPassword  Purpose = "a password for a provider"
	TransferKey     Purpose = "a key of DNS servers"
	RADIUSSecret    Purpose = "the secret of a RADIUS server"

	WiFiPassword Purpose = "a password of Wi-Fi"
	MQTTPassword Purpose = "the password of a user of MQTT"

	SNMPAuthentication Purpose = "a passphrase of SNMP for authentication"
	SNMPPrivacy        Purpose = "a passphrase of SNMP for privacy"
)

// A SecretUse is a program that reads a secret.
type SecretUse struct {
	By
	Secret *Secret
	For    Purpose
	// User is who proves with the secret who they are, if it is one of several: two users of a program with
	// one secret are one user with two names.
	User  string
	Owner string // user that must be able to read it
	Unit  string // unit that reads it when it starts, without .service
	// Account says that it is the password of an account.
	Account bool
	// Stand-in is a command that prints a value, and its package, for a secret that
	// the network cannot start without: a missing WireGuard key must cost the
	// tunnel, not the house's network.
	StandIn, StandInPackage string
}

// An MQTTUser is a client that the router's own broker of MQTT takes.
type MQTTUser struct {
	By
	Name     string
	Password *Secret
	At       []netip.AddrPort // the addresses of the broker
	TLS      string           // the name in its certificate; empty if it does not speak TLS
	Unit     string           // the broker's, without .service
	// Owns tells whether the user both receives and publishes all that a topic filter has (MQTT 5.0
	// section 4.7).
	Owns func(filter string) bool
}

// A Start is a unit that must not start before the links are there (nixpkgs issue
// 396806: a DHCP server that starts first listens nowhere, for ever).
type Start struct {
	By
	Unit string // without .service
}

// A LookGroup is a group that the user who looks at the router has to be in, so that a
// program answers the questions of nbr verify and of the agent.
type LookGroup struct {
	By
	Group string
}

// A Login is a user who can log in over the network.
type Login struct {
	By
	User     string
	Groups   []string // that the user is in
	Root     bool     // is root, or can become it
	Password bool     // logs in by a password, not by a key
	Keys     []SSHKey // that the user logs in by; none with a password
}

// A ResolveUnsigned is a host name that has to resolve before the router knows what
// time it is: the time itself comes from there, and no signature of DNSSEC can be
// judged without it.
type ResolveUnsigned struct {
	By
	Host string
}

// An Asks is a server, or another end of a tunnel, that the router sends to by itself.
type Asks struct {
	By
	Server netip.Addr // the zero address if the spec does not know it
	// All says that it is not one server: any of the Internet may be asked.
	All      bool
	Packets  []Packets  // what it is sent, all of which it needs
	Networks []*Network // by which; none is where the routes lead
}

// An AddedRoutes says that a user adds to the configuration of a program what may make routes,
// or has interfaces left alone that another program makes.
type AddedRoutes struct{ By }

// A DeviceRoute is a destination that is reached through a link that a service makes.
type DeviceRoute struct {
	By
	To   netip.Prefix
	Link Link
}

// A Confined says that packets for some destinations go through a link or nowhere: no upstream gets one, also while
// the link is gone, and its routes with it.
type Confined struct {
	By
	To   []netip.Prefix // without default routes
	Link Link
}

// A Behind is a network on a link of another router, whose hosts reach this one through a network of
// its own. Each block that serves such hosts claims it, as a DHCP server behind a relay; [Router.Sources]
// reads it for all that judge where packets may come from.
type Behind struct {
	By
	Network *Network // through which
	Prefix  netip.Prefix
}

// Sources are the prefixes of which the spec knows that hosts with an address there reach the
// router through a network: its fixed ones, and those behind it.
func (r *Router) Sources(n *Network) []netip.Prefix {
	var out []netip.Prefix
	fixed, _ := n.Split()
	for _, p := range fixed {
		out = append(out, p.Masked())
	}
	for _, b := range Claimed[Behind](r) {
		if b.Network == n {
			out = append(out, b.Prefix)
		}
	}
	return out
}

// A LinkLocal is a network in which the router needs no address but the link-local one of IPv6 that each link
// has (RFC 4862 section 5.3): another router is reached by the link alone.
type LinkLocal struct {
	By
	Network *Network
}

// An Advertised is a network whose hosts are told of the router by router advertisements.
type Advertised struct {
	By
	Network *Network
}

// A VirtualRouter is a router that several machines are in turn (VRRP, RFC 9568): at any time one of them
// has its addresses, which hosts of a network use as their gateway.
type VirtualRouter struct {
	By
	Network   *Network
	ID        int          // on the link, among those of a version of IP
	Addresses []netip.Addr // of one version of IP
}

// A DHCPv6 is a network whose hosts may ask the router by DHCPv6, which router advertisements
// tell them (RFC 4861 section 4.2).
type DHCPv6 struct {
	By
	Network   *Network
	Addresses bool // it leases addresses, and does not only say the rest
}

// A Shape is a link whose packets wait in queues of the router's own, of what it sends and of
// what arrives, each with a bandwidth (CAKE, tc-cake(8)). Each block that knows the bandwidth of a link
// may claim it, one for a link; the program that makes links reads it and sets the queues.
type Shape struct {
	By
	Link    Link
	Out, In Queue
	IFB     IfName // the interface that has the queue In, for no link has one of what arrives
}

// A Queue is the CAKE of one direction.
type Queue struct {
	Bandwidth string // as tc(8) has it
	// Attributes are the others: TCA_CAKE_OVERHEAD (linux/pkt_sched.h) is overhead.
	Attributes []LinkAttribute
}

// A Boot is how many generations of the system have a kernel in /boot. The block that sets a boot loader
// claims it; the board reads it, which knows how much room there is. The first one counts.
type Boot struct {
	By
	Generations int
}

// An Agent is how the router is verified for as long as it runs. The block that has nbr agent run claims
// it, so one of a third party's may; nbr agent itself reads it. The first one counts.
type Agent struct {
	By
	Interval Seconds  // between looks when nothing happens
	Listen   []string // where its pages are served: unix:PATH or an address and a port
	Names    []string // by which clients may ask for the pages, in lower case
	Passive  bool     // it sends nothing
}

// A UsesLink is a link that a program sends and hears frames on: a port that nothing else uses is up
// for it.
type UsesLink struct {
	By
	Link Link
}

// A Joins is an interface that a program makes and puts into a bridge itself, whenever it starts, as
// an access point does with those of its networks.
type Joins struct {
	By
	Port   IfName
	Of     Link // whose interface it is; nil of one that the program makes
	Bridge Link
}

// joined tells whether a program puts an interface into a bridge.
func (r *Router) joined(l Link) bool {
	return slices.ContainsFunc(Claimed[Joins](r), func(j *Joins) bool { return j.Bridge == l })
}

// A Battery says that the clock goes on while the router is off.
type Battery struct{ By }

// A Package is a program for the router's administrators, by its attribute in
// nixpkgs.
type Package struct {
	By
	Attr string
}

// claims are what the blocks of a router need of things they share: lists by the type
// of the claim.
type claims map[reflect.Type]any

// Claimed are the claims of one type, in the order of the kinds and, within a kind, of
// the spec. The type of a claim is any struct that embeds By: one that a service of
// another module brings, too.
func Claimed[T any](r *Router) []*T {
	list, _ := r.claims[reflect.TypeFor[T]()].([]*T)
	return list
}

// claim is what a pointer to a struct that embeds By is.
type claim[T any] interface {
	*T
	setBy(By)
}

func (b *By) setBy(by By) { *b = by }

// Claim adds a claim; from is the line that asks for it, or the whole block if it is
// the zero range.
func Claim[T any, P claim[T]](s *Scope, from hcl.Range, v T) {
	P(&v).setBy(s.at(from))
	t := reflect.TypeFor[T]()
	list, _ := s.claims[t].([]*T)
	s.claims[t] = append(list, &v)
}

// A Scope is what a block may use while it claims: the core's blocks. Claims are only
// written to it. What others claim is not known yet, so Claimed has nothing for its
// Router.
type Scope struct {
	*Router
	claims claims
	by     By
}

// Scopes returns the scope of each block. What is claimed there becomes the router's. The core's
// own claims are made already.
func (r *Router) Scopes() func(conf.Block) *Scope {
	r.claims = claims{}
	blind := *r
	blind.claims = nil
	scope := func(b conf.Block) *Scope {
		return &Scope{&blind, r.claims, By{b.Head().Addr, b.Head().Def}}
	}
	r.listenOpened(scope)
	return scope
}

// at is the block, at the line that says it.
func (s *Scope) at(from hcl.Range) By {
	if from == (hcl.Range{}) {
		return s.by
	}
	return By{s.by.Addr, from}
}

// Listen claims a socket; from is the line that asks for it. Its unit waits for
// the links.
func (s *Scope) Listen(from hcl.Range, l Listen) {
	Claim(s, from, l)
	if l.Unit != "" {
		s.AfterLinks(from, l.Unit)
	}
}

// AfterLinks claims that a unit starts after the links are there.
func (s *Scope) AfterLinks(from hcl.Range, unit string) { Claim(s, from, Start{Unit: unit}) }

// Kernel claims options of the kernel, without CONFIG_.
func (s *Scope) Kernel(from hcl.Range, why string, symbols ...string) {
	for _, sym := range symbols {
		Claim(s, from, Kernel{Symbol: sym, Why: why})
	}
}

// Sysctl claims a kernel parameter.
func (s *Scope) Sysctl(from hcl.Range, key, value string) {
	Claim(s, from, Sysctl{Key: key, Value: value})
}

// WhileFirewallUp claims a kernel parameter for the time in which the firewall is
// loaded.
func (s *Scope) WhileFirewallUp(from hcl.Range, key, value string) {
	Claim(s, from, Sysctl{Key: key, Value: value, WhileFirewallUp: true})
}

// Secret claims to read a secret.
func (s *Scope) Secret(from hcl.Range, u SecretUse) {
	u.Secret.forAccounts = u.Secret.forAccounts || u.Account
	Claim(s, from, u)
}

// Package claims a program for the router's administrators, by its attribute in
// nixpkgs.
func (s *Scope) Package(from hcl.Range, attr string) { Claim(s, from, Package{Attr: attr}) }

// KernelSymbols are the claimed options, sorted, each with its first claim.
func (r *Router) KernelSymbols() []*Kernel {
	return firsts(Claimed[Kernel](r), func(k *Kernel) string { return k.Symbol })
}

// SysctlKeys are the claimed kernel parameters, sorted, each with its first claim.
func (r *Router) SysctlKeys() []*Sysctl {
	return firsts(Claimed[Sysctl](r), func(k *Sysctl) string { return k.Key })
}

// PackageAttrs are the claimed programs, sorted, each with its first claim.
func (r *Router) PackageAttrs() []*Package {
	return firsts(Claimed[Package](r), func(p *Package) string { return p.Attr })
}

// StartUnits are the units that wait for the links, sorted, each with its first
// claim.
func (r *Router) StartUnits() []*Start {
	return firsts(Claimed[Start](r), func(s *Start) string { return s.Unit })
}

// LookGroups are the groups of the user who looks at the router, sorted, each with its
// first claim.
func (r *Router) LookGroups() []*LookGroup {
	return firsts(Claimed[LookGroup](r), func(g *LookGroup) string { return g.Group })
}

// firsts sorts by key and keeps the first of those with the same key.
func firsts[T any](in []T, key func(T) string) []T {
	out := slices.Clone(in)
	slices.SortStableFunc(out, func(a, b T) int { return cmp.Compare(key(a), key(b)) })
	return slices.CompactFunc(out, func(a, b T) bool { return key(a) == key(b) })
}

// clash says that two blocks want the same thing.
func clash(code, summary string, a, b By, detail string, args ...any) *hcl.Diagnostic {
	return diag.With(diag.Error(code, b.From, summary, detail, args...), a.From, "%s", a.Addr.String())
}
