// Package freeradius tells access points and switches who may into the network (RADIUS, RFC 2865; EAP,
// RFC 3579), with FreeRADIUS.
//
// Users authenticate by a password in a tunnel of TLS (PEAP with MSCHAPv2) or by a certificate
// (EAP-TLS, RFC 5216); there is no other way. A request without Message-Authenticator gets no answer
// (CVE-2024-3596, "BlastRADIUS").
package freeradius

import (
	"fmt"
	"net/netip"
	"regexp"

	"github.com/hashicorp/hcl/v2"

	"github.com/nbr-dev/nbr/hcl/conf"
	"github.com/nbr-dev/nbr/hcl/diag"
	"github.com/nbr-dev/nbr/router"
	"github.com/nbr-dev/nbr/service"
	"github.com/nbr-dev/nbr/verify/probe"
)

// Kind is the radius block.
func Kind() service.Kind {
	return service.Kind{
		Type: "radius", Doc: "Tells access points and switches in some networks who may into the network (RADIUS). The zones of these networks allow radius.",
		Software: "FreeRADIUS",
		Example: `secret "radius-key" {
  path = "/var/lib/secrets/radius-key"
}

secret "ap-attic" {
  path = "/var/lib/secrets/ap-attic"
}

secret "wifi-anna" {
  path = "/var/lib/secrets/wifi-anna"
}

radius {
  networks    = [network.lan]
  certificate = "/var/lib/radius/server.pem"
  key         = secret.radius-key
  ca          = "/var/lib/radius/ca.pem"

  client "attic" {
    addresses = ["192.168.178.5/32"]
    secret    = secret.ap-attic
  }

  user "anna" {
    password = secret.wifi-anna
  }

  user "laptop" {
    certificate = true
    vlan        = 20
  }
}

zone "lan" {
  networks = [network.lan]
  allow    = ["ssh", "dns", "dhcp", "radius"]
}
`,
		Single: true, Program: service.Alone("radius", (*RADIUS).lower),
		Probes: []probe.Any{clientsOf, clientOf, serverAt, certificateAt, pairOf, loginOf, tableOf},
		New:    func() service.Block { return &RADIUS{} },
	}
}

// RADIUS is the radius block. It is what programs of the router authenticate others by.
type RADIUS struct {
	conf.Header
	Networks    conf.Refs[*router.Network] `hcl:"networks,optional" empty:"error: no client could ask. Name a network, or leave it out, and the router itself alone asks." doc:"The networks at whose addresses the router answers. Never an upstream. Without it there are no clients, and the router itself alone asks, at 127.0.0.1."`
	Certificate conf.Value[router.Path]    `hcl:"certificate,required" doc:"Where the certificate is on the router that devices are shown before they send a password, with those above it (PEM). A new one is taken at once, by a restart."`
	Key         conf.Ref[*router.Secret]   `hcl:"key,required" doc:"The secret with the private key of the certificate (PEM)."`
	CA          conf.Value[router.Path]    `hcl:"ca,optional" doc:"Where the certificate of the authority is on the router that makes the certificates of users (PEM). It should make no others: of its certificates the names of the spec's users count, but for those with an extended key usage that is not that of clients."`
	Clients     []*Client                  `hcl:"client,block" doc:"An access point, a switch or another NAS, which asks for users."`
	Users       []*User                    `hcl:"user,block" doc:"A person or a device that may into the network."`
}

// A Client is a NAS (RFC 2865 section 1.2).
type Client struct {
	conf.Header
	Name      conf.Value[router.Name]  `hcl:"name,label"`
	Addresses conf.List[router.Block]  `hcl:"addresses,required" empty:"error: no request would be the client's. Write its address, or remove the block." doc:"The addresses that it asks from, as in 192.168.178.5/32. What asks from others gets no answer."`
	Secret    conf.Ref[*router.Secret] `hcl:"secret,required" doc:"The secret that it shares with the router: the first line of the secret's file, 16 to 128 printable ASCII characters, with no blanks around them. Without it the client gets no answer."`
}

