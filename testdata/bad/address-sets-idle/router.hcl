# Groups of addresses with members that are there already, and those that no rule uses.
router "r" {
  board         = "bananapi-bpir4"
  memory        = "4GiB"
  state_version = "26.05"
  console_only  = true
}

network "lan" {
  link = port.lan1
  ipv4 = "192.168.1.1/24"
}

network "other" {
  link = port.lan2
  ipv4 = "192.168.2.1/24"
  ipv6 = "fd00:2::1/64"
}

host "nas" {
  network = network.lan
  ipv4    = "192.168.1.10"
}

host "six" {
  network = network.other
  ipv6    = "::6"
}

zone "lan" {
  networks = [network.lan]
}

zone "other" {
  networks = [network.other]
}

address_set "unused" {
  hosts = [host.nas]
}

address_set "twice" {
  hosts     = [host.nas] # WARNING: set-overlap
  networks  = [network.lan]
  addresses = ["192.168.2.0-192.168.2.9", "192.168.2.9-192.168.2.20", "192.168.2.15"] # WARNING: set-overlap set-overlap
  files     = ["list.txt"]
}

address_set "six" {
  hosts = [host.six]
}

firewall {
  anti_spoof = false
}

network "wan" {
  link = port.wan
  ipv4 = "dhcp"
}

zone "wan" {
  networks = [network.wan]
}

address_set "inner" {
  addresses = ["192.168.1.64/28"]
}

address_set "office" {
  addresses = ["203.0.113.0/24"]
}

policy "inner" {
  from   = [zone.lan, address_set.inner] # WARNING: end-in-zone
  to     = [zone.other, host.six]        # WARNING: end-in-zone
  action = "accept"
  ports  = [1]
}

policy "office" {
  from   = [zone.wan, address_set.office] # WARNING: end-in-zone set-without-anti-spoof
  to     = [zone.other, address_set.inner]
  action = "accept"
}

policy "twice" {
  from   = [address_set.twice] # WARNING: set-without-anti-spoof
  to     = [zone.other]
  action = "accept"
}

port_forward "six" {
  from    = zone.other
  sources = [address_set.six] # ERROR: no-common-family
  port    = 443
  to      = "192.168.1.10"
}
