# A BPI-R3: one size of memory, so it need not be named.

router "r3" {
  board         = "bananapi-bpir3"
  state_version = "26.05"
}

bridge "br-lan" {
  ports = [port.lan0, port.lan1, port.lan2, port.lan3]
  stp   = true
  mac   = "02:00:00:00:00:01"
  mtu   = 1500
}

network "lan" {
  link = bridge.br-lan
  ipv4 = "192.168.1.1/24"
}

zone "lan" {
  networks = [network.lan]
  allow    = ["ssh"]
}

ssh {
  networks = [network.lan]
}

user "root" {
  authorized_keys = ["ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIEbHw8WiDglSz3F98qaKqHuX3Zw9+D/kdO9wVQxdMwkl me@desk"]
}
