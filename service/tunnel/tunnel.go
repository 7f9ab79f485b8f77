// Package tunnel makes tunnels of packets in packets, without encryption, between two routers:
// GRE (RFC 2784), IPv6 in IPv4 (RFC 4213 section 3) and IPv4 and IPv6 in IPv6 (RFC 2473, and DS-Lite,
// RFC 6333). They are the kernel's own implementations, through IfState.
package tunnel

import (
	"cmp"
	_ "embed"
	"fmt"
	"net/netip"
	"slices"

	"github.com/hashicorp/hcl/v2"

	"github.com/nbr-dev/nbr/hcl/conf"
	"github.com/nbr-dev/nbr/hcl/diag"
	"github.com/nbr-dev/nbr/nixgen"
	"github.com/nbr-dev/nbr/router"
	"github.com/nbr-dev/nbr/service"
	"github.com/nbr-dev/nbr/verify"
	"github.com/nbr-dev/nbr/verify/state"
)

// GRE is the gre block.
func GRE() service.Kind {
	return service.Kind{
		Type: "gre", Doc: "IPv4 and IPv6 to one other router in packets of IPv4 (GRE); networks can be on it.",
		Software: "Linux",
		Example: `gre "gre1" {
  network = network.lan
  remote  = "192.168.178.2"
}

network "office" {
  link = gre.gre1
  ipv4 = "10.99.0.1/30"
}

zone "office" {
  networks = [network.office]
}
`,
		New: func() service.Block { return &Over4{kind: "gre"} },
	}
}

// SIT is the sit block.
func SIT() service.Kind {
	return service.Kind{
		Type: "sit", Doc: "IPv6 to one other router in packets of IPv4 (6in4); networks can be on it.",
		Software: "Linux",
		Example: `sit "he0" {
  network = network.lan
  remote  = "192.168.178.3"
}

network "he" {
  link = sit.he0
  ipv6 = "2001:db8:e::2/64"
}

zone "he" {
  networks = [network.he]
}
`,
		New: func() service.Block { return &Over4{kind: "sit"} },
	}
}

// IP6Tnl is the ip6tnl block.
func IP6Tnl() service.Kind {
	return service.Kind{
		Type: "ip6tnl", Doc: "IPv4 and IPv6 to one other router in packets of IPv6 (DS-Lite is such a tunnel); networks can be on it.",
		Software: "Linux",
		Example: `network "transit" {
  link = port.end2
  ipv6 = "2001:db8:77::1/64"
}

zone "transit" {
  networks = [network.transit]
}

ip6tnl "dslite0" {
  network = network.transit
  remote  = "2001:db8:77::a"
  mode    = "ipip6"
}

network "dslite" {
  link = ip6tnl.dslite0
  ipv4 = "192.0.0.2/29"
}

zone "dslite" {
  networks = [network.dslite]
}
`,
		Program: service.Alone("network", (*Over6).lower),
		New:     func() service.Block { return &Over6{} },
	}
}

// Over4 is the gre or the sit block. Its label is the interface's name.
type Over4 struct {
	conf.Header
	Name    conf.Value[router.IfName] `hcl:"name,key"`
	Network conf.Ref[*router.Network] `hcl:"network,required" doc:"The network that carries the packets. They come from the router's IPv4 address there, fixed or not. Nothing is encrypted: over the Internet use one on a WireGuard tunnel."`
	Remote  conf.Value[Remote4]       `hcl:"remote,required" doc:"The IPv4 address of the other router. The firewall lets its packets in, and no others."`
	MTU     conf.Value[router.MTU]    `hcl:"mtu,optional" doc:"Largest packet in bytes. Without it what fits: 24 bytes less than the link of the network carries with GRE, and 20 less for sit."`
	Alias   conf.Value[router.Alias]  `hcl:"alias,optional" doc:"What it is for, in words of your own, as ip link and SNMP (ifAlias) show them."`
	kind    string
}

