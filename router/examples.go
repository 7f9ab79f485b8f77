package router

// The examples of the core's blocks, each a part of the article's router.
const (
	routerExample = `router "bpi-r4" {
  board         = "bananapi-bpir4"
  memory        = "8GiB"  # the firmware has to know; nbr verify checks it
  state_version = "26.05" # the release you install first, for ever
  time_zone     = "Europe/Berlin"
}
`
	portExample = `port "office" {
  mac = "00:00:5e:00:53:04" # on the card, or what ip link says
}

network "office" {
  link = port.office
  ipv4 = "192.168.40.1/24"
}

zone "office" {
  networks = [network.office]
}
`
	bridgeExample = `bridge "br-lan" {
  ports = [port.lan1, port.lan2, port.lan3] # the names come from the board
}
`
	linkExample = `link "wwan0" {
  mtu = 1430
}
`
	vlanExample = `vlan "iot" {
  link = port.end1
  id   = 30
}

network "iot" {
  link = vlan.iot
  ipv4 = "192.168.30.1/24"
}

zone "iot" {
  networks = [network.iot]
}
`
	networkExample = `network "lan" {
  link   = bridge.br-lan
  ipv4   = "192.168.178.1/24" # the router's own address and the network, in one
  domain = "home.arpa"
}
`
	hostExample = `host "desk" {
  network = network.lan
  mac     = "02:11:22:33:44:66"
  ipv4    = "192.168.178.20"
  aliases = ["printer"]
}
`
	prefixExample = `prefix "isp" {
  network = network.wan
  length  = 56 # 256 networks
}

network "wan" {
  link = port.wan
  ipv4 = "dhcp"
  ipv6 = "auto"
}

network "lan" {
  link   = bridge.br-lan
  ipv4   = "192.168.178.1/24"
  domain = "home.arpa"
  prefix = prefix.isp
  subnet = 1
}
`
	routeExample = `route "office" {
  to  = "10.20.0.0/16"
  via = "192.168.178.2"
}
`
	ruleExample = `rule "lab" {
  priority = 20000
  from     = "192.168.178.32/28" # these hosts alone
  table    = 20
}

route "lab" {
  to    = "10.30.0.0/16"
  via   = "192.168.178.2"
  table = 20
}
`
	zoneExample = `zone "lan" {
  networks = [network.lan]
  allow    = ["ssh", "dns", "dhcp"] # of the router's own services
}
`
	addressSetExample = `address_set "admins" {
  hosts     = [host.desk]
  addresses = ["192.168.178.64/28", "203.0.113.5", "2001:db8:5::/64"]
}

host "desk" {
  network = network.lan
  mac     = "02:11:22:33:44:66"
  ipv4    = "192.168.178.20"
}

policy "admins" {
  from     = [address_set.admins]
  to       = [zone.wan]
  action   = "accept"
  services = ["ssh", "https"]
}
`
	serviceExample = `service "homeassistant" {
  ports = ["tcp/8123"]
}

zone "lan" {
  networks = [network.lan]
  allow    = ["ssh", "dns", "dhcp", "homeassistant"] # the last is opened, and nbr verify looks who listens
}
`
	scheduleExample = `schedule "bedtime" {
  days = ["sun", "mon", "tue", "wed", "thu"]
  from = "21:00"
  to   = "06:30" # of the next day
}

host "tablet" {
  network = network.lan
  mac     = "02:11:22:33:44:77"
}

policy "bedtime" {
  from     = [host.tablet]
  to       = [zone.wan]
  action   = "reject"
  schedule = schedule.bedtime
}

policy "internet" { # after it: the first one that fits decides
  from       = [zone.lan]
  to         = [zone.wan]
  action     = "accept"
  masquerade = true
}
`
	policyExample = `policy "internet" {
  from       = [zone.lan]
  to         = [zone.wan]
  action     = "accept"
  masquerade = true
}
`
	portForwardExample = `port_forward "web" {
  from = zone.wan
  port = 443
  to   = "192.168.178.10"
}
`
	staticNATExample = `static_nat "mail" {
  from    = zone.wan
  address = "203.0.113.25" # that the provider routes to the router
  to      = host.mail
}

host "mail" {
  network = network.lan
  ipv4    = "192.168.178.25"
}

policy "mail" {
  from     = [zone.wan]
  to       = [host.mail]
  action   = "accept"
  services = ["smtp"]
}
`
	secretExample = `secret "wg0" {
  path = "/var/lib/secrets/wg0"
}
`
	inputExample = `input "nixos-sbc" {
  url     = "github:nakato/nixos-sbc/main"
  follows = ["nixpkgs"]
}
`
)
