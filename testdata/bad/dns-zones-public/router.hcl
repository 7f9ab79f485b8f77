# A server on an upstream: what the world is told is said, or it is told nothing.
router "r" {
  board         = "bananapi-bpir4"
  memory        = "4GiB"
  state_version = "26.05"
  console_only  = true
  name_servers  = ["9.9.9.9"]
}

network "wan" {
  link    = port.wan
  ipv4    = "203.0.113.2/24"
  gateway = "203.0.113.1"
}

network "lan" {
  link   = port.lan1
  ipv4   = "192.168.1.1/24"
  domain = "home.example.org" # WARNING: private-address
}

network "guests" {
  link = port.lan2
  ipv6 = "auto"
}

host "nas" {
  network = network.lan
  ipv4    = "192.168.1.10"
}

zone "wan" {
  networks = [network.wan]
  allow    = ["dns-zones"]
}

zone "guests" {
  networks = [network.guests]
  allow    = ["dns-zones"]
}

zone "lan" {
  networks = [network.lan]
}

dns_server {
  networks = [network.wan, network.guests] # ERROR: no-fixed-address
}

dns_zone "world" {
  domain       = "example.org"
  name_servers = ["ns.example.net"]
  public       = true
  records      = ["vpn.example.org A 10.8.0.1"] # WARNING: private-address
}