// Over6 is the ip6tnl block. Its label is the interface's name.
type Over6 struct {
	conf.Header
	Name    conf.Value[router.IfName] `hcl:"name,key"`
	Network conf.Ref[*router.Network] `hcl:"network,required" doc:"The network that carries the packets. They come from the router's IPv6 address there, fixed or not. Nothing is encrypted: over the Internet use one on a WireGuard tunnel."`
	Remote  conf.Value[Remote6]       `hcl:"remote,required" doc:"The IPv6 address of the other router. The firewall lets its packets in, and no others."`
	Mode    conf.Value[Mode]          `hcl:"mode,optional" default:"any" doc:"What is in the packets: IPv4 (ipip6, as with DS-Lite), IPv6 (ip6ip6), or both (any)."`
	MTU     conf.Value[router.MTU]    `hcl:"mtu,optional" doc:"Largest packet in bytes. Without it what fits: 40 bytes less than the link of the network carries."`
	Alias   conf.Value[router.Alias]  `hcl:"alias,optional" doc:"What it is for, in words of your own, as ip link and SNMP (ifAlias) show them."`
}

// A tunnel is what all of them are.
type tunnel struct {
	conf.Header
	kind     string
	name     router.IfName
	network  conf.Ref[*router.Network]
	remote   conf.Value[router.Addr]
	mtu      conf.Value[router.MTU]
	alias    conf.Value[router.Alias]
	mode     Mode          // of ip6tnl
	outside  router.Family // of the packets
	inside   router.Family // of what is in them
	overhead int           // what is around them, in bytes
	speaks   []router.IPProtocol
	symbols  []string // of the kernel
}

func (t *Over4) tunnel() tunnel {
	out := tunnel{
		Header: t.Header, kind: t.kind, name: t.Name.V, network: t.Network, mtu: t.MTU, alias: t.Alias, outside: router.IPv4,
		remote:   conf.Value[router.Addr]{V: router.Addr{Addr: t.Remote.V.Addr}, Range: t.Remote.Range, Set: t.Remote.Set},
		overhead: 20 + 4, speaks: []router.IPProtocol{47}, symbols: []string{"NET_IPGRE"},
	}
	if t.kind == "sit" {
		out.inside, out.overhead, out.speaks, out.symbols = router.IPv6, 20, []router.IPProtocol{41}, []string{"IPV6_SIT"}
	}
	return out
}

func (t *Over6) tunnel() tunnel {
	out := tunnel{
		Header: t.Header, kind: "ip6tnl", name: t.Name.V, network: t.Network, mtu: t.MTU, alias: t.Alias, outside: router.IPv6, mode: t.Mode.V,
		remote:   conf.Value[router.Addr]{V: router.Addr{Addr: t.Remote.V.Addr}, Range: t.Remote.Range, Set: t.Remote.Set},
		overhead: 40, symbols: []string{"IPV6_TUNNEL"},
	}
	switch t.Mode.V {
	case "ipip6":
		out.inside, out.speaks = router.IPv4, []router.IPProtocol{4}
	case "ip6ip6":
		out.inside, out.speaks = router.IPv6, []router.IPProtocol{41}
	default:
		out.speaks = []router.IPProtocol{4, 41}
	}
	return out
}

// LinkName is the interface's name.
func (t *Over4) LinkName() router.IfName { return t.Name.V }

// LinkName is the interface's name.
func (t *Over6) LinkName() router.IfName { return t.Name.V }

// Spec is the tunnel as the kernel has it.
func (t *Over4) Spec() router.LinkSpec { return t.tunnel().spec() }

// Spec is the tunnel as the kernel has it.
func (t *Over6) Spec() router.LinkSpec { return t.tunnel().spec() }

// Claim claims the kernel's driver, and the way in for the packets of the other end.
func (t *Over4) Claim(s *router.Scope) { t.tunnel().claim(s) }

