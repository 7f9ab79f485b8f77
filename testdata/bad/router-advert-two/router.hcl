# Two router advertisements on one link, and lifetimes one by one.

router "r" {
  board         = "bananapi-bpir4"
  memory        = "4GiB"
  name_servers  = ["2001:db8::53"]
  state_version = "25.11"
  console_only  = true
}

network "a" {
  link = port.lan1
  ipv6 = "2001:db8:a::1/64"
}

network "b" {
  link = port.lan1
  ipv6 = "2001:db8:b::1/64"
}

network "c" {
  link = port.lan2
  ipv6 = "2001:db8:c::1/64"
}

network "d" {
  link = port.lan3
  ipv6 = "2001:db8:d::1/64"
}

zone "lan" { networks = [network.a, network.b, network.c, network.d, network.e] }

router_advert "a" {
  network  = network.a
  interval = "3s" # ERROR: bad-value
  dns      = []
}

router_advert "b" {
  network        = network.b # ERROR: two-advertisers-on-link
  valid_lifetime = "30m"     # ERROR: lifetimes-contradict
  dns            = []
}

router_advert "c" {
  network            = network.c
  default_router     = false
  lifetime           = "1h"   # ERROR: lifetimes-contradict
  preference         = "high" # ERROR: lifetimes-contradict
  preferred_lifetime = "1m"   # ERROR: lifetimes-contradict
  mtu                = 1000   # ERROR: bad-value
  dns                = []
}

router_advert "d" {
  network  = network.d
  lifetime = "3h" # ERROR: bad-value
  dns      = []
}

network "e" {
  link = port.end1
  ipv6 = "2001:db8:e::1/64"
}

router_advert "e" {
  network    = network.e
  preference = "middle" # ERROR: bad-value
}
