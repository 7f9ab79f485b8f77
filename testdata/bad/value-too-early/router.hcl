# Values flow one way.

router "r" {
  board         = "bananapi-bpir4"
  memory        = "4GiB"
  state_version = "25.11"
  console_only  = true
}

network "lan" {
  link = port.lan1
  ipv4 = cidrsubnet(network.wan.ipv4, 8, 1) # ERROR: value-too-early
}

network "wan" {
  link = port.wan
  ipv4 = "dhcp"
}

locals {
  domain = network.lan.domain # ERROR: value-too-early
}

dhcp4 "lan" {
  network = network.lan
  pool    = []
  domain  = resolver.domain # ERROR: value-too-early
}
