# What is wrong in a block is wrong without a turn.

router "r" {
  board         = "bananapi-bpir4"
  memory        = "4GiB"
  state_version = "25.11"
  console_only  = true
}

vlan "a" {
  for_each = {}
  link     = port.lan1
  id       = 5000 # ERROR: bad-value
  name     = each.key
  typo     = each.value # ERROR: unsupported-argument
}

vlan "b" { # ERROR: missing-argument
  for_each = 5 # ERROR: bad-for-each
  link     = port.lan1
  name     = "too long for an interface" # ERROR: bad-value
}
