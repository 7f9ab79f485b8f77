package router

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"net/netip"
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"

	"github.com/nbr-dev/nbr/hcl/conf"
	"github.com/nbr-dev/nbr/hcl/diag"
)

// A Rule is something that the router as a whole must keep and that no single
// block can see.
type Rule struct {
	Code   string // of the diagnostics it gives
	Doc    string
	Check  func(*Router) hcl.Diagnostics
	Claims bool // it looks at what the services claim, so they must all be sound
}

// Rules are all of them, in the order in which they are applied.
func Rules() []Rule {
	return []Rule{
		{"no-router", "A spec has one router block.", ruleRouter, false},
		{"interface-name-clash", "Two links have the same name.", ruleNames, false},
		{"link-loop", "A link is on top of itself.", ruleLoops, false},
		{"port-in-two-bridges", "A link is a port of two bridges.", ruleMasters, false},
		{"address-on-bridge-port", "A network is on a link that belongs to a bridge.", ruleBridgePorts, false},
		{"not-a-user-port", "The conduit of a switch is used as a port.", ruleConduit, false},
		{"vlan-twice", "Two VLANs on one link have the same identifier.", ruleVLANs, false},
		{"network-without-address", "The router has no address in a network.", ruleAddresses, false},
		{"overlapping-networks", "Two networks hold the same addresses.", ruleOverlap, false},
		{"gateway-outside", "A gateway is not in its network.", ruleGateways, false},
		{"next-hop-outside", "A route's next hop is in none of the networks.", ruleRoutes, false},
		{"network-in-two-zones", "A network is in two zones.", ruleZones, false},
		{"network-without-zone", "A network is in no zone, so nothing may pass.", ruleZoneless, false},
		{"unreachable-policy", "A policy can never match.", ruleShadowed, false},
		{"masquerade-without-upstream", "A policy masquerades towards no upstream.", ruleMasquerade, false},
		{"forward-clash", "Two port forwards have the same port.", ruleForwards, false},
		{"forward-outside", "A port forward leads to no network of the router.", ruleForwardTargets, false},
		{"listen-clash", "Two programs listen on the same socket.", ruleListens, true},
		{"nothing-listens", "A zone allows a service that the router does not have there.", ruleAllowed, true},
		{"not-allowed", "A service is for a network whose zone does not allow it.", ruleServed, true},
		{"sysctl-clash", "Two blocks want different values of a kernel parameter.", ruleSysctls, true},
		{"no-such-file", "A file that the spec imports is not there.", ruleImports, false},
		{"secret-without-path", "A secret does not say where it is.", ruleSecrets, false},
		{"lock-out", "Nobody could reach the router over the network.", ruleLockOut, true},
	}
}

// Judge applies the rules; those over claims only if every block is sound, for
// else they would speak of what a block could not claim.
func (r *Router) Judge(sound bool) hcl.Diagnostics {
	var diags hcl.Diagnostics
	for _, rule := range Rules() {
		if rule.Claims && !sound {
			continue
		}
		diags = append(diags, rule.Check(r)...)
		if r.System == nil {
			break // nothing else can be judged
		}
	}
	return diags
}

func one(d *hcl.Diagnostic) hcl.Diagnostics { return hcl.Diagnostics{d} }

func ruleRouter(r *Router) hcl.Diagnostics {
	if r.System != nil {
		return nil
	}
	return one(diag.Error("no-router", hcl.Range{}, "No router block",
		"A spec says what the machine is: router \"name\" { board = …, memory = …, state_version = … }. `nbr init` writes a first one."))
}

// Links are all links with their names, ports first.
func (r *Router) Links() []Link {
	var out []Link
	if r.Board != nil {
		for _, p := range r.Board.Ports {
			out = append(out, p)
		}
	}
	for _, b := range r.Bridges {
		out = append(out, b)
	}
	for _, v := range r.VLANs {
		out = append(out, v)
	}
	return append(out, r.Tunnels...)
}

