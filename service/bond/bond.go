// Package bond makes bonds: several ports as one link to one other machine (IEEE 802.1AX, and
// the modes that Linux has besides), by the kernel's own driver and through IfState. See
// Documentation/networking/bonding.rst of the kernel.
package bond

import (
	"cmp"
	"slices"

	"github.com/hashicorp/hcl/v2"

	"github.com/nbr-dev/nbr/hcl/conf"
	"github.com/nbr-dev/nbr/hcl/diag"
	"github.com/nbr-dev/nbr/router"
	"github.com/nbr-dev/nbr/service"
)

// Kind is the bond block.
func Kind() service.Kind {
	return service.Kind{
		Type: "bond", Doc: "Several ports as one link to one other machine: for more speed, or for a cable that may fail.",
		Software: "Linux",
		Example: `bond "bond0" {
  ports = [port.end1, port.end2]
  mode  = "802.3ad" # LACP: the switch has to do it, too
}

network "storage" {
  link = bond.bond0
  ipv4 = "192.168.20.1/24"
}

zone "storage" {
  networks = [network.storage]
}
`,
		New: func() service.Block { return &Bond{} },
	}
}

// Bond is the bond block. Its label is the interface's name. IfState knows no primary port in
// any release up to 2.5.1, and refuses attributes that it does not know.
type Bond struct {
	conf.Header
	Name     conf.Value[router.IfName] `hcl:"name,key"`
	Ports    conf.Refs[router.Link]    `hcl:"ports,required" empty:"no packet gets through the bond. Name its ports, or remove it." doc:"Ports that lead to one other machine. They carry nothing but the bond: networks and VLANs are on it, and it may be a port of a bridge. Packets between the bond and other ports of a switch pass the router's processor."`
	Mode     conf.Value[Mode]          `hcl:"mode,required" doc:"How packets are shared out. In mode 802.3ad both ends agree about it (LACP); of the others the other end has to be told, but active-backup, balance-tlb and balance-alb need no switch that knows of bonds."`
	LACPRate conf.Value[Rate]          `hcl:"lacp_rate,optional" doc:"How often the other end is to speak, in mode 802.3ad: slow is every 30 seconds, which is the default, and fast each second."`
	Hash     conf.Value[Hash]          `hcl:"transmit_hash,optional" doc:"What of a packet decides on its port, in the modes 802.3ad, balance-xor and balance-tlb. The default is layer2+3, by MAC and IP addresses."`
	MIIMon   conf.Value[Interval]      `hcl:"miimon,optional" default:"100" doc:"Milliseconds between looks at whether the ports have a cable."`
	MinLinks conf.Value[Count]         `hcl:"min_links,optional" doc:"How many ports must be in use for the bond to count as connected, in mode 802.3ad; 1 without it."`
	MAC      conf.Value[router.MAC]    `hcl:"mac,optional" doc:"The MAC address of the bond and its ports. Without it IfState derives a stable one."`
	MTU      conf.Value[router.MTU]    `hcl:"mtu,optional" default:"1500" doc:"Largest packet in bytes, of the bond and its ports."`
	Alias    conf.Value[router.Alias]  `hcl:"alias,optional" doc:"What it is for, in words of your own, as ip link and SNMP (ifAlias) show them."`
}

// LinkName is the interface's name.
func (b *Bond) LinkName() router.IfName { return b.Name.V }

// Spec is the bond as the kernel has it. It refuses attributes of another mode (bond_opts in
// drivers/net/bonding/bond_options.c), and with them the whole link.
func (b *Bond) Spec() router.LinkSpec {
	s := router.LinkSpec{Kind: "bond", Ports: b.Ports, MAC: b.MAC, Alias: b.Alias, MTU: b.MTU, Attributes: []router.LinkAttribute{
		{Name: "bond_mode", Value: string(b.Mode.V)},
		{Name: "bond_miimon", Value: int(b.MIIMon.V)},
	}}
	if hashes(b.Mode.V) {
		s.Attributes = append(s.Attributes, router.LinkAttribute{Name: "bond_xmit_hash_policy", Value: string(b.hash())})
	}
	if b.Mode.V == lacp {
		s.Attributes = append(s.Attributes,
			router.LinkAttribute{Name: "bond_ad_lacp_rate", Value: string(b.rate())},
			router.LinkAttribute{Name: "bond_min_links", Value: b.minLinks()})
	}
	return s
}

// hash is the one in use where the mode has one. The kernel's own default knows of MAC
// addresses only, and what goes to the next router has the same of those.
func (b *Bond) hash() Hash { return cmp.Or(b.Hash.V, "layer2+3") }

func (b *Bond) rate() Rate { return cmp.Or(b.LACPRate.V, "slow") }

// minLinks is at least 1: with 0, the kernel's default, a bond counts as connected also while
// none of its ports can be used (bond_3ad_set_carrier in drivers/net/bonding/bond_3ad.c).
func (b *Bond) minLinks() int { return max(int(b.MinLinks.V), 1) }

// lacp is the mode in which both ends speak about their ports.
const lacp Mode = "802.3ad"

// hashes tells whether a mode looks into packets for the port that they leave by.
func hashes(m Mode) bool { return slices.Contains([]Mode{lacp, "balance-xor", "balance-tlb"}, m) }

