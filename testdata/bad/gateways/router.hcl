# Gateways that lead nowhere.

router "r" {
  board         = "bananapi-bpir4"
  memory        = "4GiB"
  state_version = "25.11"
  console_only  = true
}

network "a" {
  link    = port.lan1
  ipv4    = "192.168.1.1/24"
  gateway = "192.168.2.1" # ERROR: gateway-outside
}

network "b" {
  link     = port.lan2
  ipv4     = "192.168.2.1/24"
  gateway  = "192.168.2.1" # ERROR: gateway-outside two-gateways
  gateway6 = "fd00::1"     # ERROR: gateway-outside
}

network "c" {
  link    = port.lan3
  ipv4    = "dhcp"
  gateway = "192.168.3.254" # ERROR: gateway-outside two-gateways
}

zone "all" {
  networks = [network.a, network.b, network.c]
}
