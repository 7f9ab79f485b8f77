package systemd

import (
	"context"
	"errors"
	"strings"

	sd "github.com/coreos/go-systemd/v22/dbus"
	"github.com/godbus/dbus/v5"

	"github.com/nbr-dev/nbr/verify/observe/root"
)

const (
	busName = "org.freedesktop.systemd1"
	busPath = dbus.ObjectPath("/org/freedesktop/systemd1")
)

// Watch calls poke, which never waits, each time something happens to a unit, and once ready
// when it listens. It returns when it cannot listen any longer. Units whose names begin with
// ignore are no news, and the program's own never is.
//
// It listens to what org.freedesktop.systemd1(5) says of units. UnitNew and
// UnitRemoved are left out: a question about a unit that is not loaded causes them, and
// one that starts or ends changes its properties.
func Watch(ctx context.Context, r root.Root, ignore string, ready, poke func()) error {
	signals := &unitSignals{ignore: ignore, poke: poke}
	conn, err := dial(ctx, r, dbus.WithSignalHandler(signals))
	if err != nil {
		return err
	}
	defer conn.Close()
	manager := conn.Object(busName, busPath)
	// What this program tells of itself, its status, is no news to it. Who runs outside
	// of a unit has none.
	var own dbus.ObjectPath
	if err := manager.CallWithContext(ctx, busName+".Manager.GetUnitByPID", 0, uint32(0)).Store(&own); err == nil {
		signals.own = own
	}
	for _, match := range [][]dbus.MatchOption{
		{
			dbus.WithMatchInterface("org.freedesktop.DBus.Properties"), dbus.WithMatchMember("PropertiesChanged"),
			dbus.WithMatchPathNamespace(busPath + "/unit"), dbus.WithMatchArg(0, busName+".Unit"),
		},
		{dbus.WithMatchInterface(busName + ".Manager"), dbus.WithMatchMember("JobRemoved")},
		{dbus.WithMatchInterface(busName + ".Manager"), dbus.WithMatchMember("Reloading")},
	} {
		if err := conn.AddMatchSignalContext(ctx, append(match, dbus.WithMatchSender(busName))...); err != nil {
			return err
		}
	}
	if err := manager.CallWithContext(ctx, busName+".Manager.Subscribe", 0).Err; err != nil {
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
	if !strings.HasPrefix(string(signal.Path), string(busPath)) || signal.Path == s.own {
		return
	}
	if s.ignore != "" {
		if strings.HasPrefix(string(signal.Path), string(busPath)+"/unit/"+sd.PathBusEscape(s.ignore)) {
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
