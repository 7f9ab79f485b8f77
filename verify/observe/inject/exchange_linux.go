package inject

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

// Attend gives the programs behind a socket the time to answer what has arrived on a link:
// hear is to listen for an answer, and tells whether there was one.
type Attend func(ctx context.Context, link int, to probe.Socket, hear func(time.Duration) (bool, error)) error

// Exchange has a frame arrive on a link, or transmits it there, and waits for the answer. It
// is [probe.Host]'s.
func Exchange(ctx context.Context, x probe.Exchange, attend Attend) (bool, error) {
	link, err := openLink(x.Link)
	if err != nil {
		return false, err
	}
	if len(link.HardwareAddr) != 6 && !x.Remote {
		return false, fmt.Errorf("%s has no MAC addresses", x.Link)
	}
	addrs, err := usableAddresses(link.Index)
	if err != nil {
		return false, err
	}
	frame, err := x.Frame(probe.Endpoint{MAC: link.HardwareAddr, Addrs: addrs})
	if err != nil {
		return false, err
	}
	answers := x.Answers
	x.Answers = func(packet []byte) bool { return answers(slices.Clone(packet)) }
	var answered bool
	switch {
	case len(frame) == 0:
		answered, err = overhear(ctx, link, x)
	case x.Transmit:
		answered, err = transmit(ctx, link, frame, x)
	default:
		answered, err = arrive(ctx, link, frame, x, attend)
	}
	if err == nil && !answered {
		err = unchanged(x.Link, link)
	}
	return answered, err
}

// times are how long the answers to a frame are waited for, each time that it is sent.
func times(x probe.Exchange) []time.Duration {
	if x.Repeat == 0 {
		return []time.Duration{x.Wait}
	}
	return []time.Duration{x.Repeat, x.Wait - x.Repeat}
}

// arrive has the frame arrive at this machine, and hears what it sends.
func arrive(ctx context.Context, link *netlink.LinkAttrs, frame []byte, x probe.Exchange, attend Attend) (answered bool, err error) {
	on := link.Index
	if x.Remote {
		on = 0
	}
	in, err := openInjector(link.Index, on, only(bpf.JumpNotEqual, x.Only))
	if err != nil {
		return false, err
	}
	defer in.Close()
	for _, d := range times(x) {
		if err := in.inject(frame); err != nil {
			return false, err
		}
		if answered, err := hear(ctx, in.tap, d, x.Answers); answered || err != nil || ctx.Err() != nil {
			return answered, err
		}
	}
	if x.To.Protocol == "" {
		return false, nil
	}
	err = attend(ctx, link.Index, x.To, func(d time.Duration) (bool, error) {
		// The kernel drops what asks for a connection for which there is no room: it has to be
		// asked again (tcp_conn_request in net/ipv4/tcp_input.c).
		if x.To.Protocol == "tcp" {
			if err := in.inject(frame); err != nil {
				return false, err
			}
		}
		var err error
		answered, err = hear(ctx, in.tap, d, x.Answers)
		return answered, err
	})
	return answered, err
}

// transmit sends the frame to the hosts on the link, and hears what they send.
func transmit(ctx context.Context, link *netlink.LinkAttrs, frame []byte, x probe.Exchange) (bool, error) {
	tap, err := openTap(link.Index, only(bpf.JumpEqual, x.Only))
	if err != nil {
		return false, injectionError("hear what arrives on a link", "CAP_NET_RAW", err)
	}
	defer tap.Close()
	// A socket of its own, for whole frames, which receives nothing.
	nothing, err := bpf.Assemble([]bpf.Instruction{bpf.RetConstant{Val: 0}})
	if err != nil {
		return false, err
	}
	out, err := packet.Listen(&net.Interface{Index: link.Index}, packet.Raw, unix.ETH_P_ALL, &packet.Config{Filter: nothing})
	if err != nil {
		return false, injectionError("send on a link", "CAP_NET_RAW", err)
	}
	defer out.Close()
	if len(frame) < 14 {
		return false, errors.New("no Ethernet frame")
	}
	for _, d := range times(x) {
		if _, err := out.WriteTo(frame, &packet.Addr{HardwareAddr: net.HardwareAddr(frame[:6])}); err != nil {
			return false, fmt.Errorf("cannot send on %s: %w", link.Name, err)
		}
		if answered, err := hear(ctx, tap, d, x.Answers); answered || err != nil || ctx.Err() != nil {
			return answered, err
		}
	}
	return false, nil
}

// overhear hears what passes on a link.
func overhear(ctx context.Context, link *netlink.LinkAttrs, x probe.Exchange) (bool, error) {
	tap, err := openTap(link.Index, passing(x.Only))
	if err != nil {
		return false, injectionError("hear what passes on a link", "CAP_NET_RAW", err)
	}
	defer tap.Close()
	return hear(ctx, tap, x.Wait, x.Answers)
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
