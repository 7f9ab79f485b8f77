// Package failover decides which of several uplinks packets take: what an uplink is, when it has
// failed, and which routes and rules follow. It is data and functions of it; package
// failover/watch asks the kernel and does what is decided here.
//
// Each uplink has a routing table of its own, whose default route leads there whether the uplink
// works or not. Rules lead to it what belongs to that uplink: packets of a flow that began there,
// by the mark that the firewall has on the flow, and packets from an address of it. Everything
// else takes the default route of the main table, which leads to the first uplink that works.
package failover

import (
	"cmp"
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strconv"
	"strings"
)

// Family is a version of IP, as nft(8) writes it.
type Family string

// The versions of IP.
const (
	IPv4 Family = "ipv4"
	IPv6 Family = "ipv6"
)

// Families are both.
func Families() []Family { return []Family{IPv4, IPv6} }

func familyOf(a netip.Addr) Family {
	if a.Is4() {
		return IPv4
	}
	return IPv6
}

// Default is the destination of a default route.
func (f Family) Default() netip.Prefix {
	if f == IPv4 {
		return netip.PrefixFrom(netip.IPv4Unspecified(), 0)
	}
	return netip.PrefixFrom(netip.IPv6Unspecified(), 0)
}

// Numbers in the kernel. Tables from 128 on are nbr's own (router.TableID), and so are rules
// before 14000 (router.RulePriority).
const (
	Protocol    = 205 // of the watcher's routes and rules (rtm_protocol); none of rt_protos
	MostUplinks = 16  // priorities are 1 to 16

	tables       = 130   // the first is 131
	MainPriority = 13500 // longer prefixes of the main table come before any uplink's
	markPriority = 13510
	fromPriority = 13600

	// MarkMask are the bits of a connection's mark that tell its uplink.
	MarkMask = 0xff

	// ChosenMetric is that of the default route in the main table: before those of DHCP, PPP,
	// router advertisements and the spec. 0 would be 1024 in IPv6 (IP6_RT_PRIO_USER).
	ChosenMetric = 1
	nowhere      = 2 // of the route that is asked when an uplink has none
)

// Config is what the watcher is told.
type Config struct {
	Uplinks []Uplink `json:"uplinks"` // the preferred first
}

// Uplink is one of several ways to the Internet.
type Uplink struct {
	Name      string         `json:"name"`
	Link      string         `json:"link"`
	Priority  int            `json:"priority"` // 1 is preferred to 2
	Families  []Family       `json:"families"`
	Probes    []Probe        `json:"probes"`
	Interval  int            `json:"interval"` // seconds between rounds of probes
	Failures  int            `json:"failures"`
	Successes int            `json:"successes"`
	Prefixes  []netip.Prefix `json:"prefixes,omitempty"`
	Delegated []Delegated    `json:"delegated,omitempty"`
}

// Delegated is where a network of the uplink's delegated prefix is.
type Delegated struct {
	Link   string     `json:"link"`
	Length int        `json:"length"` // of the prefix
	Subnet uint64     `json:"subnet"` // within it, of 64 bits
	ID     netip.Addr `json:"id"`     // the router's address there without its first 64 bits
}

// Has tells whether an address is the router's in the network: which prefix it has is known to
// the provider alone.
func (d Delegated) Has(a netip.Addr) bool {
	if !a.Is6() || a.IsPrivate() || !a.IsGlobalUnicast() || d.Length > 64 {
		return false
	}
	raw, id := a.As16(), d.ID.As16()
	var subnet uint64
	for _, b := range raw[:8] {
		subnet = subnet<<8 | uint64(b)
	}
	if d.Length > 0 {
		subnet &= 1<<(64-d.Length) - 1
	}
	return subnet == d.Subnet && [8]byte(raw[8:]) == [8]byte(id[8:])
}

// Table is the number of the uplink's routing table.
func (u *Uplink) Table() int { return tables + u.Priority }

// Mark is that of the uplink's flows (ct mark of nft(8), in the bits of MarkMask) and of their
// packets.
func (u *Uplink) Mark() uint32 { return uint32(u.Table()) }

// Has tells whether the uplink has a version of IP.
func (u *Uplink) Has(f Family) bool { return slices.Contains(u.Families, f) }

// ProbesOf are those that judge a version of IP: its own, or else all.
func (u *Uplink) ProbesOf(f Family) []Probe {
	own := slices.DeleteFunc(slices.Clone(u.Probes), func(p Probe) bool { return familyOf(p.Target.Addr()) != f })
	if len(own) == 0 {
		return u.Probes
	}
	return own
}

// Check refuses a configuration that the watcher cannot keep.
func (c Config) Check() error {
	if len(c.Uplinks) == 0 {
		return errors.New("there is no uplink")
	}
	seen := map[int]bool{}
	for _, u := range c.Uplinks {
		switch {
		case u.Name == "" || u.Link == "":
			return errors.New("an uplink has no name or no link")
		case u.Priority < 1 || u.Priority > MostUplinks || seen[u.Priority]:
			return fmt.Errorf("%s: the priority %d is not from 1 to %d, or is another uplink's", u.Name, u.Priority, MostUplinks)
		case len(u.Probes) == 0 || u.Interval < 1 || u.Failures < 1 || u.Successes < 1:
			return fmt.Errorf("%s: probes, interval, failures and successes are needed", u.Name)
		}
		seen[u.Priority] = true
	}
	return nil
}

