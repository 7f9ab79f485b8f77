network "lan" {
  link   = bridge.lan
  ipv4   = "192.168.1.1/24"
  ipv6   = "fd00::1/64"
  domain = "home.arpa"
}

network "wan" {
  link = vlan.wan
  ipv4 = "dhcp"
  ipv6 = "auto"
}

zone "lan" {
  networks = [network.lan]
  allow    = ["ssh", "dns", "dhcp", "ntp"]
}

zone "wan" {
  networks = [network.wan]
}
