# Routes with a next hop that they cannot have, and without one that they need.

router "r" {
  board         = "bananapi-bpir4"
  memory        = "4GiB"
  state_version = "26.05"
  console_only  = true
  name_servers  = ["9.9.9.9"]
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
