# Addresses of no network, and of no host.
router "r" {
  board         = "bananapi-bpir4"
  memory        = "4GiB"
  state_version = "26.11" # ERROR: state-version-too-new
  release       = "26.05"
  console_only  = true
}

network "n0" {
  link = port.lan1
  ipv4 = "127.0.0.2/8" # ERROR: special-network
}

network "n1" {
  link = port.lan1
  ipv4 = "169.254.1.1/16" # ERROR: special-network
}

network "n2" {
  link = port.lan1
  ipv4 = "0.1.2.3/8" # ERROR: special-network
}

network "n3" {
  link = port.lan1
  ipv4 = "250.0.0.1/8" # ERROR: special-network
}

network "six" {
  link = port.lan1
  ipv6 = "fe80::1/64" # ERROR: special-network
}

network "site" {
  link = port.lan1
  ipv6 = "fec0::1/64" # ERROR: special-network
}

network "lan" {
  link    = port.lan2
  ipv4    = "192.168.1.1/24"
  gateway = "192.168.1.255" # ERROR: address-of-no-host
  domain  = "house.local"   # WARNING: special-domain
}

network "number" {
  link   = port.lan3
  ipv4   = "192.168.2.1/24"
  domain = "192.168.2.1" # ERROR: special-domain
}

zone "all" {
  networks = [network.n0, network.n1, network.n2, network.n3, network.six, network.site]
}

zone "lan" {
  networks = [network.lan]
}

zone "number" {
  networks = [network.number]
}

route "r" {
  to  = "10.0.0.0/8"
  via = "192.168.2.0" # ERROR: address-of-no-host
}

route "nowhere" {
  to  = "10.0.0.0/8"
  via = "0.0.0.0" # ERROR: bad-value
}

dhcp4 "number" {
  network = network.number
  pool    = ["192.168.2.10-192.168.2.20"]
  dns     = ["9.9.9.9"]

  reservation "last" {
    mac  = "02:00:00:00:00:01"
    ipv4 = "192.168.2.255" # ERROR: reservation-outside-network
  }
}
