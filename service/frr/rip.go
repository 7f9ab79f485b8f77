package frr

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"

	"github.com/nbr-dev/nbr/hcl/conf"
	"github.com/nbr-dev/nbr/hcl/diag"
	"github.com/nbr-dev/nbr/router"
	"github.com/nbr-dev/nbr/service"
	"github.com/nbr-dev/nbr/verify"
	"github.com/nbr-dev/nbr/verify/state"
)

// RIPKind is the rip block.
func RIPKind() service.Kind {
	return service.Kind{
		Type: "rip", Doc: "Exchanges routes with the other routers of a small site (RIPv2).",
		Software: "FRR",
		Example: `network "core" {
  link = port.end1
  ipv4 = "10.255.0.1/24"
}

zone "core" {
  networks = [network.core]
}

secret "rip" {
  path = "/var/lib/secrets/rip"
}

rip {
  networks = [network.core]
  passive  = [network.lan]
  password = secret.rip
}
`,
		Single: true, Program: program{}, Probes: probes, New: func() service.Block { return &RIP{} },
	}
}

// RIP is the rip block (RFC 2453).
type RIP struct {
	conf.Header
	Networks     conf.Refs[*router.Network] `hcl:"networks,optional" doc:"The networks with other routers. Each has one neighbour at least."`
	Passive      conf.Refs[*router.Network] `hcl:"passive,optional" doc:"The networks that the neighbours hear of, where the router does not speak RIP."`
	Password     conf.Ref[*router.Secret]   `hcl:"password,optional" doc:"The secret that holds the key by which the routers know each other (keyed MD5 with key 1, RFC 2082): one line of 1 to 16 printable ASCII characters without spaces. Where it is missing there are no neighbours. Required on an upstream."`
	Redistribute []*Redistribution          `hcl:"redistribute,block" doc:"What the neighbours are told of routes that the router has from elsewhere."`
	Expect       conf.Value[int]            `hcl:"expect,optional" default:"1" doc:"The least number of routes that the router gets by RIP. With fewer nbr verify fails, neighbours or not."`
}

const (
	portRIP = 520
	// ripKeys is the name of the key chain.
	ripKeys = "rip"
	// ripKeyLength is that of a key of keyed MD5 (RFC 2082 section 3.2): ripd reads no further.
	ripKeyLength = 16
)

// ripRouters is the group of all routers of a link that speak RIPv2 (RFC 2453 section 4.5).
var ripRouters = netip.MustParseAddr("224.0.0.9")

// Claim lets RIP in from the networks with neighbours, and out. An answer comes from the port of RIP
// (RFC 2453 section 3.9.2).
func (o *RIP) Claim(s *router.Scope) {
	claim(s, protocolRIP)
	router.Claim(s, o.Def, speaks{protocol: "rip"})
	s.Kernel(hcl.Range{}, "RIP", "IP_MULTICAST")
	router.Claim(s, o.Def, router.OwnPorts{Program: "ripd", Protocol: router.UDP, Ports: router.OnePort(portRIP)})
	for _, n := range o.Networks.Items {
		m := router.Match{Family: router.IPv4, Protocol: router.UDP, SourcePorts: router.OnePort(portRIP), Ports: router.OnePort(portRIP)}
		in, toGroup := m, m
		if p, ok := n.Target.FixedIn(router.IPv4); ok {
			in.Sources, toGroup.Sources = []netip.Prefix{p.Masked()}, []netip.Prefix{p.Masked()}
		}
		toGroup.Groups = []netip.Addr{ripRouters}
		router.Claim(s, n.Range, router.Accept{Match: toGroup, Networks: []*router.Network{n.Target}})
		router.Claim(s, n.Range, router.Accept{Match: in, Networks: []*router.Network{n.Target}})
		router.Claim(s, n.Range, router.Emit{Match: m, Networks: []*router.Network{n.Target}})
	}
	if o.Password.Set {
		s.Secret(o.Password.Range, router.SecretUse{Secret: o.Password.Target, For: router.RoutingPassword, Owner: "root", Unit: unit})
	}
}

// Judge finds networks where RIP cannot be spoken, and links that are passive and not.
func (o *RIP) Judge(r *router.Router) hcl.Diagnostics {
	var diags hcl.Diagnostics
	if o.Expect.V < 0 {
		diags = append(diags, diag.Help(diag.Error("bad-value", o.Expect.Range, "Negative number of routes",
			"expect is how many routes the router gets at least, and %d is less than 0.", o.Expect.V),
			"Write 0 or more; with 0 it is right to get none."))
	}
	if len(o.Networks.Items) == 0 {
		diags = append(diags, diag.Help(diag.Warning("no-neighbors", o.Def, "RIP without neighbours",
			"rip has no networks that are not passive, so it meets no other router."),
			"Put a network in which another router is into networks, or remove the block."))
	}
	diags = append(diags, judgeRedistributed(r, "rip", o.Redistribute)...)
	type use struct {
		ref     conf.Ref[*router.Network]
		passive bool
	}
	links := map[router.IfName]use{}
	for i, refs := range [][]conf.Ref[*router.Network]{o.Networks.Items, o.Passive.Items} {
		for _, n := range refs {
			passive := i == 1
			device := n.Target.Device()
			before, shared := links[device]
			_, fixed := n.Target.FixedIn(router.IPv4)
			switch {
			case shared && before.passive != passive:
				diags = append(diags, diag.With(diag.Help(diag.Error("link-half-passive", n.Range, "Passive and not on one link",
					"%s is on %s, and so is %s. An interface speaks RIP with all its networks, or with none.", n.Addr, device, before.ref.Addr),
					"Put what is on one link into networks, or into passive."), before.ref.Range, "%s", before.ref.Addr.String()))
			case !fixed:
				diags = append(diags, router.NoFixedAddress(n, "RIPv2 is of the IPv4 networks of the spec.", router.IPv4))
			case !passive && n.Target.Upstream() && !o.Password.Set:
				diags = append(diags, router.OnUpstream(diag.Help(diag.Error("routing-on-upstream", n.Range, "Routes from an upstream",
					"%s leads to the Internet, and any host there could say where packets go.", n.Addr),
					"Put it into passive, or give %s a password.", o.Addr), n.Target))
			}
			links[device] = use{n, passive}
		}
	}
	return diags
}

