# Delegated prefixes that have no such network to be another one outside.
router "r" {
  board         = "bananapi-bpir4"
  memory        = "4GiB"
  state_version = "26.05"
  console_only  = true
  name_servers  = ["2620:fe::fe"]
}

network "lan" {
  link = port.lan1
  ipv6 = "fd12:3456:789a:1::1/64"
}

network "guest" {
  link = port.lan2
  ipv6 = "fd12:3456:789a:2::1/64"
}

network "wide" {
  link = port.lan3
  ipv6 = "fd12:3456:789a:10::1/64"
}

route "inner4" {
  to  = "fd12:3456:789a:f004::/64"
  via = "fd12:3456:789a:1::2"
}

route "inner5" {
  to  = "fd12:3456:789a:f005::/64"
  via = "fd12:3456:789a:1::2"
}

route "inner6" {
  to  = "fd12:3456:789a:f006::/64"
  via = "fd12:3456:789a:1::2"
}

route "inner7" {
  to  = "fd12:3456:789a:f007::/64"
  via = "fd12:3456:789a:1::2"
}

route "inner8" {
  to  = "fd12:3456:789a:f008::/64"
  via = "fd12:3456:789a:1::2"
}

vlan "lte" {
  link = port.wan
  id   = 7
}

network "fibre" {
  link = port.wan
  ipv6 = "auto"
}

network "lte" {
  link = vlan.lte
  ipv6 = "auto"
}

prefix "fibre" {
  network = network.fibre
  length  = 60
}

network "public" {
  link   = port.lan1
  prefix = prefix.fibre
  subnet = 3
}

zone "home" {
  networks = [network.lan, network.guest, network.wide, network.public]
}

zone "world" {
  networks = [network.fibre, network.lte]
}

prefix_nat "good" {
  network  = network.fibre
  internal = "fd12:3456:789a:1::/64"
  prefix   = prefix.fibre
  subnet   = 1
}

prefix_nat "other-upstream" {
  network  = network.lte
  internal = "fd12:3456:789a:1::/64"
  prefix   = prefix.fibre # ERROR: prefix-nat
  subnet   = 2
}

prefix_nat "same" {
  network  = network.fibre
  internal = "fd12:3456:789a:2::/64"
  prefix   = prefix.fibre
  subnet   = 1 # ERROR: prefix-nat
}

prefix_nat "too-long" {
  network  = network.fibre
  internal = "fd12:3456:789a:10::/60" # ERROR: prefix-nat
  prefix   = prefix.fibre
  subnet   = 5
}

prefix_nat "of-a-network" {
  network  = network.fibre
  internal = "fd12:3456:789a:f004::/64"
  prefix   = prefix.fibre
  subnet   = 3 # ERROR: prefix-nat
}

prefix_nat "outside" {
  network  = network.lte
  internal = "fd12:3456:789a:f004::/64"
  prefix   = prefix.fibre # ERROR: prefix-nat
  subnet   = 16 # ERROR: prefix-nat
}

prefix_nat "both" {
  network  = network.fibre
  internal = "fd12:3456:789a:f005::/64"
  external = "2001:db8:6:1::/64"
  prefix   = prefix.fibre # ERROR: prefix-nat
  subnet   = 6
}

prefix_nat "none" { # ERROR: prefix-nat
  network  = network.fibre
  internal = "fd12:3456:789a:f006::/64"
}

prefix_nat "which" {
  network  = network.fibre
  internal = "fd12:3456:789a:f007::/64"
  prefix   = prefix.fibre # ERROR: prefix-nat
}

prefix_nat "number" {
  network  = network.fibre
  internal = "fd12:3456:789a:f008::/64"
  external = "2001:db8:7:1::/64"
  subnet   = 4 # ERROR: prefix-nat
}
