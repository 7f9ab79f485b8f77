# An upstream may not say where the router's own prefixes are.

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

network "wan" {
  link = port.wan
  ipv4 = "dhcp"
}

zone "lan" {
  networks = [network.lan]
  allow    = []
}

zone "wan" {
  networks = [network.wan]
}

route "office" {
  to  = "10.9.0.0/16"
  via = "192.168.1.9"
}

dhcp_client {
  static_routes = [
    "0.0.0.0/0",      # ERROR: bad-value
    "2001:db8::/32",  # ERROR: bad-value
    "192.168.1.0/25", # ERROR: static-route-clash
    "10.9.7.0/24",    # ERROR: static-route-clash
    "10.0.0.0/8",
  ]
}
