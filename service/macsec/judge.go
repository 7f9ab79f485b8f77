package macsec

import (
	"github.com/hashicorp/hcl/v2"

	"github.com/nbr-dev/nbr/hcl/conf"
	"github.com/nbr-dev/nbr/hcl/diag"
	"github.com/nbr-dev/nbr/router"
)

// Judge wants a cable of its own below, a bridge above, and tells of what is on the cable beside.
func (m *MACsec) Judge(r *router.Router) hcl.Diagnostics {
	diags := m.judgeLink(r)
	if len(diags) == 0 {
		diags = m.judgeTwice(r)
	}
	if len(diags) > 0 {
		return diags
	}
	return append(m.judgeAbove(r), m.judgeClear(r)...)
}

// judgeLink refuses a link below that frames of MKA do not pass, or that the kernel refuses.
func (m *MACsec) judgeLink(r *router.Router) hcl.Diagnostics {
	refuse := func(why string) hcl.Diagnostics {
		d := diag.Help(diag.Error("macsec-link", m.Link.Range, "Link that has no cable to one other device",
			"%s cannot be below %s: %s.", m.Link.Addr, m.Addr, why),
			"Write link = the port, the VLAN or the bond whose cable leads to the other device.")
		if at := m.Link.Target.Head().Def; at != (hcl.Range{}) {
			diag.With(d, at, "%s", m.Link.Addr.String())
		}
		return hcl.Diagnostics{d}
	}
	below := m.Link.Target.Spec()
	if master := r.MasterOf(m.Link.Target); master != nil && !master.Spec().VRF.Set {
		return hcl.Diagnostics{diag.With(diag.Help(diag.Error("macsec-link", m.Link.Range, "Link belongs to another one",
			"%s is a port of %s, which takes what arrives there, so the kernel refuses %s (macsec_newlink in drivers/net/macsec.c).", m.Link.Addr, master.Head().Addr, m.Addr),
			"Take it out of %s, and name %s there: what arrives is a port of it then when it is decrypted.", master.Head().Addr, m.Addr),
			master.Spec().Ports.Range, "%s", master.Head().Addr.String())}
	}
	switch {
	case below.VRF.Set:
		return refuse("it is a routing table with a name, and no link")
	case below.IPOnly:
		return refuse("its packets have no Ethernet frames")
	case below.Bridge != nil: // br_handle_frame in net/bridge/br_input.c: the group address of MKA is for the next device alone
		return refuse("frames of MKA are for the device at the other end of a cable, and a bridge passes none of them on")
	case below.Driven:
		return refuse("it is encrypted already")
	case below.Radio && !below.Cable:
		return refuse("it is Wi-Fi, which has an encryption of its own")
	}
	return nil
}

// judgeTwice refuses a second link on one cable: both would speak MKA there.
func (m *MACsec) judgeTwice(r *router.Router) hcl.Diagnostics {
	for _, l := range r.Made {
		other, ok := l.(*MACsec)
		switch {
		case other == m:
			return nil // of each pair the later one complains
		case ok && other.Link.Target == m.Link.Target:
			return hcl.Diagnostics{diag.With(diag.Help(diag.Error("macsec-twice", m.Link.Range, "Two MACsec links on one cable",
				"%s is on %s already, and the channels of both would have one identifier.", other.Addr, m.Link.Addr),
				"Remove one of the two, or put each on a VLAN of its own."), other.Link.Range, "%s", other.Addr.String())}
		}
	}
	return nil
}

// judgeAbove refuses networks and links on the link itself: wpa_supplicant sets it down while there is no other
// end (try_commit in src/drivers/driver_macsec_linux.c), and the kernel then forgets its routes and IPv6
// addresses, and lets what was for them go another way, in clear. A bridge above it keeps them.
func (m *MACsec) judgeAbove(r *router.Router) hcl.Diagnostics {
	var diags hcl.Diagnostics
	refuse := func(on conf.Ref[router.Link], what conf.Addr) {
		diags = append(diags, diag.With(diag.Help(diag.Error("macsec-above", on.Range, "Not a link that stays",
			"%s goes down whenever the other end is away, and the kernel then forgets the routes and the IPv6 addresses of %s: packets would take another way, in clear.", m.Addr, what),
			"Write bridge \"…\" { ports = [%s] }, and link = that bridge here.", m.Addr), m.Def, "%s", m.Addr.String()))
	}
	for _, n := range r.On(m) {
		refuse(n.Link, n.Addr)
	}
	for _, l := range r.Made {
		if s := l.Spec(); s.On.Set && s.On.Target == router.Link(m) && s.Kind != "macsec" {
			refuse(s.On, l.Head().Addr)
		}
	}
	switch master := r.MasterOf(m); {
	case len(diags) > 0:
	case master == nil:
		diags = append(diags, diag.Absent(diag.Help(diag.Warning("macsec-idle", m.Def, "Link that nothing goes over",
			"%s is no port of a bridge, so nothing is encrypted.", m.Addr),
			"Write bridge \"…\" { ports = [%s] } and a network on the bridge, or remove %s.", m.Addr, m.Addr), "bridge", "vlans"))
	case master.Spec().VRF.Set:
		diags = append(diags, diag.With(diag.Help(diag.Error("macsec-above", master.Spec().Ports.Range, "Not a link that stays",
			"%s goes down whenever the other end is away, and the kernel then forgets its routes.", m.Addr),
			"Name the bridge that it is a port of."), m.Def, "%s", m.Addr.String()))
	}
	return diags
}

// judgeClear tells of what is on the cable in clear, beside what is encrypted.
func (m *MACsec) judgeClear(r *router.Router) hcl.Diagnostics {
	var diags hcl.Diagnostics
	warn := func(on conf.Ref[router.Link], what conf.Addr) {
		diags = append(diags, diag.With(diag.Help(diag.Warning("macsec-clear", on.Range, "On an encrypted cable, and in clear",
			"%s encrypts what goes over it, and %s is on the cable itself: its packets leave as they are, and any device on the cable can send some.", m.Addr, what),
			"Write link = the bridge that %s is a port of, if that is what is meant.", m.Addr), m.Link.Range, "%s", m.Addr.String()))
	}
	for _, n := range r.On(m.Link.Target) {
		warn(n.Link, n.Addr)
	}
	for _, l := range r.Made {
		s := l.Spec()
		for _, ref := range []conf.Ref[router.Link]{s.On, s.Via} {
			if ref.Set && ref.Target == m.Link.Target && s.Kind != "macsec" && (s.Kind == "vlan" || s.External) {
				warn(ref, l.Head().Addr)
			}
		}
	}
	return diags
}
