# Ways to other sites. Tunnels without encryption: to an office by GRE, to a broker of IPv6 (6in4),
# to a provider's AFTR (DS-Lite), and both versions of IP in IPv6 to a lab; and a VLAN of a provider
# with one of our own in it.

router "hub" {
  board         = "bananapi-bpir4"
  memory        = "8GiB"
  state_version = "26.05"
  name_servers  = ["9.9.9.9"]
  console_only  = true
}

network "wan" {
  link     = port.wan
  ipv4     = "198.51.100.2/24"
  ipv6     = "2001:db8:f::2/64"
  gateway  = "198.51.100.1"
  gateway6 = "2001:db8:f::1"
}

gre "office" {
  alias   = "branch"
  network = network.wan
  remote  = "203.0.113.9"
  mtu     = 1400
}

network "office" {
  link = gre.office
  ipv4 = "10.99.0.1/30"
  ipv6 = "fd00:99::1/64"
}

route "office" {
  to  = "10.98.0.0/16"
  via = "10.99.0.2"
}

sit "he0" {
  alias   = "IPv6 of a broker"
  network = network.wan
  remote  = "203.0.113.10"
  mtu     = 1280
}

network "he" {
  link = sit.he0
  ipv6 = "2001:db8:e::2/64"
}

ip6tnl "dslite0" {
  alias   = "DS-Lite"
  network = network.wan
  remote  = "2001:db8:aaaa::1"
  mode    = "ipip6"
}

network "dslite" {
  link = ip6tnl.dslite0
  ipv4 = "192.0.0.2/29"
}

ip6tnl "lab0" {
  network = network.wan
  remote  = "2001:db8:bbbb::1"
  mtu     = 1400
}

network "lab" {
  link = ip6tnl.lab0
  ipv6 = "fd00:97::1/64"
  ipv4 = "10.97.0.1/30"
}

# Two tags: the provider's and the customer's.
vlan "s100" {
  link     = port.end1
  id       = 100
  protocol = "802.1ad"
  mac      = "02:00:00:00:00:64"
}

vlan "c7" {
  link = vlan.s100
  id   = 7
}

network "site" {
  link = vlan.c7
  ipv4 = "10.96.0.1/24"
}

zone "wan" {
  networks = [network.wan]
}

zone "sites" {
  networks = [network.office, network.he, network.dslite, network.lab, network.site]
}
