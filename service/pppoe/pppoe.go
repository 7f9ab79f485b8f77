// Package pppoe dials in at a provider over Ethernet (PPPoE, RFC 2516; PPP, RFC 1661), with pppd
// and its pppoe plugin (services.pppd). The session is a link of the router. It gets its IPv4
// address by IPCP (RFC 1332) and a link-local IPv6 address by IPV6CP (RFC 5072); all other
// addresses come as on any other upstream, by router advertisements and DHCPv6.
package pppoe

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/hashicorp/hcl/v2"

	"github.com/nbr-dev/nbr/hcl/conf"
	"github.com/nbr-dev/nbr/hcl/diag"
	"github.com/nbr-dev/nbr/router"
	"github.com/nbr-dev/nbr/service"
	"github.com/nbr-dev/nbr/verify/probe"
)

// Kind is the pppoe block.
func Kind() service.Kind {
	return service.Kind{
		Type: "pppoe", Doc: "A line to a provider where the router dials in: PPP over Ethernet.",
		Software: "pppd",
		Example: `secret "dsl" {
  path = "/var/lib/secrets/dsl" # the password and nothing else
}

vlan "internet" {
  link = port.end1
  id   = 7
}

pppoe "ppp0" {
  link     = vlan.internet
  user     = "0001@example.net"
  password = secret.dsl
}

network "dsl" {
  link = pppoe.ppp0
  ipv4 = "ppp"
  ipv6 = "auto"
}

zone "dsl" {
  networks = [network.dsl]
}
`,
		Program: program{},
		Probes:  []probe.Any{sessionOn, passwordOf},
		New:     func() service.Block { return &PPPoE{} },
	}
}

// PPPoE is the pppoe block. Its label is the interface's name.
type PPPoE struct {
	conf.Header
	Name     conf.Value[router.IfName] `hcl:"name,key"`
	Link     conf.Ref[router.Link]     `hcl:"link,required" doc:"The link that the provider's line is on: a port, or a VLAN on one."`
	User     conf.Value[User]          `hcl:"user,required" doc:"The user name, as the provider writes it."`
	Password conf.Ref[*router.Secret]  `hcl:"password,required" doc:"The password: the first line of the secret's file. It is sent by CHAP or PAP, whichever the provider asks for."`
	MTU      conf.Value[MTU]           `hcl:"mtu,optional" default:"1492" doc:"Largest packet in bytes. With 1500 the provider is asked for frames of 1508 bytes (RFC 4638), which the link has to carry."`
}

// overhead are the bytes that a packet is longer in a frame: 6 of PPPoE and 2 of PPP (RFC 2516
// section 7).
const overhead = 8

// LinkName is the interface's name.
func (p *PPPoE) LinkName() router.IfName { return p.Name.V }

// Spec is the session as the kernel has it.
func (p *PPPoE) Spec() router.LinkSpec {
	return router.LinkSpec{
		Kind: "ppp", External: true, IPOnly: true, Via: p.Link, Overhead: overhead,
		MTU: conf.Value[router.MTU]{V: router.MTU(p.MTU.V), Set: p.MTU.Set, Range: p.MTU.Range},
	}
}

// MTU is the MTU of a session.
type MTU int

// UnmarshalText wants 576 to 1500: a larger one than Ethernet's would not survive the provider.
func (m *MTU) UnmarshalText(b []byte) error {
	return conf.Between(m, b, "MTU of PPPoE", 576, 1500, " bytes, and 1280 at least for IPv6 (RFC 8200 section 5)")
}

// Describe is what the type is in the schema.
func (MTU) Describe() string { return "MTU in bytes" }

// User is a user name of PPP.
type User string

// mostUser is the longest user name that pppd takes (MAXNAMELEN in pppd/pppd.h, with a zero byte).
const mostUser = 255

// UnmarshalText refuses what would be more than a word of pppd's file.
func (u *User) UnmarshalText(b []byte) error {
	switch {
	case len(b) == 0:
		return diag.Advise(errors.New("the user name is empty"), "write the one that the provider has given you")
	case len(b) > mostUser:
		return fmt.Errorf("the user name has %d bytes, and pppd takes %d at most", len(b), mostUser)
	case !utf8.Valid(b) || strings.ContainsFunc(string(b), unicode.IsControl):
		return diag.Advise(fmt.Errorf("%q has control characters", b), "write the user name on one line, as the provider writes it")
	}
	*u = User(b)
	return nil
}

// Describe is what the type is in the schema.
func (User) Describe() string { return "user name at a provider" }

// unit is the unit that NixOS's module makes of a peer, without .service.
func (p *PPPoE) unit() string { return "pppd-" + string(p.Name.V) }

// protocolBoot is RTPROT_BOOT of linux/rtnetlink.h: pppd sets its default route by an ioctl.
const protocolBoot = 3

// journalGroup may read what pppd says.
const journalGroup = "systemd-journal"

// Claim claims the kernel's PPPoE, the password, a start after the link below is there, and what
// pppd sets on the session.
func (p *PPPoE) Claim(s *router.Scope) {
	s.Kernel(hcl.Range{}, "PPPoE", "PPP", "PPPOE")
	s.Secret(p.Password.Range, router.SecretUse{Secret: p.Password.Target, For: router.DialInPassword, Owner: "root", Unit: p.unit()})
	s.AfterLinks(hcl.Range{}, p.unit())
	on := []router.Link{p}
	router.Claim(s, hcl.Range{}, router.OwnAddresses{On: on})
	router.Claim(s, hcl.Range{}, router.OwnRoutes{Protocol: protocolBoot, On: on})
	router.Claim(s, hcl.Range{}, router.LookGroup{Group: journalGroup})
}

// Judge finds sessions that would end each other, and an MTU that is too small for IPv6.
func (p *PPPoE) Judge(r *router.Router) hcl.Diagnostics {
	var diags hcl.Diagnostics
	for _, l := range r.Made {
		if l == router.Link(p) {
			break // of each pair the later one complains
		}
		if other, ok := l.(*PPPoE); ok && other.Link.Target == p.Link.Target && other.User.V == p.User.V {
			diags = append(diags, diag.With(diag.Help(diag.Warning("pppoe-twice", p.User.Range, "One line of a provider twice",
				"%s dials in as %s on %s, too. Most providers end the first session of a user when a second one begins.", other.Addr, p.User.V, p.Link.Addr),
				"Remove one of the two, or write the user name of another line."), other.User.Range, "%s", other.Addr.String()))
		}
	}
	return diags
}

// network is the network on the session that something is true of, or nil.
func (p *PPPoE) network(r *router.Router, is func(*router.Network) bool) *router.Network {
	on := r.On(p)
	if i := slices.IndexFunc(on, is); i >= 0 {
		return on[i]
	}
	return nil
}
