# Next hops and gateways that no host has, or that are not where they are said to be.

router "r" {
  board         = "bananapi-bpir4"
  memory        = "4GiB"
  state_version = "25.11"
  console_only  = true
}

network "lan" {
  link     = port.lan1
  ipv4     = "10.1.0.1/24"
  ipv6     = "fd00:1::1/64"
  gateway  = "10.1.0.255" # ERROR: address-of-no-host
  gateway6 = "fd00:1::9"
}

network "other" {
  link     = port.lan2
  ipv6     = "fd00:2::1/64"
  gateway6 = "fe80::9" # ERROR: two-gateways
}

network "wan" {
  link = port.wan
  ipv4 = "dhcp"
}

zone "all" {
  networks = [network.lan, network.other, network.wan]
}

route "self" {
  to  = "10.5.0.0/16"
  via = "10.1.0.1" # ERROR: next-hop-outside
}

route "broadcast" {
  to  = "10.6.0.0/16"
  via = "10.1.0.255" # ERROR: address-of-no-host
}

route "anycast" {
  to  = "fd00:6::/64"
  via = "fd00:1::" # ERROR: address-of-no-host
}

route "elsewhere" {
  to      = "10.7.0.0/16"
  via     = "10.2.0.9" # ERROR: next-hop-outside
  network = network.lan
}

route "no-ipv4" {
  to      = "10.8.0.0/16"
  via     = "10.2.0.9" # ERROR: next-hop-outside
  network = network.other
}

route "by-dhcp" { # the network is not known before the router runs
  to      = "10.9.0.0/16"
  via     = "10.2.0.9"
  network = network.wan
}
