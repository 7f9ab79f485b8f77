# Addresses that come later where one is needed before the router runs.
router "r" {
  board         = "bananapi-bpir4"
  memory        = "4GiB"
  state_version = "26.05"
  console_only  = true
  name_servers  = ["9.9.9.9"]
}

network "wan" {
  link     = port.wan
  ipv4     = "dhcp"
  gateway  = "192.0.2.1" # ERROR: gateway-outside
  ipv6     = "auto"
  gateway6 = "2001:db8::1" # ERROR: gateway-outside
}

prefix "isp" {
  network = network.wan
  length  = 56
}

network "lan" {
  link   = port.lan1
  prefix = prefix.isp
  subnet = 1
}

network "both" { # has a fixed one, too
  link   = port.lan2
  ipv4   = "192.168.2.1/24"
  prefix = prefix.isp
  subnet = 2
}

zone "lan" {
  networks = [network.lan, network.both]
  allow    = ["dhcp", "ntp", "metrics"]
}

zone "wan" {
  networks = [network.wan]
}

route "far" {
  to  = "2001:db8:7::/48"
  via = "2001:db8:8000:1::9" # ERROR: next-hop-outside
}

port_forward "web" {
  from = zone.wan
  port = 443
  to   = "192.168.7.9" # ERROR: forward-outside
}

time {
  networks = [network.lan, network.both] # ERROR: no-fixed-address
}

agent {
  networks = [network.both, network.lan] # ERROR: no-fixed-address
}

dhcp4 "lan" {
  network = network.lan # ERROR: no-fixed-address
  pool    = ["192.168.1.100-192.168.1.199"]
  dns     = ["9.9.9.9"]
}

bgp {
  as        = 65001
  router_id = "192.0.2.9"
  networks  = [network.lan] # ERROR: no-fixed-address
}

ospf {
  router_id = "192.0.2.9"

  area "0" {
    passive = [network.lan] # ERROR: no-fixed-address
  }
}

dhcp_client {
  extra = ["# ${cidrhost(network.wan.ipv4, 1)}"] # ERROR: value-comes-later
}

check "hosts" {
  command = ["ping", cidrhost(network.lan.ipv6, 9)] # ERROR: value-comes-later
}
