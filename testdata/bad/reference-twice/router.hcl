# One network twice in a list, once through its group.

router "r" {
  board         = "bananapi-bpir4"
  memory        = "4GiB"
  state_version = "25.11"
  console_only  = true
}

network "lan" {
  for_each = { lan1 = port.lan1, lan2 = port.lan2 } # ERROR: value-too-early
  link     = port.lan1
  ipv4     = "192.168.1.1/24"
}

vlan "v" {
  for_each = { v10 = 10, v20 = 20 }
  link     = port.lan3
  id       = each.value
}

bridge "br0" {
  ports = [port.lan1, vlan.v, port.lan1, vlan.v["v10"]] # ERROR: named-twice named-twice
}
