package referee_test

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/nbr-dev/nbr/internal/lab"
	"github.com/nbr-dev/nbr/internal/nstest"
)

const routingRouter = `
router "r" {
  board         = "bananapi-bpir4"
  memory        = "4GiB"
  state_version = "26.05"
  console_only  = true
  name_servers  = ["9.9.9.9"]
}
network "lan" {
  link = port.lan1
  ipv4 = "10.1.0.1/24"
  ipv6 = "2001:db8:1::1/64"
}
network "guests" {
  link = port.lan2
  ipv4 = "10.2.0.1/24"
  ipv6 = "2001:db8:2::1/64"
}
network "lte" {
  link = port.lan3
  ipv4 = "10.3.0.1/24"
  ipv6 = "2001:db8:3::1/64"
}
network "wan" {
  link     = port.wan
  ipv4     = "192.0.2.2/24"
  gateway  = "192.0.2.1"
  ipv6     = "2001:db8:f::2/64"
  gateway6 = "2001:db8:f::1"
}
zone "home" { networks = [network.lan, network.guests] }
zone "world" { networks = [network.wan, network.lte] }
policy "out" {
  from   = [zone.home]
  to     = [zone.world, zone.home]
  action = "accept"
}
host "tv" {
  network = network.lan
  ipv4    = "10.1.0.50"
  ipv6    = "::50"
}
rule "tv" {
  priority = 20000
  from     = host.tv
  table    = 20
}
rule "guests" {
  priority = 20010
  network  = network.guests
  table    = 20
}
rule "lab" {
  priority = 20020
  from     = "10.1.0.64/26"
  to       = "198.51.100.0/24"
  type     = "prohibit"
}
route "lte" {
  to    = "0.0.0.0/0"
  via   = "10.3.0.9"
  table = 20
}
route "lte6" {
  to    = "::/0"
  via   = "2001:db8:3::9"
  table = 20
}
route "branch" {
  to = "10.9.0.0/16"
  next_hop "lte" {
    via    = "10.3.0.9"
    weight = 3
  }
  next_hop "wan" { via = "192.0.2.1" }
}
route "branch6" {
  to     = "2001:db8:9::/48"
  metric = 50
  next_hop "lte" { via = "2001:db8:3::9" }
  next_hop "wan" { via = "2001:db8:f::1" }
}
`

// farServers is how many servers are reached by several next hops. Which one a packet takes is told by a
// hash with a key of the machine's: with weights of 3 to 1 none of 64 takes the second once in 10^8.
const farServers = 64

