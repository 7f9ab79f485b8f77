# The only way in is a VLAN on a bridge without ports.

router "r" { # ERROR: lock-out
  board         = "bananapi-bpir4"
  memory        = "4GiB"
  state_version = "26.05"
}

user "root" {
  authorized_keys = ["ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIEbHw8WiDglSz3F98qaKqHuX3Zw9+D/kdO9wVQxdMwkl me@desk"]
}

ssh {
  networks = [network.lan]
}

zone "lan" {
  networks = [network.lan]
  allow    = ["ssh"]
}

bridge "br0" { # WARNING: bridge-without-ports
}

vlan "v10" {
  link = bridge.br0
  id   = 10
}

network "lan" {
  link = vlan.v10
  ipv4 = "192.168.1.1/24"
}
