# Two links of one name.

router "r" {
  board         = "bananapi-bpir4"
  memory        = "4GiB"
  state_version = "25.11"
  console_only  = true
}

bridge "lan1" { # ERROR: interface-name-clash # WARNING: bridge-without-ports
  ports = []
}

vlan "a" {
  link = port.lan2
  id   = 10
}

vlan "b" { # ERROR: interface-name-clash
  name = "a"
  link = port.lan2
  id   = 11
}

wireguard "a" { # ERROR: interface-name-clash # WARNING: tunnel-without-peers
  private_key = secret.wg0
}

secret "wg0" {
  path = "/var/lib/secrets/wg0"
}