func ruleNames(r *Router) hcl.Diagnostics {
	var diags hcl.Diagnostics
	first := map[IfName]Link{}
	for _, l := range r.Links() {
		n := l.LinkName()
		if n == "" {
			continue // its name was refused
		}
		if before, dup := first[n]; dup {
			d := diag.Error("interface-name-clash", l.Head().Def, "Interface name taken",
				"%s would be called %s, and %s is. Give one of them a name.", l.Head().Addr, n, before.Head().Addr)
			if _, port := before.(*BoardPort); !port {
				diag.With(d, before.Head().Def, "%s", before.Head().Addr.String())
			}
			diags = append(diags, d)
			continue
		}
		first[n] = l
	}
	return diags
}

// below are the links that a link needs.
func below(l Link) []Link {
	switch l := l.(type) {
	case *Bridge:
		return l.Ports.All()
	case *VLAN:
		if l.Link.Set {
			return []Link{l.Link.Target}
		}
	}
	return nil
}

func ruleLoops(r *Router) hcl.Diagnostics {
	for _, l := range r.Links() {
		var path []string
		if reaches(l, l, &path, map[Link]bool{}) {
			return one(diag.Error("link-loop", l.Head().Def, "Link on top of itself",
				"%s needs itself, through %s.", l.Head().Addr, strings.Join(path, " and ")))
		}
	}
	return nil
}

func reaches(from, to Link, path *[]string, seen map[Link]bool) bool {
	for _, b := range below(from) {
		if b == to {
			*path = append(*path, from.Head().Addr.String())
			return true
		}
		if seen[b] {
			continue
		}
		seen[b] = true
		if reaches(b, to, path, seen) {
			*path = append(*path, from.Head().Addr.String())
			return true
		}
	}
	return false
}

func ruleMasters(r *Router) hcl.Diagnostics {
	var diags hcl.Diagnostics
	type use struct {
		at hcl.Range
		by *Bridge
	}
	first := map[Link]use{}
	for _, b := range r.Bridges {
		for _, p := range b.Ports.Items {
			if before, dup := first[p.Target]; dup {
				diags = append(diags, diag.With(diag.Error("port-in-two-bridges", p.Range, "Port of two bridges",
					"%s can be a port of one bridge only, and %s has it.", p.Addr, before.by.Addr), before.at, "%s", before.by.Addr.String()))
				continue
			}
			first[p.Target] = use{p.Range, b}
		}
	}
	return diags
}

func ruleBridgePorts(r *Router) hcl.Diagnostics {
	var diags hcl.Diagnostics
	for _, n := range r.Networks {
		if !n.Link.Set {
			continue
		}
		if b := r.BridgeOf(n.Link.Target); b != nil {
			diags = append(diags, diag.With(diag.Error("address-on-bridge-port", n.Link.Range, "Link belongs to a bridge",
				"%s is a port of %s: addresses belong to the bridge. Use link = %s.", n.Link.Addr, b.Addr, b.Addr), b.Ports.Range, "%s", b.Addr.String()))
		}
	}
	return diags
}

func ruleConduit(r *Router) hcl.Diagnostics {
	var diags hcl.Diagnostics
	check := func(l Link, at hcl.Range) {
		if p, ok := l.(*BoardPort); ok && p.Kind == PortConduit {
			diags = append(diags, diag.Error("not-a-user-port", at, "Not a port for users",
				"%s carries the frames of the switch's ports, tagged for the switch. Use the ports themselves.", p.Addr))
		}
	}
	for _, b := range r.Bridges {
		for _, p := range b.Ports.Items {
			check(p.Target, p.Range)
		}
	}
	for _, v := range r.VLANs {
		check(v.Link.Target, v.Link.Range)
	}
	for _, n := range r.Networks {
		check(n.Link.Target, n.Link.Range)
	}
	return diags
}

