// Package strongswan makes IPsec tunnels to other routers (RFC 4301), whose keys are negotiated by
// IKEv2 (RFC 7296) with strongSwan. They are route-based: what is routed to an XFRM interface goes
// through the tunnel, and the firewall knows the interface as it knows others.
package strongswan

import (
	"net/netip"
	"slices"

	"github.com/hashicorp/hcl/v2"

	"github.com/nbr-dev/nbr/hcl/conf"
	"github.com/nbr-dev/nbr/router"
	"github.com/nbr-dev/nbr/service"
)

const example = `secret "berlin" {
  path = "/var/lib/secrets/berlin"
}

xfrm "ipsec0" {
  if_id   = 10
  network = network.lan
}

ipsec "berlin" {
  link           = xfrm.ipsec0
  remote         = "192.168.178.4"
  local_id       = "hamburg.example.org"
  remote_id      = "berlin.example.org"
  psk            = secret.berlin
  local_subnets  = ["192.168.178.0/24"]
  remote_subnets = ["10.20.0.0/16"]
}

network "berlin" {
  link = xfrm.ipsec0
  ipv4 = "10.255.0.1/30"
}

zone "berlin" {
  networks = [network.berlin]
}
`

// Kind is the ipsec block.
func Kind() service.Kind {
	return service.Kind{
		Type: "ipsec", Doc: "An IPsec tunnel to another router, negotiated by IKEv2, for what is routed to an xfrm link (docs/ipsec.md).",
		Software: "strongSwan", Example: example, Program: program{},
		Probes: append(certificates.Probes()[1:], associations, attempt, certificateOf, pskOf),
		New:    func() service.Block { return &IPsec{} },
	}
}

// IPsec is the ipsec block.
type IPsec struct {
	conf.Header
	Name          conf.Value[router.Name]  `hcl:"name,key"`
	Link          conf.Ref[router.Link]    `hcl:"link,required" doc:"The xfrm link whose packets go through the tunnel."`
	Remote        conf.Value[Remote]       `hcl:"remote,optional" doc:"The address or the name of the other router. The firewall lets in IKE and ESP from an address; with a name, and without one, the zones that the other router connects from open them with allow = [\"ipsec\"], and ESP is in UDP."`
	LocalID       conf.Value[Identity]     `hcl:"local_id,required" doc:"Who this router says it is, as the other one expects it: a domain name, an IP address, a mail address, or the subject of the certificate."`
	RemoteID      conf.Value[Identity]     `hcl:"remote_id,required" doc:"Who the other router has to be."`
	PSK           conf.Ref[*router.Secret] `hcl:"psk,optional" doc:"The secret that both routers know: the first line of the secret's file, 16 to 128 printable ASCII characters. It should be random: who listens can try out a short one. Either this, or certificate, key and ca."`
	Certificate   conf.Value[router.Path]  `hcl:"certificate,optional" doc:"Where the certificate of this router is on it (PEM). It has local_id as its subject or among its alternative names."`
	Key           conf.Ref[*router.Secret] `hcl:"key,optional" doc:"The secret with the private key of the certificate (PEM)."`
	CA            conf.Value[router.Path]  `hcl:"ca,optional" doc:"Where the certificate of the authority is that the other router's is of (PEM). No other one will do."`
	LocalSubnets  conf.List[router.Block]  `hcl:"local_subnets,required" empty:"error: nothing would go through the tunnel. Name the networks here, or [\"0.0.0.0/0\", \"::/0\"]." doc:"From where packets go through the tunnel, as the other router has it as its remote ones (traffic selectors). What is routed there from elsewhere is dropped."`
	RemoteSubnets conf.List[router.Block]  `hcl:"remote_subnets,required" empty:"error: nothing would go through the tunnel. Name the networks there, or [\"0.0.0.0/0\", \"::/0\"]." doc:"Where packets go through the tunnel. All but a default route becomes a route to the link, unless a network of the link holds it; with 0.0.0.0/0 and ::/0 route blocks or a routing protocol say what goes there."`
	IKEProposals  conf.List[IKEProposal]   `hcl:"ike_proposals,optional" empty:"error: no other router could agree. Remove the list for nbr's own." doc:"What the two routers may agree on for IKE, the best first. Without it AES-GCM and then AES-CBC with SHA-2, with groups 20, 19, 31 and 14 (RFC 8247)."`
	ESPProposals  conf.List[ESPProposal]   `hcl:"esp_proposals,optional" empty:"error: no other router could agree. Remove the list for nbr's own." doc:"What they may agree on for packets, the best first. A group is for the keys that follow the first (perfect forward secrecy). Without it AES-GCM and then AES-CBC with SHA-256, with the same groups (RFC 8221)."`
	DPD           conf.Value[Delay]        `hcl:"dpd,optional" default:"30s" doc:"How long the other router may be silent until it is asked whether it is there, 5s to 1h."`
	Initiate      conf.Value[bool]         `hcl:"initiate,optional" default:"true" doc:"Begin as soon as the router is up, and again when the other end is silent; when the other end closes the tunnel, with the next packet for it. false waits for the other router, as it has to without remote."`
}

// unit is that of NixOS' module, without .service, and group that of users who may ask charon.
const (
	unit  = "strongswan-swanctl"
	group = "nbr-ipsec"
)