// interfaces are those of some networks, each once.
func interfaces(networks []*router.Network) (out []string) {
	for _, n := range networks {
		if d := string(n.Device()); !slices.Contains(out, d) {
			out = append(out, d)
		}
	}
	return out
}

func (o *RIP) config(r *router.Router, say func(string, ...any)) {
	active, passive := interfaces(o.Networks.All()), interfaces(o.Passive.All())
	if o.Password.Set {
		for _, d := range active {
			say("interface %s", d)
			say(" ip rip authentication key-chain %s", ripKeys)
			say(" ip rip authentication mode md5")
			say("exit")
			say("!")
		}
	}
	for _, d := range o.Redistribute {
		d.maps(r, "rip", say)
	}
	say("router rip")
	for _, d := range append(active, passive...) {
		say(" network %s", d)
	}
	for _, d := range passive {
		say(" passive-interface %s", d)
	}
	for _, d := range o.Redistribute {
		say(" %s", d.line("rip"))
	}
	say(" version 2")
	say("exit")
	say("!")
}

// Checks ask ripd for its interfaces and for the neighbours in each network, and the kernel for
// the routes.
func (o *RIP) Checks(r *router.Router, p *verify.Plan) {
	for _, n := range o.Networks.Items {
		o.speaks(p, n, "active")
		o.hears(p, n)
		if o.Password.Set {
			o.authenticates(p, n)
		}
	}
	for _, n := range o.Passive.Items {
		o.speaks(p, n, "passive")
	}
	if o.Password.Set {
		checkKey(p, o.Addr.String()+"/password", "the password of "+o.Addr.String(), o.Password.Range, keyQuestion{KeyChain: ripKeys, Daemon: "ripd"}, o.Password.Target)
	}
	from := o.Def
	if o.Expect.Set {
		from = o.Expect.Range
	}
	installed(p, o.Addr.String()+"/routes", from, protocolRIP, false, o.Expect.V)
	checkRedistributed(r, p, "ripd", "rip", o.Redistribute)
}

const ripHint = "vtysh -c 'show ip rip status'"

// asked adds a check of what ripd says.
func (o *RIP) asked(p *verify.Plan, what, title string, n conf.Ref[*router.Network], want string, judge func(ripAnswer) verify.Verdict) {
	c := verify.Check{ID: o.Addr.String() + "/" + what + "/" + n.Addr.String(), Title: title, From: n.Range}
	verify.Asked(p, c, ripStatus, struct{}{}, want, ripHint, func(_ *state.State, s ripAnswer) verify.Verdict {
		if !s.Running {
			return verify.Judge(false, want, "ripd does not run", "systemctl status frr")
		}
		return judge(s)
	})
}

// speaks adds the check that RIPv2 is spoken in a network, or is not.
func (o *RIP) speaks(p *verify.Plan, n conf.Ref[*router.Network], how string) {
	device, want := string(n.Target.Device()), how+", version 2"
	o.asked(p, how, n.Addr.String()+" in RIP", n, want, func(s ripAnswer) verify.Verdict {
		l, ok := s.Links[device]
		if !ok {
			return verify.Judge(false, want, device+" is not in RIP", ripHint)
		}
		got := "active"
		if l.Passive {
			got = "passive"
		}
		return verify.Compare(want, fmt.Sprintf("%s, version %s", got, l.Version), ripHint)
	})
}

// authenticates adds the check that the neighbours of a network have to know the password.
func (o *RIP) authenticates(p *verify.Plan, n conf.Ref[*router.Network]) {
	const want = "key chain " + ripKeys
	o.asked(p, "authentication", "neighbours in "+n.Addr.String()+" have to know the password", n, want, func(s ripAnswer) verify.Verdict {
		got := s.Links[string(n.Target.Device())].KeyChain
		if got == "" {
			return verify.Judge(false, want, "no key chain", ripHint)
		}
		return verify.Compare(want, "key chain "+got, ripHint)
	})
}

// hears adds the check that a router in the network tells its routes: ripd forgets one that has been
// silent for 180 seconds, and knows one by packets that it does not take, too.
func (o *RIP) hears(p *verify.Plan, n conf.Ref[*router.Network]) {
	const want = "a neighbour that is understood"
	within, _ := n.Target.FixedIn(router.IPv4)
	o.asked(p, "heard", "neighbours in "+n.Addr.String()+" tell their routes", n, want, func(s ripAnswer) verify.Verdict {
		var got []string
		ok := false
		for _, peer := range s.Peers {
			if !within.Contains(peer.Address) {
				continue
			}
			text := peer.Address.String()
			if peer.Bad > 0 && peer.Routes == 0 {
				got = append(got, fmt.Sprintf("%s with %d bad packets and no route", text, peer.Bad))
				continue
			}
			ok = true
			got = append(got, text)
		}
		if len(got) == 0 {
			got = []string{"no neighbour"}
		}
		return verify.Judge(ok, want, strings.Join(got, ", "), ripHint)
	})
}