func ruleVLANs(r *Router) hcl.Diagnostics {
	var diags hcl.Diagnostics
	type key struct {
		link Link
		id   VLANID
	}
	first := map[key]*VLAN{}
	for _, v := range r.VLANs {
		k := key{v.Link.Target, v.ID.V}
		if before, dup := first[k]; dup && v.ID.Set && v.Link.Set {
			diags = append(diags, diag.With(diag.Error("vlan-twice", v.ID.Range, "VLAN identifier taken",
				"%s already has VLAN %d on %s.", before.Addr, v.ID.V, v.Link.Addr), before.ID.Range, "%s", before.Addr.String()))
			continue
		}
		first[k] = v
	}
	return diags
}

func ruleAddresses(r *Router) hcl.Diagnostics {
	var diags hcl.Diagnostics
	for _, n := range r.Networks {
		if n.IPv4.Range == (hcl.Range{}) && n.IPv6.Range == (hcl.Range{}) { // a refused value has its range
			diags = append(diags, diag.Error("network-without-address", n.Def, "Network without an address",
				"%s has neither ipv4 nor ipv6. Give the router an address there, or remove the network.", n.Addr))
		}
	}
	return diags
}

// A fixed is an address block of a network.
type fixed struct {
	p  netip.Prefix
	at hcl.Range
	n  *Network
}

func (r *Router) fixed() []fixed {
	var out []fixed
	for _, n := range r.Networks {
		if n.IPv4.V.Prefix.IsValid() {
			out = append(out, fixed{n.IPv4.V.Prefix, n.IPv4.Range, n})
		}
		if n.IPv6.V.Prefix.IsValid() {
			out = append(out, fixed{n.IPv6.V.Prefix, n.IPv6.Range, n})
		}
	}
	return out
}

// ruleOverlap sorts the blocks by their first address; a block that overlaps an
// earlier one then overlaps the one that reaches furthest so far.
func ruleOverlap(r *Router) hcl.Diagnostics {
	var diags hcl.Diagnostics
	all := r.fixed()
	slices.SortStableFunc(all, func(a, b fixed) int {
		return a.p.Masked().Addr().Compare(b.p.Masked().Addr())
	})
	for i := 1; i < len(all); i++ {
		prev, cur := all[i-1], all[i]
		if prev.p.Overlaps(cur.p) {
			a, b := prev, cur
			if later(a.at, b.at) {
				a, b = b, a
			}
			diags = append(diags, diag.With(diag.Error("overlapping-networks", b.at, "Networks overlap",
				"%s and %s hold the same addresses, so the router could not tell where to send a packet.", a.p.Masked(), b.p.Masked()),
				a.at, "%s", a.n.Addr.String()))
			if Broadcast(prev.p).Compare(Broadcast(cur.p)) > 0 {
				all[i] = prev // the longer reach is what the next one may overlap
			}
		}
	}
	return diags
}

func later(a, b hcl.Range) bool {
	if a.Filename != b.Filename {
		return a.Filename > b.Filename
	}
	return a.Start.Byte > b.Start.Byte
}

func ruleGateways(r *Router) hcl.Diagnostics {
	var diags hcl.Diagnostics
	var first *Network
	for _, n := range r.Networks {
		diags = append(diags, gateway(n, n.Gateway, n.IPv4.V.Prefix, "ipv4")...)
		if !n.Gateway6.V.IsLinkLocalUnicast() {
			diags = append(diags, gateway(n, n.Gateway6, n.IPv6.V.Prefix, "ipv6")...)
		}
		if n.Gateway.Set {
			if first != nil {
				diags = append(diags, diag.With(diag.Error("two-gateways", n.Gateway.Range, "Two default gateways",
					"%s already has the IPv4 default gateway. Write a route block for the other one.", first.Addr), first.Gateway.Range, "%s", first.Addr.String()))
				continue
			}
			first = n
		}
	}
	return diags
}

