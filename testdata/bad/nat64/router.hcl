# Prefixes that are none of NAT64, or of something else, and networks that are none to translate to.

router "r" {
  board         = "bananapi-bpir4"
  memory        = "4GiB"
  state_version = "26.05"
  console_only  = true
}

network "wan" {
  link = port.wan
  ipv4 = "dhcp"
  ipv6 = "auto"
}

network "lan" {
  link = port.lan1
  ipv6 = "2001:db8:1::1/64"
}

nat64 "nat64" {
  prefix = "2001:db8::/40" # ERROR: nat64-overlap nat64-overlap
}

route "inside" {
  to      = "2001:db8:77::/48"
  network = network.lan
  via     = "2001:db8:1::2"
}

network "nat64" { # ERROR: nat64-network
  link = nat64.nat64
  ipv4 = "192.168.255.1/30" # ERROR: nat64-network
}

nat64 "second" { # ERROR: nat64-twice nat64-network
  prefix = "64:ff9b:1::/96"
}

nat64 "third" {
  prefix = "2001:db8:2::/80" # ERROR: bad-value
}

nat64 "fourth" {
  prefix = "2001:db8:2:1:ff00::/96" # ERROR: bad-value
}

nat64 "fifth" {
  prefix = "64:ff9b:2::/96" # ERROR: bad-value
}

nat64 "sixth" {
  prefix = "fe80::/64" # ERROR: bad-value
}

nat64 "seventh" {
  prefix = "192.168.0.0/32" # ERROR: bad-value
}

nat64 "eighth" {
  prefix = "2001:db8:2:3::1/96" # ERROR: bad-value
}

zone "wan" {
  networks = [network.wan]
}

zone "lan" {
  networks = [network.lan]
}

zone "nat64" {
  networks = [network.nat64]
}

policy "translated" {
  from   = [zone.lan]
  to     = [zone.nat64]
  action = "accept"
}

policy "from-nat64" {
  from       = [zone.nat64]
  to         = [zone.wan]
  action     = "accept"
  masquerade = true
}