// Ports of IKE, and of IKE and ESP in UDP (RFC 7296 section 2.23, RFC 3948).
const (
	ikePort, natPort = 500, 4500
	esp              = router.IPProtocol(50)
)

// A keyed link is one that an ipsec block is for.
type keyed struct {
	router.By
	link router.Link
}

// identities are by which charon chooses a connection and a PSK.
type identities struct {
	router.By
	local, remote Identity
}

// begins tells whether the router begins by itself.
func (b *IPsec) begins() bool { return b.Initiate.V && b.Remote.Set }

// carrier is the network by which the encrypted packets leave.
func (b *IPsec) carrier() *router.Network {
	if x, ok := b.Link.Target.(*XFRM); ok {
		return x.Network.Target
	}
	return nil
}

// local is the router's fixed address that the packets come from, invalid if it comes later or if the
// version of IP is not known.
func (b *IPsec) local() netip.Addr {
	n := b.carrier()
	if n == nil || !b.Remote.V.addr.IsValid() {
		return netip.Addr{}
	}
	p, _ := n.FixedIn(b.Remote.V.family())
	return p.Addr()
}

// Claim claims the sockets, the ways in and out, the secrets, and routes to what is behind the other
// router.
func (b *IPsec) Claim(s *router.Scope) {
	s.Kernel(hcl.Range{}, "IPsec", "XFRM_USER", "INET_ESP", "INET6_ESP") // and what RFC 8221 wants (XFRM_ESP in net/xfrm/Kconfig)
	if i := slices.IndexFunc(b.ESPProposals.Items, func(p conf.Value[ESPProposal]) bool { return p.V.has("chacha20poly1305") }); i >= 0 {
		s.Kernel(b.ESPProposals.Items[i].Range, "chacha20poly1305", "CRYPTO_CHACHA20POLY1305")
	}
	router.Claim(s, b.Link.Range, keyed{link: b.Link.Target})
	router.Claim(s, b.LocalID.Range, identities{local: b.LocalID.V, remote: b.RemoteID.V})
	router.Claim(s, hcl.Range{}, router.LookGroup{Group: group})
	for _, port := range []int{ikePort, natPort} {
		s.Listen(b.Link.Range, router.Listen{Service: "ipsec", Protocol: router.UDP, Port: port, Unit: unit, Shared: true})
	}
	n := b.carrier()
	if n == nil {
		return // it is told
	}
	b.claimPackets(s, n)
	if b.PSK.Set {
		s.Secret(b.PSK.Range, router.SecretUse{Secret: b.PSK.Target, For: router.PresharedKey, User: string(b.Name.V), Owner: "root", Unit: unit})
	}
	if b.Key.Set {
		s.Secret(b.Key.Range, router.SecretUse{Secret: b.Key.Target, For: router.CertificateKey, Owner: "root", Unit: unit})
	}
	confined := router.Confined{Link: b.Link.Target}
	for _, to := range b.RemoteSubnets.Items {
		if to.V.Bits() == 0 {
			continue
		}
		confined.To = append(confined.To, to.V.Prefix)
		if !b.holds(s.Router, to.V.Prefix) {
			router.Claim(s, to.Range, router.DeviceRoute{To: to.V.Prefix, Link: b.Link.Target})
		}
	}
	if len(confined.To) > 0 {
		router.Claim(s, b.RemoteSubnets.Range, confined)
	}
}

// claimPackets claims the ways of what the two routers send each other.
func (b *IPsec) claimPackets(s *router.Scope, n *router.Network) {
	at, remote := b.Remote.Range, b.Remote.V.addr
	ike := []router.Match{
		{Protocol: router.UDP, SourcePorts: router.OnePort(ikePort)},
		{Protocol: router.UDP, SourcePorts: router.OnePort(natPort)},
	}
	if !remote.IsValid() {
		for _, m := range ike {
			router.Claim(s, at, router.Emit{Match: m, Networks: []*router.Network{n}})
		}
		if b.Remote.V.name != "" {
			// The router has to find the other one before it knows the time. A false answer leads to a
			// host that cannot authenticate.
			router.Claim(s, at, router.ResolveUnsigned{Host: b.Remote.V.name})
		}
		return
	}
	router.Claim(s, at, router.Asks{Server: remote, Networks: []*router.Network{n}})
	from := []netip.Prefix{netip.PrefixFrom(remote, remote.BitLen())}
	family := b.Remote.V.family()
	for _, m := range append(ike, router.Match{Protocol: esp}) {
		m.Groups = []netip.Addr{remote}
		router.Claim(s, at, router.Emit{Match: m, Networks: []*router.Network{n}})
	}
	for _, m := range []router.Match{
		{Protocol: router.UDP, Ports: router.OnePort(ikePort)},
		{Protocol: router.UDP, Ports: router.OnePort(natPort)},
		{Protocol: esp},
	} {
		m.Family, m.Sources = family, from
		router.Claim(s, at, router.Accept{Match: m, Networks: []*router.Network{n}})
	}
}

// holds tells whether a network of the link leads there already.
func (b *IPsec) holds(r *router.Router, to netip.Prefix) bool {
	return slices.ContainsFunc(r.Networks, func(n *router.Network) bool {
		fixed, _ := n.Split()
		return n.Link.Target == b.Link.Target && slices.ContainsFunc(fixed, func(p netip.Prefix) bool {
			return p.Bits() <= to.Bits() && p.Contains(to.Addr())
		})
	})
}
