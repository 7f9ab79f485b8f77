# Ports of a bond that have something else to do.

router "r" {
  board         = "bananapi-bpir4"
  memory        = "4GiB"
  state_version = "25.11"
  console_only  = true
}

dummy "d0" {
  mtu = 9000 # ERROR: bond-port-mtu
}

bond "bond0" {
  ports = [port.end1, dummy.d0]
  mode  = "active-backup"
}

vlan "iot" {
  link = port.end1 # ERROR: link-on-bond-port
  id   = 30
}

network "storage" {
  link = port.end1 # ERROR: address-on-bridge-port
  ipv4 = "192.0.2.1/24"
}

zone "storage" {
  networks = [network.storage]
}

vlan "small" {
  link = port.lan1
  id   = 8
  mtu  = 1400
}

bond "bond1" { # ERROR: mtu-too-large
  ports = [vlan.small, port.lan2]
  mode  = "active-backup"
}
