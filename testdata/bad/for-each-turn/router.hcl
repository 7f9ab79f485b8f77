# An error in one turn of several, and each outside of for_each.

router "r" {
  board         = "bananapi-bpir4"
  memory        = "4GiB"
  state_version = "25.11"
  console_only  = true
}

vlan "v" {
  for_each = { v10 = 10, v20 = 20, v0 = 0 }
  link     = port.lan1
  id       = each.value # ERROR: bad-value
}

vlan "w" {
  link = port.lan2
  id   = each.value # ERROR: no-such-variable
}

network "v" {
  for_each = { v10 = 10, v0 = 0 }
  link     = vlan.v[each.key]
  ipv4     = cidrhost("192.168.${each.value}.0/24", 1) # ERROR: bad-value bad-value
}