// Claim claims the kernel's driver, the way in for the packets of the other end, and the start of
// the unit that sets an end which comes later.
func (t *Over6) Claim(s *router.Scope) {
	of := t.tunnel()
	of.claim(s)
	if !of.local().IsValid() {
		s.AfterLinks(t.Network.Range, of.unit())
	}
}

// Judge wants two ends that the network connects.
func (t *Over4) Judge(r *router.Router) hcl.Diagnostics { return t.tunnel().judge(r, t) }

// Judge wants two ends that the network connects.
func (t *Over6) Judge(r *router.Router) hcl.Diagnostics { return t.tunnel().judge(r, t) }

// Checks ask where the packets go. That the link is there, and of its kind and MTU, is checked
// of every link.
func (t *Over4) Checks(_ *router.Router, p *verify.Plan) { t.tunnel().checks(p) }

// Checks ask where the packets go, and what is in them.
func (t *Over6) Checks(_ *router.Router, p *verify.Plan) {
	of := t.tunnel()
	of.checks(p)
	of.check(p, "mode", "mode", cmp.Or(t.Mode.Range, t.Def), string(t.Mode.V), func(s *state.Tunnel) string { return s.Mode })
}

// local is the router's end, invalid if it has no fixed address there.
func (t tunnel) local() netip.Addr {
	p, _ := t.network.Target.FixedIn(t.outside)
	return p.Addr()
}

// unit sets the router's end where it comes later.
func (t tunnel) unit() string { return "nbr-tunnel-" + string(t.name) }

//go:embed end.sh
var endScript string

// lower makes the unit that sets the router's end, if that comes later. What is in its script are
// addresses and names of interfaces, which no shell has to quote.
func (t *Over6) lower(_ *router.Router, m *nixgen.Module) {
	of := t.tunnel()
	if of.local().IsValid() {
		return
	}
	script := fmt.Sprintf("tunnel=%s mode=%s remote=%s over=%s\n", of.name, of.mode, of.remote.V, of.network.Target.Device()) + endScript
	service.OnNews(m, service.Origin(t.Addr, t.Network.Range), of.unit(), "The router's end of the tunnel "+string(of.name), script)
}

// modes are the numbers of modes: the protocol that is in the packets (IFLA_IPTUN_PROTO).
var modes = map[Mode]int{"any": 0, "ipip6": 4, "ip6ip6": 41}

// tnlFlags are IP6_TNL_F_IGN_ENCAP_LIMIT of include/uapi/linux/ip6_tunnel.h, without which each
// packet has an option of 8 bytes more, by which the next tunnel refuses it; and what the kernel
// itself adds to a tunnel between two global addresses, IP6_TNL_F_CAP_XMIT and CAP_RCV
// (ip6_tnl_get_cap), for IfState compares all of them.
const tnlFlags = 0x1 | 0x10000 | 0x20000

func (t tunnel) spec() router.LinkSpec {
	s := router.LinkSpec{Kind: t.kind, Via: t.network.Target.Link, Overhead: t.overhead, Alias: t.alias, MTU: t.mtu, IPOnly: true, Remote: t.remote}
	if t.kind != "gre" && t.inside != router.IPv4 { // ip6_tnl_change_mtu, ipip6_tunnel_init
		s.Least = router.LeastIPv6
	}
	set := func(name string, v any) {
		s.Attributes = append(s.Attributes, router.LinkAttribute{Name: t.kind + "_" + name, Value: v})
	}
	switch local := t.local(); {
	case t.kind != "ip6tnl" && local.IsValid():
		set("local", local.String())
	case t.kind != "ip6tnl": // the kernel takes the address by which it reaches the other end
		set("local", netip.IPv4Unspecified().String())
	default:
		if local.IsValid() { // else they are the unit's
			set("flags", tnlFlags)
			set("local", local.String())
		}
		set("proto", modes[t.mode])
	}
	set("remote", t.remote.V.String())
	return s
}

