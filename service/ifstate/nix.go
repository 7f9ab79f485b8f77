package ifstate

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"

	"github.com/nbr-dev/nbr/hcl/conf"
	"github.com/nbr-dev/nbr/nixgen"
	"github.com/nbr-dev/nbr/router"
	"github.com/nbr-dev/nbr/service"
)

var settings = []string{"networking", "ifstate", "settings"}

// lower sets networking.ifstate and what goes with it.
func (b *Interfaces) lower(r *router.Router, m *nixgen.Module) {
	from := service.From(b)
	m.Set(from, nixgen.Bool(true), "networking", "ifstate", "enable")
	// The module asserts it, and a hardware-configuration.nix may say otherwise
	// with the same priority as the module's own default.
	m.Set(from, nixgen.Bool(false), "networking", "useDHCP")
	// NixOS would give an upstream changing addresses beside the one that the spec's
	// policies and the world's DNS know (RFC 8981).
	m.Set(from, nixgen.Str("disabled"), "networking", "tempAddresses")
	b.links(r, m)
	names(r, m)
	for _, rt := range slices.Concat(routes(r), ahead(r)) {
		if len(rt.hops) == 0 {
			m.Add(service.By(rt.By), sub("routing", "routes"), routeAttrs(rt))
		}
	}
	for _, ru := range rules(r) {
		m.Add(service.By(ru.By), sub("routing", "rules"), ru.attrs())
	}
	lowerMultipath(r, m)
	lowerDrivers(r, m)
	ignore(r, m)
	stage(r, m)
	for _, s := range r.SysctlKeys() {
		if s.WhileFirewallUp {
			continue // the firewall's
		}
		m.Set(service.By(s.By), nixgen.Str(s.Value), "boot", "kernel", "sysctl", s.Key)
	}
	for _, u := range r.StartUnits() {
		// No wants: ifstate.service is inactive once it has succeeded, so a restart
		// of the unit would apply the whole network configuration again.
		m.Add(service.By(u.By), []string{"systemd", "services", u.Unit, "after"}, nixgen.Str("ifstate.service"))
	}
	service.AddExtra(m, b, b.Extra, settings...)
}

// ignore leaves alone what other blocks own. IfState deletes what it does not know, but
// addresses with a lifetime and routes of routing daemons, by number, that it has in
// lists of its own (libifstate/parser/base.py).
func ignore(r *router.Router, m *nixgen.Module) {
	for _, o := range router.Claimed[router.OwnLinks](r) {
		m.Add(service.By(o.By), sub("parameters", "ignore", "ifname"), nixgen.Str(o.Pattern))
	}
	for _, o := range router.Claimed[router.OwnAddresses](r) {
		if o.Within.IsValid() {
			m.Add(service.By(o.By), sub("parameters", "ignore", "ipaddr"), nixgen.Attrs{nixgen.Bind(nixgen.Str(o.Within.String()), "prefix")})
		}
	}
	proto := func(n uint8) nixgen.Attrs { return nixgen.Attrs{nixgen.Bind(nixgen.Int(n), "proto")} }
	if rts := multipath(r); len(rts) > 0 {
		m.Add(service.By(rts[0].By), sub("parameters", "ignore", "routes"), proto(protocolMultipath))
	}
	whole := map[uint8]bool{} // all routes of the protocol are ignored already
	for _, o := range router.Claimed[router.OwnRoutes](r) {
		if builtin(o.Protocol) || whole[o.Protocol] {
			continue
		}
		add := func(route nixgen.Attrs) {
			m.Add(service.By(o.By), sub("parameters", "ignore", "routes"), route)
		}
		for _, l := range o.On {
			add(append(proto(o.Protocol), nixgen.Bind(nixgen.Str(l.LinkName()), "dev")))
		}
		if len(o.On) == 0 || o.Nowhere {
			whole[o.Protocol] = true
			add(proto(o.Protocol))
		}
	}
	rules := map[uint8]bool{}
	for _, o := range router.Claimed[router.OwnRules](r) {
		if !builtin(o.Protocol) && !rules[o.Protocol] {
			rules[o.Protocol] = true
			m.Add(service.By(o.By), sub("parameters", "ignore", "rules"), proto(o.Protocol))
		}
	}
	for _, o := range router.Claimed[router.OwnNetns](r) {
		m.Add(service.By(o.By), sub("parameters", "ignore", "netns"), nixgen.Str(o.Pattern))
	}
}

