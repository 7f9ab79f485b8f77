# Zones and lists that are to go where they cannot, or that two servers write.
router "r" {
  board         = "bananapi-bpir4"
  memory        = "4GiB"
  state_version = "26.05"
  console_only  = true
}

network "lan" {
  link   = port.lan1
  ipv4   = "192.168.1.1/24"
  domain = "lan.example.org"
}

network "office" {
  link   = port.lan2
  ipv4   = "10.0.0.1/24"
  domain = "office.example"
}

zone "lan" {
  networks = [network.lan]
  allow    = ["dns-zones"]
}

zone "office" {
  networks = [network.office]
}

secret "a" {
  path = "/var/lib/secrets/a"
}

secret "b" {
  path = "/var/lib/secrets/b"
}

dns_server {
  networks = [network.lan]
}

dns_peer "a" {
  addresses = ["192.168.1.53"]
  key       = secret.a
}

dns_peer "b" {
  addresses = ["10.0.0.53"] # ERROR: transfer-without-server
  key       = secret.b
  key_name  = "A" # ERROR: key-name-twice
}

dns_peer "self" {
  addresses = ["192.168.1.1"] # ERROR: asks-itself
  key       = secret.b
}

dns_peer "weak" {
  addresses = ["192.168.1.54"]
  key       = secret.a
  algorithm = "hmac-md5" # ERROR: bad-value
}

dns_peer "open" { # ERROR: missing-argument
  addresses = ["192.168.1.55"]
}

dns_zone "lan" {
  domain      = "lan.example.org"
  secondaries = [dns_peer.a, dns_peer.b]
}

dns_zone "office" {
  domain      = "office.example"
  primaries   = [dns_peer.a]
  secondaries = [dns_peer.a]                  # ERROR: transfer-loop
  records     = ["x.office.example TXT \"x\""] # ERROR: secondary-with-contents

  dnssec {} # ERROR: secondary-with-contents
}

dns_catalog "one" {
  domain      = "catalog.invalid"
  zones       = [dns_zone.lan]
  secondaries = [dns_peer.a]
}

dns_catalog "two" {
  domain      = "Catalog.invalid" # ERROR: zone-clash
  zones       = [dns_zone.lan]    # ERROR: zone-on-two-lists
  secondaries = [dns_peer.a]
}

dns_catalog "three" {
  domain      = "office.example" # ERROR: zone-clash
  zones       = [dns_zone.lan]   # ERROR: catalog-of-two
  primaries   = [dns_peer.a]
}

dns_catalog "four" { # ERROR: empty-catalog
  domain      = "four.invalid"
  secondaries = [dns_peer.a]
}
