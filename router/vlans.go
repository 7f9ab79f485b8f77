package router

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/nbr-dev/nbr/hcl/conf"
	"github.com/nbr-dev/nbr/hcl/diag"
)

// PortVLANs are ports of a bridge and the VLANs that they are in.
type PortVLANs struct {
	conf.Header
	Name     conf.Value[Name]     `hcl:"name,label"`
	Ports    conf.Refs[Link]      `hcl:"ports,required" empty:"the block is about no port. Name some, or remove it." doc:"Ports and other links that the bridge joins."`
	Untagged conf.List[VLANID]    `hcl:"untagged,optional" doc:"VLANs whose frames leave the ports without a tag, as for hosts that know of no VLANs. What arrives without a tag is in it; where there are several, pvid says in which. Without any such frames are dropped."`
	PVID     conf.Value[VLANID]   `hcl:"pvid,optional" doc:"The one of several untagged VLANs that frames without a tag are in when they arrive."`
	Tagged   conf.List[VLANRange] `hcl:"tagged,optional" doc:"VLANs whose frames have a tag at the ports, as for switches: numbers, and ranges as in \"20-29\"."`
}

// A BridgeVLAN is a VLAN that a port of a bridge is in, or the bridge itself (bridge(8), vlan).
type BridgeVLAN struct {
	ID             VLANID
	PVID, Untagged bool
}

// VLANAware tells whether the bridge keeps VLANs apart (vlan_filtering of ip-link(8)). Without
// it a bridge passes frames on with whatever tags they have.
func (b *BridgeSpec) VLANAware() bool { return b != nil && len(b.VLANs) > 0 }

// ports are all links that the bridge joins.
func (b *Bridge) ports() conf.Refs[Link] {
	out := b.Ports
	out.Items = slices.Clone(out.Items)
	for _, v := range b.VLANs {
		out.Items = append(out.Items, v.Ports.Items...)
		out.Range = cmp.Or(out.Range, v.Ports.Range)
	}
	return out
}

// ingress is the VLAN of frames without a tag, 0 if they are dropped.
func (v *PortVLANs) ingress() VLANID {
	if !v.PVID.Set && len(v.Untagged.Items) > 0 {
		return v.Untagged.Items[0].V
	}
	return v.PVID.V
}

// vlans are all of them, sorted.
func (v *PortVLANs) vlans() []BridgeVLAN {
	out := []BridgeVLAN{}
	for _, id := range v.Untagged.All() {
		out = append(out, BridgeVLAN{ID: id, Untagged: true, PVID: id == v.ingress()})
	}
	for _, r := range v.Tagged.All() {
		for id := r.First; id <= r.Last; id++ {
			out = append(out, BridgeVLAN{ID: id})
		}
	}
	return sorted(out)
}

func sorted(vlans []BridgeVLAN) []BridgeVLAN {
	slices.SortFunc(vlans, func(a, b BridgeVLAN) int { return int(a.ID - b.ID) })
	return vlans
}

// carries tells whether the ports are in a VLAN.
func (v *PortVLANs) carries(id VLANID) bool {
	return slices.Contains(v.Untagged.All(), id) || slices.ContainsFunc(v.Tagged.All(), func(r VLANRange) bool { return r.contains(id) })
}

// VLANsOf is the block about a port of a bridge that keeps VLANs apart, or nil.
func (b *BridgeSpec) VLANsOf(port Link) *PortVLANs {
	if b == nil {
		return nil
	}
	for _, v := range b.VLANs {
		if slices.Contains(v.Ports.All(), port) {
			return v
		}
	}
	return nil
}

// with are the ports of the bridge that are in a VLAN.
func (b *BridgeSpec) with(id VLANID) []Link {
	var out []Link
	for _, v := range b.VLANs {
		if v.carries(id) {
			out = append(out, v.Ports.All()...)
		}
	}
	return out
}

// BridgeVLANs are the VLANs that a link is in, sorted: as a port of a bridge that keeps them
// apart, or as such a bridge, whose own are those of the vlan blocks on it and its pvid. It is
// nil for other links.
func (r *Router) BridgeVLANs(l Link) []BridgeVLAN {
	if b := l.Spec().Bridge; b.VLANAware() {
		out := []BridgeVLAN{}
		for _, v := range r.VLANsOn(l) {
			out = append(out, BridgeVLAN{ID: v.ID.V})
		}
		if b.PVID.Set {
			out = append(out, BridgeVLAN{ID: b.PVID.V, PVID: true, Untagged: true})
		}
		return sorted(out)
	}
	if v := r.PortVLANsOf(l); v != nil {
		return v.vlans()
	}
	return nil
}

// PortVLANsOf is the block that says in which VLANs of its bridge a link is, or nil.
func (r *Router) PortVLANsOf(l Link) *PortVLANs {
	if m := r.MasterOf(l); m != nil {
		return m.Spec().Bridge.VLANsOf(l)
	}
	return nil
}

// A VLANLink is a link with the frames of a VLAN.
type VLANLink struct {
	Link
	*VLANSpec
}

// VLANsOn are the VLANs on a link, in the order of the spec.
func (r *Router) VLANsOn(l Link) []VLANLink {
	var out []VLANLink
	for _, on := range r.Made {
		if s := on.Spec(); s.VLAN != nil && s.On.Target == l {
			out = append(out, VLANLink{on, s.VLAN})
		}
	}
	return out
}

// VLANNumbers are VLANs as text, in ranges: 1, 20-29. It is none if there are none.
func VLANNumbers(ids []VLANID) string {
	var parts []string
	for i := 0; i < len(ids); {
		z := i
		for z+1 < len(ids) && ids[z+1] == ids[z]+1 {
			z++
		}
		parts = append(parts, VLANRange{ids[i], ids[z]}.String())
		i = z + 1
	}
	if len(parts) == 0 {
		return "none"
	}
	return strings.Join(parts, ", ")
}

// VLANRange is one VLAN identifier or several that follow each other.
type VLANRange struct{ First, Last VLANID }

// UnmarshalText wants an identifier, or two with a hyphen between them.
func (r *VLANRange) UnmarshalText(b []byte) error {
	first, last, many := strings.Cut(string(b), "-")
	if !many {
		return errors.Join(r.First.UnmarshalText(b), r.Last.UnmarshalText(b))
	}
	if r.First.UnmarshalText([]byte(first)) != nil || r.Last.UnmarshalText([]byte(last)) != nil {
		return diag.Advise(fmt.Errorf("%q is no range of VLANs", b), "write two of 1 to 4094, as in \"20-29\"")
	}
	if r.First > r.Last {
		return fmt.Errorf("%q begins after it ends", b)
	}
	return nil
}

func (r VLANRange) String() string {
	if r.First == r.Last {
		return strconv.Itoa(int(r.First))
	}
	return fmt.Sprintf("%d-%d", r.First, r.Last)
}

func (r VLANRange) contains(id VLANID) bool { return r.First <= id && id <= r.Last }

// Describe is what the type is in the schema.
func (VLANRange) Describe() string { return "VLAN identifier or range of them" }
