package lab_test

import (
	"strings"
	"testing"

	"github.com/nbr-dev/nbr/internal/lab"
)

const probeUnit = `[Service]
Type=oneshot
RemainAfterExit=yes
ExecStart=/bin/sh -c 'ip -br addr show lan1 >/run/probe'
`

func TestAMachineBoots(t *testing.T) {
	t.Parallel()
	router, client, _ := network(t)
	m := lab.Boot(t, router, lab.Files{
		"/etc/hostname":                     "bench-b\n",
		"/etc/systemd/system/probe.service": probeUnit,
	}, "probe.service")
	for _, c := range []struct{ name, want, script string }{
		{"process 1", "systemd\n", "cat /proc/1/comm"},
		{"host name", "bench-b\n", "hostname"},
		{"units have the namespace's links", "lan1\n", "cut -d@ -f1 /run/probe"},
		// Looked at and not tried: should it be wrong, the test would set the computer's clock.
		{"the computer's clock cannot be set", "0\n0\n", "for p in 1 self; do echo $((0x$(awk '/CapBnd/ { print $2 }' /proc/$p/status) >> 25 & 1)); done"},
		{"nor its parameters", "refused\n", "(echo x >/proc/sys/kernel/core_pattern) 2>/dev/null || echo refused"},
		{"but not the network's", "1\n", "sysctl -qw net.ipv4.ip_forward=1; sysctl -n net.ipv4.ip_forward"},
		{"root of the control groups", "0::/init.scope\n", "grep ^0: /proc/1/cgroup"},
	} {
		if got := m.Run(t, "sh", "-c", c.script); got != c.want {
			t.Errorf("%s: %q, want %q", c.name, got, c.want)
		}
	}
	client.Run(t, "ping", "-c1", "-W2", "192.0.2.1")
}

// What a unit says when it fails is in the error, and nothing of it outlives the machine.
func TestAMachineSaysWhatFails(t *testing.T) {
	t.Parallel()
	router, _, _ := network(t)
	m := lab.Boot(t, router, lab.Files{
		"/etc/systemd/system/broken.service": "[Service]\nType=oneshot\nExecStart=/bin/sh -c 'echo it is the cable; exit 7'\n",
		"/etc/systemd/system/stays.service":  "[Service]\nExecStart=/bin/sh -c 'trap \"\" TERM; while :; do sleep 100; done'\n",
	})
	m.Systemctl(t, "start", "stays.service")
	if _, err := m.Try(t, "systemctl", "start", "broken.service"); err == nil || strings.Contains(err.Error(), "nsenter") {
		t.Errorf("the error is %v", err)
	}
	if got := m.Journal(t, "broken.service"); !strings.Contains(got, "it is the cable") || !strings.Contains(got, "status=7") {
		t.Errorf("the journal has not what the unit said: %q", got)
	}
}
