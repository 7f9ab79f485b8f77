# Labels that are empty. Names that no block has may be theirs, and are not told as well; nor is
# what follows from it.

router "r" {
  board         = "bananapi-bpir4"
  memory        = "4GiB"
  state_version = "25.11"
  console_only  = true
}

bridge "" { # ERROR: bad-value
  ports = [port.lan1]
}

network "" { # ERROR: bad-value
  link = bridge.br-lan
  ipv4 = "10.0.0.1/24"
}

zone "lan" {
  networks = [network.lan]
  allow    = ["dhcp"]
}

dhcp4 "lan" {
  network = network.lan
  pool    = ["10.0.0.100-10.0.0.199"]
  dns     = [cidrhost(network.lan.ipv4, 2)]
}
