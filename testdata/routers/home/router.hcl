# A home with three networks: people, guests, and things that answer the people who use them and
# talk to no other host. An access point at lan3 brings all three by Wi-Fi, each with an SSID of its own.
# docs/home.md is about it.

router "home" {
  board         = "bananapi-bpir4"
  memory        = "4GiB"
  state_version = "26.05"
  time_zone     = "Europe/Berlin"
}

network "wan" {
  link = port.wan
  ipv4 = "dhcp"
  ipv6 = "auto"
}

prefix "house" {
  network = network.wan
  length  = 56
}

# lan1 and lan2 are sockets in rooms. The access point gets the house without a tag, and the two
# others in VLANs.
bridge "br0" {
  pvid = 1

  vlans "rooms" {
    ports    = [port.lan1, port.lan2]
    untagged = [1]
  }

  vlans "access-point" {
    ports    = [port.lan3]
    untagged = [1]
    tagged   = [20, 30]
  }
}

vlan "guests" {
  link = bridge.br0
  id   = 20
}

vlan "things" {
  link = bridge.br0
  id   = 30
}

network "lan" {
  link   = bridge.br0
  ipv4   = "192.168.1.1/24"
  prefix = prefix.house
  subnet = 1
  domain = "home.arpa"
}

network "guests" {
  link   = vlan.guests
  ipv4   = "192.168.20.1/24"
  prefix = prefix.house
  subnet = 20
}

# Without IPv6: what is sold to be switched on and forgotten needs no address of the world.
network "things" {
  link   = vlan.things
  ipv4   = "192.168.30.1/24"
  domain = "things.home.arpa"
}

host "nas" {
  network = network.lan
  mac     = "00:00:5e:00:53:10"
  ipv4    = "192.168.1.10"
  ipv6    = "::10" # whatever the prefix is today
  aliases = ["files", "photos"]
}

host "printer" {
  network = network.things
  mac     = "00:00:5e:00:53:30"
  ipv4    = "192.168.30.10"
}

host "heating" {
  network = network.things
  mac     = "00:00:5e:00:53:31"
  ipv4    = "192.168.30.11"
}

zone "lan" {
  networks = [network.lan]
  allow    = ["ssh", "dns", "dhcp", "ntp"]
}

zone "guests" {
  networks = [network.guests]
  allow    = ["dns", "dhcp"]
}

zone "things" {
  networks = [network.things]
  allow    = ["dns", "dhcp", "ntp"]
}

zone "wan" {
  networks = [network.wan]
}

policy "out" {
  from       = [zone.lan, zone.guests]
  to         = [zone.wan]
  action     = "accept"
  masquerade = true
}

# People use things. Answers come back, and nothing else does.
policy "use" {
  from   = [zone.lan]
  to     = [zone.things]
  action = "accept"
}

# Of all things, the heating alone may ask its maker for the weather.
policy "weather" {
  from       = [host.heating]
  to         = [zone.wan]
  services   = ["https"]
  action     = "accept"
  masquerade = true
}

# Guests print.
policy "print" {
  from     = [zone.guests]
  to       = [host.printer]
  services = ["ipp"]
  action   = "accept"
}

# From outside, photos: by IPv4 through the router's address, by IPv6 at the address of the NAS
# itself, in whichever prefix.
port_forward "photos" {
  from     = zone.wan
  protocol = "tcp"
  port     = 443
  to       = host.nas
}

policy "photos" {
  from     = [zone.wan]
  to       = [host.nas]
  family   = "ipv6"
  services = ["https"]
  action   = "accept"
}

dhcp4 "lan" {
  network = network.lan
  pool    = ["192.168.1.100-192.168.1.199"]
}

dhcp4 "guests" {
  network = network.guests
  pool    = ["192.168.20.100-192.168.20.250"]
  lease   = "2h"
}

dhcp4 "things" {
  network = network.things
  pool    = ["192.168.30.100-192.168.30.199"]
}

router_advert "lan" {
  network = network.lan
}

router_advert "guests" {
  network = network.guests
}

resolver {
  networks = [network.lan, network.guests, network.things]
  forward  = ["9.9.9.9#dns.quad9.net", "2620:fe::fe#dns.quad9.net"]
}

time {
  networks = [network.lan, network.things]
}

# A guest who downloads takes a part of the line, and no more.
shaper "guests" {
  network  = network.guests
  download = "50mbit"
  upload   = "10mbit"
}

ssh {
  networks = [network.lan]
}

user "root" {
  authorized_keys = ["ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIEbHw8WiDglSz3F98qaKqHuX3Zw9+D/kdO9wVQxdMwkl me@desk"]
}
