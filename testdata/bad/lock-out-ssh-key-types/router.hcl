# sshd lets none of those in who could administer the router.

router "r" {
  board         = "bananapi-bpir4"
  memory        = "4GiB"
  state_version = "26.05"
}

user "root" {
  authorized_keys = ["ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIEbHw8WiDglSz3F98qaKqHuX3Zw9+D/kdO9wVQxdMwkl me@desk"]
}

ssh {
  networks = [network.lan]
  extra = { # ERROR: lock-out
    PubkeyAcceptedKeyTypes = "ecdsa-*,rsa-sha2-512"
  }
}

zone "lan" {
  networks = [network.lan]
  allow    = ["ssh"]
}

network "lan" {
  link = port.lan1
  ipv4 = "192.168.1.1/24"
}

