package referee_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/nbr-dev/nbr/internal/lab"
	"github.com/nbr-dev/nbr/internal/nstest"
)

const delegatedAdvert = `
router "r" {
  board         = "bananapi-bpir4"
  memory        = "4GiB"
  state_version = "26.05"
  console_only  = true
  name_servers  = ["9.9.9.9"]
}
network "wan" {
  link = port.wan
  ipv6 = "auto"
}
prefix "isp" {
  network = network.wan
  length  = 56
}
network "lan" {
  link   = port.lan1
  ipv6   = "fd00:1::1/64"
  prefix = prefix.isp
  subnet = 3
}
zone "lan" { networks = [network.lan] }
zone "wan" { networks = [network.wan] }
router_advert "lan" {
  network = network.lan
  dns     = ["2001:db8::53"]
}
`

// madeAddress is an address that a host has made of a prefix (RFC 4862).
type madeAddress struct {
	Deprecated bool
	Valid      int // seconds
}

// madeAddresses are those of a host, by their prefixes.
func madeAddresses(t *testing.T, host *nstest.NS) map[string]madeAddress {
	t.Helper()
	var links []struct {
		Addresses []struct {
			Local      netip.Addr `json:"local"`
			Length     int        `json:"prefixlen"`
			Deprecated bool       `json:"deprecated"`
			Valid      int        `json:"valid_life_time"`
		} `json:"addr_info"`
	}
	if err := json.Unmarshal([]byte(host.Run(t, "ip", "-j", "-6", "addr", "show", "dev", "eth0", "scope", "global")), &links); err != nil {
		t.Fatal(err)
	}
	out := map[string]madeAddress{}
	for _, l := range links {
		for _, a := range l.Addresses {
			if a.Local.IsValid() { // ip leaves an empty one for each that it does not show
				out[netip.PrefixFrom(a.Local, a.Length).Masked().String()] = madeAddress{a.Deprecated, a.Valid}
			}
		}
	}
	return out
}

// What is delegated is advertised as soon as the link has an address of it, beside the fixed
// prefix, and no longer than that is valid. When another one replaces it hosts get that without
// a reload. Of the one that has gone radvd says no more, so hosts keep theirs for a while; one
// that stays on the link and is not preferred any more they do not take for new connections.
func TestDelegatedPrefixesAreAdvertised(t *testing.T) {
	t.Parallel()
	g := fromText(t, delegatedAdvert)
	ifstate := lab.IfState(t)
	ifstate.Ports = dsaPorts
	host := nstest.New(t, "host")
	router := board(t, map[string]*nstest.NS{"lan1": host})
	sysctls(t, router, g)
	load(t, router, ruleset(t, g))
	apply(t, ifstate, router, g)
	host.Run(t, "sysctl", "-qw", "net.ipv6.conf.eth0.accept_ra=1", "net.ipv6.conf.eth0.forwarding=0")
	root := lab.Rootfs(t, lab.Files{"/etc/radvd.conf": g.text(t, "environment", "etc", "nbr/radvd.conf", "text")})
	radvd := root.Daemon(t, router, "radvd", "-n", "-C", "/etc/radvd.conf", "-m", "stderr", "-u", "root")
	becomes := func(what string, want map[string]bool) {
		t.Helper()
		radvd.Ready(t, func() error {
			got := map[string]bool{}
			for prefix, a := range madeAddresses(t, host) {
				got[prefix] = a.Deprecated
			}
			if d := cmp.Diff(want, got); d != "" {
				return fmt.Errorf("%s: prefixes of the host, and whether they are deprecated (-want +got):\n%s", what, d)
			}
			return nil
		})
	}
	const fixed, first, second, third = "fd00:1::/64", "2001:db8:8000:3::/64", "2001:db8:9000:3::/64", "2001:db8:a000:3::/64"
	at := func(prefix string) string { return strings.Replace(prefix, "::/", "::1/", 1) + " dev lan1" }

	becomes("nothing is delegated", map[string]bool{fixed: false})
	ip(t, router, "addr add "+at(first)+" nodad valid_lft 900 preferred_lft 600\n")
	becomes("a prefix is delegated", map[string]bool{fixed: false, first: false})
	made := madeAddresses(t, host)
	if made[first].Valid > 900 || made[fixed].Valid <= 900 {
		t.Errorf("valid for %d s of 900, and %d s of 5400", made[first].Valid, made[fixed].Valid)
	}

	ip(t, router, "addr add "+at(second)+" nodad valid_lft 900 preferred_lft 600\naddr del "+at(first)+"\n")
	becomes("another one replaces it", map[string]bool{fixed: false, first: false, second: false})
	verdicts(t, router, delegatedAdvert, map[string]string{
		"router_advert.lan/prefix": "pass", "router_advert.lan/valid": "pass", "router_advert.lan/preferred": "pass",
		"router_advert.lan/delegated/valid": "pass", "router_advert.lan/delegated/preferred": "pass",
	})

	ip(t, router, "addr change "+at(second)+" valid_lft 600 preferred_lft 0\naddr add "+at(third)+" nodad valid_lft 900 preferred_lft 600\n")
	becomes("another one replaces that", map[string]bool{fixed: false, first: false, second: true, third: false})

	ip(t, router, "addr add 2001:db8:bad::7/64 dev lan1 nodad\n") // which radvd advertises, too
	becomes("an address that is not of the spec", map[string]bool{fixed: false, first: false, second: true, third: false, "2001:db8:bad::/64": false})
	verdicts(t, router, delegatedAdvert, map[string]string{"router_advert.lan/prefix": "fail"})
}

