# Two tunnels, with a link and secrets to spare.

router "r" {
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

zone "wan" {
  networks = [network.wan]
}

zone "lan" {
  networks = [network.lan]
}

secret "psk" {
  path = "/var/lib/secrets/psk"
}

secret "key" {
  path = "/var/lib/secrets/key"
}

secret "spare" {
  source = "sops"
  file   = "secrets.yaml"
}

xfrm "ipsec0" {
  if_id   = 10
  network = network.wan
}

xfrm "ipsec1" {
  if_id   = 11
  network = network.wan
}

xfrm "spare" {
  if_id   = 12
  network = network.wan
}

ipsec "berlin" {
  link           = xfrm.ipsec0
  remote         = "203.0.113.1"
  local_id       = "hamburg.example.org"
  remote_id      = "berlin.example.org"
  psk            = secret.psk
  local_subnets  = ["192.168.20.0/24"]
  remote_subnets = ["192.168.10.0/24"]
  ike_proposals  = ["aes256-sha256-modp2048"]
  esp_proposals  = ["aes256-sha256-modp2048"]
  initiate       = true
}

ipsec "munich" {
  link           = xfrm.ipsec1
  remote         = "203.0.113.9"
  local_id       = "hamburg.example.org"
  remote_id      = "munich.example.org"
  certificate    = "/var/lib/ipsec/hamburg.pem"
  key            = secret.key
  ca             = "/var/lib/ipsec/ca.pem"
  local_subnets  = ["192.168.20.0/24"]
  remote_subnets = ["192.168.30.0/24"]
}
