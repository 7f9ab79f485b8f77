// Package uplink has several ways to the Internet, of which the first that works is used. Whether
// one works is asked of hosts beyond it, by ICMP, TCP or DNS; a cable alone says nothing of what is
// behind the modem. nbr's own watcher (nbr uplinks, package failover/watch) asks and sets routes
// and rules, and the firewall marks flows, so that each stays on the uplink where it began.
package uplink

import (
	"net/netip"
	"slices"

	"github.com/hashicorp/hcl/v2"

	"github.com/nbr-dev/nbr/failover"
	"github.com/nbr-dev/nbr/hcl/conf"
	"github.com/nbr-dev/nbr/hcl/diag"
	"github.com/nbr-dev/nbr/router"
	"github.com/nbr-dev/nbr/service"
	"github.com/nbr-dev/nbr/verify/probe"
)

// Kind is the uplink block.
func Kind() service.Kind {
	return service.Kind{
		Type: "uplink", Doc: "One of several ways to the Internet, of which the first that works is used.",
		Software: "nbr",
		Example: `uplink "line" {
  network  = network.wan
  priority = 1
  probes   = ["icmp:9.9.9.9", "dns:149.112.112.112"]
}

link "wwan0" {} # a modem's, made by another program

network "lte" {
  link = link.wwan0
  ipv4 = "dhcp"
}

zone "wan" {
  networks = [network.wan, network.lte]
  allow    = ["wireguard"]
}

uplink "lte" {
  network  = network.lte
  priority = 2
  probes   = ["icmp:9.9.9.9", "dns:149.112.112.112"]
  interval = "1m" # it is paid by volume
}
`,
		Program: program{},
		Probes:  []probe.Any{statusOf},
		New:     func() service.Block { return &Uplink{} },
	}
}

// Uplink is the uplink block.
type Uplink struct {
	conf.Header
	Name      conf.Value[router.Name]    `hcl:"name,label"`
	Network   conf.Ref[*router.Network]  `hcl:"network,required" doc:"The network that leads to the Internet: by DHCP, PPPoE, router advertisements or a gateway."`
	Priority  conf.Value[Priority]       `hcl:"priority,required" doc:"The uplink with the lowest number that works is used for new connections."`
	Probes    conf.List[Probe]           `hcl:"probes,required" doc:"Questions to hosts in the Internet. One answer in a round is enough. Probes over IPv4 judge IPv4 and those over IPv6 IPv6; a version of IP without probes is judged by all."`
	Interval  conf.Value[router.Seconds] `hcl:"interval,optional" default:"5s" doc:"Time between two rounds of probes, 1s to 1h. Answers are waited for as long, but no longer than 3s."`
	Failures  conf.Value[Rounds]         `hcl:"failures,optional" default:"3" doc:"After how many rounds in a row without an answer the uplink has failed. A link that goes down fails at once."`
	Successes conf.Value[Rounds]         `hcl:"successes,optional" default:"3" doc:"After how many rounds in a row with an answer it works again."`
	Prefixes  conf.List[router.Block]    `hcl:"prefixes,optional" doc:"Fixed public addresses of networks behind the router that this uplink's provider leads here: what comes from there leaves by this uplink. Delegated prefixes and the router's own addresses on the link are known."`
}

// Priority is which uplink is preferred.
type Priority int

// UnmarshalText wants 1 to 16: each priority has a routing table of its own.
func (p *Priority) UnmarshalText(b []byte) error {
	return conf.Between(p, b, "priority of an uplink", 1, failover.MostUplinks, "")
}

// Describe is what the type is in the schema.
func (Priority) Describe() string { return "priority, 1 (preferred) to 16" }

// Rounds is a number of rounds of probes.
type Rounds int

// UnmarshalText wants 1 to 100.
func (n *Rounds) UnmarshalText(b []byte) error {
	return conf.Between(n, b, "number of rounds", 1, 100, "")
}

// Describe is what the type is in the schema.
func (Rounds) Describe() string { return "rounds, 1 to 100" }

// Probe is a question to a host.
type Probe struct{ failover.Probe }

// UnmarshalText wants icmp, tcp or dns and an address. A name would have to be resolved by the
// uplink that is to be judged.
func (p *Probe) UnmarshalText(b []byte) error {
	parsed, err := failover.ParseProbe(string(b))
	if err != nil {
		return diag.Advise(err, "write one such as icmp:9.9.9.9, tcp:9.9.9.9:443, dns:9.9.9.9 or icmp:2620:fe::fe; of IPv6 with a port tcp:[2620:fe::fe]:443")
	}
	p.Probe = parsed
	return nil
}

