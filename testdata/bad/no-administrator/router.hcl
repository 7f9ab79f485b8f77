# A user can log in, and none may change anything.
router "r" { # ERROR: lock-out
  board         = "bananapi-bpir4"
  memory        = "4GiB"
  state_version = "25.11"
}

network "lan" {
  link = port.lan1
  ipv4 = "192.168.1.1/24"
}

zone "lan" {
  networks = [network.lan]
  allow    = ["ssh"]
}

ssh {
  networks = [network.lan]
}

user "bob" {
  authorized_keys = ["ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIEbHw8WiDglSz3F98qaKqHuX3Zw9+D/kdO9wVQxdMwkl bob"]
}
