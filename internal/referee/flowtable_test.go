package referee_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/nbr-dev/nbr/internal/lab"
	"github.com/nbr-dev/nbr/internal/nstest"
)

// Flow offload has a table and a unit of its own, for the links must be there. This kernel has
// no flowtables, so it is nft that judges here, as far as it does without the kernel's word.
func TestFlowtable(t *testing.T) {
	t.Parallel()
	g := spec(t, "quiet")
	rules := flowtable(t, g)
	for _, want := range []string{`"br-lan"`, `"lan2"`, `"wan"`} {
		if !strings.Contains(rules, want) {
			t.Errorf("%s is not offloaded:\n%s", want, rules)
		}
	}
	after, bound := g.list(t, "systemd", "services", "nbr-flowtable", "after"), g.list(t, "systemd", "services", "nbr-flowtable", "bindsTo")
	if !slices.Contains(after, "ifstate.service") || !slices.Contains(after, "nftables.service") || !slices.Contains(bound, "nftables.service") {
		t.Errorf("the unit starts after %q and goes with %q", after, bound)
	}
	if none := flowtable(t, fromText(t, vrfOnly)); strings.Contains(none, "devices") {
		t.Errorf("what is in a VRF is offloaded:\n%s", none)
	}
	router, other := nstest.New(t, "router"), nstest.New(t, "other")
	for _, port := range []string{"br-lan", "lan2", "wan"} {
		nstest.Link(t, router, port, other, port)
	}
	root := lab.Rootfs(t, lab.Files{"/tmp/flow.nft": rules, "/tmp/none.nft": flowtable(t, fromText(t, vrfOnly)), "/tmp/bad.nft": strings.Replace(rules, "flow add", "flow ad", 1)})
	for name, run := range map[string]func(file string) error{
		"the router's nft": func(file string) error {
			_, err := root.Try(t, router, "nft", "-c", "-f", file)
			return err
		},
		"the machine's nft": func(file string) error {
			_, err := router.Try(t, "nft", "-c", "-f", root.Path(file))
			return err
		},
	} {
		for _, file := range []string{"/tmp/flow.nft", "/tmp/none.nft"} {
			if err := run(file); err != nil && !strings.Contains(err.Error(), "Could not process rule") {
				t.Errorf("%s: %s: %v", name, file, err)
			}
		}
		if err := run("/tmp/bad.nft"); err == nil || strings.Contains(err.Error(), "Could not process rule") {
			t.Errorf("%s takes anything: %v", name, err)
		}
	}
	if got := g.text(t, "systemd", "services", "nbr-flowtable", "serviceConfig", "ExecStop"); !strings.HasSuffix(got, "/nft destroy table inet nbr-flow") {
		t.Errorf("the unit stops with %q", got)
	}
}

// vrfOnly is a router of which every network is in a VRF: its flowtable has no devices.
const vrfOnly = `
vrf "red" {
  ports = [port.wan, port.lan1]
  table = 10
}
network "out" {
  link = port.wan
  ipv4 = "192.0.2.1/24"
}
network "in" {
  link = port.lan1
  ipv4 = "10.1.0.1/24"
}
zone "red" {
  networks = [network.out, network.in]
}
firewall {
  flow_offload = true
}
`

// flowtable is the ruleset of the flowtable, which its unit loads.
func flowtable(t *testing.T, g *generated) string {
	t.Helper()
	start := g.text(t, "systemd", "services", "nbr-flowtable", "serviceConfig", "ExecStart")
	rules, ok := strings.CutPrefix(start, "/nix/store/nftables/bin/nft -f text:")
	if !ok {
		t.Fatalf("the unit starts %q", start)
	}
	return rules
}
