package referee_test

import (
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/google/go-cmp/cmp"

	"github.com/nbr-dev/nbr/firmware"
	"github.com/nbr-dev/nbr/internal/nstest"
	"github.com/nbr-dev/nbr/service"
	"github.com/nbr-dev/nbr/service/all"
	"github.com/nbr-dev/nbr/verify"
	"github.com/nbr-dev/nbr/verify/observe/nft"
	"github.com/nbr-dev/nbr/verify/state"
)

// groupSpec has policies about sets of addresses of all sorts, and services by name.
const groupSpec = `
network "lan" {
  link = port.lan1
  ipv4 = "10.1.0.1/24"
  ipv6 = "2001:db8:1::1/64"
}
network "dmz" {
  link = port.lan2
  ipv4 = "10.2.0.1/24"
  ipv6 = "2001:db8:2::1/64"
}
network "out" {
  link     = port.wan
  ipv4     = "198.51.100.2/24"
  ipv6     = "2001:db8:f::2/64"
  gateway  = "198.51.100.1"
  gateway6 = "2001:db8:f::1"
}
host "pc" {
  network = network.lan
  ipv4    = "10.1.0.20"
  ipv6    = "::20"
}
zone "lan" {
  networks = [network.lan]
  allow    = ["homeassistant", "gre"]
}
zone "dmz" { networks = [network.dmz] }
zone "out" { networks = [network.out] }
service "homeassistant" { ports = ["tcp/8123", "udp/9000-9002"] }
service "gre" { ports = ["gre"] }
address_set "admins" {
  hosts     = [host.pc]
  addresses = ["10.1.0.64/28", "2001:db8:1::40-2001:db8:1::4f"]
}
address_set "listed" {
  files = ["list.txt"]
}
address_set "office" {
  addresses = ["203.0.113.0/25"]
}
policy "blocked" {
  from   = [zone.lan]
  to     = [address_set.listed]
  action = "drop"
}
policy "admins" {
  from     = [address_set.admins]
  to       = [zone.dmz, address_set.office]
  action   = "accept"
  services = ["ssh", "homeassistant"]
}
policy "pings" {
  from     = [zone.lan]
  to       = [zone.out]
  action   = "accept"
  services = ["ping", "http"]
}
port_forward "web" {
  from    = zone.out
  sources = [address_set.office]
  port    = 8443
  to      = "10.2.0.10"
  to_port = 443
}
`

const groupList = `# somewhere
203.0.113.192/27 # and its neighbours
2001:db8:ffff::8-2001:db8:ffff::f
`

// A group is a router with a host in each of its networks and the Internet.
type group struct{ router, lan, dmz, internet *nstest.NS }

func groupFiles() fstest.MapFS {
	head := strings.Replace(template, "  console_only", "  name_servers  = [\"192.0.2.53\"]\n  console_only", 1)
	return fstest.MapFS{"router.hcl": {Data: []byte(head + groupSpec)}, "list.txt": {Data: []byte(groupList)}}
}

func newGroup(t *testing.T) group {
	t.Helper()
	g := generate(t, groupFiles())
	h := group{nstest.New(t, "router"), nstest.New(t, "lan"), nstest.New(t, "dmz"), nstest.New(t, "internet")}
	sysctls(t, h.router, g)
	load(t, h.router, ruleset(t, g))
	nstest.Link(t, h.router, "lan1", h.lan, "eth0")
	nstest.Link(t, h.router, "lan2", h.dmz, "eth0")
	nstest.Link(t, h.router, "wan", h.internet, "eth0")
	ip(t, h.router, `
addr add 10.1.0.1/24 dev lan1
addr add 2001:db8:1::1/64 dev lan1 nodad
addr add 10.2.0.1/24 dev lan2
addr add 2001:db8:2::1/64 dev lan2 nodad
addr add 198.51.100.2/24 dev wan
addr add 2001:db8:f::2/64 dev wan nodad
route add default via 198.51.100.1
route add default via 2001:db8:f::1
`)
	ip(t, h.lan, `
addr add 10.1.0.20/24 dev eth0
addr add 10.1.0.21/24 dev eth0
addr add 10.1.0.63/24 dev eth0
addr add 10.1.0.79/24 dev eth0
addr add 10.1.0.80/24 dev eth0
addr add 2001:db8:1::20/64 dev eth0 nodad
addr add 2001:db8:1::21/64 dev eth0 nodad
addr add 2001:db8:1::4f/64 dev eth0 nodad
addr add 2001:db8:1::50/64 dev eth0 nodad
route add default via 10.1.0.1
route add default via 2001:db8:1::1
`)
	ip(t, h.dmz, `
addr add 10.2.0.10/24 dev eth0
addr add 2001:db8:2::10/64 dev eth0 nodad
route add default via 10.2.0.1
route add default via 2001:db8:2::1
`)
	ip(t, h.internet, `
addr add 198.51.100.1/24 dev eth0
addr add 203.0.113.100/32 dev lo
addr add 203.0.113.191/32 dev lo
addr add `+somewhere+`/32 dev lo
addr add 2001:db8:f::1/64 dev eth0 nodad
addr add 2001:db8:ffff::7/128 dev lo
addr add `+somewhere6+`/128 dev lo
route add 10.1.0.0/16 via 198.51.100.2
route add 10.2.0.0/16 via 198.51.100.2
route add 2001:db8:1::/64 via 2001:db8:f::2
route add 2001:db8:2::/64 via 2001:db8:f::2
`)
	return h
}

