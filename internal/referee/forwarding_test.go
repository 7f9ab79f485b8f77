package referee_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/nbr-dev/nbr/internal/nstest"
)

// TestForwardingGoesWithTheFirewall runs what the unit runs when it starts and when it stops,
// and looks that systemd stops it with the firewall.
func TestForwardingGoesWithTheFirewall(t *testing.T) {
	t.Parallel()
	g := spec(t, "bpi-r4")
	for _, key := range []string{"bindsTo", "after"} {
		units, _ := g.at("systemd", "services", "nbr-forwarding", key).([]any)
		if !slices.Contains(units, any("nftables.service")) {
			t.Errorf("%s is %v, without nftables.service", key, units)
		}
	}
	router := nstest.New(t, "router")
	for _, step := range []struct{ command, want string }{{"ExecStart", "1\n1\n"}, {"ExecStop", "0\n0\n"}} {
		line, _ := g.at("systemd", "services", "nbr-forwarding", "serviceConfig", step.command).(string)
		_, args, ok := strings.Cut(line, "/bin/sysctl ")
		if !ok {
			t.Fatalf("%s is %q", step.command, line)
		}
		router.Run(t, "sysctl", strings.Fields(args)...)
		if got := router.Run(t, "sysctl", "-n", "net.ipv4.conf.all.forwarding", "net.ipv6.conf.all.forwarding"); got != step.want {
			t.Errorf("after %s forwarding is %q", step.command, got)
		}
	}
}
