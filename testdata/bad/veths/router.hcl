# Ends of pairs that do not name each other, or that drop what the other end sends.

router "r" {
  board         = "bananapi-bpir4"
  memory        = "4GiB"
  state_version = "25.11"
  console_only  = true
}

veth "a0" {
  peer = veth.a1
  mtu  = 9000
}

veth "a1" {
  peer = veth.a0
  mtu  = 1500 # ERROR: link-peer
}

veth "b0" {
  peer = veth.a0 # ERROR: link-peer
}

veth "self" {
  peer = veth.self # ERROR: link-peer
}

dummy "d0" {}

veth "c0" {
  peer = dummy.d0 # ERROR: link-peer
}

veth "e0" {
  peer = veth.e1
}

veth "e1" {
  peer = veth.e0
}

vlan "on-e0" {
  link = veth.e0
  id   = 5
  mtu  = 1600 # ERROR: mtu-too-large
}
