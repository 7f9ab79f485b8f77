package observe

import (
	"context"
	"errors"
	"os"
	"syscall"

	"golang.org/x/sys/unix"

	"github.com/nbr-dev/nbr/verify/observe/root"
	"github.com/nbr-dev/nbr/verify/observe/systemd"
)

// sources are all there are. Neighbours are left out: they come and go by themselves.
var sources = []source{
	{"links, addresses and routes", netlinkSource(unix.NETLINK_ROUTE,
		unix.RTNLGRP_LINK, unix.RTNLGRP_IPV4_IFADDR, unix.RTNLGRP_IPV6_IFADDR,
		unix.RTNLGRP_IPV4_ROUTE, unix.RTNLGRP_IPV6_ROUTE, unix.RTNLGRP_IPV4_RULE, unix.RTNLGRP_IPV6_RULE)},
	{"nftables", netlinkSource(unix.NETLINK_NETFILTER, unix.NFNLGRP_NFTABLES)},
	{"units", func(ctx context.Context, o WatchOptions, ready, poke func()) error {
		return systemd.Watch(ctx, root.Root(o.Root), o.Ignore, ready, poke)
	}},
}

// netlinkSource listens to multicast groups of netlink(7). Nothing of a message is
// read: that there is one is all that is asked.
func netlinkSource(protocol int, groups ...int) func(context.Context, WatchOptions, func(), func()) error {
	return func(ctx context.Context, _ WatchOptions, ready, poke func()) error {
		f, err := subscribe(protocol, groups...)
		if err != nil {
			return err
		}
		defer f.Close()
		stop := context.AfterFunc(ctx, func() { f.Close() })
		defer stop()
		ready()
		return drain(f, poke)
	}
}

// subscribe opens a socket that Go's own poller waits for, so that Close wakes it.
func subscribe(protocol int, groups ...int) (*os.File, error) {
	fd, err := unix.Socket(unix.AF_NETLINK, unix.SOCK_RAW|unix.SOCK_CLOEXEC|unix.SOCK_NONBLOCK, protocol)
	if err != nil {
		return nil, os.NewSyscallError("socket", err)
	}
	f := os.NewFile(uintptr(fd), "netlink")
	if err := unix.Bind(fd, &unix.SockaddrNetlink{Family: unix.AF_NETLINK}); err != nil {
		return nil, errors.Join(os.NewSyscallError("bind", err), f.Close())
	}
	for _, g := range groups {
		if err := unix.SetsockoptInt(fd, unix.SOL_NETLINK, unix.NETLINK_ADD_MEMBERSHIP, g); err != nil {
			return nil, errors.Join(os.NewSyscallError("setsockopt", err), f.Close())
		}
	}
	return f, nil
}

// drain reads until the socket is closed. What does not fit is cut off by the kernel,
// and messages that came faster than they were read are an event like those that were.
func drain(f *os.File, poke func()) error {
	var message [64]byte
	for {
		if _, err := f.Read(message[:]); err != nil && !errors.Is(err, syscall.ENOBUFS) {
			return err
		}
		poke()
	}
}
