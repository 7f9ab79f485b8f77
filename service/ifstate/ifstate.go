// Package ifstate makes the router's links, addresses and static routes, with
// IfState 2.x (networking.ifstate). It also sets the kernel parameters that make
// a host a router, and keeps every program that listens waiting for the links.
package ifstate

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"

	"github.com/nbr-dev/nbr/hcl/conf"
	"github.com/nbr-dev/nbr/hcl/diag"
	"github.com/nbr-dev/nbr/router"
	"github.com/nbr-dev/nbr/service"
)

// Kind is the interfaces block. It is there without being written.
func Kind() service.Kind {
	return service.Kind{
		Type: "interfaces", Doc: "How links, addresses and routes are made.",
		Software: "IfState",
		Example: `interfaces {
  ignore    = ["^podman[0-9]+$"] # another program makes these
  listeners = ["tcp/8080"]       # and opens this
}
`,
		Single: true, Implicit: true, Program: service.Alone("network", (*Interfaces).lower),
		New: func() service.Block { return &Interfaces{} },
	}
}

// Interfaces is the interfaces block.
type Interfaces struct {
	conf.Header
	Ignore    conf.List[Pattern] `hcl:"ignore,optional" doc:"Regular expressions of interfaces that other programs make; IfState leaves them alone."`
	Listeners conf.List[Socket]  `hcl:"listeners,optional" doc:"Sockets of programs that nbr does not know, as in [\"tcp/8080\"]: nbr verify does not call them foreign. The firewall is not opened for them."`
	Extra     service.Extra      `hcl:"extra,optional" doc:"Merged into networking.ifstate.settings."`
}

// protocolRA is RTPROT_RA of linux/rtnetlink.h: the kernel's routes by router
// advertisements.
const protocolRA = 9

// kernelLinks are the interfaces that tunnel modules of the kernel make when they are
// loaded (net.core.fb_tunnels_only_for_init_net).
const kernelLinks = "^(sit0|tunl0|gre0|gretap0|erspan0|ip6tnl0|ip6gre0|ip_vti0|ip6_vti0)$"

// Claim claims what a router needs of the kernel, whatever else it does, and what the
// kernel does by itself.
func (b *Interfaces) Claim(s *router.Scope) {
	router.Claim(s, hcl.Range{}, router.OwnLinks{Pattern: kernelLinks})
	s.WhileFirewallUp(hcl.Range{}, "net.ipv4.conf.all.forwarding", "1")
	s.WhileFirewallUp(hcl.Range{}, "net.ipv6.conf.all.forwarding", "1")
	// Of links that come later; what is there already has its own (see advertisements).
	s.Sysctl(hcl.Range{}, "net.ipv6.conf.default.accept_ra", "0")
	s.Sysctl(hcl.Range{}, "net.ipv6.conf.default.autoconf", "0")
	for _, p := range b.Ignore.Items {
		router.Claim(s, p.Range, router.OwnLinks{Pattern: string(p.V)})
	}
	if b.Extra.Set || len(b.Ignore.Items) > 0 {
		router.Claim(s, hcl.Range{}, router.AddedRoutes{})
	}
	b.claimSevered(s)
	b.claimRouting(s)
	if links := driven(s.Router); len(links) > 0 {
		s.AfterLinks(links[0].Head().Def, driversUnit)
	}
	for _, n := range s.Networks {
		on := []router.Link{n.Link.Target}
		if n.TakesAdvertisements() {
			router.Claim(s, n.IPv6.Range, router.OwnRoutes{Protocol: protocolRA, On: on})
		}
		if n.ByAdvertisement() {
			router.Claim(s, n.IPv6.Range, router.OwnAddresses{On: on, Expiring: true})
		}
	}
	for _, l := range s.Made {
		switch spec := l.Spec(); {
		case spec.External:
			router.Claim(s, l.Head().Def, router.OwnLinks{Pattern: "^" + regexp.QuoteMeta(string(l.LinkName())) + "$"})
		case spec.Kind == "bridge":
			s.Kernel(l.Head().Def, "bridges", "BRIDGE")
			if spec.Bridge.VLANAware() {
				s.Kernel(spec.Bridge.VLANs[0].Def, "VLANs of bridges", "BRIDGE_VLAN_FILTERING")
			}
		case spec.Kind == "vlan":
			s.Kernel(l.Head().Def, "VLANs", "VLAN_8021Q")
		}
	}
}

