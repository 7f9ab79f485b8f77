# A resolver for a network in no zone, so that no zone says what it offers.
router "dns" {
  board         = "bananapi-bpir4"
  memory        = "8GiB"
  state_version = "25.11"
  console_only  = true
}

network "lan" {
  link = port.lan1
  ipv4 = "192.168.1.1/24"
}

secret "dns" {
  path = "/var/lib/secrets/dns.key"
}

secret "other" {
  path = "/var/lib/secrets/other.key"
}

resolver {
  networks = [network.lan]

  blocklist "a" {
    files = ["lists/a.txt"]
  }

  blocklist "b" {
    files = ["lists/b.txt"]
  }

  tls {
    name        = "dns.example.org"
    certificate = "/var/lib/dns/cert.pem"
    key         = secret.dns
    https       = true
  }
}
