package router

import (
	"cmp"
	"net/netip"
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
	Protocol string // tcp or udp
	Port     int
	Networks []*Network // where it is served; empty is every network
	Unit     string     // the systemd unit that opens it, without .service; empty for the kernel
}

// Serves tells whether the socket is served on the network.
func (l *Listen) Serves(n *Network) bool {
	return len(l.Networks) == 0 || slices.Contains(l.Networks, n)
}

// An Open is a way through the input chain that is not a service for zones, such
// as the answers of a DHCP server to the router's own client.
type Open struct {
	By
	Networks []*Network
	Protocol string
	Source   int // port of the other side; 0 is any
	Port     int // port of the router
	IPv6     bool
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
	// Guarded parameters have their value only while the firewall is loaded, and 0
	// before and after.
	Guarded bool
}

// A SecretUse is a program that reads a secret.
type SecretUse struct {
	By
	Secret *Secret
	Owner  string // user that must be able to read it
	Unit   string // unit that reads it when it starts, without .service
	// Account says that it is the password of an account.
	Account bool
	// Stand-in is a command that prints a value, and its package, for a secret that
	// the network cannot start without: a missing WireGuard key must cost the
	// tunnel, not the house's network.
	StandIn, StandInPackage string
}

// A Start is a unit that must not start before the links are there (nixpkgs issue
// 396806: a DHCP server that starts first listens nowhere, for ever).
type Start struct {
	By
	Unit string // without .service
}

// A Login is a user who can log in over the network.
type Login struct {
	By
	User string
	Root bool // is root, or can become it
}

// A ClockName is a host name that has to resolve before the router knows what time it
// is: the time itself comes from there, and no signature of DNSSEC can be judged
// without it.
type ClockName struct {
	By
	Host string
}

// A Via is a destination that is reached through a link that a service makes.
type Via struct {
	By
	To   netip.Prefix
	Link Link
}

// A Boot is how many generations of the system have a kernel in /boot.
type Boot struct {
	By
	Generations int
}

// An Agent is how the router is verified for as long as it runs.
type Agent struct {
	By
	Interval Seconds  // between looks when nothing happens
	Listen   []string // where its pages are served: unix:PATH or an address and a port
	Names    []string // by which clients may ask for the pages, in lower case
	Passive  bool     // it asks nobody anything
}

// A Package is a program for the router's administrators, by its attribute in
// nixpkgs.
type Package struct {
	By
	Attr string
}

// Claims are what the blocks of a router need of things they share.
type Claims struct {
	Listens  []*Listen
	Opens    []*Open
	Kernels  []*Kernel
	Sysctls  []*Sysctl
	Secrets  []*SecretUse
	Packages []*Package
	Starts   []*Start
	Logins   []*Login
	Names    []*ClockName
	Vias     []*Via
	Boot     Boot
	Agent    *Agent // nil when none is wanted
	Battery  *By    // who says that the clock goes on while the router is off; nil when nobody does
}

// A Scope is what a block may use while it is resolved: the router as far as
// the spec says it, and the claims. Clashes are found when all have claimed.
type Scope struct {
	*Router
	by By
}

// Scope is the scope of one block.
func (r *Router) Scope(b conf.Block) *Scope {
	return &Scope{r, By{b.Head().Addr, b.Head().Def}}
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
	l.By = s.at(from)
	s.Claims.Listens = append(s.Claims.Listens, &l)
	if l.Unit != "" {
		s.AfterLinks(from, l.Unit)
	}
}

// AfterLinks claims that a unit starts after the links are there.
func (s *Scope) AfterLinks(from hcl.Range, unit string) {
	s.Claims.Starts = append(s.Claims.Starts, &Start{s.at(from), unit})
}

// Login claims that a user can log in.
func (s *Scope) Login(from hcl.Range, user string, root bool) {
	s.Claims.Logins = append(s.Claims.Logins, &Login{s.at(from), user, root})
}

// Open claims a way through the input chain.
func (s *Scope) Open(from hcl.Range, o Open) {
	o.By = s.at(from)
	s.Claims.Opens = append(s.Claims.Opens, &o)
}

// Kernel claims an option of the kernel.
func (s *Scope) Kernel(from hcl.Range, why string, symbols ...string) {
	for _, sym := range symbols {
		s.Claims.Kernels = append(s.Claims.Kernels, &Kernel{By: s.at(from), Symbol: sym, Why: why})
	}
}

// Sysctl claims a kernel parameter.
func (s *Scope) Sysctl(from hcl.Range, key, value string) {
	s.Claims.Sysctls = append(s.Claims.Sysctls, &Sysctl{By: s.at(from), Key: key, Value: value})
}

// Guarded claims a kernel parameter for the time in which the firewall is loaded.
func (s *Scope) Guarded(from hcl.Range, key, value string) {
	s.Claims.Sysctls = append(s.Claims.Sysctls, &Sysctl{By: s.at(from), Key: key, Value: value, Guarded: true})
}

// Secret claims to read a secret.
func (s *Scope) Secret(from hcl.Range, u SecretUse) {
	u.By = s.at(from)
	u.Secret.forAccounts = u.Secret.forAccounts || u.Account
	s.Claims.Secrets = append(s.Claims.Secrets, &u)
}

// BeforeClock claims that a host name resolves while the clock may be wrong.
func (s *Scope) BeforeClock(from hcl.Range, host string) {
	s.Claims.Names = append(s.Claims.Names, &ClockName{s.at(from), host})
}

// Via claims a route through a link.
func (s *Scope) Via(from hcl.Range, to netip.Prefix, l Link) {
	s.Claims.Vias = append(s.Claims.Vias, &Via{s.at(from), to, l})
}

// Boot claims room in /boot.
func (s *Scope) Boot(from hcl.Range, generations int) {
	s.Claims.Boot = Boot{s.at(from), generations}
}

// Agent claims that the router is verified for as long as it runs.
func (s *Scope) Agent(from hcl.Range, a Agent) {
	a.By = s.at(from)
	s.Claims.Agent = &a
}

// Battery claims that the clock goes on while the router is off.
func (s *Scope) Battery(from hcl.Range) {
	by := s.at(from)
	s.Claims.Battery = &by
}

// Package claims a program.
func (s *Scope) Package(from hcl.Range, attr string) {
	s.Claims.Packages = append(s.Claims.Packages, &Package{s.at(from), attr})
}

// Tunnel adds a link that a service makes, so that names clash where they should.
func (s *Scope) Tunnel(l Link) { s.Tunnels = append(s.Tunnels, l) }

// KernelSymbols are the claimed options, sorted, each with its first claim.
func (c *Claims) KernelSymbols() []*Kernel {
	return firsts(c.Kernels, func(k *Kernel) string { return k.Symbol })
}

// SysctlKeys are the claimed kernel parameters, sorted, each with its first claim.
func (c *Claims) SysctlKeys() []*Sysctl {
	return firsts(c.Sysctls, func(k *Sysctl) string { return k.Key })
}

// PackageAttrs are the claimed programs, sorted, each with its first claim.
func (c *Claims) PackageAttrs() []*Package {
	return firsts(c.Packages, func(p *Package) string { return p.Attr })
}

// StartUnits are the units that wait for the links, sorted, each with its first
// claim.
func (c *Claims) StartUnits() []*Start {
	return firsts(c.Starts, func(s *Start) string { return s.Unit })
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