// Claim claims the kernel's driver.
func (b *Bond) Claim(s *router.Scope) { s.Kernel(hcl.Range{}, "bonds", "BONDING") }

// Judge finds attributes that the mode does not know, and ports that have something else to do.
func (b *Bond) Judge(r *router.Router) hcl.Diagnostics {
	var diags hcl.Diagnostics
	foreign := func(at hcl.Range, what, modes string) {
		diags = append(diags, diag.With(diag.Help(diag.Error("bond-mode", at, "Not in this mode",
			"%s has the mode %s, and %s is for %s.", b.Addr, b.Mode.V, what, modes),
			"Remove it, or choose another mode."), b.Mode.Range, "the mode"))
	}
	if b.LACPRate.Set && b.Mode.V != lacp {
		foreign(b.LACPRate.Range, "lacp_rate", "802.3ad")
	}
	if b.MinLinks.Set && b.Mode.V != lacp {
		foreign(b.MinLinks.Range, "min_links", "802.3ad")
	}
	if b.Hash.Set && !hashes(b.Mode.V) {
		foreign(b.Hash.Range, "transmit_hash", "802.3ad, balance-xor and balance-tlb")
	}
	if n := len(b.Ports.Items); int(b.MinLinks.V) > n {
		diags = append(diags, diag.With(diag.Help(diag.Error("bond-min-links", b.MinLinks.Range, "More links than ports",
			"%s is to count as connected with %d ports in use, and it has %d.", b.Addr, b.MinLinks.V, n),
			"Write min_links = %d or less.", n), b.Ports.Range, "the ports"))
	}
	if len(b.Ports.Items) == 1 {
		diags = append(diags, diag.Help(diag.Warning("bond-of-one-port", b.Ports.Range, "Bond of one port",
			"%s has one port, and is neither faster nor safer than that.", b.Addr),
			"Name the other ports, or use the port without the bond."))
	}
	return append(diags, b.busy(r)...)
}

// busy finds ports that are to do something else as well.
func (b *Bond) busy(r *router.Router) hcl.Diagnostics {
	var diags hcl.Diagnostics
	for _, port := range b.Ports.Items {
		if own := port.Target.Spec().MTU; own.Set && own.V > b.MTU.V {
			diags = append(diags, diag.With(diag.Help(diag.Error("bond-port-mtu", own.Range, "MTU that a bond changes",
				"%s is to carry packets of %d bytes, and %s gives its ports its own MTU, %d.", port.Addr, own.V, b.Addr, b.MTU.V),
				"Write mtu = %d in both, or in neither.", own.V), cmp.Or(b.MTU.Range, b.Def), "%s", b.Addr.String()))
		}
		for _, l := range r.Made {
			if s := l.Spec(); s.On.Set && s.On.Target == port.Target {
				diags = append(diags, diag.With(diag.Help(diag.Error("link-on-bond-port", s.On.Range, "Link on a port of a bond",
					"%s is a port of %s. The other end sends a packet to any of its ports, so a part of them would not reach %s.", port.Addr, b.Addr, l.Head().Addr),
					"Write link = %s.", b.Addr), port.Range, "%s", b.Addr.String()))
			}
		}
	}
	return diags
}

// Mode is how a bond uses its ports.
type Mode string

// UnmarshalText wants one of the kernel's modes, by name.
func (m *Mode) UnmarshalText(b []byte) error {
	return conf.OneOf(m, b, "mode of a bond", "802.3ad", "active-backup", "balance-rr", "balance-xor", "broadcast", "balance-tlb", "balance-alb")
}

// Describe is what the type is in the schema.
func (Mode) Describe() string {
	return "802.3ad, active-backup, balance-rr, balance-xor, broadcast, balance-tlb or balance-alb"
}

// Rate is how often the other end is asked to send LACPDUs.
type Rate string

// UnmarshalText wants slow or fast.
func (r *Rate) UnmarshalText(b []byte) error { return conf.OneOf(r, b, "rate of LACP", "slow", "fast") }

// Describe is what the type is in the schema.
func (Rate) Describe() string { return "slow or fast" }

// Hash is what of a packet decides on its port.
type Hash string

// UnmarshalText wants one of the kernel's policies (xmit_hash_policy), by name.
func (h *Hash) UnmarshalText(b []byte) error {
	return conf.OneOf(h, b, "transmit hash", "layer2", "layer2+3", "layer3+4", "encap2+3", "encap3+4", "vlan+srcmac")
}

// Describe is what the type is in the schema.
func (Hash) Describe() string {
	return "layer2, layer2+3, layer3+4, encap2+3, encap3+4 or vlan+srcmac"
}

// Interval is a time in milliseconds.
type Interval int

// UnmarshalText wants 1 to 60000: with 0 a cable that is pulled out would go unnoticed.
func (i *Interval) UnmarshalText(b []byte) error {
	return conf.Between(i, b, "interval", 1, 60000, " milliseconds")
}

// Describe is what the type is in the schema.
func (Interval) Describe() string { return "milliseconds" }

// Count is a number of ports.
type Count int

// UnmarshalText wants 1 to 255.
func (c *Count) UnmarshalText(b []byte) error {
	return conf.Between(c, b, "number of ports", 1, 255, "")
}

// Describe is what the type is in the schema.
func (Count) Describe() string { return "number of ports" }
