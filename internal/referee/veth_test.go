package referee_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/google/go-cmp/cmp"

	"github.com/nbr-dev/nbr/firmware"
	"github.com/nbr-dev/nbr/internal/lab"
	"github.com/nbr-dev/nbr/internal/nstest"
	"github.com/nbr-dev/nbr/service"
	"github.com/nbr-dev/nbr/service/all"
	"github.com/nbr-dev/nbr/verify"
	"github.com/nbr-dev/nbr/verify/observe/netstate"
	"github.com/nbr-dev/nbr/verify/state"
)

const pairOfLinks = `
veth "tap0" {
  peer = veth.tap1
  mac  = "02:00:00:00:00:0e"
  mtu  = 1400
}
veth "tap1" {
  peer = veth.tap0
}
bridge "br0" {
  ports = [port.lan1, veth.tap1]
}
network "tap" {
  link = veth.tap0
  ipv4 = "192.0.2.1/24"
}
zone "tap" {
  networks = [network.tap]
}
`

// failures are the checks about links and addresses that fail on a router, but for those that a
// veth which stands for a port cannot pass.
func failures(t *testing.T, plan *verify.Plan, router *nstest.NS) []string {
	t.Helper()
	var st state.State
	if err := within(router, func() error {
		n, err := netstate.Look(t.Context(), "", nil)
		st.Links, st.Addrs, st.Drivers = n.Links, n.Addrs, map[string]state.Driver{}
		for _, need := range plan.Needs() {
			if need.Kind == state.NeedDriver && err == nil {
				st.Drivers[need.Name], err = netstate.Driver(need.Name)
			}
		}
		return err
	}); err != nil {
		t.Fatal(err)
	}
	results, err := verify.Eval(plan, &st)
	if err != nil {
		t.Fatal(err)
	}
	var out []string
	for _, r := range results {
		if r.Status == verify.Fail && !strings.HasSuffix(r.ID, "/switch") && !strings.HasSuffix(r.ID, "/foreign/links") {
			out = append(out, fmt.Sprintf("%s: %s", r.ID, r.Got))
		}
	}
	return out
}

// A host behind a bridge reaches the router's address at the other end of a pair whose one end is
// a port of the bridge, and nbr verify finds when that end is another link's.
func TestVethPair(t *testing.T) {
	t.Parallel()
	g := fromText(t, pairOfLinks)
	reg := &service.Registry{Kinds: all.Kinds(), Boards: firmware.Boards()}
	spec, diags := reg.Load(fstest.MapFS{"router.hcl": {Data: []byte(template + pairOfLinks)}}, nil)
	if diags.HasErrors() {
		t.Fatal(diags)
	}
	ifstate := lab.IfState(t)
	ifstate.Ports = dsaPorts
	host := nstest.New(t, "host")
	router := board(t, map[string]*nstest.NS{"lan1": host})
	apply(t, ifstate, router, g)
	ip(t, host, "addr add 192.0.2.9/24 dev eth0\nlink set eth0 up\n")
	nstest.Wait(t, func() error {
		_, err := host.Try(t, "ping", "-c", "1", "-W", "1", "-M", "do", "-s", "1372", "192.0.2.1")
		return err
	})
	if got := failures(t, spec.Plan(), router); len(got) > 0 {
		t.Errorf("as IfState made it: %q", got)
	}

	ip(t, router, "link del tap0\nlink add tap0 address 02:00:00:00:00:0e mtu 1400 type veth peer name other\nlink set tap0 up\naddr add 192.0.2.1/24 dev tap0\nlink set other up\n")
	got := failures(t, spec.Plan(), router)
	want := []string{
		"bridge.br0/mtu: 1500", "bridge.br0/port/tap1: not there", "bridge.br0/port/tap1/up: not there", "bridge.br0/port/tap1/flags: not there",
		"veth.tap0/peer: other", "veth.tap1/peer: not there",
	}
	of := func(line string) bool {
		return !strings.HasPrefix(line, "veth.tap1/") || strings.HasPrefix(line, "veth.tap1/peer")
	}
	if d := cmp.Diff(want, slices.DeleteFunc(got, func(l string) bool { return !of(l) })); d != "" {
		t.Errorf("with another pair (-want +got):\n%s", d)
	}
}
