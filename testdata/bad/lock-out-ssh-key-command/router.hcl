# The one key of root gives no shell.

router "r" {
  board         = "bananapi-bpir4"
  memory        = "4GiB"
  state_version = "26.05"
}

user "root" {
  authorized_keys = ["command=\"/run/current-system/sw/bin/wg\",no-pty ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIEbHw8WiDglSz3F98qaKqHuX3Zw9+D/kdO9wVQxdMwkl me@desk"] # ERROR: lock-out
}

ssh {
  networks = [network.lan]
}

zone "lan" {
  networks = [network.lan]
  allow    = ["ssh"]
}

network "lan" {
  link = port.lan1
  ipv4 = "192.168.1.1/24"
}

