# Next hops out of reach.

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

zone "lan" {
  networks = [network.lan]
}

route "a" {
  to  = "10.0.0.0/8"
  via = "10.255.0.1" # ERROR: next-hop-outside
}

route "b" {
  to  = "2001:db8::/32"
  via = "192.168.1.2" # ERROR: next-hop-outside
}

route "c" {
  to  = "10.0.0.0/8" # ERROR: route-twice
  via = "192.168.1.3"
}

route "d" {
  to  = "10.0.0.1/8" # ERROR: bad-value
  via = "192.168.1.3"
}
