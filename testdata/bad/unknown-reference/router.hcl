# Names with typing errors.

router "r" {
  board         = "bananapi-bpir4"
  memory        = "4GiB"
  state_version = "25.11"
  console_only  = true
}

network "lan" {
  link = port.lan1
  ipv4 = "192.168.1.1/24"
}

network "wan" {
  link = port.wan
  ipv4 = "dhcp"
}

zone "lan" {
  networks = [network.lan]
}

zone "wan" {
  networks = [network.wan]
}

bridge "br0" {
  ports = [port.lan2, port.lan9] # ERROR: no-such-reference
}

vlan "guest" {
  link = bridge.br1 # ERROR: no-such-reference
  id   = 10
}

resolver {
  networks = [network.lam] # ERROR: no-such-reference
}

policy "internet" {
  from       = [zone.lan]
  to         = [zone.internet] # ERROR: no-such-reference
  action     = "accept"
  masquerade = true
}

route "far" {
  to      = "10.0.0.0/8"
  via     = "10.255.0.1"
  network = net.far # ERROR: no-such-reference
}
