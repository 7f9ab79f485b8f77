# Ports, protocols and actions.

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

ssh {
  networks = [] # ERROR: empty-list
  port     = 65536 # ERROR: bad-value
}

policy "a" {
  from      = [zone.lan]
  to        = [zone.wan]
  action    = "allow"                           # ERROR: bad-value
  protocols = ["sctp"]                          # ERROR: bad-value
  ports     = [0, "90-80", "http", "1-2-3", 80] # ERROR: bad-value bad-value bad-value bad-value
}

policy "b" {
  from   = [zone.lan]
  to     = [zone.wan]
  action = "accept"
}

port_forward "web" {
  from     = zone.wan
  protocol = "icmp" # ERROR: bad-value
  port     = "a-b"  # ERROR: bad-value
  to       = "nas"  # ERROR: bad-value
  to_port  = -1     # ERROR: bad-value
}
