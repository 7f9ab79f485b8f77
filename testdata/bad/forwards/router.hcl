# Port forwards that clash or lead nowhere.

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

port_forward "a" {
  from = zone.wan
  port = "8000-8080"
  to   = "192.168.1.10"
}

port_forward "b" {
  from    = zone.wan
  port    = 8080 # ERROR: forward-clash
  to      = "192.168.1.11"
  to_port = 80
}

port_forward "c" {
  from    = zone.wan
  port    = "9000-9010"
  to      = "192.168.2.10" # ERROR: forward-outside
  to_port = 80             # ERROR: forward-clash
}

port_forward "d" {
  from = zone.wan
  port = 22
  to   = "192.168.1.1" # ERROR: forward-outside
}

port_forward "e" {
  from     = zone.wan
  protocol = "udp"
  port     = 22
  to       = "fd00::1" # ERROR: forward-outside
}
