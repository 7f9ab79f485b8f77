package router

import (
	"net/netip"
	"strings"
)

// ZoneName is the name of a zone of DNS below the root, in lower case and without a dot at its end.
type ZoneName string

// UnmarshalText takes a domain name.
func (z *ZoneName) UnmarshalText(b []byte) error {
	var d Domain
	if err := d.UnmarshalText(b); err != nil {
		return err
	}
	*z = ZoneName(strings.ToLower(string(d)))
	return nil
}

// Describe is what the type is in the schema.
func (ZoneName) Describe() string { return "DNS zone" }

// Holds tells whether a name is the zone's own or below it. It may have a dot at its end.
func (z ZoneName) Holds(name string) bool {
	name = strings.ToLower(strings.TrimSuffix(name, "."))
	return name == string(z) || strings.HasSuffix(name, "."+string(z))
}

// A ServesZone is a zone whose names a program of the router knows, and where on the router it is
// asked for them, on port 53.
type ServesZone struct {
	By
	Zone   ZoneName
	Server netip.Addr
}

// ZoneHolding is the smallest of the router's own zones that holds a name, or nil.
func (r *Router) ZoneHolding(name string) *ServesZone {
	var out *ServesZone
	for _, z := range Claimed[ServesZone](r) {
		if z.Zone.Holds(name) && (out == nil || len(z.Zone) > len(out.Zone)) {
			out = z
		}
	}
	return out
}
