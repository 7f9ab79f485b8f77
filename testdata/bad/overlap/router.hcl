# Networks that hold the same addresses.

router "r" {
  board         = "bananapi-bpir4"
  memory        = "4GiB"
  state_version = "25.11"
  console_only  = true
}

network "a" {
  link = port.lan1
  ipv4 = "10.0.0.1/8"
}

network "b" {
  link = port.lan2
  ipv4 = "10.1.0.1/16" # ERROR: overlapping-networks
  ipv6 = "fd00::1/48"
}

network "c" {
  link = port.lan3
  ipv4 = "10.2.0.1/16" # ERROR: overlapping-networks
  ipv6 = "fd00:0:0:1::1/64" # ERROR: overlapping-networks
}

network "d" {
  link = port.wan
  ipv4 = "11.0.0.1/8"
}

zone "all" {
  networks = [network.a, network.b, network.c, network.d]
}
