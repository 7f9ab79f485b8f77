package service_test

import (
	"strings"
	"testing"
	"testing/fstest"

	"github.com/nbr-dev/nbr/hcl/diag"
)

// TestReach asks for addresses that no line of the spec leads to. What may bring routes that
// the spec does not say keeps nbr from concluding anything.
func TestReach(t *testing.T) {
	const base = `
router "r" {
  board         = "bananapi-bpir4"
  memory        = "4GiB"
  state_version = "26.05"
  console_only  = true
  name_servers  = ["9.9.9.9"]
  IMPORT
}
network "lan" {
  link = port.lan1
  ipv4 = "192.168.1.1/24"
}
zone "lan" { networks = [network.lan] }
`
	for _, tt := range []struct {
		name, more, imports string
		told                bool
	}{
		{name: "nothing", told: true},
		{name: "a route", more: `route "out" {
  to  = "9.9.9.0/24"
  via = "192.168.1.9"
}`},
		{name: "another route", told: true, more: `route "out" {
  to  = "9.9.8.0/24"
  via = "192.168.1.9"
}`},
		{name: "a default route", more: `route "out" {
  to  = "0.0.0.0/0"
  via = "192.168.1.9"
}`},
		{name: "DHCP", more: `network "wan" {
  link = port.wan
  ipv4 = "dhcp"
}
zone "wan" { networks = [network.wan] }`},
		{name: "router advertisements are of IPv6", told: true, more: `network "wan" {
  link = port.wan
  ipv6 = "auto"
}
zone "wan" { networks = [network.wan] }`},
		{name: "a tunnel", more: `secret "wg" { path = "/var/lib/secrets/wg" }
wireguard "wg" {
  private_key = secret.wg
  peer "p" {
    public_key  = "X1mxaVVMdYnMoVDy7WmYyFFzRVkuZYJXRcnU0mSNzzk="
    endpoint    = "192.168.1.9:51820"
    allowed_ips = ["9.9.9.9/32"]
  }
}
network "vpn" {
  link = wireguard.wg
  ipv4 = "10.8.0.1/24"
}
zone "vpn" { networks = [network.vpn] }`},
		{name: "OSPF", more: `ospf {
  router_id = "192.168.1.1"
  area "0" { networks = [network.lan] }
}`},
		{name: "a link of another program", more: `link "wwan0" {}
network "modem" {
  link = link.wwan0
  ipv4 = "10.9.0.2/24"
}
zone "modem" { networks = [network.modem] }`},
		{name: "interfaces of another program", more: `interfaces { ignore = ["^tailscale"] }`},
		{name: "what a user adds", more: `interfaces { extra = { routing = { routes = [] } } }`},
		{name: "a module of the user", imports: `import = ["own.nix"]`},
		{name: "a mistake elsewhere", more: `route "out" { to = "0.0.0.0" }`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			src := strings.Replace(base, "IMPORT", tt.imports, 1) + tt.more + "\n"
			_, diags := registry().Load(fstest.MapFS{"router.hcl": {Data: []byte(src)}, "own.nix": {Data: []byte("{ }\n")}}, nil)
			told := false
			for _, d := range diags {
				told = told || diag.Code(d) == "out-of-reach"
				if wrong := strings.Contains(tt.name, "mistake"); diags.HasErrors() && !wrong {
					t.Fatal(details(diags))
				}
			}
			if told != tt.told {
				t.Errorf("told: %t\n%s", told, details(diags))
			}
		})
	}
}
