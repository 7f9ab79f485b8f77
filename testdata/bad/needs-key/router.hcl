# A reference to one of several.

router "r" {
  board         = "bananapi-bpir4"
  memory        = "4GiB"
  state_version = "25.11"
  console_only  = true
}

vlan "v" {
  for_each = { v10 = 10, v20 = 20 }
  link     = port.lan1
  id       = each.value
}

network "a" {
  link = vlan.v # ERROR: needs-key
  ipv4 = "192.168.1.1/24"
}

network "b" {
  link = vlan.v["v30"] # ERROR: no-such-reference
  ipv4 = "192.168.2.1/24"
}
