// Package macsec encrypts what goes over a cable (IEEE 802.1AE), with keys that the two ends agree
// on by MKA (IEEE 802.1X-2010) from one that both have. The kernel encrypts, IfState makes the
// link, and wpa_supplicant speaks MKA and gives the link its keys.
//
// IfState has neither keys nor cipher suites for such links, and wpa_supplicant takes over one that
// has the identifier of the channel that it would make itself (macsec_drv_create_transmit_sc in
// src/drivers/driver_macsec_linux.c). So the link is there, and drops all, before there is a key.
package macsec

import (
	"github.com/hashicorp/hcl/v2"

	"github.com/nbr-dev/nbr/hcl/conf"
	"github.com/nbr-dev/nbr/router"
	"github.com/nbr-dev/nbr/service"
	"github.com/nbr-dev/nbr/verify/probe"
)

// Kind is the macsec block.
func Kind() service.Kind {
	return service.Kind{
		Type: "macsec", Doc: "A cable to another device on which all is encrypted (MACsec), with keys from one that both have (MKA). It is a port of a bridge, and networks are on that.",
		Software: "wpa_supplicant",
		Example: `secret "barn" {
  path = "/var/lib/secrets/barn" # 32 or 64 hexadecimal digits: openssl rand -hex 16
}

macsec "sec0" {
  link = port.end1
  ckn  = "6261726e" # any name, in hexadecimal digits, the same at both ends
  cak  = secret.barn
}

bridge "br-barn" {
  ports = [macsec.sec0]
}

network "barn" {
  link = bridge.br-barn
  ipv4 = "192.168.60.1/24"
}

zone "barn" {
  networks = [network.barn]
}
`,
		Program: service.Alone("macsec", (*MACsec).lower),
		Probes:  []probe.Any{agreement, channels, keyOf},
		New:     func() service.Block { return &MACsec{} },
	}
}

// MACsec is the macsec block. Its label is the interface's name.
type MACsec struct {
	conf.Header
	Name     conf.Value[router.IfName] `hcl:"name,key"`
	Link     conf.Ref[router.Link]     `hcl:"link,required" doc:"The link whose cable leads to the other device: a port, a VLAN or a bond. What else is on it is not encrypted."`
	CKN      conf.Value[CKN]           `hcl:"ckn,required" doc:"The name of the key (CKN), the same at both ends: 1 to 32 bytes as hexadecimal digits. It is no secret."`
	CAK      conf.Ref[*router.Secret]  `hcl:"cak,required" doc:"The key (CAK): the first line of the secret's file, 32 or 64 hexadecimal digits, the same at both ends."`
	Priority conf.Value[Priority]      `hcl:"priority,optional" default:"255" doc:"The end with the lower number makes the keys that packets are encrypted with (key server priority)."`
	Window   conf.Value[Window]        `hcl:"replay_window,optional" default:"0" doc:"How many packets one may be late. Others that were there already, or could have been, are dropped. With 0 each has to be newer than the one before."`
	MTU      conf.Value[router.MTU]    `hcl:"mtu,optional" doc:"Largest packet in bytes. Without it what fits: 32 bytes less than the link carries."`
	Alias    conf.Value[router.Alias]  `hcl:"alias,optional" doc:"What it is for, in words of your own, as ip link and SNMP (ifAlias) show them."`
}

// overhead is by how many bytes a packet is longer when it is encrypted: the SecTAG with the
// identifier of the channel (IEEE 802.1AE-2018, 9.3), and the check value (9.10). The kernel says
// the same (macsec_newlink in drivers/net/macsec.c).
const overhead = 16 + 16

// LinkName is the interface's name.
func (m *MACsec) LinkName() router.IfName { return m.Name.V }

// Spec is the link as the kernel has it. Its MAC address is that of the link below, which is a part
// of the identifier of its channel.
func (m *MACsec) Spec() router.LinkSpec {
	return router.LinkSpec{Kind: "macsec", On: m.Link, Overhead: overhead, MTU: m.MTU, Alias: m.Alias, Driven: true}
}

// unit is the one of wpa_supplicant, without .service.
func (m *MACsec) unit() string { return "nbr-macsec-" + string(m.Name.V) }

// group may ask wpa_supplicant how it fares.
const group = "nbr-macsec"

// Claim claims the kernel's MACsec, the key, and a start after the link is there.
func (m *MACsec) Claim(s *router.Scope) {
	s.Kernel(hcl.Range{}, "MACsec", "MACSEC")
	s.Secret(m.CAK.Range, router.SecretUse{Secret: m.CAK.Target, For: router.PresharedKey, Owner: "root", Unit: m.unit()})
	s.AfterLinks(hcl.Range{}, m.unit())
	router.Claim(s, hcl.Range{}, router.LookGroup{Group: group})
}
