# One identifier twice on one link.

router "r" {
  board         = "bananapi-bpir4"
  memory        = "4GiB"
  state_version = "25.11"
  console_only  = true
}

vlan "a" {
  link = port.lan1
  id   = 10
}

vlan "b" {
  link = port.lan1
  id   = 10 # ERROR: vlan-twice
}

vlan "c" {
  link = port.lan2
  id   = 10
}

vlan "d" {
  link     = port.lan1
  id       = 10
  protocol = "802.1ad"
}

vlan "e" {
  link     = port.lan1
  id       = 10 # ERROR: vlan-twice
  protocol = "802.1ad" # another tag than that of vlan.a, and the same as that of vlan.d
}
