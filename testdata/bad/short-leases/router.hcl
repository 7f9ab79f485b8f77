# Leases that end while a server starts anew.

router "r" {
  board         = "bananapi-bpir4"
  memory        = "4GiB"
  state_version = "26.05"
  console_only  = true
}

network "lan" {
  link = port.lan1
  ipv4 = "192.168.1.1/24"
  ipv6 = "2001:db8:1::1/64"
}

zone "lan" {
  networks = [network.lan]
  allow    = ["dhcp", "dhcp6"]
}

router_advert "lan" {
  network = network.lan
  managed = true
}

dhcp4 "lan" {
  network = network.lan
  pool    = ["192.168.1.100-192.168.1.199"]
  dns     = ["9.9.9.9"]
  lease   = "59s" # WARNING: short-lease
}

dhcp6 "lan" {
  network = network.lan
  pool    = ["::100-::1ff"]
  dns     = ["2620:fe::fe"]
  lease   = "1s" # WARNING: short-lease
}