// builtin tells whether IfState leaves routes and rules of a protocol alone by itself, also where a
// list of ours is set beside (routes_builtin and rules_builtin of libifstate/parser/base.py, which
// TestBuiltin compares): of those a claim adds nothing to its configuration.
func builtin(protocol uint8) bool {
	return slices.Contains([]uint8{1, 2, 8, 9, 10, 11, 12, 13, 14, 15, 16, 18, 42, 186, 187, 188, 189, 192}, protocol)
}

// stage copies the secrets that IfState includes to where it looks for them. One
// that is missing is replaced by a random value, and the journal says
// so: without its file IfState would configure nothing at all. Addresses of instances have
// quotation marks, so the message is in apostrophes, which no address or path has.
func stage(r *router.Router, m *nixgen.Module) {
	var script strings.Builder
	for _, u := range router.Claimed[router.SecretUse](r) {
		if u.StandIn == "" || u.Unit != "ifstate" {
			continue
		}
		if script.Len() == 0 {
			script.WriteString("umask 077\nmkdir -p /run/nbr/secrets\n")
		}
		fmt.Fprintf(&script, `if [ -s %[1]s ]; then
  cp %[1]s %[2]s
else
  echo '%[3]s: %[1]s is missing, %[4]s has a random key instead' >&2
  %[5]s >%[2]s
fi
`, u.Secret.Location(), u.Secret.Staged(), u.Secret.Addr, u.Addr, u.StandIn)
		from := service.By(u.By)
		m.Add(from, []string{"systemd", "services", "ifstate", "path"}, nixgen.Var("pkgs."+u.StandInPackage))
		if installer := u.Secret.Installer(); installer != "" {
			m.Add(from, []string{"systemd", "services", "ifstate", "after"}, nixgen.Str(installer))
		}
	}
	if script.Len() > 0 {
		m.Set(nixgen.Origin{}, nixgen.Lines(script.String()), "systemd", "services", "ifstate", "preStart")
	}
}

func sub(path ...string) []string { return slices.Concat(settings, path) }

// links sets one interface for each link that the spec uses.
func (b *Interfaces) links(r *router.Router, m *nixgen.Module) {
	some := false
	set := func(l router.Link, from nixgen.Origin, attrs nixgen.Attrs) {
		some = true
		m.Set(from, attrs, sub("interfaces", string(l.LinkName()))...)
	}
	conduits := map[router.IfName]bool{}
	for _, p := range r.Ports() {
		if p.Kind == router.PortDSA {
			conduits[p.Conduit] = true
		}
		switch user, ok := portUser(r, p); {
		case ok:
			set(p, service.Origin(user.Addr, user.From), iface(r, p, port(r, p)))
		case p.Kind == router.PortDSA:
			// IfState would try to delete it, which the kernel refuses.
			set(p, service.From(r.System), iface(r, p, nixgen.Attrs{
				kind("dsa"),
				nixgen.Bind(nixgen.Str(p.Conduit), "link"),
				nixgen.Bind(nixgen.Str("down"), "state"),
			}))
		}
	}
	for _, p := range r.Ports() {
		if conduits[p.Name] {
			set(p, service.From(r.System), nixgen.Attrs{
				nixgen.Bind(nixgen.List{}, "addresses"),
				nixgen.Bind(nixgen.Attrs{kind("physical"), up()}, "link"),
				advertisements(r, p),
			})
		}
	}
	for _, l := range r.Made {
		if spec := l.Spec(); !spec.External {
			set(l, service.From(l), iface(r, l, made(r, l, spec)))
		}
	}
	for _, s := range router.Claimed[router.Shape](r) {
		m.Set(service.By(s.By), nixgen.Attrs{
			nixgen.Bind(nixgen.List{}, "addresses"),
			nixgen.Bind(nixgen.Attrs{kind("ifb"), up()}, "link"),
			nixgen.Bind(nixgen.Attrs{nixgen.Bind(cake(s.In), "qdisc")}, "tc"),
		}, sub("interfaces", string(s.IFB))...)
	}
	if !some {
		// IfState's schema requires the key, also of a router that has no link at all.
		m.Set(service.From(b), nixgen.Attrs{}, sub("interfaces")...)
	}
}

