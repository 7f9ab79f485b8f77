# Addresses outside that are none for a host, or another one's.
router "r" {
  board         = "bananapi-bpir4"
  memory        = "4GiB"
  state_version = "26.05"
  console_only  = true
  name_servers  = ["9.9.9.9"]
}

network "lan" {
  link = port.lan1
  ipv4 = "192.168.1.1/24"
  ipv6 = "fd12:3456:789a:1::1/64"
}

network "wan" {
  link    = port.wan
  ipv4    = "198.51.100.2/24"
  gateway = "198.51.100.1"
}

host "web" {
  network = network.lan
  ipv4    = "192.168.1.10"
}

host "mail" {
  network = network.lan
  ipv4    = "192.168.1.25"
}

host "six" {
  network = network.lan
  ipv6    = "::9"
}

zone "lan" {
  networks = [network.lan]
}

zone "wan" {
  networks = [network.wan]
}

static_nat "web" {
  from    = zone.wan
  address = "203.0.113.77"
  to      = host.web
}

static_nat "same" {
  from    = zone.wan
  address = "203.0.113.77" # ERROR: static-nat-address
  to      = host.mail
}

static_nat "two" {
  from    = zone.wan
  address = "203.0.113.78"
  to      = host.web # ERROR: static-nat-address
}

host "a" {
  network = network.lan
  ipv4    = "192.168.1.41"
}

host "b" {
  network = network.lan
  ipv4    = "192.168.1.42"
}

host "c" {
  network = network.lan
  ipv4    = "192.168.1.43"
}

host "d" {
  network = network.lan
  ipv4    = "192.168.1.44"
}

static_nat "own" {
  from    = zone.wan
  address = "198.51.100.2" # ERROR: static-nat-address
  to      = host.a
}

static_nat "neighbour" {
  from    = zone.wan
  address = "198.51.100.9" # ERROR: static-nat-address
  to      = host.b
}

static_nat "version" {
  from    = zone.wan
  address = "2001:db8::1" # ERROR: static-nat-address
  to      = host.c
}

static_nat "inside" {
  from    = zone.lan # ERROR: static-nat-address
  address = "203.0.113.79"
  to      = host.d
}

static_nat "none" {
  from    = zone.wan
  address = "203.0.113.80"
  to      = host.six # ERROR: host-without-address
}
