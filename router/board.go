package router

import (
	"slices"

	"github.com/hashicorp/hcl/v2"

	"github.com/nbr-dev/nbr/hcl/conf"
	"github.com/nbr-dev/nbr/hcl/diag"
)

// A Board is a machine that nbr knows, as data. Package firmware has the list.
type Board struct {
	ID         string // bananapi-bpir4
	Name       string // for people
	System     string // Nix system: aarch64-linux
	Compatible string // the device tree's compatible that tells this board (not the model: that changes); empty for one without a device tree
	CPUs       int    // processor cores, at least
	Ports      []*BoardPort
	Memory     []Memory // the sizes it is sold with; none is any size
	Inputs     []Name   // of the flake, beside nixpkgs, that the board's modules come from
	BootLoader string   // below boot.loader
	Image      string   // the image to write on a card or disk, below system.build
	VM         bool     // system.build.vm runs the router on a desk
}

// A Memory is a size that a board comes in, and what the kernel then reports
// as MemTotal in /proc/meminfo, in kB.
type Memory struct {
	Size     Size
	MinTotal uint64
	MaxTotal uint64
	Flags    []string // make flags of TF-A that this size needs
}

// PortKind is what a port is to the kernel.
type PortKind string

// The kinds of ports. A conduit carries the traffic of a switch
// (Documentation/networking/dsa/dsa.rst) and is no port for users.
const (
	PortDSA     PortKind = "dsa"
	PortNIC     PortKind = "nic"
	PortSFP     PortKind = "sfp"
	PortWiFi    PortKind = "wifi"
	PortConduit PortKind = "conduit"
	PortCard    PortKind = "card" // of a port block: what is in a slot, with a cable or a radio
)

// A BoardPort is a network port: port.lan1. A board has its own, and a port block is one that
// no board has by itself: those of a PC, a card in a slot, an adapter. A block with the name of
// one of the board's own says what is to be otherwise with that. Of those without a block the
// header has no place.
type BoardPort struct {
	conf.Header
	Said       conf.Value[IfName]       `hcl:"name,key"`
	MAC        conf.Value[MAC]          `hcl:"mac,optional" doc:"The MAC address that the maker gave the port: it is called by the label, in whichever slot it is."`
	PCI        conf.Value[PCIAddress]   `hcl:"pci,optional" doc:"Where the port's card is, as lspci prints it: what is in that slot is called by the label. With mac as well both have to fit."`
	MTU        conf.Value[MTU]          `hcl:"mtu,optional" doc:"Largest packet in bytes, 1500 if nothing is said."`
	Alias      conf.Value[Alias]        `hcl:"alias,optional" doc:"What it is for, in words of your own: ip link shows them, and SNMP as ifAlias (RFC 2863)."`
	Cloned     conf.Value[MAC]          `hcl:"cloned_mac,optional" doc:"The MAC address to use in place of the maker's, as for a provider that knows one device only. A VLAN on the port has the same one unless it has a mac."`
	EEE        conf.Value[bool]         `hcl:"eee,optional" doc:"Energy-Efficient Ethernet (IEEE 802.3az). false where a link is lost now and then, or packets are late. Without it the driver decides."`
	Without    conf.List[Offload]       `hcl:"offloads_off,optional" empty:"the driver decides about all of them, as it does without the list. Name some, or remove it." doc:"What the port is not to do by itself, by the names of ethtool -K, as in [\"tso\", \"gso\"] for a driver that hangs with them. What is taken out of the list stays off until the router starts again."`
	Queue      conf.Value[QueueLength]  `hcl:"tx_queue_length,optional" doc:"How many packets may wait to be sent where a queue discipline has no limit of its own, as pfifo has none (txqueuelen of ip link). Linux takes 1000."`
	Rate       conf.Value[LinkSpeed]    `hcl:"speed,optional" doc:"The one speed of the port in Mbit/s, with full duplex: negotiation offers no other one. Without it the two ends take the fastest that both have."`
	Autoneg    conf.Value[bool]         `hcl:"autoneg,optional" doc:"false switches negotiation off, for another end that has none; speed says then which one it is. Twisted pair of 1 Gbit/s and more does not work without (IEEE 802.3 clause 28)."`
	RxRing     conf.Value[RingSize]     `hcl:"rx_ring,optional" doc:"How many received packets the port has room for: more lose fewer in bursts. ethtool -g shows what it can have."`
	TxRing     conf.Value[RingSize]     `hcl:"tx_ring,optional" doc:"How many packets the port has room for that are to be sent: fewer keep less waiting where no shaper sees it."`
	RxUsecs    conf.Value[Microseconds] `hcl:"rx_usecs,optional" doc:"Microseconds after a received packet until the processor is told: more is less work for it, and later packets. ethtool -c shows which of these the port has."`
	TxUsecs    conf.Value[Microseconds] `hcl:"tx_usecs,optional" doc:"The same after a packet was sent."`
	RxFrames   conf.Value[Frames]       `hcl:"rx_frames,optional" doc:"After how many received packets the processor is told, if that is earlier."`
	TxFrames   conf.Value[Frames]       `hcl:"tx_frames,optional" doc:"The same of packets that were sent."`
	AdaptiveRx conf.Value[bool]         `hcl:"adaptive_rx,optional" doc:"Whether the driver chooses rx_usecs and rx_frames by the traffic."`
	AdaptiveTx conf.Value[bool]         `hcl:"adaptive_tx,optional" doc:"Whether the driver chooses tx_usecs and tx_frames by the traffic."`
	Name       IfName
	Kind       PortKind
	Conduit    IfName // of a DSA port
	Label      string // on the case
	Speed      int    // Mbit/s, 0 when not known
	MaxMTU     int    // the largest MTU that its driver takes, 0 when not known
}

