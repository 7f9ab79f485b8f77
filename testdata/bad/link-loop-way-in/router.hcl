# A loop of links, over which the router is to be reached.

router "r" {
  board         = "bananapi-bpir4"
  memory        = "4GiB"
  state_version = "26.05"
  name_servers  = ["192.168.1.9"]
}

bridge "br0" { # ERROR: link-loop
  ports = [vlan.v]
}

vlan "v" {
  link = bridge.br0
  id   = 10
}

network "lan" {
  link = bridge.br0
  ipv4 = "192.168.1.1/24"
}

zone "lan" {
  networks = [network.lan]
  allow    = ["ssh"]
}

user "anna" {
  admin           = true
  authorized_keys = ["ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIEbHw8WiDglSz3F98qaKqHuX3Zw9+D/kdO9wVQxdMwkl me@desk"]
}

ssh {
  networks = [network.lan]
}
