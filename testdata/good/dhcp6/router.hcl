# DHCPv6: addresses and prefixes in a fixed network, the rest alone in two others.
router "r" {
  board         = "bananapi-bpir4"
  memory        = "4GiB"
  state_version = "26.05"
  console_only  = true
  name_servers  = ["2620:fe::fe"]
}

network "wan" {
  link = port.wan
  ipv6 = "auto"
}

prefix "isp" {
  network = network.wan
  length  = 56
}

network "lan" {
  link   = port.lan1
  ipv4   = "192.168.1.1/24"
  ipv6   = "fd00:1::1/64"
  prefix = prefix.isp
  subnet = 1
  domain = "home.arpa"
}

network "guest" { # its prefix comes later
  link   = port.lan2
  ipv4   = "192.168.2.1/24"
  prefix = prefix.isp
  subnet = 2
}

network "things" {
  link = port.lan3
  ipv6 = "fd00:3::1/64"
}

zone "lan" {
  networks = [network.lan, network.guest, network.things]
  allow    = ["dhcp6"]
}

zone "wan" {
  networks = [network.wan]
}

policy "out" {
  from   = [zone.lan]
  to     = [zone.wan]
  action = "accept"
}

host "nas" {
  network = network.lan
  mac     = "02:11:22:33:44:55"
  ipv4    = "192.168.1.10"
  ipv6    = "::10"
}

host "phone" {
  network = network.lan
  duid    = "00:01:00:01:2C:11:22:33:02:AA:BB:CC:DD:EE"
  ipv6    = "::11"
}

router_advert "lan" {
  network = network.lan
  dns     = ["2620:fe::fe"]
}

router_advert "guest" {
  network = network.guest
}

router_advert "things" {
  network      = network.things
  managed      = true
  other_config = true
}

dhcp6 "lan" {
  network            = network.lan
  pool               = ["::1000-::1fff", "::2:0-::2:ffff"]
  lease              = "2h"
  preferred_lifetime = "1h"
  dns                = ["2620:fe::fe", "2620:fe::9"]
  domains            = ["home.arpa", "example.org"]
  extra              = { rapid-commit = true }

  delegate "routers" {
    prefix = "fd00:8000::/48"
    length = 56
  }
  delegate "one" {
    prefix = "fd00:9000::/60"
    length = 60
  }
}

dhcp6 "guest" {
  network = network.guest
  dns     = ["2620:fe::fe"]
}

dhcp6 "things" {
  network = network.things
  dns     = []
  domains = ["things.example.org"]
}