// portUser is what makes a port be there: its bridge, its network, the link on it, or a program; false
// if it has nothing to do.
func portUser(r *router.Router, p *router.BoardPort) (router.By, bool) {
	by := func(b conf.Block) (router.By, bool) { return router.By{Addr: b.Head().Addr, From: b.Head().Def}, true }
	if m := r.MasterOf(p); m != nil {
		return by(m)
	}
	if ns := r.On(p); len(ns) > 0 {
		return by(ns[0])
	}
	for _, l := range r.Made {
		if standsOn(l, p) {
			return by(l)
		}
	}
	for _, u := range router.Claimed[router.UsesLink](r) {
		if u.Link == router.Link(p) {
			return u.By, true
		}
	}
	return router.By{}, false
}

// iface is an interface of IfState: its addresses, its link and what the kernel
// does with what arrives there.
func iface(r *router.Router, l router.Link, link nixgen.Attrs) nixgen.Attrs {
	var out nixgen.Attrs
	out = append(out, nixgen.Bind(fixedAddresses(r, l), "addresses"))
	out = append(append(out, brvlan(r, l)...), nixgen.Bind(link, "link"))
	if w := l.Spec().WireGuard; w != nil {
		out = append(out, nixgen.Bind(wireGuard(l, w), "wireguard"))
	}
	for _, shape := range router.Claimed[router.Shape](r) {
		if shape.Link == l {
			out = append(out, nixgen.Bind(nixgen.At{From: service.By(shape.By), Expr: shaped(shape)}, "tc"))
		}
	}
	if hasIPv6(l) {
		out = append(out, advertisements(r, l))
	}
	return out
}

// shaped is what tc(8) does on a link that is shaped: the queue of what it sends, and the way of
// what arrives to another interface, which has that queue. IfState's own cshaper is the same in
// short; 2.5.1 ends with a TypeError in it (GenericLink wants more arguments than it gets there).
func shaped(s *router.Shape) nixgen.Attrs {
	return nixgen.Attrs{
		nixgen.Bind(nixgen.Bool(true), "ingress"),
		nixgen.Bind(cake(s.Out), "qdisc"),
		nixgen.Bind(nixgen.List{nixgen.Attrs{
			kind("matchall"),
			nixgen.Bind(nixgen.Str("ffff:"), "parent"),
			nixgen.Bind(nixgen.List{nixgen.Attrs{
				kind("mirred"),
				nixgen.Bind(nixgen.Str("egress"), "direction"),
				nixgen.Bind(nixgen.Str("redirect"), "action"),
				nixgen.Bind(nixgen.Str(s.IFB), "dev"),
			}}, "action"),
		}}, "filter"),
	}
}

func cake(q router.Queue) nixgen.Attrs {
	return append(nixgen.Attrs{
		kind("cake"), nixgen.Bind(nixgen.Str("1:"), "handle"), nixgen.Bind(nixgen.Str(q.Bandwidth), "bandwidth"),
	}, attributes(q.Attributes)...)
}

// attributes are those of a link's kind or of a queue's, as IfState has them.
func attributes(as []router.LinkAttribute) nixgen.Attrs {
	var out nixgen.Attrs
	for _, a := range as {
		switch v := a.Value.(type) {
		case bool:
			out = append(out, nixgen.Bind(nixgen.Bool(v), a.Name))
		case int:
			out = append(out, nixgen.Bind(nixgen.Int(v), a.Name))
		case string:
			out = append(out, nixgen.Bind(nixgen.Str(v), a.Name))
		}
	}
	return out
}

// fixedAddresses are the addresses that the spec gives a link. Those that come later have a
// lifetime, and IfState leaves them alone.
func fixedAddresses(r *router.Router, l router.Link) nixgen.List {
	out := nixgen.List{}
	for _, n := range r.On(l) {
		for _, a := range n.Addresses() {
			if how, ok := a.How.(router.Fixed); ok {
				out = append(out, nixgen.At{From: service.Origin(n.Addr, a.From), Expr: nixgen.Str(how.String())})
			}
		}
	}
	return out
}

func kind(k string) nixgen.Attr {
	return nixgen.Bind(nixgen.Str(k), "kind")
}

// up is said of every link: IfState's default is down.
func up() nixgen.Attr { return nixgen.Bind(nixgen.Str("up"), "state") }

func port(r *router.Router, p *router.BoardPort) nixgen.Attrs {
	out := nixgen.Attrs{kind("physical"), up()}
	if p.Kind == router.PortDSA {
		out = nixgen.Attrs{kind("dsa"), nixgen.Bind(nixgen.Str(p.Conduit), "link"), up()}
	}
	say := func(at hcl.Range, v nixgen.Expr, name string) {
		out = append(out, nixgen.Bind(nixgen.At{From: service.Origin(p.Addr, at), Expr: v}, name))
	}
	if p.Cloned.Set {
		say(p.Cloned.Range, nixgen.Str(p.Cloned.V), "address")
	}
	if p.MTU.Set {
		say(p.MTU.Range, nixgen.Int(p.MTU.V), "mtu")
	}
	if p.Queue.Set {
		say(p.Queue.Range, nixgen.Int(p.Queue.V), "txqlen")
	}
	return master(r, p, out)
}

