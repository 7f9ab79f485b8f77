# Lines of a provider where no session can be, or where it would end another one.

router "r" {
  board         = "bananapi-bpir4"
  memory        = "4GiB"
  state_version = "26.05"
  console_only  = true
  name_servers  = ["9.9.9.9"]
}

secret "a" {
  path = "/var/lib/secrets/a"
}

secret "b" {
  path = "/var/lib/secrets/b"
}

secret "c" {
  path = "/var/lib/secrets/c"
}

secret "d" {
  path = "/var/lib/secrets/d"
}

secret "wg" {
  path = "/var/lib/secrets/wg"
}

bridge "br0" {
  ports = [port.lan1, port.lan2]
}

network "lan" {
  link = bridge.br0
  ipv4 = "192.168.1.1/24"
}

# Frames of 1508 bytes do not fit.
vlan "internet" {
  link = port.wan
  id   = 7
}

pppoe "ppp0" {
  link     = vlan.internet
  user     = "anna"
  password = secret.a
  mtu      = 1500 # ERROR: mtu-too-large
}

network "one" {
  link = pppoe.ppp0
  ipv4 = "ppp"
}

pppoe "ppp1" {
  link     = vlan.internet
  user     = "anna" # WARNING: pppoe-twice
  password = secret.b
}

network "two" {
  link = pppoe.ppp1
  ipv4 = "ppp" # ERROR: two-gateways
}

pppoe "ppp2" {
  link     = port.lan1 # ERROR: address-on-bridge-port
  user     = "bert"
  password = secret.c
}

network "three" {
  link = pppoe.ppp2
  ipv6 = "auto"
}

wireguard "wg0" { # WARNING: tunnel-without-peers
  private_key = secret.wg
  listen      = 51820
}

network "vpn" {
  link = wireguard.wg0
  ipv4 = "10.8.0.1/24"
}

pppoe "ppp3" {
  link     = wireguard.wg0 # ERROR: not-a-port
  user     = "carl"
  password = secret.d
  mtu      = 1400
}

network "four" {
  link = pppoe.ppp3
  ipv6 = "auto"
}

zone "lan" {
  networks = [network.lan, network.vpn]
}

zone "wan" {
  networks = [network.one, network.two, network.three, network.four]
}