// The provider delegates another prefix, at once and without a word about the old one, as many do
// each night. Hosts take the old one for nothing new from then on (RFC 9096 section 3.5), also
// after radvd and its unit were started again, and a host that comes makes no address of it. They
// keep the router as a default router as long as that has a default route (RFC 7084, G-4 and G-5).
func TestHostsFollowARenumbering(t *testing.T) {
	t.Parallel()
	m := bootAdvertising(t, delegatedAdvert, 16)
	m.host.Run(t, "sysctl", "-qw", "net.ipv6.conf.eth0.accept_ra=1", "net.ipv6.conf.eth0.forwarding=0")
	const fixed, first, second = "fd00:1::/64", "2001:db8:8000:3::/64", "2001:db8:9000:3::/64"
	at := func(prefix string) string { return strings.Replace(prefix, "::/", "::1/", 1) + " dev lan1" }
	hears := func(what string, defaults int, want map[string]bool, wrong ...string) {
		t.Helper()
		nstest.Wait(t, func() error {
			got := map[string]bool{}
			for prefix, a := range madeAddresses(t, m.host) {
				got[prefix] = a.Deprecated
			}
			if d := cmp.Diff(want, got); d != "" || m.defaults(t) != defaults {
				return fmt.Errorf("%s: %d default routes, want %d; prefixes of the host, and whether they are deprecated (-want +got):\n%s", what, m.defaults(t), defaults, d)
			}
			return nil
		})
		m.finds(t, wrong...)
	}
	anew := func() { ip(t, m.host, "link set eth0 down\nlink set eth0 up\n") } // its kernel asks

	ip(t, m.router, "addr add "+at(first)+" nodad valid_lft 900 preferred_lft 600\nroute add unreachable 2001:db8:8000::/56 proto dhcp\n")
	m.host.Run(t, "sysctl", "-qw", "net.ipv6.conf.eth0.accept_ra_rt_info_max_plen=64")
	anew()
	hears("no way to the world", 0, map[string]bool{fixed: false, first: false})
	// Also then it leads to what is its own.
	nstest.Wait(t, func() error {
		for _, to := range []string{"fd00:1::/48", "2001:db8:8000::/56"} {
			if m.host.Run(t, "ip", "-6", "route", "show", to, "proto", "ra") == "" {
				return errors.New("no route to " + to)
			}
		}
		return nil
	})
	ip(t, m.router, "route add default via fe80::1 dev wan\n")
	hears("a way to the world", 1, map[string]bool{fixed: false, first: false})
	ip(t, m.router, "addr del "+at(first)+"\naddr add "+at(second)+" nodad valid_lft 900 preferred_lft 600\n")
	hears("another prefix", 1, map[string]bool{fixed: false, first: true, second: false})
	m.Systemctl(t, "restart", "nbr-advertisements.service", "radvd.service")
	hears("after a restart", 1, map[string]bool{fixed: false, first: true, second: false})
	anew()
	hears("a host that comes", 1, map[string]bool{fixed: false, second: false})
	ip(t, m.router, "addr del "+at(second)+"\n")
	const without = "skip: the router has no address of prefix.isp"
	hears("no prefix", 1, map[string]bool{fixed: false, second: true}, "prefix (network = network.lan) "+without,
		`delegated/valid (router_advert "lan" {) `+without, `delegated/preferred (router_advert "lan" {) `+without)
	ip(t, m.router, "addr add "+at(second)+" nodad valid_lft 900 preferred_lft 600\nroute del default via fe80::1 dev wan\n")
	hears("the prefix is back, and the way is not", 0, map[string]bool{fixed: false, second: false})

	m.Systemctl(t, "stop", "nbr-advertisements.service")
	m.finds(t, `current (router_advert "lan" {) fail: inactive`)
	ip(t, m.router, "route add default via fe80::1 dev wan\n") // which is not advertised now
	m.finds(t, `default (router_advert "lan" {) fail: 0 s`, `current (router_advert "lan" {) fail: inactive`)
}

// verdicts has nbr verify judge a router that runs in a namespace, in some checks.
func verdicts(t *testing.T, router *nstest.NS, spec string, want map[string]string) {
	t.Helper()
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "router.hcl"), []byte(spec), 0o644); err != nil {
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
	args := []string{"verify", "-format", "json"}
	for id := range want {
		args = append(args, "-only", id)
	}
	nstest.Wait(t, func() error { // a probe may get no processor
		text, err := router.Try(t, nbr, append(args, dir)...)
		var report struct{ Results []finding }
		if jsonErr := json.Unmarshal([]byte(text), &report); jsonErr != nil {
			t.Fatalf("nbr verify: %v\n%s", err, text)
		}
		got := map[string]string{}
		for _, f := range report.Results {
			got[f.ID] = f.Status
		}
		if d := cmp.Diff(want, got); d != "" {
			return errors.New("(-want +got):\n" + d + text)
		}
		return nil
	})
}

// passBut are the verdicts on checks of which some fail and the others pass.
func passBut(checks []string, failed ...string) map[string]string {
	out := map[string]string{}
	for _, id := range checks {
		out[id] = "pass"
	}
	for _, id := range failed {
		out[id] = "fail"
	}
	return out
}
