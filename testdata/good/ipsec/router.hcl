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
  gateway = "198.51.100.53"
}

network "lan" {
  link = port.lan1
  ipv4 = "192.168.20.1/24"
}

secret "berlin" {
  path = "/var/lib/secrets/berlin"
}

xfrm "ipsec0" {
  if_id   = 10
  network = network.wan
}

ipsec "berlin" {
  link           = xfrm.ipsec0
  remote         = "198.51.100.1"
  local_id       = "hamburg.example.org"
  remote_id      = "berlin.example.org"
  psk            = secret.berlin
  local_subnets  = ["192.168.20.0/24", "10.255.0.2/32"]
  remote_subnets = ["192.168.10.0/24", "10.255.0.1/32"]
}

network "berlin" {
  link = xfrm.ipsec0
  ipv4 = "10.255.0.2/30"
}

zone "wan" {
  networks = [network.wan]
}

zone "lan" {
  networks = [network.lan]
}

zone "berlin" {
  networks = [network.berlin]
}

policy "sites" {
  from   = [zone.lan, zone.berlin]
  to     = [zone.berlin, zone.lan]
  action = "accept"
}
