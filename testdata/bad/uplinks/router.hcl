# Uplinks with one link, with one priority and without a way to the Internet, probes that say nothing,
# and default routes that no uplink has.

router "r" {
  board         = "bananapi-bpir4"
  memory        = "4GiB"
  state_version = "26.05"
  console_only  = true
  name_servers  = ["9.9.9.9"]
}

network "fibre" {
  link    = port.wan
  ipv4    = "192.0.2.2/24"
  gateway = "192.0.2.1"
}

network "lte" {
  link = port.lan3
  ipv4 = "dhcp"
}

network "cable" {
  link    = port.lan2
  ipv4    = "203.0.113.2/24"
  gateway = "203.0.113.1"
}

network "lan" {
  link = port.lan1
  ipv4 = "192.168.1.1/24"
}

zone "lan" {
  networks = [network.lan]
}

zone "world" {
  networks = [network.fibre, network.lte, network.cable]
}

route "backup" {
  to     = "0.0.0.0/0" # ERROR: uplink-route
  via    = "192.168.1.2"
  metric = 7
}

uplink "fibre" {
  network  = network.fibre
  priority = 1
  probes = [
    "icmp:192.0.2.1",        # WARNING: uplink-probe
    "icmp:192.168.1.2",      # ERROR: uplink-probe
    "icmp:2001:db8:ffff::1", # ERROR: uplink-probe
  ]
}

uplink "lte" {
  network  = network.lte
  priority = 1 # ERROR: uplink-twice
  probes   = ["dns:198.51.100.1"]
}

uplink "again" {
  network  = network.lte # ERROR: uplink-twice
  priority = 3
  probes   = ["dns:198.51.100.1"]
}

uplink "lan" {
  network  = network.lan # ERROR: uplink-network
  priority = 4
  probes   = ["dns:198.51.100.1"]
}
