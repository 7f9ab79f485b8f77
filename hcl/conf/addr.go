package conf

import (
	"fmt"
	"strings"

	"github.com/hashicorp/hcl/v2"
)

// An Addr is the one name of a block, everywhere: network.lan, resolver,
// vlan.guest["3"] for an instance of for_each, wireguard.wg0/peer.laptop for a
// block inside another.
type Addr struct{ Type, Name string }

func (a Addr) String() string {
	if a.Name == "" {
		return a.Type
	}
	return a.Type + "." + a.Name
}

// Instance is the address of the for_each instance of a with this key.
func (a Addr) Instance(key string) Addr {
	return Addr{a.Type, fmt.Sprintf("%s[%q]", a.Name, key)}
}

// Inner is the address of a block inside a.
func (a Addr) Inner(typ, label string) Addr {
	n := typ
	if label != "" {
		n += "." + label
	}
	if a.Name == "" {
		return Addr{a.Type + "/" + n, ""}
	}
	return Addr{a.Type, a.Name + "/" + n}
}

// Label is the name without the key of an instance.
func (a Addr) Label() string {
	label, _, _ := strings.Cut(a.Name, "[")
	return label
}

// A Header is embedded in every block struct.
type Header struct {
	Addr Addr
	Def  hcl.Range // the line that opens the block
}

// Head returns the header itself; it makes every block struct a Block.
func (h *Header) Head() *Header { return h }

// A Block is a pointer to a struct that embeds Header.
type Block interface{ Head() *Header }
