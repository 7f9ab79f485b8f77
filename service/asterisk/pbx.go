// Package asterisk is a telephone exchange for the house (SIP, RFC 3261; RTP, RFC 3550), with
// Asterisk and its channel driver chan_pjsip.
//
// Phones register in networks of the router, and calls to the rest of the world go by trunks, which
// the router itself registers at providers. No socket is open to the Internet: what a provider sends
// are answers, or comes from addresses that the spec names.
package asterisk

import (
	"fmt"
	"net/netip"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/hashicorp/hcl/v2"

	"github.com/nbr-dev/nbr/hcl/conf"
	"github.com/nbr-dev/nbr/hcl/diag"
	"github.com/nbr-dev/nbr/router"
	"github.com/nbr-dev/nbr/service"
	"github.com/nbr-dev/nbr/verify/probe"
)

// Kind is the pbx block.
func Kind() service.Kind {
	return service.Kind{
		Type: "pbx", Doc: "A telephone exchange (SIP): phones of the house, and trunks to providers. The zones of the phones allow pbx.",
		Software: "Asterisk",
		Example: `secret "phone-anna" {
  path = "/var/lib/secrets/phone-anna" # a password and nothing else
}

secret "phone-door" {
  path = "/var/lib/secrets/phone-door"
}

secret "sip" {
  path = "/var/lib/secrets/sip"
}

pbx {
  networks = [network.lan]

  extension "anna" {
    number   = "11"
    password = secret.phone-anna
  }

  extension "door" {
    number   = "12"
    password = secret.phone-door
    outside  = false
  }

  group "all" {
    number     = "10"
    extensions = ["anna"]
  }

  trunk "provider" {
    network  = network.wan
    server   = "sip.example.net"
    user     = "0301234567"
    password = secret.sip
    to       = "all"
  }
}

zone "lan" {
  networks = [network.lan]
  allow    = ["ssh", "dns", "dhcp", "pbx"]
}
`,
		Single: true, Program: service.Alone("pbx", (*PBX).lower),
		Probes: []probe.Any{running, endpointOf, passwordOf},
		New:    func() service.Block { return &PBX{} },
	}
}

// PBX is the pbx block.
type PBX struct {
	conf.Header
	Networks   conf.Refs[*router.Network]   `hcl:"networks,required" empty:"error: no phone could register. Name the networks that phones are in, or remove the block." doc:"The networks that phones are in."`
	Port       conf.Value[router.Port]      `hcl:"port,optional" default:"5060" doc:"The UDP port at which phones register."`
	TrunkPort  conf.Value[router.Port]      `hcl:"trunk_port,optional" default:"5062" doc:"The UDP port from which the router talks to providers. It has one address where all trunks leave by one network with a fixed address, and else every one. The firewall lets in answers, and what from of a trunk names."`
	Media      conf.Value[router.PortRange] `hcl:"media,optional" default:"10000-10999" doc:"The UDP ports for voice (RTP), four for a call."`
	Codecs     conf.List[Codec]             `hcl:"codecs,optional" default:"g722, alaw, ulaw" empty:"error: no voice could be sent. Name codecs, or leave the list out." doc:"How voice is coded, the best first: g722 (wideband), alaw, ulaw or gsm."`
	Prefix     conf.Value[Number]           `hcl:"prefix,optional" doc:"What is dialled before a number outside, as 0. It is taken off. Without it, each number that is not of the house is one outside."`
	Emergency  conf.List[Number]            `hcl:"emergency,optional" default:"110, 112" doc:"Numbers that each phone may call, also one that may not call outside, with the prefix and without it. They go by the first trunk, and by the next one if that cannot take the call."`
	Extensions []*Extension                 `hcl:"extension,block" doc:"A phone, or several of one person. It registers by the block's name."`
	Groups     []*Group                     `hcl:"group,block" doc:"A number at which several phones ring."`
	Trunks     []*Trunk                     `hcl:"trunk,block" doc:"A line at a provider. Calls outside go by the first one."`
}

