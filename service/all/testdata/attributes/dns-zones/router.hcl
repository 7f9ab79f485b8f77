# Zones that could be others, and be public or not.
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

zone "outside" {
  networks = [network.wan]
  allow    = ["dns-zones"]
}

dns_server {
  networks = [network.wan]
}

dns_zone "world" {
  domain       = "example.org"
  public       = true
  name_servers = ["ns.example.net"]

  dnssec {
    algorithm = "ecdsap256sha256"
  }
}

dns_zone "more" {
  domain       = "example.com"
  public       = true
  name_servers = ["ns.example.net"]
}
