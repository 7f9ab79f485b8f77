# An argument with a typing error. That the network has no address now is not told.

router "r" {
  board         = "bananapi-bpir4"
  memory        = "4GiB"
  state_version = "25.11"
  console_only  = true
}

network "lan" {
  link = port.lan1
  ipv44 = "192.168.1.1/24" # ERROR: unsupported-argument
}