// Policies about sets hold for their members and no neighbour of one: hosts, networks, ranges and
// lists in files, as sources and as destinations, of both versions of IP. A service has its ports
// and no other.
func TestPoliciesOfSets(t *testing.T) {
	t.Parallel()
	h := newGroup(t)
	for _, port := range []int{22, 23, 443, 8123} {
		listen(t, h.dmz, "tcp", port)
	}
	for _, port := range []int{8999, 9000, 9002, 9003} {
		listen(t, h.dmz, "udp", port)
	}
	listen(t, h.internet, "tcp", 22)
	listen(t, h.internet, "tcp", 80)
	for _, port := range []int{8123, 8124} {
		listen(t, h.router, "tcp", port)
	}
	for _, port := range []int{9001, 9003} {
		listen(t, h.router, "udp", port)
	}
	const dmz, dmz6, wan = "10.2.0.10", "[2001:db8:2::10]", "198.51.100.2"
	check(t, []flow{
		{"a host of the set", h.lan, "10.1.0.20", "tcp", dmz + ":22", "10.1.0.20 at dmz"},
		{"its neighbour", h.lan, "10.1.0.21", "tcp", dmz + ":22", "drop"},
		{"before the prefix", h.lan, "10.1.0.63", "tcp", dmz + ":22", "drop"},
		{"the last of the prefix", h.lan, "10.1.0.79", "tcp", dmz + ":22", "10.1.0.79 at dmz"},
		{"after the prefix", h.lan, "10.1.0.80", "tcp", dmz + ":22", "drop"},
		{"a host of the set, IPv6", h.lan, "2001:db8:1::20", "tcp", dmz6 + ":22", "2001:db8:1::20 at dmz"},
		{"its neighbour, IPv6", h.lan, "2001:db8:1::21", "tcp", dmz6 + ":22", "drop"},
		{"the last of the range, IPv6", h.lan, "2001:db8:1::4f", "tcp", dmz6 + ":22", "2001:db8:1::4f at dmz"},
		{"after the range, IPv6", h.lan, "2001:db8:1::50", "tcp", dmz6 + ":22", "drop"},

		{"to a set", h.lan, "10.1.0.20", "tcp", "203.0.113.100:22", "10.1.0.20 at internet"},
		{"to its neighbour", h.lan, "10.1.0.20", "tcp", "203.0.113.191:22", "drop"},
		{"to a set, by none of the other", h.lan, "10.1.0.21", "tcp", "203.0.113.100:22", "drop"},

		{"listed in a file", h.lan, "10.1.0.20", "tcp", somewhere + ":80", "drop"},
		{"beside what is listed", h.lan, "10.1.0.20", "tcp", "203.0.113.191:80", "10.1.0.20 at internet"},
		{"listed in a file, IPv6", h.lan, "2001:db8:1::20", "tcp", "[" + somewhere6 + "]:80", "drop"},
		{"beside what is listed, IPv6", h.lan, "2001:db8:1::20", "tcp", "[2001:db8:ffff::7]:80", "2001:db8:1::20 at internet"},

		{"a service", h.lan, "10.1.0.20", "tcp", dmz + ":8123", "10.1.0.20 at dmz"},
		{"another port", h.lan, "10.1.0.20", "tcp", dmz + ":23", "drop"},
		{"a range of ports", h.lan, "10.1.0.20", "udp", dmz + ":9000", "10.1.0.20 at dmz"},
		{"a range of ports, its end", h.lan, "10.1.0.20", "udp", dmz + ":9002", "10.1.0.20 at dmz"},
		{"before the range", h.lan, "10.1.0.20", "udp", dmz + ":8999", "drop"},
		{"after the range", h.lan, "10.1.0.20", "udp", dmz + ":9003", "drop"},

		{"allowed by name", h.lan, "10.1.0.21", "tcp", "10.1.0.1:8123", "10.1.0.21 at router"},
		{"allowed by name, IPv6", h.lan, "2001:db8:1::21", "udp", "[2001:db8:1::1]:9001", "2001:db8:1::21 at router"},
		{"not allowed", h.lan, "10.1.0.21", "tcp", "10.1.0.1:8124", "drop"},
		{"not allowed", h.lan, "10.1.0.21", "udp", "10.1.0.1:9003", "drop"},
		{"allowed elsewhere", h.dmz, "", "tcp", "10.2.0.1:8123", "drop"},

		{"forwarded for a set", h.internet, "203.0.113.100", "tcp", wan + ":8443", "203.0.113.100 at dmz"},
		{"forwarded for a set alone", h.internet, "203.0.113.191", "tcp", wan + ":8443", "drop"},
	})
	for to, want := range map[string]bool{"203.0.113.191": true, "2001:db8:ffff::7": true, "10.2.0.10": false} {
		if got := ping(t, h.lan, to); got != want {
			t.Errorf("ping %s: answered is %t", to, got)
		}
	}
}

