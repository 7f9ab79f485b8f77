# Blocks of another type.

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

bridge "br0" {
  ports = [network.lan] # ERROR: wrong-reference
}

zone "guest" {
  networks = [zone.lan] # ERROR: wrong-reference
}
