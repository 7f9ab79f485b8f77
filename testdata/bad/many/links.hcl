bridge "br0" {
  ports = [port.lan1, port.lan2]
}

bridge "br1" {
  ports = [port.lan2] # ERROR: port-in-two-bridges
}

locals {
  a = local.b # ERROR: cycle
  b = local.a
}
