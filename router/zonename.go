package router

import (
	"net/netip"
	"slices"
	"strconv"
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
	leases := Claimed[LeaseNames](r)
	return slices.DeleteFunc(slices.Clone(Claimed[ServesZone](r)), func(z *ServesZone) bool {
		back, reverse := z.Zone.block()
		return z.Reload == "" || !slices.ContainsFunc(leases, func(l *LeaseNames) bool {
			return r.ZoneHolding(string(l.Domain)) == z || reverse && slices.ContainsFunc(l.Ranges, func(a AddrRange) bool {
				return !a.Last.Less(back.Addr()) && !Broadcast(back).Less(a.First)
			})
		})
	})
}

// block are the addresses that lead back to names in the zone (RFC 1035 section 3.5, RFC 3596
// section 2.5), and whether it is such a zone.
func (z ZoneName) block() (netip.Prefix, bool) {
	for _, f := range []struct {
		suffix            string
		bytes, base, bits int // of an address, and of a label's number
	}{{".in-addr.arpa", 4, 10, 8}, {".ip6.arpa", 16, 16, 4}} {
		rest, ok := strings.CutSuffix("."+string(z), f.suffix)
		if !ok {
			continue
		}
		labels := strings.Split(rest, ".")[1:]
		raw := make([]byte, f.bytes)
		for i, label := range labels {
			n, err := strconv.ParseUint(label, f.base, f.bits)
			bit := (len(labels) - 1 - i) * f.bits
			if err != nil || bit/8 >= len(raw) {
				return netip.Prefix{}, false
			}
			raw[bit/8] |= byte(n) << (8 - f.bits - bit%8)
		}
		a, _ := netip.AddrFromSlice(raw)
		return netip.PrefixFrom(a, f.bits*len(labels)), true
	}
	return netip.Prefix{}, false
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
