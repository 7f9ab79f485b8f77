# A router with zones of its own beside a resolver: the names of the house both ways, and a
# public zone that is signed.

router "gate" {
  board         = "bananapi-bpir4"
  memory        = "8GiB"
  state_version = "25.11"
  console_only  = true
}

network "wan" {
  link     = port.wan
  ipv4     = "203.0.113.2/24"
  ipv6     = "2001:db8:ff::2/64"
  gateway  = "203.0.113.1"
  gateway6 = "2001:db8:ff::1"
}

network "lan" {
  link   = port.lan1
  ipv4   = "192.168.1.1/24"
  ipv6   = "fd00:1::1/64"
  domain = "home.arpa"
}

network "servers" {
  link   = port.lan2
  ipv4   = "10.2.0.1/24"
  domain = "srv.home.arpa"
}

host "nas" {
  network = network.lan
  ipv4    = "192.168.1.10"
  ipv6    = "::10"
  aliases = ["files"]
}

host "web" {
  network = network.servers
  ipv4    = "10.2.0.80"
}

zone "wan" {
  networks = [network.wan]
  allow    = ["dns-zones"]
}

zone "inside" {
  networks = [network.lan]
  allow    = ["dns"]
}

zone "servers" {
  networks = [network.servers]
  allow    = ["dns-zones"]
}

resolver {
  networks = [network.lan]
}

dns_server {
  networks   = [network.servers, network.wan]
  clients    = ["10.20.0.0/16"]
  rate_limit = 30
}

dns_zone "home" {
  domain  = "home.arpa"
  contact = "jane.doe@example.org"
  ttl     = "30m"
  records = [
    "_ipp._tcp.home.arpa SRV 0 0 631 nas.home.arpa",
    "home.arpa TXT \"two [[brackets]], \\\"quotes\\\" and $${this}\"",
    "media.home.arpa 60 CNAME nas.home.arpa",
    "lab.home.arpa NS ns.lab.home.arpa",
    "ns.lab.home.arpa A 192.168.1.53",
  ]
}

dns_zone "back4" {
  reverse = "192.168.1.0/24"
}

dns_zone "back6" {
  reverse = "fd00:1::/64"

  dnssec {
    algorithm = "ed25519"
    nsec3     = true
  }
}

dns_zone "world" {
  domain       = "example.org"
  public       = true
  name_servers = ["ns1.example.org", "ns.example.net"]
  records = [
    "ns1.example.org A 203.0.113.2",
    "ns1.example.org AAAA 2001:db8:ff::2",
    "example.org MX 10 mail.example.net",
    "*.example.org A 203.0.113.80",
    "example.org CAA 0 issue \"letsencrypt.org\"",
  ]

  dnssec {
    parents      = ["192.0.2.1", "2001:db8::1"]
    ksk_lifetime = "365d"
  }
}
