// Package miniupnpd lets hosts ask the router to lead ports to them: by UPnP (the Internet Gateway
// Device, version 2), PCP (RFC 6887) and NAT-PMP (RFC 6886), with MiniUPnPd.
//
// What the daemon opens is in a table of its own, inet miniupnpd, whose fixed chains (router.Opens)
// decide by themselves where from, where to and for which ports it may open anything. They mark what
// it lets pass, and the firewall's own table lets in what is marked: no rule of that one ever changes.
package miniupnpd

import (
	"net/netip"
	"slices"

	"github.com/hashicorp/hcl/v2"

	"github.com/nbr-dev/nbr/hcl/conf"
	"github.com/nbr-dev/nbr/hcl/diag"
	"github.com/nbr-dev/nbr/router"
	"github.com/nbr-dev/nbr/service"
	"github.com/nbr-dev/nbr/verify/probe"
)

// Kind is the upnp block.
func Kind() service.Kind {
	return service.Kind{
		Type: "upnp", Doc: "Lets hosts of some networks have ports led to them, by UPnP, PCP and NAT-PMP. The zones of these networks allow upnp.",
		Software: "MiniUPnPd",
		Example: `upnp {
  external = network.wan
  networks = [network.lan]
}

zone "lan" {
  networks = [network.lan]
  allow    = ["ssh", "dns", "dhcp", "upnp"]
}
`,
		Single: true, Program: service.Alone("upnp", (*UPnP).lower),
		Probes: []probe.Any{externalOf, mappingsOf},
		New:    func() service.Block { return &UPnP{} },
	}
}

// UPnP is the upnp block.
type UPnP struct {
	conf.Header
	External  conf.Ref[*router.Network]   `hcl:"external,required" doc:"The network that leads to the Internet, whose address and ports are asked for."`
	Networks  conf.Refs[*router.Network]  `hcl:"networks,required" empty:"error: no host could ask. Name a network, or remove the block." doc:"The networks whose hosts may ask, each for itself alone."`
	Ports     conf.List[router.PortRange] `hcl:"ports,optional" default:"1024-65535" empty:"error: no port could be asked for. Name some, or remove the list." doc:"The ports that may be asked for, of the router and of the host. What the router itself serves to the external network, and what a port_forward from its zone has, is never given away."`
	BehindNAT conf.Value[bool]            `hcl:"behind_nat,optional" default:"false" doc:"Open ports although the external address is a private one: another router in front of this one leads everything here."`
	HTTPPort  conf.Value[router.Port]     `hcl:"http_port,optional" default:"5000" doc:"The port at which devices read by UPnP what the router can do, and ask."`
}

// Claim claims the sockets, and the way through the firewall for what the daemon lets pass.
func (u *UPnP) Claim(s *router.Scope) {
	at := u.Networks.Range
	for _, l := range []router.Listen{
		{Protocol: router.UDP, Port: ssdp},
		{Protocol: router.UDP, Port: pcp},
		{Protocol: router.TCP, Port: int(u.HTTPPort.V)},
	} {
		l.Service, l.Networks, l.Unit = "upnp", u.Networks.All(), unit
		s.Listen(at, l)
	}
	// Of the router to groups, and answers to what was sent to a group.
	for _, m := range []router.Match{{Ports: router.OnePort(ssdp)}, {SourcePorts: router.OnePort(ssdp)}, {SourcePorts: router.OnePort(pcp)}} {
		m.Protocol = router.UDP
		router.Claim(s, at, router.Emit{Match: m, Networks: u.Networks.All()})
	}
	router.Claim(s, hcl.Range{}, router.Opens{
		Unit: unit, Table: tableName, External: u.External.Target, Networks: u.Networks.All(), Ports: u.Ports.All(), IPv6: u.pinholes(),
		Passed: admitted, Arrived: mapped, Left: peers,
	})
	router.Claim(s, hcl.Range{}, router.Forward{
		In: []*router.Network{u.External.Target}, Out: u.Networks.All(),
		Match: router.Match{Mark: router.MappedMark},
	})
	s.Kernel(hcl.Range{}, "ports that hosts ask for", "NFT_NAT", "NFT_FIB_INET")
}

// The ports of the protocols: of SSDP (UPnP Device Architecture 2.0, section 1), and of NAT-PMP and
// PCP (RFC 6887 section 19.1).
const (
	ssdp = 1900
	pcp  = 5351
)

