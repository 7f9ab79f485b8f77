# Thirty VLANs on one port, each with a network, a zone, a DHCP server and an
# answer to DNS questions. docs/thirty-vlans.md is about it.

router "campus" {
  board         = "bananapi-bpir4"
  memory        = "8GiB"
  state_version = "26.05"
}

locals {
  vlans = { for n in range(10, 40) : "vlan${n}" => n }
}

vlan "v" {
  for_each = local.vlans
  link     = port.lan1
  id       = each.value
}

network "v" {
  for_each = local.vlans
  link     = vlan.v[each.key]
  ipv4     = "${cidrhost(cidrsubnet("10.0.0.0/8", 16, each.value), 1)}/24"
  ipv6     = "${cidrhost(cidrsubnet("fd5a:1c3b:77e0::/48", 16, each.value), 1)}/64"
  domain   = "${each.key}.campus.example"
}

zone "v" {
  for_each = local.vlans
  networks = [network.v[each.key]]
  allow    = each.key == "vlan10" ? ["ssh", "dns", "dhcp"] : ["dns", "dhcp"]
}

dhcp4 "v" {
  for_each = local.vlans
  network  = network.v[each.key]
  pool     = ["${cidrhost(network.v[each.key].ipv4, 100)}-${cidrhost(network.v[each.key].ipv4, 199)}"]
  lease    = each.value < 20 ? "12h" : "30m"
}

resolver {
  networks = [network.v]
}

network "wan" {
  link = port.wan
  ipv4 = "dhcp"
  ipv6 = "auto"
}

zone "wan" {
  networks = [network.wan]
}

policy "internet" {
  from       = [zone.v]
  to         = [zone.wan]
  action     = "accept"
  masquerade = true
}

ssh {
  networks = [network.v["vlan10"]]
}

user "root" {
  authorized_keys = ["ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIEbHw8WiDglSz3F98qaKqHuX3Zw9+D/kdO9wVQxdMwkl me@desk"]
}
