# VXLANs without another end, or with the identifier of another one.

router "r" {
  board         = "bananapi-bpir4"
  memory        = "4GiB"
  state_version = "25.11"
  console_only  = true
}

network "backbone" {
  link = port.end1
  ipv4 = "192.0.2.1/24"
}

zone "backbone" {
  networks = [network.backbone]
}

vxlan "self" {
  id      = 4
  network = network.backbone
  remote  = "192.0.2.1" # ERROR: vxlan-end
}

vxlan "again" {
  id      = 4 # ERROR: vxlan-twice
  network = network.backbone
  remote  = "192.0.2.3"
}

vxlan "none" { # ERROR: vxlan-end
  id      = 1
  network = network.backbone
}

vxlan "both" {
  id      = 2
  network = network.backbone
  remote  = "192.0.2.2"
  group   = "239.1.1.1" # ERROR: vxlan-end
}

vxlan "six" {
  id      = 3
  network = network.backbone
  remote  = "2001:db8::2" # ERROR: vxlan-end
}

vxlan "large" {
  id      = 5
  network = network.backbone
  remote  = "192.0.2.3"
  mtu     = 1500 # ERROR: mtu-too-large
}
