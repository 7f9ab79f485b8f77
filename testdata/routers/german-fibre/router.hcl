# A German fibre line: the provider's session is PPPoE in VLAN 7, and with each session, once a
# day at most, come another IPv4 address and another IPv6 prefix. Nothing here names either.
# docs/pppoe.md is about it.

router "fibre" {
  board         = "bananapi-bpir4"
  memory        = "4GiB"
  state_version = "26.05"
  time_zone     = "Europe/Berlin"
}

# The fibre modem is at the port wan. It carries the Internet in VLAN 7 of it.
vlan "internet" {
  link = port.wan
  id   = 7
}

# The password and nothing else, on one line: umask 077; cat >/var/lib/secrets/dsl
secret "dsl" {
  path = "/var/lib/secrets/dsl"
}

# The session is a link of its own, ppp0, which is there while it lasts.
pppoe "ppp0" {
  link     = vlan.internet
  user     = "0012345678905501234567890001@t-online.de"
  password = secret.dsl
}

network "wan" {
  link = pppoe.ppp0
  ipv4 = "ppp"  # the session gives it, and the default route
  ipv6 = "auto" # the provider's advertisements do
}

# The prefix of the house, of which each network has 64 bits. Hosts, firewall and router follow
# when it is another one.
prefix "house" {
  network = network.wan
  length  = 56
}

bridge "br-lan" {
  ports = [port.lan1, port.lan2, port.lan3]
}

network "lan" {
  link   = bridge.br-lan
  ipv4   = "192.168.178.1/24"
  ipv6   = "fd5c:8a1e:7b40::1/64" # stays when the line is down or the prefix changes
  prefix = prefix.house
  subnet = 0
  domain = "home.arpa"
}

# Packets from hosts of the house do not fit into the session by 8 bytes. TCP is told (the
# firewall does it); UDP of IPv6 learns it from here.
router_advert "lan" {
  network = network.lan
  dns     = ["fd5c:8a1e:7b40::1"]
  mtu     = 1492
}

dhcp4 "lan" {
  network = network.lan
  pool    = ["192.168.178.100-192.168.178.199"]
}

resolver {
  networks = [network.lan]
}

zone "lan" {
  networks = [network.lan]
  allow    = ["ssh", "dns", "dhcp"]
}

# Nothing is allowed from outside.
zone "wan" {
  networks = [network.wan]
}

policy "internet" {
  from       = [zone.lan]
  to         = [zone.wan]
  action     = "accept"
  masquerade = true # of IPv4; of IPv6 the house has addresses enough
}

ssh {
  networks = [network.lan]
}

user "root" {
  authorized_keys = ["ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIEbHw8WiDglSz3F98qaKqHuX3Zw9+D/kdO9wVQxdMwkl me@desk"]
}
