# A trunk of both SFP+ cages to a switch, with a VLAN for each network; two ports of which one
# may fail, in a bridge with a third and a VXLAN; and an address that no cable takes away.

router "core" {
  board         = "bananapi-bpir4"
  memory        = "8GiB"
  state_version = "26.05"
}

bond "trunk" {
  alias         = "to the switch in the cellar"
  ports         = [port.end1, port.end2]
  mode          = "802.3ad"
  lacp_rate     = "fast"
  transmit_hash = "layer3+4"
  min_links     = 1
}

locals {
  vlans = { staff = 10, guests = 20 }
}

vlan "v" {
  alias    = "cameras"
  for_each = local.vlans
  link     = bond.trunk
  id       = each.value
}

network "v" {
  for_each = local.vlans
  link     = vlan.v[each.key]
  ipv4     = "${cidrhost(cidrsubnet("10.0.0.0/8", 16, each.value), 1)}/24"
}

zone "v" {
  for_each = local.vlans
  networks = [network.v[each.key]]
  allow    = ["dns", "dhcp"]
}

dhcp4 "v" {
  for_each = local.vlans
  network  = network.v[each.key]
  pool     = ["${cidrhost(network.v[each.key].ipv4, 100)}-${cidrhost(network.v[each.key].ipv4, 199)}"]
}

bond "pair" {
  ports = [port.lan1, port.lan2]
  mode  = "active-backup"
}

# The same network in another building.
vxlan "vx42" {
  alias   = "rack"
  id      = 42
  network = network.v["staff"]
  remote  = "10.10.0.2"
}

bridge "br-lan" {
  ports = [bond.pair, port.lan3, vxlan.vx42, veth.lab1]
}

# A second address of the router for the lan's hosts, with a firewall of its own before it.
veth "lab0" {
  alias = "to the switch inside"
  peer  = veth.lab1
  mac   = "02:00:00:00:00:0e"
  mtu   = 1450
}

veth "lab1" {
  peer = veth.lab0
}

network "lab" {
  link = veth.lab0
  ipv4 = "192.168.2.1/24"
}

zone "lab" {
  networks = [network.lab]
}

network "lan" {
  link = bridge.br-lan
  ipv4 = "192.168.1.1/24"
}

# For those who ask the router whatever network they are in.
dummy "own" {
  alias = "for services"
}

network "own" {
  link = dummy.own
  ipv4 = "192.168.255.1/32"
}

zone "lan" {
  networks = [network.lan, network.own]
  allow    = ["ssh", "dns"]
}

network "wan" {
  link = port.wan
  ipv4 = "dhcp"
}

zone "wan" {
  networks = [network.wan]
}

policy "internet" {
  from       = [zone.v, zone.lan]
  to         = [zone.wan]
  action     = "accept"
  masquerade = true
}

resolver {
  networks = [network.v, network.lan, network.own]
}

ssh {
  networks = [network.lan]
}

user "root" {
  authorized_keys = ["ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIEbHw8WiDglSz3F98qaKqHuX3Zw9+D/kdO9wVQxdMwkl me@desk"]
}
