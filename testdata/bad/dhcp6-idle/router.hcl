# DHCPv6 servers that no host asks, or that say nothing.
router "r" {
  board         = "bananapi-bpir4"
  memory        = "4GiB"
  state_version = "26.05"
  console_only  = true
  name_servers  = ["fd00:1::53"]
}

network "lan" {
  link = port.lan1
  ipv4 = "192.168.1.1/24"
  ipv6 = "fd00:1::1/64"
}

network "iot" {
  link = port.lan2
  ipv6 = "fd00:2::1/64"
}

network "rest" {
  link = port.lan3
  ipv6 = "fd00:3::1/64"
}

zone "lan" {
  networks = [network.lan, network.iot, network.rest]
  allow    = ["dhcp6"]
}

router_advert "iot" {
  network = network.iot
}

router_advert "rest" {
  network      = network.rest
  other_config = false # ERROR: dhcp6-unadvertised
}

dhcp6 "lan" {
  network = network.lan # WARNING: dhcp6-unadvertised
  dns     = ["2620:fe::fe"]
}

dhcp6 "iot" { # WARNING: no-name-server
  network = network.iot
}

dhcp6 "rest" {
  network = network.rest
  dns     = ["2620:fe::fe"]
}
