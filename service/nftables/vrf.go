package nftables

import "github.com/nbr-dev/nbr/router"

// What arrives on a link in a VRF has the VRF as its interface in all hooks but a first look of
// prerouting, and the link is another property of it: sdif of nft(8), and inet_sdif of the kernel. It
// leaves by the link itself.

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