// An Extension is a phone of the house.
type Extension struct {
	conf.Header
	Name     conf.Value[router.Name]   `hcl:"name,label"`
	Number   conf.Value[Number]        `hcl:"number,required" doc:"Its number in the house."`
	Password conf.Ref[*router.Secret]  `hcl:"password,required" doc:"The password it registers with: the first line of the secret's file, 8 to 80 printable ASCII characters without blanks."`
	Network  conf.Ref[*router.Network] `hcl:"network,optional" doc:"The network that it is in, and from which alone it may register. To be written where there are several."`
	Outside  conf.Value[bool]          `hcl:"outside,optional" default:"true" doc:"It may call outside. Emergency numbers it may call in any case."`
}

// A Group is a number at which several phones ring.
type Group struct {
	conf.Header
	Name       conf.Value[router.Name] `hcl:"name,label"`
	Number     conf.Value[Number]      `hcl:"number,required" doc:"Its number in the house."`
	Extensions conf.List[router.Name]  `hcl:"extensions,required" empty:"error: no phone would ring. Name extensions, or remove the group." doc:"The names of the extensions that ring, all at once."`
}

// A Trunk is a line at a provider.
type Trunk struct {
	conf.Header
	Name     conf.Value[router.Name]   `hcl:"name,label"`
	Network  conf.Ref[*router.Network] `hcl:"network,required" doc:"The network that leads to the provider."`
	Server   conf.Value[Server]        `hcl:"server,required" doc:"The provider's registrar: a name or an address, with a port if it is not to be looked up (RFC 3263)."`
	User     conf.Value[User]          `hcl:"user,required" doc:"The user name, which with many providers is the telephone number."`
	Password conf.Ref[*router.Secret]  `hcl:"password,required" doc:"The password at the provider: the first line of the secret's file, 1 to 80 bytes, without control characters and without a blank at either end."`
	From     conf.List[router.Block]   `hcl:"from,optional" doc:"Addresses of the provider from which calls and voice come by themselves, of no other trunk. Without it calls come by the registration alone, along the way that it keeps open."`
	To       conf.Value[router.Name]   `hcl:"to,required" doc:"The name of the extension or group that rings when a call comes."`
}

// Codec is how voice is coded.
type Codec string

// UnmarshalText wants a codec that Asterisk can translate from and to.
func (c *Codec) UnmarshalText(b []byte) error {
	return conf.OneOf(c, b, "codec", "g722", "alaw", "ulaw", "gsm")
}

// Describe is what the type is in the schema.
func (Codec) Describe() string { return "g722, alaw, ulaw or gsm" }

// Number is a telephone number as it is dialled.
type Number string

var numberRE = regexp.MustCompile(`^[0-9]{1,15}$`)

// UnmarshalText wants 1 to 15 digits, which is the most that ITU-T E.164 has.
func (n *Number) UnmarshalText(b []byte) error {
	if !numberRE.Match(b) {
		return diag.Advise(fmt.Errorf("%q is no number that can be dialled", b), "write 1 to 15 digits")
	}
	*n = Number(b)
	return nil
}

// Describe is what the type is in the schema.
func (Number) Describe() string { return "telephone number" }

// User is the user part of a SIP URI (RFC 3261 section 25.1), as far as providers use it.
type User string

var sipUserRE = regexp.MustCompile(`^[A-Za-z0-9+][A-Za-z0-9_.+-]{0,63}$`)

// UnmarshalText wants what means nothing else in a URI or in Asterisk's files.
func (u *User) UnmarshalText(b []byte) error {
	if !sipUserRE.Match(b) {
		return diag.Advise(fmt.Errorf("%q is no user name of SIP", b), "write the part before the @ alone: letters, digits, and + - . _, at most 64")
	}
	*u = User(b)
	return nil
}

// Describe is what the type is in the schema.
func (User) Describe() string { return "user name of SIP" }

