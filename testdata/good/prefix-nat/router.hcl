# Hosts with unique local addresses alone, which have a network of each provider's delegated prefix
# outside; beside them a network in one of those prefixes.
router "r" {
  board         = "bananapi-bpir4"
  memory        = "4GiB"
  state_version = "26.05"
  console_only  = true
  name_servers  = ["2620:fe::fe"]
}

network "fibre" {
  link = port.wan
  ipv6 = "auto"
}

network "lte" {
  link = port.lan3
  ipv6 = "auto"
}

prefix "fibre" {
  network = network.fibre
  length  = 56
}

prefix "lte" { # is for translation alone
  network = network.lte
  length  = 62
}

network "lan" {
  link = port.lan1
  ipv6 = "fd12:3456:789a:1::1/64"
}

network "things" {
  link = port.lan2
  ipv6 = "fd12:3456:789a:2::1/64"
}

vlan "guest" {
  link = port.lan2
  id   = 20
}

network "guest" {
  link   = vlan.guest
  prefix = prefix.fibre
  subnet = 0
}

prefix_nat "lan-fibre" {
  network  = network.fibre
  internal = "fd12:3456:789a:1::/64"
  prefix   = prefix.fibre
  subnet   = 1
}

prefix_nat "things-fibre" {
  network  = network.fibre
  internal = "fd12:3456:789a:2::/64"
  prefix   = prefix.fibre
  subnet   = 255
}

prefix_nat "lan-lte" {
  network  = network.lte
  internal = "fd12:3456:789a:1::/64"
  prefix   = prefix.lte
  subnet   = 0
}

uplink "fibre" {
  network  = network.fibre
  priority = 1
  probes   = ["icmp:2001:db8:ffff::1"]
}

uplink "lte" {
  network  = network.lte
  priority = 2
  probes   = ["tcp:[2001:db8:ffff::1]:443"]
}

router_advert "guest" {
  network = network.guest
  dns     = ["2620:fe::fe"]
}

zone "lan" {
  networks = [network.lan, network.things, network.guest]
}

zone "world" {
  networks = [network.fibre, network.lte]
}

policy "out" {
  from   = [zone.lan]
  to     = [zone.world]
  action = "accept"
}