// A Probe is a question whose answer shows that an uplink works.
type Probe struct {
	Kind   string         // icmp, tcp or dns
	Target netip.AddrPort // without a port for icmp
}

const dnsPort = 53

// ParseProbe reads a probe as String writes it; the port of dns may be left out.
func ParseProbe(text string) (Probe, error) {
	kind, target, _ := strings.Cut(text, ":")
	var port uint16
	host := target
	switch kind {
	case "icmp":
	case "dns", "tcp":
		if a, err := netip.ParseAddrPort(target); err == nil && a.Port() != 0 {
			host, port = a.Addr().String(), a.Port()
		} else if kind == "dns" {
			port = dnsPort
		} else {
			return Probe{}, fmt.Errorf("%q has no address and port to connect to", text)
		}
	default:
		return Probe{}, fmt.Errorf("%q is no probe of icmp, tcp or dns", text)
	}
	a, err := netip.ParseAddr(strings.Trim(host, "[]"))
	if err != nil || a.Zone() != "" || a.Is4In6() {
		return Probe{}, fmt.Errorf("%q has no address of a host", text)
	}
	if !a.IsGlobalUnicast() {
		return Probe{}, fmt.Errorf("%q has no address beyond the link", text)
	}
	return Probe{kind, netip.AddrPortFrom(a, port)}, nil
}

// String is the probe as a spec writes it.
func (p Probe) String() string {
	switch {
	case p.Kind == "icmp" || p.Kind == "dns" && p.Target.Port() == dnsPort:
		return p.Kind + ":" + p.Target.Addr().String()
	}
	return p.Kind + ":" + p.Target.String()
}

// MarshalText is String.
func (p Probe) MarshalText() ([]byte, error) { return []byte(p.String()), nil }

// UnmarshalText is ParseProbe.
func (p *Probe) UnmarshalText(b []byte) (err error) {
	*p, err = ParseProbe(string(b))
	return err
}

// A Way is how packets leave by an uplink.
type Way struct {
	Link string
	Via  netip.Addr // none where the link leads to one host alone
}

// A Route is a default route of the watcher's.
type Route struct {
	Family Family
	Table  int // 0 for main
	Metric int
	Way    // none where it leads nowhere, and the sender is told so
}

// A Rule is a rule of the watcher's.
type Rule struct {
	Family   Family
	Priority int
	Table    int // 0 for main, without its default routes
	Mark     uint32
	From     netip.Prefix
}

// String is as ip rule(8) prints it.
func (r Rule) String() string {
	from := "all"
	switch {
	case r.From.IsSingleIP():
		from = r.From.Addr().String()
	case r.From.IsValid():
		from = r.From.String()
	}
	switch {
	case r.Table == 0:
		return "from all lookup main suppress_prefixlength 0"
	case r.Mark != 0:
		return fmt.Sprintf("from all fwmark %#x lookup %d", r.Mark, r.Table)
	}
	return "from " + from + " lookup " + strconv.Itoa(r.Table)
}

// A View is what the kernel has of the uplinks, each by its name.
type View struct {
	Ways    map[string]map[Family]Way // as DHCP, PPP, a router advertisement or the spec says
	Sources map[string][]netip.Prefix // addresses of the link, and networks of its delegated prefix
}

// Rules are those that are to be there.
func (c Config) Rules(v View) []Rule {
	var out []Rule
	for _, f := range Families() {
		out = append(out, Rule{Family: f, Priority: MainPriority})
		for _, u := range c.Uplinks {
			out = append(out, u.MarkRule(f))
			froms := slices.DeleteFunc(slices.Concat(u.Prefixes, v.Sources[u.Name]), func(p netip.Prefix) bool { return familyOf(p.Addr()) != f })
			slices.SortFunc(froms, func(a, b netip.Prefix) int {
				return cmp.Or(a.Addr().Compare(b.Addr()), cmp.Compare(a.Bits(), b.Bits()))
			})
			for _, p := range slices.Compact(froms) {
				out = append(out, u.FromRule(p))
			}
		}
	}
	return out
}

// MarkRule leads packets of the uplink's flows to its table.
func (u *Uplink) MarkRule(f Family) Rule {
	return Rule{Family: f, Priority: markPriority + u.Priority, Table: u.Table(), Mark: u.Mark()}
}

// FromRule leads packets from addresses of the uplink to its table.
func (u *Uplink) FromRule(p netip.Prefix) Rule {
	return Rule{Family: familyOf(p.Addr()), Priority: fromPriority + u.Priority, Table: u.Table(), From: p}
}

// Routes are those that are to be there. chosen is the uplink for each version of IP; of one
// that is not in it the route in the main table stays as it is.
func (c Config) Routes(v View, chosen map[Family]string) []Route {
	var out []Route
	for _, f := range Families() {
		for _, u := range c.Uplinks {
			way, ok := v.Ways[u.Name][f]
			if ok && u.Name == chosen[f] {
				out = append(out, Route{f, 0, ChosenMetric, way})
			}
			if ok {
				out = append(out, Route{f, u.Table(), ChosenMetric, way})
			}
			// What belongs to the uplink must not leave by another one: with a source that is
			// not that one's, its provider would drop it without a word (RFC 2827).
			out = append(out, Route{f, u.Table(), nowhere, Way{}})
		}
	}
	return out
}
