# Two networks on one upstream link, each of them with a way out.
router "r" {
  board         = "bananapi-bpir4"
  memory        = "4GiB"
  state_version = "26.05"
  name_servers  = ["9.9.9.9", "149.112.112.112"]
}

network "lan" {
  link = port.lan1
  ipv4 = "192.0.2.1/24"
}

network "first" {
  link    = port.wan
  ipv4    = "198.51.100.2/24"
  gateway = "198.51.100.1"
}

network "second" {
  link = port.wan
  ipv4 = "203.0.113.2/24"
}

route "second" {
  to     = "0.0.0.0/0"
  via    = "203.0.113.1"
  metric = 200
}

zone "lan" {
  networks = [network.lan]
  allow    = ["ssh"]
}

zone "wan" {
  networks = [network.first, network.second]
}

ssh {
  networks = [network.lan]
}

user "root" {
  authorized_keys = ["ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIEbHw8WiDglSz3F98qaKqHuX3Zw9+D/kdO9wVQxdMwkl me@desk"]
}
