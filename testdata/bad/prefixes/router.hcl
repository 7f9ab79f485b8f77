# Prefixes that an upstream delegates, and networks that are in none, or in one twice.
router "r" {
  board         = "bananapi-bpir4"
  memory        = "4GiB"
  state_version = "26.05"
  console_only  = true
  name_servers  = ["9.9.9.9"]
}

network "wan" {
  link   = port.wan
  ipv4   = "dhcp"
  ipv6   = "auto"
  prefix = prefix.isp # ERROR: prefix-of-itself
  subnet = 9
}

network "half" {
  link         = port.end2
  ipv6         = "2001:db8::1/64"
  interface_id = "::2" # ERROR: subnet-without-prefix
}

network "four" {
  link = port.end1
  ipv4 = "dhcp"
}

prefix "isp" {
  network = network.wan
  length  = 60
}

prefix "four" {
  network = network.four # ERROR: prefix-without-upstream
  length  = 56
}

prefix "long" {
  network = network.wan
  length  = 65 # ERROR: bad-value
}

prefix "unused" { # its networks are not all known: one of them is wrong
  network = network.wan
  length  = 64
}

vlan "v" {
  for_each = { a = 16, b = 1, c = 15, d = 2, e = 0 }
  link     = port.lan1
  id       = each.value + 100
  name     = "v${each.key}"
}

network "a" {
  link   = vlan.v["a"]
  prefix = prefix.isp
  subnet = 16 # ERROR: subnet-outside-prefix
}

network "b" {
  link   = vlan.v["b"]
  prefix = prefix.isp
  subnet = 1
}

network "c" {
  link   = vlan.v["c"]
  prefix = prefix.isp # ERROR: subnet-without-prefix
}

network "d" {
  link   = vlan.v["d"]
  prefix = prefix.isp
  subnet = 1 # ERROR: subnet-twice
}

network "e" {
  link   = vlan.v["e"]
  ipv4   = "192.168.1.1/24"
  subnet = 1 # ERROR: subnet-without-prefix
}

network "f" {
  link         = port.lan2
  prefix       = prefix.isp
  subnet       = -1          # ERROR: bad-value
  interface_id = "fd00:1::1" # ERROR: bad-value
}

network "h" {
  link         = port.lan3
  prefix       = prefix.isp
  subnet       = 5
  interface_id = "::" # ERROR: bad-value
}

network "g" {
  link   = vlan.v["b"]
  prefix = prefix.four # ERROR: dynamic-twice
  subnet = 4
}

zone "all" {
  networks = [network.wan, network.four, network.a, network.b, network.c, network.d, network.e, network.g]
}
