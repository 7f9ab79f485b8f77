# Prefixes that cannot be others outside, or are others of two.
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

network "public" {
  link = port.lan2
  ipv6 = "2001:db8:1:1::1/64"
}

network "rest" {
  link = port.lan3
  ipv6 = "fd12:3456:789a:81::1/64"
}

network "wan" {
  link     = port.wan
  ipv6     = "2001:db8:f::2/64"
  gateway6 = "2001:db8:f::1"
}

zone "lan" {
  networks = [network.lan, network.public, network.rest]
}

zone "wan" {
  networks = [network.wan]
}

prefix_nat "good" {
  network  = network.wan
  internal = "fd12:3456:789a:1::/64"
  external = "2001:db8:2:1::/64"
}

prefix_nat "lengths" {
  network  = network.wan
  internal = "fd12:3456:789a:80::/62"
  external = "2001:db8:3::/56" # ERROR: prefix-nat
}

prefix_nat "inside" {
  network  = network.lan # ERROR: prefix-nat
  internal = "fd12:3456:789a:1::/64"
  external = "2001:db8:4:1::/64"
}

prefix_nat "public" {
  network  = network.wan
  internal = "2001:db8:1:1::/64" # ERROR: prefix-nat
  external = "2001:db8:5:1::/64"
}

prefix_nat "local" {
  network  = network.wan
  internal = "fd12:3456:789a:1::/64" # ERROR: prefix-nat
  external = "fd99::/64" # ERROR: prefix-nat
}

prefix_nat "version" {
  network  = network.wan
  internal = "192.168.1.0/24" # ERROR: prefix-nat
  external = "203.0.113.0/24" # ERROR: prefix-nat
}

prefix_nat "own" {
  network  = network.wan
  internal = "fdaa:1::/64" # ERROR: prefix-nat
  external = "2001:db8:f::/64" # ERROR: prefix-nat
}

prefix_nat "same" {
  network  = network.wan
  internal = "fd12:3456:789a:1::/64" # ERROR: prefix-nat
  external = "2001:db8:2:1::/64" # ERROR: prefix-nat
}
