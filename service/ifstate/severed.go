package ifstate

import (
	"fmt"
	"maps"
	"slices"

	"github.com/hashicorp/hcl/v2"
	"github.com/zclconf/go-cty/cty"

	"github.com/nbr-dev/nbr/hcl/conf"
	"github.com/nbr-dev/nbr/hcl/diag"
	"github.com/nbr-dev/nbr/router"
)

// claimSevered claims that networks cannot be used whose addresses or links extra takes
// away: it wins over what the spec says otherwise.
func (b *Interfaces) claimSevered(s *router.Scope) {
	if !b.Extra.Set {
		return
	}
	for _, n := range s.Networks {
		if why := b.severs(n); why != "" {
			router.Claim(s, b.Extra.Range, router.Severed{Network: n, Why: fmt.Sprintf("the extra of %s %s", b.Addr, why)})
		}
	}
}

// severs is how extra makes a network useless, or empty.
func (b *Interfaces) severs(n *router.Network) string {
	if down := b.down(n.Link.Target, map[router.Link]bool{}); down != "" {
		return fmt.Sprintf("sets %s down", down)
	}
	list, ok := attribute(b.Extra.V.Value, "interfaces", string(n.Device()), "addresses")
	if !ok {
		return ""
	}
	fixed, later := n.Split()
	var left []string
	if t := list.Type(); !list.IsNull() && (t.IsTupleType() || t.IsListType()) {
		for _, e := range list.AsValueSlice() {
			if in, ok := attribute(e, "address"); ok {
				e = in
			}
			if e.Type() == cty.String && !e.IsNull() {
				left = append(left, e.AsString())
			}
		}
	}
	for _, p := range fixed {
		if slices.Contains(left, p.String()) {
			return ""
		}
	}
	if len(later) > 0 {
		return ""
	}
	return fmt.Sprintf("gives %s other addresses", n.Device())
}

// down is the interface that extra sets down, of those that a link needs, or empty. A bridge
// needs one of its ports.
func (b *Interfaces) down(l router.Link, seen map[router.Link]bool) router.IfName {
	if seen[l] {
		return "" // a loop, which is told
	}
	seen[l] = true
	if state, ok := attribute(b.Extra.V.Value, "interfaces", string(l.LinkName()), "link", "state"); ok && (state.IsNull() || state.Type() != cty.String || state.AsString() != "up") {
		return l.LinkName()
	}
	spec := l.Spec()
	for _, below := range []conf.Ref[router.Link]{spec.On, spec.Via} {
		if below.Set {
			return b.down(below.Target, seen)
		}
	}
	var down router.IfName
	for _, p := range spec.Ports.All() {
		if down = b.down(p, seen); down == "" {
			return ""
		}
	}
	return down
}

// judgeExtra refuses links of interfaces that nbr does not write, as after a rename, if extra does not say of
// what kind they are: IfState takes no link without one (libifstate's schema), and then configures nothing.
func (b *Interfaces) judgeExtra(r *router.Router) hcl.Diagnostics {
	of, ok := attribute(b.Extra.V.Value, "interfaces")
	if !b.Extra.Set || !ok || of.IsNull() || !of.Type().IsObjectType() && !of.Type().IsMapType() {
		return nil
	}
	var diags hcl.Diagnostics
	all := of.AsValueMap()
	for _, name := range slices.Sorted(maps.Keys(all)) {
		own := slices.ContainsFunc(r.Links(), func(l router.Link) bool { return string(l.LinkName()) == name && !l.Spec().External })
		if own || !attributed(all[name], "link") || attributed(all[name], "link", "kind") {
			continue
		}
		diags = append(diags, diag.Absent(diag.Help(diag.Error("extra-without-kind", b.Extra.Range, "Link without a kind",
			"%q is no interface of the spec, and IfState refuses its whole configuration for a link of which it does not know the kind.", name),
			"Write the name of an interface of the spec, or its kind, as in %s = { link = { kind = \"physical\" } }.", name), diag.AnyBlock))
	}
	return diags
}

// attributed tells whether an object has something at a path.
func attributed(v cty.Value, path ...string) bool {
	_, ok := attribute(v, path...)
	return ok
}

// attribute is what an object has at a path; false if it has nothing there. What is null on
// the way takes everything away that would be in it.
func attribute(v cty.Value, path ...string) (cty.Value, bool) {
	for _, name := range path {
		t := v.Type()
		if v.IsNull() || !t.IsObjectType() && !t.IsMapType() {
			return v, true
		}
		in, ok := v.AsValueMap()[name]
		if !ok {
			return cty.NilVal, false
		}
		v = in
	}
	return v, true
}
