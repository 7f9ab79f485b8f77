# A block type with a typing error. The references to it are not told as well.

router "r" {
  board         = "bananapi-bpir4"
  memory        = "4GiB"
  state_version = "25.11"
  console_only  = true
}

netwrok "lan" { # ERROR: unsupported-block
  link = port.lan1
  ipv4 = "192.168.1.1/24"
}

zone "lan" {
  networks = [network.lan]
}

resolver {
  networks = [network.lan]
}
