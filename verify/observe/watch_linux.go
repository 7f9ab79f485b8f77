package observe

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"syscall"

	systemd "github.com/coreos/go-systemd/v22/dbus"
	"github.com/godbus/dbus/v5"
	"golang.org/x/sys/unix"
)

// sources are all there are. Neighbours are left out: they come and go by themselves.
var sources = []source{
	{"links, addresses and routes", netlinkSource(unix.NETLINK_ROUTE,
		unix.RTNLGRP_LINK, unix.RTNLGRP_IPV4_IFADDR, unix.RTNLGRP_IPV6_IFADDR,
		unix.RTNLGRP_IPV4_ROUTE, unix.RTNLGRP_IPV6_ROUTE, unix.RTNLGRP_IPV4_RULE, unix.RTNLGRP_IPV6_RULE)},
	{"nftables", netlinkSource(unix.NETLINK_NETFILTER, unix.NFNLGRP_NFTABLES)},
	{"units", watchUnits},
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

const (
	systemdName = "org.freedesktop.systemd1"
	systemdPath = dbus.ObjectPath("/org/freedesktop/systemd1")
)

// watchUnits listens to what org.freedesktop.systemd1(5) says of units. UnitNew and
// UnitRemoved are left out: a question about a unit that is not loaded causes them, and
// one that starts or ends changes its properties.
func watchUnits(ctx context.Context, o WatchOptions, ready, poke func()) error {
	signals := &unitSignals{ignore: o.Ignore, poke: poke}
	conn, err := dialBus(ctx, filepath.Join(o.Root, busSocket), dbus.WithSignalHandler(signals))
	if err != nil {
		return err
	}
	defer conn.Close()
	manager := conn.Object(systemdName, systemdPath)
	// What this program tells of itself, its status, is no news to it. Who runs outside
	// of a unit has none.
	var own dbus.ObjectPath
	if err := manager.CallWithContext(ctx, systemdName+".Manager.GetUnitByPID", 0, uint32(0)).Store(&own); err == nil {
		signals.own = own
	}
	for _, match := range [][]dbus.MatchOption{
		{
			dbus.WithMatchInterface("org.freedesktop.DBus.Properties"), dbus.WithMatchMember("PropertiesChanged"),
			dbus.WithMatchPathNamespace(systemdPath + "/unit"), dbus.WithMatchArg(0, systemdName+".Unit"),
		},
		{dbus.WithMatchInterface(systemdName + ".Manager"), dbus.WithMatchMember("JobRemoved")},
		{dbus.WithMatchInterface(systemdName + ".Manager"), dbus.WithMatchMember("Reloading")},
	} {
		if err := conn.AddMatchSignalContext(ctx, append(match, dbus.WithMatchSender(systemdName))...); err != nil {
			return err
		}
	}
	if err := manager.CallWithContext(ctx, systemdName+".Manager.Subscribe", 0).Err; err != nil {
		return err
	}
	ready()
	<-conn.Context().Done()
	return errors.New("the bus has gone")
}

// unitSignals takes signals where they come in, so that none waits for a reader.
type unitSignals struct {
	own    dbus.ObjectPath
	ignore string
	poke   func()
}

// DeliverSignal makes it a [dbus.SignalHandler]. The bus itself has signals as well.
func (s *unitSignals) DeliverSignal(_, _ string, signal *dbus.Signal) {
	if !strings.HasPrefix(string(signal.Path), string(systemdPath)) || signal.Path == s.own {
		return
	}
	if s.ignore != "" {
		if strings.HasPrefix(string(signal.Path), string(systemdPath)+"/unit/"+systemd.PathBusEscape(s.ignore)) {
			return
		}
		// JobRemoved: the job's number and path, the unit, the result.
		if len(signal.Body) == 4 {
			if unit, ok := signal.Body[2].(string); ok && strings.HasPrefix(unit, s.ignore) {
				return
			}
		}
	}
	s.poke()
}
