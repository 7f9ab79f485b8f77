// Package throughput tells where the packets between hosts went while they were sent as fast as
// possible: through the switch alone, or through the router's processor. It judges counters, and
// looks at no machine itself.
package throughput

import (
	"fmt"
	"io"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/nbr-dev/nbr/router"
	"github.com/nbr-dev/nbr/verify"
)

// Octets are bytes since the counter began.
type Octets struct{ Received, Sent uint64 }

// less is what was counted since an earlier look. A counter that began anew meanwhile, as when a
// driver is loaded again, has counted what it has now at least.
func (o Octets) less(earlier Octets) Octets {
	minus := func(a, b uint64) uint64 {
		if a < b {
			return a
		}
		return a - b
	}
	return Octets{minus(o.Received, earlier.Received), minus(o.Sent, earlier.Sent)}
}

// A Link is what was counted at one.
type Link struct {
	// Kernel is what the kernel counts (IFLA_STATS64).
	Kernel Octets
	// Processor is what got from a switch's port to the processor, or from there to the port, and
	// Port what the port itself had, by the counters of the switch. Both are nil where the link is
	// no port of a switch, and Port where the switch's driver tells nothing.
	Processor, Port *Octets
}

// A Sample is a look at all counters.
type Sample struct {
	Time       time.Time
	Links      map[string]Link
	Busy, Idle uint64 // ticks of all processors together (proc_stat(5))
	// Offloaded are the connections in a flow table, -1 if that cannot be told.
	Offloaded int
}

// A Way is what packets between two hosts can take, and the commands that send them.
type Way struct {
	Name string
	// Bridge is the one whose ports both hosts are at. Without it the router forwards.
	Bridge router.Link
	Ports  []*router.BoardPort // of the bridge, at one switch
	// One and Other say where the hosts are.
	One, Other string
}

// Ways are those that a spec has: between ports of a bridge that are of one switch, and between
// the zones of policies that accept.
func Ways(r *router.Router) []Way {
	var out []Way
	for _, l := range r.Made {
		spec := l.Spec()
		if spec.Kind != "bridge" {
			continue
		}
		conduits := map[router.IfName][]*router.BoardPort{}
		for _, p := range spec.Ports.All() {
			if p, ok := p.(*router.BoardPort); ok && p.Kind == router.PortDSA {
				conduits[p.Conduit] = append(conduits[p.Conduit], p)
			}
		}
		for _, p := range spec.Ports.All() {
			p, ok := p.(*router.BoardPort)
			if !ok || len(conduits[p.Conduit]) < 2 || conduits[p.Conduit][0] != p {
				continue
			}
			ports := conduits[p.Conduit]
			out = append(out, Way{
				Name: "in the switch, " + l.Head().Addr.String(), Bridge: l, Ports: ports,
				One: "a host at " + string(p.Name), Other: "another host at " + names(ports[1:]),
			})
		}
	}
	for _, p := range r.Policies {
		if p.Action.V != "accept" {
			continue
		}
		for _, from := range p.From.All() {
			for _, to := range p.To.All() {
				if _, own := from.(*router.System); from != to && !own {
					w := Way{Name: "routed, " + p.Addr.String(), One: "a host in " + to.Head().Addr.String(), Other: "a host in " + from.Head().Addr.String()}
					if !slices.ContainsFunc(out, func(o Way) bool { return o.One == w.One && o.Other == w.Other }) {
						out = append(out, w)
					}
				}
			}
		}
	}
	return out
}

func names(ports []*router.BoardPort) string {
	var out []string
	for _, p := range ports {
		out = append(out, string(p.Name))
	}
	return strings.Join(out, ", ")
}

// Rate is bits in a second.
type Rate float64

// String is in Mbit/s, as iperf3 prints it.
func (r Rate) String() string { return fmt.Sprintf("%.1f Mbit/s", float64(r)/1e6) }

func rate(octets uint64, over time.Duration) Rate {
	return Rate(float64(octets) * 8 / over.Seconds())
}

// quiet is the rate below which a way was not in use: broadcasts, updates of a telephone.
const quiet Rate = 10e6

// A Share is what a bridge's ports received from hosts while they sent, and how much of it the
// processor saw.
type Share struct {
	Way
	Unknown   string        // why nothing is known; empty if something is
	Over      time.Duration // how long they sent, of the whole time
	All       Rate          // received at the ports
	Processor Rate          // of it, what got to the processor
	Idle      float64       // part of the processors' time meanwhile, 0 to 1
}

// Stayed tells whether the packets stayed in the switch: less than a tenth of them got to the
// processor. A switch sends there what it does not know yet, and broadcasts.
func (s Share) Stayed() bool { return s.Over > 0 && s.Processor < s.All/10 }

// A Report says where packets went in the time between the first sample and the last.
type Report struct {
	From, To time.Time
	Shares   []Share // of the bridges' ways
	// Links is what the processor had of each port, and of the conduit of a switch.
	Links     []LinkRate
	Idle      float64 // part of the processors' time, 0 to 1
	Offloaded int     // the most connections in a flow table; -1 if not known
}

// A LinkRate is a link's rates.
type LinkRate struct {
	Port           *router.BoardPort
	Received, Sent Rate
}

