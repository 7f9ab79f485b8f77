# Names of leases that no zone has.
router "r" {
  board         = "bananapi-bpir4"
  memory        = "4GiB"
  state_version = "26.05"
  console_only  = true
}

network "a" {
  link = port.lan1
  ipv4 = "192.168.1.1/24"
}

network "b" {
  link   = port.lan2
  ipv4   = "192.168.2.1/24"
  domain = "b.example"
}

network "c" {
  link   = port.lan3
  ipv4   = "192.168.3.1/24"
  domain = "c.example"
}

zone "lan" {
  networks = [network.a, network.b, network.c]
  allow    = ["dhcp"]
}

secret "hq" {
  path = "/var/lib/secrets/hq"
}

dns_peer "hq" {
  addresses = ["192.168.1.2"]
  key       = secret.hq
}

dns_zone "c" {
  domain    = "c.example"
  primaries = [dns_peer.hq]
}

dhcp4 "a" {
  network        = network.a
  pool           = ["192.168.1.100-192.168.1.199"]
  dns            = ["9.9.9.9"]
  register_names = true # ERROR: names-without-zone
}

dhcp4 "b" {
  network        = network.b
  pool           = ["192.168.2.100-192.168.2.199"]
  dns            = ["9.9.9.9"]
  register_names = true # ERROR: names-without-zone
}

dhcp4 "c" {
  network        = network.c
  pool           = ["192.168.3.100-192.168.3.199"]
  dns            = ["9.9.9.9"]
  register_names = true # ERROR: names-without-zone
}
