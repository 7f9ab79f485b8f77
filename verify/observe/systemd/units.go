// Package systemd asks the first process of a machine for its units and its watchdog, and reads
// what it and its journal were told.
package systemd

import (
	"context"
	"errors"
	"strings"
	"sync"

	sd "github.com/coreos/go-systemd/v22/dbus"
	"github.com/godbus/dbus/v5"

	"github.com/nbr-dev/nbr/verify/observe/root"
	"github.com/nbr-dev/nbr/verify/state"
)

// unitTypes are the interfaces of org.freedesktop.systemd1(5) that have a Result.
var unitTypes = map[string]string{".path": "Path", ".service": "Service", ".socket": "Socket", ".timer": "Timer"}

// Units are those that systemd has loaded: those that are active, failed
// or wanted by one that is. It forgets the others, so one that is not there is not
// known or has nothing to tell.
func Units(ctx context.Context, r root.Root) (map[string]state.Unit, error) {
	conn, err := connect(ctx, r)
	if err != nil {
		return nil, err
	}
	defer conn.Close()

	list, err := conn.ListUnitsByPatternsContext(ctx, nil, []string{"*.path", "*.service", "*.socket", "*.timer"})
	if err != nil {
		return nil, err
	}
	return convertUnits(list, func(unit, kind, property string) (any, error) {
		p, err := conn.GetUnitTypePropertyContext(ctx, unit, kind, property)
		if err != nil {
			return nil, err
		}
		return p.Value.Value(), nil
	})
}

// convertUnits asks for the properties of all units at once: each answer is a
// millisecond of systemd's time at most, but there are many. An inactive unit has
// none that are of its present.
func convertUnits(list []sd.UnitStatus, ask func(unit, kind, property string) (any, error)) (map[string]state.Unit, error) {
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

func convertUnit(u sd.UnitStatus, kind string, ask func(unit, kind, property string) (any, error)) (state.Unit, error) {
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