// Judge says where packets went. It wants two samples at least, in the order of time.
func Judge(r *router.Router, samples []Sample) Report {
	first, last := samples[0], samples[len(samples)-1]
	out := Report{From: first.Time, To: last.Time, Idle: idle(first, last), Offloaded: -1}
	for _, s := range samples {
		out.Offloaded = max(out.Offloaded, s.Offloaded)
	}
	for _, w := range Ways(r) {
		if w.Bridge != nil {
			out.Shares = append(out.Shares, share(w, samples))
		}
	}
	over := last.Time.Sub(first.Time)
	for _, p := range r.Ports() {
		a, before := first.Links[string(p.Name)]
		b, after := last.Links[string(p.Name)]
		if !before || !after {
			continue
		}
		d := b.Kernel.less(a.Kernel)
		if a.Processor != nil && b.Processor != nil {
			d = b.Processor.less(*a.Processor)
		}
		out.Links = append(out.Links, LinkRate{p, rate(d.Received, over), rate(d.Sent, over)})
	}
	return out
}

// share compares what ports have received with what of it got to the processor, in those intervals
// in which hosts sent.
func share(w Way, samples []Sample) Share {
	out := Share{Way: w}
	var all, processor, busy, rest uint64
	for i := 1; i < len(samples); i++ {
		a, b := samples[i-1], samples[i]
		here, seen, unknown := received(w.Ports, a, b)
		if unknown != "" {
			return Share{Way: w, Unknown: unknown}
		}
		over := b.Time.Sub(a.Time)
		if rate(here, over) < quiet {
			continue
		}
		out.Over += over
		all, processor, busy, rest = all+here, processor+seen, busy+b.Busy-a.Busy, rest+b.Idle-a.Idle
	}
	if out.Over == 0 {
		out.Unknown = fmt.Sprintf("at no time the ports received more than %s: no host has sent", quiet)
	} else {
		out.All, out.Processor, out.Idle = rate(all, out.Over), rate(processor, out.Over), part(busy, rest)
	}
	return out
}

// received is what ports have received between two samples, and what of it got to the processor,
// or why that is not known.
func received(ports []*router.BoardPort, a, b Sample) (all, processor uint64, unknown string) {
	for _, p := range ports {
		a, before := a.Links[string(p.Name)]
		b, after := b.Links[string(p.Name)]
		switch {
		case !before || !after:
			return 0, 0, fmt.Sprintf("%s is no link of this machine", p.Name)
		case a.Processor == nil || b.Processor == nil:
			return 0, 0, fmt.Sprintf("%s is no port of a switch on this machine", p.Name)
		case a.Port == nil || b.Port == nil:
			return 0, 0, "the switch's driver does not tell what its ports received: compare what iperf3 says with what the processor had, below"
		}
		all += b.Port.less(*a.Port).Received
		processor += b.Processor.less(*a.Processor).Received
	}
	return all, processor, ""
}

// idle is the part of the processors' time that was idle between two samples.
func idle(a, b Sample) float64 { return part(b.Busy-a.Busy, b.Idle-a.Idle) }

func part(busy, idle uint64) float64 {
	if busy+idle == 0 {
		return 1
	}
	return float64(idle) / float64(busy+idle)
}

// Status is what a share promises of a way: verify.Pass if its packets stayed in the switch,
// verify.Fail if they did not, and verify.Unknown if the driver does not tell or hosts sent next to
// nothing.
func (s Share) Status() verify.Status {
	switch {
	case s.Over == 0:
		return verify.Unknown
	case s.Stayed():
		return verify.Pass
	default:
		return verify.Fail
	}
}

// Text writes the report for people.
func (r Report) Text(w io.Writer) error {
	var b strings.Builder
	fmt.Fprintf(&b, "%.0f seconds, the processor idle for %.0f %%\n", r.To.Sub(r.From).Seconds(), 100*r.Idle)
	for _, s := range r.Shares {
		fmt.Fprintf(&b, "\n%s %s (%s)\n", strings.ToUpper(s.Status().String()), s.Name, names(s.Ports))
		if s.Unknown != "" {
			fmt.Fprintf(&b, "  %s\n", s.Unknown)
		} else {
			fmt.Fprintf(&b, "  for %.0f seconds hosts sent %s, of which %s got to the processor, which was idle for %.0f %%\n",
				s.Over.Seconds(), s.All, s.Processor, 100*s.Idle)
		}
	}
	if len(r.Links) > 0 {
		b.WriteString("\nwhat the processor had, on average\n")
		table := tabwriter.NewWriter(&b, 0, 0, 2, ' ', tabwriter.AlignRight)
		fmt.Fprint(table, "\treceived\tsent\t\n")
		for _, l := range r.Links {
			fmt.Fprintf(table, "%s\t%s\t%s\t\n", l.Port.Name, l.Received, l.Sent)
		}
		if err := table.Flush(); err != nil {
			return err
		}
	}
	if r.Offloaded >= 0 {
		fmt.Fprintf(&b, "\nconnections that passed the firewall's rules by, in a flow table: %d at most\n", r.Offloaded)
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// Commands writes the commands for two hosts that send packets each way.
func Commands(w io.Writer, ways []Way) error {
	var b strings.Builder
	for _, way := range ways {
		fmt.Fprintf(&b, "%s\n  %s:\n    iperf3 -s\n  %s:\n    iperf3 -c ADDRESS-OF-THE-FIRST -t 30\n    iperf3 -c ADDRESS-OF-THE-FIRST -t 30 -R\n\n", way.Name, way.One, way.Other)
	}
	_, err := io.WriteString(w, b.String())
	return err
}
