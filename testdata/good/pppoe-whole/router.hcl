# A line of a provider that takes frames of 1508 bytes (RFC 4638): packets of 1500 bytes pass the
# session whole, and no host has to know of it.

router "whole" {
  board         = "bananapi-bpir4"
  memory        = "4GiB"
  state_version = "26.05"
  name_servers  = ["9.9.9.9"]
}

# One of the board's own ports, by its name, with longer frames.
port "wan" {
  mtu = 1508
}

vlan "internet" {
  link = port.wan
  id   = 101
  mtu  = 1508
}

secret "line" {
  path = "/var/lib/secrets/line"
}

pppoe "ppp0" {
  link     = vlan.internet
  user     = "user@provider.example"
  password = secret.line
  mtu      = 1500
}

network "wan" {
  link = pppoe.ppp0
  ipv4 = "ppp"
}

network "lan" {
  link = port.lan1
  ipv4 = "192.168.1.1/24"
}

zone "wan" {
  networks = [network.wan]
}

zone "lan" {
  networks = [network.lan]
  allow    = ["ssh"]
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
