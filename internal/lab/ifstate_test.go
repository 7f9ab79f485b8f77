package lab_test

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/nbr-dev/nbr/internal/lab"
	"github.com/nbr-dev/nbr/internal/nstest"
)

const bridge = `
parameters: {}
interfaces:
  lo:
    addresses: [127.0.0.1/8, "::1/128"]
    link: {kind: physical, state: up}
  lan1:
    link: {kind: dsa, state: up, master: br-lan}
  lan2:
    link: {kind: dsa, state: up, master: br-lan}
  wan:
    addresses: [198.51.100.2/24]
    link: {kind: physical, state: up}
  br-lan:
    addresses: [192.0.2.1/24]
    link: {kind: bridge, state: up}
  v0:
    link: {kind: veth, state: up, peer: v1}
  v1:
    link: {kind: veth, state: up, peer: v0}
routing:
  routes:
    - {to: 0.0.0.0/0, via: 198.51.100.1, dev: wan}
`

func TestIfStateValidates(t *testing.T) {
	t.Parallel()
	ifstate := lab.IfState(t)
	if err := ifstate.Validate(t, bridge); err != nil {
		t.Error(err)
	}
	err := ifstate.Validate(t, strings.Replace(bridge, "master: br-lan", "mistress: br-lan", 1))
	if err == nil || !strings.Contains(err.Error(), "interfaces.lan1.link") {
		t.Errorf("the error does not name the place: %v", err)
	}
	const pattern = "parameters: {ignore: {ifname: ['[']}}\ninterfaces: {}\n"
	refused := ifstate.ValidateAll(t, []string{bridge, strings.Replace(bridge, "master: br-lan", "mistress: br-lan", 1), bridge, pattern, "{"})
	if len(refused) != 3 || !strings.Contains(fmt.Sprint(refused[1]), "interfaces.lan1.link") || refused[3] == nil || refused[4] == nil {
		t.Errorf("of several it refuses %v", refused)
	}
	if schema := ifstate.Schema(t); !json.Valid(schema) {
		t.Error("the schema is not JSON")
	}
}

func TestIfStateApplies(t *testing.T) {
	t.Parallel()
	ifstate := lab.IfState(t)
	ifstate.Ports = map[string]string{"lan1": "dsa", "lan2": "dsa"}
	router, peer := nstest.New(t, "router"), nstest.New(t, "peer")
	for _, port := range []string{"lan1", "lan2", "wan"} {
		nstest.Link(t, router, port, peer, port)
	}
	if changes := ifstate.Check(t, router, bridge); !slices.Contains(changes, "link add") {
		t.Errorf("nothing to do in a fresh namespace: %q", changes)
	}
	if _, err := router.Try(t, "ip", "link", "show", "br-lan"); err == nil {
		t.Error("a check has made the bridge")
	}
	ifstate.Apply(t, router, bridge)
	if got := router.Run(t, "ip", "-br", "link", "show", "master", "br-lan"); strings.Count(got, "lan") != 2 {
		t.Errorf("the ports of br-lan: %s", got)
	}
	// Made from the lab's machine-id and the name, so the same on every machine.
	if got := router.Run(t, "cat", "/sys/class/net/br-lan/address"); got != "ba:4a:0d:00:66:36\n" {
		t.Errorf("the address of br-lan: %s", got)
	}
	if got := router.Run(t, "ip", "route", "show", "default"); !strings.Contains(got, "via 198.51.100.1 dev wan") {
		t.Errorf("the default route: %s", got)
	}

	router.Run(t, "ip", "addr", "del", "192.0.2.1/24", "dev", "br-lan")
	if changes := ifstate.Check(t, router, bridge); !slices.Equal(changes, []string{"addresses + 192.0.2.1/24"}) {
		t.Errorf("what has gone: %q", changes)
	}
}