func gateway(n *Network, g conf.Value[Addr], p netip.Prefix, attr string) hcl.Diagnostics {
	switch {
	case !g.Set:
		return nil
	case !p.IsValid() && n.Bad:
		return nil
	case !p.IsValid():
		return one(diag.Error("gateway-outside", g.Range, "Gateway without a fixed address",
			"%s needs %s = an address of the router in the gateway's network.", n.Addr, attr))
	case !p.Contains(g.V.Addr):
		return one(diag.Error("gateway-outside", g.Range, "Gateway outside its network", "%s is not in %s.", g.V, p.Masked()))
	case p.Addr() == g.V.Addr:
		return one(diag.Error("gateway-outside", g.Range, "Gateway is the router itself",
			"%s is the router's own address; the gateway is the next router's.", g.V))
	}
	return nil
}

func ruleRoutes(r *Router) hcl.Diagnostics {
	var diags hcl.Diagnostics
	first := map[string]*Route{}
	for _, rt := range r.Routes {
		if !rt.To.Set || !rt.Via.Set {
			continue
		}
		if rt.To.V.Addr().Is4() != rt.Via.V.Is4() {
			diags = append(diags, diag.Error("next-hop-outside", rt.Via.Range, "Next hop of the other family",
				"%s is not of the family of %s.", rt.Via.V, rt.To.V.Prefix))
			continue
		}
		if !rt.Network.Set && r.NetworkAt(rt.Via.V.Addr) == nil && r.sure() && !rt.Bad {
			diags = append(diags, diag.Error("next-hop-outside", rt.Via.Range, "Next hop out of reach",
				"%s is in no network of the router with a fixed address. If it is on the link all the same, say where: network = network.NAME.", rt.Via.V))
		}
		key := fmt.Sprint(rt.To.V.Prefix, rt.Metric.V)
		if before := first[key]; before != nil {
			diags = append(diags, diag.With(diag.Error("route-twice", rt.To.Range, "Two routes to the same destination",
				"%s already leads to %s with the same metric. Give one of them another metric.", before.Addr, rt.To.V.Prefix), before.To.Range, "%s", before.Addr.String()))
			continue
		}
		first[key] = rt
	}
	return diags
}

func ruleZones(r *Router) hcl.Diagnostics {
	var diags hcl.Diagnostics
	type use struct {
		z  *Zone
		at hcl.Range
	}
	first := map[*Network]use{}
	for _, z := range r.Zones {
		for _, n := range z.Networks.Items {
			if before, dup := first[n.Target]; dup {
				diags = append(diags, diag.With(diag.Error("network-in-two-zones", n.Range, "Network of two zones",
					"%s is already in %s. A packet belongs to one zone.", n.Addr, before.z.Addr), before.at, "%s", before.z.Addr.String()))
				continue
			}
			first[n.Target] = use{z, n.Range}
		}
	}
	return append(diags, ruleSharedLinks(r)...)
}

// ruleSharedLinks finds two zones on one interface: the firewall tells zones apart
// by interface.
func ruleSharedLinks(r *Router) hcl.Diagnostics {
	var diags hcl.Diagnostics
	zone := map[Link]*Zone{}
	for _, z := range r.Zones {
		for _, n := range z.Networks.Items {
			l := n.Target.Link.Target
			if l == nil {
				continue
			}
			if before := zone[l]; before != nil && before != z && !slices.Contains(before.Networks.All(), n.Target) {
				diags = append(diags, diag.With(diag.Error("link-in-two-zones", n.Range, "One link in two zones",
					"%s is on %s, which %s already has: what arrives on one interface belongs to one zone.", n.Addr, l.Head().Addr, before.Addr),
					before.Networks.Range, "%s", before.Addr.String()))
				continue
			}
			zone[l] = z
		}
	}
	return diags
}

