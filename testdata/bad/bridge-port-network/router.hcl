# Addresses on a port of a bridge.

router "r" {
  board         = "bananapi-bpir4"
  memory        = "4GiB"
  state_version = "25.11"
  console_only  = true
}

network "lan" {
  link = port.lan1 # ERROR: address-on-bridge-port
  ipv4 = "192.168.1.1/24"
}

zone "lan" {
  networks = [network.lan]
}

bridge "br0" {
  ports = [port.lan1]
}
