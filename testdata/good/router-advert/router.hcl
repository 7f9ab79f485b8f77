# Two networks with router advertisements: one as it comes, one with everything said.

router "r" {
  board         = "bananapi-bpir4"
  memory        = "4GiB"
  name_servers  = ["2001:db8:2::53"]
  state_version = "25.11"
  console_only  = true
}

network "lan" {
  link   = port.lan1
  ipv6   = "2001:db8:1::1/64"
  domain = "lan.example"
}

network "servers" {
  link = port.lan2
  ipv6 = "2001:db8:2::1/56"
}

zone "lan" {
  networks = [network.lan, network.servers]
}

router_advert "lan" {
  network = network.lan
  dns     = ["2001:db8::53"]
}

router_advert "servers" {
  network            = network.servers
  interval           = "1m"
  lifetime           = "10m"
  preference         = "low"
  managed            = true
  other_config       = true
  autonomous         = false
  valid_lifetime     = "1d"
  preferred_lifetime = "12h"
  mtu                = 1400
  dns                = ["2001:db8::53", "2001:db8::54", "2001:db8::55", "2001:db8::56"]
  domains            = ["example.org"]
  other_routers      = ["fe80::2"]
}

