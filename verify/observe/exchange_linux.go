package observe

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"time"

	"github.com/mdlayher/packet"
	"github.com/vishvananda/netlink"
	"golang.org/x/net/bpf"
	"golang.org/x/sys/unix"

	"github.com/nbr-dev/nbr/verify/probe"
)

// Exchange has a frame arrive on a link, or transmits it there, and waits for the answer.
func (h machine) Exchange(ctx context.Context, x probe.Exchange) (bool, error) {
	link, err := openLink(x.Link)
	if err != nil {
		return false, err
	}
	if len(link.HardwareAddr) != 6 {
		return false, fmt.Errorf("%s is no Ethernet", x.Link)
	}
	addrs, err := usableAddresses(link.Index)
	if err != nil {
		return false, err
	}
	frame, err := x.Frame(probe.Endpoint{MAC: link.HardwareAddr, Addrs: addrs})
	if err != nil {
		return false, err
	}
	filter := []match{extension(bpf.ExtProto, uint32(x.Only.EtherType))}
	for _, b := range x.Only.Bytes {
		filter = append(filter, at(b.Offset, 1, uint32(b.Value)))
	}
	answers := func(packet []byte) bool { return x.Answers(slices.Clone(packet)) }
	var answered bool
	if x.Transmit {
		answered, err = transmit(ctx, link, frame, filter, x.Wait, answers)
	} else {
		answered, err = arrive(ctx, link, frame, filter, x.Wait, answers)
	}
	if err == nil && !answered {
		err = stayed(x.Link, link)
	}
	return answered, err
}

// arrive has the frame arrive at this machine, and hears what it sends.
func arrive(ctx context.Context, link *netlink.LinkAttrs, frame []byte, filter []match, wait time.Duration, answers func([]byte) bool) (bool, error) {
	w, err := openWireOf(link.Index, link.Index, only(bpf.JumpNotEqual, filter))
	if err != nil {
		return false, err
	}
	defer w.Close()
	return w.exchange(ctx, frame, []time.Duration{wait}, answers)
}

// transmit sends the frame to the hosts on the link, and hears what they send.
func transmit(ctx context.Context, link *netlink.LinkAttrs, frame []byte, filter []match, wait time.Duration, answers func([]byte) bool) (bool, error) {
	tap, err := openTap(link.Index, only(bpf.JumpEqual, filter))
	if err != nil {
		return false, wireError("hear what arrives on a link", "CAP_NET_RAW", err)
	}
	defer tap.Close()
	// A socket of its own, for whole frames, which receives nothing.
	nothing, err := bpf.Assemble([]bpf.Instruction{bpf.RetConstant{Val: 0}})
	if err != nil {
		return false, err
	}
	out, err := packet.Listen(&net.Interface{Index: link.Index}, packet.Raw, unix.ETH_P_ALL, &packet.Config{Filter: nothing})
	if err != nil {
		return false, wireError("send on a link", "CAP_NET_RAW", err)
	}
	defer out.Close()
	if len(frame) < 14 {
		return false, errors.New("no Ethernet frame")
	}
	if _, err := out.WriteTo(frame, &packet.Addr{HardwareAddr: net.HardwareAddr(frame[:6])}); err != nil {
		return false, fmt.Errorf("cannot send on %s: %w", link.Name, err)
	}
	return hear(ctx, tap, wait, answers)
}

// usableAddresses are those of a link that a packet may come from: IPv6 has some that it
// still asks about (RFC 4862 section 5.4), or that are another host's.
func usableAddresses(index int) ([]netip.Addr, error) {
	list, err := netlink.AddrList(&netlink.Dummy{LinkAttrs: netlink.LinkAttrs{Index: index}}, netlink.FAMILY_ALL)
	if err != nil {
		return nil, err
	}
	var out []netip.Addr
	for _, a := range list {
		if ip, ok := netip.AddrFromSlice(a.IP); ok && a.Flags&(unix.IFA_F_TENTATIVE|unix.IFA_F_DADFAILED) == 0 {
			out = append(out, ip.Unmap())
		}
	}
	return out, nil
}
