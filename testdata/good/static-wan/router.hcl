# A fixed address from the provider, IPv6, and a network behind another router.

router "edge" {
  board         = "bananapi-bpir4"
  memory        = "4GiB"
  release       = "26.05"
  state_version = "23.05"
  name_servers  = ["9.9.9.9", "2620:fe::fe"]
}

network "wan" {
  link     = port.wan
  ipv4     = "198.51.100.2/30"
  gateway  = "198.51.100.1"
  ipv6     = "2001:db8:ffff::2/64"
  gateway6 = "fe80::1"
}

network "lan" {
  link = port.lan1
  ipv4 = "192.0.2.1/25"
  ipv6 = "2001:db8:1::1/64"
}

network "point" {
  link = port.lan2
  ipv4 = "192.0.2.128/31"
}

route "lab" {
  to     = "10.0.0.0/8"
  via    = "192.0.2.129"
  metric = 10
}

route "lab-spare" {
  to     = "10.0.0.0/8"
  via    = "192.0.2.126"
  metric = 20
}

route "lab6" {
  to      = "2001:db8:2::/48"
  via     = "fe80::2"
  network = network.point
}

zone "wan" {
  networks = [network.wan]
}

zone "inside" {
  networks = [network.lan, network.point]
  allow    = ["ssh"]
}

policy "out" {
  from   = [zone.inside]
  to     = [zone.wan]
  action = "accept"
}

ssh {
  networks = [network.lan]
  port     = 2222
}

user "admin" {
  authorized_keys = ["ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIEbHw8WiDglSz3F98qaKqHuX3Zw9+D/kdO9wVQxdMwkl me@desk"]
  admin           = true
}

# What the router has no network for goes nowhere, rather than to the upstream.
route "inner" {
  to   = "10.0.0.0/8"
  type = "unreachable"
}

route "inner6" {
  to   = "fd00::/8"
  type = "blackhole"
}
