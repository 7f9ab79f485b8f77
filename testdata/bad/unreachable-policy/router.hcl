# A policy after one that takes everything.

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

policy "all" {
  from   = [zone.lan, zone.wan]
  to     = [zone.wan]
  action = "accept"
}

policy "no-telnet" { # ERROR: unreachable-policy
  from      = [zone.lan]
  to        = [zone.wan]
  action    = "drop"
  protocols = ["tcp"]
  ports     = [23]
}
