package netstate

import (
	"fmt"
	"net/netip"
	"slices"

	"github.com/vishvananda/netlink"

	"github.com/nbr-dev/nbr/verify/state"
)

// dumpNeighbours takes the entries that were set by hand and those of peers. The
// others are the kernel's memory of who has talked, which no spec promises.
func dumpNeighbours(names names, peers []string) ([]state.Neighbour, error) {
	out := []state.Neighbour{}
	for _, family := range []int{netlink.FAMILY_V4, netlink.FAMILY_V6} {
		list, err := netlink.NeighList(0, family)
		if err != nil {
			return nil, fmt.Errorf("neighbours: %w", err)
		}
		for _, n := range list {
			addr, _ := netip.AddrFromSlice(n.IP)
			if n.State != netlink.NUD_PERMANENT && !slices.Contains(peers, addr.String()) {
				continue
			}
			link, err := names.find(uint32(n.LinkIndex))
			if err != nil {
				return nil, fmt.Errorf("neighbours: %w", err)
			}
			word := neighbourStates[n.State]
			if word == "" {
				word = fmt.Sprintf("%#x", n.State)
			}
			out = append(out, state.Neighbour{Link: link, Address: addr.String(), MAC: n.HardwareAddr.String(), State: word})
		}
	}
	return out, nil
}

// neighbourStates are NUD_* as ip-neighbour(8) prints them.
var neighbourStates = map[int]string{
	netlink.NUD_INCOMPLETE: "INCOMPLETE", netlink.NUD_REACHABLE: "REACHABLE", netlink.NUD_STALE: "STALE", netlink.NUD_DELAY: "DELAY",
	netlink.NUD_PROBE: "PROBE", netlink.NUD_FAILED: "FAILED", netlink.NUD_NOARP: "NOARP", netlink.NUD_PERMANENT: "PERMANENT",
}
