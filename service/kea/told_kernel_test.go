package kea

import (
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/nbr-dev/nbr/internal/lab"
	"github.com/nbr-dev/nbr/internal/nstest"
	"github.com/nbr-dev/nbr/internal/probetest"
)

// keaConf6 serves addresses and prefixes on a bridge, and name servers alone on another link.
const keaConf6 = `{"Dhcp6": {
  "interfaces-config": {"interfaces": ["br-lan", "lan9"], "service-sockets-max-retries": 20, "service-sockets-retry-wait-time": 200},
  "lease-database": {"type": "memfile", "persist": false},
  "mac-sources": ["ipv6-link-local", "duid"],
  "subnet6": [{
    "id": 1, "subnet": "fd00:7::/64", "interface": "br-lan", "valid-lifetime": 600, "preferred-lifetime": 300,
    "pools": [{"pool": "fd00:7::1000 - fd00:7::1fff"}],
    "pd-pools": [{"prefix": "fd00:8000::", "prefix-len": 48, "delegated-len": 56}],
    "option-data": [{"name": "dns-servers", "data": "fd00:7::1, 2001:db8::53"}, {"name": "domain-search", "data": "home.arpa, example.org"}],
    "reservations": [
      {"hw-address": "02:11:22:33:44:55", "ip-addresses": ["fd00:7::10"]},
      {"duid": "00:02:00:00:00:09:01:02:03:04", "ip-addresses": ["fd00:7::11"]}
    ]
  }, {
    "id": 2, "subnet": "fe80:0:0:9::/64", "interface": "lan9",
    "option-data": [{"name": "dns-servers", "data": "2001:db8::54"}]
  }]
}}`

func startKea6(t *testing.T) *lab.Daemon {
	t.Helper()
	root := lab.Rootfs(t, lab.Files{"/etc/kea/test6.conf": keaConf6, "/run/kea/": "", "/var/lib/kea/": ""})
	kea := root.Daemon(t, new(nstest.NS), "kea-dhcp6", "-c", "/etc/kea/test6.conf")
	kea.Ready(t, func() error {
		if !strings.Contains(kea.Log(), "DHCP6_STARTED") {
			return errors.New("it has not started")
		}
		return nil
	})
	return kea
}

// A real server tells a client of each kind what it is to be told, and keeps nothing of it.
func TestAdviceOfKea(t *testing.T) {
	lan(t)
	link, other := client6{Link: "br-lan"}, client6{Link: "lan9", Stateless: true}
	byMAC, byDUID := client6{Link: "br-lan", MAC: "02:11:22:33:44:55"}, client6{Link: "br-lan", DUID: "00:02:00:00:00:09:01:02:03:04"}
	all := []client6{link, other, byMAC, byDUID}
	if !nstest.Privileged(t) {
		for c, o := range probetest.Ask(t, told, all...) {
			if !strings.Contains(o.Error, "no permission") {
				t.Errorf("%v: %+v", c, o)
			}
		}
		return
	}
	nstest.IP(t, "addr add fd00:7::1/64 dev br-lan nodad\n", "")
	nstest.Wait(t, func() error { // Kea opens no socket before
		if out := new(nstest.NS).Run(t, "ip", "-6", "addr", "show", "tentative"); out != "" {
			return errors.New("an address is tentative: " + out)
		}
		return nil
	})
	kea := startKea6(t)
	// The allocator goes on with each question, of which it keeps nothing else.
	ask := func(c ...client6) map[client6]probetest.Answer[advice] {
		out := probetest.Ask(t, told, c...)
		for _, o := range out {
			for i, a := range o.Answer.Addresses {
				if strings.HasPrefix(a, "fd00:7::1") && len(a) == len("fd00:7::1000") {
					o.Answer.Addresses[i] = "fd00:7::1000"
				}
			}
			for i, p := range o.Answer.Prefixes {
				if strings.HasPrefix(p, "fd00:8000:") && strings.HasSuffix(p, "00::/56") || p == "fd00:8000::/56" {
					o.Answer.Prefixes[i] = "fd00:8000::/56"
				}
			}
		}
		return out
	}
	base := advice{Answered: true, Prefixes: []string{"fd00:8000::/56"}, Valid: 600, Preferred: 300, DNS: []string{"fd00:7::1", "2001:db8::53"}, Domains: []string{"home.arpa", "example.org"}}
	with := func(addr string) probetest.Answer[advice] {
		a := base
		a.Addresses = []string{addr}
		return probetest.Answer[advice]{Answer: a}
	}
	want := map[client6]probetest.Answer[advice]{
		link: with("fd00:7::1000"), byMAC: with("fd00:7::10"), byDUID: with("fd00:7::11"),
		other: {Answer: advice{Answered: true, DNS: []string{"2001:db8::54"}}},
	}
	if d := cmp.Diff(want, ask(all...)); d != "" {
		t.Error(d)
	}
	kea.Stop(t)
	if d := cmp.Diff(map[client6]probetest.Answer[advice]{link: {}}, ask(link)); d != "" {
		t.Errorf("with Kea stopped: %s", d)
	}
}
