package router

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"

	"github.com/nbr-dev/nbr/hcl/conf"
	"github.com/nbr-dev/nbr/hcl/diag"
)

func ruleNames(r *Router) hcl.Diagnostics {
	var diags hcl.Diagnostics
	first := map[IfName]Link{}
	for _, l := range r.Links() {
		n := l.LinkName()
		if n == "" {
			continue // its name was refused
		}
		if before, dup := first[n]; dup {
			if p, ok := l.(*BoardPort); ok && r.Board.has(n) {
				diags = append(diags, diag.Help(diag.Error("interface-name-clash", p.Def, "Interface name taken",
					"The %s has a port of its own that is called %s.", r.Board.Name, n),
					"Remove mac and pci if you mean that port; call a card otherwise."))
				continue
			}
			d := diag.Help(diag.Error("interface-name-clash", l.Head().Def, "Interface name taken",
				"%s would be called %s, and that is the name of %s.", l.Head().Addr, n, before.Head().Addr),
				"Write name = \"…\" with another name into %s.", l.Head().Addr)
			if before.Head().Def != (hcl.Range{}) { // ports are the board's
				diag.With(d, before.Head().Def, "%s", before.Head().Addr.String())
			}
			diags = append(diags, d)
			continue
		}
		first[n] = l
	}
	return append(diags, ruleJoinedNames(r, first)...)
}

// ruleJoinedNames finds interfaces that programs would make with a name that another link has.
func ruleJoinedNames(r *Router, taken map[IfName]Link) hcl.Diagnostics {
	var diags hcl.Diagnostics
	for _, j := range Claimed[Joins](r) {
		l := taken[j.Port]
		if l == nil || l == j.Of {
			continue
		}
		diags = append(diags, diag.Help(clash("interface-name-clash", "Interface name taken", By{l.Head().Addr, l.Head().Def}, j.By,
			"%s makes an interface called %s, and that is the name of %s.", j.Addr, j.Port, l.Head().Addr),
			"Give one of the two another name."))
	}
	return diags
}

// ruleLoops walks down from each link, and below each only once.
func ruleLoops(r *Router) hcl.Diagnostics {
	done := map[Link]bool{}
	for _, l := range r.Links() {
		if loop := findLoop(l, nil, map[Link]bool{}, done); loop != nil {
			// The first of them in the order of the spec is named.
			first := slices.IndexFunc(r.Links(), func(l Link) bool { return slices.Contains(loop, l) })
			i := slices.Index(loop, r.Links()[first])
			loop = slices.Concat(loop[i:], loop[:i])
			var path []string
			for _, l := range slices.Backward(loop) {
				path = append(path, l.Head().Addr.String())
			}
			d := diag.Help(diag.Error("link-loop", loop[0].Head().Def, "Link on top of itself",
				"%s needs itself, through %s.", loop[0].Head().Addr, strings.Join(path, " and ")),
				"Take one of these links out of the circle.")
			for _, l := range slices.Backward(loop[1:]) {
				diag.With(d, l.Head().Def, "%s", l.Head().Addr.String())
			}
			return one(d)
		}
	}
	return nil
}

// Below are a link and those that it stands on, one below the other; a session stands on the link
// that it goes through. A link that stands on itself is told after claims are made: the list ends
// where it would begin again.
func Below(l Link) []Link {
	var out []Link
	for l != nil && !slices.Contains(out, l) {
		out = append(out, l)
		spec := l.Spec()
		if spec.External {
			spec.On = spec.Via
		}
		l = spec.On.Target
	}
	return out
}

// findLoop are the links of a loop that can be reached from l; path leads there.
func findLoop(l Link, path []Link, on, done map[Link]bool) []Link {
	if done[l] {
		return nil
	}
	path, on[l] = append(path, l), true
	for _, ref := range below(l) {
		b := ref.Target
		if on[b] {
			return slices.Clone(path[slices.Index(path, b):])
		}
		if loop := findLoop(b, path, on, done); loop != nil {
			return loop
		}
	}
	on[l], done[l] = false, true
	return nil
}

func ruleMasters(r *Router) hcl.Diagnostics {
	var diags hcl.Diagnostics
	type use struct {
		at hcl.Range
		by Link
	}
	first := map[Link]use{}
	for _, m := range r.Made {
		for _, p := range m.Spec().Ports.Items {
			if before, dup := first[p.Target]; dup {
				if before.by == m && m.Spec().Bridge.VLANAware() {
					continue // ruleBridgeVLANs tells it
				}
				diags = append(diags, diag.With(diag.Help(diag.Error("port-in-two-bridges", p.Range, "Port of two links",
					"%s can be a port of one link only, and %s has it.", p.Addr, before.by.Head().Addr),
					"Remove it from one of the two."), before.at, "%s", before.by.Head().Addr.String()))
				continue
			}
			first[p.Target] = use{p.Range, m}
		}
	}
	return diags
}

