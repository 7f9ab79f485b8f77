package referee_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/nbr-dev/nbr/internal/lab"
	"github.com/nbr-dev/nbr/internal/nstest"
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
	for _, r := range two {
		r.vtysh(t, "configure", "router rip", "timers basic 5 30 10") // in place of 30, 180 and 120 s
	}
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
	a.vtysh(t, "configure", "router rip", "passive-interface lan3", "network lan1")
	a.vtysh(t, "configure", "interface lan2", "ip rip authentication key-chain rip")
	a.becomes(t)

	// Another password: its packets are heard of and not taken.
	b.vtysh(t, "configure", "key chain rip", "key 1", "key-string other")
	nstest.Wait(t, func() error {
		got := strings.Join(a.wrong(t), "\n")
		if !strings.HasPrefix(got, "rip/heard/network.core fail: 10.255.0.2 with ") || !strings.HasSuffix(got, " bad packets and no route\nrip/routes fail: 0 routes") {
			return errors.New(got)
		}
		return nil
	})
	if got := b.wrong(t); !slices.Contains(got, "rip/password fail: another password") {
		t.Errorf("of the branch these are wrong: %q", got)
	}

	// mgmtd has the key chain, and without it the password is not known.
	b.signal(t, "STOP", "watchfrr") // it would start another one
	b.signal(t, "KILL", "mgmtd")
	if got := b.wrong(t); !slices.Contains(got, "rip/password unknown: could not ask: mgmtd does not run") {
		t.Errorf("without mgmtd these are wrong: %q", got)
	}
}
