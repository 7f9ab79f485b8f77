package ifstate

import (
	"cmp"
	"slices"

	"github.com/hashicorp/hcl/v2"

	"github.com/nbr-dev/nbr/hcl/diag"
	"github.com/nbr-dev/nbr/nixgen"
	"github.com/nbr-dev/nbr/router"
	"github.com/nbr-dev/nbr/service"
	"github.com/nbr-dev/nbr/verify"
	"github.com/nbr-dev/nbr/verify/state"
)

// firstWithVLANs is the first release whose IfState makes VLANs of bridges (brvlan, since 2.3;
// 25.11 has 2.2 and 26.05 has 2.4). One that does not know them refuses its whole configuration.
const firstWithVLANs router.Release = "26.05"

// tooOld finds bridges that the release's IfState cannot make.
func tooOld(r *router.Router) hcl.Diagnostics {
	if r.Release.V >= firstWithVLANs { // YY.MM sorts as text
		return nil
	}
	var diags hcl.Diagnostics
	for _, l := range r.Made {
		if b := l.Spec().Bridge; b.VLANAware() {
			diags = append(diags, diag.With(diag.Help(diag.Error("release-lacks", b.VLANs[0].Def, "Not in this release",
				"IfState makes VLANs of bridges since its version 2.3, and NixOS %s has an older one.", r.Release.V),
				"Write release = %q into the router block, or leave it to nbr.", firstWithVLANs), r.ReleaseAt(), "the release"))
		}
	}
	return diags
}

// brvlan are the VLANs of a port of a bridge or of a bridge itself, which IfState tells apart by
// self.
func brvlan(r *router.Router, l router.Link) nixgen.Attrs {
	self := l.Spec().Bridge != nil
	var from nixgen.Origin
	if v := r.PortVLANsOf(l); v != nil {
		from = service.Origin(v.Addr, v.Def)
	}
	list := nixgen.List{}
	for _, v := range r.BridgeVLANs(l) {
		entry := nixgen.Attrs{}
		for _, flag := range []struct {
			name string
			on   bool
		}{{"pvid", v.PVID}, {"self", self}, {"untagged", v.Untagged}} {
			if flag.on {
				entry = append(entry, nixgen.Bind(nixgen.Bool(true), flag.name))
			}
		}
		list = append(list, append(entry, nixgen.Bind(nixgen.Int(v.ID), "vid")))
	}
	if len(list) == 0 {
		return nil // nothing is in a VLAN by itself: the default PVID is 0
	}
	return nixgen.Attrs{nixgen.Bind(nixgen.At{From: from, Expr: list}, "brvlan")}
}

// vlans adds the checks of the VLANs of a bridge: those of each port, by the lines that say
// them, and those that the router itself is in.
func vlans(r *router.Router, p *verify.Plan, l router.Link) {
	spec, head := l.Spec(), l.Head()
	b := spec.Bridge
	const hint = "bridge vlan show"
	add := func(id, title string, from hcl.Range, of router.Link, want string, get func([]state.BridgeVLAN) string) {
		name := string(of.LinkName())
		p.Add(verify.Check{ID: id, Title: title + " " + name, From: from, Eval: func(st *state.State) verify.Verdict {
			l, ok := st.Links[name]
			switch {
			case st.Links == nil:
				return verify.NotSeen(want, hint)
			case !ok:
				return verify.Missing(want, hint)
			case l.VLANs == nil && (l.Kind == "bridge" || l.Port != nil): // recorded by an earlier nbr
				return verify.NotSeen(want, hint)
			}
			return verify.Compare(want, get(l.VLANs), hint)
		}})
	}
	numbers := func(in []router.BridgeVLAN, which func(router.BridgeVLAN) bool) string {
		var ids []router.VLANID
		for _, v := range in {
			if which(v) {
				ids = append(ids, v.ID)
			}
		}
		return router.VLANNumbers(ids)
	}
	tagged := func(v router.BridgeVLAN) bool { return !v.Untagged }
	untagged := func(v router.BridgeVLAN) bool { return v.Untagged }
	ingress := func(v router.BridgeVLAN) bool { return v.PVID }
	check := func(id, title string, from hcl.Range, of router.Link, which func(router.BridgeVLAN) bool) {
		add(id, title, from, of, numbers(r.BridgeVLANs(of), which), func(seen []state.BridgeVLAN) string { return numbers(each(seen), which) })
	}
	for _, port := range spec.Ports.Items {
		v := b.VLANsOf(port.Target)
		id := head.Addr.String() + "/port/" + string(port.Target.LinkName())
		check(id+"/tagged", "VLANs with a tag at", cmp.Or(v.Tagged.Range, v.Def), port.Target, tagged)
		check(id+"/untagged", "VLANs without a tag at", cmp.Or(v.Untagged.Range, v.Def), port.Target, untagged)
		check(id+"/pvid", "VLAN of frames without a tag at", cmp.Or(v.PVID.Range, v.Untagged.Range, v.Def), port.Target, ingress)
	}
	for _, v := range r.VLANsOn(l) {
		add(v.Head().Addr.String()+"/bridge", "VLAN of", v.ID.Range, l, "with a tag", func(seen []state.BridgeVLAN) string {
			all := each(seen)
			i := slices.IndexFunc(all, func(s router.BridgeVLAN) bool { return s.ID == v.ID.V })
			switch {
			case i < 0:
				return "not there"
			case all[i].Untagged:
				return "without a tag"
			}
			return "with a tag"
		})
	}
	check(head.Addr.String()+"/pvid", "VLAN without a tag of", cmp.Or(b.PVID.Range, head.Def), l, ingress)
	own := r.BridgeVLANs(l)
	add(head.Addr.String()+"/vlans", "other VLANs of", head.Def, l, "none", func(seen []state.BridgeVLAN) string {
		return numbers(each(seen), func(v router.BridgeVLAN) bool {
			return !slices.ContainsFunc(own, func(o router.BridgeVLAN) bool { return o.ID == v.ID })
		})
	})
}

// each are VLANs as they were seen, one by one and sorted.
func each(seen []state.BridgeVLAN) []router.BridgeVLAN {
	var out []router.BridgeVLAN
	for _, v := range seen {
		for id := max(v.First, 0); id <= max(v.First, min(v.Last, 4095)); id++ {
			out = append(out, router.BridgeVLAN{ID: router.VLANID(id), PVID: v.PVID, Untagged: v.Untagged})
		}
	}
	slices.SortFunc(out, func(a, b router.BridgeVLAN) int { return cmp.Compare(a.ID, b.ID) })
	return out
}
