package referee_test

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/nbr-dev/nbr/internal/nstest"
)

// guardedRouter has a firewall with all that a policy knows hosts and packets by.
const guardedRouter = `
router "r" {
  board         = "bananapi-bpir4"
  memory        = "4GiB"
  state_version = "26.05"
  time_zone     = "Europe/Berlin"
  console_only  = true
  name_servers  = ["192.0.2.53"]
}
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
  gateway  = "198.51.100.1"
  ipv6     = "2001:db8:f::2/64"
  gateway6 = "2001:db8:f::1"
}
host "nas" {
  network = network.lan
  ipv4    = "10.1.0.10"
  ipv6    = "::10"
}
host "tablet" {
  network = network.lan
  mac     = "02:00:00:00:00:20"
  ipv4    = "10.1.0.20"
}
host "web" {
  network = network.dmz
  ipv4    = "10.2.0.10"
}
address_set "admins" {
  hosts     = [host.tablet]
  addresses = ["192.0.2.0/28"]
}
address_set "unwanted" {
  addresses = ["203.0.113.64-203.0.113.95"]
}
service "camera" { ports = ["tcp/8554"] }
schedule "night" {
  from = "22:00"
  to   = "06:00"
}
zone "lan" {
  networks = [network.lan]
  allow    = ["camera"]
}
zone "dmz" { networks = [network.dmz] }
zone "out" { networks = [network.out] }
policy "bedtime" {
  from     = [host.tablet]
  to       = [zone.out]
  action   = "reject"
  schedule = schedule.night
}
policy "unwanted" {
  from   = [zone.lan]
  to     = [address_set.unwanted]
  action = "drop"
}
policy "internet" {
  from       = [zone.lan, zone.dmz]
  to         = [zone.out]
  action     = "accept"
  masquerade = true
}
policy "admins" {
  from     = [address_set.admins]
  to       = [host.web]
  services = ["ssh"]
  action   = "accept"
}
policy "pinhole" {
  from   = [zone.out]
  to     = [host.nas]
  action = "accept"
  ports  = [443]
  family = "ipv6"
}
policy "web" {
  from   = [zone.out, zone.lan, zone.dmz]
  to     = [host.web]
  action = "accept"
  ports  = [80]
}
port_forward "photos" {
  from = zone.out
  port = 8443
  to   = host.nas
}
port_forward "inside" {
  from = zone.lan
  port = 8444
  to   = host.nas
}
static_nat "web" {
  from    = zone.out
  address = "203.0.113.7"
  to      = host.web
}
`

