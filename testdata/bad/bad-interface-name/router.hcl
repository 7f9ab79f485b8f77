# Names that the kernel would not take.

router "r" {
  board         = "bananapi-bpir4"
  memory        = "4GiB"
  state_version = "25.11"
  console_only  = true
}

bridge "a-name-that-is-too-long" { # ERROR: bad-interface-name
  ports = []
}

vlan "guest" { # ERROR: bad-interface-name
  for_each = { guests-of-the-house = 10 }
  link     = port.lan1
  id       = each.value
}

bridge "lan1" {
  name  = "br lan" # ERROR: bad-value
  ports = []
}
