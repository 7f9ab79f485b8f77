// Package keepalived makes several routers one for the hosts of a network: an address that hosts use as
// their gateway is on one of them, and on another when that one is gone (VRRP version 3, RFC 9568), with
// keepalived.
package keepalived

import (
	"encoding/binary"
	"fmt"
	"net/netip"
	"strconv"
	"strings"
	"time"

	"github.com/hashicorp/hcl/v2"

	"github.com/nbr-dev/nbr/hcl/conf"
	"github.com/nbr-dev/nbr/hcl/diag"
	"github.com/nbr-dev/nbr/router"
	"github.com/nbr-dev/nbr/service"
	"github.com/nbr-dev/nbr/verify/probe"
)

// Kind is the vrrp block.
func Kind() service.Kind {
	return service.Kind{
		Type: "vrrp", Doc: "Makes this router and others one gateway for the hosts of a network: when one fails, another has its addresses (VRRP version 3, RFC 9568).",
		Software: "keepalived",
		Example: `vrrp "lan" {
  network   = network.lan
  id        = 51
  priority  = 150
  addresses = ["192.168.178.254"]
  track     = [network.wan]
}

dhcp4 "lan" {
  network = network.lan
  pool    = ["192.168.178.100-192.168.178.149"]

  option "routers" {
    value = ["192.168.178.254"]
  }
}
`,
		Program: program{}, Probes: []probe.Any{advertised}, New: func() service.Block { return &VRRP{} },
	}
}

// VRRP is the vrrp block: this machine's part in one virtual router, which is one for each version of IP.
type VRRP struct {
	conf.Header
	Name      conf.Value[router.Name]    `hcl:"name,label"`
	Network   conf.Ref[*router.Network]  `hcl:"network,required" doc:"The network whose hosts use the addresses. What the routers tell each other there is not authenticated: VRRP version 3 has nothing for that (RFC 9568 section 9), and any host of the network could say that it is the router."`
	ID        conf.Value[ID]             `hcl:"id,required" doc:"The number of the virtual router, 1 to 255: the same on all its routers, and no other's in the network."`
	Priority  conf.Value[Priority]       `hcl:"priority,optional" default:"100" doc:"The router with the highest priority has the addresses: 1 to 254, on each router another."`
	Addresses conf.List[router.Addr]     `hcl:"addresses,required" empty:"error: there would be nothing that hosts could use. Name an address, or remove the block." doc:"The addresses that hosts use as their gateway, in the network's prefixes, the same on all routers and none of the routers' own. Of IPv6 a link-local one comes first (RFC 9568 section 5.2.9): where none is given it is made of the id, as fe80::200:5eff:fe00:233 of 51."`
	Interval  conf.Value[Interval]       `hcl:"interval,optional" default:"1s" doc:"How often the router that has the addresses says so, the same on all routers: 100ms to 2s. After three times that without a word another router takes them."`
	Preempt   conf.Value[bool]           `hcl:"preempt,optional" default:"true" doc:"Take the addresses from a router with a lower priority. Without it a router that is back has them when the other fails."`
	Track     conf.Refs[*router.Network] `hcl:"track,optional" empty:"that is as if it were not there. Name a network, or remove it." doc:"Networks without which this router is of no use as a gateway: while the link of one is down or has no carrier, it gives the addresses away."`
}

// ID is the number of a virtual router (VRID, RFC 9568 section 5.2.3).
type ID int

// UnmarshalText wants 1 to 255.
func (i *ID) UnmarshalText(b []byte) error {
	return conf.Between(i, b, "number of a virtual router", 1, 255, "")
}

// Describe is what the type is in the schema.
func (ID) Describe() string { return "number of a virtual router, 1 to 255" }

// Priority is that of a router which does not own the addresses (RFC 9568 section 5.2.4).
type Priority int

// UnmarshalText wants 1 to 254: 255 is of a router whose own addresses they are, and 0 of one that gives
// them away.
func (p *Priority) UnmarshalText(b []byte) error {
	return conf.Between(p, b, "priority of a router", 1, 254, "")
}

// Describe is what the type is in the schema.
func (Priority) Describe() string { return "priority, 1 to 254" }

// Interval is between two advertisements, in hundredths of a second (RFC 9568 section 5.2.7).
type Interval int

// The shortest and the longest interval: with less a busy router is taken for dead, and with more hosts
// are without a gateway for longer than what they do with it lasts.
const (
	leastInterval Interval = 10
	mostInterval  Interval = 200
)

