package netstate

import (
	"errors"
	"fmt"
	"slices"

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
	if out.EEE, err = eee(link); err != nil {
		return out, fmt.Errorf("EEE: %w", err)
	}
	return out, nil
}

// eee is on or off, or empty where the driver has none.
func eee(link string) (string, error) {
	family, err := netlink.GenlFamilyGet(unix.ETHTOOL_GENL_NAME)
	if err != nil {
		return "", err
	}
	req := nl.NewNetlinkRequest(int(family.ID), 0)
	req.AddData(&nl.Genlmsg{Command: unix.ETHTOOL_MSG_EEE_GET, Version: nl.GENL_CTRL_VERSION})
	header := nl.NewRtAttr(unix.ETHTOOL_A_EEE_HEADER|unix.NLA_F_NESTED, nil)
	header.AddRtAttr(unix.ETHTOOL_A_HEADER_DEV_NAME, nl.ZeroTerminated(link))
	req.AddData(header)
	msgs, err := req.Execute(unix.NETLINK_GENERIC, 0)
	switch {
	// A port of a switch without a PHY says that there is no device (dsa_user_get_eee in
	// net/dsa/user.c).
	case errors.Is(err, unix.EOPNOTSUPP), errors.Is(err, unix.ENODEV):
		return "", nil
	case err != nil:
		return "", err
	case len(msgs) != 1:
		return "", fmt.Errorf("%d answers", len(msgs))
	}
	return parseEEE(msgs[0])
}

// parseEEE reads the answer of the kernel (ETHTOOL_MSG_EEE_GET_REPLY).
func parseEEE(m []byte) (string, error) {
	if len(m) < nl.SizeofGenlmsg {
		return "", fmt.Errorf("a message of %d bytes", len(m))
	}
	out := ""
	err := attributes(m[nl.SizeofGenlmsg:], func(attr uint16, v []byte) {
		if attr == unix.ETHTOOL_A_EEE_ENABLED {
			out = "off"
			if yes(v) {
				out = "on"
			}
		}
	})
	if err == nil && out == "" {
		err = errors.New("an answer without a word about it")
	}
	return out, err
}
