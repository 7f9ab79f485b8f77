# A network without an address.

router "r" {
  board         = "bananapi-bpir4"
  memory        = "4GiB"
  state_version = "25.11"
  console_only  = true
}

network "lan" { # ERROR: network-without-address
  link = port.lan1
}

zone "lan" {
  networks = [network.lan]
}