// What is in a set and what is not is the promise of its block: one element more or less is its
// failure, and that of no other block.
func TestElementsOfSetsAreCompared(t *testing.T) {
	t.Parallel()
	reg := &service.Registry{Kinds: all.Kinds(), Boards: firmware.Boards()}
	spec, diags := reg.Load(groupFiles(), nil)
	if diags.HasErrors() {
		t.Fatal(diags)
	}
	plan := spec.Plan()
	i := slices.IndexFunc(plan.Needs(), func(n state.Need) bool { return n.Kind == state.NeedRuleset })
	need := plan.Needs()[i]
	router := nstest.New(t, "router")
	for name, tt := range map[string]struct {
		change string
		want   map[string]string // what fails, and with which element
	}{
		"as it is":        {"", map[string]string{}},
		"an element less": {"delete element inet nbr listed_ipv6 { 2001:db8:ffff::8-2001:db8:ffff::f }", map[string]string{"address_set.listed/rules": "2001:db8:ffff::8", "firewall/ruleset": "2001:db8:ffff::8"}},
		"an element more": {"add element inet nbr admins_ipv4 { 10.1.0.99 }", map[string]string{"address_set.admins/rules": "10.1.0.99", "firewall/ruleset": "10.1.0.99"}},
	} {
		load(t, router, need.Text)
		if tt.change != "" {
			router.Run(t, "nft", tt.change)
		}
		st := &state.State{Tables: []string{need.Name}, Rulesets: map[string]state.Ruleset{}}
		if err := within(router, func() (err error) {
			st.Rulesets[need.Name], err = nft.Ruleset(t.Context(), "nft", need)
			return err
		}); err != nil {
			t.Fatal(err)
		}
		router.Run(t, "nft", "flush ruleset")
		results, err := verify.Eval(plan, st)
		if err != nil {
			t.Fatal(err)
		}
		got := map[string]string{}
		passed := 0
		for _, r := range results {
			switch {
			case !strings.HasSuffix(r.ID, "/rules") && r.ID != "firewall/ruleset":
			case r.Status == verify.Pass:
				passed++
			case r.Status == verify.Fail:
				text := r.Want + r.Got
				for _, element := range tt.want {
					if strings.Contains(text, element) {
						text = element
					}
				}
				got[r.ID] = text
			}
		}
		if d := cmp.Diff(tt.want, got); d != "" || passed < 8 {
			t.Errorf("%s: %d passed; failed (-want +got):\n%s", name, passed, d)
		}
	}
}

// The socket of a service that a zone allows is the spec's, of whatever program; another one is not.
func TestOpenedSocketsAreDeclared(t *testing.T) {
	t.Parallel()
	reg := &service.Registry{Kinds: all.Kinds(), Boards: firmware.Boards()}
	spec, diags := reg.Load(groupFiles(), nil)
	if diags.HasErrors() {
		t.Fatal(diags)
	}
	st := &state.State{Listeners: []state.Listener{
		{Protocol: "tcp", Address: "0.0.0.0", Port: 8123, Program: "hass"},
		{Protocol: "udp", Address: "0.0.0.0", Port: 9002, Program: "hass"},
		{Protocol: "tcp", Address: "0.0.0.0", Port: 22, Program: "dropbear"}, // policies are about it alone
	}}
	results, err := verify.Eval(spec.Plan(), st)
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]string{"interfaces/foreign/listeners": "tcp/22 dropbear", "zone.lan/allow/homeassistant": "a program on tcp/8123 or udp/9000-9002"}
	for _, r := range results {
		if want[r.ID] != "" && r.Got != want[r.ID] {
			t.Errorf("%s: %s, want %s", r.ID, r.Got, want[r.ID])
		}
		delete(want, r.ID)
	}
	if len(want) > 0 {
		t.Errorf("no checks %v", want)
	}
}
