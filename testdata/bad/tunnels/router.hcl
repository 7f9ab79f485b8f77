# Tunnels without an end, to the wrong end, too small, or into themselves.

router "r" {
  board         = "bananapi-bpir4"
  memory        = "4GiB"
  state_version = "26.05"
  console_only  = true
}

network "wan" {
  link    = port.wan
  ipv4    = "198.51.100.2/24"
  gateway = "198.51.100.1"
}

network "lan" {
  link = port.lan1
  ipv4 = "192.168.1.1/24"
  ipv6 = "fd00:1::1/64"
}

zone "all" {
  networks = [network.wan, network.lan, network.site, network.six]
}

gre "site" {
  network = network.wan
  remote  = "203.0.113.9" # ERROR: endpoint-in-tunnel
  mtu     = 1480          # ERROR: mtu-too-large
}

network "site" {
  link = gre.site
  ipv4 = "10.99.0.1/30"
}

route "site" {
  to  = "203.0.113.0/24"
  via = "10.99.0.2"
}

gre "again" {
  network = network.wan
  remote  = "203.0.113.9" # ERROR: tunnel-twice
}

gre "self" {
  network = network.wan
  remote  = "192.168.1.1" # ERROR: tunnel-end
}

gre "elsewhere" {
  network = network.wan
  remote  = "192.168.1.7" # ERROR: tunnel-end
}

sit "six" {
  network = network.wan
  remote  = "203.0.114.1"
  mtu     = 1000 # ERROR: mtu-too-small
}

network "six" {
  link = sit.six # ERROR: tunnel-family
  ipv4 = "10.98.0.1/30"
}

ip6tnl "noend" {
  network = network.wan # ERROR: tunnel-end
  remote  = "2001:db8:77::1"
}

ip6tnl "four" {
  network = network.lan
  remote  = "192.168.1.9" # ERROR: bad-value
}

gre "six" {
  network = network.lan
  remote  = "fd00:1::9" # ERROR: bad-value
}

ip6tnl "mode" {
  network = network.lan
  remote  = "fd00:1::9"
  mode    = "gre" # ERROR: bad-value
}
