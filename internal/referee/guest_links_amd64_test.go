//go:build guest

package referee_test

import (
	"errors"
	"fmt"
	"os"
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

// ofLinks are the failed checks of links and addresses on a router, and how many passed.
func ofLinks(t *testing.T, plan *verify.Plan, router *nstest.NS) (failed []string, passed int) {
	t.Helper()
	var st state.State
	if err := within(router, func() error {
		n, err := netstate.Look(t.Context(), "", nil)
		st.Links, st.Addrs = n.Links, n.Addrs
		return err
	}); err != nil {
		t.Fatal(err)
	}
	results, err := verify.Eval(plan, &st)
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range results {
		switch r.Status {
		case verify.Pass:
			passed++
		case verify.Fail:
			// A port of this machine is a veth, which is no switch's, and whose MAC has no origin; and no
			// server leases an address here.
			if !strings.HasSuffix(r.ID, "/switch") && !strings.HasSuffix(r.ID, "/foreign/links") && !strings.HasPrefix(r.ID, "network.later/") && r.ID != "ip6tnl.tnl3/local" {
				failed = append(failed, fmt.Sprintf("%s: %s", r.ID, r.Got))
			}
		case verify.Unknown, verify.Skip:
		}
	}
	return failed, passed
}

// by changes links as a hand would: with bridge(8) what begins so, else with ip(8).
func by(t *testing.T, ns *nstest.NS, change string) {
	t.Helper()
	if strings.HasPrefix(change, "bridge ") {
		words := strings.Fields(change)
		ns.Run(t, words[0], words[1:]...)
		return
	}
	ip(t, ns, change+"\n")
}

// IfState makes every kind of link of a spec, a second run has nothing to do, and nbr verify
// finds what was made; then it finds what another hand has changed.
func TestGuestLinkKinds(t *testing.T) {
	config, err := os.ReadFile(linkKindsFile)
	if err != nil {
		t.Fatal(err)
	}
	reg := &service.Registry{Kinds: all.Kinds(), Boards: firmware.Boards()}
	spec, diags := reg.Load(fstest.MapFS{"router.hcl": {Data: []byte(template + linkKinds)}}, nil)
	if diags.HasErrors() {
		t.Fatal(diags)
	}
	plan := spec.Plan()

	// A switch that speaks LACP.
	far := nstest.New(t, "far")
	router := boardOf(t, map[string]cable{"end1": {far, "one"}, "end2": {far, "two"}})
	ip(t, far, `link set one down
link set two down
link add agg type bond mode 802.3ad miimon 50 lacp_rate fast
link set one master agg
link set two master agg
link set agg up
`)
	ifstate := lab.GuestIfState(t)
	ifstate.Ports = dsaPorts
	applyConfig(t, ifstate, router, string(config))
	nstest.Wait(t, func() error { // both ends have to agree first
		failed, passed := ofLinks(t, plan, router)
		if len(failed) > 0 || passed < 40 {
			return fmt.Errorf("%d pass, and these fail:\n%s", passed, strings.Join(failed, "\n"))
		}
		return nil
	})

	for _, tt := range []struct{ change, back, want string }{
		{"link set bond0 type bond xmit_hash_policy layer2", "link set bond0 type bond xmit_hash_policy layer3+4", "bond.bond0/hash: layer2"},
		{"link set bond0 type bond min_links 1", "link set bond0 type bond min_links 2", "bond.bond0/min_links: 1"},
		{"link set bond0 type bond miimon 200", "link set bond0 type bond miimon 100", "bond.bond0/miimon: 200"},
		{"link set spare type bond miimon 0", "link set spare type bond miimon 100", "bond.spare/miimon: 0"},
		{"link set dev service0 carrier off", "link set dev service0 carrier on", "dummy.service0/carrier: not connected"},
		{"link set service0 mtu 1500", "link set service0 mtu 9000", "dummy.service0/mtu: 1500"},
		{"link set vx1 type vxlan id 1 remote 192.0.2.3 dev storage", "link set vx1 type vxlan id 1 remote 192.0.2.2 dev storage", "vxlan.vx1/remote: 192.0.2.3"},
		{"link set d0 nomaster", "link set d0 master br0", "bridge.br0/port/d0: "},
		{"bridge vlan add dev wan vid 12", "bridge vlan del dev wan vid 12", "bridge.sw0/port/wan/tagged: 12"},
		{"bridge vlan add dev wan vid 10 untagged pvid", "bridge vlan add dev wan vid 11 untagged pvid", "bridge.sw0/port/wan/pvid: 10"},
		{"bridge vlan add dev d1 vid 1 untagged", "bridge vlan add dev d1 vid 1 pvid untagged", "bridge.sw0/port/d1/pvid: none"},
		{"bridge vlan del dev d1 vid 30", "bridge vlan add dev d1 vid 30", "bridge.sw0/port/d1/tagged: 10-11, 20-29, 31-49"},
		{"bridge vlan del dev sw0 vid 10 self", "bridge vlan add dev sw0 vid 10 self", "vlan.sw10/bridge: not there"},
		{"bridge vlan add dev sw0 vid 10 self untagged", "bridge vlan add dev sw0 vid 10 self", "vlan.sw10/bridge: without a tag"},
		{"bridge vlan add dev sw0 vid 99 self", "bridge vlan del dev sw0 vid 99 self", "bridge.sw0/vlans: 99"},
		{"bridge vlan add dev sw0 vid 1 self untagged", "bridge vlan add dev sw0 vid 1 self pvid untagged", "bridge.sw0/pvid: none"},
		{"link set sw0 type bridge vlan_filtering 0", "link set sw0 type bridge vlan_filtering 1", "bridge.sw0/filtering: off"},
		{"tunnel change gre1 mode gre local 192.0.2.1 remote 192.0.2.9", "tunnel change gre1 mode gre local 192.0.2.1 remote 192.0.2.7", "gre.gre1/remote: 192.0.2.9"},
		{"tunnel change gre2 mode gre local 192.0.2.1 remote 203.0.113.77", "tunnel change gre2 mode gre local any remote 203.0.113.77", "gre.gre2/local: 192.0.2.1"},
		{"tunnel change sit2 mode sit local 192.0.2.1 remote 203.0.113.77", "tunnel change sit2 mode sit local any remote 203.0.113.77", "sit.sit2/local: 192.0.2.1"},
		{"link set sit1 mtu 1300", "link set sit1 mtu 1380", "sit.sit1/mtu: 1300"},
		{"link set tnl1 type ip6tnl mode any local 2001:db8::1 remote 2001:db8::7", "link set tnl1 type ip6tnl mode ipip6 local 2001:db8::1 remote 2001:db8::7", "ip6tnl.tnl1/mode: any"},
		{"link set tnl2 type ip6tnl mode any local 2001:db8::1 remote 2001:db8::9", "link set tnl2 type ip6tnl mode any local 2001:db8::1 remote 2001:db8::8", "ip6tnl.tnl2/remote: 2001:db8::9"},
	} {
		by(t, router, tt.change)
		nstest.Wait(t, func() error {
			failed, _ := ofLinks(t, plan, router)
			if tt.want == "bridge.br0/port/d0: " { // as no port it has no flags either
				failed = failed[:min(len(failed), 1)]
			}
			if d := cmp.Diff([]string{tt.want}, failed); d != "" {
				return errors.New(tt.change + ": " + d)
			}
			return nil
		})
		by(t, router, tt.back)
	}
	// The other end takes one of the ports into a group of its own.
	ip(t, far, `link set two nomaster
link add apart type bond mode 802.3ad miimon 50 lacp_rate fast
link set two down
link set two master apart
link set apart up
`)
	nstest.Wait(t, func() error {
		failed, _ := ofLinks(t, plan, router)
		if len(failed) == 0 || !strings.HasPrefix(failed[0], "bond.bond0/partner: ") || !strings.Contains(failed[0], " on others than end") {
			return fmt.Errorf("a port at another machine: %q", failed)
		}
		return nil
	})
}
