package referee_test

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"syscall"
	"testing"

	"github.com/nbr-dev/nbr/internal/lab"
	"github.com/nbr-dev/nbr/internal/nstest"
)

// keepalivedConf is what the module of NixOS makes of services.keepalived (keepalived/default.nix).
func keepalivedConf(t *testing.T, g *generated) string {
	t.Helper()
	if g.at("services", "keepalived", "enable") != true {
		return ""
	}
	var b strings.Builder
	say := func(format string, args ...any) { fmt.Fprintf(&b, format+"\n", args...) }
	say("global_defs {\n%s}", g.text(t, "services", "keepalived", "extraGlobalDefs"))
	instances, _ := g.at("services", "keepalived", "vrrpInstances").(map[string]any)
	for _, name := range slices.Sorted(maps.Keys(instances)) {
		i := instances[name].(map[string]any)
		say("vrrp_instance %s {\n  interface %s\n  state %s\n  virtual_router_id %v\n  priority %v", name, i["interface"], i["state"], i["virtualRouterId"], i["priority"])
		if i["noPreempt"] == true {
			say("  nopreempt")
		}
		say("  virtual_ipaddress {")
		for _, a := range i["virtualIps"].([]any) {
			say("    %s", a.(map[string]any)["addr"])
		}
		say("  }")
		if links, _ := i["trackInterfaces"].([]any); len(links) > 0 {
			say("  track_interface {")
			for _, l := range links {
				say("    %s", l)
			}
			say("  }")
		}
		say("  %s}", i["extraConfig"])
	}
	extra, _ := g.at("services", "keepalived", "extraConfig").(string)
	return b.String() + extra
}

// vrrpSpec is one of two routers that are the gateway 192.168.1.1 and fd00:1::1 together.
func vrrpSpec(own, priority int, more string) string {
	return fmt.Sprintf(`
network "lan" {
  link = port.lan1
  ipv4 = "192.168.1.%[1]d/24"
  ipv6 = "fd00:1::%[1]d/64"
}
network "wan" {
  link = port.wan
  ipv4 = "192.0.2.%[1]d/24"
}
zone "lan" {
  networks = [network.lan]
}
zone "wan" {
  networks = [network.wan]
}
vrrp "lan" {
  network   = network.lan
  id        = 51
  priority  = %[2]d
  addresses = ["192.168.1.1", "fd00:1::1"]
  interval  = "300ms"
  track     = [network.wan]
}
`, own, priority) + more
}

// A vrrpRouter is one of the two.
type vrrpRouter struct {
	*nstest.NS
	g      *generated
	root   *lab.Root
	daemon *lab.Daemon
}

func (r *vrrpRouter) apply(t *testing.T) {
	t.Helper()
	ifstate := lab.IfState(t)
	ifstate.Ports = dsaPorts
	apply(t, ifstate, r.NS, r.g)
}

// start starts keepalived with changes to its configuration, in place of the one that runs.
func (r *vrrpRouter) start(t *testing.T, change ...string) {
	t.Helper()
	if r.daemon != nil {
		r.daemon.Stop(t)
	}
	r.root.Write(t, "/etc/keepalived/keepalived.conf", strings.NewReplacer(change...).Replace(keepalivedConf(t, r.g)))
	r.root.Run(t, r.NS, "keepalived", "-t", "-f", "/etc/keepalived/keepalived.conf")
	r.daemon = r.root.Daemon(t, r.NS, "keepalived", "--dont-fork", "--log-console", "--vrrp", "--pid=/run/keepalived.pid")
}

func (r *vrrpRouter) becomes(t *testing.T, want ...string) {
	t.Helper()
	becomes(t, func() []string { return unmet(t, r.root, r.NS, "vrrp.lan") }, want)
}

