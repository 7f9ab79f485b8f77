# A bad resolver. That clients get no name server, or one that is not there, is not told.

router "r" {
  board         = "bananapi-bpir4"
  memory        = "4GiB"
  state_version = "25.11"
  console_only  = true
}

network "lan" {
  link = port.lan1
  ipv4 = "192.168.1.1/24"
  ipv6 = "fd5c:8a1e:7b40::1/64"
}

zone "lan" {
  networks = [network.lan]
}

resolver {
  networks = [network.lam] # ERROR: no-such-reference
}

dhcp4 "lan" {
  network = network.lan
  pool    = ["192.168.1.100-192.168.1.199"]
}

network "guests" {
  link = port.lan2
  ipv4 = "192.168.2.1/24"
}

zone "guests" {
  networks = [network.guests]
}

dhcp4 "guests" {
  network = network.guests
  pool    = ["192.168.2.100-192.168.2.199"]
  dns     = ["192.168.2.1"]
}

router_advert "lan" {
  network = network.lan
  dns     = ["fd5c:8a1e:7b40::1"]
}
