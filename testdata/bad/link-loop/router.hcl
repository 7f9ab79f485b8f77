# A bridge of which a port is a VLAN on itself.

router "r" {
  board         = "bananapi-bpir4"
  memory        = "4GiB"
  state_version = "25.11"
  console_only  = true
}

bridge "br0" { # ERROR: link-loop
  ports = [vlan.v]
}

vlan "v" {
  link = bridge.br0
  id   = 10
}
