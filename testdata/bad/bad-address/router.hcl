# IP addresses that are none of a router. Nothing is told of the zone that holds them.

router "r" {
  board         = "bananapi-bpir4"
  memory        = "4GiB"
  state_version = "25.11"
  console_only  = true
}

network "a" {
  link = port.lan1
  ipv4 = "192.168.1.1" # ERROR: bad-value
}

network "b" {
  link = port.lan2
  ipv4 = "192.168.2.0/24" # ERROR: bad-value
}

network "c" {
  link    = port.lan3
  ipv4    = "fd00::1/64"     # ERROR: bad-value
  ipv6    = "192.168.3.1/24" # ERROR: bad-value
  gateway = "192.168.3.256"  # ERROR: bad-value
}

network "d" {
  link     = port.wan
  ipv6     = "::ffff:192.0.2.1/120" # ERROR: bad-value
  gateway6 = "fe80::1%wan"          # ERROR: bad-value
  domain   = "home..arpa"           # ERROR: bad-value
}

zone "all" {
  networks = [network.a, network.b, network.c, network.d]
}