// packets are what the watcher sends.
func (p Probe) packets() []router.Packets {
	port := router.OnePort(router.Port(p.Target.Port()))
	switch {
	case p.Kind == "tcp":
		return []router.Packets{{Protocol: router.TCP, Ports: port}}
	case p.Kind == "dns":
		return []router.Packets{{Protocol: router.UDP, Ports: port}}
	case p.Target.Addr().Is4():
		return []router.Packets{{Protocol: router.ICMP, ICMP: router.MessageType(8)}} // an echo request (RFC 792)
	}
	return []router.Packets{{Protocol: router.ICMPv6, ICMP: router.MessageType(128)}} // RFC 4443 section 4.1
}

// Describe is what the type is in the schema.
func (Probe) Describe() string {
	return "icmp:ADDRESS, tcp:ADDRESS:PORT or dns:ADDRESS"
}

func (u *Uplink) family(a netip.Addr) failover.Family {
	if a.Is4() {
		return failover.IPv4
	}
	return failover.IPv6
}

// families are the versions of IP in which a default route comes with the link's networks.
func (u *Uplink) families(r *router.Router) []failover.Family {
	var four, six bool
	for _, n := range r.On(u.Network.Target.Link.Target) {
		four = four || n.ByDHCP() || n.ByPPP() || n.Gateway.Set
		six = six || n.TakesAdvertisements() || n.Gateway6.Set
	}
	var out []failover.Family
	if four {
		out = append(out, failover.IPv4)
	}
	if six {
		out = append(out, failover.IPv6)
	}
	return out
}

// delegated are the networks of prefixes that the uplink's provider delegates.
func (u *Uplink) delegated(r *router.Router) []*router.Network {
	var out []*router.Network
	for _, p := range r.Prefixes {
		if p.Network.Target.Link.Target == u.Network.Target.Link.Target {
			out = append(out, r.DelegatedOf(p)...)
		}
	}
	return out
}

// watched is the uplink as the watcher is told.
func (u *Uplink) watched(r *router.Router) failover.Uplink {
	out := failover.Uplink{
		Name: string(u.Name.V), Link: string(u.Network.Target.Device()), Priority: int(u.Priority.V), Families: u.families(r),
		Interval: int(u.Interval.V), Failures: int(u.Failures.V), Successes: int(u.Successes.V),
	}
	for _, p := range u.Probes.All() {
		out.Probes = append(out.Probes, p.Probe)
	}
	for _, p := range u.Prefixes.All() {
		out.Prefixes = append(out.Prefixes, p.Masked())
	}
	for _, n := range u.delegated(r) {
		d, _ := n.Delegated()
		id, _ := netip.ParseAddr(d.ID.String())
		out.Delegated = append(out.Delegated, failover.Delegated{
			Link: string(n.Device()), Length: int(d.Prefix.Target.Length.V), Subnet: uint64(d.Subnet), ID: id,
		})
	}
	return out
}

// The watcher and the firewall mean the same bits: another index is a compiler's error.
var _ = [1]bool{}[failover.MarkMask-router.UplinkMarks]

// unit is the watcher's, without .service.
const unit = "nbr-uplinks"

// firstMetric is below those of the default routes of uplinks, which come after the one that is
// chosen.
const firstMetric = 1000

// Claim claims the watcher's routes and rules, the marks of flows, and a start after the links are
// there.
func (u *Uplink) Claim(s *router.Scope) {
	s.Kernel(hcl.Range{}, "uplinks", "IP_MULTIPLE_TABLES", "IPV6_MULTIPLE_TABLES", "NF_CONNTRACK_MARK", "NF_CT_NETLINK", "NFT_FIB_INET")
	s.AfterLinks(hcl.Range{}, unit)
	router.Claim(s, hcl.Range{}, router.OwnRoutes{Protocol: failover.Protocol, Nowhere: true})
	router.Claim(s, hcl.Range{}, router.OwnRules{Protocol: failover.Protocol})
	for _, p := range u.Probes.Items {
		router.Claim(s, p.Range, router.Asks{Server: p.V.Target.Addr(), Packets: p.V.packets(), Networks: []*router.Network{u.Network.Target}})
	}
	w := u.watched(s.Router)
	router.Claim(s, hcl.Range{}, router.Uplink{
		Network: u.Network.Target, Mark: w.Mark(), Metric: router.Metric(firstMetric + u.Priority.V),
		Prefixes: w.Prefixes,
	})
}

// sorted are the uplinks, the preferred first.
func sorted(blocks []service.Block) []*Uplink {
	us := service.Of[*Uplink](blocks)
	slices.SortFunc(us, func(a, b *Uplink) int { return int(a.Priority.V - b.Priority.V) })
	return us
}

// config is what the watcher is told of all uplinks.
func config(r *router.Router, us []*Uplink) failover.Config {
	var c failover.Config
	for _, u := range us {
		c.Uplinks = append(c.Uplinks, u.watched(r))
	}
	return c
}