func ruleZoneless(r *Router) hcl.Diagnostics {
	var diags hcl.Diagnostics
	for _, n := range r.Networks {
		if r.ZoneOf(n) == nil {
			diags = append(diags, diag.Warning("network-without-zone", n.Def, "Network in no zone",
				"The firewall drops everything that comes from %s or goes there. Put it into a zone.", n.Addr))
		}
	}
	return diags
}

// ruleShadowed finds policies that can never match because an earlier one takes
// every packet first. It says so only where it can prove it.
func ruleShadowed(r *Router) hcl.Diagnostics {
	var diags hcl.Diagnostics
	type pair struct{ from, to *Zone }
	taken := map[pair]*Policy{} // by a policy without further conditions
	for _, p := range r.Policies {
		if p.Bad {
			continue
		}
		var by *Policy
		all := true
		for _, f := range p.From.All() {
			for _, t := range p.To.All() {
				before := taken[pair{f, t}]
				if before == nil {
					all = false
					if !p.Narrow() {
						taken[pair{f, t}] = p
					}
				} else if by == nil {
					by = before
				}
			}
		}
		if all && by != nil {
			diags = append(diags, diag.With(diag.Error("unreachable-policy", p.Def, "Policy never used",
				"%s decides about every packet before %s sees it. Put the narrower one first.", by.Addr, p.Addr), by.Def, "%s", by.Addr.String()))
		}
	}
	return diags
}

func ruleMasquerade(r *Router) hcl.Diagnostics {
	var diags hcl.Diagnostics
	for _, p := range r.Policies {
		if !p.Masquerade.V || p.Bad {
			continue
		}
		if p.Action.V != "accept" {
			diags = append(diags, diag.Error("masquerade-without-upstream", p.Masquerade.Range, "Masquerade of nothing",
				"%s lets nothing pass, so there is nothing to masquerade.", p.Addr))
			continue
		}
		for _, z := range p.To.Items {
			if !z.Target.Bad && !slices.ContainsFunc(z.Target.Networks.All(), func(n *Network) bool { return n.IPv4.Set || n.Bad }) {
				diags = append(diags, diag.Error("masquerade-without-upstream", p.Masquerade.Range, "Masquerade without an address",
					"%s has no network with an IPv4 address that packets could be given.", z.Addr))
			}
		}
	}
	return diags
}

func ruleForwards(r *Router) hcl.Diagnostics {
	var diags hcl.Diagnostics
	for i, f := range r.PortForwards {
		if f.Bad {
			continue
		}
		for _, g := range r.PortForwards[:i] {
			if !g.Bad && f.From.Target == g.From.Target && f.Protocol.V == g.Protocol.V && f.Port.V.Overlaps(g.Port.V) {
				diags = append(diags, clash("forward-clash", "Port forwarded twice", By{g.Addr, g.Port.Range}, By{f.Addr, f.Port.Range},
					"%s already forwards %s/%s from %s.", g.Addr, g.Protocol.V, g.Port.V, g.From.Addr))
			}
		}
		if f.ToPort.Set && f.Port.V.First != f.Port.V.Last {
			diags = append(diags, diag.Error("forward-clash", f.ToPort.Range, "A range to one port",
				"%s forwards several ports; to_port would lead all of them to the same one. Leave it out.", f.Addr))
		}
	}
	return diags
}

func ruleForwardTargets(r *Router) hcl.Diagnostics {
	var diags hcl.Diagnostics
	for _, f := range r.PortForwards {
		if !f.To.Set {
			continue
		}
		n := r.NetworkAt(f.To.V.Addr)
		switch {
		case !f.To.V.Is4():
			diags = append(diags, diag.Error("forward-outside", f.To.Range, "Not an IPv4 address",
				"IPv6 needs no port forwards: allow the connections with a policy."))
		case n == nil && !r.sure():
		case n == nil:
			diags = append(diags, diag.Error("forward-outside", f.To.Range, "Host out of reach", "%s is in no network of the router.", f.To.V))
		case n.IPv4.V.Prefix.Addr() == f.To.V.Addr:
			diags = append(diags, diag.Error("forward-outside", f.To.Range, "Host is the router itself",
				"To open a service of the router, put its name into the zone's allow."))
		}
	}
	return diags
}

