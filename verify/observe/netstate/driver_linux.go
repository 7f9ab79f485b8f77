package netstate

import (
	"cmp"
	"errors"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/safchain/ethtool"
	"github.com/vishvananda/netlink"
	"github.com/vishvananda/netlink/nl"
	"golang.org/x/sys/unix"

	"github.com/nbr-dev/nbr/verify/observe/root"
	"github.com/nbr-dev/nbr/verify/state"
)

// Driver asks how the driver of a link is set (Documentation/networking/ethtool-netlink.rst).
func Driver(link string) (state.Driver, error) {
	out := state.Driver{Features: []string{}}
	drivers, err := ethtool.NewEthtool()
	if err != nil {
		return out, fmt.Errorf("ethtool: %w", err)
	}
	defer drivers.Close()
	all, err := drivers.Features(link)
	switch {
	case errors.Is(err, unix.ENODEV):
		return out, root.ErrNotThere
	case err != nil:
		return out, fmt.Errorf("features: %w", err)
	}
	for name, on := range all {
		if on {
			out.Features = append(out.Features, name)
		}
	}
	slices.Sort(out.Features)
	for _, a := range answers {
		if err := ask(link, a.command, func(attr uint16, v []byte) error { return a.read(&out, attr, v) }); err != nil {
			return out, fmt.Errorf("%s: %w", a.of, err)
		}
	}
	return out, nil
}

// answers are the questions beside the features, and how the answers are read.
var answers = []struct {
	of      string
	command uint8
	read    func(d *state.Driver, attr uint16, v []byte) error
}{
	{"EEE", unix.ETHTOOL_MSG_EEE_GET, readEEE},
	{"speed", unix.ETHTOOL_MSG_LINKMODES_GET, readLinkModes},
	{"rings", unix.ETHTOOL_MSG_RINGS_GET, readRings},
	{"interrupts", unix.ETHTOOL_MSG_COALESCE_GET, readCoalesce},
}

// ask asks the driver of a link, and gives each attribute of the answer to read. There are none where
// the driver has not what it is asked for.
func ask(link string, command uint8, read func(attr uint16, v []byte) error) error {
	family, err := netlink.GenlFamilyGet(unix.ETHTOOL_GENL_NAME)
	if err != nil {
		return err
	}
	req := nl.NewNetlinkRequest(int(family.ID), 0)
	req.AddData(&nl.Genlmsg{Command: command, Version: nl.GENL_CTRL_VERSION})
	header := nl.NewRtAttr(unix.ETHTOOL_A_EEE_HEADER|unix.NLA_F_NESTED, nil) // that of each question has this number
	header.AddRtAttr(unix.ETHTOOL_A_HEADER_DEV_NAME, nl.ZeroTerminated(link))
	req.AddData(header)
	msgs, err := req.Execute(unix.NETLINK_GENERIC, 0)
	switch {
	// A port of a switch without a PHY says that there is no device (dsa_user_get_eee in
	// net/dsa/user.c).
	case errors.Is(err, unix.EOPNOTSUPP), errors.Is(err, unix.ENODEV):
		return nil
	case err != nil:
		return err
	case len(msgs) != 1:
		return fmt.Errorf("%d answers", len(msgs))
	}
	return parseAnswer(msgs[0], read)
}

// parseAnswer reads an answer of the kernel (ETHTOOL_MSG_EEE_GET_REPLY and the like).
func parseAnswer(m []byte, read func(attr uint16, v []byte) error) error {
	if len(m) < nl.SizeofGenlmsg {
		return fmt.Errorf("a message of %d bytes", len(m))
	}
	var wrong error
	err := attributes(m[nl.SizeofGenlmsg:], func(attr uint16, v []byte) { wrong = cmp.Or(wrong, read(attr, v)) })
	return cmp.Or(err, wrong)
}

func readEEE(d *state.Driver, attr uint16, v []byte) error {
	if attr == unix.ETHTOOL_A_EEE_ENABLED {
		d.EEE = onOff(v)
	}
	return nil
}

// onOff is the word for a flag of a byte.
func onOff(v []byte) string {
	if yes(v) {
		return "on"
	}
	return "off"
}

func readLinkModes(d *state.Driver, attr uint16, v []byte) error {
	switch attr {
	case unix.ETHTOOL_A_LINKMODES_AUTONEG:
		d.Autoneg = onOff(v)
	case unix.ETHTOOL_A_LINKMODES_SPEED:
		if n := u32(v); n != math.MaxUint32 { // SPEED_UNKNOWN
			d.Speed = int(n)
		}
	case unix.ETHTOOL_A_LINKMODES_DUPLEX:
		if len(v) == 1 && v[0] < 2 { // else DUPLEX_UNKNOWN
			d.Duplex = []string{"half", "full"}[v[0]]
		}
	case unix.ETHTOOL_A_LINKMODES_OURS:
		modes, err := bitset(v)
		d.Advertised, d.AdvertisedHalf = modeSpeeds(modes, "/Full"), modeSpeeds(modes, "/Half")
		return err
	}
	return nil
}

// bitset are the names of the bits that are set (Documentation/networking/ethtool-netlink.rst).
func bitset(b []byte) ([]string, error) {
	var out []string
	var wrong error
	each := func(b []byte, want uint16, f func([]byte)) {
		err := attributes(b, func(attr uint16, v []byte) {
			if attr == want {
				f(v)
			}
		})
		wrong = cmp.Or(wrong, err)
	}
	each(b, unix.ETHTOOL_A_BITSET_BITS, func(bits []byte) {
		each(bits, unix.ETHTOOL_A_BITSET_BITS_BIT, func(bit []byte) {
			each(bit, unix.ETHTOOL_A_BITSET_BIT_VALUE, func([]byte) { // a flag
				each(bit, unix.ETHTOOL_A_BITSET_BIT_NAME, func(name []byte) { out = append(out, text(name)) })
			})
		})
	})
	return out, wrong
}

// modeSpeeds are the speeds of those modes, such as 2500baseT/Full and 1000baseT/Half, that end in a
// duplex, sorted. What is offered besides, as Autoneg and Pause, has none.
func modeSpeeds(modes []string, duplex string) []int {
	var out []int
	for _, mode := range modes {
		if before, after, ok := strings.Cut(mode, "base"); ok && strings.HasSuffix(after, duplex) {
			if n, err := strconv.Atoi(before); err == nil {
				out = append(out, n)
			}
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
}

func readRings(d *state.Driver, attr uint16, v []byte) error {
	switch attr {
	case unix.ETHTOOL_A_RINGS_RX:
		d.RxRing = number(v)
	case unix.ETHTOOL_A_RINGS_TX:
		d.TxRing = number(v)
	}
	return nil
}

func readCoalesce(d *state.Driver, attr uint16, v []byte) error {
	switch attr {
	case unix.ETHTOOL_A_COALESCE_RX_USECS:
		d.RxUsecs = number(v)
	case unix.ETHTOOL_A_COALESCE_TX_USECS:
		d.TxUsecs = number(v)
	case unix.ETHTOOL_A_COALESCE_RX_MAX_FRAMES:
		d.RxFrames = number(v)
	case unix.ETHTOOL_A_COALESCE_TX_MAX_FRAMES:
		d.TxFrames = number(v)
	case unix.ETHTOOL_A_COALESCE_USE_ADAPTIVE_RX:
		d.AdaptiveRx = onOff(v)
	case unix.ETHTOOL_A_COALESCE_USE_ADAPTIVE_TX:
		d.AdaptiveTx = onOff(v)
	}
	return nil
}

func number(v []byte) *int {
	out := int(u32(v))
	return &out
}