func master(r *router.Router, l router.Link, out nixgen.Attrs) nixgen.Attrs {
	if m := r.MasterOf(l); m != nil {
		out = append(out, nixgen.Bind(nixgen.Str(m.LinkName()), "master"))
	}
	return out
}

// made is a link that a block makes. IfState calls its attributes what the kernel does.
func made(r *router.Router, l router.Link, s router.LinkSpec) nixgen.Attrs {
	out := nixgen.Attrs{kind(s.Kind), up()}
	set := func(name string, v nixgen.Expr) {
		out = append(out, nixgen.Bind(v, name))
	}
	if s.On.Set {
		set("link", nixgen.Str(s.On.Target.LinkName()))
	}
	if s.Peer.Set {
		set("peer", nixgen.Str(s.Peer.Target.LinkName()))
	}
	if s.MAC.Set {
		set("address", nixgen.Str(s.MAC.V))
	}
	if mtu, _ := r.MTU(l); s.MTU.V != 0 || s.Overhead > 0 || s.Via.Set || s.Peer.Set {
		set("mtu", nixgen.Int(mtu))
	}
	return master(r, l, append(out, attributes(s.Kernel())...))
}

// wireGuard are the settings of a tunnel. Keys are read from files when IfState runs.
func wireGuard(l router.Link, w *router.WireGuard) nixgen.Attrs {
	var out nixgen.Attrs
	if w.Listen.Set {
		out = append(out, nixgen.Bind(nixgen.At{
			From: service.Origin(l.Head().Addr, w.Listen.Range), Expr: nixgen.Int(w.Listen.V),
		}, "listen_port"))
	}
	peers := nixgen.Attrs{}
	for _, p := range w.Peers {
		peers = append(peers, nixgen.Bind(nixgen.At{From: service.By(p.By), Expr: peer(p)}, string(p.PublicKey)))
	}
	if len(peers) > 0 {
		out = append(out, nixgen.Bind(peers, "peers"))
	}
	return append(out, nixgen.Bind(nixgen.At{
		From: service.Origin(l.Head().Addr, w.PrivateKey.Range), Expr: include(w.PrivateKey.Target),
	}, "private_key"))
}

func peer(p router.WireGuardPeer) nixgen.Attrs {
	allowed := nixgen.List{}
	for _, ip := range p.AllowedIPs {
		allowed = append(allowed, nixgen.Str(ip.String()))
	}
	out := nixgen.Attrs{nixgen.Bind(allowed, "allowedips")}
	if _, err := netip.ParseAddrPort(p.Endpoint); err == nil { // a name is the tunnel's own affair
		out = append(out, nixgen.Bind(nixgen.Str(p.Endpoint), "endpoint"))
	}
	if p.Keepalive != 0 {
		out = append(out, nixgen.Bind(nixgen.Int(p.Keepalive), "persistent_keepalive_interval"))
	}
	if p.PresharedKey != nil {
		out = append(out, nixgen.Bind(include(p.PresharedKey), "preshared_key"))
	}
	return out
}

// include makes IfState read a value from a file when it runs.
func include(s *router.Secret) nixgen.Str { return nixgen.Str("!include " + s.Staged()) }

func routeAttrs(rt route) nixgen.Attrs {
	out := nixgen.Attrs{nixgen.Bind(nixgen.Str(rt.to), "to")}
	if rt.drop != "" {
		out = append(out, nixgen.Bind(nixgen.Str(string(rt.drop)), "type"))
	}
	if rt.via != "" {
		out = append(out, nixgen.Bind(nixgen.Str(rt.via), "via"))
	}
	if rt.dev != "" {
		out = append(out, nixgen.Bind(nixgen.Str(rt.dev), "dev"))
	}
	if rt.metric != 0 {
		out = append(out, nixgen.Bind(nixgen.Int(rt.metric), "preference"))
	}
	if rt.src != "" {
		out = append(out, nixgen.Bind(nixgen.Str(rt.src), "src"))
	}
	if rt.table != 0 {
		out = append(out, nixgen.Bind(nixgen.Int(rt.table), "table"))
	}
	return out
}