// LinkName is the interface's name.
func (p *BoardPort) LinkName() IfName { return p.Name }

// SetName names the interface of a port block, which is called what the block is.
func (p *BoardPort) SetName(string) hcl.Diagnostics {
	p.Name = p.Said.V
	return nil
}

// Renamed tells whether the port is called otherwise than Linux calls it by itself.
func (p *BoardPort) Renamed() bool { return p.MAC.Set || p.PCI.Set }

// has tells whether the board has a port of this name.
func (b *Board) has(n IfName) bool { return b.port(n) != nil }

// port is the board's port of this name, or nil.
func (b *Board) port(n IfName) *BoardPort {
	if i := slices.IndexFunc(b.Ports, func(p *BoardPort) bool { return p.Name == n }); i >= 0 {
		return b.Ports[i]
	}
	return nil
}

// MemoryOf is the variant of this size. Of a machine that is sold with any, firmware and
// graphics may take a fifth for themselves: the next smaller size is a quarter less at least.
func (b *Board) MemoryOf(s Size) (Memory, bool) {
	if len(b.Memory) == 0 && s > 0 {
		kB := uint64(s) / 1024
		return Memory{Size: s, MinTotal: kB * 4 / 5, MaxTotal: kB}, true
	}
	for _, m := range b.Memory {
		if m.Size == s {
			return m, true
		}
	}
	return Memory{}, false
}

// A Named block makes an interface whose name may be the key of its for_each.
type Named interface {
	// SetName names the interface once the block is decoded; key is empty without
	// for_each.
	SetName(key string) hcl.Diagnostics
}

// ifName sets the name of a link that a block makes: what it says, else the key of
// its for_each, else its label, which may be fine as a label and not as an interface.
func ifName(name *IfName, b conf.Block, key string, said conf.Value[IfName]) hcl.Diagnostics {
	if said.Set || said.Range != (hcl.Range{}) { // what was refused has been told
		*name = said.V
		return nil
	}
	text := key
	if text == "" {
		text = b.Head().Addr.Label()
	}
	if err := name.UnmarshalText([]byte(text)); err != nil {
		return hcl.Diagnostics{diag.Help(diag.Error("bad-interface-name", b.Head().Def, "Bad interface name", "%s.", err),
			"Write the interface's name into the block, as in name = \"br0\", or change the label.")}
	}
	return nil
}
