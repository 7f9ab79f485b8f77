# No user has a key.

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

user "me" { # WARNING: user-without-login
}
