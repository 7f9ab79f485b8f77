# A server that the world reaches, and that has nothing to say to it.
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
  domain = "home.arpa"
}

zone "wan" {
  networks = [network.wan]
  allow    = ["dns-zones"]
}

zone "lan" {
  networks = [network.lan]
}

dns_server {
  networks = [network.wan] # ERROR: zone-not-public
}

dns_zone "home" {
  domain = "home.arpa"
}