func ruleListens(r *Router) hcl.Diagnostics {
	var diags hcl.Diagnostics
	type socket struct {
		proto string
		port  int
	}
	by := map[socket][]*Listen{}
	for _, l := range r.Claims.Listens {
		k := socket{l.Protocol, l.Port}
		for _, o := range by[k] {
			if o.Addr != l.Addr && sameNetwork(o, l) {
				diags = append(diags, clash("listen-clash", "Socket taken", o.By, l.By,
					"%s already listens on %s/%d. Give one of them another port, or other networks.", o.Addr, l.Protocol, l.Port))
				break
			}
		}
		by[k] = append(by[k], l)
	}
	return diags
}

func sameNetwork(a, b *Listen) bool {
	return len(a.Networks) == 0 || len(b.Networks) == 0 || slices.ContainsFunc(a.Networks, b.Serves)
}

func ruleAllowed(r *Router) hcl.Diagnostics {
	var diags hcl.Diagnostics
	var names []string
	for _, l := range r.Claims.Listens {
		if !slices.Contains(names, l.Service) {
			names = append(names, l.Service)
		}
	}
	slices.Sort(names)
	for _, z := range r.Zones {
		for _, a := range z.Allow.Items {
			switch {
			case !slices.Contains(names, string(a.V)):
				hint := diag.Suggest(string(a.V), names)
				if hint == "" {
					hint = fmt.Sprintf(" This router has %s.", diag.List(names))
				}
				diags = append(diags, diag.Error("nothing-listens", a.Range, "No such service", "Nothing on this router is called %q.%s", a.V, hint))
			case !r.listens(string(a.V), z):
				diags = append(diags, diag.Error("nothing-listens", a.Range, "Service not offered there",
					"The router has %s, but not for a network of %s. Add the network to the service, or take the name out of allow.", a.V, z.Addr))
			}
		}
	}
	return diags
}

func (r *Router) listens(service string, z *Zone) bool {
	return slices.ContainsFunc(r.Claims.Listens, func(l *Listen) bool {
		return l.Service == service && slices.ContainsFunc(z.Networks.All(), l.Serves)
	})
}

// ruleServed finds services that are meant for a network and cannot be reached
// from it.
func ruleServed(r *Router) hcl.Diagnostics {
	var diags hcl.Diagnostics
	type key struct {
		service string
		addr    conf.Addr
		z       *Zone
	}
	said := map[key]bool{}
	for _, l := range r.Claims.Listens {
		for _, n := range l.Networks {
			z := r.ZoneOf(n)
			if z == nil || slices.Contains(z.Allow.All(), ServiceName(l.Service)) || said[key{l.Service, l.Addr, z}] {
				continue
			}
			said[key{l.Service, l.Addr, z}] = true
			diags = append(diags, diag.With(diag.Error("not-allowed", l.From, "Service that nobody may use",
				"%s is for %s, and %s does not allow %q: the firewall drops every question. Add it to allow.", l.Addr, n.Addr, z.Addr, l.Service),
				z.Def, "%s", z.Addr.String()))
		}
	}
	return diags
}

func ruleSysctls(r *Router) hcl.Diagnostics {
	var diags hcl.Diagnostics
	first := map[string]*Sysctl{}
	for _, s := range r.Claims.Sysctls {
		if before := first[s.Key]; before != nil && before.Value != s.Value {
			diags = append(diags, clash("sysctl-clash", "Kernel parameter wanted twice", before.By, s.By,
				"%s wants %s = %s, and %s wants %s.", s.Addr, s.Key, s.Value, before.Addr, before.Value))
			continue
		}
		first[s.Key] = s
	}
	return diags
}

