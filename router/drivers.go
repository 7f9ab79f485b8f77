package router

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"unicode"

	"github.com/hashicorp/hcl/v2"

	"github.com/nbr-dev/nbr/hcl/conf"
	"github.com/nbr-dev/nbr/hcl/diag"
)

// Alias is what people call a link (IFLA_IFALIAS, ifAlias of RFC 2863).
type Alias string

// UnmarshalText wants a line of 1 to 255 bytes (IFALIASZ of linux/if.h, less the byte that ends it).
func (a *Alias) UnmarshalText(b []byte) error {
	switch {
	case len(b) == 0:
		return diag.Advise(errors.New("the alias is empty"), "write what the link is for, or remove it")
	case len(b) > 255:
		return fmt.Errorf("the alias has %d bytes, and the kernel keeps 255", len(b))
	case bytes.ContainsFunc(b, func(r rune) bool { return !unicode.IsPrint(r) }):
		return diag.Advise(fmt.Errorf("%q has characters that cannot be printed", b), "write it on one line")
	}
	*a = Alias(b)
	return nil
}

// Describe is what the type is in the schema.
func (Alias) Describe() string { return "line of 1 to 255 bytes" }

// Offload is work that a network card does for the kernel, or that the kernel does for many
// packets at once, as ethtool(8) calls it with -K.
type Offload string

// offloads are the ones that a spec may name, and the kernel's features that each is
// (netdev_features_strings in net/ethtool/common.c; off_flag_def in ethtool.c).
var offloads = []struct {
	name     Offload
	features []string
}{
	{"rx", []string{"rx-checksum"}},
	{"tx", []string{"tx-checksum-ipv4", "tx-checksum-ip-generic", "tx-checksum-ipv6", "tx-checksum-sctp"}},
	{"sg", []string{"tx-scatter-gather", "tx-scatter-gather-fraglist"}},
	{"tso", []string{"tx-tcp-segmentation", "tx-tcp-accecn-segmentation", "tx-tcp-ecn-segmentation", "tx-tcp-mangleid-segmentation", "tx-tcp6-segmentation"}},
	{"gso", []string{"tx-generic-segmentation"}},
	{"gro", []string{"rx-gro"}},
	{"lro", []string{"rx-lro"}},
	{"rxvlan", []string{"rx-vlan-hw-parse"}},
	{"txvlan", []string{"tx-vlan-hw-insert"}},
	{"rxhash", []string{"rx-hashing"}},
	{"ntuple", []string{"rx-ntuple-filter"}},
}

// UnmarshalText wants one of them.
func (o *Offload) UnmarshalText(b []byte) error {
	return conf.OneOf(o, b, "offload of a port", offloadNames()...)
}

// Describe is what the type is in the schema.
func (Offload) Describe() string {
	return "rx, tx, sg, tso, gso, gro, lro, rxvlan, txvlan, rxhash or ntuple"
}

func offloadNames() (out []Offload) {
	for _, o := range offloads {
		out = append(out, o.name)
	}
	return out
}

// Features are what the kernel calls it.
func (o Offload) Features() []string {
	for _, known := range offloads {
		if known.name == o {
			return known.features
		}
	}
	return nil
}

// QueueLength is a number of packets (IFLA_TXQLEN).
type QueueLength int

// UnmarshalText wants one packet at least, and not more than fill a gigabyte.
func (q *QueueLength) UnmarshalText(b []byte) error {
	return conf.Between(q, b, "length of a queue", 1, 1000000, " packets")
}

// Describe is what the type is in the schema.
func (QueueLength) Describe() string { return "packets, 1 to 1000000" }

// RingSize is the number of packets that a network card has room for (ETHTOOL_A_RINGS_RX).
type RingSize int

// UnmarshalText wants a number that some card may have.
func (r *RingSize) UnmarshalText(b []byte) error {
	return conf.Between(r, b, "size of a ring", 1, 65536, " packets; ethtool -g shows how many the port can have")
}

// Describe is what the type is in the schema.
func (RingSize) Describe() string { return "packets, 1 to 65536" }

// Microseconds are how long an interrupt waits (ETHTOOL_A_COALESCE_RX_USECS).
type Microseconds int

