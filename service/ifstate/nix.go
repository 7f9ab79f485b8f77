package ifstate

import (
	"fmt"
	"slices"
	"strings"

	"github.com/nbr-dev/nbr/hcl/conf"
	"github.com/nbr-dev/nbr/nixgen"
	"github.com/nbr-dev/nbr/router"
	"github.com/nbr-dev/nbr/service"
)

var settings = []string{"networking", "ifstate", "settings"}

// Lower sets networking.ifstate and what goes with it.
func (b *Interfaces) Lower(r *router.Router, m *nixgen.Module) {
	from := service.From(b)
	m.Set(from, nixgen.Bool(true), "networking", "ifstate", "enable")
	// The module asserts it, and a hardware-configuration.nix may say otherwise
	// with the same priority as the module's own default.
	m.Set(from, nixgen.Bool(false), "networking", "useDHCP")
	// NixOS would give an upstream changing addresses beside the one that the spec's
	// policies and everybody's DNS know (RFC 8981).
	m.Set(from, nixgen.Str("disabled"), "networking", "tempAddresses")
	b.links(r, m)
	for _, rt := range routes(r) {
		m.Add(service.By(rt.By), sub("routing", "routes"), routeAttrs(rt))
	}
	if len(b.Ignore.Items) > 0 {
		at := service.Origin(b.Addr, b.Ignore.Range)
		m.Add(at, sub("parameters", "ignore", "ifname"), service.Strs(b.Ignore.All())...)
	}
	stage(r, m)
	for _, s := range r.Claims.SysctlKeys() {
		if s.Guarded {
			continue // the firewall's
		}
		m.Set(service.By(s.By), nixgen.Str(s.Value), "boot", "kernel", "sysctl", s.Key)
	}
	for _, u := range r.Claims.StartUnits() {
		// No wants: ifstate.service is inactive once it has succeeded, so a restart
		// of the unit would apply the whole network configuration again.
		m.Add(service.By(u.By), []string{"systemd", "services", u.Unit, "after"}, nixgen.Str("ifstate.service"))
	}
	service.AddExtra(m, b, b.Extra, settings...)
}

// stage copies the secrets that IfState includes to where it looks for them. One
// that is missing is replaced by a value that nobody knows, and the journal says
// so: without its file IfState would configure nothing at all.
func stage(r *router.Router, m *nixgen.Module) {
	var script strings.Builder
	for _, u := range r.Claims.Secrets {
		if u.StandIn == "" || u.Unit != "ifstate" {
			continue
		}
		if script.Len() == 0 {
			script.WriteString("umask 077\nmkdir -p /run/nbr/secrets\n")
		}
		fmt.Fprintf(&script, `if [ -s %[1]s ]; then
  cp %[1]s %[2]s
else
  echo "%[3]s: %[1]s is missing, %[4]s has a key that nobody knows" >&2
  %[5]s >%[2]s
fi
`, u.Secret.Location(), u.Secret.Staged(), u.Secret.Addr, u.Addr, u.StandIn)
		from := service.By(u.By)
		m.Add(from, []string{"systemd", "services", "ifstate", "path"}, nixgen.Var("pkgs."+u.StandInPackage))
		if u.Secret.Source.V != router.SourceFile {
			m.Add(from, []string{"systemd", "services", "ifstate", "after"}, nixgen.Str(installer[u.Secret.Source.V]))
		}
	}
	if script.Len() > 0 {
		m.Set(nixgen.Origin{}, nixgen.Lines(script.String()), "systemd", "services", "ifstate", "preStart")
	}
}

// installer is the unit that puts secrets in place, where activation does not.
var installer = map[router.Source]string{
	router.SourceSOPS:   "sops-install-secrets.service",
	router.SourceAgenix: "agenix-install-secrets.service",
}

func sub(path ...string) []string { return slices.Concat(settings, path) }

// links sets one interface for each link that the spec uses.
func (b *Interfaces) links(r *router.Router, m *nixgen.Module) {
	set := func(l router.Link, from conf.Block, attrs nixgen.Attrs) {
		m.Set(service.From(from), attrs, sub("interfaces", string(l.LinkName()))...)
	}
	conduits := map[router.IfName]bool{}
	for _, p := range r.Board.Ports {
		if p.Kind == router.PortDSA {
			conduits[p.Conduit] = true
		}
		switch {
		case used(r, p):
			set(p, portUser(r, p), iface(r, p, port(r, p)))
		case p.Kind == router.PortDSA:
			// IfState would try to delete it, which the kernel refuses.
			set(p, r.System, iface(r, p, nixgen.Attrs{
				kind("dsa"),
				{Name: []string{"link"}, Value: nixgen.Str(p.Conduit)},
				{Name: []string{"state"}, Value: nixgen.Str("down")},
			}))
		}
	}
	for _, p := range r.Board.Ports {
		if conduits[p.Name] {
			set(p, r.System, nixgen.Attrs{
				{Name: []string{"addresses"}, Value: nixgen.List{}},
				{Name: []string{"link"}, Value: nixgen.Attrs{kind("physical"), up()}},
				advertisements(r, p),
			})
		}
	}
	for _, br := range r.Bridges {
		set(br, br, iface(r, br, bridge(br)))
	}
	for _, v := range r.VLANs {
		set(v, v, iface(r, v, vlan(v)))
	}
	for _, t := range r.Tunnels {
		ra := advertisements(r, t)
		m.Set(service.From(t), ra.Value, sub(slices.Concat([]string{"interfaces", string(t.LinkName())}, ra.Name)...)...)
		if addresses, ok := fixedAddresses(r, t); ok {
			m.Set(service.From(t), addresses, sub("interfaces", string(t.LinkName()), "addresses")...)
		}
	}
}

