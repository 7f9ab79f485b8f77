# A router whose zones another server has, too: one by itself, two by a catalog.

router "gate" {
  board         = "bananapi-bpir4"
  memory        = "4GiB"
  state_version = "26.05"
  console_only  = true
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

host "nas" {
  network = network.lan
  ipv4    = "192.168.1.10"
}

zone "wan" {
  networks = [network.wan]
  allow    = ["dns-zones"]
}

zone "lan" {
  networks = [network.lan]
  allow    = ["dns"]
}

resolver {
  networks = [network.lan]
}

secret "branch" {
  path = "/var/lib/secrets/branch"
}

dns_server {
  networks = [network.wan]
}

dns_peer "branch" {
  addresses = ["203.0.113.3"]
  key       = secret.branch
  key_name  = "gate-branch"
  algorithm = "hmac-sha512"
}

dns_zone "home" {
  domain      = "home.arpa"
  secondaries = [dns_peer.branch]
}

dns_zone "back" {
  reverse = "192.168.1.0/24"
}

dns_zone "world" {
  domain       = "example.org"
  public       = true
  name_servers = ["ns1.example.org"]
  records      = ["ns1.example.org A 203.0.113.2"]

  dnssec {}
}

dns_catalog "fleet" {
  domain      = "catalog.invalid"
  zones       = [dns_zone.back, dns_zone.world]
  secondaries = [dns_peer.branch]
}
