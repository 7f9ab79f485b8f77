# Names that programs, hosts and flakes have for something else.
router "localhost" { # ERROR: reserved-name
  board         = "bananapi-bpir4"
  memory        = "4GiB"
  state_version = "26.05"
  console_only  = true
}

network "lan" {
  link = port.lan1
  ipv4 = "192.168.1.1/24"
}

zone "lan" {
  networks = [network.lan]
}

user "frr" { # ERROR: reserved-name
  authorized_keys = ["ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIEbHw8WiDglSz3F98qaKqHuX3Zw9+D/kdO9wVQxdMwkl me@desk"]
}

user "radvd" { # ERROR: reserved-name
  authorized_keys = ["ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIEbHw8WiDglSz3F98qaKqHuX3Zw9+D/kdO9wVQxdMwkl me@desk"]
}

user "systemd-journal-gateway" { # ERROR: reserved-name
  authorized_keys = ["ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIEbHw8WiDglSz3F98qaKqHuX3Zw9+D/kdO9wVQxdMwkl me@desk"]
}

user "anna" { # WARNING: user-without-login
  groups = ["wheel"]
}

user "bert" {
  authorized_keys = ["ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIEbHw8WiDglSz3F98qaKqHuX3Zw9+D/kdO9wVQxdMwkl me@desk"]
  groups          = ["weel", "ops", "systemd-journal", "docker"] # WARNING: no-such-group no-such-group
}

input "pkgs" { # ERROR: reserved-name
  url = "github:a/b"
}
