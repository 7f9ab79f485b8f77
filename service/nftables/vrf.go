package nftables

import (
	"slices"
	"strings"

	"github.com/nbr-dev/nbr/router"
)

// What arrives on a link in a VRF has the VRF as its interface in all hooks but a first look of
// prerouting. In input and forward the link is another property of it: sdif of nft(8), and inet_sdif of
// the kernel. It leaves by the link itself.

func sdif(devs []router.IfName) string { return "meta sdifname " + set(devs) }

// apart are the interfaces that are in no VRF, and those that are in one.
func apart(r *router.Router, devs []router.IfName) (plain, ports []router.IfName) {
	for _, d := range devs {
		if r.InVRF(d) {
			ports = append(ports, d)
		} else {
			plain = append(plain, d)
		}
	}
	return plain, ports
}

// arriving are the matches of what has arrived on the interfaces, for hooks after prerouting.
func arriving(r *router.Router, devs []router.IfName) []string {
	var out []string
	plain, ports := apart(r, devs)
	if len(plain) > 0 {
		out = append(out, "iifname "+set(plain))
	}
	if len(ports) > 0 {
		out = append(out, sdif(ports))
	}
	return out
}

// split are the sides by whether their interfaces are in VRFs.
func split(r *router.Router, all []side) []side {
	var out []side
	for _, s := range all {
		plain, ports := apart(r, s.devs)
		if len(ports) > 0 {
			inside := s
			inside.devs, inside.ports = ports, true
			out = append(out, inside)
		}
		if s.devs = plain; len(plain) > 0 || len(ports) == 0 {
			out = append(out, s)
		}
	}
	return out
}

// left is a side whose packets are about to leave, by IPv4. The link that they came by is not known any
// longer (nft_meta_get_validate_sdif in net/netfilter/nft_meta.c), so they are told by the VRF and by
// where they come from: what arrives with another link's address anti_spoof has dropped. There may be
// none of IPv4.
func left(r *router.Router, s side) (out side, some bool) {
	var vrfs []router.IfName
	var from []string
	all := false
	for _, l := range r.Links() {
		if !slices.Contains(s.devs, l.LinkName()) {
			continue
		}
		if vrf := r.VRFOf(l).LinkName(); !slices.Contains(vrfs, vrf) {
			vrfs = append(vrfs, vrf)
		}
		for _, p := range r.Through(l) {
			if p.Addr().Is4() {
				from = append(from, p.String())
				all = all || p.Bits() == 0
			}
		}
	}
	s.devs, s.ports = vrfs, false
	if s.addr == "" && s.mac == "" && !all {
		s.family, s.addr = router.IPv4, "{ "+strings.Join(from, ", ")+" }"
	}
	return s, len(from) > 0
}
