# Hosts that get addresses have names as well, both ways.

router "gate" {
  board         = "bananapi-bpir4"
  memory        = "4GiB"
  state_version = "26.05"
  console_only  = true
}

network "lan" {
  link   = port.lan1
  ipv4   = "192.168.1.1/24"
  ipv6   = "fd00:1::1/64"
  domain = "home.arpa"
}

host "nas" {
  network = network.lan
  ipv4    = "192.168.1.10"
}

zone "lan" {
  networks = [network.lan]
  allow    = ["dhcp", "dhcp6", "dns"]
}

resolver {
  networks = [network.lan]
}

dhcp4 "lan" {
  network        = network.lan
  pool           = ["192.168.1.100-192.168.1.199"]
  register_names = true
}

router_advert "lan" {
  network = network.lan
}

dhcp6 "lan" {
  network        = network.lan
  pool           = ["::1000-::1fff"]
  register_names = true
}

dns_zone "home" {
  domain  = "home.arpa"
  records = ["printer.home.arpa A 192.168.1.20"]
}

dns_zone "back" {
  reverse = "192.168.1.0/24"
}

dns_zone "back6" {
  reverse = "fd00:1::/64"
}
