# The only way in is set down by extra.

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

bridge "br0" {
  ports = [port.lan1, port.lan2]
}

network "lan" {
  link = bridge.br0
  ipv4 = "192.168.1.1/24"
}

interfaces {
  extra = {
    interfaces = {
      lan1 = { link = { state = "down" } }
      lan2 = { link = { state = "down" } }
    }
  }
}
