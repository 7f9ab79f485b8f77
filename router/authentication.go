package router

import (
	"net/netip"

	"github.com/hashicorp/hcl/v2"

	"github.com/nbr-dev/nbr/hcl/conf"
)

// An Authenticator is a block by which programs of the router that let others into a network, as an access
// point does, learn who may (RADIUS, RFC 2865). A block refers to it by a conf.Ref of this type, and claims
// an [Authenticates].
type Authenticator interface {
	conf.Block
	// Authentication says how it is asked. References in it are linked by the time it is called.
	Authentication() Authentication
}

// An Authentication is how a RADIUS server is asked from the router itself.
type Authentication struct {
	// Server is where it is. It is invalid if that is the router itself, without an address that is fixed, which
	// is an error of its block.
	Server netip.AddrPort
	// File has in its first line what is shared with the server: 16 to 128 printable ASCII characters, with no
	// blanks around them. Root can read it.
	File string
	// Secret is the secret whose file it is, nil if the unit of the server makes the file.
	Secret *Secret
	// Installer is the unit that has put the file in place once it has started; empty if the file is there
	// without one.
	Installer string
	// VLAN is where the block says first that the server tells a VLAN (RFC 3580 section 3.31); the zero range
	// if it says that nowhere.
	VLAN hcl.Range
}

// Authenticates is a claim to ask a server.
type Authenticates struct {
	By
	Of Authenticator
}