func ruleBridgePorts(r *Router) hcl.Diagnostics {
	var diags hcl.Diagnostics
	for _, n := range r.Networks {
		if m := r.MasterOf(n.Link.Target); m != nil && !m.Spec().VRF.Set {
			diags = append(diags, diag.With(diag.Help(diag.Error("address-on-bridge-port", n.Link.Range, "Link belongs to another one",
				"%s is a port of %s: addresses belong there.", n.Link.Addr, m.Head().Addr), "Use link = %s.", m.Head().Addr), m.Spec().Ports.Range, "%s", m.Head().Addr.String()))
		}
	}
	for _, l := range r.Made { // the master takes each frame before PPPoE sees it (__netif_receive_skb_core in net/core/dev.c)
		on := l.Spec().Via
		if !on.Set || l.Spec().Kind != "ppp" {
			continue
		}
		if m := r.MasterOf(on.Target); m != nil && !m.Spec().VRF.Set {
			diags = append(diags, diag.With(diag.Help(diag.Error("address-on-bridge-port", on.Range, "Link belongs to another one",
				"%s is a port of %s: frames of PPPoE arrive there.", on.Addr, m.Head().Addr), "Use link = %s.", m.Head().Addr), m.Spec().Ports.Range, "%s", m.Head().Addr.String()))
		}
	}
	return diags
}

// rulePorts finds links that no packet could get through, since the kernel refuses what is
// below them or since it would have no meaning there.
func rulePorts(r *Router) hcl.Diagnostics {
	var diags hcl.Diagnostics
	refuse := func(by Link, ref conf.Ref[Link], help, why string, args ...any) {
		d := diag.Help(diag.Error("not-a-port", ref.Range, "Link that cannot be below another",
			"%s cannot be below %s: %s.", ref.Addr, by.Head().Addr, fmt.Sprintf(why, args...)), "%s", help)
		if ref.Target.Head().Def != (hcl.Range{}) {
			diag.With(d, ref.Target.Head().Def, "%s", ref.Target.Head().Addr.String())
		}
		diags = append(diags, d)
	}
	for _, l := range r.Made {
		s := l.Spec()
		if s.On.Set && s.Kind == "vlan" && s.On.Target.Spec().IPOnly {
			refuse(l, s.On, "Put the VLAN on a port, a bridge or a bond.", "its packets have no Ethernet frames that could be tagged")
		}
		if s.Kind == "ppp" && s.Via.Set && s.Via.Target.Spec().IPOnly {
			refuse(l, s.Via, "Use the port or the VLAN that the provider's line is on.", "its packets have no Ethernet frames, and PPPoE is in these")
		}
		for _, ref := range s.Ports.Items {
			switch below := ref.Target.Spec(); {
			case below.VRF.Set:
				refuse(l, ref, "Name its links instead of it.", "it is a routing table with a name, and no link")
			case s.VRF.Set && !below.External:
			case s.VRF.Set: // IfState leaves it alone
				refuse(l, ref, "Have that program put it into the VRF, and leave it out here.", "another program makes it, and nbr does not touch it")
			case below.IPOnly:
				refuse(l, ref, "Give it a network of its own, and route.", "its packets have no Ethernet frames that %s could pass on", l.Head().Addr)
			case s.Kind == "bridge" && below.Kind == "bridge": // br_add_if in net/bridge/br_if.c
				refuse(l, ref, "Name the ports of both in one bridge.", "a bridge is no port of another one")
			case s.Kind == "bond" && (below.Kind == "bridge" || below.Kind == "bond"):
				refuse(l, ref, "Name its ports instead of it.", "a bond uses its ports as cables to one and the same machine, and a %s is none", below.Kind)
			case s.Kind == "bond" && below.External: // IfState leaves it alone
				refuse(l, ref, "Have that program put it into the bond, and leave it out here.", "another program makes it, and nbr does not touch it")
			}
		}
	}
	return diags
}

