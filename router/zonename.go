package router

import (
	"fmt"
	"net/netip"
	"slices"
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
	// File is the zone, and Reload a command that has the program read it again. Both are empty
	// where another server says what is in the zone.
	File, Reload string
}

// Leased is the file of records that a zone has beside its own, which a DHCP server's names are
// written to.
func (z *ServesZone) Leased() string { return "/var/lib/nbr-names/" + string(z.Zone) }

// A LeaseNames is a DHCP server whose clients have names in zones of the router.
type LeaseNames struct {
	By
	Domain ZoneName
	Ranges []AddrRange // of the leases
}

// LeaseZones are the zones that names of clients, and of their addresses, are written to.
func (r *Router) LeaseZones() []*ServesZone {
	var out []*ServesZone
	add := func(name string) {
		if z := r.ZoneHolding(name); z != nil && z.Reload != "" && !slices.Contains(out, z) {
			out = append(out, z)
		}
	}
	for _, l := range Claimed[LeaseNames](r) {
		add(string(l.Domain))
		for _, p := range l.Ranges {
			for _, a := range []netip.Addr{p.First, p.Last} {
				b := a.As4()
				add(fmt.Sprintf("%d.%d.%d.%d.in-addr.arpa", b[3], b[2], b[1], b[0]))
			}
		}
	}
	return out
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