// firewallBreakages are many, and each is alone when it happens. What mends all of them is a reload.
var firewallBreakages = []breakage{
	{
		name:  "a set of addresses emptied",
		wreck: "nft flush set inet nbr unwanted_ipv4",
		finds: []string{"address_set.unwanted/rules"}, line: `address_set "unwanted" {`,
	},
	{
		name:  "one more address in a set",
		wreck: "nft add element inet nbr admins_ipv4 '{ 198.51.100.99 }'",
		finds: []string{"address_set.admins/rules"}, line: `address_set "admins" {`,
	},
	{
		name:  "a host of a set by its address alone",
		wreck: ruleIn("forward", "02:00:00:00:00:20 .*tcp dport 22 "),
		finds: []string{"policy.admins/rules"}, line: `policy "admins" {`,
	},
	{
		name:  "a service that a policy lets pass no more",
		wreck: ruleIn("forward", "10.2.0.10 tcp dport 80 "),
		finds: []string{"policy.web/rules"}, line: `policy "web" {`,
	},
	{
		name:  "a pinhole for another host",
		wreck: changeIn("forward", "::10 tcp dport 443 ", "s/::10 /::11 /"),
		finds: []string{"policy.pinhole/rules"}, line: `policy "pinhole" {`,
	},
	{
		name: "a rule behind the one that it is to come before",
		wreck: `rule=$(nft -s list chain inet nbr forward | sed -n 's/^\t\t\(.*@unwanted_ipv4 .*\)/\1/p')
			` + ruleIn("forward", "@unwanted_ipv4 ") + `
			nft add rule inet nbr forward "$rule"`,
		finds: []string{"firewall/ruleset"}, line: `router "r" {`,
	},
	{
		name:  "no masquerading",
		wreck: ruleIn("nat_out", "meta nfproto ipv4 .*masquerade "),
		finds: []string{"policy.internet/rules"}, line: `policy "internet" {`,
	},
	{
		name:  "a forward that leads nowhere",
		wreck: ruleIn("nat_in", "tcp dport 8443 .*dnat "),
		finds: []string{"port_forward.photos/rules"}, line: `port_forward "photos" {`,
	},
	{
		name:  "a forward whose packets are not let through",
		wreck: ruleIn("forward", "tcp dport 8443 .*accept "),
		finds: []string{"port_forward.photos/rules"}, line: `port_forward "photos" {`,
	},
	{
		name:  "a forward to another host",
		wreck: changeIn("nat_in", "tcp dport 8443 ", "s/10.1.0.10/10.1.0.11/"),
		finds: []string{"port_forward.photos/rules"}, line: `port_forward "photos" {`,
	},
	{
		name:  "a forward from inside without the way back",
		wreck: ruleIn("nat_out", "10.1.0.10 .*masquerade "),
		finds: []string{"port_forward.inside/rules"}, line: `port_forward "inside" {`,
	},
	{
		name:  "an address outside for what comes in alone",
		wreck: ruleIn("nat_out", "snat ip to 203.0.113.7 "),
		finds: []string{"static_nat.web/rules"}, line: `static_nat "web" {`,
	},
	{
		name:  "an address outside for what goes out alone",
		wreck: ruleIn("nat_in", "203.0.113.7 .*dnat "),
		finds: []string{"static_nat.web/rules"}, line: `static_nat "web" {`,
	},
	{
		name:  "an address outside that neighbours do not reach",
		wreck: ruleIn("nat_out", "ip saddr 10.2.0.0\\/24 .*masquerade "),
		finds: []string{"static_nat.web/rules"}, line: `static_nat "web" {`,
	},
	{
		name:  "a schedule that is not known to apply or not",
		wreck: "nft flush set inet nbr schedule_night_on; nft flush set inet nbr schedule_night_off",
		finds: []string{"schedule.night/now"}, line: `schedule "night" {`,
	},
	{
		name: "a schedule the wrong way round",
		wreck: `for set in on off; do nft list set inet nbr schedule_night_$set | sed -n '/elements/s/.*/'$set'/p'; done | { read -r now
			other=$([ $now = on ] && echo off || echo on)
			nft flush set inet nbr schedule_night_$now
			nft add element inet nbr schedule_night_$other '{ ipv4 timeout 1h, ipv6 timeout 1h }'; }`,
		finds: []string{"schedule.night/now"}, line: `schedule "night" {`,
	},
	{
		name:  "a policy that does not count at its time",
		wreck: ruleIn("forward", "ether saddr 02:00:00:00:00:20 oifname .*meta l4proto tcp meta nfproto .*reject with tcp reset "),
		finds: []string{"policy.bedtime/rules"}, line: `  schedule = schedule.night`,
	},
	{
		name:  "a connection that outlives its time",
		wreck: ruleIn("forward", "ct mark set "),
		finds: []string{"policy.bedtime/rules"}, line: `  schedule = schedule.night`,
	},
	{
		name:  "what a zone allows is not let in",
		wreck: ruleIn("input_lan", "tcp dport 8554 "),
		finds: []string{"zone.lan/rules"}, line: `zone "lan" {`,
	},
	{
		name:  "a zone that no packet gets to",
		wreck: ruleIn("input", "jump input_dmz "),
		finds: []string{"zone.dmz/rules"}, line: `zone "dmz" {`,
	},
	{
		name:  "the camera's port open to the world",
		wreck: `nft add rule inet nbr input_out tcp dport 8554 accept`,
		finds: []string{"zone.out/closed/wan/tcp/8554", "firewall/ruleset"}, line: `zone "out" {`,
		also: []string{"zone.out/closed/wan/tcp/8554/ipv6"},
	},
	{
		name:  "packets from forged addresses let in",
		wreck: ruleIn("anti_spoof", "missing counter packets .* drop "),
		finds: []string{"firewall/rules"}, line: `router "r" {`,
	},
	{
		name:  "the minimal firewall in force",
		wreck: "nft 'table inet nbr-guard { chain forward { type filter hook forward priority filter - 10; policy drop; }; }'",
		mend:  "nft delete table inet nbr-guard",
		finds: []string{"firewall/guard"}, line: `router "r" {`,
	},
}

// ruleIn is a command that deletes the first rule of a chain that fits a pattern of sed(1).
func ruleIn(chain, pattern string) string {
	return fmt.Sprintf("nft delete rule inet nbr %[1]s handle $(nft -a list chain inet nbr %[1]s | sed -n '/%[2]s/{s/.*# handle //p;q}')", chain, pattern)
}

// changeIn is a command that changes that rule, in the words of sed(1).
func changeIn(chain, pattern, change string) string {
	return fmt.Sprintf(`nft replace rule inet nbr %[1]s handle $(nft -a list chain inet nbr %[1]s | sed -n '/%[2]s/{s/.*# handle //p;q}') "$(nft -s list chain inet nbr %[1]s | sed -n '/%[2]s/{%[3]s;p;q}')"`, chain, pattern, change)
}