// Server is a host and a port, of which one or the other may be looked up.
type Server struct {
	Host string     // a name, if Addr is not valid
	Addr netip.Addr // the zero address of a name
	Port int        // 0 if DNS says it
}

// UnmarshalText wants a domain name or an address, and a port after a colon if there is one. An IPv6
// address with a port is in brackets.
func (s *Server) UnmarshalText(b []byte) error {
	host, port := string(b), ""
	if a, err := netip.ParseAddr(host); err == nil && a.Zone() == "" {
		*s = Server{Host: host, Addr: a}
		return nil
	}
	if i := strings.LastIndexByte(host, ':'); i >= 0 {
		host, port = host[:i], host[i+1:]
	}
	var p router.Port
	if strings.Contains(string(b), ":") {
		if err := p.UnmarshalText([]byte(port)); err != nil {
			return err
		}
	}
	if inside, ok := strings.CutPrefix(host, "["); ok {
		a, err := netip.ParseAddr(strings.TrimSuffix(inside, "]"))
		if err != nil || !a.Is6() || a.Zone() != "" || !strings.HasSuffix(inside, "]") {
			return diag.Advise(fmt.Errorf("%q is no server", b), "write a name or an address, and a port after a colon: sip.example.net, 192.0.2.1:5060, [2001:db8::1]:5060")
		}
		*s = Server{Host: a.String(), Addr: a, Port: int(p)}
		return nil
	}
	if a, err := netip.ParseAddr(host); err == nil && a.Is4() {
		*s = Server{Host: host, Addr: a, Port: int(p)}
		return nil
	}
	var d router.Domain
	if err := d.UnmarshalText([]byte(host)); err != nil {
		return err
	}
	*s = Server{Host: host, Port: int(p)}
	return nil
}

// Describe is what the type is in the schema.
func (Server) Describe() string { return "name or address of a server, and a port" }

// MarshalText is the name or the address, with the port that the spec gives.
func (s Server) MarshalText() ([]byte, error) {
	if s.Port == 0 {
		return []byte(s.Host), nil
	}
	return []byte(s.hostport()), nil
}

// domain is the host as a URI has it.
func (s Server) domain() string {
	if s.Addr.Is6() {
		return "[" + s.Addr.String() + "]"
	}
	return s.Host
}

// hostport is the host with its port, as a URI has it.
func (s Server) hostport() string {
	if s.Port == 0 {
		return s.domain()
	}
	return s.domain() + ":" + strconv.Itoa(s.Port)
}

// sip is the port of SIP without TLS (RFC 3261 section 19.1.2).
const sip = 5060

// The names of the two services for allow of a zone. That of trunks is there to be refused: a zone
// that leads to the Internet may not have it.
const (
	phones = "pbx"
	trunks = "pbx-trunk"
)

// unit is Asterisk's, and group the group of those who may use its console.
const (
	unit  = "asterisk"
	group = "asterisk"
)

// What passwords are for.
const phonePassword router.Purpose = "the password of a phone"

