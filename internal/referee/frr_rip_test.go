package referee_test

import (
	"fmt"
	"testing"

	"github.com/nbr-dev/nbr/internal/lab"
)

// ripSpec is a router of two that exchange routes by RIP over lan2, and each has two networks more.
func ripSpec(own int, more string) string {
	return fmt.Sprintf(`
secret "site" { path = "/var/lib/secrets/site" }
network "core" {
  link = port.lan2
  ipv4 = "10.255.0.%[1]d/24"
}
network "lan" {
  link = port.lan1
  ipv4 = "10.%[1]d.0.1/24"
}
network "things" {
  link = port.lan3
  ipv4 = "10.%[1]d.1.1/24"
}
zone "all" { networks = [network.core, network.lan, network.things] }
rip {
  networks = [network.core]
  passive  = [network.lan, network.things]
  password = secret.site
  expect   = 2
}
`, own) + more
}

var ripKeys = lab.Files{"/var/lib/secrets/site": "0123456789abcd$%\n"}

// Two routers tell each other their networks by RIP, through their firewalls, and IfState leaves the
// routes alone. Then one thing after the other is otherwise, each red at its own line.
func TestFRRRIP(t *testing.T) {
	t.Parallel()
	two := pairWith(t, ripKeys, ripSpec(1, ""), ripSpec(2, otherMACs))
	a, b := two[0], two[1]
	a.becomes(t)
	b.becomes(t)
	for r, want := range map[*frrRouter]string{a: "10.2.0.0/24 10.2.1.0/24", b: "10.1.0.0/24 10.1.1.0/24"} {
		r.apply(t)
		if got := routesOf(t, r.NS, "rip"); got != want {
			t.Errorf("routes of RIP are %s, want %s", got, want)
		}
	}

	a.vtysh(t, "configure", "router rip", "no passive-interface lan3", "no network lan1")
	a.vtysh(t, "configure", "interface lan2", "no ip rip authentication key-chain rip")
	a.becomes(t, "rip/authentication/network.core fail: no key chain", "rip/passive/network.lan fail: lan1 is not in RIP", "rip/passive/network.things fail: active, version 2")
}
