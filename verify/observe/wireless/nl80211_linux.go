package wireless

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io/fs"
	"syscall"

	"github.com/vishvananda/netlink"
	"github.com/vishvananda/netlink/nl"
	"golang.org/x/sys/unix"

	"github.com/nbr-dev/nbr/verify/probe"
)

// Radio is what an interface of Wi-Fi does. Anyone may ask.
func Radio(link string) (probe.Radio, error) {
	var out probe.Radio
	iface, err := netlink.LinkByName(link)
	switch {
	case errors.As(err, &netlink.LinkNotFoundError{}):
		return out, fmt.Errorf("%s: %w", link, fs.ErrNotExist)
	case err != nil:
		return out, err
	}
	attrs, err := ask(unix.NL80211_CMD_GET_INTERFACE, nl.NewRtAttr(unix.NL80211_ATTR_IFINDEX, nl.Uint32Attr(uint32(iface.Attrs().Index))))
	switch {
	case errors.Is(err, unix.ENODEV), errors.Is(err, unix.ENOENT), errors.Is(err, unix.EOPNOTSUPP): // no interface of Wi-Fi, or a kernel without
		return out, fmt.Errorf("%s is no interface of Wi-Fi: %w", link, fs.ErrNotExist)
	case err != nil:
		return out, fmt.Errorf("nl80211: %w", err)
	}
	out.AccessPoint = number(attrs[unix.NL80211_ATTR_IFTYPE]) == unix.NL80211_IFTYPE_AP
	out.SSID = string(attrs[unix.NL80211_ATTR_SSID])
	out.Frequency = number(attrs[unix.NL80211_ATTR_WIPHY_FREQ])
	if w, ok := attrs[unix.NL80211_ATTR_CHANNEL_WIDTH]; ok {
		out.Width = widths[number(w)]
	}
	out.Power = int(int32(number(attrs[unix.NL80211_ATTR_WIPHY_TX_POWER_LEVEL])))
	// Drivers may have rules of their own, so those of the radio are asked for.
	attrs, err = ask(unix.NL80211_CMD_GET_REG, nl.NewRtAttr(unix.NL80211_ATTR_WIPHY, attrs[unix.NL80211_ATTR_WIPHY]))
	if err != nil {
		return out, fmt.Errorf("nl80211: rules of the country: %w", err)
	}
	out.Country = unix.ByteSliceToString(attrs[unix.NL80211_ATTR_REG_ALPHA2])
	if out.Country == "98" || out.Country == "99" { // rules of several countries, or of no named one: the kernel's own count as well
		if attrs, err = ask(unix.NL80211_CMD_GET_REG); err != nil {
			return out, fmt.Errorf("nl80211: rules of the country: %w", err)
		}
		out.Country = unix.ByteSliceToString(attrs[unix.NL80211_ATTR_REG_ALPHA2])
	}
	return out, nil
}

// widths are those of enum nl80211_chan_width, in MHz.
var widths = map[int]int{
	unix.NL80211_CHAN_WIDTH_20_NOHT: 20, unix.NL80211_CHAN_WIDTH_20: 20, unix.NL80211_CHAN_WIDTH_40: 40,
	unix.NL80211_CHAN_WIDTH_80: 80, unix.NL80211_CHAN_WIDTH_80P80: 160, unix.NL80211_CHAN_WIDTH_160: 160, unix.NL80211_CHAN_WIDTH_320: 320,
}

// ask sends one question, and reads the attributes of the one answer.
func ask(command uint8, about ...*nl.RtAttr) (map[uint16][]byte, error) {
	family, err := netlink.GenlFamilyGet(unix.NL80211_GENL_NAME)
	if err != nil {
		return nil, err
	}
	req := nl.NewNetlinkRequest(int(family.ID), 0)
	req.AddData(&nl.Genlmsg{Command: command, Version: nl.GENL_CTRL_VERSION})
	for _, a := range about {
		req.AddData(a)
	}
	msgs, err := req.Execute(unix.NETLINK_GENERIC, 0)
	if err != nil {
		return nil, err
	}
	if len(msgs) != 1 || len(msgs[0]) < nl.SizeofGenlmsg {
		return nil, fmt.Errorf("%d answers", len(msgs))
	}
	list, err := nl.ParseRouteAttr(msgs[0][nl.SizeofGenlmsg:])
	if err != nil {
		return nil, err
	}
	out := map[uint16][]byte{}
	for _, a := range list {
		out[a.Attr.Type&^(syscall.NLA_F_NESTED|syscall.NLA_F_NET_BYTEORDER)] = a.Value
	}
	return out, nil
}

// number is the value of an attribute of 32 bits, 0 without one.
func number(b []byte) int {
	if len(b) != 4 {
		return 0
	}
	return int(binary.NativeEndian.Uint32(b))
}
