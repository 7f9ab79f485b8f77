# VLAN identifiers and MTUs out of range.

router "r" {
  board         = "bananapi-bpir4"
  memory        = "4GiB"
  state_version = "25.11"
  console_only  = true
}

vlan "a" {
  link = port.lan1
  id   = 0 # ERROR: bad-value
}

vlan "b" {
  link = port.lan1
  id   = 4095 # ERROR: bad-value
}

vlan "c" {
  link = port.lan1
  id   = "ten" # ERROR: bad-value
  mtu  = 500   # ERROR: bad-value
}
