//go:build guest

package referee_test

import (
	"os"
	"strings"
	"syscall"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/nbr-dev/nbr/firmware"
	"github.com/nbr-dev/nbr/internal/lab"
	"github.com/nbr-dev/nbr/internal/nstest"
	"github.com/nbr-dev/nbr/service"
	"github.com/nbr-dev/nbr/service/all"
)

// The router of testdata/routers/ds-lite has an address of IPv6 that its provider gives it, and IPv4
// through the tunnel to the AFTR, which translates for it. When the router gets another address,
// and the AFTR hears of it, connections go on.
func TestGuestDSLite(t *testing.T) {
	provider, client, internet := nstest.New(t, "provider"), nstest.New(t, "client"), nstest.New(t, "internet")
	router := boardOf(t, map[string]cable{"wan": {provider, "line"}, "lan1": {client, "eth0"}})
	nstest.Link(t, provider, "core", internet, "eth0")
	ip(t, provider, `addr add 2001:db8:1::1/64 dev line nodad
addr add 2001:db8:c001::1/128 dev lo
addr add 203.0.113.1/24 dev core
link add aftr type ip6tnl mode ipip6 local 2001:db8:c001::1 remote 2001:db8:1::2 encaplimit none
link set aftr up
addr add 192.0.0.1/29 dev aftr
route add 192.168.1.0/24 dev aftr
`)
	provider.Run(t, "nft", "add table ip nat; add chain ip nat out { type nat hook postrouting priority srcnat; }; add rule ip nat out oifname core masquerade")
	ip(t, internet, "addr add 203.0.113.80/24 dev eth0\n")
	ip(t, client, "addr add 192.168.1.5/24 dev eth0\nroute add default via 192.168.1.1\n")
	for _, ns := range []*nstest.NS{provider, router} {
		ns.Run(t, "sh", "-c", "echo 1 >/proc/sys/net/ipv4/conf/all/forwarding")
	}
	config, err := os.ReadFile(dsliteDir + "links")
	if err != nil {
		t.Fatal(err)
	}
	ifstate := lab.GuestIfState(t)
	ifstate.Ports = dsaPorts
	applyConfig(t, ifstate, router, string(config))
	router.Run(t, "nft", "-f", dsliteDir+"rules")
	spec, diags := (&service.Registry{Kinds: all.Kinds(), Boards: firmware.Boards()}).Load(os.DirFS(dsliteDir+"spec"), nil)
	if diags.HasErrors() {
		t.Fatal(diags)
	}
	plan := spec.Plan()
	tunnel := func() (failed []string) {
		all, _ := ofLinks(t, plan, router)
		for _, f := range all {
			if strings.HasPrefix(f, "ip6tnl.dslite") {
				failed = append(failed, f)
			}
		}
		return failed
	}
	if d := cmp.Diff([]string{"ip6tnl.dslite/local: none"}, tunnel()); d != "" {
		t.Errorf("before the unit has run: %s", d)
	}
	unit := start(t, router, "/run/end.log", "bash", "-e", dsliteDir+"end")
	defer unit.stop()

	leased := func(address string) {
		moves(t, router, "wan", address+"/64")
		ip(t, router, "route replace default via 2001:db8:1::1 dev wan proto ra metric 1024\n")
		ip(t, provider, "link set aftr type ip6tnl mode ipip6 local 2001:db8:c001::1 remote "+address+" encaplimit none\n")
		nstest.Wait(t, func() error {
			_, err := client.Try(t, "ping", "-c1", "-W5", "203.0.113.80")
			return err
		})
	}
	leased("2001:db8:1::2")
	echo(t, internet, 80)
	web := dial(t, client, "203.0.113.80:80")
	web.says(t, "one")
	leased("2001:db8:1::3")
	web.says(t, "two")

	if failed := tunnel(); len(failed) > 0 {
		t.Errorf("%q", failed)
	}

	_ = syscall.Kill(-unit.Process.Pid, syscall.SIGSTOP) // once a minute it would mend that
	by(t, router, "link set dslite type ip6tnl mode ipip6 local 2001:db8:1::9 remote 2001:db8:c001::1")
	if d := cmp.Diff([]string{"ip6tnl.dslite/local: 2001:db8:1::9"}, tunnel()); d != "" {
		t.Errorf("with another end: %s", d)
	}
	_ = syscall.Kill(-unit.Process.Pid, syscall.SIGCONT)
	leased("2001:db8:1::3") // any news of an address
	if failed := tunnel(); len(failed) > 0 {
		t.Errorf("mended: %q", failed)
	}
}
