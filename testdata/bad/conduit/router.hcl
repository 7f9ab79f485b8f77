# The port between processor and switch.

router "r" {
  board         = "bananapi-bpir4"
  memory        = "4GiB"
  state_version = "25.11"
  console_only  = true
}

bridge "br0" {
  ports = [port.lan1, port.end0] # ERROR: not-a-user-port
}

zone "lan" {
  networks = [network.lan]
}

network "lan" {
  link = port.end0 # ERROR: address-on-bridge-port not-a-user-port
  ipv4 = "192.168.1.1/24"
}

vlan "v" {
  link = port.end0 # ERROR: not-a-user-port
  id   = 10
}