// A pair are the two ends of a tunnel.
type pair struct {
	router.By
	kind          string
	local, remote netip.Addr
}

func (t tunnel) claim(s *router.Scope) {
	s.Kernel(hcl.Range{}, "tunnels", t.symbols...)
	remote := t.remote.V.Addr
	router.Claim(s, t.remote.Range, pair{kind: t.kind, local: t.local(), remote: remote})
	router.Claim(s, t.remote.Range, router.Asks{Server: remote})
	for _, p := range t.speaks {
		router.Claim(s, t.remote.Range, router.Accept{Networks: []*router.Network{t.network.Target}, Match: router.Match{
			Family: t.outside, Protocol: p, Sources: []netip.Prefix{netip.PrefixFrom(remote, remote.BitLen())},
		}})
		router.Claim(s, t.remote.Range, router.Emit{Match: router.Match{Protocol: p, Groups: []netip.Addr{remote}}})
	}
}

func (t tunnel) judge(r *router.Router, l router.Link) hcl.Diagnostics {
	var diags hcl.Diagnostics
	n, remote := t.network.Target, t.remote.V.Addr
	if !n.Has(t.outside) {
		diags = append(diags, diag.With(diag.Help(diag.Error("tunnel-end", t.network.Range, "Tunnel without an end",
			"The packets of %s come from the router's %s address in %s, and it has none there.", t.Addr, t.outside, n.Addr),
			"Give the router an address there, or name another network."), n.Def, "%s", n.Addr.String()))
	}
	if own := r.Owner(remote); own != nil {
		diags = append(diags, diag.With(diag.Help(diag.Error("tunnel-end", t.remote.Range, "Tunnel to the router itself",
			"%s is the router's own address in %s.", remote, own.Addr),
			"Write the other router's."), own.Def, "%s", own.Addr.String()))
	} else if at := r.NetworkAt(remote); at != nil && at.Link.Target != n.Link.Target {
		diags = append(diags, diag.With(diag.Help(diag.Error("tunnel-end", t.remote.Range, "Other end in another network",
			"%s is in %s, and the tunnel is to be over %s.", remote, at.Addr, n.Addr),
			"Write network = %s, or the other end's address in %s.", at.Addr, n.Addr), at.Def, "%s", at.Addr.String()))
	}
	for _, p := range router.Claimed[pair](r) {
		if p.Addr == t.Addr {
			break // of each pair the later one complains
		}
		if p.kind == t.kind && p.local == t.local() && p.remote == remote { // ip_tunnel_find, ip6_tnl_locate, ipip6_tunnel_locate
			diags = append(diags, diag.With(diag.Help(diag.Error("tunnel-twice", t.remote.Range, "Tunnel twice",
				"%s has the same two ends, and the kernel refuses a second tunnel with them.", p.Addr),
				"Remove one of the two, and put all networks on the other."), p.From, "%s", p.Addr.String()))
		}
	}
	for _, on := range r.On(l) {
		if f := other(t.inside); t.inside != router.AnyFamily && on.Has(f) {
			diags = append(diags, diag.With(diag.Help(diag.Error("tunnel-family", on.Link.Range, "Addresses that the tunnel does not carry",
				"%s has an address of %s, and %s carries %s only.", on.Addr, f, t.Addr, t.inside),
				"Remove the address, or take another kind of tunnel."), t.Def, "%s", t.Addr.String()))
		}
	}
	return diags
}

func other(f router.Family) router.Family {
	if f == router.IPv4 {
		return router.IPv6
	}
	return router.IPv4
}

func (t tunnel) checks(p *verify.Plan) {
	t.check(p, "remote", "other end", t.remote.Range, t.remote.V.String(), func(s *state.Tunnel) string { return cmp.Or(s.Remote, "none") })
	const unspecified = "any address of the router"
	want := unspecified
	switch a := t.local(); {
	case a.IsValid():
		want = a.String()
	case t.outside == router.IPv6:
		t.ownEnd(p)
		return
	}
	t.check(p, "local", "this end", t.network.Range, want, func(s *state.Tunnel) string { return cmp.Or(s.Local, unspecified) })
}

