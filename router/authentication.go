package router

import (
	"net/netip"

	"github.com/nbr-dev/nbr/hcl/conf"
)

// An Authenticator is a block by which programs of the router, as one that has access points, learn who
// may into the network (RADIUS, RFC 2865). A block refers to it by a conf.Ref of this type.
type Authenticator interface {
	conf.Block
	// Authenticates says how it is asked. References in it are linked by the time it is called.
	Authenticates() Authentication
}

// An Authentication is how a RADIUS server is asked from the router itself.
type Authentication struct {
	// Server is one of the router's own addresses, and what is asked comes from there as well. It is
	// invalid if the server listens at no address that is fixed, which is an error of its block.
	Server netip.AddrPort
	// Secret is the file with what is shared with the server, in one line without an end. Root can read it, and
	// it is there, and stays the same, once Unit has started.
	Secret string
	Unit   string // without .service
}
