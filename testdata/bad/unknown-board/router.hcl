# A board with a typing error. Its ports are not told as well, other things are.

router "r" {
  board         = "bananapi-bpir5" # ERROR: no-such-board
  memory        = "4GiB"
  state_version = "25.11"
  console_only  = true
}

network "lan" {
  link = port.lan1
  ipv4 = "192.168.1.1/24"
}

zone "lan" {
  networks = [network.lam] # ERROR: no-such-reference
}
