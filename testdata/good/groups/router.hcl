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

network "lan" {
  link = port.lan1
  ipv4 = "192.168.1.1/24"
  ipv6 = "fd00:1::1/64"
}

network "things" {
  link = port.lan2
  ipv4 = "192.168.2.1/24"
}

zone "wan" {
  networks = [network.wan]
}

# A web server that a module of the user brings, and names of services that need no block.
zone "lan" {
  networks = [network.lan]
  allow    = ["homeassistant", "https", "ipsec", "media"]
}

zone "things" {
  networks = [network.things]
  allow    = ["homeassistant", "mqtt"]
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
