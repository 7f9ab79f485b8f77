# Everything that a house wants of one machine: the router of docs/all-in-one.md. People, guests,
# phones and things live in networks of their own, a lab has its own router and a DNS zone, and one
# laptop comes home by a tunnel.

router "all-in-one" {
  board         = "bananapi-bpir4"
  memory        = "8GiB"
  state_version = "26.05"
  time_zone     = "Europe/Berlin"
}

# Links

# lan1 to lan3 lead to a switch, a desk and an access point.
bridge "br0" {
  pvid = 1

  vlans "rooms" {
    ports    = [port.lan1, port.lan2]
    untagged = [1]
    tagged   = [30, 40]
  }

  vlans "access-point" {
    ports    = [port.lan3]
    untagged = [1]
    tagged   = [30]
  }
}

# Guests are in the air alone: a card of Wi-Fi in a slot of the board.
bridge "guests" {}

port "wlp1s0" {}

secret "wifi-guests" {
  path = "/var/lib/secrets/wifi-guests"
}

wifi "guests" {
  radio   = port.wlp1s0
  band    = "5GHz"
  channel = 36
  country = "DE"

  ssid "All in one, for guests" {
    network  = network.guests
    security = "wpa2-wpa3"
    password = secret.wifi-guests
    isolate  = true
  }
}

vlan "things" {
  link = bridge.br0
  id   = 30
}

vlan "phones" {
  link = bridge.br0
  id   = 40
}

# Networks

network "wan" {
  link = port.wan
  ipv4 = "dhcp"
  ipv6 = "auto"
}

prefix "house" {
  network = network.wan
  length  = 56
}

network "lan" {
  link   = bridge.br0
  ipv4   = "192.168.10.1/24"
  ipv6   = "fd5c:8a1e:7b40:10::1/64" # stays when the prefix changes
  prefix = prefix.house
  subnet = 1
  domain = "home.arpa"
}

network "guests" {
  link   = bridge.guests
  ipv4   = "192.168.20.1/24"
  ipv6   = "fd5c:8a1e:7b40:20::1/64"
  prefix = prefix.house
  subnet = 2
}

network "things" {
  link   = vlan.things
  ipv4   = "192.168.30.1/24"
  domain = "things.home.arpa"
}

network "phones" {
  link = vlan.phones
  ipv4 = "192.168.40.1/24"
}

# Towards the router of the lab, on a fibre.
network "lab" {
  link = port.end1
  ipv4 = "10.255.0.1/29"
}

network "vpn" {
  link = wireguard.wg0
  ipv4 = "10.8.0.1/24"
  ipv6 = "fd5c:8a1e:7b40:8::1/64"
}

network "nat64" {
  link = nat64.nat64
  ipv4 = "192.168.255.1/24"
  ipv6 = "fd5c:8a1e:7b40:64::1/64"
}

nat64 "nat64" {}

secret "wg0" {
  path = "/var/lib/secrets/wg0"
}

wireguard "wg0" {
  listen      = 51820
  private_key = secret.wg0

  peer "laptop" {
    public_key  = "X1mxaVVMdYnMoVDy7WmYyFFzRVkuZYJXRcnU0mSNzzk="
    allowed_ips = ["10.8.0.2/32", "fd5c:8a1e:7b40:8::2/128"]
  }
}

# The line slows down in the router, where each host has its share, and not in the modem.
shaper "line" {
  network  = network.wan
  download = "237mbit"
  upload   = "38mbit"
}

# Hosts

host "nas" {
  network = network.lan
  mac     = "00:00:5e:00:53:10"
  ipv4    = "192.168.10.10"
  ipv6    = "::10"
  aliases = ["files", "photos"]
}

host "heating" {
  network = network.things
  mac     = "00:00:5e:00:53:30"
  ipv4    = "192.168.30.10"
}

host "desk-phone" {
  network = network.phones
  mac     = "00:00:5e:00:53:40"
  ipv4    = "192.168.40.10"
}

# Zones: what of the router itself is for whom

zone "lan" {
  networks = [network.lan]
  allow = [
    "ssh", "dns", "dhcp", "dhcp6", "ntp", "upnp", "snmp", "metrics", "pbx", "mqtt", "radius",
    "mdns",
  ]
}

zone "guests" {
  networks = [network.guests]
  allow    = ["dns", "dhcp"]
}

zone "things" {
  networks = [network.things]
  allow    = ["dns", "dhcp", "ntp", "mqtt", "mdns"]
}

zone "phones" {
  networks = [network.phones]
  allow    = ["dns", "dhcp", "ntp", "pbx"]
}

zone "lab" {
  networks = [network.lab]
  allow    = ["dns-zones", "ntp"]
}

zone "vpn" {
  networks = [network.vpn]
  allow    = ["ssh", "dns", "ntp", "metrics"]
}

zone "nat64" {
  networks = [network.nat64]
}

zone "wan" {
  networks = [network.wan]
  allow    = ["wireguard"]
}

# Policies: who reaches whom

policy "internet" {
  from       = [zone.lan, zone.vpn, zone.lab]
  to         = [zone.wan]
  action     = "accept"
  masquerade = true
}

# Guests go where Suricata looks first.
policy "guests" {
  from       = [zone.guests]
  to         = [zone.wan]
  action     = "accept"
  masquerade = true
}

policy "home" {
  from   = [zone.vpn]
  to     = [zone.lan, zone.things, zone.lab]
  action = "accept"
}

policy "inside" {
  from   = [zone.lan]
  to     = [zone.things, zone.phones, zone.lab]
  action = "accept"
}

