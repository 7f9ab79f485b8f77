# A variable without a default. What needs it says nothing.

router "r" {
  board         = "bananapi-bpir4"
  memory        = "4GiB"
  state_version = "25.11"
  console_only  = true
}

variable "board" { # ERROR: variable-not-set
  type = string
}

variable "list" { # ERROR: variable-not-set
}

network "lan" {
  link = port.lan1
  ipv4 = cidrsubnet(var.board, 8, 1)
}

dhcp4 "lan" {
  network = network.lan
  pool    = var.list
  dns     = [var.board]

  reservation "nas" {
    mac  = local.mac
    ipv4 = cidrhost(network.lan.ipv4, 10)
  }
}

locals {
  mac = "02:00:00:00:00:${var.board}"
}

vlan "v" {
  for_each = var.list
  link     = port.lan2
  id       = each.value
}

network "v" {
  link = vlan.v["10"]
  ipv4 = "192.168.10.1/24"
}
