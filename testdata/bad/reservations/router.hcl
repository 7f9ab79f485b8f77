# Reservations that clash.

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

  reservation "a" {
    mac  = "02:11:22:33:44:55"
    ipv4 = "192.168.1.10"
  }

  reservation "b" {
    mac  = "02-11-22-33-44-55" # ERROR: same-host-twice
    ipv4 = "192.168.1.10"      # ERROR: same-address-twice
  }

  reservation "c" {
    mac  = "02:11:22:33:44:66"
    ipv4 = "192.168.2.10" # ERROR: reservation-outside-network
  }

  reservation "d" {
    mac  = "02:11:22:33:44:77"
    ipv4 = "192.168.1.1" # ERROR: reservation-of-router
  }
}
