// Package shaper keeps delays small while a line is full: packets wait in a queue of the router's
// own, CAKE (tc-cake(8)), which is fair to hosts and flows, and not in one of the modem or the
// provider. The kernel has the queues, and IfState sets them up.
package shaper

import (
	"fmt"
	"hash/crc32"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/hashicorp/hcl/v2"

	"github.com/nbr-dev/nbr/hcl/conf"
	"github.com/nbr-dev/nbr/hcl/diag"
	"github.com/nbr-dev/nbr/router"
	"github.com/nbr-dev/nbr/service"
	"github.com/nbr-dev/nbr/verify/probe"
)

// Kind is the shaper block.
func Kind() service.Kind {
	return service.Kind{
		Type: "shaper", Doc: "Small delays on a line that is full, and an equal share of it for each host.",
		Software: "CAKE",
		Example: `shaper "line" {
  network  = network.wan
  download = "237mbit" # 95 % of what was measured
  upload   = "38mbit"
}
`,
		Probes: []probe.Any{queueOf, redirectOf},
		New:    func() service.Block { return &Shaper{} },
	}
}

// Shaper is the shaper block.
type Shaper struct {
	conf.Header
	Name      conf.Value[router.Name]   `hcl:"name,label"`
	Network   conf.Ref[*router.Network] `hcl:"network,required" doc:"The network whose link is shaped, with all that the link carries: the upstream of a line, or one of the router's own networks that is to have a part of it. A PPPoE session is shaped on the link below it."`
	Download  conf.Value[Bandwidth]     `hcl:"download,required" doc:"How fast packets may come towards hosts. On an upstream 85 to 95 % of what the line brings: it is the router that has to be the slowest."`
	Upload    conf.Value[Bandwidth]     `hcl:"upload,required" doc:"How fast packets of hosts may go."`
	Framing   conf.Value[Framing]       `hcl:"framing,optional" default:"ethernet" doc:"What the line adds to a packet, in the words of tc-cake(8): ethernet (fibre), docsis (cable), pppoe-ptm and bridged-ptm (VDSL), pppoe-llcsnap and others (ADSL), conservative for what is not known. A VLAN tag is counted besides."`
	Priority  conf.Value[Priority]      `hcl:"priority,optional" default:"diffserv3" doc:"How many classes of packets there are, by their DSCP (RFC 8325): besteffort is one, diffserv3 and diffserv4 let calls go first and bulk last."`
	ACKFilter conf.Value[bool]          `hcl:"ack_filter,optional" default:"false" doc:"Drop TCP acknowledgements of uploads' queue that a later one makes needless: for lines whose download is more than ten times as fast as their upload."`
}

// Bandwidth is bits in a second.
type Bandwidth uint64

var bandwidthUnits = []struct {
	suffix string
	factor uint64
}{{"gbit", 1_000_000_000}, {"mbit", 1_000_000}, {"kbit", 1000}}

// The least and the most bandwidth: below it a packet of 1500 bytes takes longer than half a second
// (CAKE's own calculations are of queues with several), and no port is faster than the last.
const (
	leastBandwidth Bandwidth = 64_000
	mostBandwidth  Bandwidth = 100_000_000_000
)

// UnmarshalText wants a whole number and a unit of tc(8) that is a power of 1000.
func (w *Bandwidth) UnmarshalText(b []byte) error {
	for _, u := range bandwidthUnits {
		digits, ok := strings.CutSuffix(strings.ToLower(string(b)), u.suffix)
		if !ok {
			continue
		}
		n, err := strconv.ParseUint(strings.TrimSpace(digits), 10, 64)
		if err != nil || n > uint64(mostBandwidth)/u.factor || Bandwidth(n*u.factor) < leastBandwidth {
			return diag.Advise(fmt.Errorf("%q is no bandwidth of a shaper", b), "write one from %s to %s", leastBandwidth, mostBandwidth)
		}
		*w = Bandwidth(n * u.factor)
		return nil
	}
	return diag.Advise(fmt.Errorf("%q is no bandwidth", b), "write a whole number and kbit, mbit or gbit, as in 40mbit")
}