// ownEnd wants an end that is an address of the router's, where it comes later.
func (t tunnel) ownEnd(p *verify.Plan) {
	const want = "an address of the router"
	t.add(p, "local", "this end", t.network.Range, want, func(st *state.State, tn *state.Tunnel, hint string) verify.Verdict {
		if st.Addrs == nil {
			return verify.NotSeen(want, hint)
		}
		own := slices.ContainsFunc(st.Addrs, func(a state.Addr) bool {
			p, err := netip.ParsePrefix(a.Prefix)
			return err == nil && p.Addr().String() == tn.Local
		})
		return verify.Judge(own, want, cmp.Or(tn.Local, "none"), hint)
	})
}

// check adds a check of a property of the tunnel.
func (t tunnel) check(p *verify.Plan, what, title string, from hcl.Range, want string, get func(*state.Tunnel) string) {
	t.add(p, what, title, from, want, func(_ *state.State, tn *state.Tunnel, hint string) verify.Verdict {
		return verify.Compare(want, get(tn), hint)
	})
}

// add adds a check that judges the tunnel as the kernel has it.
func (t tunnel) add(p *verify.Plan, what, title string, from hcl.Range, want string, judge func(*state.State, *state.Tunnel, string) verify.Verdict) {
	name := string(t.name)
	p.Add(verify.Check{ID: t.Addr.String() + "/" + what, Title: title + " of " + name, From: from, Eval: func(st *state.State) verify.Verdict {
		hint := "ip -d link show " + name
		l, ok := st.Links[name]
		switch {
		case st.Links == nil || l.Kind == t.kind && l.Tunnel == nil: // recorded by an earlier nbr
			return verify.NotSeen(want, hint)
		case !ok:
			return verify.Missing(want, hint)
		case l.Tunnel == nil:
			return verify.Compare(want, "no tunnel", hint)
		}
		return judge(st, l.Tunnel, hint)
	}})
}

// Mode is what is in the packets of a tunnel over IPv6.
type Mode string

// UnmarshalText wants a mode by its name in ip-tunnel(8).
func (m *Mode) UnmarshalText(b []byte) error {
	return conf.OneOf(m, b, "mode of a tunnel over IPv6", "any", "ipip6", "ip6ip6")
}

// Describe is what the type is in the schema.
func (Mode) Describe() string { return "any, ipip6 or ip6ip6" }

// Remote4 is the IPv4 address of another router.
type Remote4 struct{ netip.Addr }

// UnmarshalText wants an address that a single host can have.
func (r *Remote4) UnmarshalText(b []byte) error {
	a, err := netip.ParseAddr(string(b))
	if err != nil || !a.Is4() || !a.IsGlobalUnicast() {
		return diag.Advise(fmt.Errorf("%q is no IPv4 address of another router", b), "write one such as 192.0.2.2; over IPv6 an ip6tnl block makes tunnels")
	}
	r.Addr = a
	return nil
}

// Describe is what the type is in the schema.
func (Remote4) Describe() string { return "IPv4 address of another router" }

// Remote6 is the IPv6 address of another router.
type Remote6 struct{ netip.Addr }

// UnmarshalText wants an address that a single host can have.
func (r *Remote6) UnmarshalText(b []byte) error {
	a, err := netip.ParseAddr(string(b))
	if err != nil || !a.Is6() || a.Zone() != "" || a.Is4In6() || !a.IsGlobalUnicast() {
		return diag.Advise(fmt.Errorf("%q is no IPv6 address of another router", b), "write one such as 2001:db8::2; over IPv4 gre and sit blocks make tunnels")
	}
	r.Addr = a
	return nil
}

// Describe is what the type is in the schema.
func (Remote6) Describe() string { return "IPv6 address of another router" }
