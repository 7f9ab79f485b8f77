# Two reservations of one name.

router "r" {
  board         = "bananapi-bpir4"
  memory        = "4GiB"
  state_version = "25.11"
  console_only  = true
}

network "lan" {
  link = port.lan1
  ipv4 = "192.168.1.1/24"
}

zone "lan" {
  networks = [network.lan]
  allow    = ["dhcp"]
}

dhcp4 "lan" {
  network = network.lan
  pool    = ["192.168.1.100-192.168.1.199"]
  dns     = ["9.9.9.9"]

  reservation "nas" {
    mac  = "02:11:22:33:44:55"
    ipv4 = "192.168.1.10"
  }

  reservation "nas" { # ERROR: duplicate
    mac  = "02:11:22:33:44:66"
    ipv4 = "192.168.1.11"
  }
}
