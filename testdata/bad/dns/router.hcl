# A resolver whose parts contradict each other, or are of no use.
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
  ipv6 = "fd00:2::1/64"
}

host "nas" {
  network = network.lan
  ipv4    = "192.168.1.10"
}

zone "lan" {
  networks = [network.lan, network.things]
  allow    = ["dns", "dns-tls"]
}

secret "dns" {
  path = "/var/lib/secrets/dns.key"
}

resolver {
  networks = [network.lan]
  forward  = ["9.9.9.9#dns.quad9.net", "149.112.112.112"] # WARNING: mixed-transports

  records = [
    "nas.home.arpa A 192.168.1.11",             # ERROR: record-clash
    "10.1.168.192.in-addr.arpa PTR a.example.", # ERROR: record-clash
    "www.example.org A 192.168.1.12",
    "www.example.org CNAME nas.home.arpa", # ERROR: record-clash
  ]

  forwarder "office" {
    zones         = ["corp.internal", "corp.example.org"] # WARNING: zone-not-delegated
    servers       = ["192.0.2.1@5353"]                    # ERROR: bad-value
    authoritative = true
  }

  forwarder "again" {
    zones   = ["Corp.example.org."] # ERROR: named-twice
    servers = ["192.168.1.1"]       # ERROR: asks-itself
  }

  blocklist "ads" {
    files    = ["lists/broken.txt", "lists/none.txt", "lists/missing.txt"] # ERROR: list-empty no-such-file
    inputs   = ["nowhere/hosts"]                                           # ERROR: no-such-reference
    networks = [network.things]                                            # ERROR: not-served
  }

  blocklist "nothing" {} # ERROR: list-empty

  dns64 {                                    # WARNING: dns64-untranslated
    networks = [network.things, network.lan] # ERROR: not-served no-common-family
  }

  tls {
    name        = "dns.example.org"
    certificate = "/var/lib/acme/dns/fullchain.pem"
    key         = secret.dns
  }
}
