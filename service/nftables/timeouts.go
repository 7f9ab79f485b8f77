package nftables

import (
	"fmt"
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"

	"github.com/nbr-dev/nbr/hcl/conf"
	"github.com/nbr-dev/nbr/hcl/diag"
	"github.com/nbr-dev/nbr/router"
)

// Timeout is for how long connections of some services are remembered: a block timeout in that of
// the firewall. Without one it is the kernel's (Documentation/networking/nf_conntrack-sysctl.rst).
type Timeout struct {
	conf.Header
	Name       conf.Value[router.Name]       `hcl:"name,label"`
	Services   conf.List[router.ServiceName] `hcl:"services,required" empty:"error: it would be for no connection. Name services." doc:"The services whose connections it is for, through the router and to it: those of service blocks and of docs/services.md, with ports of tcp or udp."`
	Idle       conf.Value[router.Seconds]    `hcl:"idle,required" doc:"For how long a connection may be silent before it is forgotten: one of TCP that is established, one of UDP in which both ends have spoken for two seconds."`
	Unanswered conf.Value[router.Seconds]    `hcl:"unanswered,optional" default:"30s" doc:"For how long one of UDP may be silent before that."`
}

// What the RFCs want at least: of TCP two hours and four minutes (RFC 5382 section 5, REQ-5; RFC
// 7857 section 2 leaves it), of UDP two minutes, but for well-known ports (RFC 4787 section 4.3, REQ-5).
const (
	leastTCP  router.Seconds = 2*60*60 + 4*60
	leastUDP  router.Seconds = 2 * 60
	wellKnown                = 1023 // the last one (RFC 6335 section 6)
)

// timed are the protocols of which nft knows time-outs.
var timed = []router.IPProtocol{router.TCP, router.UDP}

// ports are those of a protocol that the time-out is for.
func (t *Timeout) ports(r *router.Router, proto router.IPProtocol) []router.PortRange {
	var out []router.PortRange
	for _, s := range t.Services.All() {
		for _, p := range r.PacketsOf(s) {
			if p.Protocol == proto && !slices.Contains(out, p.Ports) {
				out = append(out, p.Ports)
			}
		}
	}
	return out
}

// object is the name of the time-out of a protocol in the table.
func (t *Timeout) object(proto router.IPProtocol) string {
	return fmt.Sprintf("timeout_%s_%s", t.Name.V, proto)
}

// claimTimeouts names the services, and claims what the kernel needs.
func (f *Firewall) claimTimeouts(s *router.Scope) {
	for _, t := range f.Timeouts {
		s.Kernel(t.Def, "time-outs of connections", "NF_CONNTRACK_TIMEOUT")
		for _, n := range t.Services.Items {
			router.Claim(s, n.Range, router.NamesService{Service: n.V})
		}
	}
}

// judgeTimeouts wants services of TCP or UDP, each port in one block, and times that the RFCs have.
func (f *Firewall) judgeTimeouts(r *router.Router) hcl.Diagnostics {
	var diags hcl.Diagnostics
	type use struct {
		t  *Timeout
		at hcl.Range
		p  router.Packets
	}
	var before []use
	for _, t := range f.Timeouts {
		short := ""
		for _, s := range t.Services.Items {
			packets := r.PacketsOf(s.V)
			known := slices.DeleteFunc(slices.Clone(packets), func(p router.Packets) bool { return !slices.Contains(timed, p.Protocol) })
			if len(packets) > 0 && len(known) == 0 {
				diags = append(diags, diag.Help(diag.Error("timeout-protocol", s.Range, "Time-out of a service without ports",
					"%q has no port of tcp or udp, and nft knows no time-outs of other protocols.", s.V),
					"Take it out here."))
			}
			for _, p := range known {
				i := slices.IndexFunc(before, func(o use) bool { return o.p.Protocol == p.Protocol && o.p.Ports.Overlaps(p.Ports) })
				if i >= 0 && before[i].t != t {
					diags = append(diags, diag.With(diag.Help(diag.Error("timeout-twice", s.Range, "Two time-outs for one port",
						"timeout %q is for %s already, which %q has.", before[i].t.Name.V, before[i].p, s.V),
						"Leave the port to one of the two; ports of your own get a name by a service block."), before[i].at, "timeout %q", before[i].t.Name.V))
					break
				}
				before = append(before, use{t, s.Range, p})
				switch {
				case p.Protocol == router.TCP && t.Idle.V < leastTCP:
					short = "connections of TCP for two hours and four minutes (RFC 5382 section 5)"
				case p.Protocol == router.UDP && t.Idle.V < leastUDP && p.Ports.Last > wellKnown && short == "":
					short = "those of UDP for two minutes (RFC 4787 section 4.3)"
				}
			}
		}
		if short != "" {
			diags = append(diags, diag.Help(diag.Warning("timeout-short", t.Idle.Range, "Connections that are forgotten early",
				"After %d seconds of silence a connection is cut off, and neither end is told. A router is to remember %s.", t.Idle.V, short),
				"Write a longer time, unless that is what you want."))
		}
	}
	return diags
}

// writeTimeouts writes the time-outs as objects of the table (ct timeout of nft(8)).
func (f *Firewall) writeTimeouts(b *strings.Builder, r *router.Router) {
	for _, t := range f.Timeouts {
		for _, proto := range timed {
			if len(t.ports(r, proto)) == 0 {
				continue
			}
			policy := fmt.Sprintf("established : %d", t.Idle.V)
			if proto == router.UDP {
				policy = fmt.Sprintf("unreplied : %d, replied : %d", t.Unanswered.V, t.Idle.V)
			}
			fmt.Fprintf(b, "\nct timeout %s {\n  protocol %s;\n  policy = { %s }\n}\n", t.object(proto), proto, policy)
		}
	}
}

// timeouts gives new connections their time-outs, whatever becomes of them: it is too late for
// those that have begun. Ports are those of the hosts that the connections get to.
func (c *chain) timeouts(f *Firewall, r *router.Router) {
	for _, t := range f.Timeouts {
		for _, proto := range timed {
			var ports []string
			for _, p := range t.ports(r, proto) {
				ports = append(ports, p.String())
			}
			if len(ports) > 0 {
				c.add(line(f.Addr, t.Def), "%s dport { %s } ct timeout set %q", proto, strings.Join(ports, ", "), t.object(proto))
			}
		}
	}
}