// Hosts, sets of addresses, forwards, addresses outside and schedules do what the spec says. Then the
// rules of one after the other are broken as they run: each is found, at the line that promised it,
// and nothing else is.
func TestFirewallBreaks(t *testing.T) {
	t.Parallel()
	g := fromText(t, guardedRouter)
	lan, dmz, internet := nstest.New(t, "lan"), nstest.New(t, "dmz"), nstest.New(t, "internet")
	router := nstest.New(t, "router")
	for port, ns := range map[string]*nstest.NS{"lan1": lan, "lan2": dmz, "wan": internet} {
		nstest.Link(t, router, port, ns, "eth0")
	}
	sysctls(t, router, g)
	ip(t, router, `
addr add 10.1.0.1/24 dev lan1
addr add 2001:db8:1::1/64 dev lan1 nodad
addr add 10.2.0.1/24 dev lan2
addr add 2001:db8:2::1/64 dev lan2 nodad
addr add 198.51.100.2/24 dev wan
addr add 2001:db8:f::2/64 dev wan nodad
route add default via 198.51.100.1
route add default via 2001:db8:f::1
`)
	ip(t, lan, `
addr add 10.1.0.10/24 dev eth0
addr add 10.1.0.30/24 dev eth0
addr add 2001:db8:1::10/64 dev eth0 nodad
route add default via 10.1.0.1
route add default via 2001:db8:1::1
`)
	ip(t, dmz, "addr add 10.2.0.10/24 dev eth0\nroute add default via 10.2.0.1\n")
	ip(t, internet, `
addr add 198.51.100.1/24 dev eth0
addr add 203.0.113.70/32 dev lo
addr add 2001:db8:f::1/64 dev eth0 nodad
route add 203.0.113.7/32 via 198.51.100.2
route add 2001:db8:1::/64 via 2001:db8:f::2
`)
	for ns, ports := range map[*nstest.NS][]int{lan: {443, 8443, 8444}, dmz: {80}, internet: {80}, router: {8554}} {
		for _, port := range ports {
			listen(t, ns, "tcp", port)
		}
	}
	rules, times := write(t, ruleset(t, g)), write(t, g.text(t, "systemd", "services", "nbr-schedules", "script"))
	state := t.TempDir()
	// tell is what the unit's timer does each minute: what it tells counts for three.
	tell := func() { router.Run(t, "env", "TZ=Europe/Berlin", "RUNTIME_DIRECTORY="+state, "bash", "-e", times) }
	reload := func() {
		router.Run(t, "nft", "-f", rules)
		tell()
	}
	h := &scheduledHouse{state: state}
	h.synchronised(t)
	reload()
	check(t, []flow{
		{"the Internet", lan, "10.1.0.30", "tcp", "198.51.100.1:80", "198.51.100.2 at internet"},
		{"an address of the set", lan, "10.1.0.30", "tcp", "203.0.113.70:80", "drop"},
		{"a forward", internet, "", "tcp", "198.51.100.2:8443", "198.51.100.1 at lan"},
		{"a forward from inside", lan, "10.1.0.30", "tcp", "10.1.0.1:8444", "10.1.0.1 at lan"},
		{"an address outside", internet, "", "tcp", "203.0.113.7:80", "198.51.100.1 at dmz"},
		{"a pinhole", internet, "", "tcp", "[2001:db8:1::10]:443", "2001:db8:f::1 at lan"},
	})

	nbr := filepath.Join(t.TempDir(), "nbr")
	binary, err := program()
	if err == nil {
		err = nstest.WriteFile(nbr, binary, 0o755)
	}
	if err != nil {
		t.Fatal(err)
	}
	spec := t.TempDir()
	if err := os.WriteFile(filepath.Join(spec, "router.hcl"), []byte(guardedRouter), 0o644); err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(guardedRouter, "\n")
	line := func(f finding) string { return lines[f.Range.Line-1] }
	wrong := func() []finding {
		args := []string{"env", "TZ=Europe/Berlin", nbr, "verify", "-format", "json"}
		for _, id := range []string{"firewall/table", "firewall/guard", "firewall/rules", "firewall/ruleset", "address_set.*/rules", "schedule.*/*", "zone.*/rules", "zone.out/closed/*", "policy.*/rules", "port_forward.*/rules", "static_nat.*/rules"} {
			args = append(args, "-only", id)
		}
		text, err := router.Try(t, args[0], append(args[1:], spec)...)
		return slices.DeleteFunc(notPassed(t, text, err, 22), func(f finding) bool { return f.ID == "firewall/guard/unit" }) // there is no systemd
	}
	whole := func() error {
		tell()
		if d := cmp.Diff([]finding{}, append([]finding{}, wrong()...)); d != "" {
			return fmt.Errorf("not green: %s", d)
		}
		return nil
	}
	nstest.Wait(t, whole)
	for _, b := range firewallBreakages {
		b.also = append(b.also, "firewall/ruleset") // which is about all of the table
		t.Run(b.name, func(t *testing.T) {
			router.Run(t, "sh", "-ec", b.wreck)
			nstest.Wait(t, func() error {
				found := wrong()
				if complaint := b.judge(found, line); complaint != "" {
					return fmt.Errorf("%s: %v\n%s", complaint, found, router.Run(t, "nft", "list", "table", "inet", "nbr"))
				}
				return nil
			})
			router.Run(t, "sh", "-ec", b.mend)
			reload()
			nstest.Wait(t, whole)
		})
		if t.Failed() {
			return // what is not mended is no use for the rest
		}
	}
}
