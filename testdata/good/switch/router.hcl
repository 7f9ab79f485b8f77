# The board's switch with VLANs, as a switch of its own would have them: hosts that know of no
# VLANs at two ports, another switch at the third, thirty VLANs on their way to it through an
# SFP+ cage, and a network of the router on the bridge itself.

router "campus" {
  board         = "bananapi-bpir4"
  memory        = "8GiB"
  state_version = "26.05"
}

locals {
  rooms = { for n in range(20, 50) : "room${n}" => n }
}

bridge "br0" {
  pvid = 1

  vlans "desks" {
    ports    = [port.lan1, port.lan2]
    untagged = [10]
  }

  vlans "old" {
    ports    = [port.lan3]
    untagged = [10, 11] # a switch that sends two groups of hosts without tags
    pvid     = 11
    tagged   = [1]
  }

  vlans "uplink" {
    ports    = [port.end1]
    untagged = [1]
    tagged   = [10, 11, "20-49"]
  }
}

network "management" {
  link = bridge.br0
  ipv4 = "10.0.1.1/24"
}

vlan "desks" {
  link = bridge.br0
  id   = 10
}

network "desks" {
  link = vlan.desks
  ipv4 = "10.0.10.1/24"
}

vlan "old" {
  link = bridge.br0
  id   = 11
}

network "old" {
  link = vlan.old
  ipv4 = "10.0.11.1/24"
}

vlan "room" {
  for_each = local.rooms
  link     = bridge.br0
  id       = each.value
}

network "room" {
  for_each = local.rooms
  link     = vlan.room[each.key]
  ipv4     = "10.0.${each.value}.1/24"
}

zone "management" {
  networks = [network.management]
  allow    = ["ssh"]
}

zone "users" {
  networks = [network.desks, network.old, network.room]
  allow    = ["dhcp", "dns"]
}

dhcp4 "desks" {
  network = network.desks
  pool    = ["10.0.10.100-10.0.10.199"]
}

resolver {
  networks = [network.desks, network.old, network.room]
}

ssh {
  networks = [network.management]
}

user "root" {
  authorized_keys = ["ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIEbHw8WiDglSz3F98qaKqHuX3Zw9+D/kdO9wVQxdMwkl me@desk"]
}
