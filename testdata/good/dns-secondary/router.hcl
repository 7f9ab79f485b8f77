# A router with zones of another server: one by its name, all others by a catalog.

router "branch" {
  board         = "bananapi-bpir4"
  memory        = "4GiB"
  state_version = "26.05"
  console_only  = true
}

network "wan" {
  link    = port.wan
  ipv4    = "203.0.113.3/24"
  gateway = "203.0.113.1"
}

network "lan" {
  link = port.lan1
  ipv4 = "192.168.2.1/24"
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

secret "gate" {
  path = "/var/lib/secrets/gate"
}

dns_server {
  networks = [network.wan]
}

dns_peer "gate" {
  addresses = ["203.0.113.2"]
  key       = secret.gate
  key_name  = "gate-branch"
  algorithm = "hmac-sha512"
}

dns_zone "home" {
  domain    = "home.arpa"
  primaries = [dns_peer.gate]
}

dns_catalog "fleet" {
  domain    = "catalog.invalid"
  primaries = [dns_peer.gate]
  public    = true
}
