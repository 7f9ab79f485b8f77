package observe

import (
	"context"
	"errors"
	"os"
	"strconv"
	"strings"
	"sync"

	systemd "github.com/coreos/go-systemd/v22/dbus"
	"github.com/godbus/dbus/v5"

	"github.com/nbr-dev/nbr/verify/state"
)

// busSocket is DBUS_SYSTEM_BUS_DEFAULT_ADDRESS of the D-Bus specification, without
// /var, which is a link.
const busSocket = "/run/dbus/system_bus_socket"

// unitTypes are the interfaces of org.freedesktop.systemd1(5) that have a Result.
var unitTypes = map[string]string{".service": "Service", ".socket": "Socket", ".timer": "Timer"}

// units asks systemd for the units that it has loaded: those that are active, failed
// or wanted by one that is. It forgets the others, so one that is not there is not
// known or has nothing to tell.
func (l *looker) units(ctx context.Context) error {
	conn, err := systemd.NewConnection(func() (*dbus.Conn, error) { return dialBus(ctx, l.root().Path(busSocket)) })
	if err != nil {
		return err
	}
	defer conn.Close()

	list, err := conn.ListUnitsByPatternsContext(ctx, nil, []string{"*.service", "*.socket", "*.timer"})
	if err != nil {
		return err
	}
	l.st.Units, err = convertUnits(list, func(unit, kind, property string) (any, error) {
		p, err := conn.GetUnitTypePropertyContext(ctx, unit, kind, property)
		if err != nil {
			return nil, err
		}
		return p.Value.Value(), nil
	})
	return err
}

// dialBus connects to the bus until the context ends.
func dialBus(ctx context.Context, socket string, opts ...dbus.ConnOption) (*dbus.Conn, error) {
	c, err := dbus.Dial("unix:path="+dbus.EscapeBusAddressValue(socket), append(opts, dbus.WithContext(ctx))...)
	if err != nil {
		return nil, err
	}
	// By number: a name would be looked up through nsswitch.
	if err := c.Auth([]dbus.Auth{dbus.AuthExternal(strconv.Itoa(os.Getuid()))}); err != nil {
		return nil, errors.Join(err, c.Close())
	}
	if err := c.Hello(); err != nil {
		return nil, errors.Join(err, c.Close())
	}
	return c, nil
}

// convertUnits asks for the properties of all units at once: each answer is a
// millisecond of systemd's time at most, but there are many. An inactive unit has
// none that are of its present.
func convertUnits(list []systemd.UnitStatus, ask func(unit, kind, property string) (any, error)) (map[string]state.Unit, error) {
	out := map[string]state.Unit{}
	var mu sync.Mutex
	var wg sync.WaitGroup
	var errs error
	for _, u := range list {
		kind := unitTypes[u.Name[max(strings.LastIndexByte(u.Name, '.'), 0):]]
		// Not found: another unit names it, but it does not exist.
		if kind == "" || u.LoadState == "not-found" {
			continue
		}
		wg.Go(func() {
			unit, err := convertUnit(u, kind, ask)
			mu.Lock()
			defer mu.Unlock()
			out[u.Name], errs = unit, errors.Join(errs, err)
		})
	}
	wg.Wait()
	if errs != nil {
		return nil, errs
	}
	return out, nil
}

func convertUnit(u systemd.UnitStatus, kind string, ask func(unit, kind, property string) (any, error)) (state.Unit, error) {
	out := state.Unit{Active: u.ActiveState}
	if u.ActiveState == "inactive" {
		return out, nil
	}
	result, err := ask(u.Name, kind, "Result")
	if err == nil && kind == "Service" {
		var n any
		n, err = ask(u.Name, kind, "NRestarts")
		restarts, _ := n.(uint32)
		out.Restarts = int(restarts)
	}
	// It may have gone since the list was made, and systemd has then forgotten it.
	var gone dbus.Error
	if errors.As(err, &gone) && (gone.Name == "org.freedesktop.DBus.Error.UnknownObject" || gone.Name == "org.freedesktop.systemd1.NoSuchUnit") {
		return state.Unit{Active: "inactive"}, nil
	}
	out.Result, _ = result.(string)
	return out, err
}
