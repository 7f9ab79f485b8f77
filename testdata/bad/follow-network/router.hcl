# A network with a bad address. What needs the address says nothing.

router "r" {
  board         = "bananapi-bpir4"
  memory        = "4GiB"
  state_version = "25.11"
  console_only  = true
}

network "lan" {
  link    = port.lan1
  ipv4    = "192.168.1.1/240" # ERROR: bad-value
  gateway = "192.168.1.2"
}

network "wan" {
  link = port.wan
  ipv4 = "dhcp"
}

zone "lan" {
  networks = [network.lan]
  allow    = ["ssh", "dns", "dhcp"]
}

zone "wan" {
  networks = [network.wan]
}

policy "internet" {
  from       = [zone.wan]
  to         = [zone.lan]
  action     = "accept"
  masquerade = true
}

dhcp4 "lan" {
  network = network.lan
  pool    = ["${cidrhost(network.lan.ipv4, 100)}-${cidrhost(network.lan.ipv4, 199)}"]
}

resolver {
  networks = [network.lan]
}

ssh {
  networks = [network.lan]
}

port_forward "web" {
  from = zone.wan
  port = 80
  to   = "192.168.1.10"
}

route "far" {
  to  = "10.0.0.0/8"
  via = "192.168.1.3"
}
