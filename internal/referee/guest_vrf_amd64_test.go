//go:build guest

package referee_test

import (
	"errors"
	"fmt"
	"os"
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
	ip(t, hosts["wan"], "link set lo up\naddr add 198.51.100.7/32 dev lo\naddr add 2001:db8:2::9/64 dev eth0 nodad\nroute add default via 2001:db8:2::1\n")
	ip(t, hosts["lan1"], "addr add 2001:db8:1::9/64 dev eth0 nodad\nroute add default via 2001:db8:1::1\n")
	router.Run(t, "sh", "-c", "echo 1 >/proc/sys/net/ipv4/conf/all/forwarding; echo 1 >/proc/sys/net/ipv6/conf/all/forwarding")
	ifstate := lab.GuestIfState(t)
	ifstate.Ports = dsaPorts
	applyConfig(t, ifstate, router, string(config))
	ip(t, router, "link set red alias customers\n") // as the unit does
	router.Run(t, "nft", "-f", vrfDir+"rules")

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
		got := fails()
		slices.Sort(want)
		slices.Sort(got)
		if d := cmp.Diff(want, got); d != "" {
			return errors.New(d)
		}
		return nil
	}
	nstest.Wait(t, func() error { return are() })

	reaches := func(from, to string) error {
		_, err := hosts[from].Try(t, "ping", "-n", "-c", "1", "-W", "1", to)
		return err
	}
	nstest.Wait(t, func() error {
		return errors.Join(reaches("lan1", "192.0.2.9"), reaches("lan1", "198.51.100.7"), reaches("lan1", "2001:db8:2::9"),
			reaches("lan1", "10.1.0.1"), reaches("wan", "2001:db8:2::1"),
			reaches("wan", "2001:db8:1::9"), // ping_hosts
			reaches("end1", "10.3.0.1"))
	})
	// To the last one there is a route, and no policy.
	for _, way := range [][2]string{{"lan1", "10.2.0.9"}, {"lan1", "10.3.0.9"}, {"lan2", "192.0.2.9"}, {"end1", "192.0.2.9"}, {"lan2", "10.3.0.9"}, {"wan", "10.1.0.9"}} {
		if reaches(way[0], way[1]) == nil {
			t.Errorf("%s reaches %s", way[0], way[1])
		}
	}

	// A flow is let pass by its first packet, and its answers are: the server sees the router's address, and
	// what has a port there from elsewhere gets nowhere.
	taken := echo(t, hosts["wan"], 7)
	dial(t, hosts["lan1"], "192.0.2.9:7").says(t, "hello")
	if from := (<-taken).RemoteAddr().String(); !strings.HasPrefix(from, "192.0.2.1:") {
		t.Errorf("the server sees %s", from)
	}
	// Of its own address a host says nothing else, within the VRF either.
	spoofed := func() string {
		_, count, _ := strings.Cut(router.Run(t, "nft", "list", "chain", "inet", "nbr", "anti_spoof"), "missing counter packets ")
		count, _, _ = strings.Cut(count, " ")
		return count
	}
	before := spoofed()
	ip(t, hosts["lan1"], "addr add 192.0.2.77/32 dev eth0\n")
	if _, err := hosts["lan1"].Try(t, "ping", "-n", "-c", "1", "-W", "1", "-I", "192.0.2.77", "198.51.100.7"); err == nil {
		t.Error("a host of lan1 has an address of wan")
	}
	if after := spoofed(); after == before {
		t.Errorf("anti_spoof has dropped %s packets, and as many before", after)
	}

	for _, tt := range []struct {
		change, back string
		want         []string
	}{
		{"route del 198.51.100.0/24 table 10", "route add 198.51.100.0/24 via 192.0.2.9 dev wan table 10", []string{"route.far/route/198.51.100.0/24: not there"}},
		{"route del unreachable default table 11 metric 4278198272", "route add unreachable default table 11 metric 4278198272", []string{"vrf.blue/route/0.0.0.0/0: not there"}},
		{"route del 10.2.0.0/24 dev lan2 table 11", "route add 10.2.0.0/24 dev lan2 table 11 proto kernel scope link src 10.2.0.1", []string{"vrf.blue/connected/10.2.0.0/24: not there"}},
		{"link set blue down", "link set blue up", []string{"vrf.blue/up: down"}},
		{"link set blue mtu 1500", "link set blue mtu 65535", []string{"vrf.blue/mtu: 1500"}},
		{"addr add 10.9.0.1/24 dev red", "addr del 10.9.0.1/24 dev red", []string{"interfaces/foreign/addresses: 10.9.0.1/24 on red"}},
		{"route add 10.9.0.0/24 via 10.1.0.9 table 10", "route del 10.9.0.0/24 table 10", []string{"interfaces/foreign/routes: 10.9.0.0/24 via 10.1.0.9 dev lan1 table 10 proto boot"}},
		{"link set lan2 nomaster", "link set lan2 master blue", []string{"vrf.blue/port/lan2: ", "vrf.blue/connected/10.2.0.0/24: not there"}},
	} {
		for line := range strings.Lines(tt.change) {
			if out, err := router.Try(t, "sh", "-c", "ip "+line); err != nil {
				t.Errorf("%s: %v %s", line, err, out)
			}
		}
		if err := are(tt.want...); err != nil {
			t.Errorf("%s (-want +got)\n%v", tt.change, err)
		}
		for line := range strings.Lines(tt.back) {
			if out, err := router.Try(t, "sh", "-c", "ip "+line); err != nil {
				t.Errorf("%s: %v %s", line, err, out)
			}
		}
	}

	// One that is gone is so in all that it promises, and the others are not touched.
	ip(t, router, "link del blue\n")
	got := fails()
	if slices.ContainsFunc(got, func(line string) bool { return !strings.HasPrefix(line, "vrf.blue/") }) {
		t.Errorf("without vrf.blue: %q", got)
	}
	for _, line := range []string{"vrf.blue/kind: not there", "vrf.blue/up: not there", "vrf.blue/table: not there", "vrf.blue/port/lan2: "} {
		if !slices.Contains(got, line) {
			t.Errorf("without vrf.blue there is no %q: %q", line, got)
		}
	}
	ip(t, router, "link add blue mtu 65535 type vrf table 12\nlink set blue up\nlink set lan2 master blue\n")
	want := []string{"vrf.blue/table: 12", "vrf.blue/connected/10.2.0.0/24: not there"}
	if err := are(want...); err != nil {
		t.Errorf("vrf.blue with another table (-want +got)\n%v", err)
	}

	// These come last: the kernel adds the rules with the first VRF only, and busybox cannot.
	for _, f := range []struct{ flag, family string }{{"-4", "ipv4"}, {"-6", "ipv6"}} {
		router.Run(t, "ip", f.flag, "rule", "del", "pref", "1000")
		want = append(want, "vrf.red/rule/"+f.family+": not there", "vrf.blue/rule/"+f.family+": not there")
		if err := are(want...); err != nil {
			t.Errorf("without the rule of %s (-want +got)\n%v", f.family, err)
		}
	}
}
