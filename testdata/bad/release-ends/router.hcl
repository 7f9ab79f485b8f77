router "r" {
  board         = "pine64-rock64v3"
  memory        = "4GiB"
  release       = "25.11" # WARNING: release-ends
  state_version = "25.11"
  console_only  = true
}

network "lan" {
  link = port.end0
  ipv4 = "192.168.1.1/24"
}

zone "lan" {
  networks = [network.lan]
  allow    = []
}
