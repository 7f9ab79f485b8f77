package router

import (
	"github.com/hashicorp/hcl/v2"

	"github.com/nbr-dev/nbr/hcl/conf"
	"github.com/nbr-dev/nbr/hcl/diag"
)

// A Board is a machine that nbr knows, as data. Package firmware has the list.
type Board struct {
	ID         string // bananapi-bpir4
	Name       string // for people
	System     string // Nix system: aarch64-linux
	Compatible string // the device tree's compatible that tells this board (not the model: that changes)
	CPUs       int    // processor cores
	Ports      []*BoardPort
	Memory     []Memory // the sizes it is sold with
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
)

// A BoardPort is a network port of a board: port.lan1.
type BoardPort struct {
	conf.Header
	Name    IfName
	Kind    PortKind
	Conduit IfName // of a DSA port
	Label   string // on the case
	Speed   int    // Mbit/s, 0 when not known
}

// LinkName is the interface's name.
func (p *BoardPort) LinkName() IfName { return p.Name }

// MemoryOf is the variant of this size.
func (b *Board) MemoryOf(s Size) (Memory, bool) {
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