// A User is a person or a device.
type User struct {
	conf.Header
	Name        conf.Value[UserName]      `hcl:"name,label"`
	Password    conf.Ref[*router.Secret]  `hcl:"password,optional" doc:"The password (PEAP with MSCHAPv2): the first line of the secret's file, 8 to 128 printable ASCII characters, with no blanks around them. Without it the user is rejected."`
	Certificate conf.Value[bool]          `hcl:"certificate,optional" default:"false" doc:"A certificate of ca whose common name (CN) is the user's name will do (EAP-TLS)."`
	VLAN        conf.Value[router.VLANID] `hcl:"vlan,optional" doc:"The VLAN that the client is told to put the user into (RFC 3580 section 3.31). Without it the client says it."`
}

// UserName is the name of a user, which is the identity within the tunnel and the common name of its
// certificate.
type UserName string

var userNameRE = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._@-]{0,62}$`)

// UnmarshalText wants at most 63 characters, as a common name may have 64 (RFC 5280 appendix A.1), that mean
// nothing in FreeRADIUS' files. DEFAULT is every user there (users(5)).
func (n *UserName) UnmarshalText(b []byte) error {
	if !userNameRE.Match(b) || string(b) == "DEFAULT" {
		return diag.Advise(fmt.Errorf("%q is no name of a user of RADIUS", b), "use letters, digits and . _ @ -, at most 63, and begin with a letter or digit. DEFAULT is FreeRADIUS' own")
	}
	*n = UserName(b)
	return nil
}

// Describe is what the type is in the schema.
func (UserName) Describe() string { return "name of a user of RADIUS, of at most 63 characters" }

// port is that of authentication (RFC 2865 section 3).
const port = 1812

// What secrets are for.
const (
	clientSecret router.Purpose = "the secret of a client of RADIUS"
	userPassword router.Purpose = "the password of a user of RADIUS"
)

// Claim claims the socket and the secrets.
func (b *RADIUS) Claim(s *router.Scope) {
	if b.Networks.Set {
		s.Listen(b.Networks.Range, router.Listen{Service: "radius", Protocol: router.UDP, Port: port, Networks: b.Networks.All(), Unit: unit})
	}
	for _, n := range b.Networks.Items {
		if _, ok := n.Target.FixedIn(router.IPv6); ok {
			// Without a cable the address stays tentative, and FreeRADIUS ends when it cannot bind to it
			// (RFC 4862 section 5.4).
			s.Sysctl(n.Range, "net.ipv6.ip_nonlocal_bind", "1")
		}
	}
	s.Secret(b.Key.Range, router.SecretUse{Secret: b.Key.Target, For: router.CertificateKey, Owner: "root", Unit: unit})
	for _, c := range b.Clients {
		s.Secret(c.Secret.Range, router.SecretUse{Secret: c.Secret.Target, For: clientSecret, Owner: "root", Unit: unit})
	}
	for _, u := range b.Users {
		if u.Password.Set {
			s.Secret(u.Password.Range, router.SecretUse{Secret: u.Password.Target, For: userPassword, User: string(u.Name.V), Owner: "root", Unit: unit})
		}
	}
	s.Package(hcl.Range{}, "freeradius") // radmin
	router.Claim(s, hcl.Range{}, router.LookGroup{Group: group})
}

// An own address is one of the router's at which it answers: those of networks that are fixed, as where others
// come later, nothing listens on these; or that of no network.
type own struct {
	netip.Addr
	from hcl.Range
}

func (b *RADIUS) own() []own {
	if !b.Networks.Set {
		return []own{{netip.AddrFrom4([4]byte{127, 0, 0, 1}), b.Def}}
	}
	var out []own
	for _, n := range b.Networks.Items {
		fixed, _ := n.Target.Split()
		for _, p := range fixed {
			out = append(out, own{p.Addr(), n.Range})
		}
	}
	return out
}

// Authentication implements [router.Authenticator].
func (b *RADIUS) Authentication() router.Authentication {
	a := router.Authentication{File: ownSecret, Installer: unit + ".service"}
	if at := b.own(); len(at) > 0 {
		a.Server = netip.AddrPortFrom(at[0].Addr, port)
	}
	for _, u := range b.Users {
		if u.VLAN.Set {
			a.VLAN = u.VLAN.Range
			break
		}
	}
	return a
}

// passwords and certificates tell whether there is such a user.
func (b *RADIUS) passwords() bool {
	for _, u := range b.Users {
		if u.Password.Set {
			return true
		}
	}
	return false
}

func (b *RADIUS) certificates() bool {
	for _, u := range b.Users {
		if u.Certificate.V {
			return true
		}
	}
	return false
}
