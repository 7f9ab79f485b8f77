package referee_test

import (
	"errors"
	"maps"
	"net"
	"slices"
	"strings"
	"syscall"
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

// ownSpec has policies about what the router itself sends: towards the Internet names, HTTPS and
// pings, to a host at night a copy, and to guests nothing but answers.
const ownSpec = `
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
network "out" {
  link     = port.wan
  ipv4     = "198.51.100.2/24"
  ipv6     = "2001:db8:f::2/64"
  gateway  = "198.51.100.1"
  gateway6 = "2001:db8:f::1"
}
zone "lan" { networks = [network.lan] }
zone "guests" {
  networks = [network.guests]
  allow    = ["ssh"]
}
zone "out" { networks = [network.out] }
ssh { networks = [network.guests] }
user "root" {
  authorized_keys = ["ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIEbHw8WiDglSz3F98qaKqHuX3Zw9+D/kdO9wVQxdMwkl me@desk"]
}
time { servers = ["203.0.113.77"] }
host "backup" {
  network = network.lan
  ipv4    = "10.1.0.20"
}
schedule "night" {
  from = "01:00"
  to   = "05:00"
}
policy "both" {
  from     = [router.r, zone.lan]
  to       = [zone.out]
  action   = "accept"
  services = ["dns", "https", "ping"]
}
policy "time" {
  from     = [router.r]
  to       = [zone.out]
  action   = "accept"
  services = ["ntp"]
}
policy "six" {
  from   = [router.r]
  to     = [zone.out]
  action = "accept"
  family = "ipv6"
  ports  = [81]
}
policy "few" {
  from   = [router.r]
  to     = [zone.out]
  action = "accept"
  ports  = [82]
  limit  = "1/day"
}
policy "copy" {
  from     = [router.r]
  to       = [host.backup]
  action   = "accept"
  services = ["ssh"]
  schedule = schedule.night
}
policy "refused" {
  from   = [router.r]
  to     = [zone.out, zone.lan]
  action = "reject"
}
policy "guests" {
  from   = [router.r]
  to     = [zone.guests]
  action = "drop"
  log    = true
}
`

func ownFiles(spec string) fstest.MapFS {
	head := strings.Replace(template, "  console_only", "  name_servers  = [\"203.0.113.53\"]\n  time_zone = \"UTC\"\n  console_only", 1)
	return fstest.MapFS{"router.hcl": {Data: []byte(head + spec)}}
}

// An ownHouse is a router with a host in each of its networks. Its rules are not loaded yet.
type ownHouse struct {
	*generated
	router, lan, guests, internet *nstest.NS
}

func newOwnHouse(t *testing.T) ownHouse {
	t.Helper()
	h := ownHouse{generate(t, ownFiles(ownSpec)), nstest.New(t, "router"), nstest.New(t, "lan"), nstest.New(t, "guests"), nstest.New(t, "internet")}
	sysctls(t, h.router, h.generated)
	nstest.Link(t, h.router, "lan1", h.lan, "eth0")
	nstest.Link(t, h.router, "lan2", h.guests, "eth0")
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
addr add 2001:db8:1::20/64 dev eth0 nodad
route add default via 10.1.0.1
route add default via 2001:db8:1::1
`)
	ip(t, h.guests, `
addr add 10.2.0.20/24 dev eth0
addr add 2001:db8:2::20/64 dev eth0 nodad
route add default via 10.2.0.1
route add default via 2001:db8:2::1
`)
	ip(t, h.internet, `
addr add 198.51.100.1/24 dev eth0
addr add `+somewhere+`/32 dev lo
addr add 2001:db8:f::1/64 dev eth0 nodad
addr add `+somewhere6+`/128 dev lo
route add 10.1.0.0/24 via 198.51.100.2
route add 2001:db8:1::/64 via 2001:db8:f::2
`)
	for _, port := range []int{22, 53, 80, 81, 82, 123, 443} {
		for _, ns := range []*nstest.NS{h.lan, h.guests, h.internet} {
			listen(t, ns, "tcp", port)
			listen(t, ns, "udp", port)
		}
	}
	listen(t, h.router, "tcp", 22)
	listen(t, h.router, "tcp", 8080)
	return h
}

var errStays = errors.New("nothing has changed")

// handleOf is the handle of the first rule of the output chain with a comment.
func handleOf(t *testing.T, ns *nstest.NS, comment string) string {
	t.Helper()
	for line := range strings.Lines(ns.Run(t, "nft", "-a", "list", "chain", "inet", "nbr", "output")) {
		if _, handle, ok := strings.Cut(line, "comment \""+comment+"\" # handle "); ok {
			return strings.TrimSpace(handle)
		}
	}
	t.Fatalf("no rule has the comment %q", comment)
	return ""
}

// What the router itself sends meets its policies, and nothing else does: what hosts send has those
// of their zones, and answers of the router pass.
func TestOwnPolicies(t *testing.T) {
	t.Parallel()
	h := newOwnHouse(t)
	load(t, h.router, ruleset(t, h.generated))
	const out, out6, wan, wan6 = somewhere, "[" + somewhere6 + "]", "198.51.100.2", "2001:db8:f::2"
	check(t, []flow{
		{"names", h.router, "", "udp", out + ":53", wan + " at internet"},
		{"names", h.router, "", "tcp", out + ":53", wan + " at internet"},
		{"names, IPv6", h.router, "", "udp", out6 + ":53", wan6 + " at internet"},
		{"HTTPS", h.router, "", "tcp", out + ":443", wan + " at internet"},
		{"time", h.router, "", "udp", out + ":123", wan + " at internet"},
		{"time over TCP", h.router, "", "tcp", out + ":123", "refuse"},
		{"what no policy lets out", h.router, "", "tcp", out + ":80", "refuse"},
		{"what no policy lets out", h.router, "", "udp", out + ":80", "refuse"},
		{"what no policy lets out, IPv6", h.router, "", "tcp", out6 + ":80", "refuse"},
		{"one version of IP", h.router, "", "tcp", out6 + ":81", wan6 + " at internet"},
		{"the other one", h.router, "", "tcp", out + ":81", "refuse"},
		{"to the neighbour of the upstream", h.router, "", "tcp", "198.51.100.1:22", "refuse"},
		{"into the lan", h.router, "", "tcp", "10.1.0.21:22", "refuse"},
		{"to guests", h.router, "", "tcp", "10.2.0.20:80", "drop"},
		{"to guests", h.router, "", "udp", "10.2.0.20:53", "drop"},
		{"to guests, IPv6", h.router, "", "udp", "[2001:db8:2::20]:53", "drop"},
		{"to itself", h.router, "", "tcp", "10.2.0.1:8080", "10.2.0.1 at router"},
		{"to itself", h.router, "", "tcp", "127.0.0.1:8080", "127.0.0.1 at router"},

		{"answers to guests", h.guests, "", "tcp", "10.2.0.1:22", "10.2.0.20 at router"},
		{"answers to guests, IPv6", h.guests, "", "tcp", "[2001:db8:2::1]:22", "2001:db8:2::20 at router"},
		{"hosts of the other end", h.lan, "10.1.0.20", "tcp", out + ":443", "10.1.0.20 at internet"},
		{"what only the router may", h.lan, "10.1.0.20", "udp", out + ":123", "drop"},
	})
	check(t, []flow{{"the only one of a day", h.router, "", "tcp", out + ":82", wan + " at internet"}})
	check(t, []flow{{"one beyond that", h.router, "", "tcp", out + ":82", "drop"}})
	for to, want := range map[string]bool{out: true, somewhere6: true, "10.1.0.20": false, "10.2.0.20": false} {
		if got := ping(t, h.router, to); got != want {
			t.Errorf("the router pings %s: answered is %t", to, got)
		}
	}
	for _, own := range []string{"10.2.0.1", "2001:db8:2::1"} { // neighbours were asked for, too
		if !ping(t, h.guests, own) {
			t.Errorf("%s does not answer guests", own)
		}
	}
	// An error about a packet that no connection is of: it would go to the Internet.
	for _, to := range []string{out, somewhere6} {
		if text, _ := h.guests.Try(t, "ping", "-n", "-c1", "-W5", "-t1", to); !strings.Contains(strings.ToLower(text), "time") || !strings.Contains(text, "xceeded") {
			t.Errorf("guests get no error about a packet to %s that has come too far:\n%s", to, text)
		}
	}
	for by, least := range map[string]int{"policy.both": 6, "policy.time": 1, "policy.six": 1, "policy.few": 2, "policy.refused": 6, "policy.guests": 4} {
		if n := counted(t, h.router, "output", by); n < least {
			t.Errorf("%s has counted %d packets, not %d", by, n, least)
		}
	}
}

// A connection of the router's own stays when rules are loaded that would not let it begin, and ends
// with the schedule of the policy that let it out.
func TestOwnConnectionsStay(t *testing.T) {
	t.Parallel()
	h := newOwnHouse(t)
	repeat(t, h.internet, 2222)
	repeat(t, h.guests, 2222)
	repeat(t, h.lan, 2222)
	open6 := strings.Replace(ownSpec, "policy \"refused\"", "policy \"first\" {\n  from = [router.r]\n  to = [zone.out, zone.guests]\n  action = \"accept\"\n  ports = [2222]\n}\npolicy \"refused\"", 1)
	load(t, h.router, ruleset(t, generate(t, ownFiles(open6))))
	talks := map[string]*conversation{
		"out":    open(t, h.router, "198.51.100.2", somewhere+":2222"),
		"guests": open(t, h.router, "10.2.0.1", "10.2.0.20:2222"),
	}
	night := strings.Replace(ownSpec, `services = ["ssh"]
  schedule`, `ports = [2222]
  schedule`, 1)
	rules := ruleset(t, generate(t, ownFiles(night)))
	load(t, h.router, rules)
	check(t, []flow{
		{"a new one", h.router, "", "tcp", somewhere + ":2222", "refuse"},
		{"a new one", h.router, "", "tcp", "10.2.0.20:2222", "drop"},
		{"before the schedule", h.router, "", "tcp", "10.1.0.20:2222", "refuse"},
	})
	h.router.Run(t, "nft", "add element inet nbr schedule_night_on { ipv4, ipv6 }")
	talks["copy"] = open(t, h.router, "10.1.0.1", "10.1.0.20:2222")
	for range 3 {
		for name, k := range talks {
			if err := k.goesOn(); err != nil {
				t.Errorf("%s has ended: %v", name, err)
			}
		}
	}
	h.router.Run(t, "nft", "flush set inet nbr schedule_night_on")
	before := counted(t, h.router, "output", "policy.copy")
	if _, err := talks["copy"].Write([]byte("still there?")); err != nil {
		t.Fatal(err)
	}
	nstest.Wait(t, func() error {
		if counted(t, h.router, "output", "policy.copy") == before {
			return errStays
		}
		return nil
	})
	if err := talks["guests"].goesOn(); err != nil {
		t.Errorf("another connection has ended: %v", err)
	}
}

// What WireGuard sends to a peer without an endpoint, and VXLAN to ends that it learns, is no answer,
// and no policy keeps it in.
func TestTunnelsGetOut(t *testing.T) {
	t.Parallel()
	h := newOwnHouse(t)
	spec := strings.Replace(ownSpec, `zone "out" { networks = [network.out] }`, `
zone "out" {
  networks = [network.out]
  allow    = ["wireguard"]
}
zone "far" { networks = [network.phones, network.learned] }
secret "wg0" { path = "/var/lib/secrets/wg0" }
wireguard "wg0" {
  private_key = secret.wg0
  listen      = 51820
  peer "phone" {
    public_key  = "xTIBA5rboUvnH4htodjb6e697QjLERt1NAB4mZqp8Dg="
    allowed_ips = ["10.9.0.2/32"]
  }
}
network "phones" {
  link = wireguard.wg0
  ipv4 = "10.9.0.1/24"
}
vxlan "vx8" {
  id      = 8
  network = network.out
  group   = "239.0.0.8"
}
network "learned" {
  link = vxlan.vx8
  ipv4 = "10.8.0.1/24"
}
`, 1)
	load(t, h.router, ruleset(t, generate(t, ownFiles(spec))))
	for _, c := range []struct {
		of       string
		from, to int // ports
	}{{"wireguard.wg0", 51820, 41000}, {"vxlan.vx8", 41001, 4789}} {
		var conn *net.UDPConn
		err := within(h.router, func() (err error) {
			conn, err = net.DialUDP("udp4", &net.UDPAddr{Port: c.from}, &net.UDPAddr{IP: net.ParseIP(somewhere), Port: c.to})
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		before := counted(t, h.router, "output", c.of)
		if _, err := conn.Write([]byte("not an answer")); err != nil {
			t.Errorf("%s: %v", c.of, err)
		}
		if after := counted(t, h.router, "output", c.of); after == before {
			t.Errorf("no packet was of %s", c.of)
		}
		conn.Close()
	}
}

// A policy with a schedule about hosts and the router resets the connections of both: what the
// firewall sends for that is no packet that it keeps in.
func TestOwnResetsGetOut(t *testing.T) {
	t.Parallel()
	h := newOwnHouse(t)
	spec := strings.Replace(ownSpec, `policy "both"`, `policy "bedtime" {
  from     = [router.r, zone.lan]
  to       = [zone.out]
  action   = "reject"
  ports    = [2222]
  schedule = schedule.night
}
policy "echo" {
  from   = [zone.lan]
  to     = [zone.out]
  action = "accept"
  ports  = [2222]
}
policy "both"`, 1)
	load(t, h.router, ruleset(t, generate(t, ownFiles(spec))))
	repeat(t, h.internet, 2222)
	h.router.Run(t, "nft", "add element inet nbr schedule_night_off { ipv4, ipv6 }")
	talk := open(t, h.lan, "10.1.0.20", somewhere+":2222")
	if err := talk.goesOn(); err != nil {
		t.Fatal(err)
	}
	h.router.Run(t, "nft", "flush set inet nbr schedule_night_off; add element inet nbr schedule_night_on { ipv4, ipv6 }")
	if err := talk.goesOn(); !errors.Is(err, syscall.ECONNRESET) {
		t.Errorf("a host's connection at bedtime: %v", err)
	}
	check(t, []flow{
		{"a host", h.lan, "", "tcp", somewhere + ":2222", "refuse"},
		{"the router", h.router, "", "tcp", somewhere + ":2222", "refuse"},
	})
}

// keptBack counts at the guests what the router has sent them.
const keptBack = `
table inet leaked {
  chain prerouting {
    type filter hook prerouting priority raw
    udp dport 9 counter comment "to guests"
  }
}
`

// While the rules are loaded anew nothing gets out that may not: see
// TestReloadsUnderAFloodLetNothingPass.
func TestReloadsLetNothingOut(t *testing.T) {
	h := newOwnHouse(t)
	rules := write(t, ruleset(t, h.generated))
	h.router.Run(t, "nft", "-f", rules)
	load(t, h.guests, keptBack)
	raw, done, sent := rawIPv4(t, h.router), make(chan bool), make(chan int)
	go func() { sent <- flood(raw, 9, [][2]string{{"10.2.0.1", "10.2.0.20"}}, 0, done) }()
	for range reloads {
		if _, err := h.router.Try(t, "nft", "-f", rules); err != nil {
			t.Error(err)
			break
		}
	}
	close(done)
	n, got := <-sent, comments(t, h.guests.Run(t, "nft", "-j", "list", "table", "inet", "leaked"))
	t.Logf("%d reloads, %d packets: %v", reloads, n, got)
	if leaked, looked := got["to guests"]; leaked != 0 || !looked {
		t.Errorf("%d packets got out (looked: %t)", leaked, looked)
	}
	if n < 100*reloads {
		t.Error("that was no flood")
	}
	// Were the policy not there, they would arrive.
	h.router.Run(t, "nft", "flush", "ruleset")
	open, again := make(chan bool), make(chan int)
	go func() { again <- flood(raw, 9, [][2]string{{"10.2.0.1", "10.2.0.20"}}, 0, open) }()
	nstest.Wait(t, func() error {
		if comments(t, h.guests.Run(t, "nft", "-j", "list", "table", "inet", "leaked"))["to guests"] == 0 {
			return errStays
		}
		return nil
	})
	close(open)
	<-again
}

// The minimal firewall lets out answers, and what links need: no connection of the router's own.
func TestGuardOfOwnPolicies(t *testing.T) {
	t.Parallel()
	h := newOwnHouse(t)
	load(t, h.router, h.text(t, "environment", "etc", "nbr/guard.nft", "text"))
	check(t, []flow{
		{"names", h.router, "", "udp", somewhere + ":53", "drop"},
		{"to guests", h.router, "", "tcp", "10.2.0.20:80", "drop"},
		{"ssh", h.guests, "", "tcp", "10.2.0.1:22", "10.2.0.20 at router"},
		{"to itself", h.router, "", "tcp", "127.0.0.1:8080", "127.0.0.1 at router"},
	})
}

// Each rule about the router's own packets is its policy's promise: without it that policy fails, and
// no other one.
func TestOwnRulesAreCompared(t *testing.T) {
	t.Parallel()
	reg := &service.Registry{Kinds: all.Kinds(), Boards: firmware.Boards()}
	spec, diags := reg.Load(ownFiles(ownSpec), nil)
	if diags.HasErrors() {
		t.Fatal(diags)
	}
	plan := spec.Plan()
	i := slices.IndexFunc(plan.Needs(), func(n state.Need) bool { return n.Kind == state.NeedRuleset })
	need := plan.Needs()[i]
	router := nstest.New(t, "router")
	for name, tt := range map[string]struct {
		rule, by string // a change of the rules, $ is one of the chain with this comment
		want     []string
	}{
		"as it is":                      {},
		"names are kept in":             {"delete rule inet nbr output handle $", "policy.both", []string{"policy.both/rules"}},
		"time is kept in":               {"delete rule inet nbr output handle $", "policy.time", []string{"policy.time/rules"}},
		"guests are reached":            {"delete rule inet nbr output handle $", "policy.guests", []string{"policy.guests/rules"}},
		"nothing is refused":            {"delete rule inet nbr output handle $", "policy.refused", []string{"policy.refused/rules"}},
		"without a limit":               {"delete rule inet nbr output handle $", "policy.few", []string{"policy.few/rules"}},
		"at all times":                  {"delete rule inet nbr output handle $", "policy.copy", []string{"policy.copy/rules"}},
		"a rule of another's":           {"insert rule inet nbr output accept", "", []string{}},
		"one more, and a false name":    {"insert rule inet nbr output handle $ oifname \"lan2\" accept comment \"COMMENT\"", "policy.guests", []string{"policy.guests/rules"}},
		"what links need is dropped":    {"delete rule inet nbr output handle $", "firewall", []string{"firewall/rules"}},
		"everything is let out":         {"flush chain inet nbr output", "", []string{"firewall/rules", "policy.both/rules", "policy.copy/rules", "policy.few/rules", "policy.guests/rules", "policy.refused/rules", "policy.six/rules", "policy.time/rules"}},
		"the chain is not called":       {"delete chain inet nbr output", "", []string{"firewall/rules", "policy.both/rules", "policy.copy/rules", "policy.few/rules", "policy.guests/rules", "policy.refused/rules", "policy.six/rules", "policy.time/rules"}},
		"the chain lets pass at an end": {"add chain inet nbr output { policy accept; }", "", []string{}},
	} {
		load(t, router, need.Text)
		if tt.rule != "" {
			change := tt.rule
			for _, r := range loadedRules(t, router) {
				if r.Chain == "output" && tt.by != "" && strings.HasSuffix(r.Comment, " "+tt.by) {
					change = strings.NewReplacer("$", handleOf(t, router, r.Comment), "COMMENT", r.Comment).Replace(change)
				}
			}
			router.Run(t, "nft", change)
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
		got, whole := map[string]bool{}, verify.Unknown
		for _, r := range results {
			switch {
			case r.ID == "firewall/ruleset":
				whole = r.Status
			case strings.HasSuffix(r.ID, "/rules") && r.Status == verify.Fail:
				got[r.ID] = true
			}
		}
		if d := cmp.Diff(tt.want, slices.Sorted(maps.Keys(got))); d != "" && len(tt.want)+len(got) > 0 {
			t.Errorf("%s (-want +got):\n%s", name, d)
		}
		if want := tt.rule == ""; (whole == verify.Pass) != want {
			t.Errorf("%s: the whole table is %v", name, whole)
		}
	}
}
