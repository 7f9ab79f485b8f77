package router

import (
	"net/netip"
	"slices"
	"strconv"
	"strings"

	"github.com/miekg/dns"
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

// A claimIndex answers what is asked of claims for each network, host and zone of a spec without a
// walk through all of the others.
type claimIndex struct {
	listens map[string][]*Listen     // by service
	served  map[served][]int         // where they stand in listens
	zones   map[ZoneName]*ServesZone // of two of one name the first, and the second has been told
	below   map[ZoneName][]*ServesZone
	leased  []*ServesZone
	records map[*ServesZone][]AddressRecord
}

// A served is a service of a network, or of all where the network is nil.
type served struct {
	service string
	network *Network
}

// addListen adds a socket, in the order of claims.
func (x *claimIndex) addListen(l *Listen) {
	networks := l.Networks
	if len(networks) == 0 {
		networks = []*Network{nil}
	}
	for _, n := range networks {
		x.served[served{l.Service, n}] = append(x.served[served{l.Service, n}], len(x.listens[l.Service]))
	}
	x.listens[l.Service] = append(x.listens[l.Service], l)
}

// claimed is to be asked for when all claims are made.
func (r *Router) claimed() *claimIndex {
	if r.byClaim == nil {
		x := &claimIndex{
			listens: map[string][]*Listen{}, served: map[served][]int{},
			zones: map[ZoneName]*ServesZone{}, below: map[ZoneName][]*ServesZone{}, records: map[*ServesZone][]AddressRecord{},
		}
		for _, l := range Claimed[Listen](r) {
			x.addListen(l)
		}
		for _, z := range Claimed[ServesZone](r) {
			if x.zones[z.Zone] == nil {
				x.zones[z.Zone] = z
			}
		}
		for _, z := range Claimed[ServesZone](r) {
			_, parent, _ := strings.Cut(string(z.Zone), ".")
			if above := x.holding(parent); above != nil && x.zones[z.Zone] == z {
				x.below[above.Zone] = append(x.below[above.Zone], z)
			}
		}
		x.addLeased(r)
		x.addRecords(r)
		r.byClaim = x
	}
	return r.byClaim
}

// Listening are the sockets of a service, by the name that zones allow it by.
func (r *Router) Listening(service string) []*Listen { return r.claimed().listens[service] }

// ListeningIn are the sockets of a service that are served on a network of the zone.
func (r *Router) ListeningIn(z *Zone, service string) []*Listen {
	x := r.claimed()
	networks := r.NetworksOf(z)
	if len(networks) == 0 {
		return nil
	}
	at := slices.Clone(x.served[served{service, nil}])
	for _, n := range networks {
		at = append(at, x.served[served{service, n}]...)
	}
	slices.Sort(at)
	var out []*Listen
	for _, i := range slices.Compact(at) {
		out = append(out, x.listens[service][i])
	}
	return out
}

// holding is the smallest zone that holds a name, or nil.
func (x *claimIndex) holding(name string) *ServesZone {
	name = strings.ToLower(strings.TrimSuffix(name, "."))
	for more := true; more; _, name, more = strings.Cut(name, ".") {
		if z := x.zones[ZoneName(name)]; z != nil {
			return z
		}
	}
	return nil
}

func (x *claimIndex) addLeased(r *Router) {
	domains, ranges := map[*ServesZone]bool{}, []AddrRange{}
	for _, l := range Claimed[LeaseNames](r) {
		domains[x.holding(string(l.Domain))] = true
		ranges = append(ranges, l.Ranges...)
	}
	for _, z := range Claimed[ServesZone](r) {
		back, reverse := z.Zone.block()
		if z.Reload != "" && (domains[z] || reverse && slices.ContainsFunc(ranges, func(a AddrRange) bool {
			return !a.Last.Less(back.Addr()) && !Broadcast(back).Less(a.First)
		})) {
			x.leased = append(x.leased, z)
		}
	}
}

func (x *claimIndex) addRecords(r *Router) {
	add := func(owner string, rec AddressRecord) {
		if z := x.holding(owner); z != nil {
			x.records[z] = append(x.records[z], rec)
		}
	}
	all := func(by By, host *Host, name string, addrs []netip.Addr, leadBack bool) {
		for _, a := range addrs {
			add(name, AddressRecord{By: by, Host: host, Name: name, Addr: a})
			if back, err := dns.ReverseAddr(a.String()); err == nil && leadBack {
				add(back, AddressRecord{By: by, Host: host, Name: name, Addr: a, Back: back})
			}
		}
	}
	for _, n := range r.Networks {
		if n.Domain.Set {
			var addrs []netip.Addr
			prefixes, _ := n.Split()
			for _, p := range prefixes {
				addrs = append(addrs, p.Addr())
			}
			all(By{Addr: n.Addr, From: n.Domain.Range}, nil, string(r.System.Name.V)+"."+string(n.Domain.V), addrs, true)
		}
	}
	for _, h := range r.Hosts {
		for i, name := range h.Names() {
			at := h.Def
			if i > 0 {
				at = h.Aliases.Items[i-1].Range
			}
			all(By{Addr: h.Addr, From: at}, h, name, h.Fixed(), i == 0)
		}
	}
}

// An AddressRecord is what a network with a domain, or a host in one, has of a zone: an address of a
// name, or the name that an address leads back to.
type AddressRecord struct {
	By
	Host *Host  // nil for the name of the router itself in a network
	Name string // of the host
	Addr netip.Addr
	Back string // the name of the address (RFC 1035 section 3.5, RFC 3596 section 2.5) where it is the owner
}

// AddressRecords are those of one of the router's zones, and not of a zone below it.
func (r *Router) AddressRecords(z ZoneName) []AddressRecord {
	x := r.claimed()
	return x.records[x.zones[z]]
}

// LeaseZones are the zones that names of clients, and of their addresses, are written to.
func (r *Router) LeaseZones() []*ServesZone { return slices.Clone(r.claimed().leased) }

// ZoneHolding is the smallest of the router's own zones that holds a name, or nil.
func (r *Router) ZoneHolding(name string) *ServesZone { return r.claimed().holding(name) }

// ZonesBelow are the router's zones that are next below one of its own.
func (r *Router) ZonesBelow(z ZoneName) []*ServesZone { return slices.Clone(r.claimed().below[z]) }

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
