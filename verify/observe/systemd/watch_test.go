package systemd

import (
	"testing"

	"github.com/godbus/dbus/v5"
)

func TestOwnUnitsAreNoNews(t *testing.T) {
	job := func(unit string) *dbus.Signal {
		return &dbus.Signal{Path: busPath, Body: []any{uint32(1), busPath + "/job/1", unit, "done"}}
	}
	own := busPath + "/unit/nbr_2dagent_2eservice"
	for name, c := range map[string]struct {
		signal *dbus.Signal
		news   bool
	}{
		"the bus":           {&dbus.Signal{Path: "/org/freedesktop/DBus"}, false},
		"itself":            {&dbus.Signal{Path: own}, false},
		"who looks for it":  {&dbus.Signal{Path: busPath + "/unit/nbr_2dlook_401_2d5_2d0_2eservice"}, false},
		"its job":           {job("nbr-look@1-5-0.service"), false},
		"a daemon":          {&dbus.Signal{Path: busPath + "/unit/sshd_2eservice"}, true},
		"a daemon's job":    {job("sshd.service"), true},
		"a reload":          {&dbus.Signal{Path: busPath, Body: []any{true}}, true},
		"a name like these": {&dbus.Signal{Path: busPath + "/unit/nbr_2dverify_2eservice"}, true},
	} {
		n := 0
		s := &unitSignals{own: own, ignore: "nbr-look", poke: func() { n++ }}
		s.DeliverSignal("", "", c.signal)
		if (n == 1) != c.news {
			t.Errorf("%s: %d events", name, n)
		}
	}
}