// portUser is the block that makes a port be there: its bridge, its network or
// its VLAN.
func portUser(r *router.Router, p *router.BoardPort) conf.Block {
	if br := r.BridgeOf(p); br != nil {
		return br
	}
	if ns := on(r, p); len(ns) > 0 {
		return ns[0]
	}
	for _, v := range r.VLANs {
		if v.Link.Target == p {
			return v
		}
	}
	return r.System
}

// iface is an interface of IfState: its addresses, its link and what the kernel
// does with what arrives there.
func iface(r *router.Router, l router.Link, link nixgen.Attrs) nixgen.Attrs {
	var out nixgen.Attrs
	if addresses, ok := fixedAddresses(r, l); ok {
		out = append(out, nixgen.Attr{Name: []string{"addresses"}, Value: addresses})
	}
	out = append(out, nixgen.Attr{Name: []string{"link"}, Value: link})
	return append(out, advertisements(r, l))
}

// fixedAddresses are the addresses that the spec gives a link. A link whose
// addresses all come from elsewhere has none here, and IfState leaves dynamic
// ones alone.
func fixedAddresses(r *router.Router, l router.Link) (nixgen.List, bool) {
	out := nixgen.List{}
	ns := on(r, l)
	for _, n := range ns {
		if n.IPv4.V.Prefix.IsValid() {
			out = append(out, nixgen.At{From: service.Origin(n.Addr, n.IPv4.Range), Expr: nixgen.Str(n.IPv4.V.String())})
		}
		if n.IPv6.V.Prefix.IsValid() {
			out = append(out, nixgen.At{From: service.Origin(n.Addr, n.IPv6.Range), Expr: nixgen.Str(n.IPv6.V.String())})
		}
	}
	return out, len(out) > 0 || len(ns) == 0 || slices.ContainsFunc(ns, (*router.Network).Dynamic)
}

func kind(k string) nixgen.Attr {
	return nixgen.Attr{Name: []string{"kind"}, Value: nixgen.Str(k)}
}

// up is said of every link: IfState's default is down.
func up() nixgen.Attr { return nixgen.Attr{Name: []string{"state"}, Value: nixgen.Str("up")} }

func port(r *router.Router, p *router.BoardPort) nixgen.Attrs {
	out := nixgen.Attrs{kind("physical"), up()}
	if p.Kind == router.PortDSA {
		out = nixgen.Attrs{kind("dsa"), {Name: []string{"link"}, Value: nixgen.Str(p.Conduit)}, up()}
	}
	return master(r, p, out)
}

func master(r *router.Router, l router.Link, out nixgen.Attrs) nixgen.Attrs {
	if br := r.BridgeOf(l); br != nil {
		out = append(out, nixgen.Attr{Name: []string{"master"}, Value: nixgen.Str(br.LinkName())})
	}
	return out
}

func bridge(b *router.Bridge) nixgen.Attrs {
	out := nixgen.Attrs{kind("bridge"), up()}
	if b.MAC.Set {
		out = append(out, nixgen.Attr{Name: []string{"address"}, Value: nixgen.Str(b.MAC.V)})
	}
	if b.STP.V {
		out = append(out, nixgen.Attr{Name: []string{"br_stp_state"}, Value: nixgen.Bool(true)})
	}
	return mtu(out, b.MTU)
}

func vlan(v *router.VLAN) nixgen.Attrs {
	return mtu(nixgen.Attrs{
		kind("vlan"),
		{Name: []string{"link"}, Value: nixgen.Str(v.Link.Target.LinkName())},
		up(),
		{Name: []string{"vlan_id"}, Value: nixgen.Int(v.ID.V)},
	}, v.MTU)
}

func mtu(out nixgen.Attrs, v conf.Value[router.MTU]) nixgen.Attrs {
	if v.Set {
		out = append(out, nixgen.Attr{Name: []string{"mtu"}, Value: nixgen.Int(v.V)})
	}
	return out
}

func routeAttrs(rt route) nixgen.Attrs {
	out := nixgen.Attrs{{Name: []string{"to"}, Value: nixgen.Str(rt.to)}}
	if rt.via != "" {
		out = append(out, nixgen.Attr{Name: []string{"via"}, Value: nixgen.Str(rt.via)})
	}
	if rt.dev != "" {
		out = append(out, nixgen.Attr{Name: []string{"dev"}, Value: nixgen.Str(rt.dev)})
	}
	if rt.metric != 0 {
		out = append(out, nixgen.Attr{Name: []string{"preference"}, Value: nixgen.Int(rt.metric)})
	}
	return out
}
