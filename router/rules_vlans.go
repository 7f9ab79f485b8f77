package router

import (
	"slices"

	"github.com/hashicorp/hcl/v2"

	"github.com/nbr-dev/nbr/hcl/conf"
	"github.com/nbr-dev/nbr/hcl/diag"
)

// An awareBridge is a bridge that keeps VLANs apart.
type awareBridge struct {
	conf.Header
	*BridgeSpec
	link Link
}

// aware are all of them.
func (r *Router) aware() []awareBridge {
	var out []awareBridge
	for _, l := range r.Made {
		if b := l.Spec().Bridge; b.VLANAware() {
			out = append(out, awareBridge{*l.Head(), b, l})
		}
	}
	return out
}

// ruleBridgeVLANs wants each port of a bridge that keeps VLANs apart in one vlans block, with
// each VLAN once.
func ruleBridgeVLANs(r *Router) hcl.Diagnostics {
	var diags hcl.Diagnostics
	for _, b := range r.aware() {
		if b.Ports.Set {
			diags = append(diags, diag.With(diag.Help(diag.Error("bridge-vlans", b.Ports.Range, "Ports in no VLAN",
				"%s keeps VLANs apart, and it is not said in which VLANs these ports are.", b.Addr),
				"Write them into vlans blocks, and remove ports."), b.VLANs[0].Def, "%s", b.VLANs[0].Addr.String()))
		}
		for _, v := range r.VLANsOn(b.link) {
			if v.Protocol.V != CTag {
				diags = append(diags, diag.With(diag.Help(diag.Error("bridge-vlans", v.Protocol.Range, "Tags that the bridge does not know",
					"%s keeps VLANs apart by tags of %s, and a frame with one of %s is in none of them.", b.Addr, CTag, v.Protocol.V),
					"Write protocol = %q.", CTag), b.VLANs[0].Def, "%s", b.VLANs[0].Addr.String()))
			}
		}
		for i, v := range b.VLANs {
			for _, p := range v.Ports.Items {
				if p.Target.Spec().External {
					diags = append(diags, diag.With(diag.Help(diag.Error("bridge-vlans", p.Range, "VLANs of a port that another program makes",
						"Another program makes %s, and nbr does not touch it: it would be in no VLAN.", p.Addr),
						"Put it into a bridge of its own, without vlans blocks."), p.Target.Head().Def, "%s", p.Addr.String()))
				}
				if j := slices.IndexFunc(b.VLANs[:i], func(o *PortVLANs) bool { return slices.Contains(o.Ports.All(), p.Target) }); j >= 0 {
					diags = append(diags, diag.With(diag.Help(diag.Error("bridge-vlans", p.Range, "VLANs of a port twice",
						"%s says already in which VLANs %s is.", b.VLANs[j].Addr, p.Addr),
						"Write all VLANs of a port into one block."), b.VLANs[j].Ports.Range, "%s", b.VLANs[j].Addr.String()))
				}
			}
			diags = append(diags, v.once()...)
		}
	}
	return diags
}

// once wants VLANs, and each of them once.
func (v *PortVLANs) once() hcl.Diagnostics {
	if len(v.Untagged.Items)+len(v.Tagged.Items) == 0 {
		return one(diag.Help(diag.Error("bridge-vlans", v.Def, "No VLANs",
			"%s names no VLAN, so no frame gets through its ports.", v.Addr),
			"Write untagged = [ID] for hosts that know of no VLANs, and tagged = [ID, …] for a switch."))
	}
	var diags hcl.Diagnostics
	type entry struct {
		VLANRange
		at hcl.Range
	}
	var all []entry
	for _, u := range v.Untagged.Items {
		all = append(all, entry{VLANRange{u.V, u.V}, u.Range})
	}
	for _, t := range v.Tagged.Items {
		all = append(all, entry{t.V, t.Range})
	}
	for i, e := range all {
		if j := slices.IndexFunc(all[:i], func(o entry) bool { return o.First <= e.Last && e.First <= o.Last }); j >= 0 {
			diags = append(diags, diag.With(diag.Help(diag.Error("bridge-vlans", e.at, "VLAN of a port twice",
				"The ports of %s are in VLAN %d already, and and a frame leaves with a tag or without one.", v.Addr, max(e.First, all[j].First)),
				"Remove it here, or there."), all[j].at, "the first time"))
		}
	}
	return diags
}

