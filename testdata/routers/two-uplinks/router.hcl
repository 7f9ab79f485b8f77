# A house with a fibre line, and an LTE router that takes over while the line does not work.
# docs/uplinks.md is about it.

router "gate" {
  board         = "bananapi-bpir4"
  memory        = "4GiB"
  state_version = "26.05"
  time_zone     = "Europe/Berlin"
}

# The fibre's modem gives an address, and a prefix for the house.
network "fibre" {
  link = port.wan
  ipv4 = "dhcp"
  ipv6 = "auto"
}

prefix "house" {
  network = network.fibre
  length  = 56
}

# The LTE router is a router of its own, with NAT. It gives no prefix.
network "lte" {
  link = port.lan3
  ipv4 = "dhcp"
}

bridge "br0" {
  ports = [port.lan1, port.lan2]
}

network "lan" {
  link   = bridge.br0
  ipv4   = "192.168.1.1/24"
  prefix = prefix.house
  subnet = 1
  domain = "home.arpa"
}

zone "lan" {
  networks = [network.lan]
  allow    = ["ssh", "dns", "dhcp", "ntp"]
}

zone "fibre" {
  networks = [network.fibre]
}

zone "lte" {
  networks = [network.lte]
}

# The NAS is backed up by the fibre, or not at all.
policy "no-backup-by-lte" {
  from     = [host.nas]
  to       = [zone.lte]
  services = ["ssh"]
  action   = "reject"
}

policy "out" {
  from       = [zone.lan]
  to         = [zone.fibre, zone.lte]
  action     = "accept"
  masquerade = true
}

# Two name servers of two operators: that one of them is gone is no failure of the line.
locals {
  probes = ["icmp:9.9.9.9", "dns:1.1.1.1"]
}

uplink "fibre" {
  network  = network.fibre
  priority = 1
  probes   = concat(local.probes, ["icmp:2620:fe::fe", "dns:2606:4700:4700::1111"])
}

# It is paid by volume, so it is asked less often. It has five minutes to be found broken.
uplink "lte" {
  network  = network.lte
  priority = 2
  probes   = local.probes
  interval = "100s"
}

host "nas" {
  network = network.lan
  mac     = "00:00:5e:00:53:10"
  ipv4    = "192.168.1.10"
}

dhcp4 "lan" {
  network = network.lan
  pool    = ["192.168.1.100-192.168.1.199"]
}

router_advert "lan" {
  network = network.lan
}

resolver {
  networks = [network.lan]
  forward  = ["9.9.9.9#dns.quad9.net", "1.1.1.1#cloudflare-dns.com"]
}

time {
  networks = [network.lan]
}

ssh {
  networks = [network.lan]
}

user "root" {
  authorized_keys = ["ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIEbHw8WiDglSz3F98qaKqHuX3Zw9+D/kdO9wVQxdMwkl me@desk"]
}
