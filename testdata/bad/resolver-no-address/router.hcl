# A resolver in a network where the router has no address of its own.

router "r" {
  board         = "bananapi-bpir4"
  memory        = "4GiB"
  state_version = "25.11"
  console_only  = true
}

network "lan" {
  link = port.lan1
  ipv6 = "auto"
}

zone "lan" {
  networks = [network.lan]
}

resolver {
  networks = [network.lan] # ERROR: open-resolver
}
