# Routes and allowed IPs that take a network or a host away from where it is.

router "r" {
  board         = "bananapi-bpir4"
  memory        = "4GiB"
  state_version = "25.11"
  console_only  = true
  name_servers  = ["9.9.9.9"]
}

network "lan" {
  link = port.lan1
  ipv4 = "192.168.1.1/24"
  ipv6 = "fd00:1::1/64"
}

network "wan" {
  link     = port.wan
  ipv4     = "192.0.2.2/24"
  gateway  = "192.0.2.1"
  ipv6     = "2001:db8::2/64"
  gateway6 = "fe80::1"
}

network "vpn" {
  link = wireguard.wg0
  ipv4 = "10.8.0.1/24"
}

zone "lan" {
  networks = [network.lan, network.vpn]
  allow    = ["dhcp"]
}

zone "wan" {
  networks = [network.wan]
  allow    = ["wireguard"]
}

dhcp4 "lan" {
  network = network.lan
  pool    = ["192.168.1.100-192.168.1.199"]
  dns     = ["9.9.9.9"]

  reservation "nas" {
    mac  = "02:11:22:33:44:55"
    ipv4 = "192.168.1.10"
  }
}

secret "wg0" {
  path = "/var/lib/secrets/wg0"
}

secret "wg1" {
  path = "/var/lib/secrets/wg1"
}

wireguard "wg0" {
  listen      = 51820
  private_key = secret.wg0

  peer "equal" {
    public_key = "X1mxaVVMdYnMoVDy7WmYyFFzRVkuZYJXRcnU0mSNzzk="
    allowed_ips = [
      "10.8.0.0/24",      # the tunnel's own network
      "192.168.0.0/16",   # larger than networks: the kernel takes the longer prefix
      "224.0.0.5/32",     # of the link: no route
      "fe80::/64",        # likewise
      "192.168.1.0/24",   # ERROR: route-takes-network route-twice
      "192.168.1.128/25", # ERROR: route-takes-network
      "192.168.1.77/32",  # a host that is elsewhere
      "192.168.1.150/32", # ERROR: route-takes-network
      "192.168.1.10/32",  # ERROR: route-takes-network
      "192.0.2.1/32",     # ERROR: route-takes-network
      "fd00:1::/64",      # ERROR: useless-route
      "fd00:1::/80",      # ERROR: route-takes-network
      "127.0.0.0/8",      # ERROR: not-routable
      "10.10.0.0/16",
      "198.51.100.0/24", # ERROR: route-twice
    ]
  }
}

wireguard "wg1" {
  private_key = secret.wg1

  peer "again" {
    public_key  = "GtL7fZc/bLnqZldpVofMCD6hDjrK28SsdLxevJ+qtKU="
    allowed_ips = ["10.10.0.0/16"] # ERROR: route-twice
    endpoint    = "192.0.2.9:51820"
  }

  peer "inside" { # ERROR: endpoint-in-tunnel
    public_key  = "sPJrZKjVRSfQxDNyOVtKP1ZQ1vSWrZIDM3wGlwkrCRY="
    allowed_ips = ["203.0.113.0/24"]
    endpoint    = "203.0.113.5:51820"
  }
}

route "equal" {
  to  = "192.168.1.0/24" # ERROR: route-takes-network
  via = "192.0.2.9"
}

route "part" {
  to     = "192.168.1.0/25" # ERROR: route-takes-network
  via    = "192.0.2.9"
  metric = 5000
}

route "spare" {
  to     = "192.168.1.0/24" # WARNING: useless-route
  via    = "192.0.2.9"
  metric = 100
}

route "router" {
  to  = "192.168.1.1/32" # ERROR: useless-route
  via = "192.0.2.9"
}

route "default" {
  to  = "0.0.0.0/0" # ERROR: route-twice
  via = "192.0.2.9"
}

route "default6" {
  to     = "::/0" # ERROR: route-twice
  via    = "2001:db8::9"
  metric = 1024
}

route "tunnel" {
  to  = "198.51.100.0/24"
  via = "192.0.2.9"
}

route "groups" {
  to  = "239.0.0.0/8" # ERROR: not-routable
  via = "192.0.2.9"
}