// Judge finds links that the release's IfState does not know, and patterns that fit what IfState is to configure, and does: it leaves alone what
// fits one and is not in its configuration. The core's rules judge links and addresses.
func (b *Interfaces) Judge(r *router.Router) hcl.Diagnostics {
	diags := append(tooOld(r), b.judgeExtra(r)...)
	for _, p := range b.Ignore.Items {
		re := regexp.MustCompile(anchored(string(p.V)))
		i := slices.IndexFunc(r.Links(), func(l router.Link) bool {
			port, board := l.(*router.BoardPort)
			return re.MatchString(string(l.LinkName())) && !l.Spec().External && (!board || used(r, port))
		})
		if i < 0 {
			continue
		}
		l := r.Links()[i]
		d := diag.Help(diag.Warning("ignores-own-link", p.Range, "Pattern fits a link of the spec",
			"%q fits %s, which is %s and is configured all the same.", p.V, l.LinkName(), l.Head().Addr),
			"Write a pattern that fits interfaces of other programs only, as \"^podman[0-9]+$\".")
		if l.Head().Def != (hcl.Range{}) { // of the board's own ports no line speaks
			diag.With(d, l.Head().Def, "%s", l.Head().Addr.String())
		}
		diags = append(diags, d)
	}
	return diags
}

// anchored is a pattern as re.match of Python takes it.
func anchored(pattern string) string { return "^(?:" + pattern + ")" }

// used tells whether a port has anything to do.
func used(r *router.Router, p *router.BoardPort) bool {
	_, ok := portUser(r, p)
	return ok
}

// standsOn tells whether a link stands on a port, as a VLAN does, or goes through it, as a session.
func standsOn(l router.Link, p *router.BoardPort) bool {
	s := l.Spec()
	return s.On.Target == router.Link(p) || s.Via.Target == router.Link(p)
}

// lastMetric is that of a route that counts when there is no other one.
const lastMetric = 4278198272

// A route is a default route of a network, a route block or what a service asks for.
type route struct {
	router.By
	to     string
	via    string        // empty when the link alone tells
	dev    router.IfName // empty when the next hop tells
	metric int
	src    string           // the router's address for what it sends there itself, or empty
	table  int              // 0 for main
	drop   router.RouteType // what it does in place of sending, or empty
	hops   []hop            // several next hops, in place of via and dev
}

func routes(r *router.Router) []route {
	var out []route
	for _, n := range r.Networks {
		metric := int(r.DefaultMetric(n))
		if n.Gateway.Set {
			out = append(out, route{By: router.By{Addr: n.Addr, From: n.Gateway.Range}, to: "0.0.0.0/0", via: n.Gateway.V.String(), dev: n.Device(), metric: metric})
		}
		if n.Gateway6.Set {
			out = append(out, route{By: router.By{Addr: n.Addr, From: n.Gateway6.Range}, to: "::/0", via: n.Gateway6.V.String(), dev: n.Device(), metric: metric})
		}
	}
	for _, rt := range r.Routes {
		o := route{By: router.By{Addr: rt.Addr, From: rt.Def}, to: rt.To.V.String(), metric: int(rt.Metric.V), table: int(r.TableOf(rt))}
		hops := hops(r, rt)
		switch {
		case rt.Type.V != router.Unicast:
			o.drop = rt.Type.V
		case len(hops) == 1:
			o.via, o.dev = hops[0].via, hops[0].dev
		default:
			o.hops = hops
		}
		out = append(out, o)
	}
	// What a VRF has no route for would be looked for in the main table (Documentation/networking/vrf.rst).
	for _, l := range r.Made {
		if t := l.Spec().VRF; t.Set {
			for _, to := range []string{"0.0.0.0/0", "::/0"} {
				out = append(out, route{By: router.By{Addr: l.Head().Addr, From: t.Range}, to: to, table: int(t.V), drop: "unreachable", metric: lastMetric})
			}
		}
	}
	for _, v := range router.Claimed[router.DeviceRoute](r) {
		rt := route{By: v.By, to: v.To.String(), dev: v.Link.LinkName()}
		if m := r.VRFOf(v.Link); m != nil {
			rt.table = int(m.Spec().VRF.V)
		}
		out = append(out, rt)
	}
	return out
}

// Socket is a port that a program listens on.
type Socket string

// UnmarshalText wants tcp or udp and a port.
func (s *Socket) UnmarshalText(b []byte) error {
	protocol, port, _ := strings.Cut(string(b), "/")
	var p router.Port
	if protocol != "tcp" && protocol != "udp" || p.UnmarshalText([]byte(port)) != nil {
		return diag.Advise(fmt.Errorf("%q is no socket", b), "write one such as tcp/8080")
	}
	*s = Socket(fmt.Sprintf("%s/%d", protocol, p))
	return nil
}

// Describe is what the type is in the schema.
func (Socket) Describe() string { return "tcp or udp, a slash and a port" }
