# Values of blocks that are not there.

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
  allow    = ["dhcp"]
}

dhcp4 "lan" {
  network = network.lan
  pool    = [cidrhost(network.lam.ipv4, 10)]                # ERROR: no-such-attribute
  domain  = network.lan.domain                              # ERROR: no-such-attribute
  dns     = [bridge.br0.address, local.dns[3], local.map.x] # ERROR: no-such-attribute no-such-attribute no-such-attribute
}

locals {
  dns = ["9.9.9.9"]
  map = tomap({ a = "9.9.9.9" })
}
