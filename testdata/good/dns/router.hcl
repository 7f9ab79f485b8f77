# A resolver that forwards over TLS, knows inner zones and records, blocks names for some networks,
# makes IPv6 addresses for one of them, and answers over TLS and HTTPS.

router "dns" {
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
  ipv6   = "2001:db8:1::1/64"
  domain = "home.arpa"
}

network "phones" {
  link = port.lan2
  ipv6 = "2001:db8:2::1/64"
}

host "nas" {
  network = network.lan
  ipv4    = "192.168.1.10"
}

# NAT64 is on another router.
route "nat64" {
  to  = "64:ff9b::/96"
  via = "2001:db8:1::64"
}

zone "wan" {
  networks = [network.wan]
}

zone "inside" {
  networks = [network.lan, network.phones]
  allow    = ["dns", "dns-tls", "dns-https"]
}

secret "dns" {
  path = "/var/lib/secrets/dns.key"
}

input "lists" {
  url   = "github:StevenBlack/hosts"
  flake = false
}

resolver {
  networks = [network.lan, network.phones]
  forward  = ["9.9.9.9#dns.quad9.net", "2620:fe::fe#dns.quad9.net"]

  records = ["_ipp._tcp.home.arpa SRV 0 0 631 nas.home.arpa", "home.arpa TXT \"the house's [network]\"", "media.home.arpa CNAME nas.home.arpa"]

  # The office, behind a tunnel.
  forwarder "office" {
    zones   = ["corp.internal", "10.in-addr.arpa"]
    servers = ["10.1.2.3", "10.1.2.4@5353"]
    dnssec  = false
  }

  forwarder "lab" {
    zones         = ["lab.example.org"]
    servers       = ["192.168.1.53"]
    authoritative = true
  }

  blocklist "ads" {
    files    = ["lists/ads.txt"]
    inputs   = ["lists/hosts"]
    allow    = ["good.tracker.example.net"]
    networks = [network.phones]
  }

  blocklist "malware" {
    inputs = ["lists/alternates/fakenews/hosts"]
  }

  dns64 {
    networks = [network.phones]
    prefix   = "64:ff9b::/96"
  }

  tls {
    name        = "dns.example.org"
    certificate = "/var/lib/acme/dns.example.org/fullchain.pem"
    key         = secret.dns
    https       = true
  }
}
