# Hosts: what they are called, what they get, and what policies say of them.

router "hosts" {
  board         = "bananapi-bpir4"
  memory        = "8GiB"
  state_version = "26.05"
  console_only  = true
}

network "wan" {
  link = port.wan
  ipv4 = "dhcp"
  ipv6 = "auto"
}

prefix "isp" {
  network = network.wan
  length  = 56
}

network "lan" {
  link   = port.lan1
  ipv4   = "192.168.1.1/24"
  ipv6   = "fd00:1::1/64"
  prefix = prefix.isp
  subnet = 1
  domain = "home.arpa"
}

network "things" {
  link   = port.lan2
  ipv4   = "192.168.2.1/24"
  domain = "things.home.arpa"
}

# A server with fixed addresses, in the network's own prefix and in the delegated one.
host "nas" {
  network = network.lan
  mac     = "02:11:22:33:44:55"
  ipv4    = "192.168.1.10"
  ipv6    = "::10"
  aliases = ["files", "backup"]
}

# It configures its address itself.
host "printer" {
  network = network.things
  ipv4    = "192.168.2.9"
}

# It is known by its MAC address alone.
host "tv" {
  network = network.things
  mac     = "02:11:22:33:44:66"
}

host "camera" {
  for_each = { front = 1, back = 2 }
  network  = network.things
  mac      = "02:11:22:33:55:0${each.value}"
  ipv4     = "192.168.2.${20 + each.value}"
}

zone "wan" {
  networks = [network.wan]
}

zone "lan" {
  networks = [network.lan]
  allow    = ["dhcp", "dns"]
}

zone "things" {
  networks = [network.things]
  allow    = ["dhcp", "dns"]
}

dhcp4 "lan" {
  network = network.lan
  pool    = ["192.168.1.100-192.168.1.199"]
}

dhcp4 "things" {
  network = network.things
  pool    = ["192.168.2.100-192.168.2.199"]

  reservation "lamp" {
    mac  = "02:11:22:33:44:77"
    ipv4 = "192.168.2.30"
  }
}

resolver {
  networks = [network.lan, network.things]
}

port_forward "web" {
  from = zone.wan
  port = 443
  to   = host.nas
}

policy "cameras-record" {
  from      = [host.camera]
  to        = [host.nas]
  action    = "accept"
  protocols = ["tcp"]
  ports     = [554]
}

policy "tv-watches" {
  from       = [host.tv]
  to         = [zone.wan]
  action     = "accept"
  masquerade = true
}

policy "print" {
  from   = [zone.lan]
  to     = [host.printer]
  action = "accept"
}

policy "from-outside" {
  from      = [zone.wan]
  to        = [host.nas]
  action    = "accept"
  protocols = ["tcp"]
  ports     = [443]
}

policy "internet" {
  from       = [zone.lan]
  to         = [zone.wan]
  action     = "accept"
  masquerade = true
}
