# A port of two bridges.

router "r" {
  board         = "bananapi-bpir4"
  memory        = "4GiB"
  state_version = "25.11"
  console_only  = true
}

bridge "br0" {
  ports = [port.lan1, port.lan2]
}

bridge "br1" {
  ports = [port.lan3, port.lan2] # ERROR: port-in-two-bridges
}
