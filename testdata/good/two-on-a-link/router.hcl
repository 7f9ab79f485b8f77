# Two networks on one link, of which a zone names the first: the firewall matches interfaces,
# so the second is in the zone, too.
router "r" {
  board         = "bananapi-bpir4"
  memory        = "4GiB"
  state_version = "26.05"
}

network "lan" {
  link = port.lan1
  ipv4 = "192.168.1.1/24"
}

network "lan6" {
  link = port.lan1
  ipv6 = "fd00:1::1/64"
}

network "wan" {
  link = port.wan
  ipv4 = "dhcp"
}

network "modem" { # its settings page, on the link of the upstream
  link = port.wan
  ipv6 = "fd00:100::2/64"
}

zone "lan" {
  networks = [network.lan]
  allow    = ["ssh", "dns"]
}

zone "wan" {
  networks = [network.modem]
}

policy "internet" {
  from       = [zone.lan]
  to         = [zone.wan]
  action     = "accept"
  masquerade = true # the address is that of network.wan
}

resolver {
  networks = [network.lan6]
}

ssh {
  networks = [network.lan6]
}

user "root" {
  authorized_keys = ["ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIEbHw8WiDglSz3F98qaKqHuX3Zw9+D/kdO9wVQxdMwkl me@desk"]
}
