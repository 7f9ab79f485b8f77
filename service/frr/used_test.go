package frr_test

import (
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/nbr-dev/nbr/firmware"
	"github.com/nbr-dev/nbr/service"
	"github.com/nbr-dev/nbr/service/all"
	"github.com/nbr-dev/nbr/verify"
	"github.com/nbr-dev/nbr/verify/state"
)

const oneNetwork = `router "r" {
  board         = "bananapi-bpir4"
  memory        = "4GiB"
  state_version = "25.11"
  console_only  = true
}
network "core" {
  link = port.lan2
  ipv4 = "10.255.0.1/24"
}
zone "core" {
  networks = [network.core]
}
prefix_list "some" {
  permit = ["10.0.0.0/8 le 24"]
}
`

func load(t *testing.T, text string) *service.Spec {
	t.Helper()
	reg := &service.Registry{Kinds: all.Kinds(), Boards: firmware.Boards()}
	spec, diags := reg.Load(fstest.MapFS{"router.hcl": {Data: []byte(text)}}, nil)
	if diags.HasErrors() {
		t.Fatal(diags)
	}
	return spec
}

// The router may have routes of the protocols that the spec speaks, and of no other: a list that OSPF
// uses brings no BGP.
func TestRoutesOfWhatIsSpoken(t *testing.T) {
	plan := load(t, oneNetwork+`ospf {
  router_id = "10.255.0.1"
  area "0" {
    networks = [network.core]
  }
  redistribute "rip" {
    prefixes = prefix_list.some
  }
}
rip {
  networks = [network.core]
}
`).Plan()
	for proto, want := range map[string]string{"ospf": "none", "rip": "none", "bgp": "10.3.0.0/24 via 10.255.0.2 dev lan2 proto bgp"} {
		results, err := verify.Eval(plan, &state.State{Routes: []state.Route{{To: "10.3.0.0/24", Via: "10.255.0.2", Link: "lan2", Proto: proto}}})
		if err != nil {
			t.Fatal(err)
		}
		i := slices.IndexFunc(results, func(r verify.Result) bool { return r.ID == "interfaces/foreign/routes" })
		if i < 0 || results[i].Got != want {
			t.Errorf("with a route of %s: %+v, want %s", proto, results[max(i, 0)], want)
		}
	}
}

// A list that no block names starts nothing, and there is no unit to look for.
func TestListAlone(t *testing.T) {
	spec := load(t, oneNetwork)
	for _, m := range spec.Modules() {
		if src, _ := m.Module.Print(); strings.Contains(string(src), "frr") {
			t.Errorf("%s.nix has\n%s", m.Name, src)
		}
	}
	for _, c := range spec.Plan().Checks {
		if strings.HasPrefix(c.ID, "prefix_list.") {
			t.Errorf("there is a check %s", c.ID)
		}
	}
}

// Packets of BFD come in from the neighbours' network alone.
func TestBFDFromTheNetwork(t *testing.T) {
	for _, m := range load(t, oneNetwork+`bfd "fast" {
}
ospf {
  router_id = "10.255.0.1"
  area "0" {
    networks = [network.core]
    bfd      = bfd.fast
  }
}
`).Modules() {
		src, _ := m.Module.Print()
		for line := range strings.Lines(string(src)) {
			if strings.Contains(line, " dport 3784 ") && strings.Contains(line, `iifname "lan2"`) {
				if !strings.Contains(line, "ip ttl 255 ip saddr { 10.255.0.0/24 } udp dport 3784 counter accept") {
					t.Errorf("the firewall has %s", line)
				}
				return
			}
		}
	}
	t.Error("the firewall lets no BFD in")
}

// BGP and BFD of a neighbour by link come in from link-local addresses of that link alone.
func TestByLinkFromTheLink(t *testing.T) {
	want := map[string]string{
		" dport 179 ":  `iifname "lan3" meta pkttype host meta nfproto ipv6 ip6 saddr fe80::/10 ip6 daddr fe80::/10 tcp dport 179 counter accept`,
		" dport 3784 ": `iifname "lan3" meta pkttype host meta nfproto ipv6 ip6 saddr fe80::/10 ip6 daddr fe80::/10 ip6 hoplimit 255 udp dport 3784 counter accept`,
	}
	for _, m := range load(t, oneNetwork+`network "fabric" {
  link = port.lan3
}
zone "fabric" {
  networks = [network.fabric]
}
bfd "fast" {
}
bgp_group "others" {
  remote_as = 65001
  bfd       = bfd.fast
}
bgp {
  as        = 65001
  router_id = "192.0.2.1"
  neighbor "other" {
    network = network.fabric
    group   = bgp_group.others
  }
}
`).Modules() {
		src, _ := m.Module.Print()
		for line := range strings.Lines(string(src)) {
			for ports, rule := range want {
				if strings.Contains(line, ports) && strings.Contains(line, "iifname") {
					if !strings.Contains(line, rule) {
						t.Errorf("the firewall has %s", line)
					}
					delete(want, ports)
				}
			}
		}
	}
	if len(want) > 0 {
		t.Errorf("the firewall is without %v", want)
	}
}
