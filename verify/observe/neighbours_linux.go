package observe

import (
	"fmt"
	"net"
	"net/netip"

	"golang.org/x/sys/unix"

	"github.com/nbr-dev/nbr/verify/state"
)

// dumpNeighbours takes the entries that somebody set by hand and those asked for. The
// others are the kernel's memory of who has talked, which nobody promises.
func (l *looker) dumpNeighbours(names names) ([]state.Neighbour, error) {
	peers := map[string]bool{}
	for _, n := range l.asked(state.NeedPeer) {
		peers[n.Name] = true
	}
	out := []state.Neighbour{}
	for _, family := range []uint8{unix.AF_INET, unix.AF_INET6} {
		err := dump(unix.RTM_GETNEIGH, unix.RTM_NEWNEIGH, func(m []byte) error {
			n, index, err := parseNeighbour(m)
			if err != nil || n.State != "PERMANENT" && !peers[n.Address] {
				return err
			}
			if n.Link, err = names.find(index); err == nil {
				out = append(out, n)
			}
			return err
		}, ndmsg{family})
		if err != nil {
			return nil, fmt.Errorf("neighbours: %w", err)
		}
	}
	return out, nil
}

// ndmsg asks for the neighbours of a family (struct ndmsg, include/uapi/linux/neighbour.h).
type ndmsg struct{ family uint8 }

func (ndmsg) Len() int { return unix.SizeofNdMsg }

func (m ndmsg) Serialize() []byte {
	b := make([]byte, unix.SizeofNdMsg)
	b[0] = m.family
	return b
}

// neighbourStates are NUD_* as ip-neighbour(8) prints them.
var neighbourStates = map[uint16]string{
	unix.NUD_INCOMPLETE: "INCOMPLETE", unix.NUD_REACHABLE: "REACHABLE", unix.NUD_STALE: "STALE", unix.NUD_DELAY: "DELAY",
	unix.NUD_PROBE: "PROBE", unix.NUD_FAILED: "FAILED", unix.NUD_NOARP: "NOARP", unix.NUD_PERMANENT: "PERMANENT",
}

func parseNeighbour(m []byte) (n state.Neighbour, index uint32, err error) {
	if len(m) < unix.SizeofNdMsg {
		return n, 0, fmt.Errorf("a message of %d bytes", len(m))
	}
	index = u32(m[4:8])
	nud := u16(m[8:10])
	n.State = neighbourStates[nud]
	if n.State == "" {
		n.State = fmt.Sprintf("%#x", nud)
	}
	err = attributes(m[unix.SizeofNdMsg:], func(attr uint16, v []byte) {
		switch attr {
		case unix.NDA_DST:
			if a, ok := netip.AddrFromSlice(v); ok {
				n.Address = a.String()
			}
		case unix.NDA_LLADDR:
			n.MAC = net.HardwareAddr(v).String()
		}
	})
	return n, index, err
}
