# Routes with a next hop that they cannot have, and without one that they need.

router "r" {
  board         = "bananapi-bpir4"
  memory        = "4GiB"
  state_version = "26.05"
  console_only  = true
}

network "lan" {
  link = port.lan1
  ipv4 = "10.1.0.1/24"
}

zone "lan" {
  networks = [network.lan]
}

route "to" { # ERROR: route-next-hop
  to = "10.2.0.0/16"
}

route "via" {
  to   = "10.3.0.0/16"
  type = "blackhole"
  via  = "10.1.0.9" # ERROR: route-next-hop
}

route "network" {
  to      = "10.4.0.0/16"
  type    = "unreachable"
  network = network.lan # ERROR: route-next-hop
}

route "throw" {
  to   = "10.5.0.0/16"
  type = "throw" # ERROR: bad-value
}

# A network of hosts needs a next hop, also where it is named.
route "hosts" {
  to      = "10.6.0.0/16"
  network = network.lan # ERROR: route-next-hop
}

gre "hub" {
  network = network.lan
  remote  = "10.1.0.8"
}

network "hub" {
  link = gre.hub
  ipv4 = "10.9.0.1/30"
}

zone "hub" {
  networks = [network.hub]
}

route "hub" {
  to      = "2001:db8:9::/48"
  network = network.hub # ERROR: route-next-hop
}
