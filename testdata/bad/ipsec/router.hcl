# Tunnels of IPsec without an end, without proof of who is there, twice, or for nothing.

router "hamburg" {
  board         = "bananapi-bpir4"
  memory        = "4GiB"
  state_version = "26.05"
  console_only  = true
  name_servers  = ["9.9.9.9"]
}

network "wan" {
  link    = port.wan
  ipv4    = "198.51.100.2/24"
  gateway = "198.51.100.1"
}

network "lan" {
  link = port.lan1
  ipv4 = "192.168.20.1/24"
}

network "sites" {
  link = xfrm.ipsec0
  ipv4 = "10.255.0.2/24"
}

network "others" {
  link = xfrm.ipsec1
  ipv4 = "10.255.1.2/24"
}

network "road" {
  link = xfrm.ipsec2
  ipv4 = "10.255.2.2/24"
}

zone "wan" {
  networks = [network.wan]
}

zone "inside" {
  networks = [network.lan, network.sites, network.others, network.road]
}

secret "berlin" {
  path = "/var/lib/secrets/berlin"
}

secret "road" {
  path = "/var/lib/secrets/road"
}

xfrm "ipsec0" {
  if_id   = 10
  network = network.wan
}

xfrm "ipsec1" {
  if_id   = 10 # ERROR: xfrm-twice
  network = network.wan
  mtu     = 1440 # WARNING: ipsec-mtu
}

xfrm "ipsec2" {
  if_id   = 12
  network = network.wan
}

xfrm "spare" { # WARNING: xfrm-without-ipsec
  if_id   = 13
  network = network.wan
}

network "spare" {
  link = xfrm.spare
  ipv4 = "10.255.3.2/24"
}

zone "spare" {
  networks = [network.spare]
}

ipsec "berlin" {
  link           = xfrm.ipsec0
  remote         = "192.168.20.9" # ERROR: ipsec-end
  local_id       = "hamburg.example.org"
  remote_id      = "berlin.example.org"
  psk            = secret.berlin
  local_subnets  = ["192.168.20.0/24", "fd00:20::/64"] # ERROR: ipsec-subnets
  remote_subnets = ["192.168.10.0/24"]
}

ipsec "munich" { # ERROR: ipsec-authentication
  link           = xfrm.ipsec1
  remote         = "203.0.113.2"
  local_id       = "hamburg.example.org"
  remote_id      = "munich.example.org"
  local_subnets  = ["192.168.20.0/24"]
  remote_subnets = ["192.168.11.0/24"]
}

ipsec "kiel" {
  link           = xfrm.ipsec1 # ERROR: ipsec-twice
  remote         = "203.0.113.3"
  local_id       = "hamburg.example.org"
  remote_id      = "kiel.example.org"
  certificate    = "/var/lib/ipsec/hamburg.pem"
  key            = secret.own
  ca             = "/var/lib/ipsec/ca.pem"
  local_subnets  = ["192.168.20.0/24"]
  remote_subnets = ["192.168.12.0/24"]
}

secret "own" {
  path = "/var/lib/secrets/own"
}

ipsec "bonn" {
  link           = port.lan1 # ERROR: ipsec-link
  remote         = "203.0.113.4"
  local_id       = "hamburg.example.org"
  remote_id      = "bonn.example.org"
  psk            = secret.bonn
  local_subnets  = ["192.168.20.0/24"]
  remote_subnets = ["192.168.13.0/24"]
}

secret "bonn" {
  path = "/var/lib/secrets/bonn"
}

ipsec "road" { # WARNING: ipsec-silent
  link           = xfrm.ipsec2
  local_id       = "hamburg.example.org"
  remote_id      = "van@example.org"
  psk            = secret.road
  local_subnets  = ["192.168.20.0/24"]
  remote_subnets = ["10.77.0.0/24"]
}
