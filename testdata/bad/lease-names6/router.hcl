# Names of leases that no zone has, and of hosts without leases.
router "r" {
  board         = "bananapi-bpir4"
  memory        = "4GiB"
  state_version = "26.05"
  console_only  = true
}

network "a" {
  link = port.lan1
  ipv6 = "fd00:1::1/64"
}

network "b" {
  link   = port.lan2
  ipv6   = "fd00:2::1/64"
  domain = "b.example"
}

network "c" {
  link   = port.lan3
  ipv6   = "fd00:3::1/64"
  domain = "c.example"
}

zone "lan" {
  networks = [network.a, network.b, network.c]
  allow    = ["dhcp6"]
}

dns_zone "c" {
  domain = "c.example"
}

router_advert "a" {
  network = network.a
  dns     = []
}

router_advert "b" {
  network = network.b
  dns     = []
}

router_advert "c" {
  network = network.c
  dns     = []
}

dhcp6 "a" {
  network        = network.a
  pool           = ["::1000-::1fff"]
  dns            = ["2620:fe::fe"]
  register_names = true # ERROR: names-without-zone
}

dhcp6 "b" {
  network        = network.b
  pool           = ["::1000-::1fff"]
  dns            = ["2620:fe::fe"]
  register_names = true # ERROR: names-without-zone
}

dhcp6 "c" {
  network        = network.c
  dns            = ["2620:fe::fe"]
  register_names = true # ERROR: names-without-leases
}
