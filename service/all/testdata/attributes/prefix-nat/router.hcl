# Two prefixes of one upstream, and a network of the one outside.

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

network "things" {
  link = port.lan2
  ipv6 = "fd12:3456:789a:2::1/64"
}

network "lab" {
  link = port.lan3
  ipv6 = "fd12:3456:789a:3::1/64"
}

network "wan" {
  link = port.wan
  ipv6 = "auto"
}

prefix "a" {
  network = network.wan
  length  = 60
}

prefix "b" {
  network = network.wan
  length  = 62
}

zone "lan" {
  networks = [network.lan, network.things, network.lab]
}

zone "world" {
  networks = [network.wan]
}

prefix_nat "lan" {
  network  = network.wan
  internal = "fd12:3456:789a:1::/64"
  prefix   = prefix.a
  subnet   = 1
}

prefix_nat "things" {
  network  = network.wan
  internal = "fd12:3456:789a:2::/64"
  prefix   = prefix.b
  subnet   = 2
}

prefix_nat "lab" {
  network  = network.wan
  internal = "fd12:3456:789a:3::/64"
  prefix   = prefix.a
  subnet   = 3
}

policy "internet" {
  from   = [zone.lan]
  to     = [zone.world]
  action = "accept"
}
