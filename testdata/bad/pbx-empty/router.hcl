# A telephone exchange without a phone.

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
  allow    = ["pbx"]
}

pbx { # ERROR: pbx-empty
  networks = [network.lan]
}
