package systemd

import (
	"errors"
	"testing"

	sd "github.com/coreos/go-systemd/v22/dbus"
	"github.com/godbus/dbus/v5"
	"github.com/google/go-cmp/cmp"

	"github.com/nbr-dev/nbr/verify/state"
)

// What systemd 262 said of a machine, and what it was asked then.
func TestConvertUnits(t *testing.T) {
	list := []sd.UnitStatus{
		{Name: "sshd.service", LoadState: "loaded", ActiveState: "active", SubState: "running"},
		{Name: "kea-dhcp4-server.service", LoadState: "loaded", ActiveState: "failed", SubState: "failed"},
		{Name: "restarting.service", LoadState: "loaded", ActiveState: "activating", SubState: "auto-restart"},
		{Name: "oneshot@x.service", LoadState: "loaded", ActiveState: "inactive", SubState: "dead"},
		{Name: "apparmor.service", LoadState: "not-found", ActiveState: "inactive", SubState: "dead"},
		{Name: "going.service", LoadState: "loaded", ActiveState: "deactivating", SubState: "stop"},
		{Name: "masked.service", LoadState: "masked", ActiveState: "inactive", SubState: "dead"},
		{Name: "nix-daemon.socket", LoadState: "loaded", ActiveState: "active", SubState: "listening"},
		{Name: "renewal.path", LoadState: "loaded", ActiveState: "failed", SubState: "failed"},
		{Name: "logrotate.timer", LoadState: "loaded", ActiveState: "active", SubState: "waiting"},
		{Name: "multi-user.target", LoadState: "loaded", ActiveState: "active", SubState: "active"},
		{Name: "nodot", LoadState: "loaded", ActiveState: "active"},
	}
	ask := func(unit, kind, property string) (any, error) {
		answers := map[string]any{
			"sshd.service Service Result": "success", "sshd.service Service NRestarts": uint32(0),
			"kea-dhcp4-server.service Service Result": "exit-code", "kea-dhcp4-server.service Service NRestarts": uint32(5),
			"restarting.service Service Result": "signal", "restarting.service Service NRestarts": uint32(2),
			"nix-daemon.socket Socket Result": "success", "logrotate.timer Timer Result": "success", "renewal.path Path Result": "unit-start-limit-hit",
		}
		if unit == "going.service" {
			return nil, dbus.Error{Name: "org.freedesktop.DBus.Error.UnknownObject"}
		}
		a, ok := answers[unit+" "+kind+" "+property]
		if !ok {
			t.Errorf("asked for %s of %s, a %s", property, unit, kind)
		}
		return a, nil
	}
	got, err := convertUnits(list, ask)
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]state.Unit{
		"sshd.service":             {Active: "active", Result: "success"},
		"kea-dhcp4-server.service": {Active: "failed", Result: "exit-code", Restarts: 5},
		"restarting.service":       {Active: "activating", Result: "signal", Restarts: 2},
		"oneshot@x.service":        {Active: "inactive"},
		"going.service":            {Active: "inactive"},
		"masked.service":           {Active: "inactive"},
		"nix-daemon.socket":        {Active: "active", Result: "success"},
		"renewal.path":             {Active: "failed", Result: "unit-start-limit-hit"},
		"logrotate.timer":          {Active: "active", Result: "success"},
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}

	got, err = convertUnits(list, func(string, string, string) (any, error) { return nil, errors.New("no answer") })
	if got != nil || err == nil {
		t.Errorf("no answer gives %v, %v", got, err)
	}
}
