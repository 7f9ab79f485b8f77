# Two DHCP servers on one link: a client does not say which it means.

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

network "guest" {
  link = port.lan1
  ipv4 = "192.168.2.1/24"
}

zone "lan" {
  networks = [network.lan, network.guest]
  allow    = ["dhcp"]
}

dhcp4 "a" {
  network = network.lan
  pool    = ["192.168.1.100-192.168.1.149"]
  dns     = ["9.9.9.9"]
}

dhcp4 "b" {
  network = network.guest # ERROR: two-servers-on-link
  pool    = ["192.168.2.100-192.168.2.149"]
  dns     = ["9.9.9.9"]
}