func ruleSecrets(r *Router) hcl.Diagnostics {
	var diags hcl.Diagnostics
	for _, s := range r.Secrets {
		if s.Bad {
			continue
		}
		if s.File.Set && s.Source.V != SourceFile {
			diags = append(diags, r.encrypted(s)...)
		}
		switch {
		case s.Source.V == SourceFile && !s.Path.Set:
			diags = append(diags, diag.Error("secret-without-path", s.Def, "Secret without a path",
				"Say where the file is on the router: path = \"/run/secrets/%s\".", s.Name.V))
		case s.Source.V == SourceFile && s.File.Set:
			diags = append(diags, diag.Error("secret-without-path", s.File.Range, "File of a secret that you place yourself",
				"With source = \"file\" nbr copies nothing to the router. Use source = \"sops\" or \"agenix\" for an encrypted file in the spec's folder."))
		case s.Source.V != SourceFile && !s.File.Set:
			diags = append(diags, diag.Error("secret-without-path", s.Def, "Secret without a file",
				"%s needs file = the encrypted file in the spec's folder.", s.Source.V))
		case s.Source.V != SourceFile && s.Path.Set:
			diags = append(diags, diag.Error("secret-without-path", s.Path.Range, "Path of a secret that has its own place",
				"%s puts it at %s. Remove path.", s.Source.V, s.Location()))
		}
	}
	return diags
}

// encrypted tells whether a secret's file may be copied into the tree, which ends
// in git and in the Nix store.
func (r *Router) encrypted(s *Secret) hcl.Diagnostics {
	b, err := fs.ReadFile(r.FS, string(s.File.V))
	if err != nil {
		return one(diag.Error("no-such-file", s.File.Range, "No such file", "%s cannot be read: %s.", s.File.V, reason(err)))
	}
	ok := bytes.Contains(b, []byte("ENC[AES256_GCM,"))
	if s.Source.V == SourceAgenix {
		ok = bytes.HasPrefix(b, []byte("age-encryption.org/v1")) || bytes.HasPrefix(b, []byte("-----BEGIN AGE ENCRYPTED FILE-----"))
	}
	if ok {
		return nil
	}
	return one(diag.Error("secret-not-encrypted", s.File.Range, "Secret is not encrypted",
		"%s is not encrypted by %s. The file would be copied into the tree and from there into the Nix store, which everyone can read.", s.File.V, s.Source.V))
}

// reason is an error without the path that the message names already.
func reason(err error) error {
	var pe *fs.PathError
	if errors.As(err, &pe) {
		return pe.Err
	}
	return err
}

func ruleImports(r *Router) hcl.Diagnostics {
	var diags hcl.Diagnostics
	for _, f := range r.Import.Items {
		if _, err := fs.Stat(r.FS, string(f.V)); err != nil {
			diags = append(diags, diag.Error("no-such-file", f.Range, "No such file", "%s cannot be read: %s.", f.V, reason(err)))
		}
	}
	return diags
}

// ruleLockOut wants one zone from which somebody can log in.
func ruleLockOut(r *Router) hcl.Diagnostics {
	if r.ConsoleOnly.V {
		return nil
	}
	way := slices.ContainsFunc(r.Zones, func(z *Zone) bool {
		return slices.Contains(z.Allow.All(), "ssh") && r.listens("ssh", z)
	})
	if !way {
		return one(diag.Error("lock-out", r.Def, "You would be locked out",
			"No zone allows ssh, so the router could be reached over its serial console only. Add \"ssh\" to the allow of your own zone and an ssh block for its networks, or say console_only = true."))
	}
	if len(r.Claims.Logins) == 0 {
		return one(diag.Error("lock-out", r.Def, "You would be locked out",
			"Nobody can log in over ssh: no user has authorized_keys. Add a user block, or say console_only = true."))
	}
	return nil
}
