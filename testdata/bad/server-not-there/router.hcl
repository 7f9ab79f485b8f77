# Clients that are sent to the router for what it does not serve there.
router "r" {
  board         = "bananapi-bpir4"
  memory        = "4GiB"
  state_version = "26.05"
  console_only  = true
}

network "lan" {
  link = port.lan1
  ipv4 = "192.168.1.1/24"
}

network "iot" {
  link = port.lan2
  ipv4 = "192.168.2.1/24"
  ipv6 = "fd12:3456:789a:2::1/64"
}

zone "lan" {
  networks = [network.lan]
  allow    = ["dhcp", "dns"]
}

zone "iot" {
  networks = [network.iot]
  allow    = ["dhcp"]
}

resolver {
  networks = [network.lan]
}

dhcp4 "lan" {
  network = network.lan
  pool    = ["192.168.1.10-192.168.1.20"]
  dns     = ["192.168.1.1"]
  extra = { # ERROR: server-not-there server-not-there # WARNING: extra-overrides
    option-data = [
      { name = "ntp-servers", data = "192.0.2.123, 192.168.1.1" },
      { name = "routers", data = "192.168.2.1" },
    ]
  }
}

dhcp4 "iot" {
  network = network.iot
  pool    = ["192.168.2.10-192.168.2.20"]
  dns     = ["192.168.2.1", "192.168.1.1"] # ERROR: server-not-there server-not-there
}

router_advert "iot" {
  network = network.iot
  dns     = ["fd12:3456:789a:2::1"] # ERROR: server-not-there
}
