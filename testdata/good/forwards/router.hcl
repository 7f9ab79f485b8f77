# Port forwards and policies of every kind.

router "forwards" {
  board         = "bananapi-bpir4"
  memory        = "8GiB"
  state_version = "26.05"
  console_only  = true
}

network "wan" {
  link = port.wan
  ipv4 = "dhcp"
}

network "lan" {
  link = port.lan1
  ipv4 = "192.168.1.1/24"
}

network "dmz" {
  link = port.lan2
  ipv4 = "192.168.2.1/24"
}

zone "wan" {
  networks = [network.wan]
}

zone "lan" {
  networks = [network.lan]
  allow    = ["upnp"]
}

zone "dmz" {
  networks = [network.dmz]
}

port_forward "web" {
  from = zone.wan
  port = 443
  to   = "192.168.2.10"
}

port_forward "ssh" {
  from    = zone.wan
  port    = 2222
  to      = "192.168.2.10"
  to_port = 22
}

port_forward "games" {
  for_each = { tcp = "27015-27030", udp = "27000-27031" }
  from     = zone.wan
  protocol = each.key
  port     = each.value
  to       = "192.168.1.20"
}

policy "no-mail" {
  from      = [zone.lan]
  to        = [zone.wan]
  action    = "reject"
  protocols = ["tcp"]
  ports     = [25]
  log       = true
}

policy "internet" {
  from       = [zone.lan, zone.dmz]
  to         = [zone.wan]
  action     = "accept"
  masquerade = true
}

policy "to-dmz" {
  from      = [zone.lan]
  to        = [zone.dmz]
  action    = "accept"
  protocols = ["tcp", "udp"]
  ports     = [22, 443, "8000-8080"]
}

policy "ping-dmz" {
  from      = [zone.lan]
  to        = [zone.dmz]
  action    = "accept"
  protocols = ["icmp"]
}

firewall {
  flow_offload = true
}

# The modem in front is a router, too, and leads everything here. Games of the lan may have ports
# that no forward has.
upnp {
  external   = network.wan
  networks   = [network.lan]
  ports      = [88, "3074-3075", "10000-65535"]
  behind_nat = true
  http_port  = 49152
}
