# Groups of addresses that have none, or that no packet could be of.
router "r" {
  board         = "bananapi-bpir4"
  memory        = "4GiB"
  state_version = "26.05"
  console_only  = true
}

network "wan" {
  link = port.wan
  ipv4 = "dhcp"
  ipv6 = "auto"
}

network "lan" {
  link = port.lan1
  ipv4 = "192.168.1.1/24"
  ipv6 = "fd00:1::1/64"
}

network "alone" {
  link = port.lan3
  ipv4 = "192.168.3.1/24"
}

host "six" {
  network = network.lan
  ipv6    = "::6"
}

host "lost" {
  network = network.alone # ERROR: host-without-zone
  ipv4    = "192.168.3.9"
}

host "mac" {
  network = network.lan
  mac     = "02:11:22:33:44:55"
}

zone "wan" {
  networks = [network.wan]
}

zone "lan" {
  networks = [network.lan]
}

address_set "empty" { # ERROR: set-empty
  files = ["lists/empty.txt"]
}

address_set "lines" {
  files = ["lists/wrong.txt", "lists/missing.txt"] # ERROR: no-such-file
}

address_set "values" {
  addresses = ["192.0.2.1/24", "192.0.2.9-192.0.2.1", "::ffff:192.0.2.1", "here", "224.0.0.1", "2001:db8::1-192.0.2.1", "192.0.2.0/33"] # ERROR: bad-value bad-value bad-value bad-value bad-value bad-value bad-value
}

address_set "later" {
  networks = [network.wan] # ERROR: no-fixed-address no-fixed-address
}

address_set "four" {
  addresses = ["203.0.113.0/24"]
}

address_set "inner" {
  addresses = ["192.168.1.64/28"]
}

address_set "hosts" {
  hosts = [host.lost, host.mac]
}

policy "families" {
  from   = [address_set.four] # ERROR: no-common-family
  to     = [host.six]
  action = "accept"
}

policy "hosts" {
  from   = [address_set.hosts]
  to     = [zone.wan]
  action = "accept"
}

policy "no-address" {
  from   = [zone.wan]
  to     = [address_set.hosts] # ERROR: host-without-address
  action = "accept"
}

policy "others" {
  from   = [address_set.empty, address_set.lines, address_set.later]
  to     = [zone.lan]
  action = "accept"
}

policy "taken" {
  from   = [zone.lan]
  to     = [zone.wan]
  action = "accept"
}

policy "inner" { # ERROR: unreachable-policy
  from   = [address_set.inner]
  to     = [zone.wan]
  action = "drop"
}

port_forward "web" {
  from    = zone.wan
  sources = [address_set.inner] # ERROR: set-outside-zone
  port    = 443
  to      = "192.168.1.10"
}
