# Prefixes of no uplink, and of two.

router "r" {
  board         = "bananapi-bpir4"
  memory        = "4GiB"
  state_version = "26.05"
  console_only  = true
  name_servers  = ["9.9.9.9"]
}

network "wan" {
  link = port.wan
  ipv4 = "dhcp"
  ipv6 = "auto"
}

network "lte" {
  link = port.lan3
  ipv6 = "auto"
}

network "servers" {
  link = port.lan2
  ipv6 = "2001:db8:5::1/64" # ERROR: uplink-prefix
}

zone "wan" {
  networks = [network.wan, network.lte]
}

zone "lan" {
  networks = [network.servers]
}

uplink "wan" {
  network  = network.wan
  priority = 1
  probes   = ["icmp:2001:db8:ffff::1"]
  prefixes = ["2001:db8:1::/48"]
}

uplink "lte" {
  network  = network.lte
  priority = 2
  probes   = ["icmp:2001:db8:ffff::1"]
  prefixes = ["2001:db8:1:2::/64"] # ERROR: uplink-prefix
}
