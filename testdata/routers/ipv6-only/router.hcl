# A house whose hosts have IPv6 alone, where they can live with it. What has IPv4 alone they reach
# by NAT64: by name through DNS64, by address through the prefix that advertisements tell. Old
# devices, which know nothing but IPv4, get leases beside them. docs/nat64.md is about it.

router "six" {
  board         = "bananapi-bpir4"
  memory        = "4GiB"
  state_version = "26.05"
  time_zone     = "Europe/Berlin"
}

# The provider gives one IPv4 address and delegates an IPv6 prefix.
network "wan" {
  link = port.wan
  ipv4 = "dhcp"
  ipv6 = "auto"
}

prefix "house" {
  network = network.wan
  length  = 56
}

bridge "br-lan" {
  ports = [port.lan1, port.lan2]
}

network "lan" {
  link   = bridge.br-lan
  ipv4   = "192.168.178.1/24"     # for hosts that cannot live without
  ipv6   = "fd5c:8a1e:7b40::1/64" # stays when the prefix changes
  prefix = prefix.house
  subnet = 0
  domain = "home.arpa"
}

# Guests have no IPv4 at all.
network "guests" {
  link   = port.lan3
  ipv6   = "fd5c:8a1e:7b40:1::1/64"
  prefix = prefix.house
  subnet = 1
}

# The translator is a link with a network of its own. Each IPv6 address that a host uses is
# translated to one of the 253 IPv4 ones, and all of these leave by the router's.
nat64 "nat64" {}

network "nat64" {
  link = nat64.nat64
  ipv4 = "192.168.255.1/24"
  ipv6 = "fd5c:8a1e:7b40:64::1/64"
}

# Both advertise the prefix of NAT64, for policies let their hosts get there.
router_advert "lan" {
  network = network.lan
}

router_advert "guests" {
  network = network.guests
}

# Telephones, computers and whatever else knows option 108 take no lease.
dhcp4 "lan" {
  network = network.lan
  pool    = ["192.168.178.100-192.168.178.199"]
  v6_only = "1h"
}

resolver {
  networks = [network.lan, network.guests]

  dns64 {}
}

zone "lan" {
  networks = [network.lan]
  allow    = ["ssh", "dns", "dhcp"]
}

zone "guests" {
  networks = [network.guests]
  allow    = ["dns"]
}

zone "nat64" {
  networks = [network.nat64]
}

# Nothing is allowed from outside.
zone "wan" {
  networks = [network.wan]
}

# Who may have packets translated, and to which ports. As IPv6 they are told apart by their hosts.
policy "lan-translated" {
  from   = [zone.lan]
  to     = [zone.nat64]
  action = "accept"
}

policy "guests-translated" {
  from     = [zone.guests]
  to       = [zone.nat64]
  services = ["http", "https"]
  action   = "accept"
}

# Where what is translated may go: to the Internet, and to nothing inside.
policy "nat64-internet" {
  from       = [zone.nat64]
  to         = [zone.wan]
  action     = "accept"
  masquerade = true
}

# IPv6 needs no translation. The IPv4 of old devices has the router's address, too.
policy "lan-internet" {
  from       = [zone.lan]
  to         = [zone.wan]
  action     = "accept"
  masquerade = true
}

policy "guests-internet" {
  from     = [zone.guests]
  to       = [zone.wan]
  services = ["http", "https"]
  action   = "accept"
}

ssh {
  networks = [network.lan]
}

user "root" {
  authorized_keys = ["ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIEbHw8WiDglSz3F98qaKqHuX3Zw9+D/kdO9wVQxdMwkl me@desk"]
}
