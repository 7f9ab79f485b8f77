package referee_test

import (
	"maps"
	"sync"
	"testing"
)

// inline are specs beside the article's, each for what that one does not have.
var inline = map[string]string{
	// Thirty VLANs are five lines; here are three, with a network, a zone and leases each.
	"vlans": `
locals {
  rooms = { office = 10, guests = 20, things = 30 }
}
bridge "br-lan" { ports = [port.lan1, port.lan2, port.lan3] }
vlan "v" {
  for_each = local.rooms
  name     = "v${each.value}"
  link     = bridge.br-lan
  id       = each.value
}
network "room" {
  for_each = local.rooms
  link     = vlan.v[each.key]
  ipv4     = "10.0.${each.value}.1/24"
  ipv6     = "fd00:0:0:${each.value}::1/64"
  domain   = "${each.key}.example.org"
}
network "wan" {
  link = port.wan
  ipv4 = "dhcp"
}
zone "room" {
  for_each = local.rooms
  networks = [network.room[each.key]]
  allow    = each.key == "office" ? ["dhcp", "dns", "ssh", "ntp"] : ["dhcp", "dns"]
}
zone "wan" { networks = [network.wan] }
policy "out" {
  from       = [zone.room]
  to         = [zone.wan]
  action     = "accept"
  masquerade = true
}
policy "office-things" {
  from      = [zone.room["office"]]
  to        = [zone.room["things"]]
  action    = "accept"
  protocols = ["tcp"]
  ports     = ["80", "443", "8000-8010"]
}

policy "office-ping" {
  from      = [zone.room["office"]]
  to        = [zone.room["things"]]
  action    = "accept"
  protocols = ["icmp"]
}
dhcp4 "room" {
  for_each = local.rooms
  network  = network.room[each.key]
  pool     = ["10.0.${each.value}.100-10.0.${each.value}.199"]
}
resolver { networks = [network.room] }
ssh { networks = [network.room["office"]] }
time {
  servers  = ["192.0.2.123", "ntp.example.org"]
  networks = [network.room["office"]]
}
user "root" {
  authorized_keys = ["ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIEbHw8WiDglSz3F98qaKqHuX3Zw9+D/kdO9wVQxdMwkl me@desk"]
}
`,
	// A fixed upstream with both protocols, a routed host network, port forwards of each kind.
	"static": `
bridge "br-lan" {
  ports = [port.lan1, port.lan2]
  mac   = "02:00:00:00:00:01"
  mtu   = 1500
  stp   = true
}
network "lan" {
  link = bridge.br-lan
  ipv4 = "10.1.0.1/24"
  ipv6 = "2001:db8:1::1/64"
}
network "dmz" {
  link = port.lan3
  ipv4 = "203.0.113.1/28"
  ipv6 = "2001:db8:d::1/64"
}
network "wan" {
  link     = port.wan
  ipv4     = "198.51.100.2/24"
  gateway  = "198.51.100.1"
  ipv6     = "2001:db8:f::2/64"
  gateway6 = "2001:db8:f::1"
}
route "branch" {
  to     = "10.9.0.0/16"
  via    = "10.1.0.9"
  metric = 50
}
route "branch6" {
  to  = "2001:db8:9::/48"
  via = "2001:db8:1::9"
}
route "inner" {
  to   = "10.0.0.0/8"
  type = "unreachable"
}
route "inner6" {
  to   = "2001:db8:8000::/33"
  type = "blackhole"
}
route "guests" {
  to     = "192.168.0.0/16"
  type   = "prohibit"
  metric = 9
}
zone "lan" {
  networks = [network.lan]
  allow    = ["ssh"]
}
zone "dmz" { networks = [network.dmz] }
zone "wan" { networks = [network.wan] }
policy "mail" {
  from      = [zone.lan]
  to        = [zone.wan]
  action    = "reject"
  protocols = ["tcp"]
  ports     = ["25"]
  log       = true
}
policy "games" {
  from      = [zone.lan]
  to        = [zone.wan]
  action    = "drop"
  ports     = ["6000-6010", "6005-6020", "6020"]
}
policy "web" {
  from       = [zone.lan]
  to         = [zone.wan]
  action     = "accept"
  protocols  = ["tcp"]
  masquerade = true
}
policy "rest" {
  from   = [zone.lan, zone.dmz]
  to     = [zone.wan, zone.dmz]
  action = "accept"
}
policy "published" {
  from      = [zone.wan]
  to        = [zone.dmz]
  action    = "accept"
  protocols = ["tcp"]
  ports     = ["80"]
}

policy "ping" {
  from      = [zone.wan]
  to        = [zone.dmz]
  action    = "accept"
  protocols = ["icmp"]
}
port_forward "same" {
  from = zone.wan
  port = "8080"
  to   = "10.1.0.10"
}
port_forward "other" {
  from    = zone.wan
  port    = "2222"
  to      = "10.1.0.10"
  to_port = "22"
}
port_forward "range" {
  from     = zone.wan
  protocol = "udp"
  port     = "5000-5010"
  to       = "10.1.0.10"
}
port_forward "shared" {
  from = zone.wan
  port = "80"
  to   = "10.1.0.10"
}
ssh {
  networks = [network.lan]
  port     = "22"
}
user "root" {
  authorized_keys = ["ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIEbHw8WiDglSz3F98qaKqHuX3Zw9+D/kdO9wVQxdMwkl me@desk"]
}
`,
	// The program's own words everywhere, and everything of the firewall that can be switched.
	"quiet": `
bridge "br-lan" { ports = [port.lan1] }
network "lan" {
  link = bridge.br-lan
  ipv4 = "10.2.0.1/24"
}
network "guests" {
  link = port.lan2
  ipv4 = "10.3.0.1/24"
}
network "wan" {
  link = port.wan
  ipv4 = "dhcp"
  ipv6 = "auto"
}
zone "lan" {
  networks = [network.lan, network.guests]
  allow    = ["dhcp", "dns", "ssh"]
}
zone "wan" { networks = [network.wan] }
policy "internet" {
  from       = [zone.lan]
  to         = [zone.wan]
  action     = "accept"
  masquerade = true
}
firewall {
  log_drops    = false
  anti_spoof   = false
  ping         = false
  flow_offload = true
}
interfaces {
  ignore = ["^tailscale0$"]
  extra = {
    interfaces = { "br-lan" = { link = { br_forward_delay = 200 } } }
    parameters = { ignore = { ipaddr_dynamic = true } }
  }
}
dhcp_client { extra = ["vendorclassid nbr"] }
dhcp4 "lan" {
  network = network.lan
  pool    = ["10.2.0.100-10.2.0.149", "10.2.0.200-10.2.0.249"]
  lease   = "15m"
  dns     = ["9.9.9.9", "149.112.112.112"]
  domain  = "home.example.org"
  extra   = { "min-valid-lifetime" = 300, "user-context" = { note = "quotes \" and $${} and ''" } }
}
dhcp4 "guests" {
  network = network.guests
  pool    = ["10.3.0.100-10.3.0.199"]
}
resolver {
  networks = [network.lan, network.guests]
  forward  = ["192.0.2.53"]
  workers  = 1
  extra    = { cache = { "size-max" = "20M" }, logging = { level = "info" } }
}
ssh {
  networks  = [network.lan, network.guests]
  port      = "2222"
  extra     = { X11Forwarding = false, MaxAuthTries = 3, LogLevel = "VERBOSE" }
}
time {
  servers  = ["time.cloudflare.com"]
  nts      = true
}
nix { extra = { "keep-outputs" = true } }
user "root" {
  authorized_keys = ["ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIEbHw8WiDglSz3F98qaKqHuX3Zw9+D/kdO9wVQxdMwkl me@desk"]
}
`,
	// Nothing but ports, networks and zones.
	"bare": `
network "lan" {
  link = port.lan1
  ipv4 = "10.4.0.1/24"
}
network "wan" {
  link = port.wan
  ipv6 = "auto"
}
zone "lan" {
  for_each = ["a.b-c"]
  networks = [network.lan]
}
zone "wan" { networks = [network.wan] }
`,
}

var cache struct {
	sync.Mutex
	specs map[string]*generated
}

// specs are the article's spec and the inline ones, generated once.
func specs(t *testing.T) map[string]*generated {
	t.Helper()
	cache.Lock()
	defer cache.Unlock()
	if cache.specs == nil {
		found := map[string]*generated{"bpi-r4": fromDir(t, article)}
		for name, text := range inline {
			found[name] = fromText(t, text)
		}
		cache.specs = found
	}
	return maps.Clone(cache.specs)
}

func spec(t *testing.T, name string) *generated {
	t.Helper()
	g := specs(t)[name]
	if g == nil {
		t.Fatalf("no spec is called %s", name)
	}
	return g
}
