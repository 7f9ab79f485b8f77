# VRRP towards the provider, with addresses that are elsewhere or taken, and with clients that are told of another gateway.

router "r" {
  board         = "bananapi-bpir4"
  memory        = "4GiB"
  state_version = "25.11"
  console_only  = true
  name_servers  = ["9.9.9.9"]
}

network "wan" {
  link    = port.wan
  ipv4    = "203.0.113.2/24"
  gateway = "203.0.113.1"
}

network "lan" {
  link = port.lan1
  ipv4 = "192.168.1.2/24"
}

zone "all" {
  networks = [network.lan, network.wan]
}

host "nas" {
  network = network.lan
  ipv4    = "192.168.1.9"
}

vrrp "wan" {
  network   = network.wan # ERROR: vrrp-outside
  id        = 1
  addresses = ["203.0.113.9"]
}

vrrp "lan" {
  network  = network.lan
  id       = 1
  priority = 255 # ERROR: bad-value
  addresses = [
    "192.168.1.1",
  ]
}

vrrp "one" {
  network = network.lan
  id      = 2
  addresses = [
    "192.168.1.1",
    "192.168.1.2", # ERROR: vrrp-address-taken
    "192.168.1.9", # ERROR: vrrp-address-taken
    "192.168.2.1", # ERROR: vrrp-address-outside
    "fd00:1::1",   # ERROR: vrrp-address-outside
  ]
  track = [network.wan, network.lan] # ERROR: vrrp-track
}

vrrp "two" {
  network   = network.lan
  id        = 2 # ERROR: vrrp-id-twice
  addresses = ["192.168.1.3"]
}

network "six" {
  link = port.lan2
  ipv6 = "fd00:6::2/64"
}

zone "six" {
  networks = [network.six]
}

vrrp "six" {
  network   = network.six
  id        = 1
  addresses = ["fe80::1", "fe80::2"] # ERROR: vrrp-addresses
}

network "guest" {
  link = port.lan3
  ipv4 = "192.168.3.2/24"
}

zone "guest" {
  networks = [network.guest]
  allow    = ["dhcp"]
}

vrrp "guest" {
  network   = network.guest
  id        = 1
  addresses = ["192.168.3.1"]
}

dhcp4 "guest" {
  network = network.guest # WARNING: gateway-not-virtual
  pool    = ["192.168.3.100-192.168.3.149"]
  dns     = ["9.9.9.9"]
}

network "camp" {
  link = port.end1
  ipv4 = "192.168.4.2/24"
  ipv6 = "fd00:4::2/64"
}

zone "camp" {
  networks = [network.camp]
  allow    = ["dhcp"]
}

vrrp "camp" {
  network   = network.camp
  id        = 1
  addresses = ["192.168.4.1", "fd00:4::10"]
}

dhcp4 "camp" {
  network = network.camp
  pool    = ["192.168.4.1-192.168.4.9"] # ERROR: pool-holds-router pool-holds-router
  dns     = ["9.9.9.9"]

  option "routers" {
    value = ["192.168.4.1"]
  }
}

dhcp6 "camp" {
  network = network.camp
  pool    = ["::10-::1f"] # ERROR: pool-holds-router
}

router_advert "camp" {
  network = network.camp
  managed = true
}