// UnmarshalText wants a duration in seconds or milliseconds.
func (i *Interval) UnmarshalText(b []byte) error {
	text, unit := string(b), 0
	if digits, ok := strings.CutSuffix(text, "ms"); ok {
		text, unit = digits, 1
	} else if digits, ok := strings.CutSuffix(text, "s"); ok {
		text, unit = digits, 1000
	}
	n, err := strconv.Atoi(text)
	if err != nil || unit == 0 || text != strconv.Itoa(n) {
		return diag.Advise(fmt.Errorf("%q is no interval of VRRP", b), "write 1s or 500ms")
	}
	if n < 0 || n > 10_000 || n*unit%10 != 0 || Interval(n*unit/10) < leastInterval || Interval(n*unit/10) > mostInterval {
		return diag.Advise(fmt.Errorf("%q is no interval from 100ms to 2s in hundredths of a second", b), "write 1s or 500ms")
	}
	*i = Interval(n * unit / 10)
	return nil
}

// Describe is what the type is in the schema.
func (Interval) Describe() string { return "duration from 100ms to 2s" }

// seconds is as keepalived has it.
func (i Interval) seconds() string { return strconv.FormatFloat(float64(i)/100, 'f', -1, 64) }

// String is for people.
func (i Interval) String() string { return (time.Duration(i) * 10 * time.Millisecond).String() }

const unit = "keepalived"

// An instance is the virtual router of one version of IP.
type instance struct {
	*VRRP
	family    router.Family
	addresses []netip.Addr // as they are advertised
}

// name is the instance's in keepalived. An instance of for_each is in.key: no label has a dot in it.
func (i instance) name() string {
	return i.group() + "." + strings.ToLower(i.family.String())
}

// group is the name of what both versions of IP are together.
func (b *VRRP) group() string { return strings.NewReplacer(`["`, ".", `"]`, "").Replace(b.Addr.Name) }

// The addresses of all routers of VRRP on a link (RFC 9568 sections 5.1.1.2 and 5.1.2.2).
var groups = map[router.Family]netip.Addr{
	router.IPv4: netip.MustParseAddr("224.0.0.18"),
	router.IPv6: netip.MustParseAddr("ff02::12"),
}

// instances are those of the versions of IP that the block has addresses of.
func (b *VRRP) instances() []instance {
	var v4, v6 []netip.Addr
	linkLocal := netip.Addr{}
	for _, a := range b.Addresses.All() {
		switch {
		case a.Is4():
			v4 = append(v4, a.Addr)
		case a.IsLinkLocalUnicast() && !linkLocal.IsValid():
			linkLocal = a.Addr
		default:
			v6 = append(v6, a.Addr)
		}
	}
	var out []instance
	if len(v4) > 0 {
		out = append(out, instance{b, router.IPv4, v4})
	}
	if len(v6) > 0 || linkLocal.IsValid() {
		if !linkLocal.IsValid() {
			linkLocal = b.ID.V.linkLocal()
		}
		out = append(out, instance{b, router.IPv6, append([]netip.Addr{linkLocal}, v6...)})
	}
	return out
}

// linkLocal is the virtual router's of the MAC address that RFC 9568 section 7.3 has for it
// (RFC 4291 appendix A), which is no machine's.
func (i ID) linkLocal() netip.Addr {
	var raw [16]byte
	binary.BigEndian.PutUint64(raw[:8], 0xfe80<<48)
	binary.BigEndian.PutUint64(raw[8:], 0x0200_5eff_fe00_0200|uint64(i))
	return netip.AddrFrom16(raw)
}

// Claim says that the addresses come and go, and lets the routers hear each other. What has crossed a
// router is none of theirs (RFC 9568 sections 5.1.1.3 and 5.1.2.3).
func (b *VRRP) Claim(s *router.Scope) {
	n := b.Network.Target
	s.AfterLinks(hcl.Range{}, unit)
	s.Kernel(hcl.Range{}, "VRRP", "IP_MULTICAST")
	for _, i := range b.instances() {
		for _, a := range i.addresses {
			router.Claim(s, b.Addresses.Range, router.OwnAddresses{Within: netip.PrefixFrom(a, a.BitLen()), On: []router.Link{n.Link.Target}})
		}
		router.Claim(s, b.Addresses.Range, router.VirtualRouter{Network: n, ID: int(b.ID.V), Addresses: i.addresses})
		m := router.Match{Family: i.family, Protocol: router.VRRP, HopLimit: 255, Groups: []netip.Addr{groups[i.family]}}
		router.Claim(s, b.Network.Range, router.Accept{Match: m, Networks: []*router.Network{n}})
		router.Claim(s, b.Network.Range, router.Emit{Match: m, Networks: []*router.Network{n}})
	}
}