// UnmarshalText wants a tenth of a second at most.
func (m *Microseconds) UnmarshalText(b []byte) error {
	return conf.Between(m, b, "number of microseconds", 0, 100000, "")
}

// Describe is what the type is in the schema.
func (Microseconds) Describe() string { return "microseconds, 0 to 100000" }

// Frames are how many packets an interrupt waits for (ETHTOOL_A_COALESCE_RX_MAX_FRAMES).
type Frames int

// UnmarshalText wants a number that some card may have.
func (f *Frames) UnmarshalText(b []byte) error {
	return conf.Between(f, b, "number of packets", 0, 65536, "")
}

// Describe is what the type is in the schema.
func (Frames) Describe() string { return "packets, 0 to 65536" }

// LinkSpeed is a speed of Ethernet in Mbit/s.
type LinkSpeed int

var linkSpeeds = []LinkSpeed{10, 100, 1000, 2500, 5000, 10000, 25000, 40000, 50000, 100000}

// UnmarshalText wants a speed that IEEE 802.3 has, of those that one cable carries to a router.
func (s *LinkSpeed) UnmarshalText(b []byte) error {
	n, err := strconv.Atoi(string(b))
	if err != nil || !slices.Contains(linkSpeeds, LinkSpeed(n)) {
		return fmt.Errorf("%q is no speed of Ethernet: 10, 100, 1000, 2500, 5000, 10000, 25000, 40000, 50000 or 100000 Mbit/s", b)
	}
	*s = LinkSpeed(n)
	return nil
}

// Describe is what the type is in the schema.
func (LinkSpeed) Describe() string { return "speed of Ethernet in Mbit/s" }

// rulePortSpeeds finds speeds that ports have not, and ends that would find no common one.
func rulePortSpeeds(r *Router) hcl.Diagnostics {
	var diags hcl.Diagnostics
	for _, p := range r.Ports() {
		switch off := p.Autoneg.Set && !p.Autoneg.V; {
		case p.Rate.Set && p.Speed != 0 && int(p.Rate.V) > p.Speed:
			diags = append(diags, diag.Help(diag.Error("port-speed", p.Rate.Range, "Faster than the port",
				"%s of this board has %d Mbit/s at most.", p.Addr, p.Speed), "Write %d or less, or remove it.", p.Speed))
		case off && !p.Rate.Set:
			diags = append(diags, diag.Help(diag.Error("port-speed", p.Autoneg.Range, "Which speed?",
				"Without negotiation %s does not find out how fast the other end is.", p.Addr), "Write speed = 1000 or what the other end has, or remove autoneg."))
		case off && p.Kind == PortDSA && p.Rate.V >= 1000:
			diags = append(diags, diag.With(diag.Help(diag.Error("port-speed", p.Autoneg.Range, "Not without negotiation",
				"%s is for twisted pair, and there the two ends of a link of %d Mbit/s negotiate which one gives the clock (IEEE 802.3 clause 40.5).", p.Addr, p.Rate.V),
				"Remove autoneg: with speed alone no other one is offered."), p.Rate.Range, "the speed"))
		}
	}
	return diags
}

// ruleCoalesce finds settings of interrupts that the driver would choose itself.
func ruleCoalesce(r *Router) hcl.Diagnostics {
	var diags hcl.Diagnostics
	for _, p := range r.Ports() {
		for _, way := range []struct {
			name     string
			adaptive conf.Value[bool]
			usecs    conf.Value[Microseconds]
			frames   conf.Value[Frames]
		}{{"rx", p.AdaptiveRx, p.RxUsecs, p.RxFrames}, {"tx", p.AdaptiveTx, p.TxUsecs, p.TxFrames}} {
			if !way.adaptive.V {
				continue
			}
			for _, said := range []struct {
				name string
				set  bool
				at   hcl.Range
			}{{"usecs", way.usecs.Set, way.usecs.Range}, {"frames", way.frames.Set, way.frames.Range}} {
				if said.set {
					diags = append(diags, diag.With(diag.Help(diag.Error("coalesce-adaptive", said.at, "The driver chooses it",
						"With adaptive_%s = true the driver of %s changes %s_%s by the traffic.", way.name, p.Addr, way.name, said.name),
						"Remove one of the two."), way.adaptive.Range, "adaptive_%s", way.name))
				}
			}
		}
	}
	return diags
}
