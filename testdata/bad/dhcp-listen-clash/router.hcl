# Two DHCP servers for one network.

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

dhcp4 "a" {
  network = network.lan
  pool    = ["192.168.1.100-192.168.1.149"]
  dns     = ["9.9.9.9"]
}

dhcp4 "b" {
  network = network.lan # ERROR: listen-clash
  pool    = ["192.168.1.150-192.168.1.199"]
  dns     = ["9.9.9.9"]
}
