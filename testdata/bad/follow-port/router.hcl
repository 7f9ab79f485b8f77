# A port with a bad name. That the link above it is larger is not told.

router "r" {
  board         = "bananapi-bpir4"
  memory        = "4GiB"
  state_version = "25.11"
  console_only  = true
  name_servers  = ["9.9.9.9"]
}

port "wan " { # ERROR: bad-value
  mtu = 1508
}

vlan "internet" {
  link = port.wan
  id   = 7
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

zone "wan" {
  networks = [network.wan]
}
