# Pools that lease what they must not.

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
  pool = [
    "192.168.2.100-192.168.2.199", # ERROR: pool-outside-network
    "192.168.1.1-192.168.1.9",     # ERROR: pool-holds-router
    "192.168.1.200-192.168.1.255", # ERROR: pool-outside-network
    "192.168.1.100-192.168.1.149",
    "192.168.1.149-192.168.1.150", # ERROR: pools-overlap
  ]
  dns = ["9.9.9.9"]
}