// Rules lead the packets of a host and of a network to another provider, through the firewall
// and back, and none away from the router's own networks; routes with several next hops use all
// of them, and are there again when a link was down. IfState leaves these alone, and nbr verify
// tells what is missing.
func TestRulesAndSeveralNextHops(t *testing.T) {
	t.Parallel()
	g := fromText(t, routingRouter)
	ifstate := lab.IfState(t)
	ifstate.Ports = dsaPorts
	home, guest, lte, wan := nstest.New(t, "home"), nstest.New(t, "guest"), nstest.New(t, "lte"), nstest.New(t, "wan")
	router := board(t, map[string]*nstest.NS{"lan1": home, "lan2": guest, "lan3": lte, "wan": wan})
	for _, host := range []struct {
		ns   *nstest.NS
		does string
	}{
		{home, "addr add 10.1.0.50/24 dev eth0\naddr add 10.1.0.51/24 dev eth0\naddr add 10.1.0.70/24 dev eth0\naddr add 2001:db8:1::50/64 dev eth0 nodad\naddr add 2001:db8:1::51/64 dev eth0 nodad\n" +
			"route add default via 10.1.0.1\nroute add default via 2001:db8:1::1\n"},
		{guest, "addr add 10.2.0.5/24 dev eth0\naddr add 2001:db8:2::5/64 dev eth0 nodad\nroute add default via 10.2.0.1\nroute add default via 2001:db8:2::1\n"},
		{lte, "addr add 10.3.0.9/24 dev eth0\naddr add 2001:db8:3::9/64 dev eth0 nodad\nroute add default via 10.3.0.1\nroute add default via 2001:db8:3::1\n"},
		{wan, "addr add 192.0.2.1/24 dev eth0\naddr add 2001:db8:f::1/64 dev eth0 nodad\nroute add default via 192.0.2.2\nroute add default via 2001:db8:f::2\n"},
	} {
		ip(t, host.ns, host.does)
	}
	for i, ns := range []*nstest.NS{lte, wan} { // one server in the world, seen through two providers
		ip(t, ns, "addr add 198.51.100.1/32 dev lo\naddr add 2001:db8:ffff::1/128 dev lo nodad\n")
		var servers strings.Builder
		for n := 1; n <= farServers; n++ {
			fmt.Fprintf(&servers, "addr add 10.9.0.%d/32 dev lo\naddr add 2001:db8:9::%d/128 dev lo nodad\n", n, n)
		}
		ip(t, ns, servers.String())
		ns.Run(t, "sysctl", "-qw", fmt.Sprintf("net.ipv4.ip_default_ttl=%d", 71+10*i), fmt.Sprintf("net.ipv6.conf.all.hop_limit=%d", 71+10*i), fmt.Sprintf("net.ipv6.conf.eth0.hop_limit=%d", 71+10*i))
	}
	sysctls(t, router, g)
	load(t, router, ruleset(t, g))
	apply(t, ifstate, router, g)
	unit := router.Command(t, "bash", "-ec", g.text(t, "systemd", "services", "nbr-multipath", "script"))
	if err := unit.Start(); err != nil {
		t.Fatal(err)
	}
	signal := func(s syscall.Signal) { _ = syscall.Kill(-unit.Process.Pid, s) }
	t.Cleanup(func() {
		signal(syscall.SIGKILL)
		_ = unit.Wait()
	})

	// way is the provider through which a host reaches an address.
	way := func(ns *nstest.NS, from, to string) string {
		out, err := ns.Try(t, "ping", "-c1", "-W5", "-I", from, to)
		switch {
		case strings.Contains(out, "ttl=70"):
			return "lte"
		case strings.Contains(out, "ttl=80"):
			return "wan"
		}
		return fmt.Sprint(out, err)
	}
	ways := func() map[string]string {
		return map[string]string{
			"tv": way(home, "10.1.0.50", "198.51.100.1"), "tv6": way(home, "2001:db8:1::50", "2001:db8:ffff::1"),
			"guest": way(guest, "10.2.0.5", "198.51.100.1"), "guest6": way(guest, "2001:db8:2::5", "2001:db8:ffff::1"),
			"desk": way(home, "10.1.0.51", "198.51.100.1"), "desk6": way(home, "2001:db8:1::51", "2001:db8:ffff::1"),
		}
	}
	want := map[string]string{"tv": "lte", "tv6": "lte", "guest": "lte", "guest6": "lte", "desk": "wan", "desk6": "wan"}
	nstest.Wait(t, func() error {
		if d := cmp.Diff(want, ways()); d != "" {
			return fmt.Errorf("ways (-want +got):\n%s", d)
		}
		return nil
	})
	if !ping(t, guest, "10.1.0.50") || !ping(t, guest, "2001:db8:1::50") {
		t.Error("a rule takes the router's own networks away")
	}
	if out, err := home.Try(t, "ping", "-c1", "-W5", "-I", "10.1.0.70", "198.51.100.1"); err == nil || !strings.Contains(fmt.Sprint(out, err), "filtered") {
		t.Errorf("what a rule prohibits: %s, %v", out, err)
	}
	// An answer comes by the next hop by which the question went, whichever it is.
	both := func() error {
		used := map[string]bool{}
		for n := 1; n <= farServers; n++ {
			used["4 "+way(home, "10.1.0.51", fmt.Sprintf("10.9.0.%d", n))] = true
			used["6 "+way(home, "2001:db8:1::51", fmt.Sprintf("2001:db8:9::%d", n))] = true
			if n >= 8 && len(used) != 3 { // all of them, or some answer does not come
				break
			}
		}
		if d := cmp.Diff(map[string]bool{"4 lte": true, "4 wan": true, "6 lte": true, "6 wan": true}, used); d != "" {
			return fmt.Errorf("next hops that are used (-want +got):\n%s", d)
		}
		return nil
	}
	nstest.Wait(t, both)

	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "router.hcl"), []byte(routingRouter), 0o644); err != nil {
		t.Fatal(err)
	}
	binary, err := program()
	if err != nil {
		t.Fatal(err)
	}
	nbr := filepath.Join(t.TempDir(), "nbr")
	if err := nstest.WriteFile(nbr, binary, 0o755); err != nil {
		t.Fatal(err)
	}
	// red are the checks about routes and rules that do not pass.
	red := func() []string {
		out := []string{}
		text, err := router.Try(t, nbr, "verify", "-passive", "-format", "json", dir)
		var report struct{ Results []finding }
		if jsonErr := json.Unmarshal([]byte(text), &report); jsonErr != nil {
			t.Fatalf("nbr verify: %v\n%s", err, text)
		}
		n := 0
		for _, f := range report.Results {
			if !strings.Contains(f.ID, "/rule") && !strings.Contains(f.ID, "/route") && !strings.Contains(f.ID, "/ahead/") {
				continue
			}
			if n++; f.Status != "pass" {
				out = append(out, f.ID+" "+f.Status)
			}
		}
		if n < 24 {
			t.Errorf("%d checks of routes and rules", n)
		}
		slices.Sort(out)
		return out
	}
	quiet := func() error {
		if got := red(); len(got) > 0 {
			return fmt.Errorf("not green: %q", got)
		}
		return nil
	}
	nstest.Wait(t, quiet)
	// A switch of the system applies the configuration again: nothing to do, nothing undone.
	apply(t, ifstate, router, g)
	if err := quiet(); err != nil {
		t.Error(err)
	}
	signal(syscall.SIGSTOP) // once a minute it would mend some
	for _, b := range []struct {
		wreck, mend string
		finds       []string
	}{
		{"ip rule del pref 20000", "ip rule add pref 20000 from 10.1.0.50 lookup 20", []string{"rule.tv/rule/ipv4/0 fail"}},
		{"ip -6 rule del pref 20010", "ip -6 rule add pref 20010 from 2001:db8:2::/64 lookup 20", []string{"rule.guests/rule/ipv6/1 fail"}},
		{"ip rule add pref 100 from 10.1.0.0/24 lookup 20", "ip rule del pref 100", []string{"interfaces/foreign/rules fail"}},
		{"ip rule del pref 20020; ip rule add pref 20020 from 10.1.0.64/26 to 198.51.100.0/24 blackhole", "ip rule del pref 20020; ip rule add pref 20020 from 10.1.0.64/26 to 198.51.100.0/24 prohibit", []string{"interfaces/foreign/rules fail", "rule.lab/rule/ipv4/0 fail"}},
		{"ip route del default table 20", "ip route add default via 10.3.0.9 dev lan3 table 20", []string{"route.lte/route/0.0.0.0/0 fail"}},
		{"ip route replace 10.9.0.0/16 proto 204 nexthop via 10.3.0.9 weight 3", "ip route replace 10.9.0.0/16 proto 204 nexthop via 10.3.0.9 weight 3 nexthop via 192.0.2.1", []string{"interfaces/foreign/routes fail", "route.branch/route/10.9.0.0/16 fail"}},
		{"ip -6 route del 2001:db8:9::/48 metric 50 table 130", "ip -6 route add 2001:db8:9::/48 proto 204 metric 50 table 130 nexthop via 2001:db8:3::9 nexthop via 2001:db8:f::1", []string{"route.branch6/ahead/2001:db8:9::/48 fail"}},
	} {
		router.Run(t, "sh", "-c", b.wreck)
		if d := cmp.Diff(b.finds, red()); d != "" {
			t.Errorf("%s (-want +got):\n%s", b.wreck, d)
		}
		router.Run(t, "sh", "-c", b.mend)
	}
	if err := quiet(); err != nil {
		t.Errorf("mended: %v", err)
	}
	signal(syscall.SIGCONT)
	// The kernel drops routes of IPv6 with a link, and the unit makes them again.
	ip(t, router, "link set lan3 down\nlink set lan3 up\n")
	apply(t, ifstate, router, g)
	nstest.Wait(t, quiet)
	nstest.Wait(t, both)
}