// String is as UnmarshalText reads it, with the largest unit that it is a multiple of, or the word
// of tc-cake(8) for a queue without a bandwidth.
func (w Bandwidth) String() string {
	if w == 0 {
		return "unlimited"
	}
	for _, u := range bandwidthUnits {
		if uint64(w)%u.factor == 0 {
			return fmt.Sprintf("%d%s", uint64(w)/u.factor, u.suffix)
		}
	}
	return fmt.Sprintf("%d bit", uint64(w))
}

// Describe is what the type is in the schema.
func (Bandwidth) Describe() string { return "bits in a second, as in 40mbit" }

// Framing is what a line adds to each packet.
type Framing string

// framings are those of tc-cake(8), "Overhead compensation": bytes around a packet, the least
// that the line takes for one, and its cells.
var framings = map[Framing]struct {
	overhead, mpu int
	cells         string // as tc prints it
}{
	"ethernet":        {38, 84, "noatm"},
	"docsis":          {18, 64, "noatm"},
	"pppoe-ptm":       {30, 0, "ptm"},
	"bridged-ptm":     {22, 0, "ptm"},
	"ipoa-vcmux":      {8, 0, "atm"},
	"ipoa-llcsnap":    {16, 0, "atm"},
	"bridged-vcmux":   {24, 0, "atm"},
	"bridged-llcsnap": {32, 0, "atm"},
	"pppoa-vcmux":     {10, 0, "atm"},
	"pppoa-llc":       {14, 0, "atm"},
	"pppoe-vcmux":     {32, 0, "atm"},
	"pppoe-llcsnap":   {40, 0, "atm"},
	"conservative":    {48, 0, "atm"},
}

// UnmarshalText wants a keyword of tc-cake(8).
func (f *Framing) UnmarshalText(b []byte) error {
	return conf.OneOf(f, b, "framing of a line", slices.Sorted(maps.Keys(framings))...)
}

// Describe is what the type is in the schema.
func (Framing) Describe() string {
	var words []string
	for _, f := range slices.Sorted(maps.Keys(framings)) {
		words = append(words, string(f))
	}
	return diag.Either(words)
}

// Priority is into which classes packets are sorted.
type Priority string

// UnmarshalText wants a keyword of tc-cake(8).
func (p *Priority) UnmarshalText(b []byte) error {
	return conf.OneOf(p, b, "priority", "besteffort", "diffserv3", "diffserv4", "diffserv8")
}

// Describe is what the type is in the schema.
func (Priority) Describe() string { return "besteffort, diffserv3, diffserv4 or diffserv8" }

// link is the one that is shaped: IfState sets no queue on a link that another program makes, so
// of a session it is the link below.
func (s *Shaper) link() router.Link {
	l := s.Network.Target.Link.Target
	if spec := l.Spec(); spec.External && spec.Via.Set {
		return spec.Via.Target
	}
	return l
}

// below is how many bytes a packet of the network is longer on the link that is shaped. CAKE
// counts from the header that it finds there, so they are there once more in the framings.
func (s *Shaper) below() int {
	if spec := s.Network.Target.Link.Target.Spec(); spec.External {
		return spec.Overhead
	}
	return 0
}

// overhead is what the line adds to a packet as CAKE sees it, a tag of four bytes for each VLAN
// included.
func (s *Shaper) overhead() int {
	n := framings[s.Framing.V].overhead - s.below()
	for _, l := range router.Below(s.link()) {
		if l.Spec().Kind != "vlan" {
			break
		}
		n += 4
	}
	return n
}

// ifb is the interface that has the queue of what arrives (Documentation/networking of the kernel
// calls it an intermediate functional block): a link has a queue for what it sends only.
func (s *Shaper) ifb() router.IfName {
	name := s.link().LinkName()
	if ifb := "ifb-" + name; len(ifb) <= 15 {
		return ifb
	}
	return router.IfName(fmt.Sprintf("ifb-%08x", crc32.ChecksumIEEE([]byte(name))))
}

// toHosts tells whether what the link sends goes to hosts, as on any network but an upstream.
func (s *Shaper) toHosts() bool { return !s.Network.Target.Upstream() }

