# Hosts that cannot be where they are said to be, and policies about hosts of which too
# little is known.

router "r" {
  board         = "bananapi-bpir4"
  memory        = "4GiB"
  state_version = "25.11"
  console_only  = true
  name_servers  = ["9.9.9.9"]
}

network "lan" {
  link   = port.lan1
  ipv4   = "192.168.1.1/24"
  ipv6   = "fd00:1::1/64"
  domain = "home.arpa"
}

network "old" {
  link = port.lan2
  ipv4 = "192.168.2.1/24"
}

network "narrow" {
  link = port.lan3
  ipv6 = "fd00:3::1/112"
}

network "alone" {
  link = port.end1
  ipv4 = "192.168.4.1/24"
}

zone "lan" {
  networks = [network.lan, network.old, network.narrow]
  allow    = ["dhcp"]
}

network "other" {
  link = port.wan
  ipv4 = "192.168.5.1/24"
}

zone "other" {
  networks = [network.other]
}

host "nothing" { # ERROR: host-without-address
  network = network.lan
}

host "elsewhere" {
  network = network.lan
  ipv4    = "192.168.2.10" # ERROR: host-outside-network
}

host "router" {
  network = network.lan
  ipv4    = "192.168.1.1" # ERROR: host-outside-network
  ipv6    = "::1"         # ERROR: host-outside-network
}

host "broadcast" {
  network = network.lan
  ipv4    = "192.168.1.255" # ERROR: host-outside-network
}

host "other-family" {
  network = network.lan
  ipv4    = "fd00:1::10" # ERROR: bad-value
}

host "whole-address" {
  network = network.lan
  ipv6    = "fd00:1::10" # ERROR: bad-value
}

host "no-ipv4" {
  network = network.narrow
  ipv4    = "192.168.1.9" # ERROR: host-outside-network
  ipv6    = "::9"         # ERROR: host-outside-network
}

host "no-ipv6" {
  network = network.old
  ipv6    = "::9" # ERROR: host-outside-network
}

host "nas" {
  network = network.lan
  mac     = "02:11:22:33:44:55"
  ipv4    = "192.168.1.10"
  ipv6    = "::10"
}

host "twin" {
  network = network.lan
  mac     = "02-11-22-33-44-55" # ERROR: host-twice
  ipv4    = "192.168.1.10"      # ERROR: host-twice
  ipv6    = "::0010"            # ERROR: host-twice
  aliases = ["box", "NAS"]      # ERROR: host-name-twice
}

host "tv" {
  network = network.old
  mac     = "02:11:22:33:44:66"
}

host "printer" {
  network = network.lan
  ipv4    = "192.168.1.9"
}

host "static" {
  network = network.lan
  ipv4    = "192.168.1.150" # ERROR: pool-holds-host
}

host "alone" {
  network = network.alone # ERROR: host-without-zone
  ipv4    = "192.168.4.10"
}

host "reserved" {
  network = network.lan
  mac     = "02:11:22:33:44:77" # ERROR: same-host-twice
  ipv4    = "192.168.1.30"      # ERROR: same-address-twice
}

dhcp4 "lan" {
  network = network.lan
  pool    = ["192.168.1.100-192.168.1.199"]
  dns     = ["9.9.9.9"]

  reservation "lamp" {
    mac  = "02:11:22:33:44:77"
    ipv4 = "192.168.1.30"
  }
}

policy "no-zone" {
  from   = [host.alone]
  to     = [host.nas]
  action = "accept"
}

policy "no-address" {
  from   = [zone.lan]
  to     = [host.tv] # ERROR: host-without-address
  action = "accept"
}

policy "all" {
  from   = [zone.lan]
  to     = [zone.lan]
  action = "accept"
}

policy "late" { # ERROR: unreachable-policy
  from   = [host.tv]
  to     = [host.nas]
  action = "drop"
}

policy "some-addresses" {
  from   = [host.printer] # WARNING: host-other-addresses
  to     = [zone.other]
  action = "drop"
}

policy "wrong" {
  from   = [network.lan] # ERROR: wrong-reference
  to     = [zone.lan]
  action = "drop"
}

port_forward "tv" {
  from = zone.lan
  port = 80
  to   = host.tv # ERROR: host-without-address
}

port_forward "part" {
  from = zone.lan
  port = 81
  to   = host.nas.ipv4 # ERROR: not-a-reference
}

port_forward "zone" {
  from = zone.lan
  port = 82
  to   = zone.lan # ERROR: wrong-reference
}