// Hosts have one gateway, in both versions of IP, and another router is it when the first one's keepalived
// or the uplink fails, until it is back. nbr verify on both routers says what is otherwise, and IfState
// leaves the addresses where they are.
func TestTheGatewayFailsOver(t *testing.T) {
	t.Parallel()
	network, host, dark := nstest.New(t, "switch"), nstest.New(t, "host"), nstest.New(t, "dark")
	ip(t, network, "link add br0 type bridge\nlink set br0 up\n")
	a, b := &vrrpRouter{NS: nstest.New(t, "a")}, &vrrpRouter{NS: nstest.New(t, "b")}
	a.g = fromText(t, vrrpSpec(2, 150, ""))
	b.g = fromText(t, vrrpSpec(3, 100, `interfaces { extra = { interfaces = { lan1 = { link = { address = "02:00:00:00:00:02" } }, wan = { link = { address = "02:00:00:00:00:03" } } } } }
`))
	nstest.Link(t, host, "eth0", network, "host")
	ip(t, network, "link set host master br0\n")
	ip(t, host, "addr add 192.168.1.50/24 dev eth0\naddr add fd00:1::50/64 dev eth0 nodad\n")
	for i, r := range []*vrrpRouter{a, b} {
		for _, port := range []string{"end0", "end1", "end2", "lan2", "lan3", "wan"} {
			nstest.Link(t, r.NS, port, dark, fmt.Sprint(port, i))
		}
		nstest.Link(t, r.NS, "lan1", network, fmt.Sprint("lan", i))
		ip(t, network, fmt.Sprintf("link set lan%d master br0\n", i))
		r.apply(t)
		sysctls(t, r.NS, r.g)
		load(t, r.NS, ruleset(t, r.g))
		var spec strings.Builder
		for _, lines := range r.g.source {
			spec.WriteString(strings.Join(lines, "\n"))
		}
		r.root = lab.Rootfs(t, lab.Files{"/etc/nbr/spec/router.hcl": spec.String()})
		installNBR(t, r.root, "/usr/bin/nbr")
		r.start(t)
	}

	// gateway waits until a host gets to one of the routers, and knows it by its MAC address.
	gateway := func(r *vrrpRouter) {
		t.Helper()
		mac := strings.TrimSpace(r.Run(t, "cat", "/sys/class/net/lan1/address"))
		nstest.Wait(t, func() error {
			for _, addr := range []string{"192.168.1.1", "fd00:1::1"} {
				if _, err := host.Try(t, "ping", "-c", "1", "-W", "1", addr); err != nil {
					return err
				}
				if got := host.Run(t, "ip", "neigh", "show", addr); !strings.Contains(got, mac) {
					return fmt.Errorf("%s is at %q, not %s", addr, got, mac)
				}
			}
			return nil
		})
	}
	gateway(a)
	a.becomes(t)
	b.becomes(t)

	// What is applied anew leaves it alone: the router does not lose the addresses for a moment either.
	times := func() int { return strings.Count(a.daemon.Log(), "STATE") }
	before := times()
	a.apply(t)
	gateway(a)
	a.becomes(t)
	if after := times(); after != before {
		t.Errorf("keepalived changed its state while IfState applied:\n%s", a.daemon.Log())
	}

	// Without its uplink a router is no gateway, and is it again with it.
	ip(t, dark, "link set wan0 down\n")
	gateway(b)
	b.becomes(t)
	a.becomes(t, "vrrp.lan/priority/ipv4 skip: 192.168.1.3 with priority 100, for wan has no carrier", "vrrp.lan/priority/ipv6 skip: ")
	ip(t, dark, "link set wan1 down\n")
	none := []string{
		"vrrp.lan/advertised/ipv4 skip: nothing is advertised", "vrrp.lan/advertised/ipv6 skip: nothing is advertised",
		"vrrp.lan/master/ipv4 fail: no advertisement in 1.9s, wan has no carrier", "vrrp.lan/master/ipv6 fail: no advertisement in 1.9s, wan has no carrier",
		"vrrp.lan/priority/ipv4 skip: nothing is advertised", "vrrp.lan/priority/ipv6 skip: nothing is advertised",
	}
	a.becomes(t, none...)
	ip(t, dark, "link set wan0 up\nlink set wan1 up\n")
	gateway(a)
	a.becomes(t)

	// A router that ends says so, and one that dies does not, and keeps the addresses.
	lower := []string{"vrrp.lan/priority/ipv4 fail: 192.168.1.3 with priority 100", "vrrp.lan/priority/ipv6 fail: "}
	a.daemon.Stop(t)
	gateway(b)
	a.becomes(t, lower...)
	b.becomes(t)
	a.daemon = nil
	a.start(t)
	gateway(a)
	a.becomes(t)
	a.daemon.Signal(t, syscall.SIGKILL)
	nstest.Wait(t, func() error { _, err := b.Try(t, "sh", "-c", "ip addr show lan1 | grep -q 192.168.1.1/32"); return err })
	a.becomes(t, append(slices.Clone(lower), "vrrp.lan/addresses/ipv4 fail: 192.168.1.1", "vrrp.lan/addresses/ipv6 fail: fd00:1::1, fe80::200:5eff:fe00:233")...)
	a.daemon = nil
	a.start(t)
	gateway(a)
	a.becomes(t)

	two := func(as string) []string {
		return []string{"vrrp.lan/master/ipv4 fail: this router, 192.168.1.3" + as, "vrrp.lan/master/ipv6 fail: "}
	}
	for _, w := range []struct {
		on     *vrrpRouter
		change []string
		a, b   []string
	}{
		// Two virtual routers with one address are two masters.
		{b, []string{"virtual_router_id 51", "virtual_router_id 52"}, two(" as virtual router 52"), nil},
		{a, []string{"priority 150", "priority 90"}, lower, nil},
		{b, []string{"priority 100", "priority 200"}, nil, []string{"vrrp.lan/priority/ipv4 fail: this router with priority 200", "vrrp.lan/priority/ipv6 fail: this router with priority 200"}},
		{a, []string{"advert_int 0.3", "advert_int 0.5"}, []string{
			"vrrp.lan/advertised/ipv4 fail: this router says 192.168.1.1, every 500ms, VRRP version 3", "vrrp.lan/advertised/ipv6 fail: ",
		}, nil},
		{a, []string{"    192.168.1.1/32\n", "    192.168.1.1/32\n    192.168.1.9/32\n"}, []string{
			"vrrp.lan/advertised/ipv4 fail: this router says 192.168.1.1, 192.168.1.9, every 300ms, VRRP version 3",
		}, nil},
	} {
		w.on.start(t, w.change...)
		a.becomes(t, w.a...)
		if w.b != nil {
			b.becomes(t, w.b...)
		}
		w.on.start(t)
		gateway(a)
		a.becomes(t)
		b.becomes(t)
	}

	// An address that was added by hand is on two machines.
	ip(t, b.NS, "addr add 192.168.1.1/32 dev lan1\n")
	b.becomes(t, "vrrp.lan/addresses/ipv4 fail: 192.168.1.1")
	ip(t, b.NS, "addr del 192.168.1.1/32 dev lan1\n")
	b.becomes(t)

	// A firewall that drops what the other one says makes a second master.
	rules := ruleset(t, b.g)
	if n := strings.Count(rules, "meta l4proto 112"); n != 2 {
		t.Fatalf("%d rules for VRRP in\n%s", n, rules)
	}
	load(t, b.NS, strings.ReplaceAll(rules, "meta l4proto 112", "meta l4proto 113"))
	b.becomes(t, "vrrp.lan/master/ipv4 fail: 192.168.1.2, this router", "vrrp.lan/master/ipv6 fail: ", "vrrp.lan/rules fail: missing (2 in all)")
	a.becomes(t, two("")...)
	load(t, b.NS, rules)
	gateway(a)
	a.becomes(t)
	b.becomes(t)
}
