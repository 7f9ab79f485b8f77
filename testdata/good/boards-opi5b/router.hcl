# A router on a stick: one port, with a VLAN for either side.

router "stick" {
  board         = "xunlong-opi5b"
  memory        = "16GiB"
  state_version = "26.05"
}

vlan "lan" {
  link = port.end0
  id   = 10
}

vlan "wan" {
  link = port.end0
  id   = 20
}

network "lan" {
  link = vlan.lan
  ipv4 = "192.168.1.1/24"
}

network "wan" {
  link = vlan.wan
  ipv4 = "dhcp"
}

zone "lan" {
  networks = [network.lan]
  allow    = ["ssh"]
}

zone "wan" {
  networks = [network.wan]
}

policy "internet" {
  from       = [zone.lan]
  to         = [zone.wan]
  action     = "accept"
  masquerade = true
}

ssh {
  networks = [network.lan]
}

user "root" {
  authorized_keys = ["ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIEbHw8WiDglSz3F98qaKqHuX3Zw9+D/kdO9wVQxdMwkl me@desk"]
}
