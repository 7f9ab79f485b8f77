# Independent errors in three files: all are told.

router "r" {
  board         = "bananapi-bpir4"
  memory        = "3GiB" # ERROR: no-such-memory
  state_version = "25.11"
  console_only  = true
}

network "lan" {
  link = bridge.br0
  ipv4 = "192.168.1.1/24"
}

network "guest" {
  link = port.lan3
  ipv4 = "192.168.1.129/25" # ERROR: overlapping-networks
}

zone "lan" {
  networks = [network.lan]
}

zone "guest" {
  networks = [network.guest]
}