// ruleBridgePVIDs wants to know where frames without a tag belong, at ports and at the bridge
// itself.
func ruleBridgePVIDs(r *Router) hcl.Diagnostics {
	var diags hcl.Diagnostics
	for _, l := range r.Made {
		if b := l.Spec().Bridge; b != nil && !b.VLANAware() && b.PVID.Set {
			diags = append(diags, diag.Help(diag.Error("bridge-pvid", b.PVID.Range, "VLAN of a bridge that knows of none",
				"%s has no vlans block, so it looks at no tags.", l.Head().Addr),
				"Remove pvid, or say in vlans blocks in which VLANs its ports are."))
		}
	}
	for _, b := range r.aware() {
		for _, v := range b.VLANs {
			switch {
			case v.PVID.Set && !slices.Contains(v.Untagged.All(), v.PVID.V):
				d := diag.Help(diag.Error("bridge-pvid", v.PVID.Range, "PVID that is not there",
					"Frames without a tag would get into VLAN %d, and none of it leaves without one: it is not in untagged.", v.PVID.V),
					"Write untagged = [%d], or another pvid.", v.PVID.V)
				if v.Untagged.Set {
					diag.With(d, v.Untagged.Range, "the untagged VLANs")
				}
				diags = append(diags, d)
			case !v.PVID.Set && len(v.Untagged.Items) > 1:
				diags = append(diags, diag.Help(diag.Error("bridge-pvid", v.Untagged.Range, "Several untagged VLANs",
					"It is not said in which of them a frame is that arrives at the ports of %s without a tag.", v.Addr),
					"Write pvid = %d, or another of them.", v.Untagged.Items[0].V))
			}
		}
		for _, n := range r.On(b.link) {
			if !b.PVID.Set {
				diags = append(diags, diag.With(diag.Help(diag.Error("bridge-pvid", n.Link.Range, "Network in no VLAN",
					"%s keeps VLANs apart, and %s is on the bridge itself, which is in none without a tag.", b.Addr, n.Addr),
					"Put a vlan block on the bridge, and the network on that; or write pvid into the bridge."), b.VLANs[0].Def, "%s", b.VLANs[0].Addr.String()))
			}
		}
		for _, v := range r.VLANsOn(b.link) {
			if b.PVID.Set && v.ID.V == b.PVID.V {
				diags = append(diags, diag.With(diag.Help(diag.Error("bridge-pvid", v.ID.Range, "VLAN without tags",
					"VLAN %d is the one that %s itself gets without a tag, so nothing would arrive on %s.", v.ID.V, b.Addr, v.Head().Addr),
					"Remove pvid, and put the networks of the VLAN on %s.", v.Head().Addr), b.PVID.Range, "the pvid of the bridge"))
			}
		}
	}
	return diags
}

// ruleVLANEnds finds VLANs that the router is in and no port of the bridge, or one port and
// nothing else. A trunk to a switch may have more than is in use.
func ruleVLANEnds(r *Router) hcl.Diagnostics {
	var diags hcl.Diagnostics
	for _, b := range r.aware() {
		own := func(id VLANID, at hcl.Range) {
			if len(b.with(id)) == 0 {
				diags = append(diags, diag.With(diag.Help(diag.Warning("vlan-leads-nowhere", at, "VLAN without ports",
					"No port of %s is in VLAN %d, so no host is behind it.", b.Addr, id),
					"Write it into a vlans block of the bridge, or another identifier here."), b.Def, "%s", b.Addr.String()))
			}
		}
		for _, v := range r.VLANsOn(b.link) {
			own(v.ID.V, v.ID.Range)
		}
		if b.PVID.Set {
			own(b.PVID.V, b.PVID.Range)
		}
		self := r.BridgeVLANs(b.link)
		for _, v := range b.VLANs {
			for _, u := range v.Untagged.Items {
				if len(b.with(u.V)) == 1 && !slices.ContainsFunc(self, func(s BridgeVLAN) bool { return s.ID == u.V }) {
					diags = append(diags, diag.Help(diag.Warning("vlan-leads-nowhere", u.Range, "VLAN of a single port",
						"No other port of %s is in VLAN %d, nor is the router: what is behind the port can reach nothing.", b.Addr, u.V),
						"Put a vlan block with this id on the bridge, or another port into the VLAN."))
				}
			}
		}
	}
	return diags
}
