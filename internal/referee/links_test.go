package referee_test

// linkKindsFile is where a guest has the settings of linkKinds.
const linkKindsFile = "/links/kinds"

// linkKinds is a router with links of the kinds that the kernel of this machine may not have: on
// each other, and as ports.
const linkKinds = `
bond "bond0" {
  ports         = [port.end1, port.end2]
  mode          = "802.3ad"
  lacp_rate     = "fast"
  transmit_hash = "layer3+4"
  min_links     = 2
  mac           = "02:00:00:00:00:0b"
  mtu           = 1400
}
vlan "storage" {
  link = bond.bond0
  id   = 20
}
network "storage" {
  link = vlan.storage
  ipv4 = "192.0.2.1/24"
}
bond "spare" {
  ports = [port.lan1, port.lan2]
  mode  = "active-backup"
}
dummy "d0" {}
vxlan "vx1" {
  id      = 1
  network = network.storage
  remote  = "192.0.2.2"
}
bridge "br0" {
  ports = [bond.spare, dummy.d0, port.lan3, vxlan.vx1, veth.v1]
}
veth "v0" {
  peer = veth.v1
  mac  = "02:00:00:00:00:0e"
}
veth "v1" {
  peer = veth.v0
}
vxlan "vx2" {
  id      = 2
  network = network.service
  group   = "ff05::1"
  port    = 8472
}
vlan "guests" {
  link = bridge.br0
  id   = 30
  mtu  = 1300
}
vlan "outer" {
  link     = dummy.d3
  id       = 100
  protocol = "802.1ad"
  mac      = "02:00:00:00:00:ad"
}
vlan "inner" {
  link = vlan.outer
  id   = 100
}
dummy "d3" {}
dummy "d1" {}
dummy "d2" {}
bridge "sw0" {
  pvid = 1
  vlans "hosts" {
    ports    = [port.wan]
    untagged = [10, 11]
    pvid     = 11
  }
  vlans "trunk" {
    ports    = [dummy.d1]
    untagged = [1]
    tagged   = [10, 11, "20-49"]
  }
  vlans "switch" {
    ports  = [dummy.d2]
    tagged = [1, "4090-4094"]
  }
}
vlan "sw10" {
  link = bridge.sw0
  id   = 10
}
vlan "sw11" {
  link = bridge.sw0
  id   = 11
}
network "switch" {
  link = bridge.sw0
  ipv4 = "198.51.100.65/27"
}
gre "gre1" {
  network = network.storage
  remote  = "192.0.2.7"
}
sit "sit1" {
  network = network.storage
  remote  = "192.0.2.7"
}
ip6tnl "tnl1" {
  network = network.service
  remote  = "2001:db8::7"
  mode    = "ipip6"
}
ip6tnl "tnl2" {
  network = network.service
  remote  = "2001:db8::8"
  mtu     = 1400
}
network "gre" {
  link = gre.gre1
  ipv4 = "198.51.100.97/30"
  ipv6 = "2001:db8:97::1/64"
}
network "sit" {
  link = sit.sit1
  ipv6 = "2001:db8:98::1/64"
}
vlan "later" {
  link = dummy.d3
  id   = 200
}
network "later" {
  link = vlan.later
  ipv4 = "dhcp"
  ipv6 = "auto"
}
gre "gre2" {
  network = network.later
  remote  = "203.0.113.77"
}
sit "sit2" {
  network = network.later
  remote  = "203.0.113.77"
}
ip6tnl "tnl3" {
  network = network.later
  remote  = "2001:db8:77::1"
}
dummy "service0" {
  mac = "02:00:00:00:00:0d"
  mtu = 9000
}
network "service" {
  link = dummy.service0
  ipv4 = "198.51.100.1/32"
  ipv6 = "2001:db8::1/128"
}
network "gre2" {
  link = gre.gre2
  ipv4 = "198.51.100.101/30"
}
network "sit2" {
  link = sit.sit2
  ipv6 = "2001:db8:99::1/64"
}
network "tnl3" {
  link = ip6tnl.tnl3
  ipv6 = "2001:db8:9a::1/64"
}
zone "outside" {
  networks = [network.later, network.gre2, network.sit2, network.tnl3]
}
zone "inside" {
  networks = [network.storage, network.service, network.switch, network.gre, network.sit]
}
`
