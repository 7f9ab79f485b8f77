# A value of the wrong type from outside.

router "r" {
  board         = "bananapi-bpir4"
  memory        = "4GiB"
  state_version = "25.11"
  console_only  = true
}

variable "vlans" { # ERROR: bad-value
  type = map(number)
}

variable "count" { # ERROR: bad-value
  type = number
}

vlan "v" {
  for_each = var.vlans
  link     = port.lan1
  id       = each.value
}