policy "weather" {
  from       = [host.heating]
  to         = [zone.wan]
  services   = ["https"]
  action     = "accept"
  masquerade = true
}

policy "translated" {
  from   = [zone.lan, zone.guests, zone.vpn]
  to     = [zone.nat64]
  action = "accept"
}

policy "nat64" {
  from       = [zone.nat64]
  to         = [zone.wan]
  action     = "accept"
  masquerade = true
}

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

upnp {
  external = network.wan
  networks = [network.lan]
}

# Layer 7: guests share no files.
ids {
  inspect = [policy.guests]
  fail    = "open"

  block "sharing" {
    app = ["bittorrent-dht"]
  }
}

# Routing with the lab

secret "ospf" {
  path = "/var/lib/secrets/ospf"
}

bfd "lab" {
  multiplier = 5 # 1.5 s: a lab may be busy
}

ospf {
  router_id = "10.255.0.1"

  area "0" {
    networks = [network.lab]
    passive  = [network.lan]
    bfd      = bfd.lab
    password = secret.ospf
  }
}

# Addresses and names

dhcp4 "lan" {
  network = network.lan
  pool    = ["192.168.10.100-192.168.10.199"]
  v6_only = "1h" # what can live with IPv6 alone does

  option "routers" {
    value = ["192.168.10.254"] # of vrrp.lan
  }
}

# A second router takes the address over when this one fails.
vrrp "lan" {
  network   = network.lan
  id        = 10
  priority  = 150
  addresses = ["192.168.10.254"]
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

dhcp4 "phones" {
  network = network.phones
  pool    = ["192.168.40.100-192.168.40.199"]
}

dhcp6 "lan" {
  network = network.lan
  pool    = ["::1000-::1fff"]
}

router_advert "lan" {
  network = network.lan
}

router_advert "guests" {
  network = network.guests
}

resolver {
  networks = [network.lan, network.guests, network.things, network.phones, network.vpn]

  dns64 {}
}

dns_server {
  networks = [network.lab] # everyone else has the resolver
}

dns_zone "lab" {
  domain       = "lab.example.org"
  name_servers = ["ns.lab.example.org"]
  records = [
    "ns.lab.example.org A 10.255.0.1",
    "build.lab.example.org A 10.255.0.2",
  ]

  dnssec {}
}

time {
  networks = [network.lan, network.things, network.phones, network.lab, network.vpn]
}

# Telephones

secret "desk-phone" {
  path = "/var/lib/secrets/desk-phone"
}

secret "cordless" {
  path = "/var/lib/secrets/cordless"
}

secret "sip" {
  path = "/var/lib/secrets/sip"
}

pbx {
  networks = [network.phones, network.lan]

  extension "desk" {
    number   = "11"
    network  = network.phones
    password = secret.desk-phone
  }

  extension "cordless" {
    number   = "12"
    network  = network.lan
    password = secret.cordless
  }

  group "all" {
    number     = "10"
    extensions = ["desk", "cordless"]
  }

  trunk "provider" {
    network  = network.wan
    server   = "sip.example.net"
    user     = "0301234567"
    password = secret.sip
    to       = "all"
  }
}

# Messages between things and those who use them

secret "mqtt-heating" {
  path = "/var/lib/secrets/mqtt-heating"
}

secret "mqtt-house" {
  path = "/var/lib/secrets/mqtt-house"
}

mqtt {
  networks = [network.things, network.lan]

  user "heating" {
    password = secret.mqtt-heating
    write    = ["heating/state/#"]
    read     = ["heating/set/#"]
  }

  user "house" {
    password  = secret.mqtt-house
    readwrite = ["#"]
  }
}

# What the things offer is found in the lan

mdns {
  networks = [network.lan, network.things]
}

# Who may into the Wi-Fi: the access point at lan3 asks

secret "radius" {
  path = "/var/lib/secrets/radius"
}

secret "access-point" {
  path = "/var/lib/secrets/access-point"
}

secret "wifi-anna" {
  path = "/var/lib/secrets/wifi-anna"
}

secret "wifi-television" {
  path = "/var/lib/secrets/wifi-television"
}

host "access-point" {
  network = network.lan
  mac     = "00:00:5e:00:53:11"
  ipv4    = "192.168.10.2"
}

radius {
  networks    = [network.lan]
  certificate = "/var/lib/radius/server.pem"
  key         = secret.radius

  client "attic" {
    addresses = ["192.168.10.2/32"]
    secret    = secret.access-point
  }

  user "anna" {
    password = secret.wifi-anna
  }

  user "television" {
    password = secret.wifi-television
    vlan     = 30
  }
}

# Monitoring

exporter "node" {
  networks = [network.lan, network.vpn]
}

exporter "frr" {
  networks = [network.lan]
}

exporter "knot" {
  networks = [network.lan]
}

secret "snmp-authentication" {
  path = "/var/lib/secrets/snmp-authentication"
}

secret "snmp-privacy" {
  path = "/var/lib/secrets/snmp-privacy"
}

snmp {
  networks = [network.lan]
  location = "attic"

  user "monitor" {
    authentication = secret.snmp-authentication
    privacy        = secret.snmp-privacy
    view           = ["1.3.6.1.2.1"]
  }
}

lldp {
  links      = [port.lan1, port.lan2, port.lan3, port.end1]
  management = network.lan
}

agent {
  networks = [network.lan, network.vpn]
}

ssh {
  networks = [network.lan, network.vpn]
}

user "root" {
  authorized_keys = ["ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIEbHw8WiDglSz3F98qaKqHuX3Zw9+D/kdO9wVQxdMwkl me@desk"]
}

nix {
  flakes = true
}
