# Policies for one version of IP, with limits, and with addresses and a prefix that the provider
# routes to the router beside its own, and at certain times alone.
router "edge" {
  board         = "bananapi-bpir4"
  memory        = "4GiB"
  state_version = "26.05"
  time_zone     = "Europe/Berlin"
  console_only  = true
  name_servers  = ["9.9.9.9", "2620:fe::fe"]
}

network "lan" {
  link = port.lan1
  ipv4 = "192.168.1.1/24"
  ipv6 = "2001:db8:1::1/64"
}

network "servers" {
  link = port.lan2
  ipv4 = "192.168.2.1/24"
  ipv6 = "2001:db8:2::1/64"
}

network "things" {
  link = port.lan3
  ipv6 = "fd12:3456:789a:3::1/64"
}

network "wan" {
  link     = port.wan
  ipv4     = "198.51.100.2/30"
  ipv6     = "2001:db8:f::2/64"
  gateway  = "198.51.100.1"
  gateway6 = "2001:db8:f::1"
}

zone "lan" {
  networks = [network.lan]
}

zone "servers" {
  networks = [network.servers]
}

zone "things" {
  networks = [network.things]
}

zone "wan" {
  networks = [network.wan]
}

policy "mail" {
  from       = [zone.servers]
  to         = [zone.wan]
  action     = "accept"
  services   = ["smtp"]
  source_nat = "203.0.113.25" # the address that the DNS and the blocklists of others know
}

policy "internet" {
  from       = [zone.lan, zone.servers]
  to         = [zone.wan]
  action     = "accept"
  source_nat = "198.51.100.2"
}

policy "shell" {
  from     = [zone.wan]
  to       = [zone.servers]
  action   = "accept"
  family   = "ipv6"
  services = ["ssh"]
  limit    = "30/minute"
  log      = true
}

schedule "night" {
  from = "22:00"
  to   = "06:00"
}

schedule "weekend" {
  days = ["sat", "sun"]
  from = "00:00"
  to   = "24:00"
}

policy "backup" {
  from     = [zone.servers]
  to       = [zone.lan]
  action   = "accept"
  schedule = schedule.night
}

policy "wiki" {
  from     = [zone.lan]
  to       = [zone.servers]
  action   = "reject"
  services = ["https"]
  schedule = schedule.weekend
}

host "web" {
  network = network.servers
  ipv4    = "192.168.2.80"
}

static_nat "web" {
  from    = zone.wan
  address = "203.0.113.80"
  to      = host.web
}

policy "web" {
  from     = [zone.wan]
  to       = [host.web]
  action   = "accept"
  services = ["https"]
}

prefix_nat "wan" {
  network  = network.wan
  internal = "fd12:3456:789a:3::/64"
  external = "2001:db8:3:3::/64"
}

policy "things" {
  from   = [zone.things]
  to     = [zone.wan]
  action = "accept"
}

port_forward "copy" {
  from     = zone.wan
  port     = 2222
  to       = host.web
  to_port  = 22
  schedule = schedule.night
}
