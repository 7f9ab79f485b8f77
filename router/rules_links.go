package router

import (
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"

	"github.com/nbr-dev/nbr/hcl/diag"
)

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
			return one(diag.Error("link-loop", loop[0].Head().Def, "Link on top of itself",
				"%s needs itself, through %s.", loop[0].Head().Addr, strings.Join(path, " and ")))
		}
	}
	return nil
}

// findLoop are the links of a loop that can be reached from l; path leads there.
func findLoop(l Link, path []Link, on, done map[Link]bool) []Link {
	if done[l] {
		return nil
	}
	path, on[l] = append(path, l), true
	for _, b := range below(l) {
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
