# Zones and catalogs of several servers.
router "r" {
  board         = "bananapi-bpir4"
  memory        = "4GiB"
  state_version = "26.05"
  console_only  = true
}

network "dmz" {
  link = port.lan1
  ipv4 = "192.0.2.1/24"
}

zone "dmz" {
  networks = [network.dmz]
  allow    = ["dns-zones"]
}

secret "a" {
  path = "/var/lib/secrets/a"
}

secret "b" {
  path = "/var/lib/secrets/b"
}

dns_server {
  networks = [network.dmz]
}

dns_peer "a" {
  addresses = ["192.0.2.53"]
  key       = secret.a
  key_name  = "key-a"
  algorithm = "hmac-sha256"
}

dns_peer "b" {
  addresses = ["192.0.2.54"]
  key       = secret.b
  key_name  = "key-b"
  algorithm = "hmac-sha512"
}

dns_peer "c" {
  addresses = ["192.0.2.55"]
  key       = secret.b
}

dns_zone "one" {
  domain       = "one.example"
  name_servers = ["ns.example.net"]
  secondaries  = [dns_peer.c]
}

dns_zone "two" {
  domain       = "two.example"
  name_servers = ["ns.example.net"]
  secondaries  = [dns_peer.b]
}

dns_zone "three" {
  domain    = "three.example"
  primaries = [dns_peer.a]
}

dns_zone "four" {
  domain    = "four.example"
  primaries = [dns_peer.b]
}

dns_catalog "one" {
  domain      = "one.invalid"
  zones       = [dns_zone.one]
  secondaries = [dns_peer.a]
}

dns_catalog "two" {
  domain      = "two.invalid"
  zones       = [dns_zone.two]
  secondaries = [dns_peer.c]
}

dns_catalog "three" {
  domain    = "three.invalid"
  primaries = [dns_peer.b]
  public    = true
}

dns_catalog "four" {
  domain    = "four.invalid"
  primaries = [dns_peer.c]
}