// queues are that of what the link sends and that of what arrives.
func (s *Shaper) queues() (out, in router.Queue) {
	up := router.Queue{Bandwidth: s.Upload.V.String(), Attributes: append(s.attributes(),
		// Equal shares for hosts, and within them for flows. Behind NAT they are known by what
		// conntrack has of them.
		router.LinkAttribute{Name: "flow_mode", Value: "dual-srchost"},
		router.LinkAttribute{Name: "ack_filter", Value: s.ACKFilter.V})}
	down := router.Queue{Bandwidth: s.Download.V.String(), Attributes: append(s.attributes(),
		router.LinkAttribute{Name: "flow_mode", Value: "dual-dsthost"})}
	out, in = up, down
	if s.toHosts() {
		out, in = down, up
	}
	// What is dropped has passed the line already (tc-cake(8), "ingress").
	in.Attributes = append(in.Attributes, router.LinkAttribute{Name: "ingress", Value: true})
	return out, in
}

// attributes are those of both queues.
func (s *Shaper) attributes() []router.LinkAttribute {
	f := framings[s.Framing.V]
	out := []router.LinkAttribute{
		{Name: "diffserv_mode", Value: string(s.Priority.V)},
		{Name: "overhead", Value: s.overhead()},
		{Name: "mpu", Value: f.mpu},
		{Name: "nat", Value: !s.toHosts()},
	}
	switch f.cells {
	case "ptm":
		out = append(out, router.LinkAttribute{Name: "atm_mode", Value: "ptm"})
	default:
		out = append(out, router.LinkAttribute{Name: "atm_mode", Value: f.cells == "atm"})
	}
	return out
}

// Claim claims the kernel's queues, and the link for them. What passes it is not offloaded: the
// shaper and flow offload are after opposite things, delay and speed, and a network card that
// forwards by itself asks no queue.
func (s *Shaper) Claim(scope *router.Scope) {
	scope.Kernel(hcl.Range{}, "shaping", "NET_SCH_CAKE", "IFB", "NET_SCH_INGRESS", "NET_CLS_MATCHALL", "NET_ACT_MIRRED")
	out, in := s.queues()
	router.Claim(scope, hcl.Range{}, router.Shape{Link: s.link(), Out: out, In: in, IFB: s.ifb()})
	shaped := slices.DeleteFunc(slices.Clone(scope.Networks), func(n *router.Network) bool { return !s.carries(n.Link.Target) })
	router.Claim(scope, hcl.Range{}, router.KeepOffOffload{Networks: shaped})
}

// Judge finds links that cannot be shaped, or would be twice.
func (s *Shaper) Judge(r *router.Router) hcl.Diagnostics {
	var diags hcl.Diagnostics
	if l := s.link(); l.Spec().External {
		diags = append(diags, diag.With(diag.Help(diag.Error("shaper-foreign-link", s.Network.Range, "Link of another program cannot be shaped",
			"%s is on %s, which another program makes: IfState, which sets up the queues, leaves it alone.", s.Network.Addr, l.Head().Addr),
			"Name a network whose link nbr makes, such as the one that %s leads to.", l.Head().Addr), l.Head().Def, "%s", l.Head().Addr.String()))
	}
	for _, other := range router.Claimed[router.Shape](r) {
		if other.Addr == s.Addr {
			break // of each pair the later one complains
		}
		if other.Link == s.link() {
			return append(diags, diag.With(diag.Help(diag.Error("shaped-twice", s.Network.Range, "Link that is shaped twice",
				"%s shapes %s already, which has one queue for each direction.", other.Addr, s.link().LinkName()),
				"Remove one of the two."), other.From, "%s", other.Addr.String()))
		}
	}
	for _, l := range r.Links() {
		if l.LinkName() == s.ifb() {
			diags = append(diags, diag.With(diag.Help(diag.Error("shaper-name", l.Head().Def, "Name of a shaper's interface",
				"%s would be called %s, as the interface that has the queue of what arrives for %s.", l.Head().Addr, s.ifb(), s.Addr),
				"Choose another name."), s.Def, "%s", s.Addr.String()))
		}
	}
	return diags
}

// carries tells whether packets of a link pass the one that is shaped: it is that link, or below
// it are VLANs and sessions, down to it.
func (s *Shaper) carries(l router.Link) bool {
	return slices.Contains(router.Below(l), s.link())
}