// Judge judges the external network and those whose hosts may ask.
func (u *UPnP) Judge(r *router.Router) hcl.Diagnostics {
	diags := router.JudgeServed(u.Networks, open, func(n conf.Ref[*router.Network]) *hcl.Diagnostic {
		return diag.Help(diag.Error("upnp-outside", n.Range, "Ports for hosts of the Internet",
			"%s is an upstream: hosts there could open ports of the router and have them led where they like.", n.Target.Addr),
			"Take it out of networks.")
	})
	for _, n := range u.Networks.Items {
		if fixed, _ := n.Target.Split(); len(fixed) > 0 && !n.Target.Upstream() {
			if _, ok := n.Target.FixedIn(router.IPv4); !ok {
				diags = append(diags, router.NoFixedAddress(n, open, router.IPv4))
			}
		}
	}
	diags = append(diags, u.judgeExternal()...)
	diags = append(diags, u.judgePorts()...)
	return append(diags, u.judgePolicies(r)...)
}

// open is why a network needs a fixed address.
const open = "Who may ask is told by the IPv4 addresses of the network."

// judgeExternal wants a network with an IPv4 address that the Internet can send to.
func (u *UPnP) judgeExternal() hcl.Diagnostics {
	n := u.External.Target
	own, fixed := n.FixedIn(router.IPv4)
	switch {
	case !n.Upstream():
		return hcl.Diagnostics{diag.With(diag.Help(diag.Error("upnp-external", u.External.Range, "Ports of a network inside",
			"%s does not lead to the Internet.", n.Addr),
			"Name the network that does."), n.Def, "%s", n.Addr.String())}
	case !n.Has(router.IPv4):
		return hcl.Diagnostics{diag.With(diag.Help(diag.Error("upnp-external", u.External.Range, "No IPv4 address whose ports could be opened",
			"%s has no IPv4 address.", n.Addr),
			"Name a network that has one, or remove the block: hosts have IPv6 addresses of their own, and policies open these."), n.Def, "%s", n.Addr.String())}
	case fixed && private(own.Addr()) && !u.BehindNAT.V:
		return hcl.Diagnostics{diag.With(diag.Help(diag.Error("upnp-private", u.External.Range, "Ports of a private address",
			"%s is a private address: nothing arrives from the Internet for it by itself, and MiniUPnPd opens nothing there.", own.Addr()),
			"If the router in front leads everything here, say behind_nat = true; else remove the block."), n.IPv4.Range, "%s", n.Addr.String())}
	}
	return nil
}

// shared are the addresses between a provider and its customers' routers (RFC 6598).
var shared = netip.MustParsePrefix("100.64.0.0/10")

// private tells whether the Internet cannot send to an address.
func private(a netip.Addr) bool { return a.IsPrivate() || shared.Contains(a) }

// judgePorts refuses ranges with ports in common.
func (u *UPnP) judgePorts() hcl.Diagnostics {
	var diags hcl.Diagnostics
	for i, p := range u.Ports.Items {
		for _, before := range u.Ports.Items[:i] {
			if before.V.Overlaps(p.V) {
				diags = append(diags, diag.With(diag.Help(diag.Error("ports-twice", p.Range, "Ports that are there already",
					"%s and %s have ports in common.", before.V, p.V),
					"Write each once."), before.Range, "the first time"))
				break
			}
		}
	}
	return diags
}

// judgePolicies finds policies that let nothing in of what hosts ask for.
func (u *UPnP) judgePolicies(r *router.Router) hcl.Diagnostics {
	var diags hcl.Diagnostics
	from := r.ZoneOf(u.External.Target)
	for _, n := range u.Networks.Items {
		to := r.ZoneOf(n.Target)
		i := slices.IndexFunc(r.Policies, func(p *router.Policy) bool {
			whole := !p.Services.Set && !p.Protocols.Set && !p.Ports.Set && !p.Family.Set && !p.Schedule.Set && !p.Limit.Set
			return whole && p.Action.V != "accept" && from != nil && to != nil &&
				slices.Contains(p.From.All(), router.Endpoint(from)) && slices.Contains(p.To.All(), router.Endpoint(to))
		})
		if i < 0 {
			continue
		}
		p := r.Policies[i]
		diags = append(diags, diag.With(diag.Help(diag.Warning("upnp-closed", n.Range, "Ports that a policy closes",
			"%s stops whatever comes from %s for hosts of %s, and policies come before what hosts ask for.", p.Addr, from.Addr, n.Target.Addr),
			"Remove the policy: what no policy lets pass is dropped without it. Or take %s out here.", n.Target.Addr), p.Def, "%s", p.Addr.String()))
	}
	return diags
}
