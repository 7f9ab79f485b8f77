# An address towards networks without IPv4.
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

network "tunnel" {
  link = port.lan2
  ipv6 = "2001:db8:2::1/64"
}

zone "lan" {
  networks = [network.lan, network.wan]
}

zone "tunnel" {
  networks = [network.tunnel]
}

static_nat "web" {
  from    = zone.tunnel # WARNING: nat-of-nothing
  address = "203.0.113.77"
  to      = host.web
}
