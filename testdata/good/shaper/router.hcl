# A session and its line, and guests that get a part of it. Only the office is offloaded.

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

vlan "internet" {
  link = port.wan
  id   = 7
}

pppoe "ppp0" {
  link     = vlan.internet
  user     = "0001@example.net"
  password = secret.dsl
}

network "dsl" {
  link = pppoe.ppp0
  ipv4 = "ppp"
}

network "lan" {
  link = port.lan2
  ipv4 = "192.168.1.1/24"
}

network "guests" {
  link = port.lan1
  ipv4 = "192.168.2.1/24"
}

zone "dsl" {
  networks = [network.dsl]
}

zone "inside" {
  networks = [network.lan, network.guests]
}

policy "out" {
  from       = [zone.inside]
  to         = [zone.dsl]
  action     = "accept"
  masquerade = true
}

shaper "line" {
  network    = network.dsl
  download   = "95mbit"
  upload     = "38500kbit"
  framing    = "pppoe-ptm"
  priority   = "besteffort"
  ack_filter = true
}

shaper "guests" {
  network  = network.guests
  download = "20mbit"
  upload   = "5mbit"
  priority = "diffserv8"
}
