# A server that could answer in another network.
router "r" {
  board         = "bananapi-bpir4"
  memory        = "4GiB"
  state_version = "26.05"
  console_only  = true
}

network "lan" {
  link   = port.lan1
  ipv4   = "192.168.1.1/24"
  domain = "home.arpa"
}

network "things" {
  link = port.lan2
  ipv4 = "192.168.2.1/24"
}

zone "inside" {
  networks = [network.lan, network.things]
  allow    = ["dns-zones"]
}

dns_server {
  networks = [network.lan]
}

dns_zone "home" {
  domain = "home.arpa"
}
