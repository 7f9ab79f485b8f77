package router

import (
	"fmt"
	"net/netip"
	"slices"
	"strconv"
	"strings"

	"github.com/hashicorp/hcl/v2"

	"github.com/nbr-dev/nbr/hcl/conf"
	"github.com/nbr-dev/nbr/hcl/diag"
)

// IPProtocol is the number of a protocol above IP (IANA, Assigned Internet Protocol
// Numbers). 0 is any.
type IPProtocol uint8

// The protocols that blocks of nbr itself speak.
const (
	ICMP   IPProtocol = 1
	TCP    IPProtocol = 6
	UDP    IPProtocol = 17
	ICMPv6 IPProtocol = 58
	OSPF   IPProtocol = 89
	VRRP   IPProtocol = 112
	SCTP   IPProtocol = 132
)

// String is the keyword of nftables and of ss, or the number.
func (p IPProtocol) String() string {
	switch p {
	case ICMP:
		return "icmp"
	case TCP:
		return "tcp"
	case UDP:
		return "udp"
	case ICMPv6:
		return "ipv6-icmp"
	case SCTP:
		return "sctp"
	default:
		return strconv.Itoa(int(p))
	}
}

// HasPorts tells whether packets of the protocol have ports.
func (p IPProtocol) HasPorts() bool { return p == TCP || p == UDP || p == SCTP }

// Family is a version of IP, or both.
type Family uint8

// The families.
const (
	AnyFamily Family = iota
	IPv4
	IPv6
)

// String is the family's name.
func (f Family) String() string {
	return map[Family]string{AnyFamily: "IP", IPv4: "IPv4", IPv6: "IPv6"}[f]
}

// UnmarshalText takes ipv4 and ipv6.
func (f *Family) UnmarshalText(b []byte) error {
	var word string
	if err := conf.OneOf(&word, b, "version of IP", "ipv4", "ipv6"); err != nil {
		return err
	}
	*f = map[string]Family{"ipv4": IPv4, "ipv6": IPv6}[word]
	return nil
}

// Describe is what the type is in the schema.
func (Family) Describe() string { return "ipv4 or ipv6" }

// A Rate is how many in a unit of time.
type Rate struct {
	N   int
	Per string // second, minute, hour or day
}

// maxRate is a million a second: beyond it the kernel's limit counts less than a microsecond a
// packet, and no connection is opened so fast.
const maxRate = 1_000_000

// UnmarshalText has the grammar of nft's limit statement.
func (r *Rate) UnmarshalText(b []byte) error {
	n, per, ok := strings.Cut(string(b), "/")
	count, err := strconv.Atoi(n)
	if !ok || err != nil || n != strconv.Itoa(count) || !slices.Contains([]string{"second", "minute", "hour", "day"}, per) {
		return diag.Advise(fmt.Errorf("%q is no rate", b), "write a number, a slash and second, minute, hour or day, as in 10/minute")
	}
	if count < 1 || count > maxRate {
		return diag.Advise(fmt.Errorf("%d is no number of a rate", count), "write one from 1 to %d", maxRate)
	}
	*r = Rate{count, per}
	return nil
}

// String is as the spec writes it.
func (r Rate) String() string { return fmt.Sprintf("%d/%s", r.N, r.Per) }

// Describe is what the type is in the schema.
func (Rate) Describe() string { return "number per second, minute, hour or day" }

// A Match is what a rule of the firewall looks at in a packet; a packet fits if it fits
// all that is set. The zero Match fits every packet. Only the firewall renders it.
type Match struct {
	Family             Family
	Protocol           IPProtocol
	SourcePorts, Ports PortRange    // of protocols with ports; the zero range is any
	ICMP               []uint8      // types of ICMP or ICMPv6 messages
	Groups             []netip.Addr // destinations, as multicast groups; of an Emit any
	Sources            []netip.Prefix
	// LinkLocal says that source and destination are link-local addresses: the packet is
	// from a neighbour.
	LinkLocal bool
	// HopLimit is the TTL, or hop limit, of the packet, whose Family is set; 0 is any. One of 255 was sent
	// on the link itself (RFC 5082 section 3).
	HopLimit uint8
	Mark     uint32 // bits that the packet's mark has; 0 is any
}

// An Accept is a way through the input chain that is not a service for zones, such
// as the answers of a DHCP server to the router's own client.
type Accept struct {
	By
	Match
	Networks []*Network // where it arrives
}

// An Emit is what a program of the router, or the kernel, sends so that links and routes of the spec
// work: what a DHCP client asks and a server answers, the packets of a tunnel, those of a routing
// protocol. No policy keeps it in.
type Emit struct {
	By
	Match
	Networks []*Network // by which it leaves; none is any
}

// A Forward is a way through the forward chain that no policy says. Policies come first:
// what one of them drops is dropped.
type Forward struct {
	By
	Match
	In, Out []*Network // where it arrives and leaves; none is anywhere
}

// An Opens is a program that opens ports of the router while it runs, as hosts ask for them (RFC 6887).
// The owner of the firewall has a table for it, which it makes whenever the unit starts, and which a
// reload of the firewall leaves alone. Its fixed chains say what may be opened at all, whatever the
// program does; a [Forward] of packets with MappedMark lets that through.
type Opens struct {
	By
	Unit     string     // the program's, without .service
	Table    string     // of the family inet
	External *Network   // whose ports are led on
	Networks []*Network // to hosts of which
	Ports    []PortRange
	IPv6     bool // hosts are also reached by IPv6 addresses of their own
	// The chains that the program fills: of what it lets pass, and of other addresses for what arrives
	// and for what leaves.
	Passed, Arrived, Left string
}

// An Inspect hands what named policies accept to a program in user space, which decides
// about every packet of every connection, established ones included, in both directions.
type Inspect struct {
	By
	Policies []*Policy
	First    uint16 // the first of the program's queues (NFQUEUE)
	Queues   uint16 // how many there are; connections are spread over them
	// FailOpen lets packets pass while the program does not run. Without it they are
	// dropped.
	FailOpen bool
}

// A KeepOffOffload keeps what passes through networks out of the flow table, for a program
// that has to see every packet of it.
type KeepOffOffload struct {
	By
	Networks []*Network
}

// Inspect claims to see the packets of policies.
func (s *Scope) Inspect(from hcl.Range, i Inspect) {
	Claim(s, from, i)
	s.Kernel(from, "inspection of packets", "NETFILTER_NETLINK_QUEUE", "NFT_QUEUE")
}