// rulePeers finds pairs of links that are none: IfState makes an end with its peer, by name, and
// takes another one with that name for it. The kernel drops what is longer than the other end's
// MTU (veth_forward_skb in drivers/net/veth.c).
func rulePeers(r *Router) hcl.Diagnostics {
	var diags hcl.Diagnostics
	for _, l := range r.Made {
		ref := l.Spec().Peer
		if !ref.Set {
			continue
		}
		at, peer := l.Head().Addr, ref.Target
		refuse := func(help, why string, args ...any) {
			d := diag.Help(diag.Error("link-peer", ref.Range, "Other end that is none", why, args...), "%s", help)
			if peer != l && peer.Head().Def != (hcl.Range{}) {
				diag.With(d, peer.Head().Def, "%s", ref.Addr.String())
			}
			diags = append(diags, d)
		}
		switch back := peer.Spec().Peer; {
		case peer == l:
			refuse("Write another block of this type, and name it here.", "%s names itself as its other end.", at)
		case peer.Spec().Kind != l.Spec().Kind:
			refuse(fmt.Sprintf("Write a %s block for the other end, with peer = %s, and name it here.", at.Type, at), "%s is no end of a pair, so it cannot be the one of %s.", ref.Addr, at)
		case back.Target != l:
			refuse(fmt.Sprintf("Write peer = %s there, or name another end here.", at), "%s is the other end of %s, and not of %s.", ref.Addr, back.Addr, at)
		}
	}
	return append(diags, rulePeerMTUs(r)...)
}

// rulePeerMTUs finds pairs whose ends are to carry packets of different lengths.
func rulePeerMTUs(r *Router) hcl.Diagnostics {
	var diags hcl.Diagnostics
	told := map[Link]bool{}
	for _, l := range r.Made {
		peer := l.Spec().Peer.Target
		if peer == nil || peer == l || peer.Spec().Peer.Target != l {
			continue
		}
		told[l] = true
		here, there := l.Spec().MTU, peer.Spec().MTU
		if told[peer] && here.Set && there.Set && here.V != there.V {
			diags = append(diags, diag.With(diag.Help(diag.Error("link-peer", here.Range, "Two ends with different MTUs",
				"%s is to carry packets of %d bytes, and %s, its other end, %d: longer ones are dropped.", l.Head().Addr, here.V, peer.Head().Addr, there.V),
				"Write the same mtu into both, or into one of them only."), there.Range, "%s", peer.Head().Addr.String()))
		}
	}
	return diags
}

func ruleConduit(r *Router) hcl.Diagnostics {
	var diags hcl.Diagnostics
	check := func(ref conf.Ref[Link]) {
		if p, ok := ref.Target.(*BoardPort); ok && p.Kind == PortConduit {
			diags = append(diags, diag.Help(diag.Error("not-a-user-port", ref.Range, "Not a port for users",
				"%s carries the frames of the switch's ports, tagged for the switch.", p.Addr),
				"Use the ports themselves."))
		}
	}
	for _, l := range r.Made {
		for _, ref := range below(l) {
			check(ref)
		}
	}
	for _, n := range r.Networks {
		check(n.Link)
	}
	for _, p := range r.Changed {
		if p.Kind == PortConduit {
			diags = append(diags, diag.Help(diag.Error("not-a-user-port", p.Def, "Not a port for users",
				"%s carries the frames of the switch's ports, and the kernel gives it the MTU that these need (dsa_user_change_mtu in net/dsa/user.c).", p.Addr),
				"Write blocks for those ports instead."))
		}
	}
	return diags
}

func ruleVLANs(r *Router) hcl.Diagnostics {
	var diags hcl.Diagnostics
	type key struct {
		link Link
		id   VLANID
		tag  VLANProtocol
	}
	first := map[key]VLANLink{}
	for _, l := range r.Made {
		s := l.Spec()
		v, on := VLANLink{l, s.VLAN}, s.On
		if s.VLAN == nil {
			continue
		}
		k := key{on.Target, v.ID.V, v.Protocol.V}
		if before, dup := first[k]; dup {
			addr := before.Head().Addr
			diags = append(diags, diag.With(diag.Help(diag.Error("vlan-twice", v.ID.Range, "VLAN identifier taken",
				"%s already has VLAN %d on %s.", addr, v.ID.V, on.Addr),
				"Give one of them another id, or put both networks on %s.", addr), before.ID.Range, "%s", addr.String()))
			continue
		}
		first[k] = v
		if p := r.PortVLANsOf(on.Target); p != nil && v.Protocol.V == CTag && p.carries(v.ID.V) {
			bridge := r.MasterOf(on.Target).Head().Addr
			diags = append(diags, diag.With(diag.Help(diag.Error("vlan-twice", v.ID.Range, "VLAN identifier taken",
				"%s is a port of %s and in VLAN %d there: the bridge would get no frame of it.", on.Addr, bridge, v.ID.V),
				"Write link = %s.", bridge), p.Def, "%s", p.Addr.String()))
		}
	}
	return diags
}