// Claim claims the sockets, the way in for providers, and the passwords.
func (b *PBX) Claim(s *router.Scope) {
	s.Listen(b.Networks.Range, router.Listen{Service: phones, Protocol: router.UDP, Port: int(b.Port.V), Networks: b.Networks.All(), Unit: unit})
	s.Listen(b.Networks.Range, router.Listen{Service: phones, Protocol: router.UDP, Port: int(b.Media.V.First), Last: int(b.Media.V.Last), Networks: b.Networks.All(), Unit: unit})
	// Without a cable an address of IPv6 stays tentative (RFC 4862 section 5.4), and Asterisk neither
	// binds to it nor tries again.
	for _, n := range b.Networks.Items {
		if own := ownAddress(n.Target, router.AnyFamily); own.Addr().Is6() {
			s.Sysctl(n.Range, "net.ipv6.ip_nonlocal_bind", "1")
		}
	}
	if at, ok := b.trunkSocket(router.IPv6); ok && !at.IsUnspecified() {
		s.Sysctl(b.TrunkPort.Range, "net.ipv6.ip_nonlocal_bind", "1")
	}
	for _, e := range b.Extensions {
		s.Secret(e.Password.Range, router.SecretUse{Secret: e.Password.Target, For: phonePassword, User: string(e.Name.V), Owner: "root", Unit: unit})
	}
	if len(b.Trunks) > 0 {
		s.Listen(b.TrunkPort.Range, router.Listen{Service: trunks, Protocol: router.UDP, Port: int(b.TrunkPort.V), Unit: unit})
	}
	for _, t := range b.Trunks {
		s.Secret(t.Password.Range, router.SecretUse{Secret: t.Password.Target, For: router.DialInPassword, Owner: "root", Unit: unit})
		on := []*router.Network{t.Network.Target}
		port := router.Port(sip)
		if t.Server.V.Port != 0 {
			port = router.Port(t.Server.V.Port)
		}
		router.Claim(s, t.Server.Range, router.Asks{
			Server: t.Server.V.Addr, Networks: on, Packets: []router.Packets{{Protocol: router.UDP, Ports: router.OnePort(port)}},
		})
		for _, f := range []router.Family{router.IPv4, router.IPv6} {
			var sources []netip.Prefix
			for _, p := range t.From.All() {
				if p.Addr().Is6() == (f == router.IPv6) {
					sources = append(sources, p.Prefix)
				}
			}
			if len(sources) == 0 {
				continue
			}
			for _, ports := range []router.PortRange{router.OnePort(b.TrunkPort.V), b.Media.V} {
				router.Claim(s, t.From.Range, router.Accept{
					Match: router.Match{Family: f, Protocol: router.UDP, Ports: ports, Sources: sources}, Networks: on,
				})
			}
		}
	}
	router.Claim(s, hcl.Range{}, router.LookGroup{Group: group})
}

// ownAddress is the fixed address at which the router is in a network, with its prefix: that of
// one version of IP, or of IPv4 if it has one and else of IPv6. It is invalid if there is none.
func ownAddress(n *router.Network, of router.Family) netip.Prefix {
	for _, f := range []router.Family{router.IPv4, router.IPv6} {
		if p, ok := n.FixedIn(f); ok && (of == router.AnyFamily || of == f) {
			return p
		}
	}
	return netip.Prefix{}
}

// network is the one that an extension is in.
func (b *PBX) network(e *Extension) *router.Network {
	if e.Network.Set {
		return e.Network.Target
	}
	return b.Networks.Items[0].Target
}

// family is the version of IP by which a trunk is reached.
func (t *Trunk) family() router.Family {
	a := t.Server.V.Addr
	switch {
	case a.Is4(), !a.IsValid() && t.Network.Target.Has(router.IPv4):
		return router.IPv4
	}
	return router.IPv6
}

// trunkSocket is the address from which the router talks to providers by one version of IP; false
// if there is no such trunk. It is every address unless all trunks leave by one network with a fixed
// one: an address that a provider gives is not known, and may be another one tomorrow.
func (b *PBX) trunkSocket(f router.Family) (netip.Addr, bool) {
	var on []*router.Network
	for _, t := range b.Trunks {
		if t.family() == f && !slices.Contains(on, t.Network.Target) {
			on = append(on, t.Network.Target)
		}
	}
	if len(on) == 0 {
		return netip.Addr{}, false
	}
	if own := ownAddress(on[0], f); len(on) == 1 && own.IsValid() {
		return own.Addr(), true
	}
	if f == router.IPv6 {
		return netip.IPv6Unspecified(), true
	}
	return netip.IPv4Unspecified(), true
}

// number is that of an extension or a group; empty if there is none of this name.
func (b *PBX) number(name router.Name) Number {
	for _, e := range b.Extensions {
		if e.Name.V == name {
			return e.Number.V
		}
	}
	for _, g := range b.Groups {
		if g.Name.V == name {
			return g.Number.V
		}
	}
	return ""
}
