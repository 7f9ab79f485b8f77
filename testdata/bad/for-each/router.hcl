# Nothing to go through.

router "r" {
  board         = "bananapi-bpir4"
  memory        = "4GiB"
  state_version = "25.11"
  console_only  = true
}

vlan "a" {
  for_each = 5 # ERROR: bad-for-each
  link     = port.lan1
  id       = each.value
}

vlan "b" {
  for_each = ["x", "x"] # ERROR: bad-for-each
  link     = port.lan1
  id       = 5
}

vlan "c" {
  for_each = [{ id = 5 }] # ERROR: bad-for-each
  link     = port.lan1
  id       = each.value.id
}

vlan "d" {
  for_each = null # ERROR: bad-for-each
  link     = port.lan1
  id       = 5
}

vlan "e" {
  for_each = ["a; b"] # ERROR: bad-for-each
  link     = port.lan1
  id       = 5
}

network "a" {
  link = vlan.a["x"]
  ipv4 = "192.168.1.1/24"
}

bridge "br0" {
  ports = [vlan.a, vlan.b]
}