// ruleMTU finds links that are to carry larger packets than what carries them, or smaller ones than
// their kind or their networks can. The kernel refuses larger ones of a VLAN (vlan_dev_change_mtu
// in net/8021q/vlan_dev.c), and the ports of a bridge drop them.
func ruleMTU(r *Router) hcl.Diagnostics {
	if len(ruleLoops(r)) > 0 {
		return nil // a link in a loop has no MTU
	}
	var diags hcl.Diagnostics
	for _, l := range r.Made {
		s := l.Spec()
		if n, said := MTUOf(l); n < s.Least {
			d := diag.Help(diag.Error("mtu-too-small", cmp.Or(s.MTU.Range, l.Head().Def), "MTU smaller than IPv6 has",
				"%s carries packets of %d bytes at most, and the kernel makes no such link with less than %d (RFC 8200 section 5).", l.Head().Addr, n, s.Least),
				"Write mtu = %d here or more, and let the link below carry what is around it, too.", s.Least)
			if !s.MTU.Set && said != (hcl.Range{}) {
				diag.With(d, said, "what carries it")
			}
			diags = append(diags, d)
		}
		mtu := s.MTU // of some kinds also where none is written
		if mtu.V == 0 || s.VRF.Set {
			continue
		}
		for _, ref := range below(l) {
			least, at := MTUOf(ref.Target)
			help, around := "", 0
			if s.Overhead > 0 && (ref.Target == s.Via.Target || ref.Target == s.On.Target) {
				around = s.Overhead
				least -= around
				help = fmt.Sprintf(" Or have %s carry %d.", ref.Addr, int(mtu.V)+around)
			}
			if int(mtu.V) <= least {
				continue
			}
			if p, ok := ref.Target.(*BoardPort); ok && !p.MTU.Set && (p.MaxMTU == 0 || int(mtu.V)+around <= p.MaxMTU) {
				help = fmt.Sprintf(" Or write port %q { mtu = %d } for the port.", p.Name, int(mtu.V)+around)
			}
			d := diag.Help(diag.Error("mtu-too-large", cmp.Or(mtu.Range, l.Head().Def), "MTU larger than what carries it",
				"%s is to carry packets of %d bytes, and %s below it carries %d at most.", l.Head().Addr, mtu.V, ref.Addr, least),
				"Write mtu = %d or less.%s", least, help)
			switch {
			case at != (hcl.Range{}):
				diag.With(d, at, "%s", ref.Addr.String())
			case ref.Target.Head().Def != (hcl.Range{}):
				diag.With(d, ref.Target.Head().Def, "%s", ref.Addr.String())
			}
			diags = append(diags, d)
			break
		}
	}
	return slices.Concat(diags, ruleBoardMTUs(r), ruleSmallLinks(r))
}

// ruleBoardMTUs finds ports of the board that are to carry larger packets than their driver can.
func ruleBoardMTUs(r *Router) hcl.Diagnostics {
	var diags hcl.Diagnostics
	for _, p := range r.Changed {
		if p.MaxMTU != 0 && int(p.MTU.V) > p.MaxMTU {
			diags = append(diags, diag.Help(diag.Error("mtu-too-large", p.MTU.Range, "MTU larger than the port can",
				"%s is to carry packets of %d bytes, and the driver of this port of the %s takes %d at most.", p.Addr, p.MTU.V, r.Board.Name, p.MaxMTU),
				"Write mtu = %d or less.", p.MaxMTU))
		}
	}
	return diags
}

// LeastIPv6 is the least MTU of a link with IPv6 (RFC 8200 section 5). On others the kernel has
// neither addresses of it nor its sysctls (addrconf_notify in net/ipv6/addrconf.c).
const LeastIPv6 = 1280

// ruleSmallLinks finds networks with IPv6 on links on which the kernel has none.
func ruleSmallLinks(r *Router) hcl.Diagnostics {
	var diags hcl.Diagnostics
	for _, n := range r.Networks {
		l := n.Link.Target
		carries, said := MTUOf(l)
		if carries >= LeastIPv6 || !n.Has(IPv6) || carries < l.Spec().Least { // the last has been told
			continue
		}
		diags = append(diags, diag.With(diag.Help(diag.Error("mtu-too-small", cmp.Or(said, l.Head().Def), "MTU smaller than IPv6 has",
			"%s carries packets of %d bytes at most, and %s has IPv6: the kernel has none on a link with less than %d (RFC 8200 section 5).", n.Link.Addr, carries, n.Addr, LeastIPv6),
			"Write mtu = %d or more, or give %s no IPv6.", LeastIPv6, n.Addr), n.Link.Range, "%s", n.Addr.String()))
	}
	return diags
}
