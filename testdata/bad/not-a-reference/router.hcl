# Things that are no reference.

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
}

network "guest" {
  link = "port.lan2" # ERROR: not-a-reference
  ipv4 = "192.168.2.1/24"
}

zone "guest" {
  networks = [network.lan.ipv4, 5, network.lan[null]] # ERROR: not-a-reference not-a-reference not-a-reference
}

zone "key" {
  networks = network.lan[var.of] # ERROR: not-a-list
}

zone "each" {
  networks = network.lan[upper("x")] # ERROR: not-a-list
}

resolver {
  networks = network.lan # ERROR: not-a-list
}
