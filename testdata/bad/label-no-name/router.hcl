# A label that is no name. What refers to it by the name that was meant is not told as well.

router "r" {
  board         = "bananapi-bpir4"
  memory        = "4GiB"
  state_version = "25.11"
  console_only  = true
}

network "my lan" { # ERROR: bad-value
  link = port.lan1
  ipv4 = "10.0.0.1/24"
}

vlan "wan.10" { # ERROR: bad-value
  link = port.wan
  id   = 10
}

network "wan" {
  link = vlan.wan.10
  ipv4 = "dhcp"
}

zone "z" {
  networks = [network.my_lan, network.wan, network.other_ones]
}

network "other ones" { # ERROR: bad-value
  for_each = { a = "10.0.1.1/24" }
  link     = port.lan2
  ipv4     = each.value
}

dhcp4 "my-lan" {
  network = network.my-lan
  pool    = ["10.0.0.100-10.0.0.199"]
  dns     = [cidrhost(network.my_lan.ipv4, 2)]
}

zone "y" {
  networks = [network.mylon] # ERROR: no-such-reference
}
