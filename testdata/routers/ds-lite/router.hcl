# A cable line with DS-Lite (RFC 6333): the provider has IPv6 alone, and IPv4 goes in a tunnel of
# IPv6 to a router of the provider's, the AFTR, which has one IPv4 address for many customers.
# docs/ds-lite.md is about it.

router "cable" {
  board         = "bananapi-bpir4"
  memory        = "4GiB"
  state_version = "26.05"
  time_zone     = "Europe/Berlin"
}

# The cable modem, as a bridge, is at the port wan.
network "wan" {
  link = port.wan
  ipv6 = "auto"
}

prefix "house" {
  network = network.wan
  length  = 59
}

# The tunnel ends at the AFTR. Which address that is, the provider tells, or
# dig AAAA of the name in its DHCPv6 option 64.
ip6tnl "dslite" {
  network = network.wan
  remote  = "2001:db8:c001::1"
  mode    = "ipip6"
}

# The two ends of every DS-Lite tunnel have these addresses (RFC 6333 section 5.7).
network "dslite" {
  link    = ip6tnl.dslite
  ipv4    = "192.0.0.2/29"
  gateway = "192.0.0.1"
}

bridge "br-lan" {
  ports = [port.lan1, port.lan2, port.lan3]
}

network "lan" {
  link   = bridge.br-lan
  ipv4   = "192.168.1.1/24"
  prefix = prefix.house
  subnet = 1
  domain = "home.arpa"
}

zone "lan" {
  networks = [network.lan]
  allow    = ["ssh", "dns", "dhcp"]
}

zone "internet" {
  networks = [network.wan, network.dslite]
}

# No masquerade: it is the AFTR that translates, for it knows customers by their tunnels
# (RFC 6333 section 4.2).
policy "out" {
  from   = [zone.lan]
  to     = [zone.internet]
  action = "accept"
}

router_advert "lan" {
  network = network.lan
}

dhcp4 "lan" {
  network = network.lan
  pool    = ["192.168.1.100-192.168.1.199"]
}

# Names are asked for over IPv6 (RFC 6333 section 5.5): through the tunnel each question would be
# a connection for the AFTR to remember.
resolver {
  networks = [network.lan]
  forward  = ["2620:fe::fe#dns.quad9.net", "2620:fe::9#dns.quad9.net"]
}

ssh {
  networks = [network.lan]
}

user "root" {
  authorized_keys = ["ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIEbHw8WiDglSz3F98qaKqHuX3Zw9+D/kdO9wVQxdMwkl me@desk"]
}
