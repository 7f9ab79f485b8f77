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

// Hosts of one VRF reach each other, by the policies and no others, and none that is elsewhere; a
// second run of IfState changes nothing, and nbr verify finds what another hand has changed.
func TestGuestVRF(t *testing.T) {
	config, err := os.ReadFile(vrfDir + "links")
	if err != nil {
		t.Fatal(err)
	}
	spec, diags := (&service.Registry{Kinds: all.Kinds(), Boards: firmware.Boards()}).Load(fstest.MapFS{"router.hcl": {Data: []byte(template + vrfSpec)}}, nil)
	if diags.HasErrors() {
		t.Fatal(diags)
	}
	plan := spec.Plan()
	hosts := map[string]*nstest.NS{}
	for _, name := range []string{"wan", "lan1", "lan2", "end1"} {
		hosts[name] = nstest.New(t, name)
	}
	router := board(t, hosts)
	for name, addr := range map[string][2]string{"wan": {"192.0.2.9", "192.0.2.1"}, "lan1": {"10.1.0.9", "10.1.0.1"}, "lan2": {"10.2.0.9", "10.2.0.1"}, "end1": {"10.3.0.9", "10.3.0.1"}} {
		ip(t, hosts[name], fmt.Sprintf("addr add %s/24 dev eth0\nlink set eth0 up\nroute add default via %s\n", addr[0], addr[1]))
	}
	ip(t, hosts["wan"], "link set lo up\naddr add 198.51.100.7/32 dev lo\n")
	router.Run(t, "sh", "-c", "echo 1 >/proc/sys/net/ipv4/conf/all/forwarding")
	ifstate := lab.GuestIfState(t)
	ifstate.Ports = dsaPorts
	applyConfig(t, ifstate, router, string(config))
	ip(t, router, "link set red alias customers\n") // as the unit does
	router.Run(t, "nft", "-f", vrfDir+"rules")
	t.Log(router.Run(t, "ip", "route", "show", "table", "10"))

	fails := func() []string {
		var st state.State
		if err := within(router, func() error {
			n, err := netstate.Look(t.Context(), "", nil)
			st.Links, st.Addrs, st.Routes = n.Links, n.Addrs, n.Routes
			if err == nil {
				st.Rules, err = netstate.Rules(t.Context())
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
			if r.Status == verify.Fail && !strings.HasSuffix(r.ID, "/switch") && !strings.HasSuffix(r.ID, "/mac") && !strings.HasSuffix(r.ID, "/foreign/links") {
				out = append(out, r.ID+": "+r.Got)
			}
		}
		return out
	}
	are := func(want ...string) error {
		if d := cmp.Diff(want, fails()); d != "" {
			return errors.New(d)
		}
		return nil
	}
	nstest.Wait(t, func() error { return are() })
	reaches := func(from, to string) error {
		_, err := hosts[from].Try(t, "ping", "-c", "1", "-W", "1", to)
		return err
	}
	nstest.Wait(t, func() error {
		return errors.Join(reaches("lan1", "192.0.2.9"), reaches("lan1", "198.51.100.7"), reaches("lan1", "10.1.0.1"), reaches("end1", "10.3.0.1"))
	})
	for _, way := range [][2]string{{"wan", "10.1.0.9"}, {"lan1", "10.2.0.9"}, {"lan1", "10.3.0.9"}, {"lan2", "192.0.2.9"}, {"end1", "192.0.2.9"}, {"lan2", "10.3.0.9"}} {
		if reaches(way[0], way[1]) == nil {
			t.Errorf("%s reaches %s", way[0], way[1])
		}
	}
	for _, tt := range []struct {
		change, back string
		want         []string
	}{
		{"route del 198.51.100.0/24 table 10", "route add 198.51.100.0/24 via 192.0.2.9 dev wan table 10", []string{"route.far/route/198.51.100.0/24: not there"}},
		{"route del unreachable default table 11 metric 4278198272", "route add unreachable default table 11 metric 4278198272", []string{"vrf.blue/route/0.0.0.0/0: not there"}},
	} {
		ip(t, router, tt.change+"\n")
		if err := are(tt.want...); err != nil {
			t.Errorf("%s (-want +got)\n%v", tt.change, err)
		}
		ip(t, router, tt.back+"\n")
	}
	ip(t, router, "link set lan2 nomaster\n")
	if got := fails(); len(got) == 0 || !strings.HasPrefix(got[0], "vrf.blue/port/lan2: ") {
		t.Errorf("a link that has left the VRF: %q", got)
	}
}
