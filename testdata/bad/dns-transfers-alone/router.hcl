# A zone that cannot be fetched, one that does not know a host, and a list that no server reads.
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

host "nas" { # WARNING: secondary-without-host
  network = network.office
  ipv4    = "10.0.0.10"
}

zone "lan" {
  networks = [network.lan, network.office]
}

secret "a" {
  path = "/var/lib/secrets/a"
}

dns_peer "a" {
  addresses = ["192.168.1.53"]
  key       = secret.a
}

dns_zone "lan" {
  domain      = "lan.example.org"
  secondaries = [dns_peer.a] # ERROR: transfer-without-server
}

dns_zone "office" {
  domain    = "office.example"
  primaries = [dns_peer.a]
}

dns_catalog "unread" { # WARNING: catalog-unread
  domain = "catalog.invalid"
  zones  = [dns_zone.lan]
}
