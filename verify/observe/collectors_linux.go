package observe

import (
	"context"

	"github.com/nbr-dev/nbr/verify/observe/hardware"
	"github.com/nbr-dev/nbr/verify/observe/netstate"
	"github.com/nbr-dev/nbr/verify/observe/nft"
	"github.com/nbr-dev/nbr/verify/observe/root"
	"github.com/nbr-dev/nbr/verify/observe/sockets"
	"github.com/nbr-dev/nbr/verify/observe/system"
	"github.com/nbr-dev/nbr/verify/observe/systemd"
	"github.com/nbr-dev/nbr/verify/state"
)

// collectors are all there are. Their order is of no meaning.
var collectors = []collector{
	{parts: "board", look: func(l *looker, _ context.Context) (err error) {
		l.st.Board, err = hardware.Board(l.root())
		return err
	}},
	{parts: "firmware", look: func(l *looker, _ context.Context) (err error) {
		l.st.Firmware, err = hardware.Firmware(l.root())
		return err
	}},

	{parts: "kernel", look: func(l *looker, _ context.Context) (err error) {
		l.st.Kernel, err = system.Kernel(l.root())
		return err
	}},
	{parts: "modules", look: func(l *looker, _ context.Context) (err error) {
		l.st.Modules, err = eachOf(l, state.NeedModule, system.FindModules, system.Modules.State)
		return err
	}},
	{parts: "system", look: func(l *looker, _ context.Context) (err error) {
		l.st.System, err = system.Generations(l.root())
		return err
	}},
	{parts: "sysctls", look: func(l *looker, _ context.Context) (err error) {
		l.st.Sysctls, err = each(l, state.NeedSysctl, func(n state.Need) (string, error) {
			return system.Sysctl(l.root(), n.Name)
		})
		return err
	}},
	{parts: "files", look: func(l *looker, _ context.Context) (err error) {
		l.st.Files, err = eachOf(l, state.NeedFile, system.FindFiles, system.Files.Stat)
		return err
	}},
	{parts: "users", look: func(l *looker, _ context.Context) (err error) {
		l.st.Users, err = system.Users(l.root())
		return err
	}},
	{parts: "name_servers", look: func(l *looker, _ context.Context) (err error) {
		l.st.NameServers, err = system.NameServers(l.root())
		return err
	}},
	{parts: "clock", look: func(l *looker, _ context.Context) (err error) {
		l.st.Clock, err = system.Clock()
		return err
	}},

	{parts: "links addrs routes neighbours", look: func(l *looker, ctx context.Context) error {
		var peers []string
		for _, n := range l.asked(state.NeedPeer) {
			peers = append(peers, n.Name)
		}
		n, err := netstate.Look(ctx, l.root(), peers)
		l.st.Links, l.st.Addrs, l.st.Routes, l.st.Neighbours = n.Links, n.Addrs, n.Routes, n.Neighbours
		return err
	}},
	{parts: "rules", look: func(l *looker, ctx context.Context) (err error) {
		l.st.Rules, err = netstate.Rules(ctx)
		return err
	}},
	{parts: "drivers", look: func(l *looker, _ context.Context) (err error) {
		l.st.Drivers, err = each(l, state.NeedDriver, func(n state.Need) (state.Driver, error) { return netstate.Driver(n.Name) })
		return err
	}},
	{parts: "wireguard", look: func(l *looker, _ context.Context) (err error) {
		l.st.WireGuard, err = netstate.WireGuard()
		return err
	}},

	{parts: "tables", look: func(l *looker, ctx context.Context) error {
		program, err := l.root().Program("nft")
		if err == nil {
			l.st.Tables, err = nft.Tables(ctx, program)
		}
		return err
	}},
	{parts: "rulesets", look: func(l *looker, ctx context.Context) (err error) {
		l.st.Rulesets, err = each(l, state.NeedRuleset, func(n state.Need) (state.Ruleset, error) {
			program, err := l.root().Program("nft")
			if err != nil {
				return state.Ruleset{}, err
			}
			return nft.Ruleset(ctx, program, n)
		})
		return err
	}},

	{parts: "listeners", look: func(l *looker, ctx context.Context) (err error) {
		l.st.Listeners, err = sockets.Listeners(ctx, l.root())
		return err
	}},

	{parts: "units", look: func(l *looker, ctx context.Context) (err error) {
		l.st.Units, err = systemd.Units(ctx, l.root())
		return err
	}},
	{parts: "watchdog", look: func(l *looker, ctx context.Context) (err error) {
		l.st.Watchdog, err = systemd.Watchdog(ctx, l.root())
		return err
	}},
	{parts: "journal", look: func(l *looker, _ context.Context) (err error) {
		l.st.Journal, err = systemd.Journal(l.root())
		return err
	}},

	{parts: "probes", look: (*looker).probes, ownTime: true},
}

// eachOf is as [each] for what is found once for all needs of a kind, and not at all where
// there are none.
func eachOf[F, T any](l *looker, kind state.NeedKind, find func(root.Root) (F, error), look func(F, string) (T, error)) (map[string]T, error) {
	if len(l.asked(kind)) == 0 {
		return map[string]T{}, nil
	}
	found, err := find(l.root())
	if err != nil {
		return nil, err
	}
	return each(l, kind, func(n state.Need) (T, error) { return look(found, n.Name) })
}
