package observe

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/nbr-dev/nbr/internal/lab"
	"github.com/nbr-dev/nbr/internal/nstest"
	"github.com/nbr-dev/nbr/verify/state"
)

// boot is the way of a container manager, without one: its own control groups, and
// what systemd wants to find mounted.
const boot = `mount -t cgroup2 cgroup2 /sys/fs/cgroup
mkdir -p /run/systemd/system
cat >/run/systemd/system/breaks.service <<X
[Service]
ExecStart=/bin/false
Restart=on-failure
RestartSec=10ms
StartLimitBurst=3
X
for n in sleeps sleeps2; do
cat >/run/systemd/system/$n.service <<X
[Service]
ExecStart=/bin/sleep infinity
X
done
cat >/run/systemd/system/kills.service <<X
[Service]
ExecStart=/bin/systemctl kill -s KILL dbus.service
X
cat >/run/systemd/system/lab.target <<X
[Unit]
Requires=dbus.socket dbus.service
After=dbus.service
Wants=breaks.service absent.service
X
exec env -i container=lab PATH=/usr/sbin:/usr/bin /usr/lib/systemd/systemd --system --unit=lab.target`

func TestUnitsOfARealSystemd(t *testing.T) {
	ns := nstest.New(t, "router")
	root := lab.Rootfs(t, nil)
	d := root.Daemon(t, ns, "unshare", "--cgroup", "sh", "-ec", boot)
	var st *state.State
	d.Ready(t, func() error {
		st = look(context.WithoutCancel(t.Context()), Options{Root: root.Path("/")}, only("units"))
		if why := st.Missed["units"]; why != "" {
			return errors.New(why)
		}
		if u := st.Units["breaks.service"]; u.Active != "failed" {
			return errors.New("breaks.service is " + u.Active)
		}
		return nil
	})
	want := map[string]state.Unit{
		"breaks.service": {Active: "failed", Result: "start-limit-hit", Restarts: 3},
		"dbus.service":   {Active: "active", Result: "success"},
		"dbus.socket":    {Active: "active", Result: "success"},
	}
	for name, u := range want {
		if d := cmp.Diff(u, st.Units[name]); d != "" {
			t.Errorf("%s: %s", name, d)
		}
	}
	if u, ok := st.Units["absent.service"]; ok {
		t.Errorf("absent.service is there: %+v", u)
	}
	for name := range st.Units {
		if strings.HasSuffix(name, ".target") {
			t.Errorf("%s is no service", name)
		}
	}
}
