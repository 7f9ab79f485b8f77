# What nbr does not run, by name, and groups of addresses.
router "groups" {
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
  subnet = 0
}

network "things" {
  link = port.lan2
  ipv4 = "192.168.2.1/24"
}

network "guest" {
  link = port.lan3
  ipv4 = "192.168.3.1/24"
}

zone "wan" {
  networks = [network.wan]
}

# A web server that a module of the user brings, and names of services that need no block.
zone "lan" {
  networks = [network.lan]
  allow    = ["homeassistant", "https", "openvpn", "media"]
}

zone "things" {
  networks = [network.things]
  allow    = ["homeassistant", "imaps"]
}

zone "guest" {
  networks = [network.guest]
}

service "homeassistant" {
  ports = ["tcp/8123"]
}

service "media" {
  for_each = { media = "8000-8010", video = "9000" }
  ports    = ["tcp/${each.value}", "udp/${each.value}"]
}

service "tunnels" {
  ports = ["gre", "icmp/13", "icmpv6/128", "sctp/36412"]
}

policy "things" {
  from     = [zone.lan]
  to       = [zone.things]
  action   = "accept"
  services = ["homeassistant", "tunnels", "ping", "ssh", "http", "video"]
}

policy "internet" {
  from       = [zone.lan]
  to         = [zone.wan]
  action     = "accept"
  services   = ["https", "dns", "ping"]
  masquerade = true
}

host "desk" {
  network = network.lan
  mac     = "02:11:22:33:44:55"
  ipv4    = "192.168.1.20"
  ipv6    = "::20"
}

host "lamp" {
  network = network.things
  ipv4    = "192.168.2.20"
}

# Those who may administer things, from inside and from the office.
address_set "admins" {
  hosts     = [host.desk]
  addresses = ["192.168.1.64/28", "203.0.113.5", "203.0.113.8-203.0.113.15", "2001:db8:5::/64"]
}

address_set "inside" {
  networks = [network.lan, network.things]
}

address_set "lamps" {
  hosts     = [host.lamp]
  addresses = ["192.168.2.32/27"]
}

address_set "unwanted" {
  files = ["lists/unwanted.txt"]
}

address_set "bogons" {
  files = ["lists/bogons.txt"]
}

address_set "office" {
  for_each  = { berlin = "198.51.100.0/25", wien = "198.51.100.128/25" }
  addresses = [each.value]
}

policy "unwanted" {
  from   = [zone.wan]
  to     = [address_set.unwanted, zone.things]
  action = "drop"
  ports  = [25]
}

policy "lamps" {
  from     = [address_set.admins]
  to       = [address_set.lamps]
  action   = "accept"
  services = ["ssh"]
}

policy "not-there" {
  from   = [address_set.inside]
  to     = [address_set.unwanted, address_set.bogons]
  action = "reject"
}

port_forward "desk" {
  from    = zone.wan
  sources = [address_set.office, address_set.admins]
  port    = 8022
  to      = host.desk
  to_port = 22
}
