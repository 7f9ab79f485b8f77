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

address_set "unused" { # WARNING: set-unused
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

policy "twice" {
  from   = [address_set.twice]
  to     = [zone.other]
  action = "accept"
}

port_forward "six" {
  from    = zone.other
  sources = [address_set.six] # ERROR: no-common-family
  port    = 443
  to      = "192.168.1.10"
}
