# Uplinks by a PPPoE session, by a fixed address with public networks, and by router advertisements
# alone; and a rule that takes one host elsewhere whatever works.

router "r" {
  board         = "bananapi-bpir4"
  memory        = "4GiB"
  state_version = "26.05"
  console_only  = true
  name_servers  = ["9.9.9.9"]
}

secret "dsl" {
  path = "/var/lib/secrets/dsl"
}

pppoe "ppp0" {
  link     = port.wan
  user     = "0001@example.net"
  password = secret.dsl
}

network "dsl" {
  link = pppoe.ppp0
  ipv4 = "ppp"
}

network "office" {
  link     = port.lan3
  ipv4     = "192.0.2.2/29"
  gateway  = "192.0.2.1"
  ipv6     = "2001:db8:a::2/64"
  gateway6 = "fe80::1"
}

network "six" {
  link = port.lan2
  ipv6 = "auto"
}

# Another upstream, which is used if no uplink has a default route at all.
vlan "spare" {
  link = port.lan2
  id   = 7
}

network "spare" {
  link = vlan.spare
  ipv4 = "dhcp"
  ipv6 = "auto"
}

network "lan" {
  link = port.lan1
  ipv4 = "192.168.1.1/24"
  ipv6 = "2001:db8:a:1::1/64"
}

zone "lan" {
  networks = [network.lan]
}

zone "world" {
  networks = [network.dsl, network.office, network.six, network.spare]
}

policy "out" {
  from       = [zone.lan]
  to         = [zone.world]
  action     = "accept"
  masquerade = true
}

rule "tv" {
  priority = 20000
  from     = "192.168.1.50/32"
  table    = 20
}

route "tv" {
  to    = "0.0.0.0/0"
  via   = "192.0.2.1"
  table = 20
}

uplink "office" {
  network   = network.office
  priority  = 1
  probes    = ["icmp:198.51.100.1", "tcp:[2001:db8:ffff::1]:443"]
  interval  = "10s"
  failures  = 2
  successes = 20
  prefixes  = ["2001:db8:a:1::/64", "192.0.2.8/29"]
}

uplink "dsl" {
  network  = network.dsl
  priority = 2
  probes   = ["dns:198.51.100.53"]
}

uplink "six" {
  network  = network.six
  priority = 16
  probes   = ["icmp:2001:db8:ffff::1"]
}
